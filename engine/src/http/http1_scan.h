/* SPDX-License-Identifier: MIT */
/* http1_scan.h - octet classes of RFC 9110 / RFC 3986 and the scans over them, private to the HTTP/1 files.
 *
 * Every scan takes [p, end) and returns the first octet outside its class, or `end`. It never reads at or
 * beyond `end`. With SSE2 (every x86-64) runs of 16 octets are tested at once and the scalar twin finishes the
 * tail; elsewhere the scalar twin does all of it. tests/c/http/test_http1_scan.c holds both to the same answers.
 */
#ifndef BOLT_HTTP1_SCAN_H
#define BOLT_HTTP1_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BOLT_CHAR_TOKEN 1u /* tchar, RFC 9110 5.6.2 */
#define BOLT_CHAR_HOST 2u  /* unreserved / sub-delims, RFC 3986 3.2.2 (reg-name without pct-encoded) */

extern const uint8_t bolt_http1_chars[256];

static inline bool bolt_char_is(char c, unsigned classes)
{
    return (bolt_http1_chars[(unsigned char)c] & classes) != 0;
}

static inline const char *bolt_scan_class(const char *p, const char *end, unsigned classes)
{
    while (p < end && bolt_char_is(*p, classes))
        p++;
    return p;
}

/* field-vchar, SP and HTAB: everything but the other controls and DEL (RFC 9110 5.5). */
static inline bool bolt_char_is_field(char c)
{
    unsigned char u = (unsigned char)c;
    return (u >= 0x20 && u != 0x7f) || u == '\t';
}

static inline const char *bolt_scan_value_scalar(const char *p, const char *end)
{
    while (p < end && bolt_char_is_field(*p))
        p++;
    return p;
}

/* Visible ASCII but '#'; '?' also stops while `stop_at_query`. */
static inline const char *bolt_scan_target_scalar(const char *p, const char *end, bool stop_at_query)
{
    while (p < end && *p > 0x20 && *p < 0x7f && *p != '#' && !(stop_at_query && *p == '?'))
        p++;
    return p;
}

#ifdef __SSE2__

/* First set lane of a movemask result; mask != 0. */
static inline unsigned bolt_scan_first(int mask)
{
    return (unsigned)__builtin_ctz((unsigned)mask);
}

static inline const char *bolt_scan_value(const char *p, const char *end)
{
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7f);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v);
        __m128i stop = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), control), _mm_cmpeq_epi8(v, del));
        int mask = _mm_movemask_epi8(stop);
        if (mask)
            return p + bolt_scan_first(mask);
    }
    return bolt_scan_value_scalar(p, end);
}

static inline const char *bolt_scan_target(const char *p, const char *end, bool stop_at_query)
{
    const __m128i first_visible = _mm_set1_epi8(0x21);
    const __m128i del = _mm_set1_epi8(0x7f);
    const __m128i hash = _mm_set1_epi8('#');
    const __m128i query = _mm_set1_epi8(stop_at_query ? '?' : '#');
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed comparison: octets from 0x80 are negative, hence below too */
        __m128i stop = _mm_or_si128(_mm_cmplt_epi8(v, first_visible), _mm_cmpeq_epi8(v, del));
        stop = _mm_or_si128(stop, _mm_or_si128(_mm_cmpeq_epi8(v, hash), _mm_cmpeq_epi8(v, query)));
        int mask = _mm_movemask_epi8(stop);
        if (mask)
            return p + bolt_scan_first(mask);
    }
    return bolt_scan_target_scalar(p, end, stop_at_query);
}

/* Field names: letters, digits and '-' in bulk, the rarer token octets one by one. */
static inline const char *bolt_scan_token(const char *p, const char *end)
{
    const __m128i case_bit = _mm_set1_epi8(0x20);
    const __m128i below_a = _mm_set1_epi8('a' - 1), above_z = _mm_set1_epi8('z' + 1);
    const __m128i below_0 = _mm_set1_epi8('0' - 1), above_9 = _mm_set1_epi8('9' + 1);
    const __m128i dash = _mm_set1_epi8('-');
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i low = _mm_or_si128(v, case_bit);
        __m128i alpha = _mm_and_si128(_mm_cmpgt_epi8(low, below_a), _mm_cmplt_epi8(low, above_z));
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(v, below_0), _mm_cmplt_epi8(v, above_9));
        __m128i in = _mm_or_si128(_mm_or_si128(alpha, digit), _mm_cmpeq_epi8(v, dash));
        int mask = _mm_movemask_epi8(in) ^ 0xffff;
        if (mask) {
            p += bolt_scan_first(mask);
            break;
        }
    }
    return bolt_scan_class(p, end, BOLT_CHAR_TOKEN);
}

#else

static inline const char *bolt_scan_value(const char *p, const char *end)
{
    return bolt_scan_value_scalar(p, end);
}

static inline const char *bolt_scan_target(const char *p, const char *end, bool stop_at_query)
{
    return bolt_scan_target_scalar(p, end, stop_at_query);
}

static inline const char *bolt_scan_token(const char *p, const char *end)
{
    return bolt_scan_class(p, end, BOLT_CHAR_TOKEN);
}

#endif
#endif
