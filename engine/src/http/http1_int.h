/* SPDX-License-Identifier: MIT */
/* http1_int.h - what the files of the HTTP/1 parser share.
 *
 *     http1.c            the state machine: which part of a message comes next, sticky errors
 *     http1_head.c       request line and field lines -> bolt_http1_head (syntax, limits)
 *     http1_target.c     the four forms of a request target, host syntax
 *     http1_semantics.c  what the fields mean for the connection: framing, persistence, Host
 *     chunked.c          the chunked transfer coding
 *     http1_scan.h       octet classes and scans
 *
 * Rule that makes the parser insensitive to how the octets are cut: *errors are prefix-stable*. Octets are
 * judged strictly in order, and a limit is judged before the octet that lies beyond it, so an input that is
 * refused is refused with the same error at the same offset whatever follows. Nothing is judged earlier or
 * later because more octets happen to be present.
 *
 * Offsets in bolt_errinfo are relative to the octets given to the function; http1.c adds what the message
 * consumed before.
 */
#ifndef BOLT_HTTP1_INT_H
#define BOLT_HTTP1_INT_H

#include "bolt/http1.h"
#include "http1_scan.h"

/* Where reading goes on in a header section that is not complete yet. */
struct bolt_http1_resume {
    size_t line;    /* offset of the first line not known to be sound; 0: the request line */
    size_t budget;  /* offset that no octet of the header section may reach (limits.header_bytes) */
    uint16_t count; /* field lines before `line` */
};

enum bolt_chunked_state {
    BOLT_CHUNKED_SIZE,
    BOLT_CHUNKED_EXTENSION,
    BOLT_CHUNKED_SIZE_LF,
    BOLT_CHUNKED_DATA,
    BOLT_CHUNKED_DATA_CR,
    BOLT_CHUNKED_DATA_LF,
    BOLT_CHUNKED_TRAILER
};

struct bolt_chunked {
    enum bolt_chunked_state state;
    uint32_t digits;          /* of the current chunk-size */
    uint32_t extension_bytes; /* of the current chunk */
    uint32_t overhead_bytes;  /* extensions and trailer fields of the message */
    uint32_t trailer_count;
    uint64_t left;    /* size of the current chunk, then what is left of it */
    uint64_t decoded; /* content octets announced so far; never above the content limit */
};

enum bolt_http1_state {
    BOLT_HTTP1_IN_HEAD,    /* between messages or inside a header section */
    BOLT_HTTP1_AFTER_HEAD, /* HEAD is delivered, the content limit not judged yet */
    BOLT_HTTP1_IN_LENGTH,  /* inside content of known length */
    BOLT_HTTP1_IN_CHUNKED,
    BOLT_HTTP1_REFUSED /* `error` and `err` are the answer to everything */
};

struct bolt_http1 {
    struct bolt_http1_limits limits;
    enum bolt_http1_state state;
    bool head_begun;     /* an octet of the request line was seen */
    bool chunked;        /* of the current message */
    uint8_t empty_lines; /* skipped before this request line */
    struct bolt_http1_resume resume;
    uint64_t content_limit; /* of the current message */
    uint64_t content_left;  /* IN_LENGTH and AFTER_HEAD */
    size_t offset;          /* octets of the message consumed by earlier calls */
    struct bolt_chunked decoder;
    int err;
    struct bolt_errinfo error;
};

/* Facts collected while field lines are read, used once the section is complete. */
struct bolt_http1_facts {
    uint32_t repeated; /* bit of each enum bolt_http1_known that occurs more than once */
};

/* Fills `info` and returns `err`, so that refusing is one expression. */
static inline int bolt_http1_refuse(struct bolt_errinfo *info, size_t offset, const char *text, int err)
{
    info->offset = offset;
    info->text = text;
    return err;
}

static inline int bolt_http1_bad(struct bolt_errinfo *info, size_t offset, const char *text)
{
    return bolt_http1_refuse(info, offset, text, BOLT_ERR_SYNTAX);
}

/* Reads a header section that starts at in[0]. BOLT_AGAIN keeps `resume` for the next, longer input. */
BOLT_NODISCARD int bolt_http1_read_head(struct bolt_http1 *parser, const char *in, size_t len, size_t *head_len,
                                        struct bolt_http1_head *head, struct bolt_errinfo *info);

/* Reads one field line including its CRLF at in + pos; *next is the offset after it. */
BOLT_NODISCARD int bolt_http1_read_field(const char *in, size_t pos, size_t end, struct bolt_http1_field *field,
                                         size_t *next, struct bolt_errinfo *info);

/* Splits head->target into authority, path and query according to the method (RFC 9112 3.2). */
BOLT_NODISCARD int bolt_http1_read_target(struct bolt_http1_head *head, const char *query_mark, const char *in,
                                          struct bolt_errinfo *info);

/* uri-host [ ":" port ], RFC 9110 7.2; empty is fine. Returns NULL or why not, and where. */
const char *bolt_http1_check_host(struct bolt_slice host, size_t *at);

/* Judges the complete section and fills the head's conclusions. */
BOLT_NODISCARD int bolt_http1_interpret(struct bolt_http1_head *head, const struct bolt_http1_facts *facts,
                                        const char *in, struct bolt_errinfo *info);

/* Decodes the next event (DATA or END) of a chunked message. */
BOLT_NODISCARD int bolt_chunked_next(struct bolt_chunked *decoder, const struct bolt_http1_limits *limits,
                                     uint64_t content_limit, const char *in, size_t len, size_t *consumed,
                                     enum bolt_http1_event *event, struct bolt_slice *data, struct bolt_errinfo *info);

#endif
