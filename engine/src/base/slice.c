/* SPDX-License-Identifier: MIT */
/* slice.c - comparisons too long to inline. */
#include "bolt/ascii.h"

bool bolt_slice_ieq(struct bolt_slice a, struct bolt_slice lower_case)
{
    if (a.len != lower_case.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (bolt_ascii_lower(a.ptr[i]) != lower_case.ptr[i])
            return false;
    }
    return true;
}
