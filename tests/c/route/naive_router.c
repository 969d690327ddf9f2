/* SPDX-License-Identifier: MIT */
/* naive_router.c - see naive_router.h. */
#include "naive_router.h"

/* The path as segments: those a pattern could meet, and how many there are in all. */
struct segments {
    struct bolt_slice first[BOLT_ROUTE_MAX_SEGMENTS];
    size_t count;
    bool final_slash;
};

static void split(struct bolt_slice path, struct segments *segments)
{
    segments->count = 0;
    segments->final_slash = path.ptr[path.len - 1] == '/';
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '/')
            continue;
        size_t start = i;
        while (i < path.len && path.ptr[i] != '/')
            i++;
        if (segments->count < BOLT_ROUTE_MAX_SEGMENTS)
            segments->first[segments->count] = bolt_slice_of(path.ptr + start, i - start);
        segments->count++;
    }
}

/* `final_slash` is the form asked about: the one sent, or the other one for redirects. */
static bool fits(const struct bolt_pattern *pattern, const struct segments *path, bool final_slash)
{
    for (size_t i = 0; i < pattern->count; i++) {
        if (i == path->count)
            return false;
        const struct bolt_pattern_segment *segment = &pattern->segments[i];
        if (segment->kind == BOLT_PATTERN_REST)
            return final_slash == path->final_slash; /* a rest takes both forms: no redirect leads to it */
        if (segment->kind == BOLT_PATTERN_STATIC && !bolt_slice_eq(segment->text, path->first[i]))
            return false;
    }
    return pattern->count == path->count && (pattern->count == 0 || pattern->final_slash == final_slash);
}

/* Negative when `a` is more specific. Both fit the same path. */
static int compare_kinds(const struct bolt_pattern *a, const struct bolt_pattern *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (a->segments[i].kind != b->segments[i].kind)
            return a->segments[i].kind < b->segments[i].kind ? -1 : 1;
    }
    return 0;
}

static void set_captures(const struct bolt_pattern *pattern, const struct segments *segments, struct bolt_slice path,
                         struct bolt_route_match *match)
{
    for (size_t i = 0; i < pattern->count; i++) {
        struct bolt_slice text = segments->first[i];
        if (pattern->segments[i].kind == BOLT_PATTERN_REST)
            text.len = (size_t)(path.ptr + path.len - text.ptr);
        if (pattern->segments[i].kind != BOLT_PATTERN_STATIC)
            match->captures[match->capture_count++] = text;
    }
}

static enum bolt_route_kind kind_without_route(enum bolt_method method, uint16_t allow, bool other_form, bool slash)
{
    if (allow)
        return method == BOLT_METHOD_OPTIONS ? BOLT_ROUTE_AUTO_OPTIONS : BOLT_ROUTE_NOT_ALLOWED;
    if (other_form)
        return slash ? BOLT_ROUTE_REDIRECT_STRIP : BOLT_ROUTE_REDIRECT_ADD;
    return BOLT_ROUTE_NOT_FOUND;
}

static void match_asterisk(const struct naive_router *naive, struct bolt_route_match *match)
{
    match->kind = BOLT_ROUTE_AUTO_OPTIONS;
    for (size_t i = 0; i < naive->count; i++) {
        if (naive->routes[i].method != BOLT_METHOD_OTHER)
            match->allow_mask |= (uint16_t)(1u << naive->routes[i].method);
    }
}

void naive_match(const struct naive_router *naive, enum bolt_method method, struct bolt_slice path,
                 struct bolt_route_match *match)
{
    memset(match, 0, sizeof(*match));
    match->kind = BOLT_ROUTE_NOT_FOUND;
    if (method == BOLT_METHOD_OPTIONS && bolt_slice_eq(path, BOLT_SLICE_LIT("*")))
        match_asterisk(naive, match);
    if (path.len == 0 || path.ptr[0] != '/')
        return;
    struct segments segments;
    split(path, &segments);
    const struct naive_route *best = NULL;
    uint16_t allow = 0;
    bool other_form = false;
    for (size_t i = 0; i < naive->count; i++) {
        const struct naive_route *route = &naive->routes[i];
        if (route->method == BOLT_METHOD_OTHER)
            continue;
        other_form |= segments.count && fits(&route->pattern, &segments, !segments.final_slash);
        if (!fits(&route->pattern, &segments, segments.final_slash))
            continue;
        allow |= (uint16_t)(1u << route->method);
        bool from_get = method == BOLT_METHOD_HEAD && route->method == BOLT_METHOD_GET;
        if (route->method != method && !from_get)
            continue;
        int order = best ? compare_kinds(&route->pattern, &best->pattern) : -1;
        if (order < 0 || (order == 0 && !from_get))
            best = route;
    }
    if (best) {
        match->kind = BOLT_ROUTE_FOUND;
        match->route = (void *)(uintptr_t)best;
        match->head_from_get = best->method != method;
        set_captures(&best->pattern, &segments, path, match);
    } else {
        match->kind = kind_without_route(method, allow, other_form, segments.final_slash);
        match->allow_mask = allow;
    }
}

int naive_add(struct naive_router *naive, struct bolt_router *router, enum bolt_method method, struct bolt_slice text)
{
    struct naive_route *entry = &naive->routes[naive->count];
    struct bolt_errinfo info;
    int err = bolt_pattern_parse(text, &entry->pattern, &info);
    if (err)
        return err;
    void *replaced;
    err = bolt_router_add(router, method, text, entry, &replaced, &info);
    if (err) {
        bolt_pattern_clear(&entry->pattern);
        return err;
    }
    entry->method = method;
    if (replaced)
        ((struct naive_route *)replaced)->method = BOLT_METHOD_OTHER;
    naive->count++;
    return BOLT_OK;
}

void naive_clear(struct naive_router *naive)
{
    for (size_t i = 0; i < naive->count; i++)
        bolt_pattern_clear(&naive->routes[i].pattern);
    naive->count = 0;
}

const char *naive_difference(const struct bolt_route_match *a, const struct bolt_route_match *b)
{
    if (a->kind != b->kind)
        return "kind";
    if (a->route != b->route)
        return "route";
    if (a->allow_mask != b->allow_mask)
        return "allow_mask";
    if (a->head_from_get != b->head_from_get)
        return "head_from_get";
    if (a->capture_count != b->capture_count)
        return "capture_count";
    for (size_t i = 0; i < a->capture_count; i++) {
        if (a->captures[i].ptr != b->captures[i].ptr || a->captures[i].len != b->captures[i].len)
            return "captures";
    }
    return NULL;
}
