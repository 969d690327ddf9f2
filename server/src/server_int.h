/* SPDX-License-Identifier: MIT */
/* server_int.h - what the files of server/ share: the connection, the server, and who may call whom.
 *
 *     server.c   facade, run loop, work queue          accept.c      listening sockets
 *     conn.c     life of a connection, one step at a time   timer.c  deadline lists, the timerfd
 *     input.c    the octets a connection has received   pool.c       freelists
 *     output.c   the octets it has still to send        reply.c      answers without the app's help
 *     exchange.c requests in the app's hands            access_log.c one line per answer
 *
 * The work queue is the only place callbacks of the app start from: events, timeouts and finished exchanges mark
 * the connection and put it there; bolt_server_drain_queue() pops one after the other and calls
 * bolt_conn_process(), whose callback (if any) is its last action. So no C frame between the queue loop and
 * a callback holds state that could go stale while the callback is suspended.
 *
 * References. The queue, the run loop's current item, an exchange in the app's hands and the open socket each count
 * one on the connection; every connection counts one on the server. Both structs therefore outlive whatever a
 * suspended frame may still look at. Counters are not atomic: a server belongs to one thread.
 */
#ifndef BOLT_SERVER_INT_H
#define BOLT_SERVER_INT_H

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "bolt/server.h"

#define BLOCK_BYTES 16384u       /* pooled input block: a whole request in nearly every case */
#define OUTPUT_KEEP_BYTES 65536u /* larger output buffers are freed instead of pooled */
#define SPILL_MIN_BYTES 65536u   /* first size of a content buffer that outgrew its block */
#define EVENTS_PER_RUN 256       /* one epoll_wait */
#define ITEMS_PER_RUN 4096       /* queue items before the loop of the owner gets a turn */
#define READS_PER_TURN 64        /* recv calls for one connection before the others get a turn */
#define LINGER_MS 5000u          /* how long a refused client may take to read the answer */
#define LINGER_BYTES (8u << 20)  /* and how much it may still send meanwhile */
#define ACCEPTS_PER_TURN 64
#define DRAIN_ACCEPTS 4096   /* from one listener: the usual limit of its queue */
#define ACCEPT_RETRY_MS 250u /* after EMFILE and friends */
#define LOG_FLUSH_BYTES 32768u
#define LOG_FLUSH_MS 1000u
#define NEVER_MS UINT64_MAX

/* ------------------------------------------------------------------------------------------- queue items */

enum source_kind { SOURCE_CONN, SOURCE_LISTENER, SOURCE_TIMER };

/* First member of everything an epoll event can point at. */
struct source {
    enum source_kind kind;
    bool queued;
    struct source *next; /* in the work queue */
};

struct listener {
    struct source source;
    struct bolt_server *server; /* not counted: listeners die with the server */
    int fd;                     /* the caller's; -1 once removed */
    bool ready;                 /* accept has not said EAGAIN since the last event */
    struct listener *next;
};

/* ------------------------------------------------------------------------------------------- timers */

enum timer_kind {
    TIMER_HEADER,
    TIMER_IDLE,
    TIMER_CONTENT,
    TIMER_LINGER,
    TIMER_DRAIN,
    TIMER_WRITE,
    TIMER_KINDS,
    TIMER_OFF
};

struct timer {
    struct timer *next, *prev;
    uint64_t deadline_ms;
    enum timer_kind kind;
};

/* ------------------------------------------------------------------------------------------- connections */

/* Octets received: [start, end) is not parsed yet. Owns ptr. cap == BLOCK_BYTES: comes from the pool. */
struct input {
    char *ptr;
    size_t start, end, cap;
};

enum conn_phase {
    PHASE_HEAD,    /* between requests or inside a header section; no exchange */
    PHASE_CONTENT, /* header section accepted, content is being collected; the exchange is ours */
    PHASE_OPEN,    /* the exchange is the app's; nothing is parsed */
    PHASE_LINGER,  /* our direction is shut down; what still arrives is dropped */
    PHASE_CLOSED,  /* no socket; an exchange may still be the app's */
};

struct bolt_conn {
    struct source source; /* first: epoll's pointer */
    struct bolt_server *server;
    uint32_t refs;
    int fd;
    enum conn_phase phase;

    /* readiness as the edge-triggered events told it */
    bool readable; /* recv has not come back short since the last event */
    bool writable; /* send has not said EAGAIN since the last event */
    bool eof;      /* recv said so: nothing more will come */
    bool gone;     /* the peer has closed (at least) its direction */
    bool broken;   /* both directions are unusable */

    bool closing;       /* parse nothing more; close when the output is out */
    bool refused;       /* the client may still be sending: read on after the answer */
    bool continue_due;  /* the client waits for 100 (Continue) before it sends content */
    bool calling;       /* on_request of the current exchange has not returned */
    bool notify;        /* on_disconnect is due */
    uint64_t serial;    /* of the current exchange; tells a returning callback whether it is still current */
    size_t linger_left; /* octets that may still be dropped */

    struct bolt_http1 *parser;
    struct input in;
    struct input head_block;         /* pins the head's octets when content has outgrown the block */
    size_t content_off, content_len; /* decoded content so far, in `in` */
    struct bolt_exchange *exchange;

    struct bolt_buf out;
    size_t out_sent; /* octets of `out` the kernel has taken */
    size_t out_mark; /* end of the finished responses; the open exchange appends behind it */

    struct timer read_timer, write_timer;
    struct bolt_conn *next, *prev; /* all connections with a socket */
    socklen_t peer_len;
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } peer;
};

/* ------------------------------------------------------------------------------------------- the server */

struct freelist {
    void *head; /* linked through the first word */
    uint32_t count, max;
};

struct pool {
    struct freelist blocks, exchanges, outputs;
};

struct access_log {
    struct bolt_buf buf;
    uint64_t due_ms;
};

struct bolt_server {
    struct bolt_server_options options;
    struct bolt_server_app app;
    uint32_t refs;
    pid_t owner;
    bool closed;  /* bolt_server_free was called */
    bool foreign; /* ... in a forked child: the kernel objects are still the parent's */
    bool draining;
    bool clock_stale;
    int epoll_fd, timer_fd;
    uint64_t now_ms;
    struct bolt_http1_stamp stamp;

    struct source *queue_head, *queue_tail;
    struct bolt_conn *conns;
    struct listener *listeners;
    uint64_t accept_due_ms; /* accept is paused until then */

    struct source timer_source;
    uint64_t armed_ms; /* the timerfd fires no later than this; invariant: <= every deadline */
    struct timer timers[TIMER_KINDS];
    uint32_t durations_ms[TIMER_KINDS];

    struct pool pool;
    struct access_log log;
    struct bolt_server_stats stats;
    struct epoll_event events[EVENTS_PER_RUN];
};

/* server.c */
void bolt_server_ref(struct bolt_server *server);
void bolt_server_unref(struct bolt_server *server);
/* Puts the item last / first unless it is queued already. */
void bolt_server_enqueue(struct bolt_server *server, struct source *source);
void bolt_server_enqueue_first(struct bolt_server *server, struct source *source);
/* Milliseconds of the server's clock; read anew once per run and after each callback. */
uint64_t bolt_server_now(struct bolt_server *server);
/* The stamp of this second. */
const struct bolt_http1_stamp *bolt_server_stamp(struct bolt_server *server);

/* conn.c */
/* A registered connection around `fd` (non-blocking), or an error; the fd stays the caller's on failure. */
BOLT_NODISCARD int bolt_conn_open_take(struct bolt_server *server, int fd, const struct sockaddr *peer,
                                       socklen_t peer_len);
void bolt_conn_ref(struct bolt_conn *conn);
void bolt_conn_unref(struct bolt_conn *conn);
void bolt_conn_enqueue(struct bolt_conn *conn);
void bolt_conn_enqueue_first(struct bolt_conn *conn);
/* Takes note of an epoll event; no side effect but the queue. */
void bolt_conn_note(struct bolt_conn *conn, uint32_t events);
/* Does all that can be done now. May end in one callback of the app; nothing follows it. */
void bolt_conn_process(struct bolt_conn *conn);
/* Answers with an error status and closes. Precondition: the exchange, if any, is not the app's. */
void bolt_conn_refuse(struct bolt_conn *conn, int status);
/* Drops the socket at once. An exchange in the app's hands becomes disconnected and is told through the queue. */
void bolt_conn_close(struct bolt_conn *conn);
void bolt_conn_timeout(struct bolt_conn *conn, enum timer_kind kind);
/* Graceful stop: lets the connection finish what is under way on it, and closes it when nothing is. */
void bolt_conn_drain(struct bolt_conn *conn);

/* input.c */
bool bolt_input_is_empty(const struct input *in);
void bolt_input_release(struct bolt_server *server, struct input *in);
/* Makes room behind in.end; moves nothing that is borrowed. BOLT_OK or BOLT_ERR_NOMEM. */
BOLT_NODISCARD int bolt_input_make_room(struct bolt_conn *conn);
/* Appends a decoded piece (a slice of `in`) to the content. */
void bolt_input_take_content(struct bolt_conn *conn, struct bolt_slice piece);
/* The message is over: nothing of it is borrowed any more. What follows it is kept. */
void bolt_input_end_message(struct bolt_conn *conn);
/* The connection is over: nothing is kept. */
void bolt_input_drop(struct bolt_conn *conn);

/* exchange.c */
/* Hands the complete request to the app. Last action of its caller. */
void bolt_exchange_dispatch(struct bolt_conn *conn);
/* Calls on_disconnect. Last action of its caller. */
void bolt_exchange_notify(struct bolt_conn *conn);

/* output.c */
size_t bolt_output_unsent(const struct bolt_conn *conn);
/* Sends finished responses until done or the socket is full. Closes the connection when the peer is gone. */
void bolt_output_flush(struct bolt_conn *conn);
void bolt_output_release(struct bolt_conn *conn);

/* timer.c */
void bolt_timer_init_lists(struct bolt_server *server);
void bolt_timer_init(struct timer *timer);
/* (Re)starts the timer with the duration of its kind; a duration of 0 means none. */
void bolt_timer_start(struct bolt_server *server, struct timer *timer, enum timer_kind kind);
void bolt_timer_stop(struct timer *timer);
/* Makes the server's fd readable at `deadline_ms` at the latest. */
void bolt_timer_wake_at(struct bolt_server *server, uint64_t deadline_ms);
void bolt_timer_wake_now(struct bolt_server *server);
/* Handles every deadline that has passed, then arms the timerfd for the next one. */
void bolt_timer_expire(struct bolt_server *server);

/* accept.c */
void bolt_listener_accept(struct listener *listener);
/* A connection or a descriptor has become free: goes on where accept was paused. */
void bolt_listener_resume(struct bolt_server *server);
/* Before the end: takes what waits in the kernel's queues, as far as accept is not paused. */
void bolt_listener_accept_rest(struct bolt_server *server);
/* Stops watching the listening sockets; the descriptors stay the caller's. */
void bolt_listener_remove_all(struct bolt_server *server);
void bolt_listener_free_all(struct bolt_server *server);

/* pool.c */
void bolt_pool_init(struct pool *pool);
void bolt_pool_clear(struct pool *pool);
BOLT_NODISCARD char *bolt_pool_get_block(struct pool *pool);
void bolt_pool_put_block(struct pool *pool, char *block);
BOLT_NODISCARD struct bolt_exchange *bolt_pool_get_exchange(struct pool *pool);
void bolt_pool_put_exchange(struct pool *pool, struct bolt_exchange *exchange);
/* Storage of an earlier buffer, or an empty buffer that grows by itself. */
void bolt_pool_get_output(struct pool *pool, struct bolt_buf *buf);
void bolt_pool_put_output(struct pool *pool, struct bolt_buf *buf);

/* reply.c */
/* The text of {"detail": ...} for a status the server answers by itself. */
struct bolt_slice bolt_reply_detail(int status);

/* access_log.c */
uint64_t bolt_log_clock_us(void);
void bolt_log_append(struct bolt_server *server, const struct bolt_exchange *exchange);

#endif
