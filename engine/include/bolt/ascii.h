/* SPDX-License-Identifier: MIT */
/* ascii.h - character classes of the wire: no locale, any octet is fine as an argument. */
#ifndef BOLT_ASCII_H
#define BOLT_ASCII_H

#include "bolt/base.h"

static inline bool bolt_ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char bolt_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Value of a hexadecimal digit, -1 for anything else. */
static inline int bolt_ascii_hex(char c)
{
    if (bolt_ascii_is_digit(c))
        return c - '0';
    c = bolt_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without spaces and tabs at both ends (OWS, RFC 9110 5.6.3). */
static inline struct bolt_slice bolt_ascii_trim(struct bolt_slice in)
{
    while (in.len && (in.ptr[0] == ' ' || in.ptr[0] == '\t')) {
        in.ptr++;
        in.len--;
    }
    while (in.len && (in.ptr[in.len - 1] == ' ' || in.ptr[in.len - 1] == '\t'))
        in.len--;
    return in;
}

#endif
