/* SPDX-License-Identifier: MIT */
/* fuzz_route.c - a table of patterns and requests against it, judged by the naive router.
 *
 * Input: lines. One that starts with '+' registers "+<method letter><pattern>"; any other is matched as
 * "<method letter><path>". Lines may come in any order, so tables also grow between matches.
 */
#include "require.h"

#include "naive_router.h"

static enum bolt_method method_of(char letter)
{
    return (enum bolt_method)((unsigned char)letter % (BOLT_METHOD_COUNT + 1));
}

static void check_location(const struct bolt_route_match *match, struct bolt_slice path)
{
    struct bolt_buf out;
    bolt_buf_init(&out);
    REQUIRE(bolt_route_put_location(&out, match->kind, path) == BOLT_OK);
    REQUIRE(out.len > 1 && out.ptr[0] == '/' && out.ptr[1] != '/');
    REQUIRE(!memchr(out.ptr, '\\', out.len));
    REQUIRE((out.ptr[out.len - 1] == '/') == (match->kind == BOLT_ROUTE_REDIRECT_ADD));
    bolt_buf_clear(&out);
}

/* The redirect leads to a path that is registered, in the form asked for: no second redirect. */
static void check_redirect(const struct bolt_router *router, const struct bolt_route_match *match,
                           enum bolt_method method, struct bolt_slice path)
{
    check_location(match, path);
    if (memchr(path.ptr, '\\', path.len))
        return; /* the location is encoded: another path */
    struct bolt_buf out;
    bolt_buf_init(&out);
    REQUIRE(bolt_route_put_location(&out, match->kind, path) == BOLT_OK);
    struct bolt_route_match again;
    bolt_router_match(router, method, bolt_slice_of(out.ptr, out.len), &again);
    REQUIRE(again.kind == BOLT_ROUTE_FOUND || again.kind == BOLT_ROUTE_NOT_ALLOWED ||
            again.kind == BOLT_ROUTE_AUTO_OPTIONS);
    bolt_buf_clear(&out);
}

static void check_match(const struct bolt_router *router, const struct naive_router *naive, enum bolt_method method,
                        struct bolt_slice path)
{
    struct bolt_route_match got, want;
    bolt_router_match(router, method, path, &got);
    naive_match(naive, method, path, &want);
    const char *difference = naive_difference(&got, &want);
    if (difference)
        fprintf(stderr, "differs in %s\n", difference);
    REQUIRE(!difference);
    char allow[96];
    REQUIRE(bolt_route_allow(got.allow_mask, allow) < sizeof(allow));
    for (size_t i = 0; i < got.capture_count; i++) {
        REQUIRE(got.captures[i].len > 0 && got.captures[i].ptr[0] != '/');
        REQUIRE(got.captures[i].ptr >= path.ptr && got.captures[i].ptr + got.captures[i].len <= path.ptr + path.len);
    }
    if (got.kind == BOLT_ROUTE_REDIRECT_ADD || got.kind == BOLT_ROUTE_REDIRECT_STRIP)
        check_redirect(router, &got, method, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *in = (const char *)data, *end = in + size;
    static struct naive_router naive;
    struct bolt_router *router = bolt_router_new();
    REQUIRE(router);
    while (in < end) {
        const char *newline = memchr(in, '\n', (size_t)(end - in));
        struct bolt_slice line = bolt_slice_of(in, (size_t)((newline ? newline : end) - in));
        in += line.len + 1;
        bool registers = line.len > 1 && line.ptr[0] == '+';
        size_t skip = registers ? 2 : 1;
        if (line.len < skip)
            continue;
        enum bolt_method method = method_of(line.ptr[skip - 1]);
        struct bolt_slice text = bolt_slice_of(line.ptr + skip, line.len - skip);
        if (!registers) {
            check_match(router, &naive, method, text);
        } else if (naive.count < NAIVE_MAX_ROUTES) {
            int err = naive_add(&naive, router, method, text);
            REQUIRE(err == BOLT_OK || err == BOLT_ERR_ARGUMENT);
        }
    }
    bolt_router_free(router, NULL);
    naive_clear(&naive);
    return 0;
}
