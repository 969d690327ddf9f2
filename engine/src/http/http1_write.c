/* SPDX-License-Identifier: MIT */
/* http1_write.c - response heads, content framing and complete error responses (RFC 9112 sections 4, 6, 7.1).
 *
 *     start                                     length_pos                body_pos
 *       | status line | stamp | fields ... | content-length: ddd CR LF CR LF | content ...
 *
 * The content is encoded behind the head before its length is known. head_end leaves room for the widest
 * length; head_close writes the digits and moves the content down over what is left of the room, a few octets
 * at most and always within the buffer, so closing a head cannot fail.
 *
 * Invariants
 *  1. A failing call leaves out->len where it was: reserve everything, then append.
 *  2. No CR, LF or NUL enters a head except from this file, the stamp and put_simple's `extra_fields`.
 */
#include "bolt/http1_write.h"
#include "bolt/json_write.h"
#include "http1_scan.h"

#define LENGTH_DIGITS_MAX 20u /* of a uint64_t */
#define LENGTH_TAIL "\r\n\r\n"
#define LENGTH_TAIL_LEN (sizeof(LENGTH_TAIL) - 1)

/* Where the next octet goes. Callers have reserved, and finish() when they are done. */
static char *start(const struct bolt_buf *out)
{
    return out->ptr + out->len;
}

static void finish(struct bolt_buf *out, const char *to)
{
    out->len = (size_t)(to - out->ptr);
}

static char *put(char *to, const char *from, size_t len)
{
    memcpy(to, from, len);
    return to + len;
}

#define put_lit(to, literal) put((to), (literal), sizeof(literal) - 1)

static size_t decimal_digits(uint64_t value, char digits[LENGTH_DIGITS_MAX])
{
    char reversed[LENGTH_DIGITS_MAX];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < n; i++)
        digits[i] = reversed[n - 1 - i];
    return n;
}

bool bolt_http1_status_has_content(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

int bolt_http1_head_begin(struct bolt_buf *out, struct bolt_http1_open_head *head, int status,
                          const struct bolt_http1_stamp *stamp, unsigned minor, bool keep_alive)
{
    if (status < 100 || status > 999)
        return BOLT_ERR_ARGUMENT;
    struct bolt_slice reason = bolt_http1_reason(status);
    int err = bolt_buf_reserve(out, sizeof("HTTP/1.1 999 \r\nconnection: keep-alive\r\n") + reason.len + stamp->len);
    if (err)
        return err;
    *head = (struct bolt_http1_open_head){.start = out->len};
    char *to = put_lit(start(out), "HTTP/1.1 ");
    *to++ = (char)('0' + status / 100);
    *to++ = (char)('0' + status / 10 % 10);
    *to++ = (char)('0' + status % 10);
    *to++ = ' ';
    to = put(to, reason.ptr, reason.len);
    to = put_lit(to, "\r\n");
    to = put(to, stamp->text, stamp->len);
    if (!keep_alive)
        to = put_lit(to, "connection: close\r\n");
    else if (minor == 0)
        to = put_lit(to, "connection: keep-alive\r\n");
    finish(out, to);
    return BOLT_OK;
}

static bool is_field_name(struct bolt_slice name)
{
    return name.len > 0 && bolt_scan_token(name.ptr, name.ptr + name.len) == name.ptr + name.len;
}

static bool is_field_value(struct bolt_slice value)
{
    if (value.len == 0)
        return true;
    const char *end = value.ptr + value.len;
    /* from one control character to the next: few values hold any */
    for (const char *p = bolt_scan_value(value.ptr, end); p < end; p = bolt_scan_value(p + 1, end)) {
        if (*p == '\r' || *p == '\n' || *p == '\0')
            return false;
    }
    return true;
}

int bolt_http1_head_field(struct bolt_buf *out, struct bolt_slice name, struct bolt_slice value)
{
    if (!is_field_name(name) || !is_field_value(value))
        return BOLT_ERR_SYNTAX;
    size_t size;
    if (!bolt_size_add(name.len, value.len, &size) || !bolt_size_add(size, sizeof(": \r\n") - 1, &size))
        return BOLT_ERR_NOMEM;
    int err = bolt_buf_reserve(out, size);
    if (err)
        return err;
    char *to = put(start(out), name.ptr, name.len);
    to = put_lit(to, ": ");
    if (value.len)
        to = put(to, value.ptr, value.len);
    finish(out, put_lit(to, "\r\n"));
    return BOLT_OK;
}

int bolt_http1_head_end(struct bolt_buf *out, struct bolt_http1_open_head *head, enum bolt_http1_framing framing)
{
    static const char chunked[] = "transfer-encoding: chunked\r\n\r\n";
    int err = bolt_buf_reserve(out, sizeof("content-length: ") + LENGTH_DIGITS_MAX + sizeof(chunked));
    if (err)
        return err;
    head->length_pos = 0;
    if (framing == BOLT_FRAMING_LENGTH) {
        finish(out, put_lit(start(out), "content-length: "));
        head->length_pos = out->len;
        out->len += LENGTH_DIGITS_MAX + LENGTH_TAIL_LEN;
    } else if (framing == BOLT_FRAMING_CHUNKED) {
        finish(out, put_lit(start(out), chunked));
    } else {
        finish(out, put_lit(start(out), "\r\n"));
    }
    head->body_pos = out->len;
    return BOLT_OK;
}

void bolt_http1_head_close(struct bolt_buf *out, const struct bolt_http1_open_head *head, bool drop_content)
{
    size_t body_len = out->len - head->body_pos;
    size_t kept = drop_content ? 0 : body_len;
    if (head->length_pos == 0) {
        out->len = head->body_pos + kept;
        return;
    }
    char digits[LENGTH_DIGITS_MAX];
    size_t n = decimal_digits(body_len, digits);
    size_t body_pos = head->length_pos + n + LENGTH_TAIL_LEN;
    memcpy(out->ptr + head->length_pos, digits, n);
    memcpy(out->ptr + head->length_pos + n, LENGTH_TAIL, LENGTH_TAIL_LEN);
    memmove(out->ptr + body_pos, out->ptr + head->body_pos, kept);
    out->len = body_pos + kept;
}

int bolt_http1_put_chunk(struct bolt_buf *out, struct bolt_slice piece)
{
    if (piece.len == 0)
        return BOLT_OK;
    char size_line[18];
    size_t pos = sizeof(size_line), size;
    size_line[--pos] = '\n';
    size_line[--pos] = '\r';
    for (size_t rest = piece.len; rest; rest >>= 4)
        size_line[--pos] = "0123456789abcdef"[rest & 15];
    if (!bolt_size_add(piece.len, sizeof(size_line) + 2, &size))
        return BOLT_ERR_NOMEM;
    int err = bolt_buf_reserve(out, size);
    if (err)
        return err;
    char *to = put(start(out), size_line + pos, sizeof(size_line) - pos);
    to = put(to, piece.ptr, piece.len);
    finish(out, put_lit(to, "\r\n"));
    return BOLT_OK;
}

int bolt_http1_put_last_chunk(struct bolt_buf *out)
{
    return bolt_buf_put_lit(out, "0\r\n\r\n");
}

static int put_simple(struct bolt_buf *out, int status, struct bolt_slice detail, struct bolt_slice extra_fields,
                      const struct bolt_http1_stamp *stamp, unsigned minor, bool keep_alive, bool drop_content)
{
    struct bolt_http1_open_head head;
    bool has_content = bolt_http1_status_has_content(status);
    int err = bolt_http1_head_begin(out, &head, status, stamp, minor, keep_alive);
    if (!err && has_content)
        err = bolt_buf_put_lit(out, "content-type: application/json\r\n");
    if (!err)
        err = bolt_buf_put(out, extra_fields.ptr, extra_fields.len);
    if (!err)
        err = bolt_http1_head_end(out, &head, has_content ? BOLT_FRAMING_LENGTH : BOLT_FRAMING_NONE);
    if (!err && has_content) {
        err = bolt_buf_put_lit(out, "{\"detail\":");
        if (!err)
            err = bolt_json_put_string(out, detail);
        if (!err)
            err = bolt_buf_put_byte(out, '}');
    }
    if (!err)
        bolt_http1_head_close(out, &head, drop_content);
    return err;
}

int bolt_http1_put_simple(struct bolt_buf *out, int status, struct bolt_slice detail, struct bolt_slice extra_fields,
                          const struct bolt_http1_stamp *stamp, unsigned minor, bool keep_alive, bool drop_content)
{
    size_t start = out->len;
    int err = put_simple(out, status, detail, extra_fields, stamp, minor, keep_alive, drop_content);
    if (err)
        out->len = start;
    return err;
}
