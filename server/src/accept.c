/* SPDX-License-Identifier: MIT */
/* accept.c - listening sockets to connections.
 *
 * Listeners are watched edge-triggered and stay the caller's; `ready` remembers that accept has not said EAGAIN yet, so
 * pausing costs no system call: a paused listener is simply not queued. Accept pauses for two reasons.
 *   - max_connections are open: goes on when one closes.
 *   - no descriptor or memory is left (EMFILE, ENFILE, ENOBUFS, ENOMEM): goes on when one closes, or after ACCEPT_RETRY_MS
 *     because somebody else may have held them.
 * Meanwhile clients wait in the kernel's queue, where the load balancer sees them.
 *
 * Closing a listener resets what waits in its queue, so a draining server empties the queue first. What arrives between
 * that and the close is lost to this listener; a supervisor that keeps a copy open for a successor loses nothing.
 */
#include "server_int.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return BOLT_ERR_OS;
    if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return BOLT_ERR_OS;
    return BOLT_OK;
}

/* We send whole responses at once, so Nagle's algorithm only delays. Fails harmlessly on Unix sockets. */
static void set_nodelay(int fd)
{
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int bolt_server_add_listener(struct bolt_server *server, int fd)
{
    if (server->draining || server->closed)
        return BOLT_ERR_CLOSED;
    if (set_nonblocking(fd) != BOLT_OK)
        return BOLT_ERR_OS;
    set_nodelay(fd); /* accepted sockets inherit it */
    struct listener *listener = bolt_calloc(1, sizeof(*listener));
    if (!listener)
        return BOLT_ERR_NOMEM;
    listener->source.kind = SOURCE_LISTENER;
    listener->server = server;
    listener->fd = fd;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = listener};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int cause = errno;
        bolt_free(listener);
        errno = cause;
        return BOLT_ERR_OS;
    }
    listener->next = server->listeners;
    server->listeners = listener;
    return BOLT_OK;
}

int bolt_server_adopt_take(struct bolt_server *server, int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t peer_len = sizeof(peer);
    if (server->draining || server->closed)
        return BOLT_ERR_CLOSED;
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0 || set_nonblocking(fd) != BOLT_OK)
        return BOLT_ERR_OS;
    set_nodelay(fd);
    return bolt_conn_open_take(server, fd, (const struct sockaddr *)&peer, peer_len);
}

enum verdict { ACCEPT_DRAINED, ACCEPT_SKIP, ACCEPT_PAUSE, ACCEPT_BROKEN };

/* accept(2): errors already pending on the new connection are reported here and concern only that one. */
static enum verdict judge(int cause)
{
    switch (cause) {
    case EAGAIN:
        return ACCEPT_DRAINED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ACCEPT_PAUSE;
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
        return ACCEPT_BROKEN;
    default:
        return ACCEPT_SKIP;
    }
}

static void stop_watching(struct listener *listener)
{
    /* The descriptor may have been closed and even reused by its owner; then there is nothing to remove. */
    if (listener->fd >= 0 && !listener->server->foreign)
        (void)epoll_ctl(listener->server->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
    listener->fd = -1;
    listener->ready = false;
}

static void pause_accept(struct bolt_server *server)
{
    server->accept_due_ms = bolt_server_now(server) + ACCEPT_RETRY_MS;
    bolt_timer_wake_at(server, server->accept_due_ms);
}

static bool is_paused(const struct bolt_server *server)
{
    return server->accept_due_ms != NEVER_MS || server->stats.connections >= server->options.max_connections;
}

static void accept_one(struct listener *listener)
{
    struct bolt_server *server = listener->server;
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    int fd = accept4(listener->fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (bolt_conn_open_take(server, fd, (const struct sockaddr *)&peer, peer_len) != BOLT_OK)
            (void)close(fd);
        return;
    }
    switch (judge(errno)) {
    case ACCEPT_DRAINED:
        listener->ready = false;
        break;
    case ACCEPT_PAUSE:
        pause_accept(server);
        break;
    case ACCEPT_BROKEN:
        stop_watching(listener);
        break;
    case ACCEPT_SKIP:
        break;
    }
}

void bolt_listener_accept(struct listener *listener)
{
    for (unsigned turn = 0; turn < ACCEPTS_PER_TURN; turn++) {
        if (!listener->ready || is_paused(listener->server))
            return;
        accept_one(listener);
    }
    bolt_server_enqueue(listener->server, &listener->source);
}

void bolt_listener_accept_rest(struct bolt_server *server)
{
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        listener->ready = listener->fd >= 0;
        for (unsigned turn = 0; turn < DRAIN_ACCEPTS && listener->ready && !is_paused(server); turn++)
            accept_one(listener);
    }
}

void bolt_listener_resume(struct bolt_server *server)
{
    server->accept_due_ms = NEVER_MS;
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        if (listener->ready)
            bolt_server_enqueue(server, &listener->source);
    }
}

void bolt_listener_remove_all(struct bolt_server *server)
{
    for (struct listener *listener = server->listeners; listener; listener = listener->next)
        stop_watching(listener);
}

void bolt_listener_free_all(struct bolt_server *server)
{
    struct listener *next;
    for (struct listener *listener = server->listeners; listener; listener = next) {
        next = listener->next;
        bolt_free(listener);
    }
}
