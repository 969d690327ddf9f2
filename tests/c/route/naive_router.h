/* SPDX-License-Identifier: MIT */
/* naive_router.h - the router's contract as a loop over all patterns: slow and too simple to be wrong. It judges
 * the real one in test_route.c and fuzz_route.c. Shares only the pattern parser with it. */
#ifndef BOLT_TEST_NAIVE_ROUTER_H
#define BOLT_TEST_NAIVE_ROUTER_H

#include "pattern.h"

#define NAIVE_MAX_ROUTES 32

struct naive_route {
    enum bolt_method method; /* OTHER: replaced by a later registration */
    struct bolt_pattern pattern;
};

struct naive_router {
    struct naive_route routes[NAIVE_MAX_ROUTES];
    size_t count;
};

/* Registers the pattern with both routers; the route of the real one is its entry here. The text must outlive
 * the entry. The result is that of bolt_router_add; naive->count must be below NAIVE_MAX_ROUTES. */
int naive_add(struct naive_router *naive, struct bolt_router *router, enum bolt_method method, struct bolt_slice text);
void naive_match(const struct naive_router *naive, enum bolt_method method, struct bolt_slice path,
                 struct bolt_route_match *match);
void naive_clear(struct naive_router *naive);

/* NULL, or the name of the first member that differs. */
const char *naive_difference(const struct bolt_route_match *a, const struct bolt_route_match *b);

#endif
