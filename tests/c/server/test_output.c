/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <sys/socket.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
#define BIG 50000u

static void replies_big(void *ctx, struct bolt_exchange *exchange)
{
    static char body[BIG];
    struct fixture *f = ctx;
    f->requests++;
    memset(body, 'b', sizeof(body));
    fixture_reply(exchange, bolt_slice_of(body, sizeof(body)));
}

static void begin_big(struct fixture *f)
{
    fixture_init(f);
    f->app.on_request = replies_big;
    fixture_start(f);
}

/* One pipelined burst is sent with one system call: the peer of a SEQPACKET pair would see one packet; on a stream
 * pair the queue's first recv with a large buffer returns it whole. */
static void pipelined_answers_leave_together(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET GET GET GET);
    assert_true(bolt_server_run(f.server) >= 0);
    char octets[4096];
    ssize_t first = recv(c.fd, octets, sizeof(octets), 0);
    assert_true(first > 0);
    int answers = 0;
    for (const char *at = octets; (at = memmem(at, (size_t)(octets + first - at), "hello", 5)); at++)
        answers++;
    assert_int_equal(answers, 4);
    client_expect_open(&c);
    client_close(&c);
    fixture_clear(&f);
}

static void a_client_that_does_not_read_is_not_served(void **state)
{
    (void)state;
    enum { REQUESTS = 200 };
    struct fixture f;
    struct answer answer = {0};
    begin_big(&f);
    struct client c = client_connect_tcp(&f, 4096);
    for (int i = 0; i < REQUESTS; i++)
        client_say(&c, GET);
    fixture_wait(&f);
    int served = f.requests;
    const struct bolt_conn *conn = f.server->conns;
    size_t high = f.options.output_high_bytes;
    assert_in_range(bolt_output_unsent(conn), high, high + BIG + 1000);
    assert_in_range(served, high / BIG, high / BIG + 10);
    fixture_run(&f);
    assert_int_equal(f.requests, served);

    for (int answers = 0; answers < REQUESTS; answers++) { /* reading lets it go on */
        client_await(&f, &c, &answer);
        assert_int_equal(answer.body.len, BIG);
        assert_in_range(conn->out.cap, 0, 4 * (high + BIG));
    }
    assert_int_equal(f.requests, REQUESTS);
    client_expect_open(&c);
    assert_null(conn->out.ptr);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static void a_low_mark_costs_nothing_but_sends(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.output_high_bytes = 0;
    fixture_start(&f);
    struct client c = client_connect(&f);
    for (int i = 0; i < 50; i++)
        client_say(&c, GET);
    fixture_run(&f);
    for (int i = 0; i < 50; i++)
        client_expect(&c, 200, "hello");
    client_close(&c);
    fixture_clear(&f);
}

static void stalled_writes_time_out(void **state)
{
    (void)state;
    struct fixture f;
    begin_big(&f);
    struct client c = client_connect_tcp(&f, 4096);
    for (int i = 0; i < 100; i++)
        client_say(&c, GET);
    fixture_wait(&f);
    for (int i = 0; i < 3; i++) { /* slow reading is progress */
        fixture_advance(&f, 59999);
        assert_int_equal(fixture_stats(&f).connections, 1);
        size_t unsent = bolt_output_unsent(f.server->conns);
        while (bolt_output_unsent(f.server->conns) == unsent) {
            client_fetch(&c);
            fixture_run(&f);
        }
    }
    fixture_advance(&f, 59999);
    assert_int_equal(fixture_stats(&f).connections, 1);
    fixture_advance(&f, 1);
    assert_int_equal(fixture_stats(&f).connections, 0);
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    client_close(&c);
    fixture_clear(&f);
}

static void a_stalled_reader_loses_its_open_exchange(void **state)
{
    (void)state;
    static char big[400000];
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect_tcp(&f, 4096);
    client_say(&c, GET_LATER GET_LATER);
    fixture_wait(&f);
    fixture_reply(f.open[0], bolt_slice_of(big, 200000));
    f.open[0] = NULL;
    fixture_run(&f);
    assert_int_equal(f.open_count, 2); /* below the high mark: the next one is served */
    fixture_advance(&f, 60000);
    assert_int_equal(f.disconnects, 1);
    assert_true(f.open[1]->disconnected);
    client_close(&c);
    fixture_clear(&f);
}

static void blocked_reading_is_not_held_against_the_client(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    begin_big(&f);
    struct client c = client_connect_tcp(&f, 4096);
    for (int i = 0; i < 20; i++)
        client_say(&c, GET);
    client_say(&c, "GET / HTTP/1.1\r\n");
    fixture_wait(&f);
    fixture_advance(&f, 20000); /* more than the header timeout, less than the write timeout */
    assert_int_equal(fixture_stats(&f).timeouts, 0);
    for (int answers = 0; answers < 20; answers++)
        client_await(&f, &c, &answer);
    client_say(&c, "Host: a\r\n\r\n");
    client_await(&f, &c, &answer);
    assert_int_equal(answer.body.len, BIG);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static void a_reset_while_sending_closes(void **state)
{
    (void)state;
    struct fixture f;
    begin_big(&f);
    struct client c = client_connect_tcp(&f, 4096);
    for (int i = 0; i < 20; i++)
        client_say(&c, GET);
    fixture_wait(&f);
    client_close(&c); /* with unread data: a reset */
    fixture_wait(&f);
    assert_int_equal(fixture_stats(&f).connections, 0);
    assert_int_equal(f.disconnects, 0);
    fixture_clear(&f);
}

static void the_last_answer_arrives_before_the_close(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    begin_big(&f);
    struct client c = client_connect_tcp(&f, 4096);
    client_say(&c, GET "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET GET);
    for (int answers = 0; answers < 2; answers++) {
        client_await(&f, &c, &answer);
        assert_int_equal(answer.body.len, BIG);
        assert_int_equal(answer.close, answers == 1);
    }
    client_await_eof(&f, &c);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_answers_leave_together),
        cmocka_unit_test(a_client_that_does_not_read_is_not_served),
        cmocka_unit_test(a_low_mark_costs_nothing_but_sends),
        cmocka_unit_test(stalled_writes_time_out),
        cmocka_unit_test(a_stalled_reader_loses_its_open_exchange),
        cmocka_unit_test(blocked_reading_is_not_held_against_the_client),
        cmocka_unit_test(a_reset_while_sending_closes),
        cmocka_unit_test(the_last_answer_arrives_before_the_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
