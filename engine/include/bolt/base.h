/* SPDX-License-Identifier: MIT */
/* base.h - the few things every module shares: errors, slices, checked sizes, allocation.
 *
 * Errors: 0 is success, negatives are failures. They come in three families that callers treat
 * differently: *wait* (more bytes or a writable socket are needed; call again), *peer* (the other
 * side broke a rule or a limit; maps to a 4xx or a close code) and *fatal* (no memory or an
 * internal failure: the object may only be freed afterwards).
 *
 * Conventions of the whole C code:
 *   - results travel by out-parameter and are untouched on failure; fallible functions are nodiscard;
 *   - `_new/_free` heap object, `_init/_clear` caller's storage, `_ref/_unref` counted,
 *     `_take` the callee becomes owner on success only, `_borrow` valid until the documented
 *     event, `_copy` the caller owns the result. Slices never own.
 */
#ifndef BOLT_BASE_H
#define BOLT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BOLT_NODISCARD __attribute__((warn_unused_result))
#define BOLT_LIKELY(x) __builtin_expect(!!(x), 1)
#define BOLT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define BOLT_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum bolt_err {
    BOLT_OK = 0,

    /* wait: not an error, call again when the condition has changed */
    BOLT_AGAIN = -1, /* needs more input, or the socket would block */

    /* peer: the other side broke a rule or exceeded a limit */
    BOLT_ERR_SYNTAX = -10,       /* malformed message: 400 */
    BOLT_ERR_TARGET_LONG = -11,  /* request target over the limit: 414 */
    BOLT_ERR_HEADERS_LONG = -12, /* header block or header count over the limit: 431 */
    BOLT_ERR_BODY_LONG = -13,    /* content over the limit: 413 */
    BOLT_ERR_VERSION = -14,      /* HTTP version not supported: 505 */
    BOLT_ERR_CODING = -15,       /* transfer coding or method beyond us: 501 */
    BOLT_ERR_UTF8 = -16,         /* octets are not well-formed UTF-8 */
    BOLT_ERR_RANGE = -17,        /* a number does not fit its type */
    BOLT_ERR_CLOSED = -18,       /* the peer is gone */

    /* caller: misuse at registration time, reported to the developer */
    BOLT_ERR_ARGUMENT = -30,
    BOLT_ERR_EXISTS = -31,

    /* fatal: the object may only be freed */
    BOLT_ERR_NOMEM = -40,
    BOLT_ERR_OS = -41, /* errno holds the cause */
};

static inline bool bolt_err_is_peer(int err)
{
    return err <= BOLT_ERR_SYNTAX && err > BOLT_ERR_ARGUMENT;
}

static inline bool bolt_err_is_fatal(int err)
{
    return err <= BOLT_ERR_NOMEM;
}

/* Where and why an input was refused. `text` is static; the engine never formats strings. */
struct bolt_errinfo {
    size_t offset;    /* octets from the start of the message */
    const char *text; /* e.g. "header name contains a space" */
};

/* A view of octets somebody else owns. */
struct bolt_slice {
    const char *ptr;
    size_t len;
};

#define BOLT_SLICE_LIT(s) ((struct bolt_slice){(s), sizeof(s) - 1})

static inline struct bolt_slice bolt_slice_of(const char *ptr, size_t len)
{
    return (struct bolt_slice){ptr, len};
}

static inline bool bolt_slice_eq(struct bolt_slice a, struct bolt_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Does `a` equal the lower-case literal `lower`, ASCII letters compared without case? */
bool bolt_slice_ieq(struct bolt_slice a, struct bolt_slice lower);

/* Checked size arithmetic: true on success, *out untouched otherwise. */
static inline bool bolt_size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

static inline bool bolt_size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* Allocation. Everything in engine/, server/ and db/ allocates through these, so tests can fail
 * the N-th allocation. NULL on failure; bolt_free(NULL) is fine. */
BOLT_NODISCARD void *bolt_malloc(size_t size);
BOLT_NODISCARD void *bolt_calloc(size_t count, size_t size);
BOLT_NODISCARD void *bolt_realloc(void *ptr, size_t size);
void bolt_free(void *ptr);
BOLT_NODISCARD char *bolt_strndup(const char *ptr, size_t len);

/* Test hook (built with -Dfailmalloc=true, else no-ops): let `n` allocations succeed, fail the
 * next one, then succeed again. Negative: never fail. Returns allocations seen since the last call. */
size_t bolt_failmalloc_set(long n);

#endif
