/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_expect.h"

#define HOST "Host: a\r\n"
#define CASE HTTP1_CASE

static void reads_methods(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("GET", "GET / HTTP/1.1\r\n" HOST "\r\n", "HEAD method=0 name='GET'"),
        CASE("HEAD", "HEAD / HTTP/1.1\r\n" HOST "\r\n", "HEAD method=1 name='HEAD'"),
        CASE("QUERY", "QUERY / HTTP/1.1\r\n" HOST "\r\n", "HEAD method=7 name='QUERY'"),
        CASE("extension method", "M-SEARCH / HTTP/1.1\r\n" HOST "\r\n", "HEAD method=10 name='M-SEARCH'"),
        CASE("case matters", "get / HTTP/1.1\r\n" HOST "\r\n", "HEAD method=10 name='get'"),
        CASE("every token octet", "!#$%&'*+-.^_`|~0aZ / HTTP/1.1\r\n" HOST "\r\n", "name='!#$%&'*+-.^_`|~0aZ'"),
        CASE("32 octets", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 / HTTP/1.1\r\n" HOST "\r\n", "END"),
        CASE("33 octets", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "REFUSED 501 at 32: method is too long"),
        CASE("none", " / HTTP/1.1\r\n", "REFUSED 400 at 0: request line does not begin with a method"),
        CASE("bare LF first", "\nGET / HTTP/1.1\r\n", "REFUSED 400 at 0: request line does not begin"),
        CASE("not a token", "G@T / HTTP/1.1\r\n", "REFUSED 400 at 1: invalid octet in method"),
        CASE("tab after it", "GET\t/ HTTP/1.1\r\n", "REFUSED 400 at 3: invalid octet in method"),
        CASE("a TLS ClientHello", "\x16\x03\x01\x02", "REFUSED 400 at 0: request line does not begin"),
        CASE("NUL", "GE\0 / HTTP/1.1\r\n", "REFUSED 400 at 2: invalid octet in method"),
        CASE("only a method", "GET", NULL),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void reads_target_octets(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("path and query", "GET /a/b?x=1?y HTTP/1.1\r\n" HOST "\r\n", "path='/a/b' query='x=1?y'"),
        CASE("no query", "GET /a HTTP/1.1\r\n" HOST "\r\n", "path='/a' query=- "),
        CASE("empty query", "GET /a? HTTP/1.1\r\n" HOST "\r\n", "path='/a' query='' "),
        CASE("what browsers leave raw", "GET /{a}|^`\"<>\\?[b]{c}| HTTP/1.1\r\n" HOST "\r\n", "query='[b]{c}|'"),
        CASE("encoded octets stay", "GET /%00%zz HTTP/1.1\r\n" HOST "\r\n", "path='/%00%zz'"),
        CASE("fragment", "GET /a#b HTTP/1.1\r\n", "REFUSED 400 at 6: fragment in request target"),
        CASE("fragment after query", "GET /a?b#c HTTP/1.1\r\n", "REFUSED 400 at 8: fragment in request target"),
        CASE("UTF-8", "GET /caf\xc3\xa9 HTTP/1.1\r\n", "REFUSED 400 at 8: invalid octet in request target"),
        CASE("tab", "GET /a\tb HTTP/1.1\r\n", "REFUSED 400 at 6: invalid octet in request target"),
        CASE("NUL", "GET /a\0b HTTP/1.1\r\n", "REFUSED 400 at 6: invalid octet in request target"),
        CASE("DEL", "GET /a\x7f HTTP/1.1\r\n", "REFUSED 400 at 6: invalid octet in request target"),
        CASE("control beyond a vector", "GET /0123456789abcdefghij\x01 HTTP/1.1\r\n",
             "REFUSED 400 at 25: invalid octet"),
        CASE("two spaces", "GET  / HTTP/1.1\r\n", "REFUSED 400 at 4: request target is empty"),
        CASE("no version", "GET /\r\n", "REFUSED 400 at 5: request line without HTTP version"),
        CASE("no version, bare LF", "GET /\n", "REFUSED 400 at 5: request line without HTTP version"),
        CASE("no target", "GET HTTP/1.1\r\n", "REFUSED 400 at 12: request line without HTTP version"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void reads_versions(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("1.1", "GET / HTTP/1.1\r\n" HOST "\r\n", "minor=1"),
        CASE("1.0", "GET / HTTP/1.0\r\n\r\n", "minor=0"),
        CASE("1.2 is served as 1.1", "GET / HTTP/1.2\r\n" HOST "\r\n", "minor=1"),
        CASE("1.9 is served as 1.1", "GET / HTTP/1.9\r\n" HOST "\r\n", "minor=1"),
        CASE("0.9", "GET / HTTP/0.9\r\n", "REFUSED 505 at 11: only HTTP/1 is spoken here"),
        CASE("2.0", "GET / HTTP/2.0\r\n", "REFUSED 505 at 11: only HTTP/1 is spoken here"),
        CASE("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "REFUSED 505 at 11"),
        CASE("lower case", "GET / http/1.1\r\n", "REFUSED 400 at 6: malformed HTTP version"),
        CASE("no minor", "GET / HTTP/1\r\n", "REFUSED 400 at 12: malformed HTTP version"),
        CASE("letters", "GET / HTTP/1.x\r\n", "REFUSED 400 at 13: malformed HTTP version"),
        CASE("two digits", "GET / HTTP/1.10\r\n", "REFUSED 400 at 14: request line does not end in CRLF"),
        CASE("trailing space", "GET / HTTP/1.1 \r\n", "REFUSED 400 at 14: request line does not end in CRLF"),
        CASE("bare LF", "GET / HTTP/1.1\n", "REFUSED 400 at 14: request line does not end in CRLF"),
        CASE("bare CR", "GET / HTTP/1.1\rX", "REFUSED 400 at 15: request line does not end in CRLF"),
        CASE("space in the target", "GET /a b HTTP/1.1\r\n", "REFUSED 400 at 7: malformed HTTP version"),
        CASE("incomplete", "GET / HTTP/1.1\r", NULL),
    };
    HTTP1_EXPECT_ALL(cases);
}

#define REQUEST "GET / HTTP/1.1\r\n" HOST

static void reads_fields(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("white space around values", REQUEST "A: \t b \tc\t \r\n\r\n", "field='A' ='b \tc'"),
        CASE("no white space", REQUEST "A:b\r\n\r\n", "field='A' ='b'"),
        CASE("empty value", REQUEST "A:\r\nB: \t\r\n\r\n", "field='A' ='' field='B' =''"),
        CASE("every token octet", REQUEST "!#$%&'*+-.^_`|~0aZ: x\r\n\r\n", "field='!#$%&'*+-.^_`|~0aZ' ='x'"),
        CASE("names longer than a vector", REQUEST "X-A-Name_Longer.Than-16-Octets: x\r\n\r\n",
             "field='X-A-Name_Longer.Than-16-Octets' ='x'"),
        CASE("obs-text", REQUEST "A: caf\xe9 \xff\r\n\r\n", "field='A' ='caf\xe9 \xff'"),
        CASE("repeated fields stay apart", REQUEST "A: 1\r\na: 2\r\n\r\n", "field='A' ='1' field='a' ='2'"),
        CASE("colons in values", REQUEST "A: b:c: d\r\n\r\n", "field='A' ='b:c: d'"),
        CASE("obs-fold", REQUEST "A: b\r\n c\r\n\r\n", "REFUSED 400 at 31: folded field line"),
        CASE("obs-fold with tab", REQUEST "A: b\r\n\tc\r\n\r\n", "REFUSED 400 at 31: folded field line"),
        CASE("space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n", "REFUSED 400 at 16: folded field line"),
        CASE("space before colon", REQUEST "A : b\r\n\r\n", "REFUSED 400 at 26: white space between field name"),
        CASE("tab before colon", REQUEST "A\t: b\r\n\r\n", "REFUSED 400 at 26: white space between field name"),
        CASE("no colon", REQUEST "A\r\n\r\n", "REFUSED 400 at 26: field line without colon"),
        CASE("no name", REQUEST ": b\r\n\r\n", "REFUSED 400 at 25: field name is empty"),
        CASE("non-ASCII name", REQUEST "\xc3\xa9: b\r\n", "REFUSED 400 at 25: invalid octet in field name"),
        CASE("bracketed name", REQUEST "A[]: b\r\n", "REFUSED 400 at 26: invalid octet in field name"),
        CASE("NUL in name", REQUEST "A\0: b\r\n", "REFUSED 400 at 26: invalid octet in field name"),
        CASE("NUL in value", REQUEST "A: b\0c\r\n", "REFUSED 400 at 29: control character in field value"),
        CASE("ESC in value", REQUEST "A: b\x1b\r\n", "REFUSED 400 at 29: control character in field value"),
        CASE("DEL in value", REQUEST "A: b\x7f\r\n", "REFUSED 400 at 29: control character in field value"),
        CASE("control beyond a vector", REQUEST "A: 0123456789abcdefghij\x02\r\n", "REFUSED 400 at 48: control"),
        CASE("bare CR in value", REQUEST "A: b\rc\r\n", "REFUSED 400 at 29: bare CR"),
        CASE("CR CR LF", REQUEST "A: b\r\r\n", "REFUSED 400 at 29: bare CR"),
        CASE("bare LF", REQUEST "A: b\nC: d\r\n", "REFUSED 400 at 29: bare LF"),
        CASE("bare LF ends the section", REQUEST "\n", "REFUSED 400 at 25: bare LF"),
        CASE("bare CR ends the section", REQUEST "\rX", "REFUSED 400 at 25: bare CR"),
        CASE("incomplete", REQUEST "A: b\r\n\r", NULL),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void finds_known_fields(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("in any case",
             "GET / HTTP/1.1\r\nhOST: a\r\nCONNECTION: x\r\nupgrade: x\r\nContent-Type: x\r\nCookie: x\r\n"
             "Authorization: x\r\nOrigin: x\r\nExpect: x\r\nAccept-Encoding: x\r\nContent-Length: 0\r\n\r\n",
             "known=0,1,2,3,4,5,6,7,8,9,-1"),
        CASE("transfer coding", REQUEST "Transfer-Encoding: chunked\r\n\r\n", "known=0,-1,-1,-1,-1,-1,-1,-1,-1,-1,1"),
        CASE("the first of several", REQUEST "Cookie: 1\r\nCookie: 2\r\n\r\n", "known=0,-1,-1,-1,1,"),
        CASE("same length, other name",
             "GET / HTTP/1.1\r\nHost: a\r\nHosu: b\r\nCookiE_: x\r\nCookif: x\r\nconnectio^: x\r\nConnection-: "
             "x\r\n\r\n",
             "known=0,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void refuses_targets_over_the_limit(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("n-1", "GET /23456789 HTTP/1.0\r\n\r\n", "END"),
        CASE("n", "GET /234567890 HTTP/1.0\r\n\r\n", "END"),
        CASE("n+1", "GET /2345678901 HTTP/1.0\r\n\r\n", "REFUSED 414 at 14: request target is too long"),
        CASE("n with query", "GET /2345?7890 HTTP/1.0\r\n\r\n", "END"),
        CASE("n+1 with query", "GET /2345?78901 HTTP/1.0\r\n\r\n", "REFUSED 414 at 14"),
        CASE("n+1, never ending", "GET /2345678901", "REFUSED 414 at 14"),
        CASE("the limit comes before what lies beyond it", "GET /2345678901\x01", "REFUSED 414 at 14"),
        CASE("what lies before the limit comes first", "GET /234567\x01 9012345", "REFUSED 400 at 11"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.target_bytes = 10;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

static void refuses_header_sections_over_the_limit(void **state)
{
    (void)state;
    /* "GET  HTTP/1.0\r\n" + "A: 1\r\n" + "\r\n" are 23 octets without the target */
    static const struct http1_case cases[] = {
        CASE("n-1", "GET / HTTP/1.0\r\nA:1\r\n\r\n", "END"),
        CASE("n", "GET / HTTP/1.0\r\nA: 1\r\n\r\n", "END"),
        CASE("n+1", "GET / HTTP/1.0\r\nA: 12\r\n\r\n", "REFUSED 431 at 24: header section is too long"),
        CASE("the target does not count", "GET /a/long/target HTTP/1.0\r\nA: 1\r\n\r\n", "END"),
        CASE("n+1 after a long target", "GET /234567890 HTTP/1.0\r\nA: 12\r\n\r\n", "REFUSED 431 at 33"),
        CASE("a line that never ends", "GET / HTTP/1.0\r\nA: 123456789", "REFUSED 431 at 24"),
        CASE("a name that never ends", "GET / HTTP/1.0\r\nABCDEFGHIJKL", "REFUSED 431 at 24"),
        CASE("n octets, incomplete", "GET / HTTP/1.0\r\nA: 1234\r", NULL),
        CASE("the method counts, n", "PROPPATCH / HTTP/1.0\r\n\r\n", "END"),
        CASE("the method counts, n+1", "MKCALENDAR / HTTP/1.0\r\n\r\n", "REFUSED 431 at 24"),
        CASE("up to the version", "ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.0\r\n\r\n", "REFUSED 431 at 24"),
        CASE("the limit comes before what lies beyond it", "GET / HTTP/1.0\r\nA: 12345\x01", "REFUSED 431 at 24"),
        CASE("what lies before the limit comes first", "GET / HTTP/1.0\r\nA\x01 0123456789", "REFUSED 400 at 17"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.header_bytes = 23;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

static void refuses_fields_over_the_count(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("n-1", "GET / HTTP/1.0\r\nA: 1\r\n\r\n", "END"),
        CASE("n", "GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\n\r\n", "END"),
        CASE("n+1", "GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", "REFUSED 431 at 28: too many header fields"),
        CASE("its first octet decides", "GET / HTTP/1.0\r\nA: 1\r\nB: 2\r\n ", "REFUSED 431 at 28"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.header_count = 2;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

static void keeps_to_the_ceiling_of_the_field_array(void **state)
{
    (void)state;
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.header_count = 100000;
    limits.header_bytes = 100000;
    for (size_t fields = BOLT_HTTP1_MAX_FIELDS - 1; fields <= BOLT_HTTP1_MAX_FIELDS + 1; fields++) {
        struct bolt_buf in = {0};
        assert_int_equal(bolt_buf_put_lit(&in, "GET / HTTP/1.0\r\n"), BOLT_OK);
        for (size_t i = 0; i < fields; i++)
            assert_int_equal(bolt_buf_put_lit(&in, "A: 1\r\n"), BOLT_OK);
        assert_int_equal(bolt_buf_put_lit(&in, "\r\n"), BOLT_OK);
        struct http1_case one = {"ceiling", {in.ptr, in.len}, "END"};
        if (fields > BOLT_HTTP1_MAX_FIELDS)
            one.expected = "REFUSED 431 at 784: too many header fields";
        http1_expect(&one, &limits);
        bolt_buf_clear(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_methods),
        cmocka_unit_test(reads_target_octets),
        cmocka_unit_test(reads_versions),
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(finds_known_fields),
        cmocka_unit_test(refuses_targets_over_the_limit),
        cmocka_unit_test(refuses_header_sections_over_the_limit),
        cmocka_unit_test(refuses_fields_over_the_count),
        cmocka_unit_test(keeps_to_the_ceiling_of_the_field_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
