/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_expect.h"

#define CASE HTTP1_CASE
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define GET_1_0 "GET / HTTP/1.0\r\n"

static void judges_host(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("one", "GET / HTTP/1.1\r\nHost: b:80\r\n\r\n", "authority='b:80'"),
        CASE("empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "authority=''"),
        CASE("missing", "GET / HTTP/1.1\r\nA: b\r\n\r\n", "REFUSED 400 at 0: HTTP/1.1 request without Host"),
        CASE("missing with absolute-form", "GET http://h/ HTTP/1.1\r\n\r\n",
             "REFUSED 400 at 0: HTTP/1.1 request without"),
        CASE("missing on 1.0", GET_1_0 "\r\n", "authority=- "),
        CASE("present on 1.0", GET_1_0 "Host: b\r\n\r\n", "authority='b'"),
        CASE("repeated", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "REFUSED 400 at 22: Host is repeated"),
        CASE("repeated on 1.0", GET_1_0 "Host: a\r\nHOST: a\r\n\r\n", "REFUSED 400 at 22: Host is repeated"),
        CASE("invalid", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "REFUSED 400 at 23: invalid octet in host"),
        CASE("invalid though not used", "GET http://h/ HTTP/1.1\r\nHost: a/\r\n\r\n",
             "REFUSED 400 at 31: invalid octet"),
        CASE("the absolute form wins", "GET http://h/ HTTP/1.1\r\nHost: a\r\n\r\n", "authority='h'"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void frames_by_length(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("none", POST "\r\n", "content=0 length=0"),
        CASE("five", POST "Content-Length: 5\r\n\r\nhello", "chunked=0 content=1 length=5"),
        CASE("its content", POST "Content-Length: 5\r\n\r\nhello", "DATA hello\nEND\n"),
        CASE("zero", POST "Content-Length: 0\r\n\r\n", "content=0 length=0"),
        CASE("leading zeros", POST "Content-Length: 005\r\n\r\nhello", "length=5"),
        CASE("GET with content", GET "Content-Length: 1\r\n\r\nx" GET "\r\n", "DATA x\nEND\nHEAD"),
        CASE("repeated, equal", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
             "REFUSED 400 at 42: Content-Length is repeated"),
        CASE("repeated, differing", POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", "REFUSED 400 at 42"),
        CASE("list, equal", POST "Content-Length: 5, 5\r\n\r\n", "REFUSED 400 at 43: Content-Length is not a number"),
        CASE("list, differing", POST "Content-Length: 5,6\r\n\r\n",
             "REFUSED 400 at 43: Content-Length is not a number"),
        CASE("empty", POST "Content-Length:\r\n\r\n", "REFUSED 400 at 41: Content-Length is empty"),
        CASE("sign", POST "Content-Length: +5\r\n\r\n", "REFUSED 400 at 42: Content-Length is not a number"),
        CASE("negative", POST "Content-Length: -5\r\n\r\n", "REFUSED 400 at 42: Content-Length is not a number"),
        CASE("hexadecimal", POST "Content-Length: 0x5\r\n\r\n", "REFUSED 400 at 43: Content-Length is not a number"),
        CASE("inner space", POST "Content-Length: 5 5\r\n\r\n", "REFUSED 400 at 43: Content-Length is not a number"),
        CASE("fraction", POST "Content-Length: 5.0\r\n\r\n", "REFUSED 400 at 43: Content-Length is not a number"),
        CASE("largest", POST "Content-Length: 9223372036854775807\r\n\r\n", "length=9223372036854775807"),
        CASE("above", POST "Content-Length: 9223372036854775808\r\n\r\n", "length=9223372036854775808"),
        CASE("does not fit", POST "Content-Length: 18446744073709551621\r\n\r\n",
             "REFUSED 413 at 42: content is too long"),
        CASE("does not fit by far", POST "Content-Length: 99999999999999999999999999999\r\n\r\n", "REFUSED 413 at 42"),
        CASE("too long and malformed", POST "Content-Length: 99999999999999999999999x\r\n\r\n", "REFUSED 400"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void frames_by_transfer_coding(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("chunked", POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunked=1 content=1 length=0"),
        CASE("any case", POST "Transfer-Encoding: CHUNKed\r\n\r\n1\r\nx\r\n0\r\n\r\n", "DATA x\nEND\n"),
        CASE("with length", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
             "REFUSED 400 at 45: both Transfer-Encoding and Content-Length"),
        CASE("length first", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "REFUSED 400 at 64: both"),
        CASE("on 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
             "REFUSED 400 at 36: Transfer-Encoding in an HTTP/1.0"),
        CASE("unknown before chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
             "REFUSED 501 at 45: unknown transfer coding"),
        CASE("unknown in a line of its own", POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
             "REFUSED 501"),
        CASE("unknown with parameters", POST "Transfer-Encoding: x;a=b, chunked\r\n\r\n", "REFUSED 501"),
        CASE("unknown only", POST "Transfer-Encoding: gzip\r\n\r\n",
             "REFUSED 400 at 45: the last transfer coding is not chunked"),
        CASE("identity", POST "Transfer-Encoding: identity\r\n\r\n", "REFUSED 400 at 45: the last transfer coding"),
        CASE("chunked not last", POST "Transfer-Encoding: chunked, gzip\r\n\r\n",
             "REFUSED 400 at 54: chunked is not the last"),
        CASE("chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n",
             "REFUSED 400 at 54: chunked is not the last"),
        CASE("chunked in two lines", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
             "REFUSED 400 at 73: chunked is not"),
        CASE("nearly chunked", POST "Transfer-Encoding: xchunked\r\n\r\n",
             "REFUSED 400 at 45: the last transfer coding"),
        CASE("vertical tab",
             POST "Transfer-Encoding: \x0b"
                  "chunked\r\n\r\n",
             "REFUSED 400 at 45: control character"),
        CASE("non-ASCII space",
             POST "Transfer-Encoding: \xa0"
                  "chunked\r\n\r\n",
             "REFUSED 400 at 45: malformed Transfer-Encoding"),
        CASE("quoted", POST "Transfer-Encoding: \"chunked\"\r\n\r\n", "REFUSED 400 at 45: malformed Transfer-Encoding"),
        CASE("parameters", POST "Transfer-Encoding: chunked;a=b\r\n\r\n",
             "REFUSED 400 at 45: chunked takes no parameters"),
        CASE("parameters after space", POST "Transfer-Encoding: chunked ;a=b\r\n\r\n",
             "REFUSED 400 at 45: chunked takes no"),
        CASE("empty", POST "Transfer-Encoding:\r\n\r\n", "REFUSED 400 at 44: malformed Transfer-Encoding"),
        CASE("empty element", POST "Transfer-Encoding: ,chunked\r\n\r\n",
             "REFUSED 400 at 45: malformed Transfer-Encoding"),
        CASE("empty element last", POST "Transfer-Encoding: chunked,\r\n\r\n",
             "REFUSED 400 at 53: chunked is not the last"),
        CASE("two words", POST "Transfer-Encoding: chunked x\r\n\r\n",
             "REFUSED 400 at 45: chunked takes no parameters"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void decides_persistence(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("1.1", GET "\r\n", "keep=1"),
        CASE("1.1 close", GET "Connection: close\r\n\r\n", "keep=0"),
        CASE("1.1 any case", GET "Connection: Close\r\n\r\n", "keep=0"),
        CASE("1.1 keep-alive", GET "Connection: keep-alive\r\n\r\n", "keep=1"),
        CASE("1.1 in a list", GET "Connection: x , close,y\r\n\r\n", "keep=0"),
        CASE("1.1 in a later line", GET "Connection: x\r\nConnection: close\r\n\r\n", "keep=0"),
        CASE("1.1 close wins", GET "Connection: keep-alive, close\r\n\r\n", "keep=0"),
        CASE("1.1 other option", GET "Connection: closer, ,\r\n\r\n", "keep=1"),
        CASE("1.1 empty", GET "Connection:\r\n\r\n", "keep=1"),
        CASE("1.0", GET_1_0 "\r\n", "keep=0"),
        CASE("1.0 keep-alive", GET_1_0 "Connection: Keep-Alive\r\n\r\n", "keep=1"),
        CASE("1.0 in a list", GET_1_0 "Connection: x,keep-alive\r\n\r\n", "keep=1"),
        CASE("1.0 close wins", GET_1_0 "Connection: close, keep-alive\r\n\r\n", "keep=0"),
        CASE("1.0 other option", GET_1_0 "Connection: x\r\n\r\n", "keep=0"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void notices_upgrade_and_expect(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("upgrade", GET "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n", "upgrade=1"),
        CASE("upgrade not listed", GET "Upgrade: websocket\r\n\r\n", "upgrade=0"),
        CASE("upgrade without field", GET "Connection: upgrade\r\n\r\n", "upgrade=0"),
        CASE("upgrade on 1.0", GET_1_0 "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", "upgrade=0"),
        CASE("expect", POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", "continue=1"),
        CASE("expect, any case", POST "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", "continue=1"),
        CASE("expect in a list", POST "Expect: x, 100-continue\r\nContent-Length: 1\r\n\r\n", "continue=1"),
        CASE("expect in a later line", POST "Expect: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
             "continue=1"),
        CASE("expect without content", POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", "continue=0"),
        CASE("expect on 1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "continue=0"),
        CASE("other expectation", POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", "continue=0"),
    };
    HTTP1_EXPECT_ALL(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_host),
        cmocka_unit_test(frames_by_length),
        cmocka_unit_test(frames_by_transfer_coding),
        cmocka_unit_test(decides_persistence),
        cmocka_unit_test(notices_upgrade_and_expect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
