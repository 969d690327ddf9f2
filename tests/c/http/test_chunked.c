/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_expect.h"

#define CASE HTTP1_CASE
#define POST "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" /* 56 octets, 55 without the target */

static void decodes_chunks(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("none", POST "0\r\n\r\n", "length=0"),
        CASE("one", POST "5\r\nhello\r\n0\r\n\r\n", "DATA hello\nEND\n"),
        CASE("several", POST "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "DATA abcdef\nEND\n"),
        CASE("hexadecimal", POST "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
             "DATA abcdefghijklmnopqrstuvwxyz\nEND\n"),
        CASE("upper case", POST "A\r\n0123456789\r\n0\r\n\r\n", "DATA 0123456789\nEND\n"),
        CASE("leading zeros", POST "0005\r\nhello\r\n0000\r\n\r\n", "DATA hello\nEND\n"),
        CASE("CRLF as content", POST "2\r\n\r\n\r\n0\r\n\r\n", "DATA \r\n\nEND\n"),
        CASE("a chunk inside a chunk", POST "8\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n", "DATA 0\r\n\r\n0\r\n\nEND\n"),
        CASE("next message", POST "0\r\n\r\nGET /next HTTP/1.0\r\n\r\n",
             "END\nHEAD method=0 name='GET' target='/next'"),
        CASE("incomplete", POST "5\r\nhel", "DATA hel\nWAITS after 62, busy"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void refuses_malformed_chunks(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("no size", POST "\r\n", "REFUSED 400 at 56: malformed chunk size"),
        CASE("not hexadecimal", POST "g\r\n", "REFUSED 400 at 56: malformed chunk size"),
        CASE("prefix", POST "0x5\r\n", "REFUSED 400 at 57: malformed chunk size"),
        CASE("sign", POST "+5\r\n", "REFUSED 400 at 56: malformed chunk size"),
        CASE("negative", POST "-5\r\n", "REFUSED 400 at 56: malformed chunk size"),
        CASE("space before", POST " 5\r\n", "REFUSED 400 at 56: malformed chunk size"),
        CASE("space after", POST "5 \r\n", "REFUSED 400 at 57: malformed chunk size"),
        CASE("underscore", POST "1_0\r\n", "REFUSED 400 at 57: malformed chunk size"),
        CASE("NUL", POST "5\0\r\n", "REFUSED 400 at 57: malformed chunk size"),
        CASE("bare LF", POST "5\nhello", "REFUSED 400 at 57: malformed chunk size"),
        CASE("bare CR", POST "5\rhello", "REFUSED 400 at 58: bare CR"),
        CASE("16 digits", POST "0000000000000005\r\nhello\r\n0\r\n\r\n", "DATA hello\nEND\n"),
        CASE("17 digits", POST "00000000000000005\r\n", "REFUSED 400 at 72: chunk size has too many digits"),
        CASE("largest size", POST "ffffffffffffffff\r\n", "REFUSED 413 at 74: content is too long"),
        CASE("data too long", POST "5\r\nhelloo\r\n",
             "DATA hello\nREFUSED 400 at 64: chunk data is not followed by CRLF"),
        CASE("data followed by LF", POST "5\r\nhello\n0\r\n\r\n", "DATA hello\nREFUSED 400 at 64: chunk data is not"),
        CASE("data followed by CR", POST "5\r\nhello\r0\r\n\r\n", "DATA hello\nREFUSED 400 at 65: bare CR"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void skips_extensions(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("name", POST "5;a\r\nhello\r\n0;b\r\n\r\n", "DATA hello\nEND\n"),
        CASE("name and value", POST "5;a=b;c=\"d e\"\r\nhello\r\n0\r\n\r\n", "DATA hello\nEND\n"),
        CASE("bare LF", POST "5;a\nhello\r\n0\r\n\r\n", "REFUSED 400 at 59: bare LF"),
        CASE("bare CR", POST "5;a\rb\r\n", "REFUSED 400 at 60: bare CR"),
        CASE("bare LF in quotes", POST "5;a=\"\n\"\r\n", "REFUSED 400 at 61: bare LF"),
        CASE("NUL", POST "5;a\0\r\n", "REFUSED 400 at 59: control character in chunk extension"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void limits_extensions(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("n-1", POST "1;12\r\nx\r\n0\r\n\r\n", "DATA x\nEND\n"),
        CASE("n", POST "1;123\r\nx\r\n0\r\n\r\n", "DATA x\nEND\n"),
        CASE("n+1", POST "1;1234\r\nx\r\n0\r\n\r\n", "REFUSED 400 at 61: chunk extensions are too long"),
        CASE("n+1, never ending", POST "1;1234", "REFUSED 400 at 61: chunk extensions are too long"),
        CASE("the limit comes before what lies beyond it", POST "1;1234\x01", "REFUSED 400 at 61: chunk extensions"),
        CASE("n in each chunk", POST "1;123\r\nx\r\n1;123\r\ny\r\n0;123\r\n\r\n", "DATA xy\nEND\n"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.chunk_ext_bytes = 4;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

/* What a chunked message carries beside its content has the header section's limit once more. */
static void limits_extensions_and_trailers_together(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("n in extensions",
             POST "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n1;xxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ny\r\n0\r\n\r\n",
             "DATA xy\nEND\n"),
        CASE("no room for the empty line",
             POST "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n1;xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ny\r\n0\r\n\r\n",
             "DATA xy\nREFUSED 431 at 131: trailer section is too long"),
        CASE("n+1 in extensions",
             POST "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ny\r\n0\r\n\r\n",
             "DATA x\nREFUSED 400 at 123: chunk extensions are too long"),
        CASE("n with trailers", POST "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n0\r\nA: yyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n",
             "DATA x\nEND\n"),
        CASE("n+1 with trailers",
             POST "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n0\r\nA: yyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n",
             "DATA x\nREFUSED 431 at 125: trailer section is too long"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.header_bytes = 60;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

static void drops_trailers(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("one", POST "0\r\nA: b\r\n\r\nGET / HTTP/1.0\r\n\r\n", "END\nHEAD method=0"),
        CASE("several", POST "1\r\nx\r\n0\r\nA: b\r\nC:\r\nD: e\r\n\r\n", "DATA x\nEND\n"),
        CASE("framing fields mean nothing", POST "0\r\nContent-Length: 50\r\nHost: b\r\n\r\n", "END\nWAITS"),
        CASE("space before colon", POST "0\r\nA : b\r\n\r\n", "REFUSED 400 at 60: white space between field name"),
        CASE("obs-fold", POST "0\r\nA: b\r\n c\r\n\r\n", "REFUSED 400 at 65: folded field line"),
        CASE("bare LF", POST "0\r\nA: b\n", "REFUSED 400 at 63: bare LF"),
        CASE("bare LF ends the section", POST "0\r\n\n", "REFUSED 400 at 59: bare LF"),
        CASE("bare CR", POST "0\r\n\rX", "REFUSED 400 at 60: bare CR"),
        CASE("not a field", POST "0\r\nGET / HTTP/1.1\r\n\r\n", "REFUSED 400 at 62: white space between field name"),
        CASE("NUL", POST "0\r\nA: \0\r\n\r\n", "REFUSED 400 at 62: control character in field value"),
        CASE("incomplete line is kept", POST "0\r\nA: b\r\nB: c", "WAITS after 65, busy"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void limits_trailers(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("count n", POST "0\r\nA: b\r\nC: d\r\n\r\n", "END\n"),
        CASE("count n+1", POST "0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n", "REFUSED 431 at 71: too many trailer fields"),
        CASE("octets n", POST "0\r\nA: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n", "END\n"),
        CASE("octets n+1", POST "0\r\nA: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n",
             "REFUSED 431 at 119: trailer section is too long"),
        CASE("never ending", POST "0\r\nA: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
             "REFUSED 431 at 119: trailer section is too long"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.header_bytes = 60;
    limits.header_count = 2;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

static void limits_content(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("n-1", POST "4\r\n1234\r\n0\r\n\r\n", "DATA 1234\nEND\n"),
        CASE("n", POST "5\r\n12345\r\n0\r\n\r\n", "DATA 12345\nEND\n"),
        CASE("n+1", POST "6\r\n", "REFUSED 413 at 59: content is too long"),
        CASE("n in two chunks", POST "3\r\n123\r\n2\r\n45\r\n0\r\n\r\n", "DATA 12345\nEND\n"),
        CASE("n+1 in two chunks", POST "3\r\n123\r\n3\r\n", "DATA 123\nREFUSED 413 at 67: content is too long"),
        CASE("sum overflows", POST "3\r\n123\r\nffffffffffffffff\r\n", "DATA 123\nREFUSED 413"),
    };
    struct bolt_http1_limits limits = BOLT_HTTP1_LIMITS_DEFAULT;
    limits.content_bytes = 5;
    http1_expect_all(cases, BOLT_ARRAY_LEN(cases), &limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_chunks),
        cmocka_unit_test(refuses_malformed_chunks),
        cmocka_unit_test(skips_extensions),
        cmocka_unit_test(limits_extensions),
        cmocka_unit_test(limits_extensions_and_trailers_together),
        cmocka_unit_test(drops_trailers),
        cmocka_unit_test(limits_trailers),
        cmocka_unit_test(limits_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
