/* SPDX-License-Identifier: MIT */
/* http1_expect.h - tables of messages and what the parser must make of them. */
#ifndef HTTP1_EXPECT_H
#define HTTP1_EXPECT_H

#include "http1_transcript.h"

struct http1_case {
    const char *name;
    struct bolt_slice input;
    const char *expected; /* must occur in the transcript; NULL: the parser waits for more octets */
};

/* `input` is a literal and may hold NUL. */
#define HTTP1_CASE(name, input, expected) {name, {input, sizeof(input) - 1}, expected}

/* Fails the running test unless every case gives what is expected, cut nowhere, once at every place, and
 * everywhere at once. */
void http1_expect_all(const struct http1_case *cases, size_t count, const struct bolt_http1_limits *limits);
void http1_expect(const struct http1_case *one, const struct bolt_http1_limits *limits);

#define HTTP1_EXPECT_ALL(cases) http1_expect_all((cases), BOLT_ARRAY_LEN(cases), &BOLT_HTTP1_LIMITS_DEFAULT)

#endif
