/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/buf.h"

static void appends_and_consumes(void **state)
{
    (void)state;
    struct bolt_buf buf;
    bolt_buf_init(&buf);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bolt_buf_put_lit(&buf, "abc"), BOLT_OK);
    assert_int_equal(buf.len, 3000);
    bolt_buf_consume(&buf, 2999);
    assert_int_equal(buf.len, 1);
    assert_memory_equal(buf.ptr, "c", 1);
    bolt_buf_clear(&buf);
    assert_int_equal(bolt_buf_put_byte(&buf, 'x'), BOLT_OK);
    bolt_buf_clear(&buf);
}

static void writes_decimal_numbers(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {{0, "0"}, {9, "9"}, {10, "10"}, {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf buf;
        bolt_buf_init(&buf);
        assert_int_equal(bolt_buf_put_u64(&buf, cases[i].value), BOLT_OK);
        assert_int_equal(buf.len, strlen(cases[i].text));
        assert_memory_equal(buf.ptr, cases[i].text, buf.len);
        bolt_buf_clear(&buf);
    }
}

static void refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct bolt_buf buf;
    bolt_buf_init(&buf);
    assert_int_equal(bolt_buf_put_lit(&buf, "abc"), BOLT_OK);
    assert_int_equal(bolt_buf_reserve(&buf, SIZE_MAX), BOLT_ERR_NOMEM);
    assert_int_equal(bolt_buf_reserve(&buf, SIZE_MAX - 2), BOLT_ERR_NOMEM);
    assert_int_equal(buf.len, 3);
    bolt_buf_clear(&buf);
}

static void keeps_its_content_when_memory_ends(void **state)
{
    (void)state;
    struct bolt_buf buf;
    bolt_buf_init(&buf);
    bolt_failmalloc_set(0);
    assert_int_equal(bolt_buf_put_byte(&buf, 'x'), BOLT_ERR_NOMEM);
    assert_null(buf.ptr);
    assert_int_equal(bolt_buf_put_lit(&buf, "kept"), BOLT_OK);
    bolt_failmalloc_set(0);
    assert_int_equal(bolt_buf_reserve(&buf, 100000), BOLT_ERR_NOMEM);
    bolt_failmalloc_set(-1);
    assert_memory_equal(buf.ptr, "kept", buf.len);
    assert_int_equal(bolt_buf_put(&buf, NULL, 0), BOLT_OK);
    assert_int_equal(buf.len, 4);
    bolt_buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_consumes),
        cmocka_unit_test(writes_decimal_numbers),
        cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(keeps_its_content_when_memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
