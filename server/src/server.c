/* SPDX-License-Identifier: MIT */
/* server.c - the facade: creation, the run loop, the work queue, graceful stop.
 *
 * One run is: epoll_wait(0) -> note every event in its connection and queue it -> drain the queue -> expire
 * timers -> drain again. The epoll results are consumed before anything else happens, so a connection
 * that dies on the way can never be reached through a stale event. Nothing else in this file is per event.
 *
 * Invariants
 *  1. Callbacks start from drain_queue() only (through bolt_conn_process). It may be entered again while one of
 *     its frames is suspended; each frame just keeps popping until the queue is empty.
 *  2. A frame that pops holds one reference to the server and one to the connection.
 *  3. A queue that is not drained to the end makes the fd readable again through the timerfd.
 *  4. In a forked child (server->foreign) only memory and descriptors are released: the epoll set, the timer and
 *     the connections behind the descriptors still belong to the parent.
 */
#include "server_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

const struct bolt_server_options BOLT_SERVER_OPTIONS_DEFAULT = {
    .limits = {.target_bytes = 8192,
               .header_bytes = 8192,
               .header_count = 100,
               .content_bytes = 1 << 20,
               .chunk_ext_bytes = 256},
    .header_timeout_ms = 10000,
    .idle_timeout_ms = 75000,
    .content_timeout_ms = 30000,
    .write_timeout_ms = 60000,
    .drain_idle_ms = 500,
    .output_high_bytes = 256 * 1024,
    .max_connections = 65536,
    .server_name = {"django-cbolt", 12},
    .access_log_fd = -1,
};

/* ------------------------------------------------------------------------------------------- lifetime */

static int open_kernel_objects(struct bolt_server *server)
{
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0)
        return BOLT_ERR_OS;
    server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (server->timer_fd < 0)
        return BOLT_ERR_OS;
    /* Edge-triggered, so expiries need not be read back. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = &server->timer_source};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->timer_fd, &event) < 0)
        return BOLT_ERR_OS;
    return BOLT_OK;
}

static void close_kernel_objects(struct bolt_server *server)
{
    if (server->timer_fd >= 0)
        (void)close(server->timer_fd);
    if (server->epoll_fd >= 0)
        (void)close(server->epoll_fd);
    server->timer_fd = server->epoll_fd = -1;
}

static int copy_options(struct bolt_server *server, const struct bolt_server_options *options)
{
    server->options = *options;
    char *name = bolt_strndup(options->server_name.ptr, options->server_name.len);
    server->options.server_name.ptr = name;
    server->durations_ms[TIMER_HEADER] = options->header_timeout_ms;
    server->durations_ms[TIMER_IDLE] = options->idle_timeout_ms;
    server->durations_ms[TIMER_CONTENT] = options->content_timeout_ms;
    server->durations_ms[TIMER_WRITE] = options->write_timeout_ms;
    server->durations_ms[TIMER_LINGER] = LINGER_MS;
    server->durations_ms[TIMER_DRAIN] = options->drain_idle_ms;
    return name ? BOLT_OK : BOLT_ERR_NOMEM;
}

int bolt_server_new(const struct bolt_server_options *options, const struct bolt_server_app *app,
                    struct bolt_server **out)
{
    struct bolt_server *server = bolt_calloc(1, sizeof(*server));
    if (!server)
        return BOLT_ERR_NOMEM;
    server->refs = 1;
    server->app = *app;
    server->owner = getpid();
    server->clock_stale = true;
    server->epoll_fd = server->timer_fd = -1;
    server->timer_source.kind = SOURCE_TIMER;
    server->accept_due_ms = server->log.due_ms = NEVER_MS;
    bolt_timer_init_lists(server);
    bolt_pool_init(&server->pool);
    int err = copy_options(server, options);
    if (!err)
        err = open_kernel_objects(server);
    if (err) {
        int cause = errno;
        close_kernel_objects(server);
        bolt_server_unref(server);
        errno = cause;
        return err;
    }
    *out = server;
    return BOLT_OK;
}

void bolt_server_ref(struct bolt_server *server)
{
    server->refs++;
}

void bolt_server_unref(struct bolt_server *server)
{
    if (--server->refs)
        return;
    bolt_listener_free_all(server);
    bolt_pool_clear(&server->pool);
    bolt_buf_clear(&server->log.buf);
    bolt_free((void *)(uintptr_t)server->options.server_name.ptr);
    bolt_free(server);
}

/* ------------------------------------------------------------------------------------------- work queue */

void bolt_server_enqueue(struct bolt_server *server, struct source *source)
{
    if (source->queued)
        return;
    source->queued = true;
    source->next = NULL;
    if (server->queue_tail)
        server->queue_tail->next = source;
    else
        server->queue_head = source;
    server->queue_tail = source;
}

void bolt_server_enqueue_first(struct bolt_server *server, struct source *source)
{
    if (source->queued)
        return;
    source->queued = true;
    source->next = server->queue_head;
    server->queue_head = source;
    if (!server->queue_tail)
        server->queue_tail = source;
}

static struct source *dequeue(struct bolt_server *server)
{
    struct source *source = server->queue_head;
    if (!source)
        return NULL;
    server->queue_head = source->next;
    if (!server->queue_head)
        server->queue_tail = NULL;
    source->queued = false;
    return source;
}

static void drain_queue(struct bolt_server *server)
{
    for (unsigned handled = 0; handled < ITEMS_PER_RUN || server->closed; handled++) {
        struct source *source = dequeue(server);
        if (!source)
            return;
        if (source->kind == SOURCE_LISTENER) {
            bolt_listener_accept((struct listener *)source);
        } else {
            struct bolt_conn *conn = (struct bolt_conn *)source;
            bolt_conn_process(conn);
            bolt_conn_unref(conn);
        }
    }
    bolt_timer_wake_now(server);
}

/* ------------------------------------------------------------------------------------------- running */

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    /* Tick resolution is plenty for timeouts and costs a quarter of the precise clock. */
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t bolt_server_now(struct bolt_server *server)
{
    if (server->clock_stale) {
        server->clock_stale = false;
        server->now_ms = server->options.now_ms ? server->options.now_ms(server->options.now_ctx) : monotonic_ms();
    }
    return server->now_ms;
}

const struct bolt_http1_stamp *bolt_server_stamp(struct bolt_server *server)
{
    bolt_http1_stamp_update(&server->stamp, (int64_t)time(NULL), server->options.server_name);
    return &server->stamp;
}

static void note_event(struct bolt_server *server, const struct epoll_event *event)
{
    struct source *source = event->data.ptr;
    switch (source->kind) {
    case SOURCE_CONN:
        bolt_conn_note((struct bolt_conn *)source, event->events);
        break;
    case SOURCE_LISTENER:
        ((struct listener *)source)->ready = true;
        bolt_server_enqueue(server, source);
        break;
    case SOURCE_TIMER:
        server->armed_ms = 0; /* has fired: look at the deadlines and arm again */
        break;
    }
}

int bolt_server_run(struct bolt_server *server)
{
    if (server->closed)
        return 0;
    int count = epoll_wait(server->epoll_fd, server->events, EVENTS_PER_RUN, 0);
    int cause = errno;
    if (count < 0 && cause != EINTR) {
        errno = cause;
        return BOLT_ERR_OS;
    }
    if (count < 0)
        count = 0;
    bolt_server_ref(server);
    server->clock_stale = true;
    server->stats.wakeups++;
    server->stats.events += (uint64_t)count;
    for (int i = 0; i < count; i++)
        note_event(server, &server->events[i]);
    drain_queue(server);
    /* When more waits in the kernel or the queue, a deadline may already have been met: judge it next time. */
    if (count < EVENTS_PER_RUN && !server->queue_head && !server->closed) {
        bolt_timer_expire(server);
        drain_queue(server);
    }
    bolt_server_unref(server);
    return count;
}

void bolt_server_run_pending(struct bolt_server *server)
{
    bolt_server_ref(server);
    server->clock_stale = true;
    drain_queue(server);
    bolt_server_unref(server);
}

bool bolt_server_has_pending(const struct bolt_server *server)
{
    return server->queue_head != NULL;
}

int bolt_server_fd(const struct bolt_server *server)
{
    return server->epoll_fd;
}

void bolt_server_get_stats(const struct bolt_server *server, struct bolt_server_stats *out)
{
    *out = server->stats;
}

/* ------------------------------------------------------------------------------------------- stopping */

void bolt_server_drain(struct bolt_server *server)
{
    if (server->draining || server->closed)
        return;
    bolt_listener_accept_rest(server);
    server->draining = true;
    bolt_listener_remove_all(server);
    struct bolt_conn *next;
    for (struct bolt_conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        bolt_conn_drain(conn);
    }
}

bool bolt_server_is_drained(const struct bolt_server *server)
{
    return server->draining && !server->conns;
}

void bolt_server_free(struct bolt_server *server)
{
    if (!server)
        return;
    server->closed = true;
    server->foreign = getpid() != server->owner;
    bolt_listener_remove_all(server);
    while (server->conns)
        bolt_conn_close(server->conns);
    while (server->queue_head)
        drain_queue(server);
    bolt_server_flush_log(server);
    close_kernel_objects(server);
    bolt_server_unref(server);
}
