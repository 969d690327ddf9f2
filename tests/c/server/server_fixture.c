/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int route_now, route_later;

static uint64_t read_clock(void *ctx)
{
    return ((struct fixture *)ctx)->now_ms;
}

void fixture_reply(struct bolt_exchange *exchange, struct bolt_slice body)
{
    struct bolt_buf *out = bolt_exchange_out(exchange);
    struct bolt_http1_open_head head;
    int err = bolt_http1_head_begin(out, &head, 200, bolt_exchange_stamp(exchange), exchange->head.minor,
                                    exchange->keep_alive);
    if (!err)
        err = bolt_http1_head_end(out, &head, BOLT_FRAMING_LENGTH);
    if (!err)
        err = bolt_buf_put(out, body.ptr, body.len);
    if (!err)
        bolt_http1_head_close(out, &head, exchange->head.method == BOLT_METHOD_HEAD);
    exchange->status = 200;
    bolt_exchange_done(exchange, err != BOLT_OK);
}

void fixture_on_request(void *ctx, struct bolt_exchange *exchange)
{
    struct fixture *fixture = ctx;
    assert_false(exchange->disconnected);
    fixture->requests++;
    fixture->in_request = true;
    size_t used = strlen(fixture->seen);
    snprintf(fixture->seen + used, sizeof(fixture->seen) - used, "%.*s %.*s;", (int)exchange->head.method_name.len,
             exchange->head.method_name.ptr, (int)exchange->head.path.len, exchange->head.path.ptr);
    if (exchange->match.kind != BOLT_ROUTE_FOUND) {
        bolt_exchange_reply_unmatched(exchange);
    } else if (exchange->match.route == &route_later) {
        assert_true(fixture->open_count < FIXTURE_OPEN_MAX);
        fixture->open[fixture->open_count] = exchange;
        exchange->app_data = (void *)(uintptr_t)fixture->open_count++;
    } else {
        fixture_reply(exchange, exchange->content.len ? exchange->content : BOLT_SLICE_LIT("hello"));
    }
    fixture->in_request = false;
}

static void on_disconnect(void *ctx, struct bolt_exchange *exchange)
{
    struct fixture *fixture = ctx;
    assert_true(exchange->disconnected);
    assert_false(fixture->in_request);
    fixture->disconnects++;
}

static void add_route(struct bolt_router *router, enum bolt_method method, const char *pattern, void *route)
{
    void *replaced;
    struct bolt_errinfo info;
    assert_int_equal(bolt_router_add(router, method, text_of(pattern), route, &replaced, &info), BOLT_OK);
}

void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->now_ms = 1000000;
    fixture->options = BOLT_SERVER_OPTIONS_DEFAULT;
    fixture->options.now_ms = read_clock;
    fixture->options.now_ctx = fixture;
    fixture->router = bolt_router_new();
    assert_non_null(fixture->router);
    add_route(fixture->router, BOLT_METHOD_GET, "/", &route_now);
    add_route(fixture->router, BOLT_METHOD_POST, "/echo", &route_now);
    add_route(fixture->router, BOLT_METHOD_GET, "/later", &route_later);
    add_route(fixture->router, BOLT_METHOD_POST, "/later", &route_later);
    add_route(fixture->router, BOLT_METHOD_GET, "/dir/", &route_now);
    fixture->app = (struct bolt_server_app){
        .ctx = fixture, .router = fixture->router, .on_request = fixture_on_request, .on_disconnect = on_disconnect};
}

void fixture_start(struct fixture *fixture)
{
    assert_int_equal(bolt_server_new(&fixture->options, &fixture->app, &fixture->server), BOLT_OK);
}

void fixture_begin(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_start(fixture);
}

void fixture_clear(struct fixture *fixture)
{
    bolt_server_free(fixture->server);
    for (size_t i = 0; i < fixture->open_count; i++) {
        if (fixture->open[i])
            bolt_exchange_done(fixture->open[i], true);
    }
    bolt_router_free(fixture->router, NULL);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, timeout_ms) > 0;
}

void fixture_run(struct fixture *fixture)
{
    bolt_server_run_pending(fixture->server);
    while (is_readable(bolt_server_fd(fixture->server), 0))
        assert_true(bolt_server_run(fixture->server) >= 0);
}

void fixture_wait(struct fixture *fixture)
{
    bolt_server_run_pending(fixture->server);
    assert_true(is_readable(bolt_server_fd(fixture->server), 5000));
    fixture_run(fixture);
}

void fixture_advance(struct fixture *fixture, uint64_t ms)
{
    fixture->now_ms += ms;
    assert_true(bolt_server_run(fixture->server) >= 0);
}

struct bolt_server_stats fixture_stats(const struct fixture *fixture)
{
    struct bolt_server_stats stats;
    bolt_server_get_stats(fixture->server, &stats);
    return stats;
}

void fixture_answer(struct fixture *fixture, size_t index, const char *body)
{
    struct bolt_exchange *exchange = fixture->open[index];
    assert_non_null(exchange);
    fixture->open[index] = NULL;
    fixture_reply(exchange, text_of(body));
}

/* ------------------------------------------------------------------------------------------- sockets */

static void set_nonblocking(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

int tcp_listener(uint16_t *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

int tcp_connect(uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

/* Small buffers need small segments: with loopback's 32 KiB ones a small window only opens by timeouts. */
static void shrink_buffers(int fd, int bytes)
{
    int segment = 1400;
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
}

static void tcp_pair(int fds[2], int buffer_bytes)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof(addr);
    uint16_t port;
    int listener = tcp_listener(&port);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fds[0] >= 0);
    if (buffer_bytes) {
        shrink_buffers(listener, buffer_bytes);
        shrink_buffers(fds[0], buffer_bytes);
    }
    assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&addr, len), 0);
    fds[1] = accept(listener, NULL, NULL);
    assert_true(fds[1] >= 0);
    close(listener);
}

struct client client_connect(struct fixture *fixture)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    set_nonblocking(fds[0]);
    assert_int_equal(bolt_server_adopt_take(fixture->server, fds[1]), BOLT_OK);
    return (struct client){.fd = fds[0]};
}

struct client client_connect_tcp(struct fixture *fixture, int buffer_bytes)
{
    int fds[2];
    tcp_pair(fds, buffer_bytes);
    set_nonblocking(fds[0]);
    assert_int_equal(bolt_server_adopt_take(fixture->server, fds[1]), BOLT_OK);
    return (struct client){.fd = fds[0]};
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    bolt_buf_clear(&client->received);
}

size_t client_try_send(struct client *client, struct bolt_slice octets)
{
    ssize_t sent = send(client->fd, octets.ptr, octets.len, MSG_NOSIGNAL);
    return sent > 0 ? (size_t)sent : 0;
}

void client_send(struct client *client, struct bolt_slice octets)
{
    assert_int_equal(client_try_send(client, octets), octets.len);
}

size_t client_fetch(struct client *client)
{
    for (;;) {
        assert_int_equal(bolt_buf_reserve(&client->received, 65536), BOLT_OK);
        ssize_t got = recv(client->fd, client->received.ptr + client->received.len, 65536, 0);
        if (got > 0) {
            client->received.len += (size_t)got;
            continue;
        }
        if (got == 0)
            client->eof = true;
        else if (errno != EAGAIN)
            client->error = errno;
        return client->received.len;
    }
}

static size_t content_length(const char *head)
{
    const char *field = strstr(head, "content-length: ");
    return field ? strtoul(field + strlen("content-length: "), NULL, 10) : 0;
}

bool client_answer(struct client *client, struct answer *answer)
{
    client_fetch(client);
    struct bolt_buf *in = &client->received;
    const char *end = in->len ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    size_t head_len = (size_t)(end - in->ptr) + 4;
    assert_true(head_len < sizeof(answer->head));
    memcpy(answer->head, in->ptr, head_len);
    answer->head[head_len] = '\0';
    size_t body_len = content_length(answer->head);
    if (in->len - head_len < body_len)
        return false;
    assert_int_equal(sscanf(answer->head, "HTTP/1.1 %d ", &answer->status), 1);
    answer->close = answer_has(answer, "connection: close");
    answer->storage.len = 0;
    assert_int_equal(bolt_buf_put(&answer->storage, in->ptr + head_len, body_len), BOLT_OK);
    answer->body = bolt_slice_of(answer->storage.ptr, body_len);
    bolt_buf_consume(in, head_len + body_len);
    return true;
}

static void wait_for_either(struct fixture *fixture, struct client *client, bool sending)
{
    struct pollfd pollers[2] = {{.fd = bolt_server_fd(fixture->server), .events = POLLIN},
                                {.fd = client->fd, .events = (short)(sending ? POLLIN | POLLOUT : POLLIN)}};
    if (poll(pollers, 2, 5000) <= 0)
        fail_msg("nothing moves any more");
}

void client_exchange(struct fixture *fixture, struct client *client, struct bolt_slice request, struct answer *answer)
{
    size_t sent = 0;
    for (;;) {
        if (sent < request.len)
            sent += client_try_send(client, bolt_slice_of(request.ptr + sent, request.len - sent));
        fixture_run(fixture);
        if (sent == request.len && client_answer(client, answer))
            return;
        assert_false(client->eof || client->error);
        wait_for_either(fixture, client, sent < request.len);
    }
}

void client_await(struct fixture *fixture, struct client *client, struct answer *answer)
{
    client_exchange(fixture, client, (struct bolt_slice){0}, answer);
}

void client_await_eof(struct fixture *fixture, struct client *client)
{
    for (;;) {
        fixture_run(fixture);
        client_fetch(client);
        if (client->eof || client->error)
            break;
        wait_for_either(fixture, client, false);
    }
    client_expect_eof(client);
}

bool answer_has(const struct answer *answer, const char *field_line)
{
    char line[512];
    snprintf(line, sizeof(line), "\r\n%s\r\n", field_line);
    return strstr(answer->head, line) != NULL;
}

void answer_clear(struct answer *answer)
{
    bolt_buf_clear(&answer->storage);
}

void client_expect(struct client *client, int status, const char *body)
{
    struct answer answer = {0};
    assert_true(client_answer(client, &answer));
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.body.len, strlen(body));
    if (answer.body.len)
        assert_memory_equal(answer.body.ptr, body, answer.body.len);
    answer_clear(&answer);
}

void client_expect_open(struct client *client)
{
    assert_int_equal(client_fetch(client), 0);
    assert_false(client->eof);
    assert_int_equal(client->error, 0);
}

void client_expect_eof(struct client *client)
{
    assert_int_equal(client_fetch(client), 0);
    assert_true(client->eof);
    assert_int_equal(client->error, 0);
}
