/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/utf8.h"

/* The Unicode encoding rule stated the slow way: decode, then compare with the shortest form. */
static size_t reference_check(const unsigned char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t extra = s[i] < 0x80 ? 0 : s[i] >= 0xc0 && s[i] < 0xe0 ? 1 : s[i] >= 0xe0 && s[i] < 0xf0 ? 2 : 3;
        if (s[i] >= 0x80 && (s[i] < 0xc0 || s[i] >= 0xf8))
            return i;
        if (len - i <= extra)
            return i;
        static const uint32_t SMALLEST[] = {0, 0x80, 0x800, 0x10000};
        uint32_t code = extra ? s[i] & (0x3fu >> extra) : s[i];
        for (size_t k = 1; k <= extra; k++) {
            if ((s[i + k] & 0xc0) != 0x80)
                return i;
            code = code << 6 | (s[i + k] & 0x3fu);
        }
        if (code < SMALLEST[extra] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return i;
        i += extra + 1;
    }
    return len;
}

static size_t check(const char *ptr, size_t len)
{
    struct bolt_slice copy = exact_copy(bolt_slice_of(ptr, len));
    size_t result = bolt_utf8_check(copy.ptr, copy.len);
    free_copy(copy);
    return result;
}

static void finds_the_first_ill_formed_octet(void **state)
{
    (void)state;
    static const struct {
        const char *name, *in;
        size_t offset;
    } cases[] = {
        {"empty", "", 0},
        {"ascii", "hello, world: more than eight", 29},
        {"two octets", "\xc2\x80\xdf\xbf", 4},
        {"three octets", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12},
        {"four octets", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8},
        {"lone continuation", "a\x80", 1},
        {"overlong slash", "\xc0\xaf", 0},
        {"overlong C1", "\xc1\xbf", 0},
        {"overlong three", "\xe0\x9f\xbf", 0},
        {"overlong four", "\xf0\x8f\xbf\xbf", 0},
        {"surrogate", "ab\xed\xa0\x80", 2},
        {"beyond the last code point", "\xf4\x90\x80\x80", 0},
        {"F5", "\xf5\x80\x80\x80", 0},
        {"FF", "\xff", 0},
        {"cut two", "x\xc3", 1},
        {"cut three", "x\xe2\x82", 1},
        {"cut four", "x\xf0\x9f\x98", 1},
        {"after a long run", "0123456789abcdef\xff", 16},
        {"inside a word", "0123456\xc3\xb6zzzzzzz\x80", 16},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++)
        assert_int_equal(check(cases[i].in, strlen(cases[i].in)), cases[i].offset);
}

static void agrees_with_the_definition_on_every_short_sequence(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char pair[2] = {(char)first, (char)second};
            assert_int_equal(bolt_utf8_check(pair, 2), reference_check((unsigned char *)pair, 2));
            static const char TAILS[][3] = {"\x7f\x80", "\x80\x80", "\xbf\xbf", "\xc0\x80", "\x80\x7f", "\xbf\xc2"};
            for (size_t t = 0; t < BOLT_ARRAY_LEN(TAILS); t++) {
                char four[4] = {(char)first, (char)second, TAILS[t][0], TAILS[t][1]};
                for (size_t len = 3; len <= 4; len++)
                    assert_int_equal(bolt_utf8_check(four, len), reference_check((unsigned char *)four, len));
            }
        }
    }
}

static void knows_ascii_at_every_length_and_place(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        char *text = malloc(len + 1);
        memset(text, 0x7f, len);
        assert_true(bolt_utf8_is_ascii(text, len));
        assert_int_equal(check(text, len), len);
        for (size_t i = 0; i < len; i++) {
            text[i] = (char)0x80;
            assert_false(bolt_utf8_is_ascii(text, len));
            assert_int_equal(check(text, len), i);
            text[i] = 0x7f;
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first_ill_formed_octet),
        cmocka_unit_test(agrees_with_the_definition_on_every_short_sequence),
        cmocka_unit_test(knows_ascii_at_every_length_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
