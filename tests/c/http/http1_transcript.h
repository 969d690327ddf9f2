/* SPDX-License-Identifier: MIT */
/* http1_transcript.h - runs a connection's octets through the parser and writes down what came out.
 *
 * The transcript is text, one line per event, and leaves out nothing but where DATA slices were cut: two ways
 * of cutting the same octets must give equal transcripts. The run also checks what every caller relies on
 * (slices inside the input, progress, untouched output after BOLT_AGAIN) and aborts when it does not hold, so
 * unit tests and fuzz targets share it.
 */
#ifndef HTTP1_TRANSCRIPT_H
#define HTTP1_TRANSCRIPT_H

#include "bolt/buf.h"
#include "bolt/http1.h"

/* How many octets have arrived after `step` (from 0) arrivals, given `before` after the last one. */
struct http1_cutting {
    enum {
        CUT_NOWHERE,
        CUT_ONCE, /* after `at` octets */
        CUT_EVERYWHERE,
        CUT_EVERY /* `at` octets */
    } how;
    size_t at;
};

/* Appends the transcript of `in` to `out`. `route_limit` is set after every HEAD unless it is UINT64_MAX. */
void http1_transcript(struct bolt_buf *out, const struct bolt_http1_limits *limits, uint64_t route_limit,
                      struct bolt_slice in, struct http1_cutting cutting);

#endif
