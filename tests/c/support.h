/* SPDX-License-Identifier: MIT */
/* support.h - what most unit tests need: cmocka with its includes, slices of literals, exact heap copies. */
#ifndef BOLT_TEST_SUPPORT_H
#define BOLT_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bolt/base.h"

static inline struct bolt_slice text_of(const char *literal)
{
    return bolt_slice_of(literal, strlen(literal));
}

/* A copy in storage of exactly its size, so that reading one octet too far is seen by the sanitizer. The
 * caller frees copy.ptr. */
static inline struct bolt_slice exact_copy(struct bolt_slice in)
{
    char *ptr = malloc(in.len ? in.len : 1);
    assert_non_null(ptr);
    if (in.len)
        memcpy(ptr, in.ptr, in.len);
    return bolt_slice_of(ptr, in.len);
}

static inline void free_copy(struct bolt_slice copy)
{
    free((void *)(uintptr_t)copy.ptr);
}

#define assert_slice_equal(slice, literal)                                                                             \
    do {                                                                                                               \
        assert_int_equal((slice).len, strlen(literal));                                                                \
        if ((slice).len)                                                                                               \
            assert_memory_equal((slice).ptr, literal, (slice).len);                                                    \
    } while (0)

/* xorshift64*: the same numbers on every machine. The seed must not be 0. */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

#endif
