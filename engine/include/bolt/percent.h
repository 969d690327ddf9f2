/* SPDX-License-Identifier: MIT */
/* percent.h - percent-decoding (RFC 3986 2.1) and application/x-www-form-urlencoded pairs. */
#ifndef BOLT_PERCENT_H
#define BOLT_PERCENT_H

#include "bolt/base.h"

/* Is there nothing to decode (no '%', and no '+' when plus_is_space)? Then the slice can be used as is. */
bool bolt_percent_is_plain(struct bolt_slice in, bool plus_is_space);

/* Decodes into out[0..in.len); returns the decoded length. A '%' not followed by two hex digits
 * stays literally (WHATWG URL), so decoding never fails. out may equal in.ptr. */
size_t bolt_percent_decode(struct bolt_slice in, bool plus_is_space, char *out);

/* Walks "a=1&b=2": returns false at the end. Empty pairs ("&&") are skipped; a pair without '='
 * has an empty value. Slices are raw. *cursor starts at 0. */
bool bolt_query_next(struct bolt_slice in, size_t *cursor, struct bolt_slice *key, struct bolt_slice *value);

/* Does the raw (encoded) key equal the decoded name? Decodes on the fly, '+' is a space. */
bool bolt_query_key_eq(struct bolt_slice raw_key, struct bolt_slice name);

/* Walks a Cookie field value "a=1; b=2" (RFC 6265 4.2.1, lenient about spaces); value without surrounding quotes. */
bool bolt_cookie_next(struct bolt_slice in, size_t *cursor, struct bolt_slice *name, struct bolt_slice *value);

#endif
