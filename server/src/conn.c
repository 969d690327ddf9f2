/* SPDX-License-Identifier: MIT */
/* conn.c - the life of one connection (RFC 9112 section 9), from accept to the last octet.
 *
 *            +----------------------- answered -----------------------+
 *            v                                                        |
 *         HEAD --header section--> CONTENT --complete--> OPEN (the app's) --peer gone--> CLOSED
 *            |                        |                                                    ^
 *            +---- bad, too long, ----+---> closing --output sent--> LINGER --eof, late----+
 *                  too slow, last request             (or directly) -----------------------+
 *
 * The connection is a passive object: events, timeouts and finished exchanges set flags and queue it, and
 * bolt_conn_process() does whatever the flags allow. It reads and parses until the input is used up, a request is complete or too
 * much output is unsent, then sends once, then decides which timeout applies. Running it without need is harmless.
 *
 * Invariants
 *  1. Edge-triggered readiness: `readable` and `writable` are only cleared by a short recv, EAGAIN or a full socket.
 *  2. While an exchange is the app's nothing is read: what arrives stays in the kernel, `readable` remembers it.
 *  3. At most one timeout per direction: read_timer (HEADER, IDLE, CONTENT, LINGER, DRAIN) and write_timer. Reading that we have
 *     paused ourselves is never held against the client.
 *  4. After an answer that refuses a request the client's remaining octets are read and dropped for a while:
 *     closing with unread input would reset the connection and could destroy the answer (RFC 9112 9.6).
 */
#include "server_int.h"

#include <errno.h>
#include <unistd.h>

enum step {
    STEP_MORE,     /* more input is needed */
    STEP_COMPLETE, /* a request is complete */
    STEP_STOP,     /* refused or closed */
};

/* ------------------------------------------------------------------------------------------- lifetime */

static void set_peer(struct bolt_conn *conn, const struct sockaddr *peer, socklen_t peer_len)
{
    conn->peer_len = peer_len <= sizeof(conn->peer) ? peer_len : (socklen_t)sizeof(conn->peer.any.sa_family);
    memcpy(&conn->peer, peer, conn->peer_len); /* of a Unix socket only the family is of interest */
}

int bolt_conn_open_take(struct bolt_server *server, int fd, const struct sockaddr *peer, socklen_t peer_len)
{
    struct bolt_conn *conn = bolt_calloc(1, sizeof(*conn));
    if (!conn)
        return BOLT_ERR_NOMEM;
    conn->parser = bolt_http1_new(&server->options.limits);
    if (!conn->parser) {
        bolt_free(conn);
        return BOLT_ERR_NOMEM;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = conn};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int cause = errno;
        bolt_http1_free(conn->parser);
        bolt_free(conn);
        errno = cause;
        return BOLT_ERR_OS;
    }
    conn->source.kind = SOURCE_CONN;
    conn->server = server;
    conn->refs = 1;
    conn->fd = fd;
    conn->writable = true;
    set_peer(conn, peer, peer_len);
    bolt_timer_init(&conn->read_timer);
    bolt_timer_init(&conn->write_timer);
    conn->next = server->conns;
    if (conn->next)
        conn->next->prev = conn;
    server->conns = conn;
    server->stats.accepted++;
    server->stats.connections++;
    bolt_server_ref(server);
    bolt_timer_start(server, &conn->read_timer, TIMER_IDLE);
    return BOLT_OK;
}

void bolt_conn_ref(struct bolt_conn *conn)
{
    conn->refs++;
}

void bolt_conn_unref(struct bolt_conn *conn)
{
    if (--conn->refs)
        return;
    struct bolt_server *server = conn->server;
    bolt_http1_free(conn->parser);
    bolt_free(conn);
    bolt_server_unref(server);
}

void bolt_conn_enqueue(struct bolt_conn *conn)
{
    if (conn->source.queued)
        return;
    bolt_conn_ref(conn);
    bolt_server_enqueue(conn->server, &conn->source);
}

void bolt_conn_enqueue_first(struct bolt_conn *conn)
{
    if (conn->source.queued)
        return;
    bolt_conn_ref(conn);
    bolt_server_enqueue_first(conn->server, &conn->source);
}

/* Forgets a request that has not become the app's. */
static void drop_request(struct bolt_conn *conn)
{
    if (conn->exchange)
        bolt_pool_put_exchange(&conn->server->pool, conn->exchange);
    conn->exchange = NULL;
    bolt_input_drop(conn);
}

void bolt_conn_close(struct bolt_conn *conn)
{
    struct bolt_server *server = conn->server;
    if (conn->phase == PHASE_CLOSED)
        return;
    /* Not left to close(): a child forked meanwhile may hold a copy of the descriptor, and as long as it does the
     * registration, with a pointer to this struct, would live on. */
    if (!server->foreign)
        (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
    (void)close(conn->fd); /* Linux closes even when it reports an error */
    conn->fd = -1;
    bolt_timer_stop(&conn->read_timer);
    bolt_timer_stop(&conn->write_timer);
    if (conn->phase == PHASE_OPEN) {
        conn->notify = conn->notify || !conn->exchange->disconnected;
        conn->exchange->disconnected = true;
        bolt_conn_enqueue(conn);
    } else {
        drop_request(conn);
        bolt_output_release(conn);
    }
    conn->phase = PHASE_CLOSED;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->next = conn->prev = NULL;
    server->stats.closed++;
    server->stats.connections--;
    bolt_listener_resume(server);
    bolt_conn_unref(conn);
}

/* ------------------------------------------------------------------------------------------- refusing and closing */

void bolt_conn_refuse(struct bolt_conn *conn, int status)
{
    struct bolt_server *server = conn->server;
    const struct bolt_http1_head *head = conn->exchange ? &conn->exchange->head : NULL;
    if (!conn->out.ptr)
        bolt_pool_get_output(&server->pool, &conn->out);
    int err = bolt_http1_put_simple(&conn->out, status, bolt_reply_detail(status), BOLT_SLICE_LIT(""),
                                    bolt_server_stamp(server), head ? head->minor : 1, false,
                                    head && head->method == BOLT_METHOD_HEAD);
    if (err) {
        bolt_conn_close(conn);
        return;
    }
    drop_request(conn);
    conn->closing = conn->refused = true;
}

static void linger(struct bolt_conn *conn)
{
    char *sink = bolt_pool_get_block(&conn->server->pool);
    if (!sink) {
        bolt_conn_close(conn);
        return;
    }
    bool over = false;
    for (unsigned reads = 0; conn->readable && !over; reads++) {
        if (reads == READS_PER_TURN) {
            bolt_conn_enqueue(conn);
            break;
        }
        ssize_t got = recv(conn->fd, sink, BLOCK_BYTES, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            conn->readable = false;
        else if (got <= 0 || (size_t)got >= conn->linger_left)
            over = true;
        else
            conn->linger_left -= (size_t)got;
    }
    bolt_pool_put_block(&conn->server->pool, sink);
    if (over)
        bolt_conn_close(conn);
}

/* All output is out and no further request is wanted. */
static void finish(struct bolt_conn *conn)
{
    bool may_send = conn->refused || conn->readable || !bolt_input_is_empty(&conn->in);
    if (conn->eof || !may_send || shutdown(conn->fd, SHUT_WR) < 0) {
        bolt_conn_close(conn);
        return;
    }
    drop_request(conn);
    conn->phase = PHASE_LINGER;
    conn->linger_left = LINGER_BYTES;
    bolt_timer_start(conn->server, &conn->read_timer, TIMER_LINGER);
    linger(conn);
}

/* ------------------------------------------------------------------------------------------- parsing */

/* RFC 9110 10.1.1: any expectation but 100-continue may be refused; HTTP/1.0 knows none. */
static bool expects_the_unknown(const struct bolt_http1_head *head)
{
    int index = head->known[BOLT_H_EXPECT];
    return index >= 0 && head->minor > 0 && !bolt_slice_ieq(head->fields[index].value, BOLT_SLICE_LIT("100-continue"));
}

static enum step accept_head(struct bolt_conn *conn, struct bolt_exchange *exchange)
{
    const struct bolt_server_app *app = &conn->server->app;
    conn->phase = PHASE_CONTENT;
    conn->exchange = exchange;
    conn->content_off = conn->in.start;
    conn->content_len = 0;
    conn->continue_due = false;
    exchange->content = (struct bolt_slice){0};
    exchange->disconnected = false;
    exchange->keep_alive = exchange->head.keep_alive;
    exchange->status = 0;
    exchange->started_us = 0;
    exchange->app_data = NULL;
    exchange->conn = conn;
    bolt_router_match(app->router, exchange->head.method, exchange->head.path, &exchange->match);

    int status = 0;
    if (expects_the_unknown(&exchange->head))
        status = 417;
    else if (exchange->head.has_content && app->content_limit &&
             bolt_http1_set_content_limit(conn->parser, app->content_limit(app->ctx, exchange)) != BOLT_OK)
        status = 413;
    if (status) {
        conn->server->stats.bad_requests++;
        bolt_conn_refuse(conn, status);
        return STEP_STOP;
    }
    conn->continue_due = exchange->head.expect_continue;
    return STEP_MORE;
}

/* The head is accepted, its limits are judged and the client waits for our consent (RFC 9110 10.1.1). */
static enum step put_continue(struct bolt_conn *conn)
{
    conn->continue_due = false;
    if (bolt_buf_put_lit(bolt_exchange_out(conn->exchange), "HTTP/1.1 100 Continue\r\n\r\n") == BOLT_OK)
        return STEP_MORE;
    bolt_conn_close(conn);
    return STEP_STOP;
}

static enum step refuse_error(struct bolt_conn *conn, int err)
{
    if (!bolt_err_is_peer(err)) {
        bolt_conn_close(conn);
        return STEP_STOP;
    }
    conn->server->stats.bad_requests++;
    bolt_conn_refuse(conn, bolt_http1_status(err));
    return STEP_STOP;
}

/* Feeds the parser what has arrived until it wants more or a request is complete. */
static enum step parse(struct bolt_conn *conn)
{
    struct pool *pool = &conn->server->pool;
    for (;;) {
        if (conn->phase == PHASE_HEAD && bolt_input_is_empty(&conn->in))
            return STEP_MORE;
        /* Until the head is complete the exchange is only lent, so slow headers do not hold one. */
        struct bolt_exchange *exchange = conn->exchange ? conn->exchange : bolt_pool_get_exchange(pool);
        if (!exchange)
            return refuse_error(conn, BOLT_ERR_NOMEM);
        struct bolt_slice data = {0};
        struct bolt_errinfo info;
        enum bolt_http1_event event;
        size_t consumed = 0;
        int err = bolt_http1_next(conn->parser, conn->in.ptr + conn->in.start, conn->in.end - conn->in.start, &consumed,
                                  &event, &exchange->head, &data, &info);
        conn->in.start += consumed;
        if (err && !conn->exchange)
            bolt_pool_put_exchange(pool, exchange);
        if (err && err != BOLT_AGAIN)
            return refuse_error(conn, err);
        if (err)
            return conn->continue_due && bolt_input_is_empty(&conn->in) ? put_continue(conn) : STEP_MORE;
        switch (event) {
        case BOLT_HTTP1_HEAD:
            if (accept_head(conn, exchange) == STEP_STOP)
                return STEP_STOP;
            break;
        case BOLT_HTTP1_DATA:
            conn->continue_due = false;
            bolt_input_take_content(conn, data);
            break;
        case BOLT_HTTP1_END:
            exchange->content = bolt_slice_of(conn->in.ptr + conn->content_off, conn->content_len);
            return STEP_COMPLETE;
        }
    }
}

/* One recv. False when the connection is closed. */
static bool receive(struct bolt_conn *conn)
{
    if (bolt_input_make_room(conn) != BOLT_OK) {
        bolt_conn_close(conn);
        return false;
    }
    size_t room = conn->in.cap - conn->in.end;
    ssize_t got = recv(conn->fd, conn->in.ptr + conn->in.end, room, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        bolt_conn_close(conn);
        return false;
    }
    if (got < 0) {
        conn->readable = errno == EINTR;
    } else if (got == 0) {
        conn->eof = conn->gone = true;
        conn->readable = false;
    } else {
        conn->in.end += (size_t)got;
        /* Short: the socket is empty. But an end of stream already announced gives no further event. */
        conn->readable = (size_t)got == room || conn->gone;
        if (conn->phase == PHASE_CONTENT)
            bolt_timer_start(conn->server, &conn->read_timer, TIMER_CONTENT);
    }
    return true;
}

static bool is_blocked(const struct bolt_conn *conn)
{
    return bolt_output_unsent(conn) > conn->server->options.output_high_bytes;
}

/* Reads and parses as far as possible. */
static enum step advance(struct bolt_conn *conn)
{
    for (unsigned reads = 0;; reads++) {
        if (conn->closing)
            return STEP_MORE;
        if (is_blocked(conn))
            bolt_output_flush(conn);
        if (conn->phase == PHASE_CLOSED || is_blocked(conn))
            return STEP_MORE;
        enum step step = parse(conn);
        if (step != STEP_MORE)
            return step;
        if (!conn->readable) {
            conn->closing = conn->eof;
            return STEP_MORE;
        }
        if (reads == READS_PER_TURN) {
            bolt_conn_enqueue(conn);
            return STEP_MORE;
        }
        if (!receive(conn))
            return STEP_STOP;
    }
}

/* ------------------------------------------------------------------------------------------- one turn */

static bool is_idle(const struct bolt_conn *conn)
{
    return conn->phase == PHASE_HEAD && bolt_input_is_empty(&conn->in) && !conn->readable &&
           bolt_output_unsent(conn) == 0;
}

static void start_once(struct bolt_conn *conn, enum timer_kind kind)
{
    if (conn->read_timer.kind != kind)
        bolt_timer_start(conn->server, &conn->read_timer, kind);
}

/* What are we waiting for? */
static void choose_timeout(struct bolt_conn *conn)
{
    if (conn->closing || is_blocked(conn))
        bolt_timer_stop(&conn->read_timer);
    else if (conn->phase == PHASE_CONTENT)
        start_once(conn, TIMER_CONTENT);
    else if (!bolt_input_is_empty(&conn->in))
        start_once(conn, TIMER_HEADER);
    else if (bolt_output_unsent(conn))
        bolt_timer_stop(&conn->read_timer); /* the write timeout watches */
    else
        start_once(conn, conn->server->draining ? TIMER_DRAIN : TIMER_IDLE);
}

/* Everything possible has been parsed: send, then close or wait. */
static void settle(struct bolt_conn *conn)
{
    bolt_output_flush(conn);
    if (conn->phase == PHASE_CLOSED)
        return;
    if (conn->server->draining && conn->server->options.drain_idle_ms == 0 && is_idle(conn))
        conn->closing = true;
    if (conn->closing && bolt_output_unsent(conn) == 0) {
        finish(conn);
        return;
    }
    if (conn->phase == PHASE_HEAD && bolt_input_is_empty(&conn->in))
        bolt_input_release(conn->server, &conn->in);
    choose_timeout(conn);
}

/* The exchange is the app's: earlier answers go out, a peer that is gone is reported. */
static void attend_open(struct bolt_conn *conn)
{
    bolt_output_flush(conn);
    if (conn->phase == PHASE_CLOSED)
        return; /* queued again */
    if (conn->gone && (conn->broken || bolt_output_unsent(conn) == 0)) {
        bolt_conn_close(conn);
        return;
    }
    if (conn->gone && !conn->exchange->disconnected) {
        conn->exchange->disconnected = true; /* half-closed, and still reading earlier answers */
        conn->notify = true;
    }
    if (conn->notify && !conn->calling)
        bolt_exchange_notify(conn);
}

void bolt_conn_process(struct bolt_conn *conn)
{
    switch (conn->phase) {
    case PHASE_HEAD:
    case PHASE_CONTENT:
        if (advance(conn) == STEP_COMPLETE)
            bolt_exchange_dispatch(conn);
        else if (conn->phase != PHASE_CLOSED)
            settle(conn);
        break;
    case PHASE_OPEN:
        attend_open(conn);
        break;
    case PHASE_LINGER:
        linger(conn);
        break;
    case PHASE_CLOSED:
        if (conn->notify && !conn->calling)
            bolt_exchange_notify(conn);
        break;
    }
}

/* ------------------------------------------------------------------------------------------- from outside */

void bolt_conn_note(struct bolt_conn *conn, uint32_t events)
{
    if (events & (EPOLLHUP | EPOLLERR))
        conn->broken = true;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        conn->gone = true;
    if (events & ~(uint32_t)EPOLLOUT)
        conn->readable = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        conn->writable = true;
    if ((events & ~(uint32_t)EPOLLOUT) || bolt_output_unsent(conn))
        bolt_conn_enqueue(conn);
}

void bolt_conn_timeout(struct bolt_conn *conn, enum timer_kind kind)
{
    if (kind != TIMER_LINGER && kind != TIMER_DRAIN)
        conn->server->stats.timeouts++;
    if (kind == TIMER_HEADER || kind == TIMER_CONTENT) {
        bolt_conn_refuse(conn, 408);
        bolt_conn_enqueue(conn);
    } else {
        bolt_conn_close(conn);
    }
}

void bolt_conn_drain(struct bolt_conn *conn)
{
    char octet;
    if (conn->phase == PHASE_OPEN) {
        conn->exchange->keep_alive = false;
    } else if (conn->server->options.drain_idle_ms == 0 && is_idle(conn) && recv(conn->fd, &octet, 1, MSG_PEEK) < 0) {
        bolt_conn_close(conn); /* nobody's request is lost: not one octet has arrived */
    } else {
        conn->readable = true; /* makes sure that we look, and choose the timeout anew */
        bolt_conn_enqueue(conn);
    }
}
