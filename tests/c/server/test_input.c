/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"
#include "server_int.h"

#include <stdio.h>

#define MIB (1u << 20)

static char pattern_at(size_t i)
{
    return (char)('a' + i % 23);
}

static void put_pattern(struct bolt_buf *request, size_t from, size_t len)
{
    assert_int_equal(bolt_buf_reserve(request, len), BOLT_OK);
    for (size_t i = 0; i < len; i++)
        request->ptr[request->len++] = pattern_at(from + i);
}

static void put_head(struct bolt_buf *request, const char *framing)
{
    assert_int_equal(bolt_buf_put_lit(request, "POST /echo HTTP/1.1\r\nHost: a\r\n"), BOLT_OK);
    assert_int_equal(bolt_buf_put(request, framing, strlen(framing)), BOLT_OK);
    assert_int_equal(bolt_buf_put_lit(request, "\r\n\r\n"), BOLT_OK);
}

static void put_length_request(struct bolt_buf *request, size_t len)
{
    char framing[64];
    snprintf(framing, sizeof(framing), "Content-Length: %zu", len);
    put_head(request, framing);
    put_pattern(request, 0, len);
}

static void put_chunked_request(struct bolt_buf *request, size_t len, size_t chunk)
{
    char size[32];
    put_head(request, "Transfer-Encoding: chunked");
    for (size_t from = 0; from < len; from += chunk) {
        size_t n = len - from < chunk ? len - from : chunk;
        snprintf(size, sizeof(size), "%zx\r\n", n);
        assert_int_equal(bolt_buf_put(request, size, strlen(size)), BOLT_OK);
        put_pattern(request, from, n);
        assert_int_equal(bolt_buf_put_lit(request, "\r\n"), BOLT_OK);
    }
    assert_int_equal(bolt_buf_put_lit(request, "0\r\n\r\n"), BOLT_OK);
}

static void expect_pattern(const struct answer *answer, size_t len)
{
    assert_int_equal(answer->status, 200);
    if (len == 0) {
        assert_slice_equal(answer->body, "hello");
        return;
    }
    assert_int_equal(answer->body.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(answer->body.ptr[i], pattern_at(i));
}

/* Sizes around every place where storage changes hands: the end of the block (head included), the first spill
 * buffer, its doublings, the limit. */
static void takes_content_of_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,     1,     1000,  16200, 16250, 16300, 16310,  16320,  16330,   16340, 16384,
                                   16385, 32768, 65535, 65536, 65537, 70000, 131073, 500000, MIB - 1, MIB};
    struct fixture f;
    struct answer answer = {0};
    struct bolt_buf request = {0};
    fixture_begin(&f);
    struct client c = client_connect(&f);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(sizes); i++) {
        for (size_t chunk = 0; chunk <= 30000; chunk = chunk ? chunk * 30 + 970 : 1000) {
            request.len = 0;
            if (chunk)
                put_chunked_request(&request, sizes[i], chunk);
            else
                put_length_request(&request, sizes[i]);
            client_exchange(&f, &c, bolt_slice_of(request.ptr, request.len), &answer);
            expect_pattern(&answer, sizes[i]);
        }
    }
    assert_int_equal(fixture_stats(&f).accepted, 1);
    bolt_buf_clear(&request);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static void pipelines_behind_large_content(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    struct bolt_buf request = {0};
    fixture_begin(&f);
    struct client c = client_connect(&f);
    for (int i = 0; i < 4; i++) {
        put_chunked_request(&request, 100000, 7000);
        put_length_request(&request, 40000);
        put_length_request(&request, 3);
    }
    struct bolt_slice rest = bolt_slice_of(request.ptr, request.len);
    for (int i = 0; i < 4; i++) {
        client_exchange(&f, &c, rest, &answer);
        rest.len = 0;
        expect_pattern(&answer, 100000);
        client_await(&f, &c, &answer);
        expect_pattern(&answer, 40000);
        client_await(&f, &c, &answer);
        expect_pattern(&answer, 3);
    }
    bolt_buf_clear(&request);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static void accepts_heads_larger_than_a_block(void **state)
{
    (void)state;
    static char head[70000];
    struct fixture f;
    struct answer answer = {0};
    fixture_init(&f);
    f.options.limits.header_bytes = 65536;
    fixture_start(&f);
    struct client c = client_connect(&f);
    for (int value = 16000; value <= 65000; value += 7000) {
        snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX: %0*d\r\n\r\nabcd",
                 value, 0);
        client_exchange(&f, &c, text_of(head), &answer);
        assert_int_equal(answer.status, 200);
        assert_slice_equal(answer.body, "abcd");
    }
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

static void small_content_is_not_copied(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12");
    fixture_run(&f);
    client_say(&c, "345");
    fixture_run(&f);
    struct bolt_exchange *exchange = f.open[0];
    assert_ptr_equal(exchange->content.ptr, strstr(exchange->head.target.ptr, "\r\n\r\n") + 4);
    assert_null(exchange->conn->head_block.ptr);
    fixture_answer(&f, 0, "");
    client_close(&c);
    fixture_clear(&f);
}

/* 3000 one-octet chunks are 18 KB on the wire: decoding in place makes room again and again. */
static void chunk_framing_takes_no_room(void **state)
{
    (void)state;
    struct fixture f;
    struct bolt_buf chunks = {0};
    fixture_begin(&f);
    struct client c = client_connect(&f);
    client_say(&c, "POST /later HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3000; i++)
        assert_int_equal(bolt_buf_put_lit(&chunks, "1\r\nx\r\n"), BOLT_OK);
    assert_int_equal(bolt_buf_put_lit(&chunks, "0\r\n\r\n"), BOLT_OK);
    client_send(&c, bolt_slice_of(chunks.ptr, chunks.len));
    fixture_run(&f);
    assert_int_equal(f.open[0]->content.len, 3000);
    assert_null(f.open[0]->conn->head_block.ptr);
    assert_int_equal(f.open[0]->conn->in.cap, BLOCK_BYTES);
    bolt_buf_clear(&chunks);
    fixture_answer(&f, 0, "");
    client_close(&c);
    fixture_clear(&f);
}

static uint64_t anything_goes(void *ctx, const struct bolt_exchange *exchange)
{
    (void)ctx;
    (void)exchange;
    return UINT64_MAX;
}

static const struct input *only_input(const struct fixture *f)
{
    assert_non_null(f->server->conns);
    assert_null(f->server->conns->next);
    return &f->server->conns->in;
}

static void announced_lengths_reserve_nothing(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000000000000\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffff\r\n",
    };
    static char piece[10000];
    for (size_t i = 0; i < BOLT_ARRAY_LEN(heads); i++) {
        struct fixture f;
        fixture_init(&f);
        f.app.content_limit = anything_goes;
        fixture_start(&f);
        struct client c = client_connect(&f);
        client_send(&c, text_of(heads[i]));
        fixture_run(&f);
        assert_int_equal(only_input(&f)->cap, BLOCK_BYTES);
        for (size_t arrived = sizeof(piece); arrived < 3 * MIB; arrived += sizeof(piece)) {
            client_send(&c, bolt_slice_of(piece, sizeof(piece)));
            fixture_run(&f);
            assert_in_range(only_input(&f)->cap, 0, 2 * arrived > SPILL_MIN_BYTES ? 2 * arrived : SPILL_MIN_BYTES);
        }
        client_close(&c);
        fixture_clear(&f);
    }
}

static void known_lengths_end_in_an_exact_buffer(void **state)
{
    (void)state;
    struct fixture f;
    struct bolt_buf request = {0};
    fixture_begin(&f);
    struct client c = client_connect(&f);
    put_length_request(&request, 300000);
    for (size_t sent = 0; sent < request.len - 1;) {
        sent += client_try_send(&c, bolt_slice_of(request.ptr + sent, request.len - 1 - sent));
        fixture_run(&f);
    }
    assert_int_equal(only_input(&f)->cap, 300000);
    bolt_buf_clear(&request);
    client_close(&c);
    fixture_clear(&f);
}

static void idle_connections_hold_no_buffers(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    struct bolt_buf request = {0};
    fixture_begin(&f);
    struct client c = client_connect(&f);
    const struct bolt_conn *conn = f.server->conns;
    fixture_run(&f);
    assert_null(conn->in.ptr);
    put_chunked_request(&request, 100000, 5000);
    client_exchange(&f, &c, bolt_slice_of(request.ptr, request.len), &answer);
    expect_pattern(&answer, 100000);
    assert_null(conn->in.ptr);
    assert_null(conn->head_block.ptr);
    assert_null(conn->out.ptr);
    assert_null(conn->exchange);
    client_say(&c, "GET / HT"); /* a slow header holds its block, but no exchange */
    fixture_run(&f);
    assert_non_null(conn->in.ptr);
    assert_null(conn->exchange);
    bolt_buf_clear(&request);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_content_of_every_size),          cmocka_unit_test(pipelines_behind_large_content),
        cmocka_unit_test(accepts_heads_larger_than_a_block),    cmocka_unit_test(small_content_is_not_copied),
        cmocka_unit_test(chunk_framing_takes_no_room),          cmocka_unit_test(announced_lengths_reserve_nothing),
        cmocka_unit_test(known_lengths_end_in_an_exact_buffer), cmocka_unit_test(idle_connections_hold_no_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
