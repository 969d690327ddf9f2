/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

/* ------------------------------------------------------------------------------------------- later */

static void completes_in_any_order(void **state)
{
    (void)state;
    struct fixture f;
    struct client clients[3];
    fixture_begin(&f);
    for (int i = 0; i < 3; i++) {
        clients[i] = client_connect(&f);
        client_say(&clients[i], GET_LATER);
        fixture_run(&f);
    }
    assert_int_equal(fixture_stats(&f).exchanges_open, 3);
    fixture_answer(&f, 1, "second");
    client_expect_open(&clients[1]); /* nothing is sent from inside done */
    assert_true(bolt_server_has_pending(f.server));
    bolt_server_run_pending(f.server);
    assert_false(bolt_server_has_pending(f.server));
    client_expect(&clients[1], 200, "second");
    fixture_answer(&f, 2, "third");
    fixture_answer(&f, 0, "first");
    bolt_server_run_pending(f.server);
    client_expect(&clients[0], 200, "first");
    client_expect(&clients[2], 200, "third");
    assert_int_equal(fixture_stats(&f).exchanges_open, 0);
    for (int i = 0; i < 3; i++)
        client_close(&clients[i]);
    fixture_clear(&f);
}

static void pipelined_requests_wait_for_their_turn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET GET_LATER GET GET_LATER GET);
    fixture_run(&f);
    client_expect(&c, 200, "hello"); /* does not wait for the one behind it */
    client_expect_open(&c);
    assert_int_equal(f.open_count, 1);
    fixture_answer(&f, 0, "one");
    fixture_run(&f);
    client_expect(&c, 200, "one");
    client_expect(&c, 200, "hello");
    client_expect_open(&c);
    fixture_answer(&f, 1, "two");
    fixture_run(&f);
    client_expect(&c, 200, "two");
    client_expect(&c, 200, "hello");
    assert_int_equal(f.requests, 5);
    client_close(&c);
    fixture_clear(&f);
}

static void input_stays_put_and_the_rest_in_the_kernel(void **state)
{
    (void)state;
    static char more[50000];
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f), other = client_connect(&f);
    memset(more, '@', sizeof(more));
    client_say(&c, "POST /later HTTP/1.1\r\nHost: a\r\nX: value\r\nContent-Length: 5\r\n\r\n12345");
    fixture_run(&f);
    const struct bolt_exchange *exchange = f.open[0];
    struct bolt_slice value = exchange->head.fields[1].value, content = exchange->content;
    client_send(&c, bolt_slice_of(more, sizeof(more)));
    for (int i = 0; i < 50; i++) {
        client_say(&other, GET "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        fixture_run(&f);
    }
    int waiting;
    assert_int_equal(ioctl(exchange->conn->fd, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, sizeof(more));
    assert_ptr_equal(value.ptr, exchange->head.fields[1].value.ptr);
    assert_slice_equal(value, "value");
    assert_slice_equal(content, "12345");
    fixture_answer(&f, 0, "ok");
    fixture_run(&f);
    client_expect(&c, 200, "ok");
    client_expect(&c, 400, "{\"detail\":\"Bad Request\"}"); /* "@@@@..." is no request */
    client_close(&c);
    client_close(&other);
    fixture_clear(&f);
}

static void the_app_may_end_the_connection(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET_LATER GET);
    fixture_run(&f);
    f.open[0]->keep_alive = false;
    fixture_answer(&f, 0, "bye");
    fixture_run(&f);
    client_expect(&c, 200, "bye");
    client_expect_eof(&c);
    assert_int_equal(f.requests, 1);
    client_close(&c);
    fixture_clear(&f);
}

static void abort_sends_nothing_of_the_response(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET GET_LATER GET);
    fixture_run(&f);
    assert_int_equal(bolt_buf_put_lit(bolt_exchange_out(f.open[0]), "HTTP/1.1 200 OK\r\nhalf a res"), BOLT_OK);
    client_say(&c, GET); /* an event while the response is half written */
    fixture_run(&f);
    client_expect(&c, 200, "hello");
    client_expect_open(&c);
    bolt_exchange_done(f.open[0], true);
    f.open[0] = NULL;
    fixture_run(&f);
    client_expect_eof(&c);
    assert_int_equal(fixture_stats(&f).aborted, 1);
    assert_int_equal(f.disconnects, 0);
    client_close(&c);
    fixture_clear(&f);
}

static void knows_both_addresses(void **state)
{
    (void)state;
    struct fixture f;
    struct sockaddr_storage addr;
    socklen_t len;
    fixture_begin(&f);
    struct client tcp = client_connect_tcp(&f, 0), pair = client_connect(&f);
    client_say(&tcp, GET_LATER);
    fixture_wait(&f);
    client_say(&pair, GET_LATER);
    fixture_run(&f);

    struct sockaddr_in client_addr;
    socklen_t client_len = sizeof(client_addr);
    assert_int_equal(getsockname(tcp.fd, (struct sockaddr *)&client_addr, &client_len), 0);
    assert_int_equal(bolt_exchange_peer(f.open[0], &addr, &len), BOLT_OK);
    assert_int_equal(len, client_len);
    assert_memory_equal(&addr, &client_addr, client_len);
    assert_int_equal(getpeername(tcp.fd, (struct sockaddr *)&client_addr, &client_len), 0);
    assert_int_equal(bolt_exchange_local(f.open[0], &addr, &len), BOLT_OK);
    assert_memory_equal(&addr, &client_addr, client_len);
    assert_int_equal(bolt_exchange_peer(f.open[1], &addr, &len), BOLT_OK);
    assert_int_equal(addr.ss_family, AF_UNIX);

    client_close(&tcp);
    fixture_wait(&f);
    assert_int_equal(bolt_exchange_peer(f.open[0], &addr, &len), BOLT_OK);
    assert_int_equal(bolt_exchange_local(f.open[0], &addr, &len), BOLT_ERR_CLOSED);
    client_close(&pair);
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- gone */

static void reset(struct client *client)
{
    struct linger linger = {.l_onoff = 1};
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    client_close(client);
}

static void half_close(struct client *client)
{
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

static void tells_once_that_the_peer_is_gone(void **state)
{
    (void)state;
    void (*const ways[])(struct client *) = {reset, half_close, client_close};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(ways); i++) {
        struct fixture f;
        fixture_begin(&f);
        struct client c = client_connect_tcp(&f, 0);
        client_say(&c, GET_LATER GET);
        fixture_wait(&f);
        ways[i](&c);
        fixture_wait(&f);
        assert_int_equal(f.disconnects, 1);
        assert_true(f.open[0]->disconnected);
        assert_int_equal(fixture_stats(&f).connections, 0);
        assert_int_equal(fixture_stats(&f).exchanges_open, 1);
        fixture_answer(&f, 0, "nobody listens");
        fixture_run(&f);
        assert_int_equal(f.disconnects, 1);
        assert_int_equal(f.requests, 1);
        assert_int_equal(fixture_stats(&f).exchanges_open, 0);
        client_close(&c);
        fixture_clear(&f);
    }
}

static void half_closed_clients_get_immediate_answers(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET GET GET);
    half_close(&c);
    fixture_run(&f);
    for (int i = 0; i < 3; i++)
        client_expect(&c, 200, "hello");
    client_expect_eof(&c);
    client_close(&c);

    c = client_connect(&f);
    client_say(&c, GET GET_LATER GET);
    half_close(&c);
    fixture_run(&f);
    client_expect(&c, 200, "hello");
    client_expect_eof(&c);
    assert_int_equal(f.disconnects, 1);
    client_close(&c);
    fixture_clear(&f);
}

/* A request whose answer fills the socket, then one that stays open. */
static void send_big_and_later(struct fixture *f, struct client *c)
{
    static char request[200000];
    int head = snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n");
    size_t len = (size_t)head + 150000;
    memset(request + head, 'x', 150000);
    memcpy(request + len, GET_LATER, sizeof(GET_LATER) - 1);
    len += sizeof(GET_LATER) - 1;
    for (size_t sent = 0; sent < len;) {
        sent += client_try_send(c, bolt_slice_of(request + sent, len - sent));
        fixture_run(f);
    }
}

/* Earlier answers are still on their way to a slow reader when its other half is found closed. */
static void half_closed_clients_may_read_on(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    fixture_begin(&f);
    struct client c = client_connect_tcp(&f, 4096);
    send_big_and_later(&f, &c);
    half_close(&c);
    while (f.disconnects == 0)
        fixture_wait(&f);
    assert_int_equal(fixture_stats(&f).connections, 1);
    fixture_answer(&f, 0, "dropped");
    client_await(&f, &c, &answer);
    assert_int_equal(answer.body.len, 150000);
    client_await_eof(&f, &c);
    assert_int_equal(f.disconnects, 1);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static void partial_requests_of_the_gone_are_dropped(void **state)
{
    (void)state;
    static const char *const pieces[] = {"", "GET / HT",
                                         "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123"};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(pieces); i++) {
        struct fixture f;
        fixture_begin(&f);
        struct client c = client_connect(&f);
        client_send(&c, text_of(pieces[i]));
        fixture_run(&f);
        client_close(&c);
        fixture_run(&f);
        assert_int_equal(fixture_stats(&f).connections, 0);
        assert_int_equal(f.requests + f.disconnects, 0);
        fixture_clear(&f);
    }
}

/* ------------------------------------------------------------------------------------------- suspended callbacks
 * A recursive bolt_server_run() inside on_request is what a suspended greenlet looks like from below: the frame
 * stays, others go on. */

struct suspended {
    struct fixture fixture; /* first: the app's ctx */
    struct client *self, *other;
    int depth;
};

static void run_inside(struct fixture *f)
{
    f->in_request = false; /* another greenlet's turn */
    fixture_run(f);
}

static void suspends(void *ctx, struct bolt_exchange *exchange)
{
    struct suspended *s = ctx;
    struct fixture *f = &s->fixture;
    if (!bolt_slice_eq(exchange->head.path, BOLT_SLICE_LIT("/later"))) {
        fixture_on_request(ctx, exchange);
        return;
    }
    s->depth++;
    client_expect_open(s->self);
    run_inside(f);
    client_expect(s->self, 200, "hello"); /* the pipelined answer before this one has left */
    client_say(s->other, GET);
    run_inside(f);
    client_expect(s->other, 200, "hello"); /* somebody else was served */
    fixture_reply(exchange, BOLT_SLICE_LIT("resumed"));
}

static void others_go_on_while_a_callback_is_suspended(void **state)
{
    (void)state;
    struct suspended s = {0};
    fixture_init(&s.fixture);
    s.fixture.app.ctx = &s;
    s.fixture.app.on_request = suspends;
    fixture_start(&s.fixture);
    struct client self = client_connect(&s.fixture), other = client_connect(&s.fixture);
    s.self = &self;
    s.other = &other;
    client_say(&self, GET GET_LATER GET);
    fixture_run(&s.fixture);
    assert_int_equal(s.depth, 1);
    client_expect(&self, 200, "resumed");
    client_expect(&self, 200, "hello");
    client_close(&self);
    client_close(&other);
    fixture_clear(&s.fixture);
}

static void leaves_while_suspended(void *ctx, struct bolt_exchange *exchange)
{
    struct suspended *s = ctx;
    struct fixture *f = &s->fixture;
    client_close(s->self);
    run_inside(f);
    assert_true(exchange->disconnected);
    assert_int_equal(f->disconnects, 0); /* not from inside on_request of the same exchange */
    f->open[f->open_count++] = exchange;
}

static void a_disconnect_waits_for_on_request(void **state)
{
    (void)state;
    struct suspended s = {0};
    fixture_init(&s.fixture);
    s.fixture.app.ctx = &s;
    s.fixture.app.on_request = leaves_while_suspended;
    fixture_start(&s.fixture);
    struct client self = client_connect(&s.fixture);
    s.self = &self;
    client_say(&self, GET);
    fixture_run(&s.fixture);
    assert_int_equal(s.fixture.disconnects, 1);
    fixture_clear(&s.fixture);
    assert_int_equal(s.fixture.disconnects, 1);
}

static void half_closes_while_suspended(void *ctx, struct bolt_exchange *exchange)
{
    struct suspended *s = ctx;
    struct fixture *f = &s->fixture;
    if (exchange->content.len) {
        fixture_on_request(ctx, exchange);
        return;
    }
    half_close(s->self);
    f->in_request = false;
    while (!exchange->disconnected)
        fixture_wait(f);
    assert_int_equal(f->disconnects, 0);
    assert_int_equal(fixture_stats(f).connections, 1); /* the earlier answer is still going out */
    f->open[f->open_count++] = exchange;
}

static void a_half_close_waits_for_on_request(void **state)
{
    (void)state;
    struct suspended s = {0};
    struct answer answer = {0};
    fixture_init(&s.fixture);
    s.fixture.app.ctx = &s;
    s.fixture.app.on_request = half_closes_while_suspended;
    fixture_start(&s.fixture);
    struct client self = client_connect_tcp(&s.fixture, 4096);
    s.self = &self;
    send_big_and_later(&s.fixture, &self);
    while (s.fixture.open_count == 0)
        fixture_wait(&s.fixture);
    fixture_run(&s.fixture);
    assert_int_equal(s.fixture.disconnects, 1);
    client_await(&s.fixture, &self, &answer);
    client_await_eof(&s.fixture, &self);
    answer_clear(&answer);
    client_close(&self);
    fixture_clear(&s.fixture);
    assert_int_equal(s.fixture.disconnects, 1);
}

static void suspends_after_done(void *ctx, struct bolt_exchange *exchange)
{
    struct suspended *s = ctx;
    struct fixture *f = &s->fixture;
    bool first = s->depth++ == 0;
    fixture_reply(exchange, BOLT_SLICE_LIT("done"));
    if (first)
        run_inside(f); /* the next requests of the same connection are handled in here */
}

static void nothing_waits_for_a_frame_whose_exchange_is_done(void **state)
{
    (void)state;
    struct suspended s = {0};
    fixture_init(&s.fixture);
    s.fixture.app.ctx = &s;
    s.fixture.app.on_request = suspends_after_done;
    fixture_start(&s.fixture);
    struct client self = client_connect(&s.fixture);
    client_say(&self, GET GET GET);
    fixture_run(&s.fixture);
    assert_int_equal(s.depth, 3);
    for (int i = 0; i < 3; i++)
        client_expect(&self, 200, "done");
    client_expect_open(&self);
    client_close(&self);
    fixture_clear(&s.fixture);
}

static void suspends_around_later(void *ctx, struct bolt_exchange *exchange)
{
    struct suspended *s = ctx;
    struct fixture *f = &s->fixture;
    if (s->depth++ == 0) {
        fixture_reply(exchange, BOLT_SLICE_LIT("done"));
        run_inside(f); /* opens the second exchange in the same memory */
        client_close(s->self);
        run_inside(f);
        assert_int_equal(f->disconnects, 1); /* the second one's: its own on_request has returned */
    } else {
        f->open[f->open_count++] = exchange;
    }
}

static void a_returning_frame_leaves_the_next_exchange_alone(void **state)
{
    (void)state;
    struct suspended s = {0};
    fixture_init(&s.fixture);
    s.fixture.app.ctx = &s;
    s.fixture.app.on_request = suspends_around_later;
    fixture_start(&s.fixture);
    struct client self = client_connect(&s.fixture);
    s.self = &self;
    client_say(&self, GET GET);
    fixture_run(&s.fixture);
    assert_int_equal(s.fixture.disconnects, 1);
    fixture_clear(&s.fixture);
    assert_int_equal(s.fixture.disconnects, 1);
}

/* Frames that return in another order than they were entered need stacks of their own. */

#define FIBER_STACK_BYTES (256u * 1024)

struct fiber {
    ucontext_t self, owner;
    struct bolt_server *server;
    bool finished;
    char *stack;
};

static struct fiber *current_fiber;

static void fiber_main(void)
{
    struct fiber *fiber = current_fiber;
    bolt_server_run(fiber->server);
    fiber->finished = true;
}

static void fiber_resume(struct fiber *fiber)
{
    struct fiber *outer = current_fiber;
    current_fiber = fiber;
    assert_int_equal(swapcontext(&fiber->owner, &fiber->self), 0);
    current_fiber = outer;
}

static void fiber_suspend(void)
{
    struct fiber *fiber = current_fiber;
    assert_int_equal(swapcontext(&fiber->self, &fiber->owner), 0);
}

static void fiber_init(struct fiber *fiber, struct bolt_server *server)
{
    *fiber = (struct fiber){.server = server, .stack = malloc(FIBER_STACK_BYTES)};
    assert_non_null(fiber->stack);
    assert_int_equal(getcontext(&fiber->self), 0);
    fiber->self.uc_stack.ss_sp = fiber->stack;
    fiber->self.uc_stack.ss_size = FIBER_STACK_BYTES;
    fiber->self.uc_link = &fiber->owner;
    makecontext(&fiber->self, fiber_main, 0);
}

static void suspends_its_fiber(void *ctx, struct bolt_exchange *exchange)
{
    struct suspended *s = ctx;
    struct fixture *f = &s->fixture;
    if (s->depth++ == 0)
        fixture_reply(exchange, BOLT_SLICE_LIT("done")); /* suspended after it has answered */
    else
        f->open[f->open_count++] = exchange; /* suspended with the exchange open */
    fiber_suspend();
}

static void frames_may_return_in_any_order(void **state)
{
    (void)state;
    struct suspended s = {0};
    struct fiber first, second;
    fixture_init(&s.fixture);
    s.fixture.app.ctx = &s;
    s.fixture.app.on_request = suspends_its_fiber;
    fixture_start(&s.fixture);
    struct client self = client_connect(&s.fixture);
    fiber_init(&first, s.fixture.server);
    fiber_init(&second, s.fixture.server);
    client_say(&self, GET GET);
    fiber_resume(&first);
    fiber_resume(&second);
    assert_int_equal(s.depth, 2);
    fiber_resume(&first); /* its on_request returns: the second exchange is none of its business */
    assert_true(first.finished);
    client_close(&self);
    fixture_run(&s.fixture);
    assert_true(s.fixture.open[0]->disconnected);
    assert_int_equal(s.fixture.disconnects, 0);
    fiber_resume(&second);
    assert_true(second.finished);
    assert_int_equal(s.fixture.disconnects, 1);
    fixture_clear(&s.fixture);
    free(first.stack);
    free(second.stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_in_any_order),
        cmocka_unit_test(pipelined_requests_wait_for_their_turn),
        cmocka_unit_test(input_stays_put_and_the_rest_in_the_kernel),
        cmocka_unit_test(the_app_may_end_the_connection),
        cmocka_unit_test(abort_sends_nothing_of_the_response),
        cmocka_unit_test(knows_both_addresses),
        cmocka_unit_test(tells_once_that_the_peer_is_gone),
        cmocka_unit_test(half_closed_clients_get_immediate_answers),
        cmocka_unit_test(half_closed_clients_may_read_on),
        cmocka_unit_test(partial_requests_of_the_gone_are_dropped),
        cmocka_unit_test(others_go_on_while_a_callback_is_suspended),
        cmocka_unit_test(a_disconnect_waits_for_on_request),
        cmocka_unit_test(nothing_waits_for_a_frame_whose_exchange_is_done),
        cmocka_unit_test(a_returning_frame_leaves_the_next_exchange_alone),
        cmocka_unit_test(a_half_close_waits_for_on_request),
        cmocka_unit_test(frames_may_return_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
