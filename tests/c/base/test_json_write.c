/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "bolt/json_write.h"

/* Expected texts were printed by msgspec.json.encode(). */
static void writes_strings_like_msgspec(void **state)
{
    (void)state;
    static const struct {
        struct bolt_slice in;
        const char *out;
    } cases[] = {
        {{"", 0}, "\"\""},
        {{"plain", 5}, "\"plain\""},
        {{"eight678", 8}, "\"eight678\""},
        {{"\"", 1}, "\"\\\"\""},
        {{"\\", 1}, "\"\\\\\""},
        {{"/\x7f", 2}, "\"/\x7f\""},
        {{"\b\t\n\f\r", 5}, "\"\\b\\t\\n\\f\\r\""},
        {{"\x00\x01\x1f", 3}, "\"\\u0000\\u0001\\u001f\""},
        {{"\x0b\x0e\x10\x1a", 4}, "\"\\u000b\\u000e\\u0010\\u001a\""},
        {{"\xc2\x80\xe2\x80\xa8\xf0\x9f\x98\x80", 9}, "\"\xc2\x80\xe2\x80\xa8\xf0\x9f\x98\x80\""},
        {{"1234567\"9abcdef\\x", 17}, "\"1234567\\\"9abcdef\\\\x\""},
        {{"two words\nof text", 17}, "\"two words\\nof text\""},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out;
        bolt_buf_init(&out);
        struct bolt_slice in = exact_copy(cases[i].in);
        assert_int_equal(bolt_buf_put_lit(&out, "["), BOLT_OK);
        assert_int_equal(bolt_json_put_string(&out, in), BOLT_OK);
        assert_slice_equal(bolt_slice_of(out.ptr + 1, out.len - 1), cases[i].out);
        free_copy(in);
        bolt_buf_clear(&out);
    }
}

/* Every octet at every place of a word: found by the word-wise scan exactly when it needs an escape. */
static void escapes_the_same_octets_anywhere(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        bool escaped = octet < 0x20 || octet == '"' || octet == '\\';
        for (size_t place = 0; place < 17; place++) {
            char in[17];
            memset(in, 'a', sizeof(in));
            in[place] = (char)octet;
            struct bolt_buf out;
            bolt_buf_init(&out);
            assert_int_equal(bolt_json_put_string(&out, bolt_slice_of(in, sizeof(in))), BOLT_OK);
            assert_memory_equal(out.ptr + 1, in, place);
            assert_int_equal(out.ptr[1 + place], escaped ? '\\' : (char)octet);
            assert_int_equal(out.len > sizeof(in) + 2, escaped);
            assert_memory_equal(out.ptr + out.len - 1 - (16 - place), in + place + 1, 16 - place);
            bolt_buf_clear(&out);
        }
    }
}

static void writes_integers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"}, {-1, "-1"}, {42, "42"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_buf out;
        bolt_buf_init(&out);
        assert_int_equal(bolt_json_put_i64(&out, cases[i].value), BOLT_OK);
        assert_slice_equal(bolt_slice_of(out.ptr, out.len), cases[i].text);
        bolt_buf_clear(&out);
    }
}

static int write_document(struct bolt_buf *out)
{
    char controls[2000]; /* grows to six times the reserved size */
    memset(controls, 1, sizeof(controls));
    int err = bolt_json_put_i64(out, INT64_MIN);
    return err ? err : bolt_json_put_string(out, bolt_slice_of(controls, sizeof(controls)));
}

static void leaves_the_buffer_unchanged_when_memory_ends(void **state)
{
    (void)state;
    struct bolt_buf out;
    bolt_buf_init(&out);
    bolt_failmalloc_set(-1);
    assert_int_equal(write_document(&out), BOLT_OK);
    bolt_buf_clear(&out);
    size_t allocations = bolt_failmalloc_set(-1);
    assert_true(allocations > 2);
    for (size_t n = 0; n < allocations; n++) {
        bolt_failmalloc_set((long)n);
        assert_int_equal(write_document(&out), BOLT_ERR_NOMEM);
        assert_int_equal(out.len, n == 0 ? 0 : 20); /* the number stays whole, the string is gone */
        bolt_failmalloc_set(-1);
        bolt_buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_strings_like_msgspec),
        cmocka_unit_test(escapes_the_same_octets_anywhere),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(leaves_the_buffer_unchanged_when_memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
