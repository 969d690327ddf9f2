/* SPDX-License-Identifier: MIT */
/* http1.c - the request parser's state machine: which part of a message comes next (RFC 9112).
 *
 *                   HEAD                       length           DATA* END
 *     IN_HEAD ----------------> AFTER_HEAD -----------> IN_LENGTH --------> IN_HEAD
 *        |                       |      \____________> IN_CHUNKED ________/
 *        |                       |__ no content: END __> IN_HEAD
 *        \__ any refusal, from any state __> REFUSED (for good)
 *
 * The content limit is judged on the way out of AFTER_HEAD, so that the caller may raise or lower it between
 * HEAD and the next call; that needs no octet of content.
 *
 * Invariants
 *  1. A refusal is remembered and repeated; nothing of the connection is parsed after it.
 *  2. The parser keeps offsets and counters, never pointers into the input.
 *  3. Every call makes progress: it delivers an event, consumes octets, refuses, or needs more than it was given.
 */
#include "http1_int.h"

/* RFC 9112 2.2 asks servers to skip at least one empty line before the request line. */
#define EMPTY_LINES_MAX 4u

const struct bolt_http1_limits BOLT_HTTP1_LIMITS_DEFAULT = {
    .target_bytes = 8192,
    .header_bytes = 8192,
    .header_count = 100,
    .content_bytes = 1024 * 1024,
    .chunk_ext_bytes = 256,
};

struct bolt_http1 *bolt_http1_new(const struct bolt_http1_limits *limits)
{
    struct bolt_http1 *parser = bolt_calloc(1, sizeof(*parser));
    if (!parser)
        return NULL;
    parser->limits = *limits;
    if (parser->limits.header_count > BOLT_HTTP1_MAX_FIELDS)
        parser->limits.header_count = BOLT_HTTP1_MAX_FIELDS;
    parser->state = BOLT_HTTP1_IN_HEAD;
    return parser;
}

void bolt_http1_free(struct bolt_http1 *parser)
{
    bolt_free(parser);
}

static void begin_message(struct bolt_http1 *parser)
{
    parser->state = BOLT_HTTP1_IN_HEAD;
    parser->head_begun = false;
    parser->empty_lines = 0;
    parser->offset = 0;
}

/* *skipped counts whole empty lines; BOLT_AGAIN when nothing or half an empty line is left. */
static int skip_empty_lines(struct bolt_http1 *parser, const char *in, size_t len, size_t *skipped,
                            struct bolt_errinfo *info)
{
    size_t pos = 0;
    int err = BOLT_OK;
    while (pos < len && in[pos] == '\r') {
        if (parser->empty_lines == EMPTY_LINES_MAX)
            return bolt_http1_bad(info, 0, "too many empty lines before the request line");
        if (pos + 1 == len)
            break;
        if (in[pos + 1] != '\n')
            return bolt_http1_bad(info, 0, "bare CR");
        parser->empty_lines++;
        pos += 2;
    }
    if (pos == len || in[pos] == '\r')
        err = BOLT_AGAIN;
    *skipped = pos;
    return err;
}

static int next_head(struct bolt_http1 *parser, const char *in, size_t len, size_t *consumed,
                     enum bolt_http1_event *event, struct bolt_http1_head *head, struct bolt_errinfo *info)
{
    size_t skipped = 0, head_len = 0;
    int err;
    if (!parser->head_begun) {
        err = skip_empty_lines(parser, in, len, &skipped, info);
        *consumed = skipped;
        if (err)
            return err;
        parser->head_begun = true;
    }
    err = bolt_http1_read_head(parser, in + skipped, len - skipped, &head_len, head, info);
    if (err)
        return err;
    *event = BOLT_HTTP1_HEAD;
    *consumed = skipped + head_len;
    parser->offset = head_len;
    parser->chunked = head->chunked;
    parser->content_left = head->content_length;
    parser->content_limit = parser->limits.content_bytes;
    parser->state = BOLT_HTTP1_AFTER_HEAD;
    return BOLT_OK;
}

static int end_message(struct bolt_http1 *parser, enum bolt_http1_event *event)
{
    begin_message(parser);
    *event = BOLT_HTTP1_END;
    return BOLT_OK;
}

static int next_of_length(struct bolt_http1 *parser, const char *in, size_t len, size_t *consumed,
                          enum bolt_http1_event *event, struct bolt_slice *data)
{
    if (parser->content_left == 0)
        return end_message(parser, event);
    if (len == 0)
        return BOLT_AGAIN;
    size_t n = len < parser->content_left ? len : (size_t)parser->content_left;
    *data = bolt_slice_of(in, n);
    *consumed = n;
    *event = BOLT_HTTP1_DATA;
    parser->content_left -= n;
    return BOLT_OK;
}

static int next_of_chunked(struct bolt_http1 *parser, const char *in, size_t len, size_t *consumed,
                           enum bolt_http1_event *event, struct bolt_slice *data, struct bolt_errinfo *info)
{
    if (len == 0)
        return BOLT_AGAIN;
    int err = bolt_chunked_next(&parser->decoder, &parser->limits, parser->content_limit, in, len, consumed, event,
                                data, info);
    if (err && err != BOLT_AGAIN)
        return err;
    parser->offset += *consumed;
    if (!err && *event == BOLT_HTTP1_END)
        begin_message(parser);
    return err;
}

/* Leaves AFTER_HEAD: judges the content limit and picks the framing. */
static int begin_content(struct bolt_http1 *parser, struct bolt_errinfo *info)
{
    if (parser->chunked) {
        parser->decoder = (struct bolt_chunked){.state = BOLT_CHUNKED_SIZE};
        parser->state = BOLT_HTTP1_IN_CHUNKED;
        return BOLT_OK;
    }
    if (parser->content_left > parser->content_limit)
        return bolt_http1_refuse(info, 0, "content is too long", BOLT_ERR_BODY_LONG);
    parser->state = BOLT_HTTP1_IN_LENGTH;
    return BOLT_OK;
}

static int next_event(struct bolt_http1 *parser, const char *in, size_t len, size_t *consumed,
                      enum bolt_http1_event *event, struct bolt_http1_head *head, struct bolt_slice *data,
                      struct bolt_errinfo *info)
{
    if (parser->state == BOLT_HTTP1_IN_HEAD) {
        if (len == 0)
            return BOLT_AGAIN;
        return next_head(parser, in, len, consumed, event, head, info);
    }
    if (parser->state == BOLT_HTTP1_AFTER_HEAD) {
        int err = begin_content(parser, info);
        if (err)
            return err;
    }
    if (parser->state == BOLT_HTTP1_IN_LENGTH)
        return next_of_length(parser, in, len, consumed, event, data);
    return next_of_chunked(parser, in, len, consumed, event, data, info);
}

int bolt_http1_next(struct bolt_http1 *parser, const char *in, size_t len, size_t *consumed,
                    enum bolt_http1_event *event, struct bolt_http1_head *head, struct bolt_slice *data,
                    struct bolt_errinfo *info)
{
    *consumed = 0;
    if (parser->state != BOLT_HTTP1_REFUSED) {
        size_t before = parser->offset;
        int err = next_event(parser, in, len, consumed, event, head, data, &parser->error);
        if (BOLT_LIKELY(err == BOLT_OK || err == BOLT_AGAIN))
            return err;
        parser->error.offset += before;
        parser->err = err;
        parser->state = BOLT_HTTP1_REFUSED;
        *consumed = 0;
    }
    *info = parser->error;
    return parser->err;
}

int bolt_http1_set_content_limit(struct bolt_http1 *parser, uint64_t content_bytes)
{
    parser->content_limit = content_bytes;
    if (parser->state == BOLT_HTTP1_AFTER_HEAD && parser->content_left > content_bytes)
        return BOLT_ERR_BODY_LONG;
    return BOLT_OK;
}

bool bolt_http1_is_idle(const struct bolt_http1 *parser)
{
    return parser->state == BOLT_HTTP1_IN_HEAD && !parser->head_begun;
}

uint64_t bolt_http1_content_left(const struct bolt_http1 *parser)
{
    switch (parser->state) {
    case BOLT_HTTP1_AFTER_HEAD:
    case BOLT_HTTP1_IN_LENGTH:
        return parser->chunked ? UINT64_MAX : parser->content_left;
    case BOLT_HTTP1_IN_CHUNKED:
        return UINT64_MAX;
    case BOLT_HTTP1_IN_HEAD:
    case BOLT_HTTP1_REFUSED:
        break;
    }
    return 0;
}

int bolt_http1_status(int err)
{
    switch (err) {
    case BOLT_ERR_SYNTAX:
        return 400;
    case BOLT_ERR_BODY_LONG:
        return 413;
    case BOLT_ERR_TARGET_LONG:
        return 414;
    case BOLT_ERR_HEADERS_LONG:
        return 431;
    case BOLT_ERR_CODING:
        return 501;
    case BOLT_ERR_VERSION:
        return 505;
    default:
        return 500;
    }
}

int bolt_http1_find(const struct bolt_http1_head *head, struct bolt_slice lower_name, int start)
{
    for (int i = start; i < head->field_count; i++) {
        if (bolt_slice_ieq(head->fields[i].name, lower_name))
            return i;
    }
    return -1;
}
