/* SPDX-License-Identifier: MIT */
/* route.h - patterns to routes: a radix tree over path segments, frozen before the first match.
 *
 * Pattern syntax: "/users/{id}" one segment, "/files/{rest:path}" the rest (slashes kept, at least
 * one octet; a ":type" other than "path" is ignored). Static segments win over {name}, {name} over
 * {rest:path}; the search backtracks, so the most specific route of the request's method is found
 * (DELETE /users/me is served by DELETE /users/{id} when /users/me only has GET).
 * Matching works on the raw (still percent-encoded) path, is case-sensitive and treats runs of
 * slashes as one. Captures are raw slices of the path; the binder decodes them. Static text of a pattern that
 * cannot stand in a request target (space, non-ASCII, ...) is stored percent-encoded in upper case.
 */
#ifndef BOLT_ROUTE_H
#define BOLT_ROUTE_H

#include "bolt/buf.h"
#include "bolt/method.h"

#define BOLT_ROUTE_MAX_CAPTURES 32
#define BOLT_ROUTE_MAX_SEGMENTS 64

struct bolt_router; /* opaque */

BOLT_NODISCARD struct bolt_router *bolt_router_new(void);
/* `free_route` (may be NULL) is called for every stored route pointer. */
void bolt_router_free(struct bolt_router *router, void (*free_route)(void *route));

/* Adds `route` for one method (any enum bolt_method except OTHER). An existing route of that method and
 * pattern is replaced and returned through *replaced (else NULL). Capture order = order in the pattern.
 * BOLT_ERR_ARGUMENT (with info) for a malformed pattern: no leading '/', unbalanced or empty braces, a
 * parameter that is only part of a segment, a repeated name, text (a slash too) after {x:path}, '?' or '#',
 * too many captures or segments, method OTHER, a NULL route. After BOLT_ERR_NOMEM the router is unchanged.
 * Two patterns that differ only in parameter names share a node; names belong to the route. */
BOLT_NODISCARD int bolt_router_add(struct bolt_router *router, enum bolt_method method, struct bolt_slice pattern,
                                   void *route, void **replaced, struct bolt_errinfo *info);

enum bolt_route_kind {
    BOLT_ROUTE_FOUND,          /* route and captures are set; HEAD may have matched a GET route (head_from_get) */
    BOLT_ROUTE_NOT_FOUND,      /* 404 */
    BOLT_ROUTE_NOT_ALLOWED,    /* 405: allow_mask says what is */
    BOLT_ROUTE_AUTO_OPTIONS,   /* OPTIONS on a known path without an OPTIONS route: 204 with Allow */
    BOLT_ROUTE_REDIRECT_ADD,   /* the form with a final slash exists: 308 */
    BOLT_ROUTE_REDIRECT_STRIP, /* the form without the final slash exists: 308 */
};

struct bolt_route_match {
    enum bolt_route_kind kind;
    void *route;
    bool head_from_get;
    uint16_t allow_mask; /* NOT_ALLOWED, AUTO_OPTIONS: bit (1 << method) of each method registered at this
                            path; else 0 */
    uint8_t capture_count;
    struct bolt_slice captures[BOLT_ROUTE_MAX_CAPTURES]; /* in pattern order, raw */
};

/* Never fails; does not allocate. "*" (asterisk-form) is NOT_FOUND except for OPTIONS:
 * AUTO_OPTIONS with the methods of all routes. */
void bolt_router_match(const struct bolt_router *router, enum bolt_method method, struct bolt_slice path,
                       struct bolt_route_match *match);

/* Renders "GET, POST, DELETE, OPTIONS": fixed order GET POST PUT PATCH DELETE HEAD QUERY TRACE CONNECT, then
 * OPTIONS always last. HEAD is listed only when registered by itself (kept like the surface). Returns the
 * length (< 96). */
size_t bolt_route_allow(uint16_t allow_mask, char out[96]);

/* Appends the path of the Location field for a REDIRECT_* match. Never the raw path: runs of slashes are
 * collapsed and '\\' is encoded, because a browser reads "//host/" and "/\\host/" as another host (open
 * redirect). */
BOLT_NODISCARD int bolt_route_put_location(struct bolt_buf *out, enum bolt_route_kind kind, struct bolt_slice path);

#endif
