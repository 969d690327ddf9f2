/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/method.h"

static void names_and_numbers_agree(void **state)
{
    (void)state;
    static const char *const names[] = {"GET",    "HEAD",    "POST",  "PUT",   "PATCH",
                                        "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"};
    assert_int_equal(BOLT_ARRAY_LEN(names), BOLT_METHOD_COUNT);
    for (unsigned i = 0; i < BOLT_METHOD_COUNT; i++) {
        assert_int_equal(bolt_method_from(text_of(names[i])), i);
        assert_slice_equal(bolt_method_name((enum bolt_method)i), names[i]);
    }
}

static void other_names_are_other(void **state)
{
    (void)state;
    static const char *const names[] = {"", "get", "Get", "GE", "GETT", "PROPFIND", "OPTION", "OPTIONSX"};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(names); i++)
        assert_int_equal(bolt_method_from(text_of(names[i])), BOLT_METHOD_OTHER);
    assert_int_equal(bolt_method_name(BOLT_METHOD_OTHER).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers_agree),
        cmocka_unit_test(other_names_are_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
