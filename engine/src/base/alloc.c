/* SPDX-License-Identifier: MIT */
/* alloc.c - the one place that calls malloc, so tests can make the N-th allocation fail. */
#include "bolt/base.h"

#include <stdlib.h>

#ifdef BOLT_FAILMALLOC
static long fail_countdown = -1;
static size_t seen;

static bool must_fail(void)
{
    seen++;
    return fail_countdown >= 0 && fail_countdown-- == 0;
}

size_t bolt_failmalloc_set(long n)
{
    size_t before = seen;
    seen = 0;
    fail_countdown = n;
    return before;
}
#else
static inline bool must_fail(void)
{
    return false;
}

size_t bolt_failmalloc_set(long n)
{
    (void)n;
    return 0;
}
#endif

void *bolt_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size ? size : 1);
}

void *bolt_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *bolt_realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : realloc(ptr, size ? size : 1);
}

void bolt_free(void *ptr)
{
    free(ptr);
}

char *bolt_strndup(const char *ptr, size_t len)
{
    size_t size;
    if (!bolt_size_add(len, 1, &size))
        return NULL;
    char *copy = bolt_malloc(size);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, ptr, len);
    copy[len] = '\0';
    return copy;
}
