/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <poll.h>

static bool is_readable(const struct fixture *f, int timeout_ms)
{
    struct pollfd poller = {.fd = bolt_server_fd(f->server), .events = POLLIN};
    return poll(&poller, 1, timeout_ms) > 0;
}

static void lists_stay_sorted_by_deadline(void **state)
{
    (void)state;
    struct fixture f;
    struct timer timers[4];
    fixture_begin(&f);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(timers); i++) {
        bolt_timer_init(&timers[i]);
        f.now_ms += 10;
        f.server->clock_stale = true;
        bolt_timer_start(f.server, &timers[i], TIMER_IDLE);
    }
    f.now_ms += 10;
    f.server->clock_stale = true;
    bolt_timer_start(f.server, &timers[1], TIMER_IDLE); /* starting again moves it to the end */
    bolt_timer_stop(&timers[2]);
    bolt_timer_stop(&timers[2]);
    const struct timer *head = &f.server->timers[TIMER_IDLE];
    assert_ptr_equal(head->next, &timers[0]);
    assert_ptr_equal(timers[0].next, &timers[3]);
    assert_ptr_equal(timers[3].next, &timers[1]);
    assert_ptr_equal(timers[1].next, head);
    assert_ptr_equal(head->prev, &timers[1]);
    assert_int_equal(timers[1].deadline_ms, f.now_ms + f.options.idle_timeout_ms);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(timers); i++)
        bolt_timer_stop(&timers[i]);
    assert_ptr_equal(head->next, head);
    fixture_clear(&f);
}

static void is_armed_no_later_than_any_deadline(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    uint64_t start = f.now_ms;
    assert_true(f.server->armed_ms == NEVER_MS);
    struct client c = client_connect(&f);
    assert_int_equal(f.server->armed_ms, start + 75000);
    client_say(&c, "GET ");
    fixture_run(&f);
    assert_int_equal(f.server->armed_ms, start + 10000);
    client_say(&c, "/ HTTP/1.1\r\nHost: a\r\n\r\n");
    fixture_run(&f);
    assert_int_equal(f.server->armed_ms, start + 10000); /* moving away costs nothing ... */
    fixture_advance(&f, 10000);
    assert_int_equal(f.server->armed_ms, start + 75000); /* ... but one early wake-up */
    fixture_advance(&f, 65000);
    client_expect(&c, 200, "hello");
    client_expect_eof(&c);
    assert_true(f.server->armed_ms == NEVER_MS);
    client_close(&c);
    fixture_clear(&f);
}

/* With the real clock: the fd itself becomes readable when a deadline has passed. */
static void wakes_the_owner(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.now_ms = NULL;
    f.options.idle_timeout_ms = 20;
    fixture_start(&f);
    struct client c = client_connect(&f);
    fixture_run(&f);
    while (!c.eof) {
        assert_true(is_readable(&f, 5000));
        fixture_run(&f);
        client_fetch(&c);
    }
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    assert_false(is_readable(&f, 0));
    client_close(&c);
    fixture_clear(&f);
}

static void wakes_at_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    assert_false(is_readable(&f, 0));
    bolt_timer_wake_now(f.server);
    assert_true(is_readable(&f, 5000));
    fixture_run(&f);
    assert_false(is_readable(&f, 0));
    assert_true(f.server->armed_ms == NEVER_MS);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_stay_sorted_by_deadline),
        cmocka_unit_test(is_armed_no_later_than_any_deadline),
        cmocka_unit_test(wakes_the_owner),
        cmocka_unit_test(wakes_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
