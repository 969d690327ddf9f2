/* SPDX-License-Identifier: MIT */
/* http1_semantics.c - what a complete header section means for the connection.
 *
 *     Host                RFC 9112 3.2   exactly one on 1.1, at most one on 1.0, valid syntax
 *     framing             RFC 9112 6     chunked | Content-Length | no content
 *     persistence         RFC 9112 9.3   Connection options and version
 *     Expect, Upgrade     RFC 9110 10.1.1, 7.8
 *
 * Stricter than the RFC must be, because two readings of one message are what request smuggling needs:
 *   - Transfer-Encoding together with Content-Length, and Transfer-Encoding on HTTP/1.0, are refused;
 *   - Content-Length must occur once and be one number: equal repeats and lists ("5, 5") are refused too,
 *     which RFC 9112 6.3 and RFC 9110 8.6 leave to the recipient;
 *   - empty elements in Transfer-Encoding are refused although RFC 9110 5.6.1 would skip them.
 */
#include "bolt/ascii.h"
#include "http1_int.h"

static size_t value_offset(const struct bolt_http1_head *head, int index, const char *in)
{
    return (size_t)(head->fields[index].value.ptr - in);
}

/* Takes the first element of a comma-separated list off `rest`, without white space around it. */
static bool next_element(struct bolt_slice *rest, struct bolt_slice *element)
{
    if (!rest->ptr)
        return false;
    const char *start = rest->ptr, *end = rest->ptr + rest->len;
    const char *comma = rest->len ? memchr(start, ',', rest->len) : NULL;
    *rest = comma ? bolt_slice_of(comma + 1, (size_t)(end - comma - 1)) : bolt_slice_of(NULL, 0);
    *element = bolt_ascii_trim(bolt_slice_of(start, (size_t)((comma ? comma : end) - start)));
    return true;
}

/* The next line of a known field after `index`, -1 when there is none; most fields come once. */
static int next_line(const struct bolt_http1_head *head, const struct bolt_http1_facts *facts,
                     enum bolt_http1_known known, struct bolt_slice lower_name, int index)
{
    return facts->repeated & 1u << known ? bolt_http1_find(head, lower_name, index + 1) : -1;
}

static int interpret_host(struct bolt_http1_head *head, const struct bolt_http1_facts *facts, const char *in,
                          struct bolt_errinfo *info)
{
    int host = head->known[BOLT_H_HOST];
    if (host < 0) {
        if (head->minor == 0)
            return BOLT_OK;
        return bolt_http1_bad(info, 0, "HTTP/1.1 request without Host");
    }
    if (facts->repeated & 1u << BOLT_H_HOST)
        return bolt_http1_bad(info, value_offset(head, host, in), "Host is repeated");
    size_t at;
    const char *why = bolt_http1_check_host(head->fields[host].value, &at);
    if (why)
        return bolt_http1_bad(info, value_offset(head, host, in) + at, why);
    if (!head->authority.ptr)
        head->authority = head->fields[host].value;
    return BOLT_OK;
}

static int interpret_length(struct bolt_http1_head *head, const struct bolt_http1_facts *facts, const char *in,
                            struct bolt_errinfo *info)
{
    int index = head->known[BOLT_H_CONTENT_LENGTH];
    struct bolt_slice value = head->fields[index].value;
    size_t offset = value_offset(head, index, in);
    uint64_t length = 0;
    if (facts->repeated & 1u << BOLT_H_CONTENT_LENGTH)
        return bolt_http1_bad(info, offset, "Content-Length is repeated");
    if (value.len == 0)
        return bolt_http1_bad(info, offset, "Content-Length is empty");
    bool overflow = false;
    for (size_t i = 0; i < value.len; i++) {
        if (!bolt_ascii_is_digit(value.ptr[i]))
            return bolt_http1_bad(info, offset + i, "Content-Length is not a number");
        overflow |= __builtin_mul_overflow(length, 10, &length);
        overflow |= __builtin_add_overflow(length, value.ptr[i] - '0', &length);
    }
    if (overflow)
        return bolt_http1_refuse(info, offset, "content is too long", BOLT_ERR_BODY_LONG);
    head->content_length = length;
    head->has_content = length > 0;
    return BOLT_OK;
}

/* One transfer coding, "chunked" must come last and alone counts as understood. */
static int interpret_coding(struct bolt_slice coding, bool *chunked, bool *unknown, size_t offset,
                            struct bolt_errinfo *info)
{
    if (*chunked)
        return bolt_http1_bad(info, offset, "chunked is not the last transfer coding");
    if (bolt_slice_ieq(coding, BOLT_SLICE_LIT("chunked"))) {
        *chunked = true;
        return BOLT_OK;
    }
    const char *end = coding.ptr + coding.len;
    const char *stop = bolt_scan_token(coding.ptr, end);
    struct bolt_slice name = bolt_slice_of(coding.ptr, (size_t)(stop - coding.ptr));
    if (name.len == 0 || (stop < end && *stop != ';' && *stop != ' ' && *stop != '\t'))
        return bolt_http1_bad(info, offset, "malformed Transfer-Encoding");
    if (bolt_slice_ieq(name, BOLT_SLICE_LIT("chunked")))
        return bolt_http1_bad(info, offset, "chunked takes no parameters");
    *unknown = true;
    return BOLT_OK;
}

static int interpret_codings(struct bolt_http1_head *head, const struct bolt_http1_facts *facts, const char *in,
                             struct bolt_errinfo *info)
{
    const struct bolt_slice name = BOLT_SLICE_LIT("transfer-encoding");
    int first = head->known[BOLT_H_TRANSFER_ENCODING];
    bool chunked = false, unknown = false;
    size_t offset = value_offset(head, first, in);
    if (head->minor == 0)
        return bolt_http1_bad(info, offset, "Transfer-Encoding in an HTTP/1.0 request");
    if (head->known[BOLT_H_CONTENT_LENGTH] >= 0)
        return bolt_http1_bad(info, offset, "both Transfer-Encoding and Content-Length");
    for (int i = first; i >= 0; i = next_line(head, facts, BOLT_H_TRANSFER_ENCODING, name, i)) {
        struct bolt_slice rest = head->fields[i].value, coding;
        while (next_element(&rest, &coding)) {
            int err = interpret_coding(coding, &chunked, &unknown, (size_t)(coding.ptr - in), info);
            if (err)
                return err;
        }
    }
    if (!chunked)
        return bolt_http1_bad(info, offset, "the last transfer coding is not chunked");
    if (unknown)
        return bolt_http1_refuse(info, offset, "unknown transfer coding", BOLT_ERR_CODING);
    head->chunked = true;
    head->has_content = true;
    return BOLT_OK;
}

static void interpret_connection(struct bolt_http1_head *head, const struct bolt_http1_facts *facts)
{
    const struct bolt_slice name = BOLT_SLICE_LIT("connection");
    bool close = false, keep_alive = false, upgrade = false;
    for (int i = head->known[BOLT_H_CONNECTION]; i >= 0; i = next_line(head, facts, BOLT_H_CONNECTION, name, i)) {
        struct bolt_slice rest = head->fields[i].value, option;
        while (next_element(&rest, &option)) {
            close |= bolt_slice_ieq(option, BOLT_SLICE_LIT("close"));
            keep_alive |= bolt_slice_ieq(option, BOLT_SLICE_LIT("keep-alive"));
            upgrade |= bolt_slice_ieq(option, BOLT_SLICE_LIT("upgrade"));
        }
    }
    head->keep_alive = !close && (head->minor == 1 || keep_alive);
    head->upgrade = upgrade && head->minor == 1 && head->known[BOLT_H_UPGRADE] >= 0;
}

static bool expects_continue(const struct bolt_http1_head *head, const struct bolt_http1_facts *facts)
{
    const struct bolt_slice name = BOLT_SLICE_LIT("expect");
    for (int i = head->known[BOLT_H_EXPECT]; i >= 0; i = next_line(head, facts, BOLT_H_EXPECT, name, i)) {
        struct bolt_slice rest = head->fields[i].value, expectation;
        while (next_element(&rest, &expectation)) {
            if (bolt_slice_ieq(expectation, BOLT_SLICE_LIT("100-continue")))
                return true;
        }
    }
    return false;
}

int bolt_http1_interpret(struct bolt_http1_head *head, const struct bolt_http1_facts *facts, const char *in,
                         struct bolt_errinfo *info)
{
    head->chunked = false;
    head->has_content = false;
    head->content_length = 0;
    int err = interpret_host(head, facts, in, info);
    if (err)
        return err;
    if (head->known[BOLT_H_TRANSFER_ENCODING] >= 0)
        err = interpret_codings(head, facts, in, info);
    else if (head->known[BOLT_H_CONTENT_LENGTH] >= 0)
        err = interpret_length(head, facts, in, info);
    if (err)
        return err;
    head->keep_alive = head->minor == 1;
    head->upgrade = false;
    if (head->known[BOLT_H_CONNECTION] >= 0)
        interpret_connection(head, facts);
    head->expect_continue = head->minor == 1 && head->has_content && expects_continue(head, facts);
    return BOLT_OK;
}
