/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>

#include "naive_router.h"

struct registration {
    enum bolt_method method;
    const char *pattern;
};

/* The route stored for a registration is its entry in the table. */
static void add(struct bolt_router *router, const struct registration *entry)
{
    void *replaced;
    struct bolt_errinfo info;
    int err =
        bolt_router_add(router, entry->method, text_of(entry->pattern), (void *)(uintptr_t)entry, &replaced, &info);
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
        struct bolt_slice path = exact_copy(text_of(cases[i].path));
        bolt_router_match(router, cases[i].method, path, &match);
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
        free_copy(path);
    }
    bolt_router_free(router, NULL);
}

#define MAX_TEXT 128

__attribute__((format(printf, 3, 4))) static int write_at(char *text, size_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text + offset, MAX_TEXT - offset, format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && (size_t)len < MAX_TEXT - offset);
    return len;
}

/* --- against a matcher that is too simple to be wrong --- */

/* Few words, so that patterns collide and searches have to turn back. */
static const char *const WORDS[] = {"a", "b", "ab", "longer-word", "longer-wore"};

static void random_pattern(uint64_t *seed, char *out)
{
    size_t count = next_random(seed) % 5, len = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t choice = next_random(seed) % 10;
        if (choice < 5)
            len += (size_t)write_at(out, len, "/%s", WORDS[choice]);
        else if (choice == 9 && i + 1 == count)
            len += (size_t)write_at(out, len, "/{p%zu:path}", i);
        else
            len += (size_t)write_at(out, len, "/{p%zu}", i);
    }
    bool is_rest = len && out[len - 2] == 'h' && out[len - 1] == '}';
    if (len == 0 || (!is_rest && next_random(seed) % 3 == 0))
        write_at(out, len, "%s", "/");
}

static void random_path(uint64_t *seed, char *out)
{
    size_t count = next_random(seed) % 6, len = 0;
    for (size_t i = 0; i < count; i++)
        len += (size_t)write_at(out, len, next_random(seed) % 8 ? "/%s" : "//%s", WORDS[next_random(seed) % 5]);
    if (len == 0 || next_random(seed) % 3 == 0)
        write_at(out, len, "%s", next_random(seed) % 4 ? "/" : "//");
}

static void agrees_with_a_naive_matcher(void **state)
{
    (void)state;
    static const enum bolt_method METHODS[] = {BOLT_METHOD_GET, BOLT_METHOD_POST, BOLT_METHOD_HEAD, BOLT_METHOD_OPTIONS,
                                               BOLT_METHOD_OTHER};
    uint64_t seed = 20240115;
    size_t kinds[BOLT_ROUTE_REDIRECT_STRIP + 1] = {0};
    for (size_t round = 0; round < 300; round++) {
        static char patterns[NAIVE_MAX_ROUTES][MAX_TEXT];
        struct naive_router naive = {.count = 0};
        struct bolt_router *router = bolt_router_new();
        assert_non_null(router);
        while (naive.count < NAIVE_MAX_ROUTES) {
            char *pattern = patterns[naive.count];
            random_pattern(&seed, pattern);
            assert_int_equal(naive_add(&naive, router, METHODS[next_random(&seed) % 4], text_of(pattern)), BOLT_OK);
        }
        for (size_t i = 0; i < 200; i++) {
            char path[MAX_TEXT];
            random_path(&seed, path);
            struct bolt_route_match got, want;
            enum bolt_method method = METHODS[next_random(&seed) % BOLT_ARRAY_LEN(METHODS)];
            bolt_router_match(router, method, text_of(path), &got);
            naive_match(&naive, method, text_of(path), &want);
            const char *difference = naive_difference(&got, &want);
            if (difference)
                fail_msg("%s differs for %s", difference, path);
            kinds[got.kind]++;
        }
        bolt_router_free(router, NULL);
        naive_clear(&naive);
    }
    for (size_t kind = 0; kind < BOLT_ARRAY_LEN(kinds); kind++)
        assert_true(kinds[kind] > 100); /* the generator reaches every outcome */
}

/* --- building --- */

static void count_route(void *route)
{
    ++*(size_t *)route;
}

static void replaces_and_frees_routes(void **state)
{
    (void)state;
    struct bolt_router *router = bolt_router_new();
    size_t first = 0, second = 0, third = 0, fourth = 0;
    struct bolt_errinfo info;
    void *replaced = &info;
    const struct bolt_slice pattern = BOLT_SLICE_LIT("/a/{x}");
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_GET, pattern, &first, &replaced, &info), BOLT_OK);
    assert_null(replaced);
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_PUT, pattern, &second, &replaced, &info), BOLT_OK);
    assert_null(replaced);
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_GET, BOLT_SLICE_LIT("//a/{y}"), &third, &replaced, &info),
                     BOLT_OK);
    assert_ptr_equal(replaced, &first);
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_GET, BOLT_SLICE_LIT("/"), &fourth, &replaced, &info), BOLT_OK);
    bolt_router_free(router, count_route);
    assert_int_equal(first, 0);
    assert_int_equal(second, 1);
    assert_int_equal(third, 1);
    assert_int_equal(fourth, 1);
    bolt_router_free(NULL, count_route);
}

static void refuses_bad_registrations(void **state)
{
    (void)state;
    struct bolt_router *router = bolt_router_new();
    void *replaced = router;
    int route;
    struct bolt_errinfo info = {0};
    const struct bolt_slice good = BOLT_SLICE_LIT("/a");
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_OTHER, good, &route, &replaced, &info), BOLT_ERR_ARGUMENT);
    assert_string_equal(info.text, "unknown method");
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_GET, good, NULL, &replaced, &info), BOLT_ERR_ARGUMENT);
    assert_string_equal(info.text, "the route is NULL");
    assert_int_equal(bolt_router_add(router, BOLT_METHOD_GET, BOLT_SLICE_LIT("/{"), &route, &replaced, &info),
                     BOLT_ERR_ARGUMENT);
    assert_string_equal(info.text, "braces do not balance");
    assert_ptr_equal(replaced, router); /* untouched */
    struct bolt_route_match match;
    bolt_router_match(router, BOLT_METHOD_GET, good, &match);
    assert_int_equal(match.kind, BOLT_ROUTE_NOT_FOUND);
    bolt_router_free(router, NULL);
}

/* Adds the whole table; with memory failing somewhere, what was added before still matches and the rest is unknown. */
static size_t add_until_failure(struct bolt_router *router)
{
    for (size_t i = 0; i < BOLT_ARRAY_LEN(TABLE); i++) {
        void *replaced;
        struct bolt_errinfo info;
        int err = bolt_router_add(router, TABLE[i].method, text_of(TABLE[i].pattern), (void *)(uintptr_t)&TABLE[i],
                                  &replaced, &info);
        if (err) {
            assert_int_equal(err, BOLT_ERR_NOMEM);
            return i;
        }
    }
    return BOLT_ARRAY_LEN(TABLE);
}

static void survives_each_failing_allocation(void **state)
{
    (void)state;
    bolt_failmalloc_set(-1);
    struct bolt_router *router = table_router();
    size_t allocations = bolt_failmalloc_set(-1);
    bolt_router_free(router, NULL);
    assert_true(allocations > BOLT_ARRAY_LEN(TABLE));
    bolt_failmalloc_set(0);
    assert_null(bolt_router_new());
    for (size_t n = 1; n < allocations; n++) {
        bolt_failmalloc_set((long)n);
        router = bolt_router_new();
        size_t added = add_until_failure(router);
        bolt_failmalloc_set(-1);
        assert_true(added < BOLT_ARRAY_LEN(TABLE));
        struct bolt_route_match match;
        bolt_router_match(router, BOLT_METHOD_GET, BOLT_SLICE_LIT("/"), &match);
        assert_int_equal(match.kind, added > 0 ? BOLT_ROUTE_FOUND : BOLT_ROUTE_NOT_FOUND);
        assert_int_equal(add_until_failure(router), BOLT_ARRAY_LEN(TABLE)); /* memory is back: all can be added */
        bolt_router_match(router, BOLT_METHOD_GET, BOLT_SLICE_LIT("/users/1/posts/latest"), &match);
        assert_int_equal(match.kind, BOLT_ROUTE_FOUND);
        bolt_router_free(router, NULL);
    }
}

static void finds_each_of_many_siblings(void **state)
{
    (void)state;
    enum { SIBLINGS = 500 };
    static char patterns[SIBLINGS][MAX_TEXT];
    static struct registration table[SIBLINGS];
    struct bolt_router *router = bolt_router_new();
    for (size_t i = 0; i < SIBLINGS; i++) {
        /* lengths 1 to 14, equal heads and equal tails */
        write_at(patterns[i], 0, i % 2 ? "/common-head-%zu" : "/%zu", i);
        table[i] = (struct registration){BOLT_METHOD_GET, patterns[i]};
        add(router, &table[i]);
    }
    for (size_t i = 0; i < SIBLINGS; i++) {
        struct bolt_route_match match;
        bolt_router_match(router, BOLT_METHOD_GET, text_of(patterns[i]), &match);
        assert_ptr_equal(match.route, &table[i]);
    }
    bolt_router_free(router, NULL);
}

/* --- answers that follow from a match --- */

static void renders_allow_in_the_fixed_order(void **state)
{
    (void)state;
    static const struct {
        unsigned mask;
        const char *text;
    } cases[] = {
        {0, "OPTIONS"},
        {MASK(OPTIONS), "OPTIONS"},
        {MASK(DELETE) | MASK(POST) | MASK(GET), "GET, POST, DELETE, OPTIONS"},
        {MASK(HEAD) | MASK(PATCH) | MASK(PUT), "PUT, PATCH, HEAD, OPTIONS"},
        {(1u << BOLT_METHOD_COUNT) - 1, "GET, POST, PUT, PATCH, DELETE, HEAD, QUERY, TRACE, CONNECT, OPTIONS"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        char out[96];
        assert_slice_equal(bolt_slice_of(out, bolt_route_allow((uint16_t)cases[i].mask, out)), cases[i].text);
    }
}

static int put_location(struct bolt_buf *out, enum bolt_route_kind kind, const char *path)
{
    struct bolt_slice copy = exact_copy(text_of(path));
    int err = bolt_route_put_location(out, kind, copy);
    free_copy(copy);
    return err;
}

static void redirects_stay_on_this_host(void **state)
{
    (void)state;
    static const struct {
        enum bolt_route_kind kind;
        const char *path, *location;
    } cases[] = {
        {BOLT_ROUTE_REDIRECT_ADD, "/a", "/a/"},
        {BOLT_ROUTE_REDIRECT_ADD, "/a/b%2Fc", "/a/b%2Fc/"},
        {BOLT_ROUTE_REDIRECT_ADD, "//evil.example", "/evil.example/"},
        {BOLT_ROUTE_REDIRECT_ADD, "///evil.example//x", "/evil.example/x/"},
        {BOLT_ROUTE_REDIRECT_ADD, "/\\evil.example", "/%5Cevil.example/"},
        {BOLT_ROUTE_REDIRECT_STRIP, "/a/", "/a"},
        {BOLT_ROUTE_REDIRECT_STRIP, "/a///", "/a"},
        {BOLT_ROUTE_REDIRECT_STRIP, "//evil.example/", "/evil.example"},
        {BOLT_ROUTE_REDIRECT_STRIP, "//", "/"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out;
        bolt_buf_init(&out);
        assert_int_equal(bolt_buf_put_lit(&out, "location: "), BOLT_OK);
        assert_int_equal(put_location(&out, cases[i].kind, cases[i].path), BOLT_OK);
        assert_slice_equal(bolt_slice_of(out.ptr + 10, out.len - 10), cases[i].location);
        bolt_buf_clear(&out);
    }
    struct bolt_buf out;
    bolt_buf_init(&out);
    bolt_failmalloc_set(0);
    assert_int_equal(put_location(&out, BOLT_ROUTE_REDIRECT_ADD, "/a"), BOLT_ERR_NOMEM);
    bolt_failmalloc_set(-1);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_most_specific_route),    cmocka_unit_test(agrees_with_a_naive_matcher),
        cmocka_unit_test(replaces_and_frees_routes),        cmocka_unit_test(refuses_bad_registrations),
        cmocka_unit_test(survives_each_failing_allocation), cmocka_unit_test(finds_each_of_many_siblings),
        cmocka_unit_test(renders_allow_in_the_fixed_order), cmocka_unit_test(redirects_stay_on_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
