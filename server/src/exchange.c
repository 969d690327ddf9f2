/* SPDX-License-Identifier: MIT */
/* exchange.c - a request while it is in the app's hands: handing over, what the app may ask, taking back.
 *
 *     dispatch -> on_request -> ... bolt_exchange_done        the normal life
 *     peer gone -> notify -> on_disconnect -> ... done        told once; the app still finishes it
 *
 * Invariants
 *  1. Dispatch and notify are the last actions of their callers: when the callback returns (perhaps much later, from
 *     another greenlet's point of view) only the connection's own fields are looked at again, and the serial
 *     number tells whether they still speak of the same exchange.
 *  2. bolt_exchange_done() calls nobody back: it queues the connection.
 */
#include "server_int.h"

void bolt_exchange_dispatch(struct bolt_conn *conn)
{
    struct bolt_server *server = conn->server;
    struct bolt_exchange *exchange = conn->exchange;
    uint64_t serial = ++conn->serial;
    conn->phase = PHASE_OPEN;
    conn->calling = true;
    conn->out_mark = conn->out.len;
    /* Earlier answers must not wait for this one. It also makes pipelined requests take turns with everybody. */
    if (bolt_output_unsent(conn))
        bolt_conn_enqueue(conn);
    bolt_timer_stop(&conn->read_timer);
    exchange->keep_alive = exchange->head.keep_alive && !server->draining;
    if (server->options.access_log_fd >= 0)
        exchange->started_us = bolt_log_clock_us();
    server->stats.requests++;
    server->stats.exchanges_open++;
    bolt_conn_ref(conn);

    server->app.on_request(server->app.ctx, exchange);

    server->clock_stale = true;
    if (conn->serial != serial)
        return;
    conn->calling = false;
    if (conn->exchange && (conn->notify || conn->gone || conn->broken))
        bolt_conn_enqueue(conn);
}

void bolt_exchange_suspended(struct bolt_exchange *exchange)
{
    struct bolt_conn *conn = exchange->conn;
    conn->calling = false;
    if (conn->notify || conn->gone || conn->broken)
        bolt_conn_enqueue(conn);
}

void bolt_exchange_notify(struct bolt_conn *conn)
{
    struct bolt_server *server = conn->server;
    conn->notify = false;
    server->app.on_disconnect(server->app.ctx, conn->exchange);
    server->clock_stale = true;
}

/* The app is done with conn->exchange; conn goes on with its life or, closed, ends it here. */
static void take_back(struct bolt_conn *conn)
{
    struct bolt_server *server = conn->server;
    bolt_pool_put_exchange(&server->pool, conn->exchange);
    conn->exchange = NULL;
    conn->calling = conn->notify = false;
    server->stats.exchanges_open--;
    if (conn->phase == PHASE_CLOSED) {
        bolt_input_drop(conn);
        bolt_output_release(conn);
    } else {
        bolt_input_end_message(conn);
        conn->phase = PHASE_HEAD;
        bolt_conn_enqueue_first(conn); /* its buffers are still in the cache */
    }
    bolt_conn_unref(conn);
}

void bolt_exchange_done(struct bolt_exchange *exchange, bool abort)
{
    struct bolt_conn *conn = exchange->conn;
    struct bolt_server *server = conn->server;
    if (abort || exchange->disconnected) {
        conn->out.len = conn->out_mark;
        conn->closing = true;
        server->stats.aborted++;
    }
    if (!exchange->keep_alive)
        conn->closing = true;
    if (exchange->started_us && !server->closed)
        bolt_log_append(server, exchange);
    take_back(conn);
}

struct bolt_buf *bolt_exchange_out(struct bolt_exchange *exchange)
{
    struct bolt_conn *conn = exchange->conn;
    if (!conn->out.ptr)
        bolt_pool_get_output(&conn->server->pool, &conn->out);
    return &conn->out;
}

const struct bolt_http1_stamp *bolt_exchange_stamp(struct bolt_exchange *exchange)
{
    return bolt_server_stamp(exchange->conn->server);
}

int bolt_exchange_peer(const struct bolt_exchange *exchange, struct sockaddr_storage *addr, socklen_t *len)
{
    const struct bolt_conn *conn = exchange->conn;
    memset(addr, 0, sizeof(*addr));
    memcpy(addr, &conn->peer, conn->peer_len);
    *len = conn->peer_len;
    return BOLT_OK;
}

int bolt_exchange_local(const struct bolt_exchange *exchange, struct sockaddr_storage *addr, socklen_t *len)
{
    struct sockaddr_storage local = {0};
    socklen_t local_len = sizeof(local);
    if (exchange->conn->fd < 0)
        return BOLT_ERR_CLOSED;
    if (getsockname(exchange->conn->fd, (struct sockaddr *)&local, &local_len) < 0)
        return BOLT_ERR_OS;
    *addr = local;
    *len = local_len;
    return BOLT_OK;
}
