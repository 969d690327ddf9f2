/* SPDX-License-Identifier: MIT */
/* route.c - the router: a tree with one level per path segment, searched depth first.
 *
 *   GET /users/me            (root) --users--> (o) --me--> (o) plain: GET
 *   GET /users/{id}/                            |--{}---> (o) slash: GET
 *   GET /users/{rest:path}                      `- rest: GET
 *
 * A node stands for "these segments have been read". It has static children in a sorted array, at most one
 * child for a parameter, and up to three endpoints (tables of routes by method): the path ends here without
 * a final slash (plain), with one (slash), or goes on and everything left is one capture (rest).
 *
 * Matching walks the raw path once from left to right: static child, else parameter child, else rest. A
 * branch that ends without a route for the method is abandoned and the next less specific one is tried, so
 * DELETE /users/me reaches DELETE /users/{id} when only GET is registered for /users/me. Methods seen at
 * endpoints that fit the path are collected on the way: they are the Allow field when the search fails.
 *
 * Invariants
 *  1. A node at depth d is only ever compared with the d-th segment, so a search visits each node at most
 *     once: its cost is bounded by the number of registered segments, whatever the request is.
 *  2. The depth of the tree, and so of the recursion, is at most BOLT_ROUTE_MAX_SEGMENTS.
 *  3. The capture count on the way down equals the number of parameters passed, so captures come in pattern
 * order.
 *  4. "/" has no plain form: the root node only uses its slash endpoint and is never redirected.
 *  5. Matching only reads the tree. Once nothing is added any more, any thread may match.
 *
 * Not done here: percent-decoding (the binder), "." and ".." segments (they are ordinary text).
 */
#include "bolt/route.h"

#include "pattern.h"

struct endpoint {
    uint16_t mask; /* 1 << method for each route that is set */
    void *routes[BOLT_METHOD_COUNT];
};

struct edge {
    size_t len;
    uint64_t head; /* segment_head() of the text */
    char *text;    /* owned */
    struct node *child;
};

struct node {
    struct edge *edges; /* sorted by (len, head, rest of the text) */
    size_t edge_count;
    struct node *param;
    struct endpoint *plain;
    struct endpoint *slash;
    struct endpoint *rest;
    struct node *next_created; /* every node of the router, for free */
};

struct bolt_router {
    struct node root;
    struct node *created;
    uint16_t mask; /* of all routes */
};

/* --- static children --- */

/* Up to eight octets of the text as a number; together with the length it identifies texts of up to eight
 * octets, so that most comparisons are two integer compares. The order it gives is arbitrary but total. */
static uint64_t segment_head(const char *text, size_t len)
{
    uint64_t head = 0;
    if (len >= 8) {
        memcpy(&head, text, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + len - 4, 4);
        head = (uint64_t)first << 32 | last;
    } else if (len) {
        head = (uint64_t)(unsigned char)text[0] << 16 | (uint64_t)(unsigned char)text[len / 2] << 8 |
               (unsigned char)text[len - 1];
    }
    return head;
}

static int compare_text(const struct edge *edge, const char *text, size_t len, uint64_t head)
{
    if (edge->len != len)
        return edge->len < len ? -1 : 1;
    if (edge->head != head)
        return edge->head < head ? -1 : 1;
    return len > 8 ? memcmp(edge->text + 8, text + 8, len - 8) : 0;
}

/* Index of the edge with this text, or where to insert it (*found = false). */
static size_t edge_position(const struct node *node, struct bolt_slice text, bool *found)
{
    uint64_t head = segment_head(text.ptr, text.len);
    size_t low = 0, high = node->edge_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_text(&node->edges[middle], text.ptr, text.len, head);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- building --- */

static struct node *node_new(struct bolt_router *router)
{
    struct node *node = bolt_calloc(1, sizeof(*node));
    if (!node)
        return NULL;
    node->next_created = router->created;
    router->created = node;
    return node;
}

static struct node *insert_edge(struct bolt_router *router, struct node *node, size_t position, struct bolt_slice text)
{
    size_t size;
    if (!bolt_size_mul(node->edge_count + 1, sizeof(struct edge), &size))
        return NULL;
    struct edge *edges = bolt_realloc(node->edges, size);
    if (!edges)
        return NULL;
    node->edges = edges;
    char *copy = bolt_strndup(text.ptr, text.len);
    if (!copy)
        return NULL;
    struct node *child = node_new(router);
    if (!child) {
        bolt_free(copy);
        return NULL;
    }
    memmove(&edges[position + 1], &edges[position], (node->edge_count - position) * sizeof(struct edge));
    edges[position] = (struct edge){text.len, segment_head(text.ptr, text.len), copy, child};
    node->edge_count++;
    return child;
}

/* The child of `node` for one pattern segment, created when missing. NULL when out of memory. */
static struct node *child_for(struct bolt_router *router, struct node *node, const struct bolt_pattern_segment *segment)
{
    if (segment->kind == BOLT_PATTERN_PARAM) {
        if (!node->param)
            node->param = node_new(router);
        return node->param;
    }
    bool found;
    size_t position = edge_position(node, segment->text, &found);
    return found ? node->edges[position].child : insert_edge(router, node, position, segment->text);
}

/* The endpoint slot of a pattern, with the nodes leading to it. NULL when out of memory; nodes created
 * until then stay in the tree without endpoints, which no search can tell from their absence. */
static struct endpoint **slot_for(struct bolt_router *router, const struct bolt_pattern *pattern)
{
    struct node *node = &router->root;
    for (size_t i = 0; i < pattern->count; i++) {
        if (pattern->segments[i].kind == BOLT_PATTERN_REST)
            return &node->rest;
        node = child_for(router, node, &pattern->segments[i]);
        if (!node)
            return NULL;
    }
    return pattern->final_slash ? &node->slash : &node->plain;
}

static int set_route(struct bolt_router *router, enum bolt_method method, const struct bolt_pattern *pattern,
                     void *route, void **replaced)
{
    struct endpoint **slot = slot_for(router, pattern);
    if (!slot)
        return BOLT_ERR_NOMEM;
    if (!*slot) {
        *slot = bolt_calloc(1, sizeof(**slot));
        if (!*slot)
            return BOLT_ERR_NOMEM;
    }
    uint16_t bit = (uint16_t)(1u << method);
    *replaced = (*slot)->routes[method];
    (*slot)->routes[method] = route;
    (*slot)->mask |= bit;
    router->mask |= bit;
    return BOLT_OK;
}

struct bolt_router *bolt_router_new(void)
{
    return bolt_calloc(1, sizeof(struct bolt_router));
}

int bolt_router_add(struct bolt_router *router, enum bolt_method method, struct bolt_slice pattern, void *route,
                    void **replaced, struct bolt_errinfo *info)
{
    if (method >= BOLT_METHOD_COUNT || !route) {
        *info = (struct bolt_errinfo){0, route ? "unknown method" : "the route is NULL"};
        return BOLT_ERR_ARGUMENT;
    }
    struct bolt_pattern parsed;
    int err = bolt_pattern_parse(pattern, &parsed, info);
    if (err)
        return err;
    err = set_route(router, method, &parsed, route, replaced);
    bolt_pattern_clear(&parsed);
    return err;
}

static void endpoint_free(struct endpoint *endpoint, void (*free_route)(void *route))
{
    for (size_t i = 0; endpoint && free_route && i < BOLT_METHOD_COUNT; i++) {
        if (endpoint->routes[i])
            free_route(endpoint->routes[i]);
    }
    bolt_free(endpoint);
}

static void node_clear(struct node *node, void (*free_route)(void *route))
{
    for (size_t i = 0; i < node->edge_count; i++)
        bolt_free(node->edges[i].text);
    bolt_free(node->edges);
    endpoint_free(node->plain, free_route);
    endpoint_free(node->slash, free_route);
    endpoint_free(node->rest, free_route);
}

void bolt_router_free(struct bolt_router *router, void (*free_route)(void *route))
{
    if (!router)
        return;
    node_clear(&router->root, free_route);
    while (router->created) {
        struct node *node = router->created;
        router->created = node->next_created;
        node_clear(node, free_route);
        bolt_free(node);
    }
    bolt_free(router);
}

/* --- matching --- */

struct search {
    const char *end;
    enum bolt_method method;
    uint16_t allow;             /* methods of every endpoint that fits the path */
    enum bolt_route_kind other; /* NOT_FOUND, or the redirect to the form that exists */
    struct bolt_route_match *match;
};

static bool accept_endpoint(struct search *search, const struct endpoint *endpoint)
{
    struct bolt_route_match *match = search->match;
    search->allow |= endpoint->mask;
    if (search->method >= BOLT_METHOD_COUNT)
        return false;
    match->route = endpoint->routes[search->method];
    if (!match->route && search->method == BOLT_METHOD_HEAD) {
        match->route = endpoint->routes[BOLT_METHOD_GET];
        match->head_from_get = match->route != NULL;
    }
    return match->route != NULL;
}

static bool end_of_path(struct search *search, const struct node *node, bool final_slash)
{
    const struct endpoint *endpoint = final_slash ? node->slash : node->plain;
    if (endpoint)
        return accept_endpoint(search, endpoint);
    if (final_slash ? node->plain : node->slash)
        search->other = final_slash ? BOLT_ROUTE_REDIRECT_STRIP : BOLT_ROUTE_REDIRECT_ADD;
    return false;
}

static void push_capture(struct bolt_route_match *match, const char *from, const char *to)
{
    match->captures[match->capture_count++] = bolt_slice_of(from, (size_t)(to - from));
}

/* Everything from `from` (the octet after the segments of `node`) to the end. Recursion: invariant 2. */
static bool walk(struct search *search, const struct node *node, const char *from)
{
    struct bolt_route_match *match = search->match;
    const char *segment = from;
    while (segment < search->end && *segment == '/')
        segment++;
    if (segment == search->end)
        return end_of_path(search, node, segment != from);
    const char *next = segment + 1;
    while (next < search->end && *next != '/')
        next++;

    if (node->edge_count) {
        bool found;
        size_t position = edge_position(node, bolt_slice_of(segment, (size_t)(next - segment)), &found);
        if (found && walk(search, node->edges[position].child, next))
            return true;
    }
    if (node->param) {
        push_capture(match, segment, next);
        if (walk(search, node->param, next))
            return true;
        match->capture_count--;
    }
    if (node->rest) {
        push_capture(match, segment, search->end);
        if (accept_endpoint(search, node->rest))
            return true;
        match->capture_count--;
    }
    return false;
}

void bolt_router_match(const struct bolt_router *router, enum bolt_method method, struct bolt_slice path,
                       struct bolt_route_match *match)
{
    struct search search = {path.ptr + path.len, method, 0, BOLT_ROUTE_NOT_FOUND, match};
    match->route = NULL;
    match->head_from_get = false;
    match->allow_mask = 0;
    match->capture_count = 0;
    if (path.len == 0 || path.ptr[0] != '/') {
        bool server_wide = method == BOLT_METHOD_OPTIONS && bolt_slice_eq(path, BOLT_SLICE_LIT("*"));
        match->kind = server_wide ? BOLT_ROUTE_AUTO_OPTIONS : BOLT_ROUTE_NOT_FOUND;
        match->allow_mask = server_wide ? router->mask : 0;
        return;
    }
    if (walk(&search, &router->root, path.ptr)) {
        match->kind = BOLT_ROUTE_FOUND;
    } else if (search.allow) {
        match->kind = method == BOLT_METHOD_OPTIONS ? BOLT_ROUTE_AUTO_OPTIONS : BOLT_ROUTE_NOT_ALLOWED;
        match->allow_mask = search.allow;
    } else {
        match->kind = search.other;
    }
}

/* --- answers that follow from a match --- */

size_t bolt_route_allow(uint16_t allow_mask, char out[96])
{
    static const uint8_t ORDER[] = {BOLT_METHOD_GET,   BOLT_METHOD_POST,   BOLT_METHOD_PUT,
                                    BOLT_METHOD_PATCH, BOLT_METHOD_DELETE, BOLT_METHOD_HEAD,
                                    BOLT_METHOD_QUERY, BOLT_METHOD_TRACE,  BOLT_METHOD_CONNECT};
    size_t len = 0;
    for (size_t i = 0; i < BOLT_ARRAY_LEN(ORDER); i++) {
        if (!(allow_mask & 1u << ORDER[i]))
            continue;
        struct bolt_slice name = bolt_method_name((enum bolt_method)ORDER[i]);
        memcpy(out + len, name.ptr, name.len);
        memcpy(out + len + name.len, ", ", 2);
        len += name.len + 2;
    }
    struct bolt_slice last = bolt_method_name(BOLT_METHOD_OPTIONS);
    memcpy(out + len, last.ptr, last.len);
    return len + last.len;
}

int bolt_route_put_location(struct bolt_buf *out, enum bolt_route_kind kind, struct bolt_slice path)
{
    size_t size;
    if (!bolt_size_mul(path.len, 3, &size) || !bolt_size_add(size, 1, &size))
        return BOLT_ERR_NOMEM;
    int err = bolt_buf_reserve(out, size);
    if (err)
        return err;
    size_t end = path.len;
    while (end && path.ptr[end - 1] == '/')
        end--;
    char *to = out->ptr + out->len;
    for (size_t i = 0; i < end; i++) {
        if (path.ptr[i] == '\\') {
            memcpy(to, "%5C", 3);
            to += 3;
        } else if (path.ptr[i] != '/' || path.ptr[i + 1] != '/') {
            *to++ = path.ptr[i];
        }
    }
    if (kind == BOLT_ROUTE_REDIRECT_ADD || end == 0)
        *to++ = '/';
    out->len = (size_t)(to - out->ptr);
    return BOLT_OK;
}
