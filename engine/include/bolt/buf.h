/* SPDX-License-Identifier: MIT */
/* buf.h - a growable run of octets, the output side of every encoder. */
#ifndef BOLT_BUF_H
#define BOLT_BUF_H

#include "bolt/base.h"

/* Open struct: encoders write at ptr+len after bolt_buf_reserve. Owns `ptr`. */
struct bolt_buf {
    char *ptr;
    size_t len;
    size_t cap;
};

static inline void bolt_buf_init(struct bolt_buf *buf)
{
    *buf = (struct bolt_buf){0};
}

/* Releases the storage and leaves an empty, usable buffer. */
void bolt_buf_clear(struct bolt_buf *buf);

/* Grows so that `extra` more octets fit; out of line part of bolt_buf_reserve. */
BOLT_NODISCARD int bolt_buf_grow(struct bolt_buf *buf, size_t extra);

/* Makes room for `extra` octets at ptr+len. BOLT_OK or BOLT_ERR_NOMEM (contents unchanged). */
BOLT_NODISCARD static inline int bolt_buf_reserve(struct bolt_buf *buf, size_t extra)
{
    if (BOLT_LIKELY(buf->cap - buf->len >= extra))
        return BOLT_OK;
    return bolt_buf_grow(buf, extra);
}

BOLT_NODISCARD static inline int bolt_buf_put(struct bolt_buf *buf, const void *src, size_t len)
{
    int err = bolt_buf_reserve(buf, len);
    if (err)
        return err;
    if (len)
        memcpy(buf->ptr + buf->len, src, len);
    buf->len += len;
    return BOLT_OK;
}

#define bolt_buf_put_lit(buf, lit) bolt_buf_put((buf), (lit), sizeof(lit) - 1)

BOLT_NODISCARD static inline int bolt_buf_put_byte(struct bolt_buf *buf, char byte)
{
    int err = bolt_buf_reserve(buf, 1);
    if (err)
        return err;
    buf->ptr[buf->len++] = byte;
    return BOLT_OK;
}

/* Drops the first `len` octets (moves the rest down). Precondition: len <= buf->len. */
void bolt_buf_consume(struct bolt_buf *buf, size_t len);

/* Appends the decimal digits of `value`. */
BOLT_NODISCARD int bolt_buf_put_u64(struct bolt_buf *buf, uint64_t value);

#endif
