/* SPDX-License-Identifier: MIT */
/* method.c - method names to numbers and back; names are case-sensitive (RFC 9110 9.1). */
#include "bolt/method.h"

static const struct bolt_slice NAMES[BOLT_METHOD_COUNT] = {
    [BOLT_METHOD_GET] = {"GET", 3},         [BOLT_METHOD_HEAD] = {"HEAD", 4},   [BOLT_METHOD_POST] = {"POST", 4},
    [BOLT_METHOD_PUT] = {"PUT", 3},         [BOLT_METHOD_PATCH] = {"PATCH", 5}, [BOLT_METHOD_DELETE] = {"DELETE", 6},
    [BOLT_METHOD_OPTIONS] = {"OPTIONS", 7}, [BOLT_METHOD_QUERY] = {"QUERY", 5}, [BOLT_METHOD_TRACE] = {"TRACE", 5},
    [BOLT_METHOD_CONNECT] = {"CONNECT", 7},
};

struct bolt_slice bolt_method_name(enum bolt_method method)
{
    return method < BOLT_METHOD_COUNT ? NAMES[method] : BOLT_SLICE_LIT("");
}

enum bolt_method bolt_method_from(struct bolt_slice name)
{
    for (unsigned i = 0; i < BOLT_METHOD_COUNT; i++) {
        if (bolt_slice_eq(name, NAMES[i]))
            return (enum bolt_method)i;
    }
    return BOLT_METHOD_OTHER;
}
