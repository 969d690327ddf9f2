/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

struct logged {
    struct fixture fixture;
    int read_fd, write_fd;
    char text[200000];
};

static void begin(struct logged *l)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    l->read_fd = fds[0];
    l->write_fd = fds[1];
    fixture_init(&l->fixture);
    l->fixture.options.access_log_fd = l->write_fd;
    fixture_start(&l->fixture);
}

static void end(struct logged *l)
{
    close(l->read_fd);
    close(l->write_fd);
}

/* What has been written since the last call. */
static const char *written(struct logged *l)
{
    size_t len = 0;
    for (ssize_t got; (got = read(l->read_fd, l->text + len, sizeof(l->text) - 1 - len)) > 0;)
        len += (size_t)got;
    l->text[len] = '\0';
    return l->text;
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, text, 0, NULL, 0) != 0)
        fail_msg("'%s' does not match %s", text, pattern);
    regfree(&regex);
}

static void writes_one_line_per_answer(void **state)
{
    (void)state;
    static struct logged l;
    begin(&l);
    struct client c = client_connect(&l.fixture);
    client_say(&c, GET "DELETE /a/b?secret=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    client_say(&c, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    fixture_run(&l.fixture);
    assert_string_equal(written(&l), "");
    fixture_advance(&l.fixture, LOG_FLUSH_MS - 1);
    assert_string_equal(written(&l), "");
    fixture_advance(&l.fixture, 1);
    assert_matches(written(&l), "^GET / 200 [0-9]+\\.[0-9]ms\nDELETE /a/b 404 [0-9]+\\.[0-9]ms\n$");
    fixture_advance(&l.fixture, 10 * LOG_FLUSH_MS);
    assert_string_equal(written(&l), "");
    bolt_exchange_done(l.fixture.open[0], true); /* no status: the app never got that far */
    l.fixture.open[0] = NULL;
    bolt_server_flush_log(l.fixture.server);
    assert_matches(written(&l), "^GET /later - [0-9]+\\.[0-9]ms\n$");
    client_close(&c);
    fixture_clear(&l.fixture);
    end(&l);
}

static void escapes_the_path(void **state)
{
    (void)state;
    static struct logged l;
    static const struct {
        const char *path, *logged;
    } cases[] = {
        {"/plain-._~!$&()*+,;=:@%20", "/plain-._~!$&()*+,;=:@%20"},
        {"/a\"b'c\\d", "/a\\x22b\\x27c\\x5cd"},
        {"/\x1b[31m\x7f\n", "/\\x1b[31m\\x7f\\x0a"},
        {"/caf\xc3\xa9", "/caf\\xc3\\xa9"},
    };
    begin(&l);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        /* The parser refuses some of these; the log must not rely on it. */
        struct bolt_exchange exchange = {.status = 200, .started_us = bolt_log_clock_us()};
        exchange.head.method_name = BOLT_SLICE_LIT("GET");
        exchange.head.path = text_of(cases[i].path);
        bolt_log_append(l.fixture.server, &exchange);
        bolt_server_flush_log(l.fixture.server);
        const char *line = written(&l);
        assert_memory_equal(line, "GET ", 4);
        assert_memory_equal(line + 4, cases[i].logged, strlen(cases[i].logged));
        assert_memory_equal(line + 4 + strlen(cases[i].logged), " 200 0.", 7);
    }
    fixture_clear(&l.fixture);
    end(&l);
}

static void flushes_when_full_and_at_the_end(void **state)
{
    (void)state;
    static struct logged l;
    begin(&l);
    struct client c = client_connect(&l.fixture);
    size_t lines = 0;
    while (l.fixture.server->log.buf.len + 100 < LOG_FLUSH_BYTES) {
        client_say(&c, GET);
        fixture_run(&l.fixture);
        client_expect(&c, 200, "hello");
        lines++;
    }
    assert_string_equal(written(&l), "");
    for (int i = 0; i < 10; i++, lines++) {
        client_say(&c, GET);
        fixture_run(&l.fixture);
    }
    size_t len = strlen(written(&l));
    assert_in_range(len, LOG_FLUSH_BYTES, LOG_FLUSH_BYTES + 100);
    client_close(&c);
    fixture_clear(&l.fixture);
    len += strlen(written(&l));
    assert_in_range(len / lines, sizeof("GET / 200 0.0ms"), sizeof("GET / 200 0.0ms") + 2);
    end(&l);
}

static void fill_pipe(int fd)
{
    static const char zeros[4096];
    while (write(fd, zeros, sizeof(zeros)) > 0)
        continue;
    while (write(fd, zeros, 1) > 0)
        continue;
}

static void a_reader_that_stalls_stops_nothing(void **state)
{
    (void)state;
    static struct logged l;
    static char request[8100];
    begin(&l);
    fill_pipe(l.write_fd);
    struct client c = client_connect(&l.fixture);
    snprintf(request, sizeof(request), "GET /%07999d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
    for (int i = 0; i < 300; i++) {
        client_send(&c, text_of(request));
        fixture_run(&l.fixture);
        client_expect(&c, 404, "{\"detail\":\"Not Found\"}");
    }
    size_t kept = l.fixture.server->log.buf.len;
    assert_in_range(kept, 1 << 20, (1 << 20) + 9000); /* the newest lines are lost */
    size_t total = 0;
    for (int i = 0; i < 100 && l.fixture.server->log.buf.len; i++) {
        (void)written(&l);
        fixture_advance(&l.fixture, LOG_FLUSH_MS);
        total++;
    }
    assert_true(total > 1); /* in as many pieces as the pipe wants */
    assert_int_equal(l.fixture.server->log.buf.len, 0);
    client_close(&c);
    fixture_clear(&l.fixture);
    end(&l);
}

static void a_broken_log_is_ignored(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.access_log_fd = 1000000;
    fixture_start(&f);
    struct client c = client_connect(&f);
    client_say(&c, GET);
    fixture_run(&f);
    bolt_server_flush_log(f.server);
    assert_int_equal(f.server->log.buf.len, 0);
    client_expect(&c, 200, "hello");
    client_close(&c);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_line_per_answer),       cmocka_unit_test(escapes_the_path),
        cmocka_unit_test(flushes_when_full_and_at_the_end), cmocka_unit_test(a_reader_that_stalls_stops_nothing),
        cmocka_unit_test(a_broken_log_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
