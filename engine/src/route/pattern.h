/* SPDX-License-Identifier: MIT */
/* pattern.h - a route pattern cut into checked segments; private to route/. */
#ifndef BOLT_ROUTE_PATTERN_H
#define BOLT_ROUTE_PATTERN_H

#include "bolt/route.h"

enum bolt_pattern_kind {
    BOLT_PATTERN_STATIC,
    BOLT_PATTERN_PARAM, /* {name}, {name:type} */
    BOLT_PATTERN_REST,  /* {name:path}; always the last segment */
};

struct bolt_pattern_segment {
    enum bolt_pattern_kind kind;
    struct bolt_slice text; /* static: as it looks in a request target; else the name. Never empty */
};

/* Owns `storage`; the texts of static segments point into it, names into the parsed text. */
struct bolt_pattern {
    struct bolt_pattern_segment segments[BOLT_ROUTE_MAX_SEGMENTS];
    size_t count;
    bool final_slash; /* "/a/" and "/", not "/a" */
    char *storage;
};

/* BOLT_OK, BOLT_ERR_ARGUMENT (info says why) or BOLT_ERR_NOMEM; clear is only needed after BOLT_OK. */
BOLT_NODISCARD int bolt_pattern_parse(struct bolt_slice text, struct bolt_pattern *pattern, struct bolt_errinfo *info);
void bolt_pattern_clear(struct bolt_pattern *pattern);

#endif
