/* SPDX-License-Identifier: MIT */
/* http1_write.h - response heads (RFC 9112 section 4): status line, Date, framing.
 *
 * The caller begins a head, adds fields, ends it, appends the content and closes it; the length
 * field is patched in place, so content can be encoded straight into the output buffer.
 */
#ifndef BOLT_HTTP1_WRITE_H
#define BOLT_HTTP1_WRITE_H

#include "bolt/buf.h"

/* The Date and Server fields, rendered once per second: "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: ...\r\n". */
struct bolt_http1_stamp {
    int64_t unix_s;
    uint16_t len;
    char text[126];
};

/* Renders the stamp for `unix_s` unless it is already that second. Always succeeds: a second before 1970 or after
 * 9999 is shown as that end, `server` is cut to fit (79 octets) and left out when it holds control characters. */
void bolt_http1_stamp_update(struct bolt_http1_stamp *stamp, int64_t unix_s, struct bolt_slice server);

/* "OK", "Not Found", ... ; "Unknown" outside the registry. */
struct bolt_slice bolt_http1_reason(int status);

/* Does a response to this status/method carry content? (RFC 9110 6.4.1: no for 1xx, 204, 304.) */
bool bolt_http1_status_has_content(int status);

struct bolt_http1_open_head {
    size_t start;      /* offset of the status line in the buffer */
    size_t length_pos; /* offset of the reserved Content-Length digits, 0: none */
    size_t body_pos;   /* offset of the first content octet after bolt_http1_head_end */
};

/* Appends status line and stamp. `minor` is the request's HTTP/1 minor version: we always answer
 * HTTP/1.1, but `keep_alive` is spelled out for 1.0 and `close` for both. BOLT_ERR_ARGUMENT when the status
 * has not three digits. */
BOLT_NODISCARD int bolt_http1_head_begin(struct bolt_buf *out, struct bolt_http1_open_head *head, int status,
                                         const struct bolt_http1_stamp *stamp, unsigned minor, bool keep_alive);

/* Appends one field after checking it: name must be a token, value must hold no CR, LF or NUL
 * (header injection). BOLT_ERR_SYNTAX otherwise, buffer unchanged. */
BOLT_NODISCARD int bolt_http1_head_field(struct bolt_buf *out, struct bolt_slice name, struct bolt_slice value);

/* How the content is framed. */
enum bolt_http1_framing {
    BOLT_FRAMING_LENGTH,  /* Content-Length, patched by bolt_http1_head_close */
    BOLT_FRAMING_CHUNKED, /* Transfer-Encoding: chunked */
    BOLT_FRAMING_CLOSE,   /* delimited by closing (HTTP/1.0 streams) */
    BOLT_FRAMING_NONE     /* no content and no length: 1xx, 204, 304 */
};

/* Ends the header section (reserves the length digits for BOLT_FRAMING_LENGTH). */
BOLT_NODISCARD int bolt_http1_head_end(struct bolt_buf *out, struct bolt_http1_open_head *head,
                                       enum bolt_http1_framing framing);

/* The content octets have been appended: writes their count into the reserved digits. For HEAD
 * requests pass drop_content: the count stays, the octets go. */
void bolt_http1_head_close(struct bolt_buf *out, const struct bolt_http1_open_head *head, bool drop_content);

/* Chunked framing of one piece (empty pieces are skipped) and the last chunk. */
BOLT_NODISCARD int bolt_http1_put_chunk(struct bolt_buf *out, struct bolt_slice piece);
BOLT_NODISCARD int bolt_http1_put_last_chunk(struct bolt_buf *out);

/* A complete JSON error response {"detail": "<detail>"}; `extra_fields` is raw "name: value\r\n" text or empty. */
BOLT_NODISCARD int bolt_http1_put_simple(struct bolt_buf *out, int status, struct bolt_slice detail,
                                         struct bolt_slice extra_fields, const struct bolt_http1_stamp *stamp,
                                         unsigned minor, bool keep_alive, bool drop_content);

#endif
