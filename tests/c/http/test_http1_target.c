/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_expect.h"
#include "http1_int.h"

#define TAIL " HTTP/1.1\r\nHost: own.example\r\n\r\n"
#define CASE HTTP1_CASE

static void splits_the_four_forms(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("origin", "GET /a?b" TAIL, "path='/a' query='b' authority='own.example'"),
        CASE("origin with an empty segment", "GET //evil.example/a" TAIL,
             "path='//evil.example/a' query=- authority='own.example'"),
        CASE("origin that looks absolute", "GET /http://x/" TAIL, "path='/http://x/' query=- authority='own.example'"),
        CASE("absolute", "GET http://h:81/a?b" TAIL, "path='/a' query='b' authority='h:81'"),
        CASE("absolute, https", "GET https://h/a" TAIL, "path='/a' query=- authority='h'"),
        CASE("absolute, any case", "GET hTTp://H/a" TAIL, "path='/a' query=- authority='H'"),
        CASE("absolute without path", "GET http://h" TAIL, "path='/' query=- authority='h'"),
        CASE("absolute without path, with query", "GET http://h?a/b" TAIL, "path='/' query='a/b' authority='h'"),
        CASE("absolute, IPv6", "GET http://[::1]:80/" TAIL, "path='/' query=- authority='[::1]:80'"),
        CASE("absolute on 1.0 without Host", "GET http://h/ HTTP/1.0\r\n\r\n", "path='/' query=- authority='h'"),
        CASE("asterisk", "OPTIONS *" TAIL, "path='*' query=- authority='own.example'"),
        CASE("asterisk from a proxy", "OPTIONS http://h:81" TAIL, "path='*' query=- authority='h:81'"),
        CASE("OPTIONS of a path", "OPTIONS http://h/" TAIL, "path='/' query=- authority='h'"),
        CASE("OPTIONS with query", "OPTIONS http://h?x" TAIL, "path='/' query='x' authority='h'"),
        CASE("authority", "CONNECT h:443" TAIL, "path='' query=- authority='h:443'"),
        CASE("authority, IPv6", "CONNECT [::1]:443" TAIL, "path='' query=- authority='[::1]:443'"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void refuses_other_targets(void **state)
{
    (void)state;
    static const struct http1_case cases[] = {
        CASE("relative", "GET a" TAIL, "REFUSED 400 at 4: request target is neither a path nor an http URI"),
        CASE("query only", "GET ?a" TAIL, "REFUSED 400 at 4: request target is neither a path"),
        CASE("other scheme", "GET ftp://h/" TAIL, "REFUSED 400 at 4: request target is neither a path"),
        CASE("scheme only", "GET http:/" TAIL, "REFUSED 400 at 4: request target is neither a path"),
        CASE("no host", "GET http:///a" TAIL, "REFUSED 400 at 11: host is empty"),
        CASE("no host, query", "GET http://?a" TAIL, "REFUSED 400 at 11: host is empty"),
        CASE("port without host", "GET http://:80/" TAIL, "REFUSED 400 at 11: host is empty"),
        CASE("userinfo", "GET http://u:p@h/" TAIL, "REFUSED 400 at 13: invalid octet in port"),
        CASE("user", "GET http://u@h/" TAIL, "REFUSED 400 at 12: invalid octet in host"),
        CASE("bad host", "GET http://h\\x/" TAIL, "REFUSED 400 at 12: invalid octet in host"),
        CASE("asterisk for GET", "GET *" TAIL, "REFUSED 400 at 4: request target * is for OPTIONS only"),
        CASE("asterisk with query", "OPTIONS *?a" TAIL, "REFUSED 400 at 8: request target is neither a path"),
        CASE("CONNECT to a path", "CONNECT /a" TAIL, "REFUSED 400 at 8: invalid octet in host"),
        CASE("CONNECT to a URI", "CONNECT http://h/" TAIL, "REFUSED 400 at 13: invalid octet in port"),
        CASE("CONNECT without port", "CONNECT h" TAIL, "REFUSED 400 at 8: CONNECT target without port"),
        CASE("CONNECT with empty port", "CONNECT h:" TAIL, "REFUSED 400 at 8: CONNECT target without port"),
        CASE("CONNECT, IPv6 without port", "CONNECT [::1]" TAIL, "REFUSED 400 at 8: CONNECT target without port"),
        CASE("CONNECT with query", "CONNECT h:1?a" TAIL, "REFUSED 400 at 11: invalid octet in port"),
        CASE("authority for GET", "GET h:443" TAIL, "REFUSED 400 at 4: request target is neither a path"),
    };
    HTTP1_EXPECT_ALL(cases);
}

static void checks_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *why; /* NULL: fine */
        size_t at;
    } cases[] = {
        {"", NULL, 0},
        {"h", NULL, 0},
        {"Example-1.org.", NULL, 0},
        {"127.0.0.1:8000", NULL, 0},
        {"a_b~!$&'()*+,;=", NULL, 0},
        {"h%41%zz", "malformed percent-encoding in host", 4},
        {"h%4", "malformed percent-encoding in host", 1},
        {"h%", "malformed percent-encoding in host", 1},
        {"%e4%BD", NULL, 0},
        {"h:", NULL, 0},
        {"h:0", NULL, 0},
        {"h:65535", NULL, 0},
        {"h:65536", "port is out of range", 6},
        {"h:99999999999999999999", "port is out of range", 6},
        {"h:8a", "invalid octet in port", 3},
        {"h:80:80", "invalid octet in port", 4},
        {"h:-1", "invalid octet in port", 2},
        {":80", "host is empty", 0},
        {"a b", "invalid octet in host", 1},
        {"a/b", "invalid octet in host", 1},
        {"a@b", "invalid octet in host", 1},
        {"a\"b", "invalid octet in host", 1},
        {"a<b", "invalid octet in host", 1},
        {"a\tb", "invalid octet in host", 1},
        {"h\xc3\xa9", "invalid octet in host", 1},
        {"::1", "host is empty", 0},
        {"[::1]", NULL, 0},
        {"[::ffff:1.2.3.4]:80", NULL, 0},
        {"[::1", "IPv6 address without closing bracket", 4},
        {"[]", "malformed IPv6 address", 2},
        {"[12]", "malformed IPv6 address", 4},
        {"[::g]", "invalid octet in IPv6 address", 3},
        {"[::1%eth0]", "invalid octet in IPv6 address", 4},
        {"[::1]x", "invalid octet after host", 5},
        {"a[::1]", "invalid octet in host", 1},
    };
    (void)state;
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        size_t at = 999;
        const char *why = bolt_http1_check_host(bolt_slice_of(cases[i].host, strlen(cases[i].host)), &at);
        if (!why != !cases[i].why || (why && (strcmp(why, cases[i].why) != 0 || at != cases[i].at)))
            fail_msg("\"%s\": %s at %zu", cases[i].host, why ? why : "fine", at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_the_four_forms),
        cmocka_unit_test(refuses_other_targets),
        cmocka_unit_test(checks_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
