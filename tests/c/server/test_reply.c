/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

#include <stdio.h>

static void answers_what_matching_alone_decides(void **state)
{
    (void)state;
    static const struct {
        const char *name, *line;
        int status;
        const char *field, *body;
    } cases[] = {
        {"unknown", "GET /nowhere", 404, "content-type: application/json", "{\"detail\":\"Not Found\"}"},
        {"wrong method", "DELETE /", 405, "allow: GET, OPTIONS", "{\"detail\":\"Method Not Allowed\"}"},
        {"wrong method, two known", "PUT /later", 405, "allow: GET, POST, OPTIONS",
         "{\"detail\":\"Method Not Allowed\"}"},
        {"unknown method", "BREW /", 405, "allow: GET, OPTIONS", "{\"detail\":\"Method Not Allowed\"}"},
        {"head of post", "HEAD /echo", 405, "allow: POST, OPTIONS", NULL},
        {"options", "OPTIONS /later", 204, "allow: GET, POST, OPTIONS", ""},
        {"options content type", "OPTIONS /later", 204, "content-type: application/json", ""},
        {"options of nothing", "OPTIONS /nowhere", 404, "content-type: application/json", "{\"detail\":\"Not Found\"}"},
        {"add a slash", "GET /dir", 308, "location: /dir/", ""},
        {"strip a slash", "GET /later/", 308, "location: /later", ""},
        {"strip slashes", "GET /later//", 308, "location: /later", ""},
        {"any method", "POST /later/", 308, "location: /later", ""},
        {"keep the query", "GET /dir?a=1&b=%20?", 308, "location: /dir/?a=1&b=%20?", ""},
        {"keep an empty query", "GET /later/?", 308, "location: /later?", ""},
        {"never another site", "GET //later/", 308, "location: /later", ""},
        {"never another site, many", "GET ////dir", 308, "location: /dir/", ""},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        char request[256];
        struct fixture f;
        struct answer answer = {0};
        fixture_begin(&f);
        struct client c = client_connect(&f);
        snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].line);
        client_send(&c, text_of(request));
        if (cases[i].body) {
            client_await(&f, &c, &answer);
            assert_slice_equal(answer.body, cases[i].body);
        } else { /* the length of content that HEAD does not get */
            fixture_run(&f);
            client_fetch(&c);
            assert_true(c.received.len < sizeof(answer.head));
            memcpy(answer.head, c.received.ptr, c.received.len);
            assert_memory_equal(answer.head + c.received.len - 4, "\r\n\r\n", 4);
            assert_int_equal(sscanf(answer.head, "HTTP/1.1 %d ", &answer.status), 1);
            bolt_buf_consume(&c.received, c.received.len);
        }
        if (answer.status != cases[i].status || !answer_has(&answer, cases[i].field))
            fail_msg("%s: %s", cases[i].name, answer.head);
        assert_int_equal(answer_has(&answer, "content-length: 0"), cases[i].status == 308);
        client_expect_open(&c);
        answer_clear(&answer);
        client_close(&c);
        fixture_clear(&f);
    }
}

static void replies_simple(void *ctx, struct bolt_exchange *exchange)
{
    (void)ctx;
    bolt_exchange_reply_simple(exchange, 429, BOLT_SLICE_LIT("slow \"down\""), BOLT_SLICE_LIT("retry-after: 3\r\n"));
}

static void replies_with_detail_and_fields(void **state)
{
    (void)state;
    struct fixture f;
    struct answer answer = {0};
    fixture_init(&f);
    f.app.on_request = replies_simple;
    fixture_start(&f);
    struct client c = client_connect(&f);
    client_exchange(&f, &c, text_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &answer);
    assert_int_equal(answer.status, 429);
    assert_slice_equal(answer.body, "{\"detail\":\"slow \\\"down\\\"\"}");
    assert_true(answer_has(&answer, "retry-after: 3"));
    client_exchange(&f, &c, text_of("GET / HTTP/1.0\r\n\r\n"), &answer);
    assert_true(answer.close);
    client_await_eof(&f, &c);
    answer_clear(&answer);
    client_close(&c);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_what_matching_alone_decides),
        cmocka_unit_test(replies_with_detail_and_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
