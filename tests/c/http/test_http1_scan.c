/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "http1_scan.h"

static bool is_one_of(int c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static bool is_alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void classes_are_those_of_the_rfcs(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool token = is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
        bool host = is_alnum(c) || is_one_of(c, "-._~"
                                                "!$&'()*+,;=");
        assert_int_equal(bolt_char_is((char)c, BOLT_CHAR_TOKEN), token);
        assert_int_equal(bolt_char_is((char)c, BOLT_CHAR_HOST), host);
        assert_int_equal(bolt_char_is_field((char)c), c == '\t' || (c >= ' ' && c != 0x7f));
    }
}

/* Puts every octet at every place of runs that end inside, at and beyond a vector. The block ends with the run,
 * so that sanitizers see a scan that reads further. */
static void finds_every_octet_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 50; len++) {
        char *run = malloc(len);
        assert_non_null(run);
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                memset(run, 'a', len);
                run[at] = (char)c;
                const char *end = run + len;
                const char *plain = bolt_scan_class(run, end, BOLT_CHAR_TOKEN);
                assert_ptr_equal(plain, bolt_char_is((char)c, BOLT_CHAR_TOKEN) ? end : run + at);
                assert_ptr_equal(bolt_scan_token(run, end), plain);
                assert_ptr_equal(bolt_scan_value(run, end), bolt_char_is_field((char)c) ? end : run + at);
                bool visible = c > 0x20 && c < 0x7f && c != '#';
                assert_ptr_equal(bolt_scan_target(run, end, false), visible ? end : run + at);
                assert_ptr_equal(bolt_scan_target(run, end, true), visible && c != '?' ? end : run + at);
            }
        }
        free(run);
    }
}

static void agrees_with_the_scalar_twin(void **state)
{
    (void)state;
    char run[64];
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(run); i++) {
            seed = seed * 1664525u + 1013904223u;
            /* mostly visible, so that runs get long */
            run[i] = (char)(seed >> 29 ? 0x21 + (seed >> 8) % 0x5e : seed >> 16);
        }
        const char *p = run + round % 16, *end = run + sizeof(run) - round % 7;
        assert_ptr_equal(bolt_scan_value(p, end), bolt_scan_value_scalar(p, end));
        assert_ptr_equal(bolt_scan_target(p, end, true), bolt_scan_target_scalar(p, end, true));
        assert_ptr_equal(bolt_scan_target(p, end, false), bolt_scan_target_scalar(p, end, false));
        assert_ptr_equal(bolt_scan_token(p, end), bolt_scan_class(p, end, BOLT_CHAR_TOKEN));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_those_of_the_rfcs),
        cmocka_unit_test(finds_every_octet_at_every_place),
        cmocka_unit_test(agrees_with_the_scalar_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
