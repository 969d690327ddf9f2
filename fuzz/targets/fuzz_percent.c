/* SPDX-License-Identifier: MIT */
/* fuzz_percent.c - the pure functions of base/ on one text: percent-decoding, UTF-8, JSON strings, scalars, addresses.
 *
 * Invariants: decoding never lengthens, in place equals apart; what is refused leaves the output alone; what a
 * parser accepts, printed canonically, is accepted again with the same value.
 */
#include "require.h"

#include "bolt/ascii.h"
#include "bolt/forwarded.h"
#include "bolt/json_write.h"
#include "bolt/percent.h"
#include "bolt/scalar.h"
#include "bolt/utf8.h"

static void check_decoding(struct bolt_slice in, bool plus_is_space)
{
    char *apart = malloc(in.len ? in.len : 1), *place = malloc(in.len ? in.len : 1);
    REQUIRE(apart && place);
    if (in.len)
        memcpy(place, in.ptr, in.len);
    size_t len = bolt_percent_decode(in, plus_is_space, apart);
    REQUIRE(len <= in.len);
    REQUIRE(bolt_percent_decode(bolt_slice_of(place, in.len), plus_is_space, place) == len);
    REQUIRE(len == 0 || memcmp(apart, place, len) == 0);
    if (bolt_percent_is_plain(in, plus_is_space))
        REQUIRE(len == in.len && (len == 0 || memcmp(apart, in.ptr, len) == 0));
    free(apart);
    free(place);
}

static void check_utf8(struct bolt_slice in)
{
    size_t good = bolt_utf8_check(in.ptr, in.len);
    REQUIRE(good <= in.len);
    REQUIRE(bolt_utf8_check(in.ptr, good) == good); /* what precedes the fault is whole */
    if (bolt_utf8_is_ascii(in.ptr, in.len))
        REQUIRE(good == in.len);
    for (size_t i = 0; i < in.len && i < good; i++) {
        if (bolt_utf8_check(in.ptr + i, good - i) == 0) /* no start of a sequence */
            REQUIRE(((unsigned char)in.ptr[i] & 0xc0) == 0x80);
    }
}

/* The JSON text of `in` read back by a reader of the four rules it was written by. */
static void check_json(struct bolt_slice in)
{
    struct bolt_buf out;
    bolt_buf_init(&out);
    REQUIRE(bolt_json_put_string(&out, in) == BOLT_OK);
    REQUIRE(out.len >= in.len + 2 && out.ptr[0] == '"' && out.ptr[out.len - 1] == '"');
    size_t pos = 1;
    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)out.ptr[pos++];
        REQUIRE(c >= 0x20 && c != '"');
        if (c == '\\') {
            const char *shorts = "\"\"\\\\b\bt\tn\nf\fr\r";
            char kind = out.ptr[pos++];
            unsigned value = 256;
            for (size_t s = 0; shorts[s]; s += 2)
                value = shorts[s] == kind ? (unsigned char)shorts[s + 1] : value;
            if (kind == 'u') {
                REQUIRE(out.len - pos > 4 && out.ptr[pos] == '0' && out.ptr[pos + 1] == '0');
                value = (unsigned)(bolt_ascii_hex(out.ptr[pos + 2]) * 16 + bolt_ascii_hex(out.ptr[pos + 3]));
                pos += 4;
            }
            REQUIRE(value < 256);
            c = (unsigned char)value;
        }
        REQUIRE(c == (unsigned char)in.ptr[i]);
    }
    REQUIRE(pos == out.len - 1);
    bolt_buf_clear(&out);
}

static void check_numbers(struct bolt_slice in)
{
    int64_t value = 42, again;
    int err = bolt_scalar_int(in, &value);
    REQUIRE(err == BOLT_OK || value == 42);
    REQUIRE((err == BOLT_AGAIN) == (in.len == 0));
    struct bolt_buf out;
    bolt_buf_init(&out);
    if (!err) {
        REQUIRE(bolt_scalar_is_float(in));
        REQUIRE(bolt_json_put_i64(&out, value) == BOLT_OK);
        REQUIRE(bolt_scalar_int(bolt_slice_of(out.ptr, out.len), &again) == BOLT_OK && again == value);
        bolt_buf_clear(&out);
    }
    if (bolt_scalar_is_float(in)) {
        char *end;
        REQUIRE(bolt_buf_put(&out, in.ptr, in.len) == BOLT_OK && bolt_buf_put_byte(&out, '\0') == BOLT_OK);
        strtod(out.ptr, &end);
        REQUIRE(end == out.ptr + in.len); /* a float to C is one to us, and all of it is */
        bolt_buf_clear(&out);
    }
    bool truth;
    if (bolt_scalar_bool(in, &truth) == BOLT_OK)
        REQUIRE(in.len >= 1 && in.len <= 5);
}

static void check_uuid(struct bolt_slice in)
{
    uint8_t bytes[16], again[16];
    if (bolt_scalar_uuid(in, bytes))
        return;
    char text[33];
    for (size_t i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    REQUIRE(bolt_scalar_uuid(bolt_slice_of(text, 32), again) == BOLT_OK && memcmp(bytes, again, 16) == 0);
}

static void check_datetime(struct bolt_slice in)
{
    struct bolt_datetime value, again, untouched = {.year = -1};
    int err = bolt_scalar_datetime(in, &value);
    REQUIRE(err == BOLT_OK || err == BOLT_ERR_SYNTAX || err == BOLT_ERR_RANGE);
    if (bolt_scalar_date(in, &untouched) || bolt_scalar_time(in, &untouched))
        REQUIRE(err || untouched.year == -1);
    if (err)
        return;
    REQUIRE(value.year >= 1 && value.year <= 9999 && value.month >= 1 && value.month <= 12 && value.day >= 1);
    REQUIRE(value.day <= 31 && value.hour < 24 && value.minute < 60 && value.second < 60);
    REQUIRE(value.microsecond >= 0 && value.microsecond < 1000000 && abs(value.offset_s) < 86400);
    char text[64];
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06d", value.year, value.month, value.day,
                       value.hour, value.minute, value.second, value.microsecond);
    if (value.has_offset) {
        int minutes = abs(value.offset_s) / 60;
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%c%02d:%02d", value.offset_s < 0 ? '-' : '+',
                        minutes / 60, minutes % 60);
    }
    REQUIRE(bolt_scalar_datetime(bolt_slice_of(text, (size_t)len), &again) == BOLT_OK);
    REQUIRE(again.microsecond == value.microsecond && again.offset_s == value.offset_s && again.day == value.day);
}

static void check_addresses(struct bolt_slice in)
{
    struct bolt_ip ip = {{0}}, again, client;
    if (bolt_ip_parse(in, &ip) == BOLT_OK) {
        char text[46];
        size_t len = bolt_ip_text(&ip, text);
        REQUIRE(len < sizeof(text));
        REQUIRE(bolt_ip_parse(bolt_slice_of(text, len), &again) == BOLT_OK && memcmp(&ip, &again, 16) == 0);
    }
    struct bolt_ip_network network = {.prefix = 0}; /* everybody */
    bolt_forwarded_client(in, &ip, &network, 1, &client);
    bolt_forwarded_client(in, &ip, NULL, 0, &client);
    REQUIRE(memcmp(&ip, &client, 16) == 0);
    if (bolt_ip_network_parse(in, &network) == BOLT_OK)
        REQUIRE(network.prefix <= 128 && bolt_ip_in(&network, 1, &network.base));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bolt_slice in = bolt_slice_of((const char *)data, size);
    check_decoding(in, true);
    check_decoding(in, false);
    check_utf8(in);
    check_json(in);
    check_numbers(in);
    check_uuid(in);
    check_datetime(in);
    check_addresses(in);
    return 0;
}
