/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

/* ------------------------------------------------------------------------------------------- lifetime */

static void defaults_agree_with_the_parser(void **state)
{
    (void)state;
    assert_memory_equal(&BOLT_SERVER_OPTIONS_DEFAULT.limits, &BOLT_HTTP1_LIMITS_DEFAULT,
                        sizeof(BOLT_HTTP1_LIMITS_DEFAULT));
}

static void options_are_copied(void **state)
{
    (void)state;
    char name[] = "my-server";
    struct fixture f;
    struct answer answer = {0};
    fixture_init(&f);
    f.options.server_name = text_of(name);
    fixture_start(&f);
    memset(name, 'x', sizeof(name));
    struct client c = client_connect(&f);
    client_exchange(&f, &c, text_of(GET), &answer);
    assert_true(answer_has(&answer, "server: my-server"));
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static int lowest_free_fd(void)
{
    int fd = dup(0);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void free_closes_everything(void **state)
{
    (void)state;
    struct fixture f;
    int before = lowest_free_fd();
    fixture_begin(&f);
    struct client idle = client_connect(&f), open = client_connect(&f), partial = client_connect(&f);
    client_say(&open, GET GET_LATER);
    client_say(&partial, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123");
    fixture_run(&f);
    client_expect(&open, 200, "hello");
    bolt_server_free(f.server);
    client_expect_eof(&idle);
    client_expect_eof(&open);
    client_expect_eof(&partial);
    assert_int_equal(f.disconnects, 1);
    /* finished after the server is gone */
    assert_true(f.open[0]->disconnected);
    assert_non_null(bolt_exchange_stamp(f.open[0]));
    assert_int_equal(bolt_buf_put_lit(bolt_exchange_out(f.open[0]), "too late"), BOLT_OK);
    bolt_exchange_done(f.open[0], false);
    client_close(&idle);
    client_close(&open);
    client_close(&partial);
    bolt_router_free(f.router, NULL);
    assert_int_equal(lowest_free_fd(), before);
}

static void frees_server(void *ctx, struct bolt_exchange *exchange)
{
    struct fixture *f = ctx;
    bolt_server_free(f->server);
    assert_int_equal(f->disconnects, 0); /* on_request has not returned */
    assert_true(exchange->disconnected);
    f->open[f->open_count++] = exchange;
}

static void may_be_freed_from_a_callback(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.app.on_request = frees_server;
    fixture_start(&f);
    struct client first = client_connect(&f), second = client_connect(&f);
    client_say(&first, GET GET);
    client_say(&second, GET);
    bolt_server_run(f.server);
    assert_int_equal(f.open_count, 1);
    assert_int_equal(f.disconnects, 1);
    bolt_exchange_done(f.open[0], false);
    client_close(&first);
    client_close(&second);
    bolt_router_free(f.router, NULL);
}

/* A child that gives its copy back must not disturb the parent's connections. */
static void a_forked_child_may_free(void **state)
{
    (void)state;
    struct fixture f;
    int log_fds[2];
    char octet;
    assert_int_equal(pipe2(log_fds, O_NONBLOCK | O_CLOEXEC), 0);
    fixture_init(&f);
    f.options.access_log_fd = log_fds[1];
    fixture_start(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET GET_LATER);
    fixture_run(&f);
    client_expect(&c, 200, "hello");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bolt_server_free(f.server);
        bolt_exchange_done(f.open[0], true);
        _exit(read(log_fds[0], &octet, 1) < 0 ? 42 : 1); /* the log line is the parent's */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 42);
    client_expect_open(&c);
    fixture_answer(&f, 0, "still here");
    fixture_run(&f);
    client_expect(&c, 200, "still here");
    client_say(&c, GET);
    fixture_run(&f);
    client_expect(&c, 200, "hello");
    fixture_advance(&f, 75000);
    client_expect_eof(&c);
    client_close(&c);
    fixture_clear(&f);
    close(log_fds[0]);
    close(log_fds[1]);
}

/* A descriptor copied by fork keeps the socket alive, but its events must not reach a connection that is gone. */
static void copies_of_a_socket_cause_no_stale_events(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    int copy = dup(f.server->conns->fd);
    fixture_run(&f);
    assert_int_equal(fixture_stats(&f).connections, 0);
    uint64_t events = fixture_stats(&f).events;
    client_say(&c, GET);
    client_close(&c);
    assert_int_equal(bolt_server_run(f.server), 0);
    assert_int_equal(fixture_stats(&f).events, events);
    close(copy);
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- running */

static void counts(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client a = client_connect(&f), b = client_connect(&f), bad = client_connect(&f);
    client_say(&a, GET GET_LATER);
    client_say(&b, GET_LATER);
    client_say(&bad, "?\r\n\r\n");
    fixture_run(&f);
    client_close(&b);
    fixture_run(&f);
    struct bolt_server_stats stats = fixture_stats(&f);
    assert_int_equal(stats.accepted, 3);
    assert_int_equal(stats.connections, 2);
    assert_int_equal(stats.closed, 1);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.exchanges_open, 2);
    assert_int_equal(stats.bad_requests, 1);
    assert_int_equal(stats.timeouts, 0);
    assert_true(stats.wakeups >= 2 && stats.events >= 4);
    fixture_answer(&f, 0, "");
    fixture_answer(&f, 1, "");
    stats = fixture_stats(&f);
    assert_int_equal(stats.exchanges_open, 0);
    assert_int_equal(stats.aborted, 1);
    client_close(&a);
    client_close(&bad);
    fixture_clear(&f);
}

static void one_greedy_client_does_not_starve_others(void **state)
{
    (void)state;
    struct fixture f;
    struct bolt_buf requests = {0};
    fixture_begin(&f);
    struct client greedy = client_connect(&f), modest = client_connect(&f);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(bolt_buf_put_lit(&requests, GET), BOLT_OK);
    client_send(&greedy, bolt_slice_of(requests.ptr, requests.len));
    client_say(&modest, GET_LATER);
    assert_true(bolt_server_run(f.server) >= 0);
    const char *turn = strstr(f.seen, "GET /later");
    assert_non_null(turn);
    assert_in_range(turn - f.seen, 0, 2 * strlen("GET /;"));
    for (int i = 0; i < 2000; i++) {
        fixture_run(&f);
        client_expect(&greedy, 200, "hello");
    }
    bolt_buf_clear(&requests);
    client_close(&greedy);
    client_close(&modest);
    fixture_clear(&f);
}

/* The owner's loop gets its turn, and the server another one, however much there is to do. */
static void a_run_is_bounded_and_continued(void **state)
{
    (void)state;
    struct fixture f;
    struct bolt_buf requests = {0};
    fixture_begin(&f);
    struct client c = client_connect(&f);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(bolt_buf_put_lit(&requests, GET), BOLT_OK);
    client_send(&c, bolt_slice_of(requests.ptr, requests.len));
    f.options.output_high_bytes = SIZE_MAX;
    f.server->options.output_high_bytes = SIZE_MAX;
    assert_true(bolt_server_run(f.server) >= 0);
    assert_in_range(f.requests, 1000, ITEMS_PER_RUN);
    assert_true(bolt_server_has_pending(f.server));
    for (int runs = 0; runs < 10 && f.requests < 5000; runs++)
        fixture_wait(&f);
    assert_int_equal(f.requests, 5000);
    bolt_buf_clear(&requests);
    client_close(&c);
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- draining */

static void drains(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    uint16_t port;
    fixture_init(&f);
    f.options.drain_idle_ms = 0;
    fixture_start(&f);
    int listener = tcp_listener(&port);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    struct client idle = client_connect(&f), open = client_connect(&f), partial = client_connect(&f),
                  unread = client_connect(&f), nothing = client_connect(&f);
    client_say(&open, GET_LATER GET);
    client_say(&partial, "GET / HTTP/1.1\r\n");
    fixture_run(&f);
    client_say(&unread, GET); /* sent, but the server has not looked yet */
    client_say(&nothing, "\r\n");
    assert_false(bolt_server_is_drained(f.server));
    bolt_server_drain(f.server);
    bolt_server_drain(f.server);
    assert_false(f.open[0]->keep_alive);
    client_expect_eof(&idle);
    fixture_run(&f);

    client_expect_eof(&nothing);
    client_await(&f, &unread, &answer);
    assert_true(answer.close);
    client_expect_eof(&unread);
    client_say(&partial, "Host: a\r\n\r\n");
    client_await(&f, &partial, &answer);
    assert_true(answer.close);
    client_expect_eof(&partial);
    assert_false(bolt_server_is_drained(f.server));
    fixture_answer(&f, 0, "bye");
    client_await(&f, &open, &answer);
    assert_true(answer.close);
    client_await_eof(&f, &open);
    client_close(&open);
    fixture_run(&f);
    assert_true(bolt_server_is_drained(f.server));
    assert_int_equal(f.requests, 3);

    int late = tcp_connect(port); /* waits in the listener's queue for whoever inherits it */
    fixture_run(&f);
    assert_int_equal(fixture_stats(&f).accepted, 5);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_ERR_CLOSED);
    assert_int_equal(bolt_server_adopt_take(f.server, late), BOLT_ERR_CLOSED);
    close(late);
    close(listener);
    answer_clear(&answer);
    client_close(&idle);
    client_close(&partial);
    client_close(&unread);
    client_close(&nothing);
    fixture_clear(&f);
}

/* A client that keeps its connection busy may have sent the next request just before it learns of the end. */
static void drains_after_the_next_request(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    fixture_begin(&f);
    struct client busy = client_connect(&f), idle = client_connect(&f), fresh = client_connect(&f);
    client_say(&busy, GET);
    client_say(&idle, GET);
    client_await(&f, &busy, &answer);
    assert_false(answer.close);
    client_await(&f, &idle, &answer);
    bolt_server_drain(f.server);
    bolt_server_run_pending(f.server);
    fixture_advance(&f, f.options.drain_idle_ms - 1);
    client_say(&busy, GET);
    client_say(&fresh, GET);
    client_await(&f, &busy, &answer);
    assert_true(answer.close);
    client_await_eof(&f, &busy);
    client_await(&f, &fresh, &answer);
    assert_true(answer.close);
    client_expect_open(&idle);
    fixture_advance(&f, 1);
    client_expect_eof(&idle);
    assert_int_equal(fixture_stats(&f).timeouts, 0);
    client_close(&busy);
    client_close(&fresh);
    fixture_run(&f);
    assert_true(bolt_server_is_drained(f.server));
    client_close(&idle);
    answer_clear(&answer);
    fixture_clear(&f);
}

/* The kernel has told these clients that they are connected; closing the listener would reset them. */
static void drains_the_queue_of_its_listeners(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    struct client clients[3];
    uint16_t port;
    fixture_begin(&f);
    int listener = tcp_listener(&port);
    assert_int_equal(bolt_server_add_listener(f.server, listener), BOLT_OK);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++) {
        clients[i] = (struct client){.fd = tcp_connect(port)};
        assert_int_equal(fcntl(clients[i].fd, F_SETFL, O_NONBLOCK), 0);
        client_say(&clients[i], GET);
    }
    bolt_server_drain(f.server);
    close(listener);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(clients); i++) {
        client_await(&f, &clients[i], &answer);
        assert_int_equal(answer.status, 200);
        assert_true(answer.close);
        client_close(&clients[i]);
    }
    answer_clear(&answer);
    fixture_clear(&f);
}

static void drains_at_once_without_connections(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    bolt_server_drain(f.server);
    assert_true(bolt_server_is_drained(f.server));
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- no memory */

static void creation_survives_any_failed_allocation(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    int before = lowest_free_fd();
    int err = BOLT_ERR_NOMEM;
    for (long n = 0; err; n++) {
        struct bolt_server *const untouched = (void *)&f;
        f.server = untouched;
        bolt_failmalloc_set(n);
        err = bolt_server_new(&f.options, &f.app, &f.server);
        bolt_failmalloc_set(-1);
        assert_int_equal(err, n < 2 ? BOLT_ERR_NOMEM : BOLT_OK);
        if (err) {
            assert_ptr_equal(f.server, untouched);
            assert_int_equal(lowest_free_fd(), before);
        }
    }
    fixture_clear(&f);
}

static void put_cycle(struct bolt_buf *request)
{
    static char content[40000];
    assert_int_equal(bolt_buf_put_lit(request, GET "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n"),
                     BOLT_OK);
    assert_int_equal(bolt_buf_put(request, content, sizeof(content)), BOLT_OK);
    assert_int_equal(bolt_buf_put_lit(request, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                               "9c40\r\n"),
                     BOLT_OK);
    assert_int_equal(bolt_buf_put(request, content, sizeof(content)), BOLT_OK);
    assert_int_equal(bolt_buf_put_lit(request,
                                      "\r\n0\r\n\r\nGET /dir?x HTTP/1.1\r\nHost: a\r\n\r\nDELETE / HTTP/1.1\r\n"
                                      "Host: a\r\n\r\n" GET_LATER "nonsense\r\n\r\n"),
                     BOLT_OK);
}

/* Everything a connection can go through, with the n-th allocation failing: it may be dropped, nothing else. */
static bool run_cycle(long n, const struct bolt_buf *request, int log_fd)
{
    struct fixture f;
    fixture_init(&f);
    f.options.access_log_fd = log_fd;
    fixture_start(&f);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct client c = {.fd = fds[0]};
    bolt_failmalloc_set(n);
    int err = bolt_server_adopt_take(f.server, fds[1]);
    if (err)
        close(fds[1]);
    else
        assert_true(bolt_server_run(f.server) >= 0);
    size_t sent = 0;
    for (int turns = 0; turns < 200 && !err; turns++) {
        sent += client_try_send(&c, bolt_slice_of(request->ptr + sent, request->len - sent));
        assert_true(bolt_server_run(f.server) >= 0);
        char sink[65536];
        while (recv(c.fd, sink, sizeof(sink), 0) > 0)
            continue;
        if (f.open_count && f.open[0])
            fixture_answer(&f, 0, "later");
    }
    bool exhausted = bolt_failmalloc_set(-1) <= (size_t)n;
    assert_int_equal(fixture_stats(&f).exchanges_open, 0);
    if (exhausted)
        assert_int_equal(f.requests, 6);
    client_close(&c);
    fixture_clear(&f);
    return exhausted;
}

static void request_cycles_survive_any_failed_allocation(void **state)
{
    (void)state;
    struct bolt_buf request = {0};
    put_cycle(&request);
    int log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int before = lowest_free_fd();
    long n = 0;
    while (!run_cycle(n, &request, log_fd))
        n++;
    assert_in_range(n, 8, 1000); /* the loop really failed some */
    assert_int_equal(lowest_free_fd(), before);
    close(log_fd);
    bolt_buf_clear(&request);
}

/* ------------------------------------------------------------------------------------------- any order of things */

#define WALKERS 12

/* A client that does random things; `expected` holds the contents of its requests, in order. */
struct walker {
    struct client client;
    struct bolt_buf outgoing; /* requests not sent yet */
    unsigned next_id, answered;
    bool alive; /* still owed every answer */
};

static void write_request(struct walker *w, uint64_t *seed)
{
    char text[160];
    unsigned id = w->next_id++;
    const char *path = next_random(seed) % 3 ? "/echo" : "/later";
    if (next_random(seed) % 2)
        snprintf(text, sizeof(text), "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n%08u", path, id);
    else
        snprintf(text, sizeof(text),
                 "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n%.3s\r\n5\r\n%05u\r\n0\r\n\r\n",
                 path, "000", id);
    assert_int_equal(bolt_buf_put(&w->outgoing, text, strlen(text)), BOLT_OK);
}

static void send_some(struct walker *w, uint64_t *seed)
{
    size_t len = w->outgoing.len ? 1 + next_random(seed) % w->outgoing.len : 0;
    bolt_buf_consume(&w->outgoing, client_try_send(&w->client, bolt_slice_of(w->outgoing.ptr, len)));
}

static void check_answers(struct walker *w)
{
    struct answer answer = {0};
    while (client_answer(&w->client, &answer)) {
        char expected[9];
        snprintf(expected, sizeof(expected), "%08u", w->answered++);
        assert_int_equal(answer.status, 200);
        assert_slice_equal(answer.body, expected);
    }
    if (w->alive)
        assert_false(w->client.eof || w->client.error);
    answer_clear(&answer);
}

static void answer_one(struct fixture *f, uint64_t *seed)
{
    if (f->open_count == 0)
        return;
    size_t pick = next_random(seed) % f->open_count;
    struct bolt_exchange *exchange = f->open[pick];
    f->open[pick] = f->open[--f->open_count];
    fixture_reply(exchange, exchange->content);
}

static void restart(struct fixture *f, struct walker *w)
{
    client_close(&w->client);
    w->outgoing.len = 0;
    w->client = client_connect(f);
    w->next_id = w->answered = 0;
    w->alive = true;
}

static void take_a_step(struct fixture *f, struct walker *w, uint64_t *seed)
{
    switch (next_random(seed) % 16) {
    case 0:
    case 1:
    case 2:
        write_request(w, seed);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        send_some(w, seed);
        break;
    case 8:
    case 9:
    case 10:
        answer_one(f, seed);
        break;
    case 11:
    case 12:
        bolt_server_run(f->server);
        break;
    case 13:
        check_answers(w);
        break;
    case 14:
        if (next_random(seed) % 8 == 0)
            restart(f, w);
        break;
    default:
        if (next_random(seed) % 8 == 0) {
            shutdown(w->client.fd, SHUT_WR);
            w->alive = false;
        }
        break;
    }
}

static void any_interleaving_answers_in_order_and_leaves_nothing(void **state)
{
    (void)state;
    uint64_t seed = 20240607;
    struct fixture f;
    struct walker walkers[WALKERS] = {0};
    fixture_begin(&f);
    for (size_t i = 0; i < WALKERS; i++) {
        walkers[i].client.fd = -1;
        restart(&f, &walkers[i]);
    }
    for (int step = 0; step < 60000; step++) {
        take_a_step(&f, &walkers[next_random(&seed) % WALKERS], &seed);
        f.seen[0] = '\0';
    }
    /* Let everybody finish: what is still owed arrives. */
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < WALKERS; i++)
            send_some(&walkers[i], &seed);
        fixture_run(&f);
        while (f.open_count)
            answer_one(&f, &seed);
        for (size_t i = 0; i < WALKERS; i++)
            check_answers(&walkers[i]);
    }
    for (size_t i = 0; i < WALKERS; i++) {
        if (walkers[i].alive)
            assert_int_equal(walkers[i].answered, walkers[i].next_id);
        bolt_buf_clear(&walkers[i].outgoing);
        client_close(&walkers[i].client);
    }
    fixture_run(&f);
    struct bolt_server_stats stats = fixture_stats(&f);
    assert_true(stats.requests > 1000 && f.disconnects > 10);
    assert_int_equal(stats.connections + stats.exchanges_open, 0);
    assert_int_equal(stats.accepted, stats.closed);
    assert_int_equal(stats.bad_requests, 0);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_agree_with_the_parser),
        cmocka_unit_test(options_are_copied),
        cmocka_unit_test(free_closes_everything),
        cmocka_unit_test(may_be_freed_from_a_callback),
        cmocka_unit_test(a_forked_child_may_free),
        cmocka_unit_test(copies_of_a_socket_cause_no_stale_events),
        cmocka_unit_test(counts),
        cmocka_unit_test(one_greedy_client_does_not_starve_others),
        cmocka_unit_test(a_run_is_bounded_and_continued),
        cmocka_unit_test(drains),
        cmocka_unit_test(drains_after_the_next_request),
        cmocka_unit_test(drains_the_queue_of_its_listeners),
        cmocka_unit_test(drains_at_once_without_connections),
        cmocka_unit_test(creation_survives_any_failed_allocation),
        cmocka_unit_test(request_cycles_survive_any_failed_allocation),
        cmocka_unit_test(any_interleaving_answers_in_order_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
