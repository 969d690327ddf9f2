/* SPDX-License-Identifier: MIT */
/* chunked.c - the chunked transfer coding, decoding side (RFC 9112 section 7.1).
 *
 *            ';'            CR                     LF, size > 0        all read
 *     SIZE --------> EXT --------> SIZE_LF ----------------> DATA -----------> DATA_CR --> DATA_LF --> SIZE
 *       \_____________CR____________/   \__ LF, size 0 __> TRAILER --> END
 *
 * Octets are consumed as they are understood, so a call goes on exactly where the last one ended; only a
 * trailer line is kept until it is whole. Content is delivered as slices of the input, never copied.
 *
 * Invariants
 *  1. `decoded` counts announced content and never exceeds the content limit: a chunk is refused by its size
 *     line, before any of it arrives.
 *  2. Extensions are limited per chunk; extensions and trailer fields together are limited per message by
 *     limits.header_bytes, so tiny chunks cannot carry an unlimited amount of ignored octets.
 *  3. CR and LF inside an extension are refused, quoted or not: readings of them differ between servers.
 * Extensions are ignored (7.1.1), trailer fields are checked and dropped (7.1.2).
 */
#include "bolt/ascii.h"
#include "http1_int.h"

#define SIZE_DIGITS_MAX 16u /* what a uint64_t holds */

struct reader {
    const char *in;
    size_t pos;
    size_t len;
};

static int read_size(struct bolt_chunked *decoder, struct reader *in, struct bolt_errinfo *info)
{
    for (; in->pos < in->len; in->pos++) {
        char c = in->in[in->pos];
        int digit = bolt_ascii_hex(c);
        if (digit >= 0) {
            if (decoder->digits == SIZE_DIGITS_MAX)
                return bolt_http1_bad(info, in->pos, "chunk size has too many digits");
            decoder->digits++;
            decoder->left = decoder->left << 4 | (uint64_t)digit;
            continue;
        }
        if (decoder->digits == 0 || (c != ';' && c != '\r'))
            return bolt_http1_bad(info, in->pos, "malformed chunk size");
        decoder->state = c == ';' ? BOLT_CHUNKED_EXTENSION : BOLT_CHUNKED_SIZE_LF;
        if (c == '\r')
            in->pos++;
        return BOLT_OK;
    }
    return BOLT_AGAIN;
}

/* Counts the octets from ';' up to CR. */
static int skip_extension(struct bolt_chunked *decoder, const struct bolt_http1_limits *limits, struct reader *in,
                          struct bolt_errinfo *info)
{
    const char *start = in->in + in->pos, *end = in->in + in->len;
    const char *stop = bolt_scan_value(start, end);
    size_t n = (size_t)(stop - start);
    uint32_t chunk_room = limits->chunk_ext_bytes - decoder->extension_bytes;
    uint32_t total_room = limits->header_bytes - decoder->overhead_bytes;
    uint32_t room = chunk_room < total_room ? chunk_room : total_room;
    if (n > room)
        return bolt_http1_bad(info, in->pos + room, "chunk extensions are too long");
    decoder->extension_bytes += (uint32_t)n;
    decoder->overhead_bytes += (uint32_t)n;
    in->pos += n;
    if (stop == end)
        return BOLT_AGAIN;
    if (*stop != '\r')
        return bolt_http1_bad(info, in->pos, *stop == '\n' ? "bare LF" : "control character in chunk extension");
    in->pos++;
    decoder->state = BOLT_CHUNKED_SIZE_LF;
    return BOLT_OK;
}

static int expect_octet(struct reader *in, char octet, const char *text, struct bolt_errinfo *info)
{
    if (in->pos == in->len)
        return BOLT_AGAIN;
    if (in->in[in->pos] != octet)
        return bolt_http1_bad(info, in->pos, text);
    in->pos++;
    return BOLT_OK;
}

static int end_size_line(struct bolt_chunked *decoder, uint64_t content_limit, struct reader *in,
                         struct bolt_errinfo *info)
{
    int err = expect_octet(in, '\n', "bare CR", info);
    if (err)
        return err;
    if (decoder->left > content_limit - decoder->decoded)
        return bolt_http1_refuse(info, in->pos, "content is too long", BOLT_ERR_BODY_LONG);
    decoder->decoded += decoder->left;
    decoder->state = decoder->left ? BOLT_CHUNKED_DATA : BOLT_CHUNKED_TRAILER;
    return BOLT_OK;
}

/* BOLT_OK: the empty line after the trailer fields was read, the message is complete. */
static int skip_trailer(struct bolt_chunked *decoder, const struct bolt_http1_limits *limits, struct reader *in,
                        struct bolt_errinfo *info)
{
    for (;;) {
        size_t room = limits->header_bytes - decoder->overhead_bytes;
        size_t end = in->len - in->pos < room ? in->len : in->pos + room;
        struct bolt_http1_field field;
        size_t next = in->pos;
        int err = BOLT_AGAIN;
        if (in->pos < end && in->in[in->pos] == '\r') {
            if (in->pos + 1 < end) {
                in->pos++;
                return expect_octet(in, '\n', "bare CR", info);
            }
        } else if (in->pos < end) {
            if (decoder->trailer_count == limits->header_count)
                return bolt_http1_refuse(info, in->pos, "too many trailer fields", BOLT_ERR_HEADERS_LONG);
            err = bolt_http1_read_field(in->in, in->pos, end, &field, &next, info);
        }
        if (err == BOLT_AGAIN && in->len - in->pos > room)
            return bolt_http1_refuse(info, end, "trailer section is too long", BOLT_ERR_HEADERS_LONG);
        if (err)
            return err;
        decoder->trailer_count++;
        decoder->overhead_bytes += (uint32_t)(next - in->pos);
        in->pos = next;
    }
}

static struct bolt_slice take_data(struct bolt_chunked *decoder, struct reader *in)
{
    size_t n = in->len - in->pos;
    if (n > decoder->left)
        n = (size_t)decoder->left;
    struct bolt_slice data = bolt_slice_of(in->in + in->pos, n);
    in->pos += n;
    decoder->left -= n;
    if (decoder->left == 0)
        decoder->state = BOLT_CHUNKED_DATA_CR;
    return data;
}

/* Everything around the content: reads on until octets of a chunk, the end, or the input's end. */
static int read_framing(struct bolt_chunked *decoder, const struct bolt_http1_limits *limits, uint64_t content_limit,
                        struct reader *in, bool *ended, struct bolt_errinfo *info)
{
    int err = BOLT_OK;
    while (!err && decoder->state != BOLT_CHUNKED_DATA && !*ended) {
        switch (decoder->state) {
        case BOLT_CHUNKED_SIZE:
            err = read_size(decoder, in, info);
            break;
        case BOLT_CHUNKED_EXTENSION:
            err = skip_extension(decoder, limits, in, info);
            break;
        case BOLT_CHUNKED_SIZE_LF:
            err = end_size_line(decoder, content_limit, in, info);
            break;
        case BOLT_CHUNKED_DATA_CR:
            err = expect_octet(in, '\r', "chunk data is not followed by CRLF", info);
            if (!err)
                decoder->state = BOLT_CHUNKED_DATA_LF;
            break;
        case BOLT_CHUNKED_DATA_LF:
            err = expect_octet(in, '\n', "bare CR", info);
            if (!err) {
                decoder->state = BOLT_CHUNKED_SIZE;
                decoder->digits = 0;
                decoder->extension_bytes = 0;
            }
            break;
        case BOLT_CHUNKED_TRAILER:
            err = skip_trailer(decoder, limits, in, info);
            *ended = !err;
            break;
        case BOLT_CHUNKED_DATA:
            break;
        }
    }
    return err;
}

int bolt_chunked_next(struct bolt_chunked *decoder, const struct bolt_http1_limits *limits, uint64_t content_limit,
                      const char *in, size_t len, size_t *consumed, enum bolt_http1_event *event,
                      struct bolt_slice *data, struct bolt_errinfo *info)
{
    struct reader reader = {in, 0, len};
    bool ended = false;
    int err = read_framing(decoder, limits, content_limit, &reader, &ended, info);
    if (!err && !ended && reader.pos == len)
        err = BOLT_AGAIN;
    if (err && err != BOLT_AGAIN)
        return err;
    if (!err && ended) {
        *event = BOLT_HTTP1_END;
    } else if (!err) {
        *event = BOLT_HTTP1_DATA;
        *data = take_data(decoder, &reader);
    }
    *consumed = reader.pos;
    return err;
}
