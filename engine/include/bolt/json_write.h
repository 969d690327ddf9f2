/* SPDX-License-Identifier: MIT */
/* json_write.h - JSON text (RFC 8259) from C values, byte for byte as msgspec writes it. */
#ifndef BOLT_JSON_WRITE_H
#define BOLT_JSON_WRITE_H

#include "bolt/buf.h"

/* Appends "..." with `"`, `\` and controls escaped; input must be well-formed UTF-8, non-ASCII is not escaped. */
BOLT_NODISCARD int bolt_json_put_string(struct bolt_buf *out, struct bolt_slice text);
BOLT_NODISCARD int bolt_json_put_i64(struct bolt_buf *out, int64_t value);

#endif
