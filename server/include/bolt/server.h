/* SPDX-License-Identifier: MIT */
/* server.h - sockets to exchanges: one epoll set, its connections, their timeouts and output.
 *
 * The server knows HTTP and routes, not Python. It lives inside somebody else's event loop: the owner
 * watches bolt_server_fd() for readability and then calls bolt_server_run(), which never blocks.
 *
 * Mental model. A *connection* owns a socket, at most one input buffer and one output buffer (both
 * pooled: an idle keep-alive connection holds none). A complete request becomes an *exchange*:
 * `on_request` is called, and the app answers now or later by appending a response to
 * bolt_exchange_out() and calling bolt_exchange_done(). While an exchange is open the connection parses
 * no further request (pipelined requests answer in order) and its input octets stay where they are, so the
 * head and content may be borrowed until bolt_exchange_done() returns.
 *
 * Invariants
 *  1. on_request may be *suspended* (its C stack sliced away by greenlet) and another greenlet may call
 *     bolt_server_run() meanwhile. Hence everything reachable from a callback lives on the heap, the list of
 *     ready events is a queue in the server that whoever runs next continues to drain, and
 *     after every callback the code re-checks the state it relies on.
 *  2. on_disconnect is called at most once per exchange, only while it is open, and from inside
 *     on_request of the same exchange only after bolt_exchange_suspended(). The app still has to call bolt_exchange_done().
 *  3. Callbacks never run from inside bolt_exchange_done(); follow-up work (sending, pipelined requests,
 *     closing) is queued and done by the next bolt_server_run_pending() or bolt_server_run().
 *  4. Edge-triggered: a connection is registered with epoll once; readiness is remembered in the connection.
 *
 * The queue is not visible through bolt_server_fd(). Whoever finishes exchanges outside bolt_server_run(), or
 * sees on_request suspended, calls bolt_server_run_pending() soon after (bolt_server_has_pending() says whether
 * there is anything to do); one call for many exchanges is best, it sends once per connection.
 *
 * One thread. After fork() only the parent may go on; in the child bolt_server_free() gives back memory and
 * descriptors and leaves the parent's sockets, timers and log alone.
 */
#ifndef BOLT_SERVER_H
#define BOLT_SERVER_H

#include <sys/socket.h>

#include "bolt/buf.h"
#include "bolt/http1.h"
#include "bolt/http1_write.h"
#include "bolt/route.h"

struct bolt_server;
struct bolt_exchange;

/* Timeouts of 0 never expire; a drain_idle_ms of 0 closes at once. Copied by bolt_server_new(), server_name included. */
struct bolt_server_options {
    struct bolt_http1_limits limits;
    uint32_t header_timeout_ms;  /* first octet of a request to the end of its header section: 408 */
    uint32_t idle_timeout_ms;    /* keep-alive: between requests, closes silently */
    uint32_t content_timeout_ms; /* no content octet arrived for this long: 408 */
    uint32_t write_timeout_ms;   /* the peer accepted no octet for this long: closes */
    uint32_t drain_idle_ms;      /* while draining an idle connection may still send a request for this long */
    size_t output_high_bytes;    /* above this much unsent output a connection stops parsing and reading */
    uint32_t max_connections;    /* above: accept is paused */
    struct bolt_slice server_name;
    int access_log_fd;             /* -1: off */
    uint64_t (*now_ms)(void *ctx); /* NULL: CLOCK_MONOTONIC at tick resolution; tests pass their own */
    void *now_ctx;
};

/* limits default; 10 s, 75 s, 30 s, 60 s, 0.5 s; 256 KiB; 65536; "django-cbolt"; -1 */
extern const struct bolt_server_options BOLT_SERVER_OPTIONS_DEFAULT;

struct bolt_server_app {
    void *ctx;
    const struct bolt_router *router; /* borrowed, frozen */
    /* The request is complete and routed (exchange->match). */
    void (*on_request)(void *ctx, struct bolt_exchange *exchange);
    /* The peer is gone while the exchange is open: reset, closed, or half-closed (shutdown of its sending
     * side). Requests that were answered before that was noticed still get their answers. */
    void (*on_disconnect)(void *ctx, struct bolt_exchange *exchange);
    /* May be NULL. Header section complete, content announced but not read yet: returns the content limit for
     * this request (per-route limits). A look-up: it must neither be suspended nor call the server. */
    uint64_t (*content_limit)(void *ctx, const struct bolt_exchange *exchange);
};

/* One request and its response. Allocated by the server, freed after bolt_exchange_done(). */
struct bolt_exchange {
    struct bolt_http1_head head;   /* borrows from the connection's input */
    struct bolt_slice content;     /* whole content, decoded; same lifetime */
    struct bolt_route_match match; /* captures borrow from head.path */
    bool disconnected;             /* the peer is gone: output is dropped */
    bool keep_alive;               /* may be cleared by the app before answering */
    int status;                    /* set by the app for the access log */
    uint64_t started_us;           /* monotonic; 0 when the access log is off */
    void *app_data;                /* the app's */
    struct bolt_conn *conn;        /* private to server/ */
};

BOLT_NODISCARD int bolt_server_new(const struct bolt_server_options *options, const struct bolt_server_app *app,
                                   struct bolt_server **out);
/* Closes every socket it owns. Open exchanges get on_disconnect first and may be finished later. */
void bolt_server_free(struct bolt_server *server);

/* Readable (EPOLLIN) when sockets are ready or a timeout has passed: call bolt_server_run(). */
int bolt_server_fd(const struct bolt_server *server);

/* Listening sockets stay the caller's (several servers may share or inherit them) and become non-blocking;
 * close them after bolt_server_drain() or bolt_server_free(). BOLT_ERR_CLOSED while draining. */
BOLT_NODISCARD int bolt_server_add_listener(struct bolt_server *server, int fd);
/* Takes over a connected stream socket (tests, inherited connections). Owner on success only. */
BOLT_NODISCARD int bolt_server_adopt_take(struct bolt_server *server, int fd);

/* Handles what is ready: at most one epoll_wait(timeout 0), then the queue. Returns the number of
 * events handled or BOLT_ERR_OS. */
int bolt_server_run(struct bolt_server *server);
/* Only the queued follow-up work (after bolt_exchange_done() outside bolt_server_run). */
void bolt_server_run_pending(struct bolt_server *server);
bool bolt_server_has_pending(const struct bolt_server *server);

/* Graceful stop: accept what the kernel has already connected and nothing more, close connections that stay idle for
 * drain_idle_ms (a client that keeps a connection busy has its next request on the way, and nobody would answer it),
 * `connection: close` on every further response (open exchanges get keep_alive = false). Call bolt_server_run_pending()
 * after it. bolt_server_is_drained() turns true when no connection is left. */
void bolt_server_drain(struct bolt_server *server);
bool bolt_server_is_drained(const struct bolt_server *server);

/* Where the response is appended, and the stamp for its head. Valid until done. */
struct bolt_buf *bolt_exchange_out(struct bolt_exchange *exchange);
const struct bolt_http1_stamp *bolt_exchange_stamp(struct bolt_exchange *exchange);

/* on_request of this exchange is suspended: the app will finish it later, and from now on on_disconnect may be
 * called for it although on_request has not returned. */
void bolt_exchange_suspended(struct bolt_exchange *exchange);

/* The response is complete in the output buffer (or impossible: abort = true closes the connection
 * without sending what was appended since the exchange began). The exchange is invalid afterwards. */
void bolt_exchange_done(struct bolt_exchange *exchange, bool abort);

/* Answers {"detail": ...} with the status and completes the exchange. `fields` as in bolt_http1_put_simple. */
void bolt_exchange_reply_simple(struct bolt_exchange *exchange, int status, struct bolt_slice detail,
                                struct bolt_slice fields);
/* Answers what matching alone decides: 404, 405 + Allow, automatic OPTIONS 204, 308 + Location (query kept). */
void bolt_exchange_reply_unmatched(struct bolt_exchange *exchange);

/* Peer (of a Unix socket only the family) and local address. Local: BOLT_ERR_CLOSED once the socket is closed. */
BOLT_NODISCARD int bolt_exchange_peer(const struct bolt_exchange *exchange, struct sockaddr_storage *addr,
                                      socklen_t *len);
BOLT_NODISCARD int bolt_exchange_local(const struct bolt_exchange *exchange, struct sockaddr_storage *addr,
                                       socklen_t *len);

struct bolt_server_stats {
    uint64_t accepted, closed, requests, wakeups, events, timeouts, bad_requests, aborted;
    uint32_t connections, exchanges_open;
};
void bolt_server_get_stats(const struct bolt_server *server, struct bolt_server_stats *out);

/* Writes the access log buffer now (also happens once per second and at free; nothing is logged after that). */
void bolt_server_flush_log(struct bolt_server *server);

#endif
