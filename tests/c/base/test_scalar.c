/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>

#include "bolt/scalar.h"

static void reads_integers(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int err;
        int64_t value;
    } cases[] = {
        {"0", BOLT_OK, 0},
        {"-0", BOLT_OK, 0},
        {"+5", BOLT_OK, 5},
        {"-17", BOLT_OK, -17},
        {"007", BOLT_OK, 7},
        {"9223372036854775806", BOLT_OK, INT64_MAX - 1},
        {"9223372036854775807", BOLT_OK, INT64_MAX},
        {"9223372036854775808", BOLT_ERR_RANGE, 0},
        {"-9223372036854775807", BOLT_OK, -INT64_MAX},
        {"-9223372036854775808", BOLT_OK, INT64_MIN},
        {"-9223372036854775809", BOLT_ERR_RANGE, 0},
        {"00000000000000000000000000000000000001", BOLT_OK, 1},
        {"99999999999999999999", BOLT_ERR_RANGE, 0},
        {"99999999999999999999x", BOLT_ERR_RANGE, 0},
        {"1x99999999999999999999", BOLT_ERR_SYNTAX, 0},
        {"", BOLT_AGAIN, 0},
        {"+", BOLT_ERR_SYNTAX, 0},
        {"-", BOLT_ERR_SYNTAX, 0},
        {"--1", BOLT_ERR_SYNTAX, 0},
        {" 1", BOLT_ERR_SYNTAX, 0},
        {"1 ", BOLT_ERR_SYNTAX, 0},
        {"1_000", BOLT_ERR_SYNTAX, 0},
        {"1.0", BOLT_ERR_SYNTAX, 0},
        {"1e3", BOLT_ERR_SYNTAX, 0},
        {"0x10", BOLT_ERR_SYNTAX, 0},
        {"abc", BOLT_ERR_SYNTAX, 0},
        {"\xd9\xa1", BOLT_ERR_SYNTAX, 0}, /* ARABIC-INDIC DIGIT ONE */
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        int64_t value = -99;
        assert_int_equal(bolt_scalar_int(in, &value), cases[i].err);
        assert_int_equal(value, cases[i].err ? -99 : cases[i].value);
        free_copy(in);
    }
}

static void reads_booleans(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int value; /* -1: refused */
    } cases[] = {
        {"true", 1},   {"TRUE", 1},   {"True", 1},   {"1", 1},    {"yes", 1},     {"YES", 1}, {"on", 1},
        {"On", 1},     {"false", 0},  {"0", 0},      {"no", 0},   {"off", 0},     {"OFF", 0}, {"FALSE", 0},
        {"", -1},      {"t", -1},     {"y", -1},     {"f", -1},   {"n", -1},      {"2", -1},  {"01", -1},
        {"true ", -1}, {" true", -1}, {"truee", -1}, {"tru", -1}, {"\x54rue", 1}, {"of", -1},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        bool value = cases[i].value == 0; /* the wrong one */
        bool before = value;
        assert_int_equal(bolt_scalar_bool(in, &value), cases[i].value < 0 ? BOLT_ERR_SYNTAX : BOLT_OK);
        assert_int_equal(value, cases[i].value < 0 ? before : cases[i].value == 1);
        free_copy(in);
    }
}

static void knows_float_literals(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        bool is_float;
    } cases[] = {
        {"1", true},       {"1.5", true},      {"-1.5", true},      {"+1.5", true},   {".5", true},
        {"5.", true},      {"1e3", true},      {"1E-3", true},      {"1.e+3", true},  {".5e1", true},
        {"inf", true},     {"-INF", true},     {"+Infinity", true}, {"nan", true},    {"-NaN", true},
        {"00.10", true},   {"1e999999", true}, {"", false},         {".", false},     {"-", false},
        {"e3", false},     {"1e", false},      {"1e+", false},      {"1.2.3", false}, {"1 ", false},
        {" 1", false},     {"1_0", false},     {"0x1p3", false},    {"infi", false},  {"infinityx", false},
        {"nan(1)", false}, {"--1", false},     {"1,5", false},      {".e1", false},   {"1e1.5", false},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        assert_int_equal(bolt_scalar_is_float(in), cases[i].is_float);
        free_copy(in);
    }
}

static void reads_uuids(void **state)
{
    (void)state;
    static const uint8_t expected[16] = {0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4,
                                         0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0x00, 0x00};
    static const struct {
        const char *in;
        bool good;
    } cases[] = {
        {"550e8400-e29b-41d4-a716-446655440000", true},
        {"550E8400-E29B-41D4-A716-446655440000", true},
        {"550e8400e29b41d4a716446655440000", true},
        {"{550e8400-e29b-41d4-a716-446655440000}", true},
        {"urn:uuid:550e8400-e29b-41d4-a716-446655440000", true},
        {"URN:UUID:550e8400-e29b-41d4-a716-446655440000", true},
        {"", false},
        {"{}", false},
        {"urn:uuid:", false},
        {"550e8400-e29b-41d4-a716-44665544000", false},
        {"550e8400-e29b-41d4-a716-4466554400000", false},
        {"550e8400e29b41d4a71644665544000", false},
        {"550e8400e29b41d4a7164466554400000", false},
        {"550e8400-e29b-41d4-a716-44665544000g", false},
        {"550e8400-e29b-41d4-a716-44665544000-", false},
        {"550e8400e-29b-41d4-a716-446655440000", false},
        {"550e8400-e29b-41d4a-716-446655440000", false},
        {"{550e8400-e29b-41d4-a716-446655440000", false},
        {"550e8400-e29b-41d4-a716-446655440000}", false},
        {"urn:uuix:550e8400-e29b-41d4-a716-446655440000", false},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_slice in = exact_copy(text_of(cases[i].in));
        uint8_t out[16], untouched[16];
        memset(out, 0x5a, sizeof(out));
        memset(untouched, 0x5a, sizeof(untouched));
        assert_int_equal(bolt_scalar_uuid(in, out), cases[i].good ? BOLT_OK : BOLT_ERR_SYNTAX);
        assert_memory_equal(out, cases[i].good ? expected : untouched, 16);
        free_copy(in);
    }
}

typedef int date_parser(struct bolt_slice in, struct bolt_datetime *out);

static void assert_parses(date_parser *parse, const char *input, int err, struct bolt_datetime expected)
{
    struct bolt_slice in = exact_copy(text_of(input));
    struct bolt_datetime out = {.year = -1};
    int got = parse(in, &out);
    if (got != err)
        print_error("input %s\n", input);
    assert_int_equal(got, err);
    free_copy(in);
    if (err) {
        assert_int_equal(out.year, -1);
        return;
    }
    assert_int_equal(out.year, expected.year);
    assert_int_equal(out.month, expected.month);
    assert_int_equal(out.day, expected.day);
    assert_int_equal(out.hour, expected.hour);
    assert_int_equal(out.minute, expected.minute);
    assert_int_equal(out.second, expected.second);
    assert_int_equal(out.microsecond, expected.microsecond);
    assert_int_equal(out.has_offset, expected.has_offset);
    assert_int_equal(out.offset_s, expected.offset_s);
}

static void reads_datetimes(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int err;
        struct bolt_datetime out;
    } cases[] = {
        {"2024-01-15T10:30:00Z", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, 0}},
        {"2024-01-15t10:30:00z", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, 0}},
        {"2024-01-15 10:30:00", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, false, 0}},
        {"2024-01-15T10:30", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, false, 0}},
        {"2024-01-15T10:30Z", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, 0}},
        {"2024-01-15T10:30:00.5", BOLT_OK, {2024, 1, 15, 10, 30, 0, 500000, false, 0}},
        {"2024-01-15T10:30:00.000001", BOLT_OK, {2024, 1, 15, 10, 30, 0, 1, false, 0}},
        {"2024-01-15T10:30:00.123456789Z", BOLT_OK, {2024, 1, 15, 10, 30, 0, 123456, true, 0}},
        {"2024-01-15T10:30:00+02:00", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, 7200}},
        {"2024-01-15T10:30:00-0530", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, -19800}},
        {"2024-01-15T10:30:00+23:59", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, 86340}},
        {"2024-01-15T10:30:00-00:00", BOLT_OK, {2024, 1, 15, 10, 30, 0, 0, true, 0}},
        {"2024-02-29T00:00:00", BOLT_OK, {2024, 2, 29, 0, 0, 0, 0, false, 0}},
        {"2000-02-29T23:59:59", BOLT_OK, {2000, 2, 29, 23, 59, 59, 0, false, 0}},
        {"0001-01-01T00:00:00", BOLT_OK, {1, 1, 1, 0, 0, 0, 0, false, 0}},
        {"9999-12-31T23:59:59.999999", BOLT_OK, {9999, 12, 31, 23, 59, 59, 999999, false, 0}},
        {"2023-02-29T00:00:00", BOLT_ERR_RANGE, {0}},
        {"1900-02-29T00:00:00", BOLT_ERR_RANGE, {0}},
        {"0000-01-01T00:00:00", BOLT_ERR_RANGE, {0}},
        {"2024-00-15T10:30:00", BOLT_ERR_RANGE, {0}},
        {"2024-13-15T10:30:00", BOLT_ERR_RANGE, {0}},
        {"2024-04-31T10:30:00", BOLT_ERR_RANGE, {0}},
        {"2024-01-00T10:30:00", BOLT_ERR_RANGE, {0}},
        {"2024-01-15T24:00:00", BOLT_ERR_RANGE, {0}},
        {"2024-01-15T10:60:00", BOLT_ERR_RANGE, {0}},
        {"2024-01-15T10:30:60", BOLT_ERR_RANGE, {0}},
        {"2024-01-15T10:30:00+24:00", BOLT_ERR_RANGE, {0}},
        {"2024-01-15T10:30:00+02:60", BOLT_ERR_RANGE, {0}},
        {"", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:0", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00.", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00.Z", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00,5", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00ZZ", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00Z ", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00+2", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00+02", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00+02:", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00+02:0", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15T10:30:00 02:00", BOLT_ERR_SYNTAX, {0}},
        {"2024-01-15x10:30:00", BOLT_ERR_SYNTAX, {0}},
        {"2024-1-15T10:30:00", BOLT_ERR_SYNTAX, {0}},
        {"24-01-15T10:30:00", BOLT_ERR_SYNTAX, {0}},
        {"2024/01/15T10:30:00", BOLT_ERR_SYNTAX, {0}},
        {"-024-01-15T10:30:00", BOLT_ERR_SYNTAX, {0}},
        {"20240115T103000", BOLT_ERR_SYNTAX, {0}},
        {"not-a-date", BOLT_ERR_SYNTAX, {0}},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++)
        assert_parses(bolt_scalar_datetime, cases[i].in, cases[i].err, cases[i].out);
}

static void reads_dates_and_times(void **state)
{
    (void)state;
    assert_parses(bolt_scalar_date, "2024-12-31", BOLT_OK,
                  (struct bolt_datetime){.year = 2024, .month = 12, .day = 31});
    assert_parses(bolt_scalar_date, "2024-12-31 ", BOLT_ERR_SYNTAX, (struct bolt_datetime){0});
    assert_parses(bolt_scalar_date, "2024-12-3", BOLT_ERR_SYNTAX, (struct bolt_datetime){0});
    assert_parses(bolt_scalar_date, "2024-12-32", BOLT_ERR_RANGE, (struct bolt_datetime){0});
    assert_parses(bolt_scalar_date, "", BOLT_ERR_SYNTAX, (struct bolt_datetime){0});
    assert_parses(bolt_scalar_time, "09:05", BOLT_OK, (struct bolt_datetime){.hour = 9, .minute = 5});
    assert_parses(bolt_scalar_time, "09:05:07.25", BOLT_OK,
                  (struct bolt_datetime){.hour = 9, .minute = 5, .second = 7, .microsecond = 250000});
    assert_parses(
        bolt_scalar_time, "23:59:59-01:30", BOLT_OK,
        (struct bolt_datetime){.hour = 23, .minute = 59, .second = 59, .has_offset = true, .offset_s = -5400});
    assert_parses(bolt_scalar_time, "24:00", BOLT_ERR_RANGE, (struct bolt_datetime){0});
    assert_parses(bolt_scalar_time, "9:05", BOLT_ERR_SYNTAX, (struct bolt_datetime){0});
    assert_parses(bolt_scalar_time, "", BOLT_ERR_SYNTAX, (struct bolt_datetime){0});
}

/* Days of each month of four century years against the rule written out. */
static void knows_the_calendar(void **state)
{
    (void)state;
    static const int years[] = {1999, 2000, 2004, 2100};
    static const int february[] = {28, 29, 29, 28};
    static const int days[] = {31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (size_t y = 0; y < BOLT_ARRAY_LEN(years); y++) {
        for (int month = 1; month <= 12; month++) {
            int last = month == 2 ? february[y] : days[month - 1];
            for (int day = last; day <= last + 1; day++) {
                char in[11];
                snprintf(in, sizeof(in), "%04d-%02d-%02d", years[y], month, day);
                struct bolt_datetime out;
                assert_int_equal(bolt_scalar_date(text_of(in), &out), day == last ? BOLT_OK : BOLT_ERR_RANGE);
            }
        }
    }
}

/* No prefix of a full value is read beyond its end, and only the documented short forms are values. */
static void every_prefix_is_safe(void **state)
{
    (void)state;
    static const char *const FULL = "2024-01-15T10:30:00.123456+02:00";
    for (size_t len = 0; len <= strlen(FULL); len++) {
        struct bolt_slice in = exact_copy(bolt_slice_of(FULL, len));
        struct bolt_datetime out;
        bool good = len == 16 || len == 19 || (len >= 21 && len <= 26) || len == 32;
        assert_int_equal(bolt_scalar_datetime(in, &out) == BOLT_OK, good);
        assert_int_equal(bolt_scalar_date(in, &out) == BOLT_OK, len == 10);
        free_copy(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_integers),       cmocka_unit_test(reads_booleans),
        cmocka_unit_test(knows_float_literals), cmocka_unit_test(reads_uuids),
        cmocka_unit_test(reads_datetimes),      cmocka_unit_test(reads_dates_and_times),
        cmocka_unit_test(knows_the_calendar),   cmocka_unit_test(every_prefix_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
