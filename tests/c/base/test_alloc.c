/* SPDX-License-Identifier: MIT */
#include "support.h"

/* Built with -Dfailmalloc=true, as all tests are; otherwise every loop over allocation failures would pass
 * without failing anything. */
static void fails_exactly_the_chosen_allocation(void **state)
{
    (void)state;
    bolt_failmalloc_set(2);
    void *blocks[5];
    for (size_t i = 0; i < BOLT_ARRAY_LEN(blocks); i++) {
        blocks[i] = bolt_malloc(8);
        assert_int_equal(blocks[i] == NULL, i == 2);
    }
    assert_int_equal(bolt_failmalloc_set(-1), BOLT_ARRAY_LEN(blocks));
    for (size_t i = 0; i < BOLT_ARRAY_LEN(blocks); i++)
        bolt_free(blocks[i]);
}

static void every_allocator_obeys_the_hook(void **state)
{
    (void)state;
    bolt_failmalloc_set(0);
    assert_null(bolt_malloc(1));
    bolt_failmalloc_set(0);
    assert_null(bolt_calloc(1, 1));
    bolt_failmalloc_set(0);
    assert_null(bolt_strndup("x", 1));
    char *kept = bolt_strndup("kept", 4);
    assert_non_null(kept);
    bolt_failmalloc_set(0);
    assert_null(bolt_realloc(kept, 100));
    assert_string_equal(kept, "kept"); /* still owned and intact */
    bolt_failmalloc_set(-1);
    bolt_free(kept);
}

static void empty_requests_give_memory(void **state)
{
    (void)state;
    void *blocks[] = {bolt_malloc(0), bolt_calloc(0, 8), bolt_realloc(NULL, 0), bolt_strndup(NULL, 0)};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(blocks); i++) {
        assert_non_null(blocks[i]);
        bolt_free(blocks[i]);
    }
    bolt_free(NULL);
    assert_null(bolt_strndup("x", SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_exactly_the_chosen_allocation),
        cmocka_unit_test(every_allocator_obeys_the_hook),
        cmocka_unit_test(empty_requests_give_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
