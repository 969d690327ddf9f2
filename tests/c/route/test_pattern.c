/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "pattern.h"

static struct bolt_errinfo parse_error(struct bolt_slice text)
{
    struct bolt_slice copy = exact_copy(text);
    struct bolt_pattern pattern;
    struct bolt_errinfo info = {SIZE_MAX, NULL};
    assert_int_equal(bolt_pattern_parse(copy, &pattern, &info), BOLT_ERR_ARGUMENT);
    assert_non_null(info.text);
    free_copy(copy);
    return info;
}

static void refuses_malformed_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t offset;
        const char *why;
    } cases[] = {
        {"", 0, "a pattern starts with '/'"},
        {"users", 0, "a pattern starts with '/'"},
        {"{id}", 0, "a pattern starts with '/'"},
        {"/a/{id", 3, "braces do not balance"},
        {"/a/id}", 3, "braces do not balance"},
        {"/{a{b}", 1, "braces do not balance"},
        {"/{}", 2, "a parameter has no name"},
        {"/{:path}", 2, "a parameter has no name"},
        {"/x{id}", 1, "a parameter must be a whole segment"},
        {"/{id}x", 1, "a parameter must be a whole segment"},
        {"/{a}{b}", 1, "a parameter must be a whole segment"},
        {"/{{a}}", 1, "a parameter must be a whole segment"},
        {"/}a{", 1, "a parameter must be a whole segment"},
        {"/{a}/{b}/{a}", 10, "a parameter name is used twice"},
        {"/{a}/{a:path}", 6, "a parameter name is used twice"},
        {"/{a:path}/b", 10, "text follows a :path parameter"},
        {"/{a:path}/", 9, "text follows a :path parameter"},
        {"/{a:path}/{b:path}", 10, "text follows a :path parameter"},
        {"/a?b", 2, "a path holds no '?' and no '#'"},
        {"/a/#b", 3, "a path holds no '?' and no '#'"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_errinfo info = parse_error(text_of(cases[i].in));
        assert_string_equal(info.text, cases[i].why);
        assert_int_equal(info.offset, cases[i].offset);
    }
}

static void cuts_patterns_into_segments(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* "=text" static, ":name" parameter, "*name" rest, "/" final slash */
    } cases[] = {
        {"/", "/"},
        {"//", "/"},
        {"/a", "=a"},
        {"/a/", "=a/"},
        {"//a///b//", "=a=b/"},
        {"/users/{id}", "=users:id"},
        {"/users/{id:int}/", "=users:id/"},
        {"/{a:}", ":a"},
        {"/{a:paths}", ":a"},
        {"/files/{rest:path}", "=files*rest"},
        {"/{a}/b/{c}", ":a=b:c"},
        {"/caf\xc3\xa9 x", "=caf%C3%A9%20x"},
        {"/a%2fb", "=a%2fb"},
        {"/\"<>^`\x7f\t", "=%22%3C%3E%5E%60%7F%09"},
        {"/a:b;c=d,e@f!$&'()*+~_.-[]|", "=a:b;c=d,e@f!$&'()*+~_.-[]|"},
        {"/.well-known/..", "=.well-known=.."},
        {"/{\xc3\xa9 x}", ":\xc3\xa9 x"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        struct bolt_pattern pattern;
        struct bolt_errinfo info;
        assert_int_equal(bolt_pattern_parse(in, &pattern, &info), BOLT_OK);
        char found[256] = "";
        for (size_t s = 0; s < pattern.count; s++) {
            static const char *const SIGNS[] = {"=", ":", "*"};
            strncat(found, SIGNS[pattern.segments[s].kind], 2);
            strncat(found, pattern.segments[s].text.ptr, pattern.segments[s].text.len);
        }
        if (pattern.final_slash)
            strncat(found, "/", 2);
        assert_string_equal(found, cases[i].out);
        bolt_pattern_clear(&pattern);
        free_copy(in);
    }
}

/* Repeats `unit` with its '#' replaced by a running letter pair, so that names differ. */
static struct bolt_slice repeat(char *out, const char *unit, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char *c = unit; *c; c++) {
            if (*c == '#') {
                out[len++] = (char)('a' + i / 26);
                out[len++] = (char)('a' + i % 26);
            } else {
                out[len++] = *c;
            }
        }
    }
    return bolt_slice_of(out, len);
}

static void holds_the_limits_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        size_t limit;
        const char *why;
    } cases[] = {
        {"/x", BOLT_ROUTE_MAX_SEGMENTS, "too many segments"},
        {"/{#}", BOLT_ROUTE_MAX_CAPTURES, "too many parameters"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        char text[1024];
        for (size_t count = cases[i].limit - 1; count <= cases[i].limit; count++) {
            struct bolt_pattern pattern;
            struct bolt_errinfo info;
            assert_int_equal(bolt_pattern_parse(repeat(text, cases[i].unit, count), &pattern, &info), BOLT_OK);
            assert_int_equal(pattern.count, count);
            bolt_pattern_clear(&pattern);
        }
        struct bolt_errinfo info = parse_error(repeat(text, cases[i].unit, cases[i].limit + 1));
        assert_string_equal(info.text, cases[i].why);
    }
}

static void reports_missing_memory(void **state)
{
    (void)state;
    struct bolt_pattern pattern;
    struct bolt_errinfo info;
    bolt_failmalloc_set(0);
    assert_int_equal(bolt_pattern_parse(BOLT_SLICE_LIT("/a"), &pattern, &info), BOLT_ERR_NOMEM);
    bolt_failmalloc_set(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_malformed_patterns),
        cmocka_unit_test(cuts_patterns_into_segments),
        cmocka_unit_test(holds_the_limits_exactly),
        cmocka_unit_test(reports_missing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
