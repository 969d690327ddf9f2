/* SPDX-License-Identifier: MIT */
/* json_write.c - strings and integers as msgspec spells them.
 *
 * Escapes (RFC 8259 section 7): the two-character forms where they exist, \u00xx with lower-case digits for
 * the other controls, nothing else: '/', DEL and non-ASCII stay as they are. Runs without escapes are found
 * eight octets at a time and copied whole.
 */
#include "bolt/json_write.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The character after the backslash; 'u' for \u00xx, 0 when the octet needs no escape. */
static const char ESCAPES[256] = {
    ['"'] = '"',  ['\\'] = '\\', [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u', [0x04] = 'u',
    [0x05] = 'u', [0x06] = 'u',  [0x07] = 'u', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [0x0b] = 'u',
    ['\f'] = 'f', ['\r'] = 'r',  [0x0e] = 'u', [0x0f] = 'u', [0x10] = 'u', [0x11] = 'u', [0x12] = 'u',
    [0x13] = 'u', [0x14] = 'u',  [0x15] = 'u', [0x16] = 'u', [0x17] = 'u', [0x18] = 'u', [0x19] = 'u',
    [0x1a] = 'u', [0x1b] = 'u',  [0x1c] = 'u', [0x1d] = 'u', [0x1e] = 'u', [0x1f] = 'u',
};

/* High bit of each octet that is zero (exact for the lowest such octet, which is all "is there any" needs).
 */
static inline uint64_t zero_octets(uint64_t word)
{
    return (word - ONES) & ~word & HIGH_BITS;
}

static inline bool word_needs_escape(const char *ptr)
{
    uint64_t word;
    memcpy(&word, ptr, sizeof(word));
    uint64_t controls = (word - ONES * 0x20) & ~word & HIGH_BITS;
    return (controls | zero_octets(word ^ ONES * '"') | zero_octets(word ^ ONES * '\\')) != 0;
}

/* Octets at the start of `text` that are copied as they are. */
static size_t plain_run(const char *ptr, size_t len)
{
    size_t run = 0;
    while (len - run >= 8 && !word_needs_escape(ptr + run))
        run += 8;
    while (run < len && !ESCAPES[(unsigned char)ptr[run]])
        run++;
    return run;
}

static int put_escape(struct bolt_buf *out, unsigned char c)
{
    static const char HEX[] = "0123456789abcdef";
    char kind = ESCAPES[c];
    char text[6] = {'\\', kind, '0', '0', HEX[c >> 4], HEX[c & 15]};
    return bolt_buf_put(out, text, kind == 'u' ? 6 : 2);
}

int bolt_json_put_string(struct bolt_buf *out, struct bolt_slice text)
{
    size_t before = out->len;
    size_t quoted;
    if (!bolt_size_add(text.len, 2, &quoted))
        return BOLT_ERR_NOMEM;
    int err = bolt_buf_reserve(out, quoted); /* all there is to do for text without escapes */
    if (err)
        return err;
    out->ptr[out->len++] = '"';
    for (size_t i = 0; i < text.len;) {
        size_t run = plain_run(text.ptr + i, text.len - i);
        err = bolt_buf_put(out, text.ptr + i, run);
        i += run;
        if (!err && i < text.len)
            err = put_escape(out, (unsigned char)text.ptr[i++]);
        if (err)
            goto fail;
    }
    err = bolt_buf_put_byte(out, '"');
    if (err)
        goto fail;
    return BOLT_OK;

fail:
    out->len = before;
    return err;
}

int bolt_json_put_i64(struct bolt_buf *out, int64_t value)
{
    int err = bolt_buf_reserve(out, 20); /* "-9223372036854775808": the pieces below cannot fail apart */
    if (err)
        return err;
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        out->ptr[out->len++] = '-';
        magnitude = 0 - magnitude;
    }
    return bolt_buf_put_u64(out, magnitude);
}
