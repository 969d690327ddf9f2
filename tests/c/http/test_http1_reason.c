/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bolt/http1_write.h"

static void knows_the_registry(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *reason;
    } cases[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {204, "No Content"},
        {226, "IM Used"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {418, "I'm a Teapot"},
        {422, "Unprocessable Content"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {505, "HTTP Version Not Supported"},
        {511, "Network Authentication Required"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice reason = bolt_http1_reason(cases[i].status);
        assert_int_equal(reason.len, strlen(cases[i].reason));
        assert_memory_equal(reason.ptr, cases[i].reason, reason.len);
    }
}

static void names_the_rest_unknown(void **state)
{
    (void)state;
    static const int statuses[] = {-1, 0, 99, 104, 209, 306, 399, 430, 499, 512, 599, 600, 999, 1000};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(statuses); i++) {
        struct bolt_slice reason = bolt_http1_reason(statuses[i]);
        assert_true(bolt_slice_eq(reason, BOLT_SLICE_LIT("Unknown")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_registry),
        cmocka_unit_test(names_the_rest_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
