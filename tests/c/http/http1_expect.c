/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http1_expect.h"

static void expect_same(const struct http1_case *one, const struct bolt_http1_limits *limits,
                        const struct bolt_buf *whole, struct http1_cutting cutting)
{
    struct bolt_buf cut = {0};
    http1_transcript(&cut, limits, UINT64_MAX, one->input, cutting);
    if (cut.len != whole->len || memcmp(cut.ptr, whole->ptr, cut.len) != 0)
        fail_msg("%s: cutting (%d at %zu) changes\n%.*sto\n%.*s", one->name, (int)cutting.how, cutting.at,
                 (int)whole->len, whole->ptr, (int)cut.len, cut.ptr);
    bolt_buf_clear(&cut);
}

void http1_expect(const struct http1_case *one, const struct bolt_http1_limits *limits)
{
    const char *expected = one->expected ? one->expected : "WAITS";
    struct bolt_buf whole = {0};
    http1_transcript(&whole, limits, UINT64_MAX, one->input, (struct http1_cutting){CUT_NOWHERE, 0});
    if (!memmem(whole.ptr, whole.len, expected, strlen(expected)))
        fail_msg("%s: expected \"%s\" in\n%.*s", one->name, expected, (int)whole.len, whole.ptr);
    expect_same(one, limits, &whole, (struct http1_cutting){CUT_EVERYWHERE, 0});
    for (size_t at = 1; at < one->input.len; at++)
        expect_same(one, limits, &whole, (struct http1_cutting){CUT_ONCE, at});
    bolt_buf_clear(&whole);
}

void http1_expect_all(const struct http1_case *cases, size_t count, const struct bolt_http1_limits *limits)
{
    for (size_t i = 0; i < count; i++)
        http1_expect(&cases[i], limits);
}
