/* SPDX-License-Identifier: MIT */
/* method.h - request methods (RFC 9110 section 9; QUERY from draft-ietf-httpbis-safe-method-w-body). */
#ifndef BOLT_METHOD_H
#define BOLT_METHOD_H

#include "bolt/base.h"

/* Methods the router knows; everything else is BOLT_METHOD_OTHER (name kept in the head). */
enum bolt_method {
    BOLT_METHOD_GET,
    BOLT_METHOD_HEAD,
    BOLT_METHOD_POST,
    BOLT_METHOD_PUT,
    BOLT_METHOD_PATCH,
    BOLT_METHOD_DELETE,
    BOLT_METHOD_OPTIONS,
    BOLT_METHOD_QUERY,
    BOLT_METHOD_TRACE,
    BOLT_METHOD_CONNECT,
    BOLT_METHOD_OTHER,
    BOLT_METHOD_COUNT = BOLT_METHOD_OTHER
};

/* "GET", ... static text; "" for BOLT_METHOD_OTHER. */
struct bolt_slice bolt_method_name(enum bolt_method method);
enum bolt_method bolt_method_from(struct bolt_slice name);

#endif
