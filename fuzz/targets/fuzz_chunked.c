/* SPDX-License-Identifier: MIT */
/* fuzz_chunked.c - the chunked decoder alone: every way of cutting decodes to the same content and result, and
 * what was decoded survives our own encoder and the decoder once more. */
#include "require.h"

#include "bolt/buf.h"
#include "bolt/http1_write.h"
#include "http1_int.h"

static const struct bolt_http1_limits limits = {
    .target_bytes = 100, .header_bytes = 64, .header_count = 3, .content_bytes = 4096, .chunk_ext_bytes = 16};

struct outcome {
    int err; /* BOLT_OK: the message ended */
    size_t offset;
    const char *text;
    struct bolt_buf content;
};

/* Shows `in` in pieces of `step` octets; a piece grows while the decoder waits inside a trailer line. */
static void decode(struct outcome *outcome, struct bolt_slice in, size_t step)
{
    struct bolt_chunked decoder = {.state = BOLT_CHUNKED_SIZE};
    size_t taken = 0, arrived = 0;
    *outcome = (struct outcome){.err = BOLT_AGAIN};
    while (outcome->err == BOLT_AGAIN && arrived < in.len) {
        arrived = in.len - arrived > step ? arrived + step : in.len;
        enum bolt_http1_event event = BOLT_HTTP1_DATA;
        do {
            struct bolt_slice data;
            struct bolt_errinfo info;
            size_t consumed = 0;
            outcome->err = bolt_chunked_next(&decoder, &limits, limits.content_bytes, in.ptr + taken, arrived - taken,
                                             &consumed, &event, &data, &info);
            REQUIRE(consumed <= arrived - taken);
            if (outcome->err == BOLT_OK && event == BOLT_HTTP1_DATA) {
                REQUIRE(data.len > 0 && data.ptr >= in.ptr + taken && data.ptr + data.len <= in.ptr + arrived);
                REQUIRE(bolt_buf_put(&outcome->content, data.ptr, data.len) == BOLT_OK);
            } else if (outcome->err && outcome->err != BOLT_AGAIN) {
                REQUIRE(bolt_err_is_peer(outcome->err) && consumed == 0);
                outcome->offset = taken + info.offset;
                outcome->text = info.text;
            }
            taken += consumed;
        } while (outcome->err == BOLT_OK && event == BOLT_HTTP1_DATA);
    }
    if (outcome->err == BOLT_OK)
        outcome->offset = taken;
    REQUIRE(outcome->content.len <= limits.content_bytes);
}

static void require_equal(const struct outcome *a, const struct outcome *b)
{
    REQUIRE(a->err == b->err && a->offset == b->offset && a->text == b->text);
    REQUIRE(a->content.len == b->content.len);
    REQUIRE(a->content.len == 0 || memcmp(a->content.ptr, b->content.ptr, a->content.len) == 0);
}

/* Encodes content in chunks of `step` octets and decodes it again. */
static void round_trip(const struct outcome *first, size_t step)
{
    struct bolt_buf encoded = {0};
    for (size_t pos = 0; pos < first->content.len; pos += step) {
        size_t n = first->content.len - pos < step ? first->content.len - pos : step;
        REQUIRE(bolt_http1_put_chunk(&encoded, bolt_slice_of(first->content.ptr + pos, n)) == BOLT_OK);
    }
    REQUIRE(bolt_http1_put_last_chunk(&encoded) == BOLT_OK);
    struct outcome second;
    decode(&second, bolt_slice_of(encoded.ptr, encoded.len), encoded.len);
    REQUIRE(second.err == BOLT_OK && second.offset == encoded.len);
    REQUIRE(second.content.len == first->content.len);
    REQUIRE(second.content.len == 0 || memcmp(second.content.ptr, first->content.ptr, second.content.len) == 0);
    bolt_buf_clear(&second.content);
    bolt_buf_clear(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bolt_slice in = bolt_slice_of((const char *)data, size);
    const size_t steps[] = {1, 2, (size_t)data[size - 1] % 61 + 3};
    struct outcome whole, cut;
    decode(&whole, in, size);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(steps); i++) {
        decode(&cut, in, steps[i]);
        require_equal(&whole, &cut);
        bolt_buf_clear(&cut.content);
    }
    if (whole.err == BOLT_OK)
        round_trip(&whole, steps[2]);
    bolt_buf_clear(&whole.content);
    return 0;
}
