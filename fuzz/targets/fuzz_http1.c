/* SPDX-License-Identifier: MIT */
/* fuzz_http1.c - a connection's octets through the HTTP/1 parser, whole and cut, under wide and narrow limits.
 * Every way of cutting must give the same transcript; http1_transcript.c checks slices and progress. */
#include <stdlib.h>

#include "http1_transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct bolt_http1_limits narrow = {
    .target_bytes = 12, .header_bytes = 80, .header_count = 3, .content_bytes = 20, .chunk_ext_bytes = 6};

/* FNV-1a: where to cut follows from the input, so that a finding can be replayed from its file alone. */
static size_t hash(const uint8_t *data, size_t size)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 16777619u;
    return h;
}

static void compare(const struct bolt_http1_limits *limits, uint64_t route_limit, struct bolt_slice in, size_t at)
{
    const struct http1_cutting cuttings[] = {{CUT_ONCE, at % (in.len + 1)}, {CUT_EVERY, at % 37 + 1}};
    struct bolt_buf whole = {0}, cut = {0};
    http1_transcript(&whole, limits, route_limit, in, (struct http1_cutting){CUT_NOWHERE, 0});
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cuttings); i++) {
        cut.len = 0;
        http1_transcript(&cut, limits, route_limit, in, cuttings[i]);
        if (cut.len != whole.len || memcmp(cut.ptr, whole.ptr, whole.len) != 0)
            abort();
    }
    bolt_buf_clear(&whole);
    bolt_buf_clear(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bolt_slice in = bolt_slice_of((const char *)data, size);
    size_t at = hash(data, size);
    compare(&BOLT_HTTP1_LIMITS_DEFAULT, UINT64_MAX, in, at);
    compare(&narrow, at & 1 ? UINT64_MAX : 10, in, at);
    return 0;
}
