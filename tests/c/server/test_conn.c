/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

/* ------------------------------------------------------------------------------------------- requests */

static void keeps_the_connection(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    for (int i = 0; i < 5; i++) {
        client_say(&c, GET);
        fixture_run(&f);
        client_expect(&c, 200, "hello");
    }
    client_expect_open(&c);
    assert_int_equal(fixture_stats(&f).requests, 5);
    assert_int_equal(fixture_stats(&f).accepted, 1);
    client_close(&c);
    fixture_run(&f);
    assert_int_equal(fixture_stats(&f).connections, 0);
    assert_int_equal(fixture_stats(&f).closed, 1);
    fixture_clear(&f);
}

static void closes_when_asked_to(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        bool close;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct answer answer = {0};
        fixture_begin(&f);
        struct client c = client_connect(&f);
        client_send(&c, text_of(cases[i].request));
        fixture_run(&f);
        assert_true(client_answer(&c, &answer));
        assert_int_equal(answer.close, cases[i].close);
        if (cases[i].close)
            client_expect_eof(&c);
        else
            client_expect_open(&c);
        answer_clear(&answer);
        client_close(&c);
        fixture_clear(&f);
    }
}

static void answers_pipelined_requests_in_order(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    for (int i = 0; i < 200; i++)
        client_say(&c, GET "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    fixture_run(&f);
    for (int i = 0; i < 200; i++) {
        client_expect(&c, 200, "hello");
        client_expect(&c, 200, "abc");
    }
    client_expect_open(&c);
    client_close(&c);
    fixture_clear(&f);
}

static void reads_any_cut_of_the_octets(void **state)
{
    (void)state;
    static const char request[] = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n" GET;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    for (size_t i = 0; i < sizeof(request) - 1; i++) {
        client_send(&c, bolt_slice_of(request + i, 1));
        fixture_run(&f);
    }
    client_expect(&c, 200, "abcde");
    client_expect(&c, 200, "hello");
    for (size_t cut = 1; cut < sizeof(request) - 1; cut++) {
        client_send(&c, bolt_slice_of(request, cut));
        fixture_run(&f);
        client_send(&c, bolt_slice_of(request + cut, sizeof(request) - 1 - cut));
        fixture_run(&f);
        client_expect(&c, 200, "abcde");
        client_expect(&c, 200, "hello");
    }
    client_close(&c);
    fixture_clear(&f);
}

static void drops_the_content_of_head(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    fixture_run(&f);
    client_fetch(&c);
    assert_non_null(memmem(c.received.ptr, c.received.len, "content-length: 5\r\n", 19));
    assert_memory_equal(c.received.ptr + c.received.len - 4, "\r\n\r\n", 4);
    client_close(&c);
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- refusals */

static void refuses_with_the_right_status_and_closes(void **state)
{
    (void)state;
    static char long_target[9000], long_field[9000];
    snprintf(long_target, sizeof(long_target), "GET /%08500d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
    snprintf(long_field, sizeof(long_field), "GET / HTTP/1.1\r\nHost: a\r\nX: %08500d\r\n\r\n", 0);
    const struct {
        const char *request;
        int status;
        const char *body;
    } cases[] = {
        {"nonsense\r\n\r\n", 400, "{\"detail\":\"Bad Request\"}"},
        {"GET / HTTP/1.1\r\n\r\n", 400, "{\"detail\":\"Bad Request\"}"},
        {long_target, 414, "{\"detail\":\"URI Too Long\"}"},
        {long_field, 431, "{\"detail\":\"Request Header Fields Too Large\"}"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413,
         "{\"detail\":\"Payload too large\"}"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", 413,
         "{\"detail\":\"Payload too large\"}"},
        {"GET / HTTP/2.1\r\nHost: a\r\n\r\n", 505, "{\"detail\":\"HTTP Version Not Supported\"}"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
         "{\"detail\":\"Not Implemented\"}"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 3\r\n\r\n", 417,
         "{\"detail\":\"Expectation Failed\"}"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct answer answer = {0};
        fixture_begin(&f);
        struct client c = client_connect(&f);
        client_send(&c, text_of(cases[i].request));
        fixture_run(&f);
        assert_true(client_answer(&c, &answer));
        assert_int_equal(answer.status, cases[i].status);
        assert_true(answer.close);
        assert_int_equal(answer.body.len, strlen(cases[i].body));
        assert_memory_equal(answer.body.ptr, cases[i].body, answer.body.len);
        client_expect_eof(&c); /* our direction is shut down, theirs is still read */
        assert_int_equal(fixture_stats(&f).connections, 1);
        assert_int_equal(fixture_stats(&f).bad_requests, 1);
        assert_int_equal(f.requests, 0);
        answer_clear(&answer);
        client_close(&c);
        fixture_run(&f);
        assert_int_equal(fixture_stats(&f).connections, 0);
        fixture_clear(&f);
    }
}

static void a_refusal_comes_after_earlier_answers(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET "nonsense\r\n\r\n" GET);
    fixture_run(&f);
    client_expect(&c, 200, "hello");
    client_expect(&c, 400, "{\"detail\":\"Bad Request\"}");
    client_expect_eof(&c);
    assert_int_equal(f.requests, 1);
    client_close(&c);
    fixture_clear(&f);
}

/* Content keeps coming while the refusal is on its way: it is dropped, not answered with a reset. */
static void a_refused_upload_sees_the_answer(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect_tcp(&f, 0);
    static char piece[65536];
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
    for (size_t sent = 0; sent < 5000000;) {
        size_t left = 5000000 - sent;
        size_t n = client_try_send(&c, bolt_slice_of(piece, left < sizeof(piece) ? left : sizeof(piece)));
        if (n == 0)
            fixture_wait(&f);
        sent += n;
    }
    fixture_run(&f);
    client_expect(&c, 413, "{\"detail\":\"Payload too large\"}");
    client_expect_eof(&c);
    client_close(&c);
    fixture_wait(&f);
    assert_int_equal(fixture_stats(&f).connections, 0);
    fixture_clear(&f);
}

static void lingers_for_a_bounded_time_and_amount(void **state)
{
    (void)state;
    static char piece[65536];
    struct fixture f;
    fixture_begin(&f);
    struct client slow = client_connect(&f), busy = client_connect(&f);
    client_say(&slow, "x\r\n\r\n");
    client_say(&busy, "x\r\n\r\n");
    fixture_run(&f);
    size_t sent = 0;
    for (size_t n; (n = client_try_send(&busy, bolt_slice_of(piece, sizeof(piece)))); sent += n)
        fixture_run(&f);
    assert_true(sent >= 8u << 20 && sent < 9u << 20);
    assert_int_equal(fixture_stats(&f).connections, 1);
    fixture_advance(&f, 4999);
    assert_int_equal(fixture_stats(&f).connections, 1);
    fixture_advance(&f, 1);
    assert_int_equal(fixture_stats(&f).connections, 0);
    client_close(&slow);
    client_close(&busy);
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- 100 (Continue) */

static void consents_to_content(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    fixture_run(&f);
    assert_int_equal(client_fetch(&c), sizeof("HTTP/1.1 100 Continue\r\n\r\n") - 1);
    assert_memory_equal(c.received.ptr, "HTTP/1.1 100 Continue\r\n\r\n", c.received.len);
    bolt_buf_consume(&c.received, c.received.len);
    client_say(&c, "abc");
    fixture_run(&f);
    client_expect(&c, 200, "abc");
    /* content came along: nobody waits for consent */
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na");
    fixture_run(&f);
    client_expect_open(&c);
    client_say(&c, "bc");
    fixture_run(&f);
    client_expect(&c, 200, "abc");
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");
    fixture_run(&f);
    client_expect(&c, 413, "{\"detail\":\"Payload too large\"}");
    client_expect_eof(&c);
    client_close(&c);
    fixture_clear(&f);
}

static uint64_t limit_of(void *ctx, const struct bolt_exchange *exchange)
{
    (void)ctx;
    assert_true(exchange->head.has_content);
    return exchange->match.kind == BOLT_ROUTE_FOUND ? 2u << 20 : 10;
}

static void limits_content_per_route(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.app.content_limit = limit_of;
    fixture_start(&f);
    struct client c = client_connect(&f);
    client_say(&c, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    fixture_run(&f);
    client_expect(&c, 404, "{\"detail\":\"Not Found\"}");
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    fixture_run(&f);
    client_expect_open(&c);
    client_close(&c);
    c = client_connect(&f);
    client_say(&c, "POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    fixture_run(&f);
    client_expect(&c, 413, "{\"detail\":\"Payload too large\"}");
    client_close(&c);
    fixture_clear(&f);
}

/* ------------------------------------------------------------------------------------------- timeouts */

static void times_out_slow_headers_from_the_first_octet(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "GET / HT");
    fixture_run(&f);
    fixture_advance(&f, 9999);
    client_say(&c, "TP/1.1\r\nHost: "); /* an octet now and then does not help */
    fixture_run(&f);
    client_expect_open(&c);
    fixture_advance(&f, 1);
    client_expect(&c, 408, "{\"detail\":\"Request Timeout\"}");
    client_expect_eof(&c);
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    client_close(&c);
    fixture_clear(&f);
}

static void closes_idle_connections_silently(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client used = client_connect(&f), fresh = client_connect(&f);
    fixture_advance(&f, 74000);
    client_say(&used, GET);
    fixture_run(&f);
    client_expect(&used, 200, "hello");
    fixture_advance(&f, 1000);
    client_expect_eof(&fresh);
    client_expect_open(&used);
    fixture_advance(&f, 73999);
    client_expect_open(&used);
    fixture_advance(&f, 1);
    client_expect_eof(&used);
    assert_int_equal(fixture_stats(&f).timeouts, 2);
    client_close(&used);
    client_close(&fresh);
    fixture_clear(&f);
}

static void times_out_stalled_content(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    fixture_run(&f);
    for (int i = 0; i < 5; i++) { /* slow is allowed */
        fixture_advance(&f, 29999);
        client_say(&c, "x");
        fixture_run(&f);
    }
    fixture_advance(&f, 29999);
    client_expect_open(&c);
    fixture_advance(&f, 1);
    client_expect(&c, 408, "{\"detail\":\"Request Timeout\"}");
    client_expect_eof(&c);
    client_close(&c);
    fixture_clear(&f);
}

static void what_arrived_in_time_is_not_late(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "GET / HTTP/1.1\r\n");
    fixture_run(&f);
    client_say(&c, "Host: a\r\n\r\n");
    fixture_advance(&f, 60000); /* the loop was busy for a minute */
    client_expect(&c, 200, "hello");
    client_expect_open(&c);
    client_close(&c);
    fixture_clear(&f);
}

static void an_open_exchange_has_no_timeout(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET_LATER);
    fixture_run(&f);
    fixture_advance(&f, 3600000);
    fixture_answer(&f, 0, "at last");
    fixture_run(&f);
    client_expect(&c, 200, "at last");
    fixture_advance(&f, 74999); /* the idle time starts with the answer */
    client_expect_open(&c);
    fixture_advance(&f, 1);
    client_expect_eof(&c);
    client_close(&c);
    fixture_clear(&f);
}

static void zero_disables_a_timeout(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.header_timeout_ms = f.options.idle_timeout_ms = f.options.content_timeout_ms = 0;
    fixture_start(&f);
    struct client idle = client_connect(&f), head = client_connect(&f), content = client_connect(&f);
    client_say(&head, "GET ");
    client_say(&content, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    fixture_run(&f);
    fixture_advance(&f, UINT32_MAX);
    assert_int_equal(fixture_stats(&f).connections, 3);
    client_close(&idle);
    client_close(&head);
    client_close(&content);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_connection),
        cmocka_unit_test(closes_when_asked_to),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(reads_any_cut_of_the_octets),
        cmocka_unit_test(drops_the_content_of_head),
        cmocka_unit_test(refuses_with_the_right_status_and_closes),
        cmocka_unit_test(a_refusal_comes_after_earlier_answers),
        cmocka_unit_test(a_refused_upload_sees_the_answer),
        cmocka_unit_test(lingers_for_a_bounded_time_and_amount),
        cmocka_unit_test(consents_to_content),
        cmocka_unit_test(limits_content_per_route),
        cmocka_unit_test(times_out_slow_headers_from_the_first_octet),
        cmocka_unit_test(closes_idle_connections_silently),
        cmocka_unit_test(times_out_stalled_content),
        cmocka_unit_test(what_arrived_in_time_is_not_late),
        cmocka_unit_test(an_open_exchange_has_no_timeout),
        cmocka_unit_test(zero_disables_a_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
