/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_expect.h"

#define HOST "Host: a\r\n"
#define CASE HTTP1_CASE

static void reads_a_whole_connection(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("request after request",
             "GET /1 HTTP/1.1\r\n" HOST "\r\n"
             "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
             "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n"
             "GET /4 HTTP/1.0\r\n\r\n",
             "WAITS after 178, idle"),
        CASE("the next one is refused", "GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n\r\n",
             "END\nREFUSED 400 at 0: HTTP/1.1 request without Host"),
        CASE("half of the next one", "GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HT", "END\nWAITS after 28, busy"),
        CASE("content of the next one's looks",
             "POST / HTTP/1.1\r\n" HOST "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
             "DATA GET / HTTP/1.1\r\n\r\n\nEND\nWAITS"),
        CASE("content missing", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel",
             "DATA hel\nWAITS after 50, busy"),
        CASE("a browser's header section",
             "GET /static/app.js?v=3 HTTP/1.1\r\nHost: www.example.org:8443\r\n"
             "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
             "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
             "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
             "Referer: https://www.example.org/\r\nConnection: keep-alive\r\nCookie: sessionid=0123456789abcdef\r\n"
             "Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\r\n",
             "keep=1 continue=0 upgrade=0 chunked=0 content=0 length=0 known=0,6,-1,-1,7,-1,-1,-1,4,-1,-1"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void skips_some_empty_lines(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("one", "\r\nGET / HTTP/1.0\r\n\r\n", "END\nWAITS after 20, idle"),
        CASE("four", "\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", "END\n"),
        CASE("five", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", "REFUSED 400 at 0: too many empty lines"),
        CASE("four between messages", "GET / HTTP/1.0\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", "END\nHEAD"),
        CASE("nothing else", "\r\n\r\n", "WAITS after 4, idle"),
        CASE("bare CR", "\rGET / HTTP/1.0\r\n\r\n", "REFUSED 400 at 0: bare CR"),
        CASE("offsets count from the request line", "\r\n\r\nGET /\x01", "REFUSED 400 at 5: invalid octet"),
        CASE("a space is not empty", "\r\n \r\n", "REFUSED 400 at 0: request line does not begin"),
    };
    HTTP1_EXPECT_ALL(cases);
}

#define POST "POST / HTTP/1.1\r\n" HOST "Content-Length: "

static void limits_content(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("n-1", POST "4\r\n\r\n1234", "DATA 1234\nEND\n"),
        CASE("n", POST "5\r\n\r\n12345", "DATA 12345\nEND\n"),
        CASE("n+1, nothing of it sent", POST "6\r\n\r\n",
             "length=6 known=0,-1,-1,-1,-1,-1,-1,-1,-1,1,-1 field='Host' ='a'"
             " field='Content-Length' ='6'\nREFUSED 413 at 47: content is too long"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.content_bytes = 5;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

static void takes_another_content_limit_after_head(void **state)
{
    (void)state;
    static const struct {
        uint64_t usual, of_route;
        const char *input, *expected;
    } cases[] = {
        {5, 6, POST "6\r\n\r\n123456", "LIMIT 0\nDATA 123456\nEND\n"},
        {5, 4, POST "5\r\n\r\n12345", "LIMIT -13\nREFUSED 413"},
        {5, 5, POST "5\r\n\r\n12345", "LIMIT 0\nDATA 12345\nEND\n"},
        {5, 6, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n0\r\n\r\n",
         "LIMIT 0\nDATA 123456\nEND\n"},
        {5, 4, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\n", "LIMIT 0\nREFUSED 413"},
        {5, 0, "GET / HTTP/1.1\r\n" HOST "\r\n", "LIMIT 0\nEND\n"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
        struct bolt_buf out = {0};
        limits.content_bytes = cases[i].usual;
        http1_transcript(&out, &limits, cases[i].of_route, bolt_slice_of(cases[i].input, strlen(cases[i].input)),
                         (struct http1_cutting){CUT_EVERYWHERE, 0});
        if (!memmem(out.ptr, out.len, cases[i].expected, strlen(cases[i].expected)))
            fail_msg("case %zu: %.*s", i, (int)out.len, out.ptr);
        bolt_buf_clear(&out);
    }
}

static void forgets_the_limit_of_the_message_before(void **state)
{
    (void)state;
    struct bolt_http1 *parser = bolt_http1_new(&BOLT_HTTP1_LIMITS_DEFAULT);
    static struct bolt_http1_head head;
    const char *in = POST "2000000\r\n\r\n";
    const char *get = "GET / HTTP/1.1\r\n" HOST "\r\n";
    enum bolt_http1_event event;
    struct bolt_slice data;
    struct bolt_errinfo info;
    size_t consumed;
    assert_non_null(parser);
    assert_int_equal(bolt_http1_next(parser, get, strlen(get), &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(bolt_http1_set_content_limit(parser, UINT64_MAX), BOLT_OK);
    assert_int_equal(bolt_http1_next(parser, NULL, 0, &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(event, BOLT_HTTP1_END);
    assert_int_equal(bolt_http1_next(parser, in, strlen(in), &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(bolt_http1_next(parser, NULL, 0, &consumed, &event, &head, &data, &info), BOLT_ERR_BODY_LONG);
    bolt_http1_free(parser);
}

static void tells_where_it_is(void **state)
{
    (void)state;
    static struct bolt_http1_head head;
    struct bolt_http1 *parser = bolt_http1_new(&BOLT_HTTP1_LIMITS_DEFAULT);
    const char *in = POST "5\r\n\r\nhello";
    const size_t head_len = strlen(in) - 5;
    enum bolt_http1_event event;
    struct bolt_slice data;
    struct bolt_errinfo info;
    size_t consumed;
    assert_non_null(parser);
    assert_true(bolt_http1_is_idle(parser));
    assert_int_equal(bolt_http1_next(parser, in, 0, &consumed, &event, &head, &data, &info), BOLT_AGAIN);
    assert_true(bolt_http1_is_idle(parser));
    assert_int_equal(bolt_http1_next(parser, in, 1, &consumed, &event, &head, &data, &info), BOLT_AGAIN);
    assert_int_equal(consumed, 0);
    assert_false(bolt_http1_is_idle(parser));
    assert_int_equal(bolt_http1_content_left(parser), 0);
    assert_int_equal(bolt_http1_next(parser, in, head_len + 2, &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(event, BOLT_HTTP1_HEAD);
    assert_int_equal(consumed, head_len);
    assert_int_equal(bolt_http1_content_left(parser), 5);
    assert_int_equal(bolt_http1_next(parser, in + head_len, 2, &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(event, BOLT_HTTP1_DATA);
    assert_ptr_equal(data.ptr, in + head_len);
    assert_int_equal(bolt_http1_content_left(parser), 3);
    assert_int_equal(bolt_http1_next(parser, in, 0, &consumed, &event, &head, &data, &info), BOLT_AGAIN);
    assert_false(bolt_http1_is_idle(parser));
    assert_int_equal(bolt_http1_next(parser, in + head_len + 2, 3, &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(bolt_http1_content_left(parser), 0);
    assert_false(bolt_http1_is_idle(parser));
    assert_int_equal(bolt_http1_next(parser, in, 0, &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(event, BOLT_HTTP1_END);
    assert_true(bolt_http1_is_idle(parser));
    bolt_http1_free(parser);
}

static void knows_no_length_of_chunked_content(void **state)
{
    (void)state;
    static struct bolt_http1_head head;
    struct bolt_http1 *parser = bolt_http1_new(&BOLT_HTTP1_LIMITS_DEFAULT);
    const char *in = "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    enum bolt_http1_event event;
    struct bolt_slice data;
    struct bolt_errinfo info;
    size_t consumed;
    assert_non_null(parser);
    assert_int_equal(bolt_http1_next(parser, in, strlen(in), &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_true(bolt_http1_content_left(parser) == UINT64_MAX);
    assert_int_equal(bolt_http1_next(parser, "1", 1, &consumed, &event, &head, &data, &info), BOLT_AGAIN);
    assert_int_equal(consumed, 1);
    assert_true(bolt_http1_content_left(parser) == UINT64_MAX);
    bolt_http1_free(parser);
}

static void maps_errors_to_statuses(void **state)
{
    (void)state;
    static const struct {
        int err, status;
    } cases[] = {
        {BOLT_ERR_SYNTAX, 400}, {BOLT_ERR_BODY_LONG, 413}, {BOLT_ERR_TARGET_LONG, 414}, {BOLT_ERR_HEADERS_LONG, 431},
        {BOLT_ERR_CODING, 501}, {BOLT_ERR_VERSION, 505},   {BOLT_ERR_NOMEM, 500},       {BOLT_AGAIN, 500},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++)
        assert_int_equal(bolt_http1_status(cases[i].err), cases[i].status);
}

static void finds_fields(void **state)
{
    (void)state;
    static struct bolt_http1_head head;
    struct bolt_http1 *parser = bolt_http1_new(&BOLT_HTTP1_LIMITS_DEFAULT);
    const char *in = "GET / HTTP/1.1\r\n" HOST "X-A: 1\r\nx-a: 2\r\nX-Ab: 3\r\n\r\n";
    enum bolt_http1_event event;
    struct bolt_slice data;
    struct bolt_errinfo info;
    size_t consumed;
    assert_non_null(parser);
    assert_int_equal(bolt_http1_next(parser, in, strlen(in), &consumed, &event, &head, &data, &info), BOLT_OK);
    assert_int_equal(bolt_http1_find(&head, BOLT_SLICE_LIT("x-a"), 0), 1);
    assert_int_equal(bolt_http1_find(&head, BOLT_SLICE_LIT("x-a"), 2), 2);
    assert_int_equal(bolt_http1_find(&head, BOLT_SLICE_LIT("x-a"), 3), -1);
    assert_int_equal(bolt_http1_find(&head, BOLT_SLICE_LIT("x"), 0), -1);
    assert_int_equal(bolt_http1_find(&head, BOLT_SLICE_LIT("x-a"), 99), -1);
    bolt_http1_free(parser);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    bolt_failmalloc_set(0);
    assert_null(bolt_http1_new(&BOLT_HTTP1_LIMITS_DEFAULT));
    bolt_failmalloc_set(-1);
    bolt_http1_free(NULL);
}

/* The resume point per line, over a section of many lines. */
static void reads_long_sections_octet_by_octet(void **state)
{
    (void)state;
    struct bolt_buf in = {0}, whole = {0}, cut = {0};
    assert_int_equal(bolt_buf_put_lit(&in, "GET / HTTP/1.1\r\n" HOST), BOLT_OK);
    for (size_t i = 0; i < 99; i++)
        assert_int_equal(bolt_buf_put_lit(&in, "X-Some-Field: 0123456789012345678901234567890123456789012345678\r\n"),
                         BOLT_OK);
    assert_int_equal(bolt_buf_put_lit(&in, "\r\n"), BOLT_OK);
    http1_transcript(&whole, &BOLT_HTTP1_LIMITS_DEFAULT, UINT64_MAX, bolt_slice_of(in.ptr, in.len),
                     (struct http1_cutting){CUT_NOWHERE, 0});
    http1_transcript(&cut, &BOLT_HTTP1_LIMITS_DEFAULT, UINT64_MAX, bolt_slice_of(in.ptr, in.len),
                     (struct http1_cutting){CUT_EVERYWHERE, 0});
    assert_int_equal(whole.len, cut.len);
    assert_memory_equal(whole.ptr, cut.ptr, cut.len);
    assert_memory_equal(whole.ptr, "HEAD", 4);
    bolt_buf_clear(&in);
    bolt_buf_clear(&whole);
    bolt_buf_clear(&cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_connection),
        cmocka_unit_test(skips_some_empty_lines),
        cmocka_unit_test(limits_content),
        cmocka_unit_test(takes_another_content_limit_after_head),
        cmocka_unit_test(forgets_the_limit_of_the_message_before),
        cmocka_unit_test(tells_where_it_is),
        cmocka_unit_test(knows_no_length_of_chunked_content),
        cmocka_unit_test(maps_errors_to_statuses),
        cmocka_unit_test(finds_fields),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(reads_long_sections_octet_by_octet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
