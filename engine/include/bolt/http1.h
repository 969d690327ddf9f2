/* SPDX-License-Identifier: MIT */
/* http1.h - HTTP/1.1 request parser: octets in, events out (RFC 9112). No I/O, no clock.
 *
 * Usage: keep the unconsumed octets of a connection contiguous, call bolt_http1_next() until it
 * says BOLT_AGAIN, drop what was consumed, read more, call again. The sequence of events and
 * their contents are the same however the octets are cut.
 *
 *     HEAD  DATA*  END  HEAD  ...
 *
 * HEAD is delivered once the whole header section is present; it borrows from the input, so the
 * caller must not move or drop those octets while it uses the head's slices (bolt_http1_next
 * reports them as consumed only to say how far it got). DATA slices carry content octets with the
 * transfer coding removed. Trailer fields are checked and dropped (RFC 9110 6.5.1 allows it).
 *
 * The content limit is judged by the first call after HEAD, before any content is needed, so that
 * bolt_http1_set_content_limit() may raise or lower it in between. A caller that answers
 * `expect_continue` sends 100 (Continue) when that call says BOLT_AGAIN.
 *
 * Accepted is what RFC 9112 allows, except where two readings of the same octets would let a request
 * be smuggled: line ends are CRLF only, Content-Length occurs once with one number, and
 * Transfer-Encoding neither with it nor on HTTP/1.0. docs/design/0002-http1-strictness.md lists the choices.
 *
 * After any negative result other than BOLT_AGAIN the parser only answers with the same error;
 * the caller answers with bolt_http1_status() and closes.
 */
#ifndef BOLT_HTTP1_H
#define BOLT_HTTP1_H

#include "bolt/base.h"
#include "bolt/method.h"

struct bolt_http1_limits {
    uint32_t target_bytes;    /* request target: 414 */
    uint32_t header_bytes;    /* request line without the target, field lines and the empty line: 431 */
    uint32_t header_count;    /* fields: 431 */
    uint64_t content_bytes;   /* content, judged from Content-Length and while decoding chunks: 413 */
    uint32_t chunk_ext_bytes; /* extensions of one chunk, from ';' on: 400. All of a message together with
                               * its trailer fields: header_bytes */
};

/* target 8192, header section 8192, 100 fields, content 1 MiB, chunk extensions 256 per chunk */
extern const struct bolt_http1_limits BOLT_HTTP1_LIMITS_DEFAULT;

#define BOLT_HTTP1_MAX_FIELDS 128 /* hard ceiling of limits.header_count */

struct bolt_http1_field {
    struct bolt_slice name;  /* as sent; compare without case */
    struct bolt_slice value; /* optional white space removed at both ends */
};

/* Fields the server itself needs, found while parsing; index into head.fields or -1. */
enum bolt_http1_known {
    BOLT_H_HOST,
    BOLT_H_CONNECTION,
    BOLT_H_UPGRADE,
    BOLT_H_CONTENT_TYPE,
    BOLT_H_COOKIE,
    BOLT_H_AUTHORIZATION,
    BOLT_H_ORIGIN,
    BOLT_H_EXPECT,
    BOLT_H_ACCEPT_ENCODING,
    BOLT_H_CONTENT_LENGTH,
    BOLT_H_TRANSFER_ENCODING,
    BOLT_H_COUNT
};

/* Everything here borrows from the input buffer. */
struct bolt_http1_head {
    enum bolt_method method;
    struct bolt_slice method_name;
    struct bolt_slice target;    /* as sent */
    struct bolt_slice path;      /* of origin- or absolute-form; "*" for asterisk-form */
    struct bolt_slice query;     /* after '?', without it; ptr NULL when there was no '?' */
    struct bolt_slice authority; /* Host value, or the absolute-form's authority (it wins, RFC 9112 3.2.2) */
    uint8_t minor;               /* HTTP/1.<minor>: 0 or 1 */
    bool keep_alive;             /* persistence after Connection and version are considered */
    bool expect_continue;        /* Expect: 100-continue on an 1.1 request with content */
    bool upgrade;                /* Connection lists "upgrade" and an Upgrade field is present */
    bool chunked;
    bool has_content;        /* chunked or Content-Length > 0 */
    uint64_t content_length; /* 0 when chunked */
    uint16_t field_count;
    int16_t known[BOLT_H_COUNT];
    struct bolt_http1_field fields[BOLT_HTTP1_MAX_FIELDS];
};

enum bolt_http1_event {
    BOLT_HTTP1_HEAD,
    BOLT_HTTP1_DATA,
    BOLT_HTTP1_END,
};

struct bolt_http1; /* opaque; one per connection */

BOLT_NODISCARD struct bolt_http1 *bolt_http1_new(const struct bolt_http1_limits *limits);
void bolt_http1_free(struct bolt_http1 *parser);

/* Parses the next event from in[0..len).
 *   BOLT_OK:     *event is set. HEAD: `*head` is filled, *consumed octets belong to the head.
 *                DATA: *data is a slice of `in`. END: the message is complete, next call starts anew.
 *   BOLT_AGAIN:  more input is needed; *consumed may be > 0 (drop them; during a head it is 0,
 *                except for empty lines before the request line, RFC 9112 2.2).
 *   peer errors: see bolt_http1_status; *info says where and why.
 * `head` is scratch space from the call after END to the HEAD event (also while that says BOLT_AGAIN) and is
 * not touched while content is read; the same storage may be used for every call. */
BOLT_NODISCARD int bolt_http1_next(struct bolt_http1 *parser, const char *in, size_t len, size_t *consumed,
                                   enum bolt_http1_event *event, struct bolt_http1_head *head, struct bolt_slice *data,
                                   struct bolt_errinfo *info);

/* After HEAD and before the next call: replaces the content limit for this message only (per-route
 * limits). BOLT_ERR_BODY_LONG when the announced Content-Length already exceeds it. */
BOLT_NODISCARD int bolt_http1_set_content_limit(struct bolt_http1 *parser, uint64_t content_bytes);

/* Is the parser between messages (nothing of the next one consumed)? Decides idle versus header timeout. */
bool bolt_http1_is_idle(const struct bolt_http1 *parser);

/* Octets of the current content not yet delivered, or UINT64_MAX when chunked; 0 outside content. */
uint64_t bolt_http1_content_left(const struct bolt_http1 *parser);

/* 400, 413, 414, 431, 501, 505 for a peer error; 500 otherwise. */
int bolt_http1_status(int err);

/* Finds a field by lower-case name; index or -1. `start` lets callers walk repeated fields. */
int bolt_http1_find(const struct bolt_http1_head *head, struct bolt_slice lower_name, int start);

#endif
