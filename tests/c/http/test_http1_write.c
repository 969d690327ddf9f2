/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "bolt/http1_write.h"

static const struct bolt_http1_stamp stamp = {.unix_s = 0, .len = 11, .text = "date: now\r\n"};

static void expect_text(const struct bolt_buf *out, const char *expected)
{
    if (!bolt_slice_eq(bolt_slice_of(out->ptr, out->len), bolt_slice_of(expected, strlen(expected))))
        fail_msg("expected\n%s\ngot\n%.*s", expected, (int)out->len, out->ptr);
}

static void writes_status_lines(void **state)
{
    (void)state;
    static const struct {
        int status;
        unsigned minor;
        bool keep_alive;
        const char *expected;
    } cases[] = {
        {200, 1, true, "HTTP/1.1 200 OK\r\ndate: now\r\n"},
        {200, 1, false, "HTTP/1.1 200 OK\r\ndate: now\r\nconnection: close\r\n"},
        {404, 0, true, "HTTP/1.1 404 Not Found\r\ndate: now\r\nconnection: keep-alive\r\n"},
        {404, 0, false, "HTTP/1.1 404 Not Found\r\ndate: now\r\nconnection: close\r\n"},
        {299, 1, true, "HTTP/1.1 299 Unknown\r\ndate: now\r\n"},
        {100, 1, true, "HTTP/1.1 100 Continue\r\ndate: now\r\n"},
        {999, 1, true, "HTTP/1.1 999 Unknown\r\ndate: now\r\n"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out = {0};
        struct bolt_http1_open_head head;
        assert_int_equal(
            bolt_http1_head_begin(&out, &head, cases[i].status, &stamp, cases[i].minor, cases[i].keep_alive), BOLT_OK);
        expect_text(&out, cases[i].expected);
        bolt_buf_clear(&out);
    }
}

static void refuses_impossible_statuses(void **state)
{
    (void)state;
    static const int statuses[] = {-200, 0, 99, 1000};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(statuses); i++) {
        struct bolt_buf out = {0};
        struct bolt_http1_open_head head;
        assert_int_equal(bolt_http1_head_begin(&out, &head, statuses[i], &stamp, 1, true), BOLT_ERR_ARGUMENT);
        assert_int_equal(out.len, 0);
    }
}

#define TEXT(s) {s, sizeof(s) - 1}

static void refuses_header_injection(void **state)
{
    (void)state;
    static const struct {
        struct bolt_slice name, value;
        const char *expected; /* NULL: refused */
    } cases[] = {
        {TEXT("x-a"), TEXT("b c"), "x-a: b c\r\n"},
        {TEXT("X_A.9"), TEXT(""), "X_A.9: \r\n"},
        {TEXT("x"), {NULL, 0}, "x: \r\n"},
        {TEXT("x"), TEXT("caf\xc3\xa9\t\x01"), "x: caf\xc3\xa9\t\x01\r\n"},
        {TEXT("x"), TEXT("a\r\nset-cookie: b"), NULL},
        {TEXT("x"), TEXT("a\rb"), NULL},
        {TEXT("x"), TEXT("a\nb"), NULL},
        {TEXT("x"), TEXT("\n"), NULL},
        {TEXT("x"), TEXT("0123456789012345678901234567890123456789\r"), NULL},
        {TEXT("x"), TEXT("\x01\x02\x7f\n"), NULL},
        {TEXT("x"), TEXT("\x01\x02\x7f"), "x: \x01\x02\x7f\r\n"},
        {TEXT("x"), TEXT("a\0b"), NULL},
        {TEXT(""), TEXT("a"), NULL},
        {TEXT("x y"), TEXT("a"), NULL},
        {TEXT("x:"), TEXT("a"), NULL},
        {TEXT("x\r\ny"), TEXT("a"), NULL},
        {TEXT("x\0"), TEXT("a"), NULL},
        {TEXT("\xc3\xa9"), TEXT("a"), NULL},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out = {0};
        assert_int_equal(bolt_http1_head_field(&out, cases[i].name, cases[i].value),
                         cases[i].expected ? BOLT_OK : BOLT_ERR_SYNTAX);
        expect_text(&out, cases[i].expected ? cases[i].expected : "");
        bolt_buf_clear(&out);
    }
}

/* A head of `framing` behind other output, with `n` octets of content. */
static void write_response(struct bolt_buf *out, enum bolt_http1_framing framing, size_t n, bool drop)
{
    struct bolt_http1_open_head head;
    assert_int_equal(bolt_buf_put_lit(out, "before"), BOLT_OK);
    assert_int_equal(bolt_http1_head_begin(out, &head, 200, &stamp, 1, true), BOLT_OK);
    assert_int_equal(head.start, 6);
    assert_int_equal(bolt_http1_head_end(out, &head, framing), BOLT_OK);
    assert_int_equal(out->len, head.body_pos);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bolt_buf_put_byte(out, (char)('a' + i % 26)), BOLT_OK);
    bolt_http1_head_close(out, &head, drop);
}

static void patches_lengths_of_any_width(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 9999, 10000, 123456};
    for (size_t i = 0; i < 2 * BOLT_ARRAY_LEN(lengths); i++) {
        size_t n = lengths[i / 2];
        bool drop = i % 2;
        struct bolt_buf out = {0};
        char expected[128];
        write_response(&out, BOLT_FRAMING_LENGTH, n, drop);
        int head = snprintf(expected, sizeof(expected),
                            "beforeHTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: %zu\r\n\r\n", n);
        assert_int_equal(out.len, (size_t)head + (drop ? 0 : n));
        assert_memory_equal(out.ptr, expected, (size_t)head);
        for (size_t at = 0; !drop && at < n; at++)
            assert_int_equal(out.ptr[(size_t)head + at], 'a' + at % 26);
        bolt_buf_clear(&out);
    }
}

static void frames_content_in_other_ways(void **state)
{
    (void)state;
    static const struct {
        enum bolt_http1_framing framing;
        bool drop;
        const char *expected;
    } cases[] = {
        {BOLT_FRAMING_CHUNKED, false, "beforeHTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\nabc"},
        {BOLT_FRAMING_CHUNKED, true, "beforeHTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n"},
        {BOLT_FRAMING_CLOSE, false, "beforeHTTP/1.1 200 OK\r\ndate: now\r\n\r\nabc"},
        {BOLT_FRAMING_NONE, true, "beforeHTTP/1.1 200 OK\r\ndate: now\r\n\r\n"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out = {0};
        write_response(&out, cases[i].framing, 3, cases[i].drop);
        expect_text(&out, cases[i].expected);
        bolt_buf_clear(&out);
    }
}

static void writes_chunks(void **state)
{
    (void)state;
    struct bolt_buf out = {0};
    static const char piece[300] = {0};
    assert_int_equal(bolt_http1_put_chunk(&out, BOLT_SLICE_LIT("hello world")), BOLT_OK);
    assert_int_equal(bolt_http1_put_chunk(&out, BOLT_SLICE_LIT("")), BOLT_OK);
    assert_int_equal(bolt_http1_put_last_chunk(&out), BOLT_OK);
    expect_text(&out, "b\r\nhello world\r\n0\r\n\r\n");
    out.len = 0;
    assert_int_equal(bolt_http1_put_chunk(&out, bolt_slice_of(piece, 256)), BOLT_OK);
    assert_int_equal(out.len, 5 + 256 + 2);
    assert_memory_equal(out.ptr, "100\r\n", 5);
    out.len = 0;
    assert_int_equal(bolt_http1_put_chunk(&out, bolt_slice_of(piece, SIZE_MAX)), BOLT_ERR_NOMEM);
    assert_int_equal(out.len, 0);
    bolt_buf_clear(&out);
}

static void knows_statuses_without_content(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool has_content;
    } cases[] = {{100, false}, {101, false}, {199, false}, {200, true}, {203, true},
                 {204, false}, {205, true},  {304, false}, {404, true}, {500, true}};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++)
        assert_int_equal(bolt_http1_status_has_content(cases[i].status), cases[i].has_content);
}

static void writes_simple_responses(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *detail, *extra;
        bool keep_alive, drop;
        const char *expected;
    } cases[] = {
        {404, "Not Found", "", true, false,
         "HTTP/1.1 404 Not Found\r\ndate: now\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n"
         "{\"detail\":\"Not Found\"}"},
        {405, "a \"quoted\"\n word", "allow: GET\r\n", false, false,
         "HTTP/1.1 405 Method Not Allowed\r\ndate: now\r\nconnection: close\r\ncontent-type: application/json\r\n"
         "allow: GET\r\ncontent-length: 32\r\n\r\n{\"detail\":\"a \\\"quoted\\\"\\n word\"}"},
        {404, "Not Found", "", true, true,
         "HTTP/1.1 404 Not Found\r\ndate: now\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n"},
        {204, "ignored", "allow: GET\r\n", true, false, "HTTP/1.1 204 No Content\r\ndate: now\r\nallow: GET\r\n\r\n"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out = {0};
        assert_int_equal(bolt_http1_put_simple(&out, cases[i].status,
                                               bolt_slice_of(cases[i].detail, strlen(cases[i].detail)),
                                               bolt_slice_of(cases[i].extra, strlen(cases[i].extra)), &stamp, 1,
                                               cases[i].keep_alive, cases[i].drop),
                         BOLT_OK);
        expect_text(&out, cases[i].expected);
        bolt_buf_clear(&out);
    }
}

/* Everything the writer can append, so that each of its allocations is failed once. */
static int write_everything(struct bolt_buf *out)
{
    static const char large[2000] = {'x'};
    struct bolt_http1_open_head head;
    struct bolt_slice content = bolt_slice_of(large, sizeof(large));
    int err = bolt_http1_head_begin(out, &head, 200, &stamp, 1, true);
    if (!err)
        err = bolt_http1_head_field(out, BOLT_SLICE_LIT("x"), BOLT_SLICE_LIT("y"));
    if (!err)
        err = bolt_http1_head_end(out, &head, BOLT_FRAMING_CHUNKED);
    if (!err)
        err = bolt_http1_put_chunk(out, content);
    if (!err)
        err = bolt_http1_put_last_chunk(out);
    size_t before = out->len;
    if (!err)
        err = bolt_http1_put_simple(out, 404, content, BOLT_SLICE_LIT("a: b\r\n"), &stamp, 1, true, false);
    if (err)
        assert_int_equal(out->len, before); /* a response is appended whole or not at all */
    return err;
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    int err = BOLT_ERR_NOMEM;
    long failed = 0;
    for (; err == BOLT_ERR_NOMEM && failed < 100; failed++) {
        struct bolt_buf out = {0};
        bolt_failmalloc_set(failed);
        err = write_everything(&out);
        bolt_failmalloc_set(-1);
        bolt_buf_clear(&out);
    }
    assert_int_equal(err, BOLT_OK);
    assert_true(failed > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_status_lines),
        cmocka_unit_test(refuses_impossible_statuses),
        cmocka_unit_test(refuses_header_injection),
        cmocka_unit_test(patches_lengths_of_any_width),
        cmocka_unit_test(frames_content_in_other_ways),
        cmocka_unit_test(writes_chunks),
        cmocka_unit_test(knows_statuses_without_content),
        cmocka_unit_test(writes_simple_responses),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
