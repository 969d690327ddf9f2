/* SPDX-License-Identifier: MIT */
/* fuzz_query.c - the walkers over query strings and Cookie fields, and the comparison that decodes on the fly.
 *
 * Invariants: every pair lies in the input, in order, without its separators; the pairs joined again read the same;
 * comparing a raw key with a name gives what decoding first would give.
 */
#include "require.h"

#include "bolt/ascii.h"
#include "bolt/buf.h"
#include "bolt/percent.h"

typedef bool walker(struct bolt_slice in, size_t *cursor, struct bolt_slice *key, struct bolt_slice *value);

static bool lies_in(struct bolt_slice part, struct bolt_slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static bool holds(struct bolt_slice in, char octet)
{
    return in.len && memchr(in.ptr, octet, in.len);
}

static size_t count_pairs(walker *next, struct bolt_slice in)
{
    size_t cursor = 0, count = 0;
    struct bolt_slice key, value;
    while (next(in, &cursor, &key, &value))
        count++;
    return count;
}

/* Walks `in`, checks each pair, and appends "key=value" with the separator to `joined`. */
static size_t walk(walker *next, struct bolt_slice in, char separator, struct bolt_buf *joined)
{
    size_t cursor = 0, count = 0;
    const char *previous = in.ptr;
    struct bolt_slice key, value;
    while (next(in, &cursor, &key, &value)) {
        REQUIRE(cursor <= in.len);
        REQUIRE(key.len == 0 || (lies_in(key, in) && key.ptr >= previous));
        REQUIRE(lies_in(value, in) && value.ptr >= previous);
        REQUIRE(!holds(key, separator) && !holds(key, '=') && !holds(value, separator));
        previous = value.ptr + value.len;
        REQUIRE(bolt_buf_put(joined, key.ptr, key.len) == BOLT_OK && bolt_buf_put_byte(joined, '=') == BOLT_OK);
        REQUIRE(bolt_buf_put(joined, value.ptr, value.len) == BOLT_OK);
        REQUIRE(bolt_buf_put_byte(joined, separator) == BOLT_OK);
        count++;
    }
    REQUIRE(cursor == in.len);
    return count;
}

static void check_query(struct bolt_slice in)
{
    struct bolt_buf joined, again;
    bolt_buf_init(&joined);
    bolt_buf_init(&again);
    size_t count = walk(bolt_query_next, in, '&', &joined);
    REQUIRE(walk(bolt_query_next, bolt_slice_of(joined.ptr, joined.len), '&', &again) == count);
    REQUIRE(bolt_slice_eq(bolt_slice_of(joined.ptr, joined.len), bolt_slice_of(again.ptr, again.len)));
    bolt_buf_clear(&joined);
    bolt_buf_clear(&again);
}

static void check_cookies(struct bolt_slice in)
{
    struct bolt_buf joined;
    bolt_buf_init(&joined);
    size_t count = walk(bolt_cookie_next, in, ';', &joined);
    REQUIRE(count_pairs(bolt_cookie_next, bolt_slice_of(joined.ptr, joined.len)) <= count); /* `x=""` may vanish */
    bolt_buf_clear(&joined);
    size_t cursor = 0;
    struct bolt_slice name, value;
    while (bolt_cookie_next(in, &cursor, &name, &value)) {
        REQUIRE(bolt_slice_eq(name, bolt_ascii_trim(name)));
        REQUIRE(name.len || value.len || holds(in, '"'));
    }
}

static void check_keys(struct bolt_slice raw, struct bolt_slice name)
{
    char *decoded = malloc(raw.len ? raw.len : 1);
    REQUIRE(decoded);
    struct bolt_slice key = bolt_slice_of(decoded, bolt_percent_decode(raw, true, decoded));
    REQUIRE(bolt_query_key_eq(raw, name) == bolt_slice_eq(key, name));
    REQUIRE(bolt_query_key_eq(raw, key));
    free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bolt_slice in = bolt_slice_of((const char *)data, size);
    check_query(in);
    check_cookies(in);
    const char *split = size ? memchr(in.ptr, '\n', size) : NULL;
    size_t raw_len = split ? (size_t)(split - in.ptr) : size / 2;
    size_t skip = split ? raw_len + 1 : raw_len;
    check_keys(bolt_slice_of(in.ptr, raw_len), bolt_slice_of(in.ptr + skip, size - skip));
    return 0;
}
