/* SPDX-License-Identifier: MIT */
#include "server_int.h"
#include "support.h"

static void the_last_one_in_is_the_first_one_out(void **state)
{
    (void)state;
    struct pool pool = {0};
    bolt_pool_init(&pool);
    char *first = bolt_pool_get_block(&pool), *second = bolt_pool_get_block(&pool);
    assert_non_null(first);
    assert_non_null(second);
    bolt_pool_put_block(&pool, first);
    bolt_pool_put_block(&pool, second);
    assert_ptr_equal(bolt_pool_get_block(&pool), second);
    assert_ptr_equal(bolt_pool_get_block(&pool), first);
    bolt_pool_put_block(&pool, first);
    bolt_pool_put_block(&pool, second);
    struct bolt_exchange *exchange = bolt_pool_get_exchange(&pool);
    bolt_pool_put_exchange(&pool, exchange);
    assert_ptr_equal(bolt_pool_get_exchange(&pool), exchange);
    bolt_pool_put_exchange(&pool, exchange);
    bolt_pool_clear(&pool);
    assert_int_equal(pool.blocks.count + pool.exchanges.count, 0);
}

static void is_bounded(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static char *blocks[MANY];
    struct pool pool = {0};
    bolt_pool_init(&pool);
    for (size_t i = 0; i < MANY; i++) {
        blocks[i] = bolt_pool_get_block(&pool);
        assert_non_null(blocks[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        bolt_pool_put_block(&pool, blocks[i]);
    assert_int_equal(pool.blocks.count, pool.blocks.max);
    assert_true(pool.blocks.max < MANY);
    bolt_pool_clear(&pool);
}

static void output_buffers_keep_their_capacity(void **state)
{
    (void)state;
    struct pool pool = {0};
    struct bolt_buf buf, again;
    bolt_pool_init(&pool);
    bolt_pool_get_output(&pool, &buf);
    assert_null(buf.ptr); /* nothing kept yet: grows by itself */
    assert_int_equal(bolt_buf_reserve(&buf, 5000), BOLT_OK);
    size_t cap = buf.cap;
    buf.len = 4000;
    bolt_pool_put_output(&pool, &buf);
    assert_null(buf.ptr);
    bolt_pool_get_output(&pool, &again);
    assert_int_equal(again.len, 0);
    assert_int_equal(again.cap, cap);
    assert_int_equal(bolt_buf_reserve(&again, OUTPUT_KEEP_BYTES + 1), BOLT_OK);
    bolt_pool_put_output(&pool, &again); /* too large to keep */
    assert_int_equal(pool.outputs.count, 0);
    bolt_pool_put_output(&pool, &again); /* empty: nothing to keep */
    assert_int_equal(pool.outputs.count, 0);
    bolt_pool_clear(&pool);
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
    struct pool pool = {0};
    bolt_pool_init(&pool);
    bolt_failmalloc_set(0);
    assert_null(bolt_pool_get_block(&pool));
    bolt_failmalloc_set(0);
    assert_null(bolt_pool_get_exchange(&pool));
    bolt_failmalloc_set(-1);
    bolt_pool_clear(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_in_is_the_first_one_out),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(output_buffers_keep_their_capacity),
        cmocka_unit_test(says_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
