/* SPDX-License-Identifier: MIT */
/* hello_server.c - bolt_server alone under load: every GET / is answered with the same JSON.
 *
 * Usage: hello_server [PORT [SECONDS]]. Port 0 (the default) lets the kernel choose. Prints the port, runs for
 * SECONDS (default: until SIGTERM or SIGINT), then prints requests and CPU seconds. Not a test; it measures what the
 * server layer costs, with its own epoll loop around bolt_server_fd() as an event loop would have.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bolt/scalar.h"
#include "bolt/server.h"

static volatile sig_atomic_t stopping;

static void stop(int signum)
{
    (void)signum;
    stopping = 1;
}

static void answer(void *ctx, struct bolt_exchange *exchange)
{
    (void)ctx;
    if (exchange->match.kind != BOLT_ROUTE_FOUND) {
        bolt_exchange_reply_unmatched(exchange);
        return;
    }
    struct bolt_buf *out = bolt_exchange_out(exchange);
    struct bolt_http1_open_head head;
    int err = bolt_http1_head_begin(out, &head, 200, bolt_exchange_stamp(exchange), exchange->head.minor,
                                    exchange->keep_alive);
    if (!err)
        err = bolt_buf_put_lit(out, "content-type: application/json\r\n");
    if (!err)
        err = bolt_http1_head_end(out, &head, BOLT_FRAMING_LENGTH);
    if (!err)
        err = bolt_buf_put_lit(out, "{\"message\":\"Hello, World!\"}");
    if (!err)
        bolt_http1_head_close(out, &head, exchange->head.method == BOLT_METHOD_HEAD);
    exchange->status = 200;
    bolt_exchange_done(exchange, err != BOLT_OK);
}

static void forget(void *ctx, struct bolt_exchange *exchange)
{
    (void)ctx;
    (void)exchange; /* every exchange is answered inside on_request */
}

static int64_t number(const char *text)
{
    int64_t value;
    if (bolt_scalar_int(bolt_slice_of(text, strlen(text)), &value) == BOLT_OK)
        return value;
    fprintf(stderr, "usage: hello_server [PORT [SECONDS]]\n");
    exit(2);
}

static int listen_on(uint16_t port)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
        perror("listen");
        exit(1);
    }
    printf("port %u\n", ntohs(addr.sin_port));
    fflush(stdout);
    return fd;
}

static void serve(struct bolt_server *server, time_t seconds)
{
    int loop_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (loop_fd < 0 || epoll_ctl(loop_fd, EPOLL_CTL_ADD, bolt_server_fd(server), &event) < 0) {
        perror("epoll");
        exit(1);
    }
    time_t until = time(NULL) + seconds;
    while (!stopping && (seconds == 0 || time(NULL) < until)) {
        int ready = epoll_wait(loop_fd, &event, 1, 1000);
        if (ready < 0 && errno != EINTR) {
            perror("epoll_wait");
            exit(1);
        }
        if (ready > 0 && bolt_server_run(server) < 0) {
            perror("bolt_server_run");
            exit(1);
        }
    }
    close(loop_fd);
}

static void report(const struct bolt_server *server)
{
    struct bolt_server_stats stats;
    struct rusage usage;
    bolt_server_get_stats(server, &stats);
    getrusage(RUSAGE_SELF, &usage);
    double user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    double sys = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    double requests = (double)stats.requests;
    printf("requests %.0f wakeups %llu user %.2f s system %.2f s per CPU-second %.0f user us/request %.2f\n", requests,
           (unsigned long long)stats.wakeups, user, sys, requests / (user + sys), user * 1e6 / requests);
}

int main(int argc, char **argv)
{
    static int route;
    struct bolt_router *router = bolt_router_new();
    void *replaced;
    struct bolt_errinfo info;
    if (!router || bolt_router_add(router, BOLT_METHOD_GET, BOLT_SLICE_LIT("/"), &route, &replaced, &info) != BOLT_OK)
        return 1;
    struct bolt_server_app app = {.router = router, .on_request = answer, .on_disconnect = forget};
    struct bolt_server *server;
    if (bolt_server_new(&BOLT_SERVER_OPTIONS_DEFAULT, &app, &server) != BOLT_OK) {
        perror("bolt_server_new");
        return 1;
    }
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    int fd = listen_on((uint16_t)number(argc > 1 ? argv[1] : "0"));
    if (bolt_server_add_listener(server, fd) != BOLT_OK)
        return 1;
    serve(server, number(argc > 2 ? argv[2] : "0"));
    report(server);
    bolt_server_free(server);
    close(fd);
    bolt_router_free(router, NULL);
    return 0;
}
