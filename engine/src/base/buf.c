/* SPDX-License-Identifier: MIT */
/* buf.c - growth by doubling from 512 octets; the storage never shrinks except by clear. */
#include "bolt/buf.h"

#define BUF_MIN_CAP 512

void bolt_buf_clear(struct bolt_buf *buf)
{
    bolt_free(buf->ptr);
    *buf = (struct bolt_buf){0};
}

int bolt_buf_grow(struct bolt_buf *buf, size_t extra)
{
    size_t need;
    if (!bolt_size_add(buf->len, extra, &need))
        return BOLT_ERR_NOMEM;
    size_t cap = buf->cap ? buf->cap : BUF_MIN_CAP;
    while (cap < need) {
        if (!bolt_size_mul(cap, 2, &cap))
            return BOLT_ERR_NOMEM;
    }
    char *ptr = bolt_realloc(buf->ptr, cap);
    if (!ptr)
        return BOLT_ERR_NOMEM;
    buf->ptr = ptr;
    buf->cap = cap;
    return BOLT_OK;
}

void bolt_buf_consume(struct bolt_buf *buf, size_t len)
{
    if (len == 0)
        return;
    buf->len -= len;
    memmove(buf->ptr, buf->ptr + len, buf->len);
}

int bolt_buf_put_u64(struct bolt_buf *buf, uint64_t value)
{
    char digits[20];
    size_t pos = sizeof(digits);
    do {
        digits[--pos] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return bolt_buf_put(buf, digits + pos, sizeof(digits) - pos);
}
