/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <time.h>

#include "bolt/http1_write.h"

static void expect_date(int64_t unix_s)
{
    struct bolt_http1_stamp stamp = {0};
    char expected[64];
    struct tm parts;
    time_t t = (time_t)unix_s;
    assert_non_null(gmtime_r(&t, &parts));
    size_t n = strftime(expected, sizeof(expected), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    bolt_http1_stamp_update(&stamp, unix_s, BOLT_SLICE_LIT(""));
    if (stamp.len != n || memcmp(stamp.text, expected, n) != 0)
        fail_msg("%lld: %.*s instead of %s", (long long)unix_s, stamp.len, stamp.text, expected);
}

static void dates_agree_with_strftime(void **state)
{
    (void)state;
    setlocale(LC_ALL, "C");
    expect_date(784111777); /* the RFC's: Sun, 06 Nov 1994 08:49:37 GMT */
    expect_date(0);
    expect_date(253402300799); /* the end of the year 9999 */
    expect_date(2147483647);
    expect_date(2147483648);
    /* the last and first seconds of every day for 450 years: all kinds of leap days */
    for (int64_t day = 0; day < 164400; day++) {
        expect_date(day * 86400);
        expect_date(day * 86400 + 86399);
    }
    /* strides that share no factor with days, up to 9999 */
    for (int64_t t = 1; t < 253402300799; t += 3000017)
        expect_date(t);
}

static void dates_outside_the_format_are_its_ends(void **state)
{
    (void)state;
    struct bolt_http1_stamp stamp = {0};
    bolt_http1_stamp_update(&stamp, -1, BOLT_SLICE_LIT(""));
    assert_memory_equal(stamp.text, "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", stamp.len);
    bolt_http1_stamp_update(&stamp, INT64_MAX, BOLT_SLICE_LIT(""));
    assert_memory_equal(stamp.text, "date: Fri, 31 Dec 9999 23:59:59 GMT\r\n", stamp.len);
}

static void renders_once_per_second(void **state)
{
    (void)state;
    struct bolt_http1_stamp stamp = {0};
    bolt_http1_stamp_update(&stamp, 784111777, BOLT_SLICE_LIT("test"));
    stamp.text[0] = 'D';
    bolt_http1_stamp_update(&stamp, 784111777, BOLT_SLICE_LIT("test"));
    assert_memory_equal(stamp.text, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: test\r\n", stamp.len);
    bolt_http1_stamp_update(&stamp, 784111778, BOLT_SLICE_LIT("test"));
    assert_memory_equal(stamp.text, "date: Sun, 06 Nov 1994 08:49:38 GMT\r\nserver: test\r\n", stamp.len);
}

static void keeps_the_server_field_sound(void **state)
{
    (void)state;
    static const char long_name[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567";
    static const struct {
        struct bolt_slice server;
        const char *expected;
    } cases[] = {
        {{NULL, 0}, ""},
        {{"a/1 (b)", 7}, "server: a/1 (b)\r\n"},
        {{"a\r\nx: y", 7}, ""},
        {{"a\0b", 3}, ""},
        {{long_name, sizeof(long_name) - 1},
         "server: 0123456789012345678901234567890123456789012345678901234567890123456789012345678\r\n"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_http1_stamp stamp = {0};
        bolt_http1_stamp_update(&stamp, 0, cases[i].server);
        assert_int_equal(stamp.len, 37 + strlen(cases[i].expected));
        assert_memory_equal(stamp.text + 37, cases[i].expected, strlen(cases[i].expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_agree_with_strftime),
        cmocka_unit_test(dates_outside_the_format_are_its_ends),
        cmocka_unit_test(renders_once_per_second),
        cmocka_unit_test(keeps_the_server_field_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
