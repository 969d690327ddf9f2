/* SPDX-License-Identifier: MIT */
/* percent.c - percent-decoding, and the three lists of pairs a request carries: query, urlencoded form,
 * cookies.
 *
 * All of it is total: every octet string has exactly one reading, so nothing here fails. A '%' that starts
 * no escape stands for itself (URL standard, "percent-decode"); decoded octets are not checked for UTF-8, the
 * binder does that where it needs text. Walkers return raw slices; whoever keeps a value decodes it.
 *
 * Invariant: decoding never writes ahead of what it has read, so the output may overwrite the input.
 */
#include "bolt/percent.h"

#include "bolt/ascii.h"

/* One decoded octet from in[*pos..len); advances *pos. */
static inline char decode_one(struct bolt_slice in, size_t *pos, bool plus_is_space)
{
    char c = in.ptr[(*pos)++];
    if (c == '+' && plus_is_space)
        return ' ';
    if (c != '%' || in.len - *pos < 2)
        return c;
    int high = bolt_ascii_hex(in.ptr[*pos]), low = bolt_ascii_hex(in.ptr[*pos + 1]);
    if (high < 0 || low < 0)
        return c;
    *pos += 2;
    return (char)(high << 4 | low);
}

bool bolt_percent_is_plain(struct bolt_slice in, bool plus_is_space)
{
    if (in.len == 0)
        return true;
    return !memchr(in.ptr, '%', in.len) && !(plus_is_space && memchr(in.ptr, '+', in.len));
}

size_t bolt_percent_decode(struct bolt_slice in, bool plus_is_space, char *out)
{
    size_t len = 0;
    for (size_t pos = 0; pos < in.len;)
        out[len++] = decode_one(in, &pos, plus_is_space);
    return len;
}

bool bolt_query_next(struct bolt_slice in, size_t *cursor, struct bolt_slice *key, struct bolt_slice *value)
{
    size_t start = *cursor;
    while (start < in.len && in.ptr[start] == '&')
        start++;
    if (start >= in.len) {
        *cursor = in.len;
        return false;
    }
    const char *pair = in.ptr + start;
    const char *ampersand = memchr(pair, '&', in.len - start);
    size_t len = ampersand ? (size_t)(ampersand - pair) : in.len - start;
    const char *equals = memchr(pair, '=', len);
    size_t key_len = equals ? (size_t)(equals - pair) : len;
    *key = bolt_slice_of(pair, key_len);
    *value = equals ? bolt_slice_of(equals + 1, len - key_len - 1) : bolt_slice_of(pair + len, 0);
    *cursor = start + len;
    return true;
}

bool bolt_query_key_eq(struct bolt_slice raw_key, struct bolt_slice name)
{
    if (raw_key.len < name.len)
        return false; /* decoding never lengthens */
    size_t pos = 0, matched = 0;
    while (pos < raw_key.len) {
        if (matched == name.len || decode_one(raw_key, &pos, true) != name.ptr[matched])
            return false;
        matched++;
    }
    return matched == name.len;
}

static struct bolt_slice unquote(struct bolt_slice in)
{
    if (in.len >= 2 && in.ptr[0] == '"' && in.ptr[in.len - 1] == '"')
        return bolt_slice_of(in.ptr + 1, in.len - 2);
    return in;
}

bool bolt_cookie_next(struct bolt_slice in, size_t *cursor, struct bolt_slice *name, struct bolt_slice *value)
{
    while (*cursor < in.len) {
        const char *pair = in.ptr + *cursor;
        size_t left = in.len - *cursor;
        const char *semicolon = memchr(pair, ';', left);
        size_t len = semicolon ? (size_t)(semicolon - pair) : left;
        *cursor += len + (semicolon != NULL);
        const char *equals = len ? memchr(pair, '=', len) : NULL;
        size_t name_len = equals ? (size_t)(equals - pair) : 0;
        struct bolt_slice found = bolt_ascii_trim(bolt_slice_of(pair, name_len));
        struct bolt_slice text =
            bolt_ascii_trim(equals ? bolt_slice_of(equals + 1, len - name_len - 1) : bolt_slice_of(pair, len));
        if (found.len == 0 && text.len == 0)
            continue;
        *name = found;
        *value = unquote(text);
        return true;
    }
    return false;
}
