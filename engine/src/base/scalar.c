/* SPDX-License-Identifier: MIT */
/* scalar.c - one pass over the text, whole text or nothing.
 *
 * No parser skips white space: a value is what was sent. Numbers report the first fault from the left, so a
 * number that overflows before its first bad character is a range error.
 */
#include "bolt/scalar.h"

#include "bolt/ascii.h"

int bolt_scalar_int(struct bolt_slice in, int64_t *out)
{
    if (in.len == 0)
        return BOLT_AGAIN;
    bool negative = in.ptr[0] == '-';
    size_t pos = negative || in.ptr[0] == '+';
    if (pos == in.len)
        return BOLT_ERR_SYNTAX;
    int64_t value = 0; /* kept on the side of the sign: INT64_MIN has no positive twin */
    for (; pos < in.len; pos++) {
        if (!bolt_ascii_is_digit(in.ptr[pos]))
            return BOLT_ERR_SYNTAX;
        int64_t digit = in.ptr[pos] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return BOLT_ERR_RANGE;
    }
    *out = value;
    return BOLT_OK;
}

int bolt_scalar_bool(struct bolt_slice in, bool *out)
{
    static const struct {
        struct bolt_slice word;
        bool value;
    } WORDS[] = {
        {{"true", 4}, true}, {{"false", 5}, false}, {{"1", 1}, true},  {{"0", 1}, false},
        {{"yes", 3}, true},  {{"no", 2}, false},    {{"on", 2}, true}, {{"off", 3}, false},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(WORDS); i++) {
        if (bolt_slice_ieq(in, WORDS[i].word)) {
            *out = WORDS[i].value;
            return BOLT_OK;
        }
    }
    return BOLT_ERR_SYNTAX;
}

static size_t skip_digits(struct bolt_slice in, size_t pos)
{
    while (pos < in.len && bolt_ascii_is_digit(in.ptr[pos]))
        pos++;
    return pos;
}

bool bolt_scalar_is_float(struct bolt_slice in)
{
    size_t pos = in.len && (in.ptr[0] == '-' || in.ptr[0] == '+');
    struct bolt_slice word = bolt_slice_of(in.ptr + pos, in.len - pos);
    if (bolt_slice_ieq(word, BOLT_SLICE_LIT("inf")) || bolt_slice_ieq(word, BOLT_SLICE_LIT("infinity")) ||
        bolt_slice_ieq(word, BOLT_SLICE_LIT("nan")))
        return true;
    size_t whole = pos;
    pos = skip_digits(in, pos);
    size_t digits = pos - whole;
    if (pos < in.len && in.ptr[pos] == '.') {
        size_t fraction = ++pos;
        pos = skip_digits(in, pos);
        digits += pos - fraction;
    }
    if (digits == 0)
        return false;
    if (pos < in.len && bolt_ascii_lower(in.ptr[pos]) == 'e') {
        pos++;
        if (pos < in.len && (in.ptr[pos] == '-' || in.ptr[pos] == '+'))
            pos++;
        size_t exponent = pos;
        pos = skip_digits(in, pos);
        if (pos == exponent)
            return false;
    }
    return pos == in.len;
}

/* Drops "{...}" or "urn:uuid:" (RFC 9562 section 4). */
static struct bolt_slice uuid_digits(struct bolt_slice in)
{
    static const struct bolt_slice URN = {"urn:uuid:", 9};
    if (in.len >= 2 && in.ptr[0] == '{' && in.ptr[in.len - 1] == '}')
        return bolt_slice_of(in.ptr + 1, in.len - 2);
    if (in.len > URN.len && bolt_slice_ieq(bolt_slice_of(in.ptr, URN.len), URN))
        return bolt_slice_of(in.ptr + URN.len, in.len - URN.len);
    return in;
}

int bolt_scalar_uuid(struct bolt_slice in, uint8_t out[16])
{
    struct bolt_slice text = uuid_digits(in);
    bool hyphens = text.len == 36;
    if (!hyphens && text.len != 32)
        return BOLT_ERR_SYNTAX;
    uint8_t bytes[16];
    size_t pos = 0;
    for (size_t i = 0; i < 16; i++) {
        if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10)) {
            if (text.ptr[pos++] != '-')
                return BOLT_ERR_SYNTAX;
        }
        int high = bolt_ascii_hex(text.ptr[pos]), low = bolt_ascii_hex(text.ptr[pos + 1]);
        if (high < 0 || low < 0)
            return BOLT_ERR_SYNTAX;
        bytes[i] = (uint8_t)(high << 4 | low);
        pos += 2;
    }
    memcpy(out, bytes, 16);
    return BOLT_OK;
}

/* --- dates and times --- */

/* Reads exactly `count` digits at *pos. */
static bool read_digits(struct bolt_slice in, size_t *pos, size_t count, int *out)
{
    if (in.len - *pos < count)
        return false;
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        char c = in.ptr[*pos + i];
        if (!bolt_ascii_is_digit(c))
            return false;
        value = value * 10 + (c - '0');
    }
    *pos += count;
    *out = value;
    return true;
}

static bool read_char(struct bolt_slice in, size_t *pos, char expected)
{
    if (*pos >= in.len || in.ptr[*pos] != expected)
        return false;
    (*pos)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const uint8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap);
}

static int read_date(struct bolt_slice in, size_t *pos, struct bolt_datetime *out)
{
    int year, month, day;
    if (!read_digits(in, pos, 4, &year) || !read_char(in, pos, '-') || !read_digits(in, pos, 2, &month) ||
        !read_char(in, pos, '-') || !read_digits(in, pos, 2, &day))
        return BOLT_ERR_SYNTAX;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return BOLT_ERR_RANGE;
    out->year = (int16_t)year;
    out->month = (uint8_t)month;
    out->day = (uint8_t)day;
    return BOLT_OK;
}

/* The digits after the point; at least one, those after the sixth are dropped. */
static bool read_fraction(struct bolt_slice in, size_t *pos, int32_t *microsecond)
{
    size_t start = *pos;
    int32_t value = 0;
    for (size_t i = 0; i < 6; i++) {
        value *= 10;
        if (*pos < in.len && bolt_ascii_is_digit(in.ptr[*pos]))
            value += in.ptr[(*pos)++] - '0';
    }
    *pos = skip_digits(in, *pos);
    *microsecond = value;
    return *pos > start;
}

/* "Z", "+hh:mm", "-hhmm". */
static int read_offset(struct bolt_slice in, size_t *pos, struct bolt_datetime *out)
{
    char c = in.ptr[(*pos)++];
    out->has_offset = true;
    out->offset_s = 0;
    if (c == 'Z' || c == 'z')
        return BOLT_OK;
    int hours, minutes;
    if ((c != '+' && c != '-') || !read_digits(in, pos, 2, &hours))
        return BOLT_ERR_SYNTAX;
    if (*pos < in.len && in.ptr[*pos] == ':')
        (*pos)++;
    if (!read_digits(in, pos, 2, &minutes))
        return BOLT_ERR_SYNTAX;
    if (hours > 23 || minutes > 59)
        return BOLT_ERR_RANGE;
    int32_t offset_s = hours * 3600 + minutes * 60;
    out->offset_s = c == '-' ? -offset_s : offset_s;
    return BOLT_OK;
}

/* Time of day and offset up to the end of the text. */
static int read_time(struct bolt_slice in, size_t *pos, struct bolt_datetime *out)
{
    int hour, minute, second = 0;
    if (!read_digits(in, pos, 2, &hour) || !read_char(in, pos, ':') || !read_digits(in, pos, 2, &minute))
        return BOLT_ERR_SYNTAX;
    if (read_char(in, pos, ':')) {
        if (!read_digits(in, pos, 2, &second))
            return BOLT_ERR_SYNTAX;
        if (read_char(in, pos, '.') && !read_fraction(in, pos, &out->microsecond))
            return BOLT_ERR_SYNTAX;
    }
    int err = *pos < in.len ? read_offset(in, pos, out) : BOLT_OK;
    if (err)
        return err;
    if (*pos != in.len)
        return BOLT_ERR_SYNTAX;
    if (hour > 23 || minute > 59 || second > 59)
        return BOLT_ERR_RANGE;
    out->hour = (uint8_t)hour;
    out->minute = (uint8_t)minute;
    out->second = (uint8_t)second;
    return BOLT_OK;
}

int bolt_scalar_datetime(struct bolt_slice in, struct bolt_datetime *out)
{
    struct bolt_datetime value = {0};
    size_t pos = 0;
    int err = read_date(in, &pos, &value);
    if (err)
        return err;
    if (!read_char(in, &pos, 'T') && !read_char(in, &pos, 't') && !read_char(in, &pos, ' '))
        return BOLT_ERR_SYNTAX;
    err = read_time(in, &pos, &value);
    if (!err)
        *out = value;
    return err;
}

int bolt_scalar_date(struct bolt_slice in, struct bolt_datetime *out)
{
    struct bolt_datetime value = {0};
    size_t pos = 0;
    int err = read_date(in, &pos, &value);
    if (!err && pos != in.len)
        err = BOLT_ERR_SYNTAX;
    if (!err)
        *out = value;
    return err;
}

int bolt_scalar_time(struct bolt_slice in, struct bolt_datetime *out)
{
    struct bolt_datetime value = {0};
    size_t pos = 0;
    int err = read_time(in, &pos, &value);
    if (!err)
        *out = value;
    return err;
}
