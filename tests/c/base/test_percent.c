/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/percent.h"

static void decodes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *in;
        bool plus_is_space;
        const char *out;
        bool plain;
    } cases[] = {
        {"empty", "", true, "", true},
        {"nothing to do", "abc/def", true, "abc/def", true},
        {"plus in a path", "a+b", false, "a+b", true},
        {"plus in a query", "a+b+", true, "a b ", false},
        {"encoded plus", "a%2Bb", true, "a+b", false},
        {"both cases", "%c3%B6", false, "\xc3\xb6", false},
        {"slash", "a%2Fb", false, "a/b", false},
        {"percent itself", "%25", false, "%", false},
        {"decoded once only", "%2541", false, "%41", false},
        {"lone percent", "%", false, "%", false},
        {"cut escape", "a%4", false, "a%4", false},
        {"first digit bad", "%g1", false, "%g1", false},
        {"second digit bad", "%1g", false, "%1g", false},
        {"percent before an escape", "%%41", false, "%A", false},
        {"bad escape with a plus", "%+1", true, "% 1", false},
        {"escape at the end", "x%41", false, "xA", false},
        {"just below and above the digits", "%/0%:0%@0%G0%`0%g0", false, "%/0%:0%@0%G0%`0%g0", false},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        char *out = malloc(in.len ? in.len : 1);
        size_t len = bolt_percent_decode(in, cases[i].plus_is_space, out);
        assert_slice_equal(bolt_slice_of(out, len), cases[i].out);
        assert_int_equal(bolt_percent_is_plain(in, cases[i].plus_is_space), cases[i].plain);
        free(out);
        char *self = (char *)(uintptr_t)in.ptr; /* the documented in-place use */
        len = bolt_percent_decode(in, cases[i].plus_is_space, self);
        assert_slice_equal(bolt_slice_of(self, len), cases[i].out);
        free_copy(in);
    }
}

static void decodes_every_escape(void **state)
{
    (void)state;
    static const char *const HEX[] = {"0123456789abcdef", "0123456789ABCDEF"};
    for (unsigned octet = 0; octet < 256; octet++) {
        for (size_t i = 0; i < 2; i++) {
            char in[3] = {'%', HEX[i][octet >> 4], HEX[i][octet & 15]};
            char out[3];
            assert_int_equal(bolt_percent_decode(bolt_slice_of(in, 3), true, out), 1);
            assert_int_equal((unsigned char)out[0], octet);
        }
    }
}

/* Renders what a walker returns as "[k|v][k|v]". */
typedef bool walker(struct bolt_slice in, size_t *cursor, struct bolt_slice *key, struct bolt_slice *value);

static void assert_pairs(walker *next, const char *input, const char *expected)
{
    struct bolt_slice in = exact_copy(text_of(input));
    char found[256] = "";
    size_t cursor = 0;
    struct bolt_slice key, value;
    while (next(in, &cursor, &key, &value)) {
        strncat(found, "[", 2);
        strncat(found, key.ptr, key.len);
        strncat(found, "|", 2);
        strncat(found, value.ptr, value.len);
        strncat(found, "]", 2);
    }
    assert_string_equal(found, expected);
    assert_false(next(in, &cursor, &key, &value)); /* the end stays the end */
    free_copy(in);
}

static void walks_query_pairs(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"&", ""},
        {"&&&", ""},
        {"a", "[a|]"},
        {"a=", "[a|]"},
        {"=", "[|]"},
        {"=b", "[|b]"},
        {"a=1", "[a|1]"},
        {"a=1&b=2", "[a|1][b|2]"},
        {"&a=1&&b=2&", "[a|1][b|2]"},
        {"a=1=2", "[a|1=2]"},
        {"a=1&a=2", "[a|1][a|2]"},
        {"a%3D=%26", "[a%3D|%26]"},
        {"a=1;b=2", "[a|1;b=2]"},
        {"a&b=c&d", "[a|][b|c][d|]"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++)
        assert_pairs(bolt_query_next, cases[i][0], cases[i][1]);
}

static void walks_cookies(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {";", ""},
        {" ; ;\t", ""},
        {"=", ""},
        {"a=1", "[a|1]"},
        {"a=1; b=2", "[a|1][b|2]"},
        {"a=1;b=2;", "[a|1][b|2]"},
        {"  a = 1 ;\tb=2\t", "[a|1][b|2]"},
        {"a=", "[a|]"},
        {"a=b=c", "[a|b=c]"},
        {"a=\"quoted\"", "[a|quoted]"},
        {"a=\" in \"", "[a| in ]"},
        {"a=\"", "[a|\"]"},
        {"a=\"\"", "[a|]"},
        {"a=\"open", "[a|\"open]"},
        {"a=\"x;y\"", "[a|\"x][|y\"]"},
        {"nameless", "[|nameless]"},
        {"=nameless", "[|nameless]"},
        {"a=1; a=2", "[a|1][a|2]"},
        {"a=%3B", "[a|%3B]"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++)
        assert_pairs(bolt_cookie_next, cases[i][0], cases[i][1]);
}

static void compares_keys_while_decoding(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *name;
        bool equal;
    } cases[] = {
        {"", "", true},         {"a", "", false},         {"", "a", false},
        {"page", "page", true}, {"p%61ge", "page", true}, {"%70%61%67%65", "page", true},
        {"page", "pag", false}, {"pag", "page", false},   {"a+b", "a b", true},
        {"a%2Bb", "a+b", true}, {"a+b", "a+b", false},    {"%", "%", true},
        {"%4", "%4", true},     {"Page", "page", false},  {"%70age1", "page", false},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice raw = exact_copy(text_of(cases[i].raw));
        struct bolt_slice name = exact_copy(text_of(cases[i].name));
        assert_int_equal(bolt_query_key_eq(raw, name), cases[i].equal);
        free_copy(raw);
        free_copy(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(decodes_every_escape),
        cmocka_unit_test(walks_query_pairs),
        cmocka_unit_test(walks_cookies),
        cmocka_unit_test(compares_keys_while_decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
