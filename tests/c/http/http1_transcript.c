/* SPDX-License-Identifier: MIT */
#include "http1_transcript.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

struct run {
    struct bolt_buf *out;
    struct bolt_buf content; /* of the current message */
    struct bolt_http1 *parser;
    struct bolt_http1_head head;
    const char *window; /* the octets shown to the parser: a copy of its own, so that overreads are seen */
    size_t window_len;
};

__attribute__((format(printf, 2, 3))) static void put(struct bolt_buf *out, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    REQUIRE(n >= 0 && (size_t)n < sizeof(line));
    REQUIRE(bolt_buf_put(out, line, (size_t)n) == BOLT_OK);
}

static void put_slice(struct bolt_buf *out, const char *label, struct bolt_slice slice)
{
    put(out, " %s=", label);
    if (!slice.ptr)
        put(out, "-");
    else
        put(out, "'");
    REQUIRE(bolt_buf_put(out, slice.ptr, slice.len) == BOLT_OK);
    if (slice.ptr)
        put(out, "'");
}

static void require_inside(const struct run *run, struct bolt_slice slice)
{
    REQUIRE(slice.ptr >= run->window && slice.ptr + slice.len <= run->window + run->window_len);
}

static void put_head(struct run *run)
{
    const struct bolt_http1_head *head = &run->head;
    struct bolt_buf *out = run->out;
    require_inside(run, head->method_name);
    require_inside(run, head->target);
    REQUIRE(head->field_count <= BOLT_HTTP1_MAX_FIELDS);
    if (head->query.ptr)
        require_inside(run, head->query);
    if (head->authority.ptr)
        require_inside(run, head->authority);
    put(out, "HEAD method=%d", (int)head->method);
    put_slice(out, "name", head->method_name);
    put_slice(out, "target", head->target);
    put_slice(out, "path", head->path);
    put_slice(out, "query", head->query);
    put_slice(out, "authority", head->authority);
    put(out, " minor=%d keep=%d continue=%d upgrade=%d chunked=%d content=%d length=%" PRIu64, head->minor,
        head->keep_alive, head->expect_continue, head->upgrade, head->chunked, head->has_content, head->content_length);
    for (size_t i = 0; i < BOLT_H_COUNT; i++) {
        REQUIRE(head->known[i] >= -1 && head->known[i] < head->field_count);
        put(out, "%s%d", i ? "," : " known=", head->known[i]);
    }
    for (size_t i = 0; i < head->field_count; i++) {
        require_inside(run, head->fields[i].name);
        require_inside(run, head->fields[i].value);
        put_slice(out, "field", head->fields[i].name);
        put_slice(out, "", head->fields[i].value);
    }
    put(out, "\n");
}

static void put_content(struct run *run)
{
    if (run->content.len == 0)
        return;
    put(run->out, "DATA ");
    REQUIRE(bolt_buf_put(run->out, run->content.ptr, run->content.len) == BOLT_OK);
    put(run->out, "\n");
    run->content.len = 0;
}

static void put_refusal(struct run *run, int err, const struct bolt_errinfo *info)
{
    REQUIRE(bolt_err_is_peer(err));
    put_content(run);
    put(run->out, "REFUSED %d at %zu: %s\n", bolt_http1_status(err), info->offset, info->text);
    /* it stays refused, whatever comes */
    struct bolt_errinfo again;
    enum bolt_http1_event event;
    struct bolt_slice data;
    size_t consumed;
    const char *in = "GET / HTTP/1.0\r\n\r\n";
    REQUIRE(bolt_http1_next(run->parser, in, strlen(in), &consumed, &event, &run->head, &data, &again) == err);
    REQUIRE(consumed == 0 && again.offset == info->offset && again.text == info->text);
}

/* One call. Returns its result; *consumed as the parser said. */
static int step(struct run *run, uint64_t route_limit, size_t *consumed)
{
    enum bolt_http1_event event;
    struct bolt_slice data;
    struct bolt_errinfo info;
    int err = bolt_http1_next(run->parser, run->window, run->window_len, consumed, &event, &run->head, &data, &info);
    REQUIRE(*consumed <= run->window_len);
    if (err == BOLT_AGAIN)
        return err;
    if (err) {
        put_refusal(run, err, &info);
        return err;
    }
    switch (event) {
    case BOLT_HTTP1_HEAD:
        put_head(run);
        if (route_limit != UINT64_MAX)
            put(run->out, "LIMIT %d\n", bolt_http1_set_content_limit(run->parser, route_limit));
        break;
    case BOLT_HTTP1_DATA:
        require_inside(run, data);
        REQUIRE(data.len > 0);
        REQUIRE(bolt_buf_put(&run->content, data.ptr, data.len) == BOLT_OK);
        break;
    case BOLT_HTTP1_END:
        put_content(run);
        put(run->out, "END\n");
        REQUIRE(bolt_http1_is_idle(run->parser));
        REQUIRE(bolt_http1_content_left(run->parser) == 0);
        break;
    }
    return BOLT_OK;
}

/* Shows the parser in[*taken .. arrived) until it wants more. Returns BOLT_AGAIN or the refusal. */
static int arrive(struct run *run, uint64_t route_limit, struct bolt_slice in, size_t arrived, size_t *taken)
{
    int err;
    size_t consumed;
    size_t idle_steps = 0;
    do {
        run->window_len = arrived - *taken;
        char *copy = malloc(run->window_len ? run->window_len : 1);
        REQUIRE(copy);
        memcpy(copy, in.ptr + *taken, run->window_len);
        run->window = copy;
        err = step(run, route_limit, &consumed);
        free(copy);
        *taken += consumed;
        idle_steps = consumed ? 0 : idle_steps + 1;
        REQUIRE(idle_steps < 3); /* only END and BOLT_AGAIN consume nothing */
    } while (!err);
    return err;
}

static size_t next_arrival(struct http1_cutting cutting, size_t before, size_t len)
{
    switch (cutting.how) {
    case CUT_ONCE:
        return before < cutting.at && cutting.at < len ? cutting.at : len;
    case CUT_EVERYWHERE:
        return before + 1;
    case CUT_EVERY:
        return len - before > cutting.at ? before + cutting.at : len;
    case CUT_NOWHERE:
        break;
    }
    return len;
}

void http1_transcript(struct bolt_buf *out, const struct bolt_http1_limits *limits, uint64_t route_limit,
                      struct bolt_slice in, struct http1_cutting cutting)
{
    static struct run run; /* too large for small stacks; tests run one at a time */
    run = (struct run){.out = out};
    run.parser = bolt_http1_new(limits);
    REQUIRE(run.parser);
    int err = BOLT_AGAIN;
    size_t taken = 0;
    for (size_t arrived = 0; arrived < in.len && err == BOLT_AGAIN;) {
        arrived = next_arrival(cutting, arrived, in.len);
        err = arrive(&run, route_limit, in, arrived, &taken);
    }
    put_content(&run);
    if (err == BOLT_AGAIN)
        put(out, "WAITS after %zu, %s\n", taken, bolt_http1_is_idle(run.parser) ? "idle" : "busy");
    bolt_buf_clear(&run.content);
    bolt_http1_free(run.parser);
}
