/* SPDX-License-Identifier: MIT */
/* scalar.h - text of a path, query, header, cookie or form value to numbers, booleans and dates.
 *
 * Pure parsers: no locale, no allocation. Each returns BOLT_OK or a peer error; the texts that clients see
 * for each failure are built by the caller.
 */
#ifndef BOLT_SCALAR_H
#define BOLT_SCALAR_H

#include "bolt/base.h"

/* Optional sign, decimal digits only. BOLT_ERR_SYNTAX, BOLT_ERR_RANGE (outside int64), BOLT_AGAIN for empty text. */
BOLT_NODISCARD int bolt_scalar_int(struct bolt_slice in, int64_t *out);
/* true/false/1/0/yes/no/on/off without case. */
BOLT_NODISCARD int bolt_scalar_bool(struct bolt_slice in, bool *out);
/* Is the text a decimal float literal: [+-] digits [. digits] [e[+-]digits], "inf", "infinity", "nan"
 * without case? Syntax check only; the value comes from the caller's strtod. */
bool bolt_scalar_is_float(struct bolt_slice in);
/* 36 characters with hyphens, 32 hex digits, {..} or urn:uuid: forms. */
BOLT_NODISCARD int bolt_scalar_uuid(struct bolt_slice in, uint8_t out[16]);

struct bolt_datetime {
    int16_t year;
    uint8_t month, day, hour, minute, second;
    int32_t microsecond;
    bool has_offset;
    int32_t offset_s; /* east of UTC */
};

/* ISO 8601 / RFC 3339 "2024-01-15T10:30:00[.f][Z|+hh:mm|+hhmm]", 'T', 't' or a space; naive accepted.
 * Calendar-checked (leap years, 24:00 refused, second 60 refused); more than six fraction digits are truncated. */
BOLT_NODISCARD int bolt_scalar_datetime(struct bolt_slice in, struct bolt_datetime *out);
BOLT_NODISCARD int bolt_scalar_date(struct bolt_slice in, struct bolt_datetime *out);
/* HH:MM[:SS[.f]] with optional offset. */
BOLT_NODISCARD int bolt_scalar_time(struct bolt_slice in, struct bolt_datetime *out);

#endif
