/* SPDX-License-Identifier: MIT */
/* timer.c - deadlines: one list per kind of timeout, one timerfd for all of them.
 *
 * All timers of a kind have the same duration, so a list that is only ever appended to is sorted by deadline:
 * start, stop and "who is next" are O(1). The timerfd is a wake-up call, not the judge: it is armed for a moment no
 * later than the nearest deadline and left alone when that deadline moves away, which costs at most one early wake-up
 * per duration instead of a system call per request. Whether a deadline has passed is decided by the server's
 * clock alone, in bolt_timer_expire().
 *
 * Besides connections two things have deadlines of their own: the access log buffer and paused accept.
 */
#include "server_int.h"

#include <sys/timerfd.h>

void bolt_timer_init_lists(struct bolt_server *server)
{
    for (unsigned kind = 0; kind < TIMER_KINDS; kind++) {
        struct timer *head = &server->timers[kind];
        head->next = head->prev = head;
    }
    server->armed_ms = NEVER_MS;
}

void bolt_timer_init(struct timer *timer)
{
    timer->kind = TIMER_OFF;
}

void bolt_timer_stop(struct timer *timer)
{
    if (timer->kind == TIMER_OFF)
        return;
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->kind = TIMER_OFF;
}

void bolt_timer_start(struct bolt_server *server, struct timer *timer, enum timer_kind kind)
{
    bolt_timer_stop(timer);
    if (server->durations_ms[kind] == 0)
        return;
    struct timer *head = &server->timers[kind];
    timer->kind = kind;
    timer->deadline_ms = bolt_server_now(server) + server->durations_ms[kind];
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
    bolt_timer_wake_at(server, timer->deadline_ms);
}

static void arm(struct bolt_server *server, uint64_t delay_ms)
{
    /* Zero would disarm; one nanosecond is "at once". */
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(delay_ms / 1000),
                                           .tv_nsec = (long)(delay_ms % 1000) * 1000000 + (delay_ms == 0)}};
    if (server->foreign || timerfd_settime(server->timer_fd, 0, &when, NULL) < 0)
        server->armed_ms = NEVER_MS; /* not armed: the next timer to start tries again */
}

void bolt_timer_wake_at(struct bolt_server *server, uint64_t deadline_ms)
{
    if (deadline_ms >= server->armed_ms)
        return;
    uint64_t now = bolt_server_now(server);
    server->armed_ms = deadline_ms;
    arm(server, deadline_ms > now ? deadline_ms - now : 0);
}

void bolt_timer_wake_now(struct bolt_server *server)
{
    server->armed_ms = 0;
    arm(server, 0);
}

static void expire_list(struct bolt_server *server, enum timer_kind kind, uint64_t now)
{
    struct timer *head = &server->timers[kind];
    while (head->next != head && head->next->deadline_ms <= now) {
        struct timer *timer = head->next;
        bolt_timer_stop(timer);
        size_t offset =
            kind == TIMER_WRITE ? offsetof(struct bolt_conn, write_timer) : offsetof(struct bolt_conn, read_timer);
        bolt_conn_timeout((struct bolt_conn *)(void *)((char *)timer - offset), kind);
    }
}

static uint64_t nearest_deadline(const struct bolt_server *server)
{
    uint64_t nearest = server->log.due_ms < server->accept_due_ms ? server->log.due_ms : server->accept_due_ms;
    for (unsigned kind = 0; kind < TIMER_KINDS; kind++) {
        const struct timer *head = &server->timers[kind];
        if (head->next != head && head->next->deadline_ms < nearest)
            nearest = head->next->deadline_ms;
    }
    return nearest;
}

void bolt_timer_expire(struct bolt_server *server)
{
    uint64_t now = bolt_server_now(server);
    if (now < server->armed_ms)
        return;
    for (unsigned kind = 0; kind < TIMER_KINDS; kind++)
        expire_list(server, (enum timer_kind)kind, now);
    if (server->log.due_ms <= now)
        bolt_server_flush_log(server);
    if (server->accept_due_ms <= now)
        bolt_listener_resume(server);
    server->armed_ms = NEVER_MS;
    bolt_timer_wake_at(server, nearest_deadline(server));
}
