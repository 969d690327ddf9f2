/* SPDX-License-Identifier: MIT */
/* access_log.c - one line per finished exchange, `METHOD path status 1.2ms`, off the hot path.
 *
 * Lines are collected in memory and written when LOG_FLUSH_BYTES are full, LOG_FLUSH_MS after the first of them, or
 * at the end. The log is less important than the service: lines that cannot be stored or written are dropped, and a reader
 * that does not keep up (EAGAIN) loses the newest lines once LOG_MAX_BYTES are waiting.
 *
 * A path is the client's text: control characters, quotes, backslashes and octets outside ASCII are written as \xHH, so
 * no request can forge a line or drive a terminal.
 */
#include "server_int.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define LOG_MAX_BYTES (1u << 20)
#define LOG_LINE_EXTRA 64 /* separators, status, time */

uint64_t bolt_log_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool is_plain(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

/* Precondition: room for four times the text. */
static void put_escaped(struct bolt_buf *buf, struct bolt_slice text)
{
    static const char HEX[] = "0123456789abcdef";
    char *to = buf->ptr + buf->len;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (BOLT_LIKELY(is_plain(c))) {
            *to++ = (char)c;
        } else {
            *to++ = '\\';
            *to++ = 'x';
            *to++ = HEX[c >> 4];
            *to++ = HEX[c & 15];
        }
    }
    buf->len = (size_t)(to - buf->ptr);
}

static int put_line(struct bolt_buf *buf, const struct bolt_exchange *exchange)
{
    struct bolt_slice method = exchange->head.method_name, path = exchange->head.path;
    size_t room;
    if (!bolt_size_mul(path.len + method.len, 4, &room) || !bolt_size_add(room, LOG_LINE_EXTRA, &room))
        return BOLT_ERR_NOMEM;
    int err = bolt_buf_reserve(buf, room);
    if (err)
        return err;
    uint64_t tenths_ms = (bolt_log_clock_us() - exchange->started_us + 50) / 100;
    put_escaped(buf, method);
    buf->ptr[buf->len++] = ' ';
    put_escaped(buf, path);
    buf->ptr[buf->len++] = ' ';
    /* Reserved above, hence these cannot fail; the checks keep it so when LOG_LINE_EXTRA is wrong. */
    err = exchange->status > 0 ? bolt_buf_put_u64(buf, (uint64_t)exchange->status) : bolt_buf_put_lit(buf, "-");
    if (!err)
        err = bolt_buf_put_lit(buf, " ");
    if (!err)
        err = bolt_buf_put_u64(buf, tenths_ms / 10);
    if (!err)
        err = bolt_buf_put_lit(buf, ".");
    if (!err)
        err = bolt_buf_put_byte(buf, (char)('0' + tenths_ms % 10));
    return err ? err : bolt_buf_put_lit(buf, "ms\n");
}

void bolt_log_append(struct bolt_server *server, const struct bolt_exchange *exchange)
{
    struct access_log *log = &server->log;
    size_t before = log->buf.len;
    if (before >= LOG_MAX_BYTES)
        return;
    if (put_line(&log->buf, exchange) != BOLT_OK) {
        log->buf.len = before;
        return;
    }
    if (log->buf.len >= LOG_FLUSH_BYTES && before < LOG_FLUSH_BYTES) {
        bolt_server_flush_log(server);
    } else if (log->due_ms == NEVER_MS) {
        log->due_ms = bolt_server_now(server) + LOG_FLUSH_MS;
        bolt_timer_wake_at(server, log->due_ms);
    }
}

void bolt_server_flush_log(struct bolt_server *server)
{
    struct access_log *log = &server->log;
    log->due_ms = NEVER_MS;
    if (server->foreign)
        return; /* the parent has the same lines and writes them */
    while (log->buf.len) {
        ssize_t written = write(server->options.access_log_fd, log->buf.ptr, log->buf.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) {
            log->due_ms = bolt_server_now(server) + LOG_FLUSH_MS;
            bolt_timer_wake_at(server, log->due_ms);
            return;
        }
        /* Nowhere to report an error to: the lines are lost, the next ones are tried again. */
        bolt_buf_consume(&log->buf, written < 0 ? log->buf.len : (size_t)written);
    }
}
