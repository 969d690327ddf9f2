/* SPDX-License-Identifier: MIT */
/* utf8.h - well-formedness of UTF-8 (Unicode table 3-7: no overlongs, no surrogates, <= U+10FFFF). */
#ifndef BOLT_UTF8_H
#define BOLT_UTF8_H

#include "bolt/base.h"

bool bolt_utf8_is_ascii(const char *ptr, size_t len);
/* Offset of the first ill-formed octet, or len when everything is well-formed. */
size_t bolt_utf8_check(const char *ptr, size_t len);

#endif
