/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct client connect_to(uint16_t port)
{
    struct client client = {.fd = tcp_connect(port)};
    assert_int_equal(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
    return client;
}

static void accepts_on_several_listeners(void **state)
{
    (void)state;
    struct fixture f;
    struct client clients[20];
    uint16_t ports[2];
    fixture_begin(&f);
    int first = tcp_listener(&ports[0]), second = tcp_listener(&ports[1]);
    assert_int_equal(bolt_server_add_listener(f.server, first), BOLT_OK);
    assert_int_equal(bolt_server_add_listener(f.server, second), BOLT_OK);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++) {
        clients[i] = connect_to(ports[i % 2]);
        client_say(&clients[i], GET);
    }
    fixture_wait(&f);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++)
        client_expect(&clients[i], 200, "hello");
    assert_int_equal(fixture_stats(&f).accepted, BOLT_ARRAY_LEN(clients));
    int nodelay = 0;
    socklen_t len = sizeof(nodelay);
    assert_int_equal(getsockopt(f.server->conns->fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
    assert_int_equal(nodelay, 1);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++)
        client_close(&clients[i]);
    fixture_clear(&f);
    assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC); /* still the caller's */
    close(first);
    close(second);
}

static void accepts_on_unix_sockets(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct fixture f;
    fixture_begin(&f);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(addr);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(sa_family_t)), 0); /* abstract, kernel's choice */
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    struct client c = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
    assert_int_equal(connect(c.fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
    client_say(&c, GET);
    fixture_run(&f);
    client_expect(&c, 200, "hello");
    client_close(&c);
    fixture_clear(&f);
    close(listener);
}

static void pauses_at_max_connections(void **state)
{
    (void)state;
    struct fixture f;
    struct client clients[5];
    uint16_t port;
    fixture_init(&f);
    f.options.max_connections = 2;
    fixture_start(&f);
    int listener = tcp_listener(&port);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++) {
        clients[i] = connect_to(port);
        client_say(&clients[i], GET);
    }
    fixture_wait(&f);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++) {
        assert_int_equal(fixture_stats(&f).accepted, i + 2 < 5 ? i + 2 : 5);
        client_expect(&clients[i], 200, "hello");
        client_close(&clients[i]);
        fixture_wait(&f);
    }
    fixture_clear(&f);
    close(listener);
}

static void survives_running_out_of_descriptors(void **state)
{
    (void)state;
    struct rlimit before, tight;
    struct fixture f;
    uint16_t port;
    fixture_begin(&f);
    int listener = tcp_listener(&port);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    struct client first = connect_to(port), second = connect_to(port);
    client_say(&first, GET);
    client_say(&second, GET);
    int next = dup(0); /* the lowest free descriptor: room for exactly one connection */
    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = (struct rlimit){.rlim_cur = (rlim_t)next + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    fixture_wait(&f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client_expect(&first, 200, "hello");
    assert_int_equal(fixture_stats(&f).accepted, 1);
    fixture_run(&f);
    assert_int_equal(fixture_stats(&f).accepted, 1); /* paused, not spinning */
    fixture_advance(&f, ACCEPT_RETRY_MS - 1);
    assert_int_equal(fixture_stats(&f).accepted, 1);
    fixture_advance(&f, 1);
    fixture_run(&f);
    client_expect(&second, 200, "hello");
    client_close(&first);
    client_close(&second);
    fixture_clear(&f);
    close(listener);
}

static void a_freed_descriptor_resumes_accept(void **state)
{
    (void)state;
    struct rlimit before, tight;
    struct fixture f;
    uint16_t port;
    fixture_begin(&f);
    int listener = tcp_listener(&port);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    struct client adopted = client_connect(&f);
    struct client waiting = connect_to(port);
    client_say(&waiting, GET);
    int next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    fixture_wait(&f);
    assert_int_equal(fixture_stats(&f).accepted, 1);
    client_close(&adopted);
    fixture_run(&f);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client_expect(&waiting, 200, "hello");
    client_close(&waiting);
    fixture_clear(&f);
    close(listener);
}

static void refuses_what_is_no_socket(void **state)
{
    (void)state;
    struct fixture f;
    int pipe_fds[2];
    fixture_begin(&f);
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(bolt_server_adopt_take(f.server, pipe_fds[0]), BOLT_ERR_OS);
    assert_int_equal(bolt_server_adopt_take(f.server, -1), BOLT_ERR_OS);
    assert_int_equal(bolt_server_add_listener(f.server, -1), BOLT_ERR_OS);
    assert_true(fcntl(pipe_fds[0], F_GETFD) >= 0); /* not taken */
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    fixture_clear(&f);
}

static void a_broken_listener_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    uint16_t port;
    fixture_begin(&f);
    int listener = tcp_listener(&port);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    struct client c = connect_to(port);
    assert_int_equal(shutdown(listener, SHUT_RD), 0); /* stops listening: accept says EINVAL */
    fixture_wait(&f);
    assert_int_equal(f.server->listeners->fd, -1);
    assert_int_equal(fixture_stats(&f).accepted, 0);
    client_close(&c);
    fixture_clear(&f);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_on_several_listeners),      cmocka_unit_test(accepts_on_unix_sockets),
        cmocka_unit_test(pauses_at_max_connections),         cmocka_unit_test(survives_running_out_of_descriptors),
        cmocka_unit_test(a_freed_descriptor_resumes_accept), cmocka_unit_test(refuses_what_is_no_socket),
        cmocka_unit_test(a_broken_listener_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
