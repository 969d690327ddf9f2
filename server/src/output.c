/* SPDX-License-Identifier: MIT */
/* output.c - what a connection has still to send.
 *
 *     out: [ taken by the kernel | finished responses | the open exchange's response ... ]
 *          0                  out_sent             out_mark                          out.len
 *
 * Responses of pipelined requests queue up in one buffer and leave with one send per wake-up. The part behind
 * out_mark is never sent before bolt_exchange_done(): the app may be suspended in the middle of writing it, holds
 * offsets into it (hence nothing is moved down while an exchange is open) and may still abort it.
 *
 * Back-pressure: while more than options.output_high_bytes are unsent the connection neither parses nor reads
 * (conn.c asks bolt_output_unsent), so a client that does not read its answers stops being served.
 */
#include "server_int.h"

#include <errno.h>

size_t bolt_output_unsent(const struct bolt_conn *conn)
{
    size_t finished = conn->phase == PHASE_OPEN ? conn->out_mark : conn->out.len;
    return finished - conn->out_sent;
}

/* Everything finished is out: back to an empty buffer, which an idle connection does not keep. */
static void rewind_output(struct bolt_conn *conn)
{
    if (conn->phase == PHASE_OPEN)
        return;
    conn->out.len = conn->out_sent = conn->out_mark = 0;
    bolt_output_release(conn);
}

/* A reader so slow that the buffer never runs empty must not make it grow for ever. */
static void compact(struct bolt_conn *conn)
{
    if (conn->phase == PHASE_OPEN || conn->out_sent < conn->out.len / 2)
        return;
    bolt_buf_consume(&conn->out, conn->out_sent);
    conn->out_sent = 0;
}

void bolt_output_flush(struct bolt_conn *conn)
{
    size_t before = bolt_output_unsent(conn);
    if (before == 0 || !conn->writable)
        return;
    size_t unsent = before;
    while (unsent) {
        ssize_t taken = send(conn->fd, conn->out.ptr + conn->out_sent, unsent, MSG_NOSIGNAL);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0 && errno != EAGAIN) {
            bolt_conn_close(conn);
            return;
        }
        if (taken < 0) {
            conn->writable = false;
            break;
        }
        conn->out_sent += (size_t)taken;
        unsent -= (size_t)taken;
    }
    if (unsent == 0) {
        bolt_timer_stop(&conn->write_timer);
        rewind_output(conn);
        return;
    }
    if (unsent < before || conn->write_timer.kind == TIMER_OFF)
        bolt_timer_start(conn->server, &conn->write_timer, TIMER_WRITE);
    compact(conn);
}

void bolt_output_release(struct bolt_conn *conn)
{
    if (conn->out.ptr)
        bolt_pool_put_output(&conn->server->pool, &conn->out);
}
