/* SPDX-License-Identifier: MIT */
/* slice.c - comparisons too long to inline. */
#include "bolt/base.h"

static inline unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return (unsigned char)(u - 'A' < 26u ? u | 0x20 : u);
}

bool bolt_slice_ieq(struct bolt_slice a, struct bolt_slice lower_case)
{
    if (a.len != lower_case.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != (unsigned char)lower_case.ptr[i])
            return false;
    }
    return true;
}
