/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/ascii.h"

static void compares_octets(void **state)
{
    (void)state;
    assert_true(bolt_slice_eq(bolt_slice_of(NULL, 0), BOLT_SLICE_LIT("")));
    assert_true(bolt_slice_eq(BOLT_SLICE_LIT("ab"), BOLT_SLICE_LIT("ab")));
    assert_false(bolt_slice_eq(BOLT_SLICE_LIT("ab"), BOLT_SLICE_LIT("aB")));
    assert_false(bolt_slice_eq(BOLT_SLICE_LIT("ab"), BOLT_SLICE_LIT("abc")));
    assert_true(bolt_slice_eq(bolt_slice_of("a\0b", 3), bolt_slice_of("a\0b", 3)));
    assert_false(bolt_slice_eq(bolt_slice_of("a\0b", 3), bolt_slice_of("a\0c", 3)));
}

/* Only the 26 letters fold: '@' and '`', '[' and '{', octets above 127 stay apart. */
static void folds_letters_only(void **state)
{
    (void)state;
    for (unsigned upper = 0; upper < 256; upper++) {
        for (unsigned lower = 0; lower < 256; lower++) {
            char a = (char)upper, b = (char)lower;
            bool equal =
                upper == lower ? !(upper >= 'A' && upper <= 'Z') : upper >= 'A' && upper <= 'Z' && lower == upper + 32;
            assert_int_equal(bolt_slice_ieq(bolt_slice_of(&a, 1), bolt_slice_of(&b, 1)), equal);
        }
    }
    assert_true(bolt_slice_ieq(BOLT_SLICE_LIT("Content-LENGTH"), BOLT_SLICE_LIT("content-length")));
    assert_false(bolt_slice_ieq(BOLT_SLICE_LIT("content"), BOLT_SLICE_LIT("content-length")));
    assert_true(bolt_slice_ieq(bolt_slice_of(NULL, 0), bolt_slice_of(NULL, 0)));
}

static void classifies_characters(void **state)
{
    (void)state;
    static const char DIGITS[] = "0123456789abcdef";
    for (unsigned octet = 0; octet < 256; octet++) {
        char c = (char)octet;
        const char *place = octet ? strchr(DIGITS, octet >= 'A' && octet <= 'F' ? (int)octet + 32 : (int)octet) : NULL;
        assert_int_equal(bolt_ascii_hex(c), place ? place - DIGITS : -1);
        assert_int_equal(bolt_ascii_is_digit(c), octet >= '0' && octet <= '9');
    }
    assert_slice_equal(bolt_ascii_trim(BOLT_SLICE_LIT(" \t a b\t ")), "a b");
    assert_int_equal(bolt_ascii_trim(BOLT_SLICE_LIT(" \t ")).len, 0);
    assert_int_equal(bolt_ascii_trim(bolt_slice_of(NULL, 0)).len, 0);
}

static void sizes_do_not_wrap(void **state)
{
    (void)state;
    size_t out = 7;
    assert_true(bolt_size_add(SIZE_MAX - 1, 1, &out));
    assert_int_equal(out, SIZE_MAX);
    out = 7;
    assert_false(bolt_size_add(SIZE_MAX, 1, &out));
    assert_false(bolt_size_mul(SIZE_MAX / 2 + 1, 2, &out));
    assert_int_equal(out, 7);
    assert_true(bolt_size_mul(SIZE_MAX / 2, 2, &out));
    assert_int_equal(out, SIZE_MAX - 1);
}

static void sorts_errors_into_families(void **state)
{
    (void)state;
    static const int peer[] = {BOLT_ERR_SYNTAX,    BOLT_ERR_TARGET_LONG, BOLT_ERR_HEADERS_LONG,
                               BOLT_ERR_BODY_LONG, BOLT_ERR_VERSION,     BOLT_ERR_CODING,
                               BOLT_ERR_UTF8,      BOLT_ERR_RANGE,       BOLT_ERR_CLOSED};
    static const int caller[] = {BOLT_OK, BOLT_AGAIN, BOLT_ERR_ARGUMENT, BOLT_ERR_EXISTS};
    static const int fatal[] = {BOLT_ERR_NOMEM, BOLT_ERR_OS};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(peer); i++)
        assert_true(bolt_err_is_peer(peer[i]) && !bolt_err_is_fatal(peer[i]));
    for (size_t i = 0; i < BOLT_ARRAY_LEN(caller); i++)
        assert_true(!bolt_err_is_peer(caller[i]) && !bolt_err_is_fatal(caller[i]));
    for (size_t i = 0; i < BOLT_ARRAY_LEN(fatal); i++)
        assert_true(!bolt_err_is_peer(fatal[i]) && bolt_err_is_fatal(fatal[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_octets),
        cmocka_unit_test(folds_letters_only),
        cmocka_unit_test(classifies_characters),
        cmocka_unit_test(sizes_do_not_wrap),
        cmocka_unit_test(sorts_errors_into_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
