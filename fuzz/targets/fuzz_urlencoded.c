/* SPDX-License-Identifier: MIT */
/* fuzz_urlencoded.c - application/x-www-form-urlencoded content to decoded pairs and back.
 *
 * Invariants: pairs agree with a parser written from the URL standard (split on '&', skip empty, cut at the
 * first '=', '+' to space, decode); encoding every octet of the decoded pairs and reading them again gives
 * the same pairs.
 */
#include "require.h"

#include "bolt/buf.h"
#include "bolt/percent.h"

#define FAIL_IF(err) REQUIRE((err) == BOLT_OK)

/* Length-prefixed parts, so that two lists of pairs are equal exactly when their octets are. */
static void put_part(struct bolt_buf *out, const char *ptr, size_t len)
{
    FAIL_IF(bolt_buf_put_u64(out, len));
    FAIL_IF(bolt_buf_put_byte(out, ':'));
    FAIL_IF(bolt_buf_put(out, ptr, len));
}

static void put_decoded(struct bolt_buf *out, struct bolt_slice raw)
{
    char *decoded = malloc(raw.len ? raw.len : 1);
    REQUIRE(decoded);
    size_t len = bolt_percent_decode(raw, true, decoded);
    REQUIRE(len <= raw.len);
    REQUIRE(!bolt_percent_is_plain(raw, true) || (len == raw.len && (len == 0 || !memcmp(decoded, raw.ptr, len))));
    put_part(out, decoded, len);
    free(decoded);
}

static void read_pairs(struct bolt_slice in, struct bolt_buf *out)
{
    size_t cursor = 0;
    struct bolt_slice key, value;
    while (bolt_query_next(in, &cursor, &key, &value)) {
        put_decoded(out, key);
        put_decoded(out, value);
    }
}

static int hex_digit(int c)
{
    const char *digits = "0123456789abcdefABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return !found ? -1 : (int)(found - digits) < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

static void put_reference(struct bolt_buf *out, const char *ptr, size_t len)
{
    char *text = malloc(len ? len : 1);
    REQUIRE(text);
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        char octet = ptr[i] == '+' ? ' ' : ptr[i];
        if (ptr[i] == '%' && i + 2 < len && hex_digit(ptr[i + 1]) >= 0 && hex_digit(ptr[i + 2]) >= 0) {
            octet = (char)(hex_digit(ptr[i + 1]) * 16 + hex_digit(ptr[i + 2]));
            i += 2;
        }
        text[written++] = octet;
    }
    put_part(out, text, written);
    free(text);
}

static void read_reference(struct bolt_slice in, struct bolt_buf *out)
{
    for (size_t start = 0; start < in.len;) {
        size_t end = start, equals = in.len;
        for (; end < in.len && in.ptr[end] != '&'; end++) {
            if (in.ptr[end] == '=' && equals == in.len)
                equals = end;
        }
        if (end > start) {
            size_t key_end = equals < end ? equals : end;
            size_t value_start = equals < end ? equals + 1 : end;
            put_reference(out, in.ptr + start, key_end - start);
            put_reference(out, in.ptr + value_start, end - value_start);
        }
        start = end + 1;
    }
}

static void put_encoded(struct bolt_buf *out, struct bolt_slice raw)
{
    char *decoded = malloc(raw.len ? raw.len : 1);
    REQUIRE(decoded);
    size_t len = bolt_percent_decode(raw, true, decoded);
    for (size_t i = 0; i < len; i++) {
        char escape[4];
        snprintf(escape, sizeof(escape), i % 2 ? "%%%02x" : "%%%02X", (unsigned char)decoded[i]);
        FAIL_IF(bolt_buf_put(out, escape, 3));
    }
    free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bolt_slice in = bolt_slice_of((const char *)data, size);
    struct bolt_buf pairs, reference, encoded, again;
    bolt_buf_init(&pairs);
    bolt_buf_init(&reference);
    bolt_buf_init(&encoded);
    bolt_buf_init(&again);
    read_pairs(in, &pairs);
    read_reference(in, &reference);
    REQUIRE(bolt_slice_eq(bolt_slice_of(pairs.ptr, pairs.len), bolt_slice_of(reference.ptr, reference.len)));

    size_t cursor = 0;
    struct bolt_slice key, value;
    while (bolt_query_next(in, &cursor, &key, &value)) {
        put_encoded(&encoded, key);
        FAIL_IF(bolt_buf_put_byte(&encoded, '='));
        put_encoded(&encoded, value);
        FAIL_IF(bolt_buf_put_byte(&encoded, '&'));
    }
    read_pairs(bolt_slice_of(encoded.ptr, encoded.len), &again);
    REQUIRE(bolt_slice_eq(bolt_slice_of(pairs.ptr, pairs.len), bolt_slice_of(again.ptr, again.len)));
    bolt_buf_clear(&pairs);
    bolt_buf_clear(&reference);
    bolt_buf_clear(&encoded);
    bolt_buf_clear(&again);
    return 0;
}
