/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bolt/route.h"

struct registration {
    enum bolt_method method;
    const char *pattern;
};

static struct bolt_slice text(const char *s)
{
    return bolt_slice_of(s, strlen(s));
}

/* The route stored for a registration is its entry in the table. */
static void add(struct bolt_router *router, const struct registration *entry)
{
    void *replaced;
    struct bolt_errinfo info;
    int err = bolt_router_add(router, entry->method, text(entry->pattern), (void *)(uintptr_t)entry, &replaced, &info);
    assert_int_equal(err, BOLT_OK);
}

static const struct registration TABLE[] = {
    {BOLT_METHOD_GET, "/"},
    {BOLT_METHOD_GET, "/users"},
    {BOLT_METHOD_POST, "/users"},
    {BOLT_METHOD_GET, "/users/me"},
    {BOLT_METHOD_GET, "/users/{id}"},
    {BOLT_METHOD_DELETE, "/users/{id}"},
    {BOLT_METHOD_GET, "/users/{id}/posts/{post_id}"},
    {BOLT_METHOD_GET, "/users/{id}/posts/latest"},
    {BOLT_METHOD_GET, "/users/me/posts"},
    {BOLT_METHOD_GET, "/slashed/"},
    {BOLT_METHOD_GET, "/both"},
    {BOLT_METHOD_POST, "/both/"},
    {BOLT_METHOD_GET, "/files/{rest:path}"},
    {BOLT_METHOD_GET, "/files/{name:int}/meta"},
    {BOLT_METHOD_HEAD, "/head"},
    {BOLT_METHOD_GET, "/head"},
    {BOLT_METHOD_OPTIONS, "/options"},
    {BOLT_METHOD_GET, "/options"},
    {BOLT_METHOD_GET, "/gr\xc3\xb6\xc3\x9f"
                      "e und mehr"},
};

static struct bolt_router *table_router(void)
{
    struct bolt_router *router = bolt_router_new();
    assert_non_null(router);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(TABLE); i++)
        add(router, &TABLE[i]);
    return router;
}

#define MASK(m) (1u << BOLT_METHOD_##m)

static void finds_the_most_specific_route(void **state)
{
    (void)state;
    static const struct {
        enum bolt_method method;
        const char *path;
        enum bolt_route_kind kind;
        const char *pattern;  /* NULL: no route */
        const char *captures; /* joined by "|" */
        unsigned allow;
        bool head_from_get;
    } cases[] = {
        {BOLT_METHOD_GET, "/", BOLT_ROUTE_FOUND, "/", "", 0, false},
        {BOLT_METHOD_GET, "//", BOLT_ROUTE_FOUND, "/", "", 0, false},
        {BOLT_METHOD_GET, "", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "users", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "*", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_OPTIONS, "*", BOLT_ROUTE_AUTO_OPTIONS, NULL, "",
         MASK(GET) | MASK(POST) | MASK(DELETE) | MASK(HEAD) | MASK(OPTIONS), false},
        {BOLT_METHOD_GET, "/users", BOLT_ROUTE_FOUND, "/users", "", 0, false},
        {BOLT_METHOD_GET, "//users", BOLT_ROUTE_FOUND, "/users", "", 0, false},
        {BOLT_METHOD_GET, "/Users", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/user", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/userss", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/users/", BOLT_ROUTE_REDIRECT_STRIP, NULL, "", 0, false},
        {BOLT_METHOD_PUT, "/users//", BOLT_ROUTE_REDIRECT_STRIP, NULL, "", 0, false},
        {BOLT_METHOD_PUT, "/users", BOLT_ROUTE_NOT_ALLOWED, NULL, "", MASK(GET) | MASK(POST), false},
        {BOLT_METHOD_OTHER, "/users", BOLT_ROUTE_NOT_ALLOWED, NULL, "", MASK(GET) | MASK(POST), false},
        {BOLT_METHOD_OPTIONS, "/users", BOLT_ROUTE_AUTO_OPTIONS, NULL, "", MASK(GET) | MASK(POST), false},
        {BOLT_METHOD_OPTIONS, "/nowhere", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_HEAD, "/users", BOLT_ROUTE_FOUND, "/users", "", 0, true},
        {BOLT_METHOD_HEAD, "/head", BOLT_ROUTE_FOUND, "/head", "", 0, false},
        {BOLT_METHOD_OPTIONS, "/options", BOLT_ROUTE_FOUND, "/options", "", 0, false},
        {BOLT_METHOD_GET, "/users/me", BOLT_ROUTE_FOUND, "/users/me", "", 0, false},
        {BOLT_METHOD_DELETE, "/users/me", BOLT_ROUTE_FOUND, "/users/{id}", "me", 0, false},
        {BOLT_METHOD_PUT, "/users/me", BOLT_ROUTE_NOT_ALLOWED, NULL, "", MASK(GET) | MASK(DELETE), false},
        {BOLT_METHOD_GET, "/users/a%2Fb", BOLT_ROUTE_FOUND, "/users/{id}", "a%2Fb", 0, false},
        {BOLT_METHOD_GET, "/users/5/posts/7", BOLT_ROUTE_FOUND, "/users/{id}/posts/{post_id}", "5|7", 0, false},
        {BOLT_METHOD_GET, "/users//5///posts/7", BOLT_ROUTE_FOUND, "/users/{id}/posts/{post_id}", "5|7", 0, false},
        {BOLT_METHOD_GET, "/users/5/posts/latest", BOLT_ROUTE_FOUND, "/users/{id}/posts/latest", "5", 0, false},
        {BOLT_METHOD_GET, "/users/me/posts", BOLT_ROUTE_FOUND, "/users/me/posts", "", 0, false},
        {BOLT_METHOD_GET, "/users/me/posts/9", BOLT_ROUTE_FOUND, "/users/{id}/posts/{post_id}", "me|9", 0, false},
        {BOLT_METHOD_GET, "/users/5/", BOLT_ROUTE_REDIRECT_STRIP, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/slashed/", BOLT_ROUTE_FOUND, "/slashed/", "", 0, false},
        {BOLT_METHOD_DELETE, "/slashed", BOLT_ROUTE_REDIRECT_ADD, NULL, "", 0, false},
        {BOLT_METHOD_OPTIONS, "/slashed", BOLT_ROUTE_REDIRECT_ADD, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/both", BOLT_ROUTE_FOUND, "/both", "", 0, false},
        {BOLT_METHOD_GET, "/both/", BOLT_ROUTE_NOT_ALLOWED, NULL, "", MASK(POST), false},
        {BOLT_METHOD_GET, "/files/a", BOLT_ROUTE_FOUND, "/files/{rest:path}", "a", 0, false},
        {BOLT_METHOD_GET, "/files/a/b//c/", BOLT_ROUTE_FOUND, "/files/{rest:path}", "a/b//c/", 0, false},
        {BOLT_METHOD_GET, "/files//a", BOLT_ROUTE_FOUND, "/files/{rest:path}", "a", 0, false},
        {BOLT_METHOD_GET, "/files", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/files/", BOLT_ROUTE_NOT_FOUND, NULL, "", 0, false},
        {BOLT_METHOD_GET, "/files/x/meta", BOLT_ROUTE_FOUND, "/files/{name:int}/meta", "x", 0, false},
        {BOLT_METHOD_GET, "/files/x/meta/y", BOLT_ROUTE_FOUND, "/files/{rest:path}", "x/meta/y", 0, false},
        {BOLT_METHOD_GET, "/files/../x", BOLT_ROUTE_FOUND, "/files/{rest:path}", "../x", 0, false},
        {BOLT_METHOD_GET, "/gr%C3%B6%C3%9Fe%20und%20mehr", BOLT_ROUTE_FOUND,
         "/gr\xc3\xb6\xc3\x9f"
         "e und mehr",
         "", 0, false},
    };
    struct bolt_router *router = table_router();
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_route_match match;
        memset(&match, 0xa5, sizeof(match));
        bolt_router_match(router, cases[i].method, text(cases[i].path), &match);
        if (match.kind != cases[i].kind)
            print_error("path %s\n", cases[i].path);
        assert_int_equal(match.kind, cases[i].kind);
        assert_int_equal(match.allow_mask, cases[i].allow);
        assert_int_equal(match.head_from_get, cases[i].head_from_get);
        const struct registration *route = match.route;
        if (cases[i].pattern)
            assert_string_equal(route->pattern, cases[i].pattern);
        else
            assert_null(route);
        char joined[256] = "";
        for (size_t c = 0; c < match.capture_count; c++) {
            if (c)
                strncat(joined, "|", 1);
            strncat(joined, match.captures[c].ptr, match.captures[c].len);
        }
        assert_string_equal(joined, cases[i].captures);
    }
    bolt_router_free(router, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_most_specific_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
