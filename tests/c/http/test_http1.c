/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_transcript.h"

#define HOST "Host: example.org\r\n"

static const char *const messages[] = {
    "GET / HTTP/1.1\r\n" HOST "\r\n",
    "\r\n\r\nGET /a/b?x=1&y=2 HTTP/1.1\r\n" HOST "Connection: close\r\nCookie: a=b\r\n\r\n",
    "POST /p HTTP/1.1\r\n" HOST
    "Content-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello worldGET /next HTTP/1.1\r\n" HOST "\r\n",
    "POST /c HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5;name=\"v\"\r\nhello\r\n1\r\n "
    "\r\n5\r\nworld\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\n" HOST "\r\nOPTIONS http://other.example HTTP/1.1\r\n" HOST
    "\r\nGET http://other.example?q HTTP/1.1\r\n" HOST "\r\n",
    "CONNECT example.org:443 HTTP/1.1\r\n" HOST "\r\n",
    "PUT /u HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/2.0\r\n\r\n",
    "GET /#f HTTP/1.1\r\n",
    "POST /c HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
};

static void events_do_not_depend_on_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < BOLT_ARRAY_LEN(messages); i++) {
        struct bolt_slice in = bolt_slice_of(messages[i], strlen(messages[i]));
        struct bolt_buf whole = {0}, cut = {0};
        http1_transcript(&whole, &BOLT_HTTP1_LIMITS_DEFAULT, UINT64_MAX, in, (struct http1_cutting){CUT_NOWHERE, 0});
        for (size_t at = 0; at <= in.len; at++) {
            cut.len = 0;
            http1_transcript(&cut, &BOLT_HTTP1_LIMITS_DEFAULT, UINT64_MAX, in,
                             (struct http1_cutting){at ? CUT_ONCE : CUT_EVERYWHERE, at});
            assert_int_equal(cut.len, whole.len);
            assert_memory_equal(cut.ptr, whole.ptr, whole.len);
        }
        bolt_buf_clear(&whole);
        bolt_buf_clear(&cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_do_not_depend_on_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
