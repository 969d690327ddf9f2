/* SPDX-License-Identifier: MIT */
/* utf8.c - UTF-8 validation: eight octets at a time while they are ASCII, else by Unicode table 3-7.
 *
 *   first     second    third     fourth
 *   00..7F
 *   C2..DF    80..BF
 *   E0        A0..BF    80..BF              (below A0: overlong)
 *   E1..EF    80..BF    80..BF              (ED: second at most 9F, the rest are surrogates)
 *   F0        90..BF    80..BF    80..BF    (below 90: overlong)
 *   F1..F3    80..BF    80..BF    80..BF
 *   F4        80..8F    80..BF    80..BF    (above 8F: beyond U+10FFFF)
 */
#include "bolt/utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t load64(const char *ptr)
{
    uint64_t word;
    memcpy(&word, ptr, sizeof(word));
    return word;
}

bool bolt_utf8_is_ascii(const char *ptr, size_t len)
{
    uint64_t seen = 0;
    size_t i = 0;
    for (; len - i >= 8; i += 8)
        seen |= load64(ptr + i);
    for (; i < len; i++)
        seen |= (unsigned char)ptr[i];
    return (seen & HIGH_BITS) == 0;
}

static inline bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Octets of the well-formed sequence at `s` (at most `left`), 0 when there is none. */
static size_t sequence_len(const unsigned char *s, size_t left)
{
    unsigned char first = s[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4 || left < 2 || !is_continuation(s[1]))
        return 0;
    if (first < 0xe0)
        return 2;
    if (left < 3 || !is_continuation(s[2]))
        return 0;
    if (first < 0xf0) {
        if ((first == 0xe0 && s[1] < 0xa0) || (first == 0xed && s[1] > 0x9f))
            return 0;
        return 3;
    }
    if (left < 4 || !is_continuation(s[3]))
        return 0;
    if ((first == 0xf0 && s[1] < 0x90) || (first == 0xf4 && s[1] > 0x8f))
        return 0;
    return 4;
}

size_t bolt_utf8_check(const char *ptr, size_t len)
{
    size_t i = 0;
    while (i < len) {
        if (len - i >= 8 && (load64(ptr + i) & HIGH_BITS) == 0) {
            i += 8;
            continue;
        }
        size_t step = sequence_len((const unsigned char *)ptr + i, len - i);
        if (step == 0)
            return i;
        i += step;
    }
    return len;
}
