/* SPDX-License-Identifier: MIT */
/* pattern.c - reads "/users/{id}/files/{rest:path}" and refuses what can never match.
 *
 * Static text is stored the way a client sends it: octets that the URL standard percent-encodes in a path
 * (controls, space, non-ASCII, and `"<>^` and the backtick) become %XX, so "/größe" registered by a
 * developer meets "/gr%C3%B6%C3%9Fe" on the wire and matching stays a comparison of raw octets. A '%' in
 * the pattern is taken as already encoded.
 */
#include "pattern.h"

#define OCTETS_PER_ESCAPE 3

struct parser {
    struct bolt_slice text;
    size_t pos;
    char *out; /* next free octet of the storage */
    size_t captures;
    struct bolt_pattern *pattern;
    struct bolt_errinfo *info;
};

static int refuse(struct parser *parser, size_t offset, const char *why)
{
    *parser->info = (struct bolt_errinfo){offset, why};
    return BOLT_ERR_ARGUMENT;
}

static bool needs_escape(unsigned char c)
{
    return c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '^' || c == '`';
}

static struct bolt_slice store_escaped(struct parser *parser, struct bolt_slice text)
{
    static const char HEX[] = "0123456789ABCDEF";
    char *start = parser->out;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (needs_escape(c)) {
            *parser->out++ = '%';
            *parser->out++ = HEX[c >> 4];
            *parser->out++ = HEX[c & 15];
        } else {
            *parser->out++ = (char)c;
        }
    }
    return bolt_slice_of(start, (size_t)(parser->out - start));
}

static bool is_name_used(const struct bolt_pattern *pattern, struct bolt_slice name)
{
    for (size_t i = 0; i < pattern->count; i++) {
        const struct bolt_pattern_segment *segment = &pattern->segments[i];
        if (segment->kind != BOLT_PATTERN_STATIC && bolt_slice_eq(segment->text, name))
            return true;
    }
    return false;
}

/* `inner` is what stands between the braces. */
static int read_parameter(struct parser *parser, struct bolt_slice inner, struct bolt_pattern_segment *out)
{
    size_t offset = (size_t)(inner.ptr - parser->text.ptr);
    const char *colon = inner.len ? memchr(inner.ptr, ':', inner.len) : NULL;
    struct bolt_slice name = bolt_slice_of(inner.ptr, colon ? (size_t)(colon - inner.ptr) : inner.len);
    if (name.len == 0)
        return refuse(parser, offset, "a parameter has no name");
    if (is_name_used(parser->pattern, name))
        return refuse(parser, offset, "a parameter name is used twice");
    if (parser->captures == BOLT_ROUTE_MAX_CAPTURES)
        return refuse(parser, offset, "too many parameters");
    parser->captures++;
    out->kind = BOLT_PATTERN_PARAM;
    if (colon) {
        struct bolt_slice type = bolt_slice_of(colon + 1, inner.len - name.len - 1);
        if (bolt_slice_eq(type, BOLT_SLICE_LIT("path")))
            out->kind = BOLT_PATTERN_REST;
    }
    out->text = name;
    return BOLT_OK;
}

static int read_segment(struct parser *parser, struct bolt_slice raw, struct bolt_pattern_segment *out)
{
    size_t offset = (size_t)(raw.ptr - parser->text.ptr);
    size_t opening = 0, closing = 0;
    for (size_t i = 0; i < raw.len; i++) {
        opening += raw.ptr[i] == '{';
        closing += raw.ptr[i] == '}';
        if (raw.ptr[i] == '?' || raw.ptr[i] == '#')
            return refuse(parser, offset + i, "a path holds no '?' and no '#'");
    }
    if (opening == 0 && closing == 0) {
        out->kind = BOLT_PATTERN_STATIC;
        out->text = store_escaped(parser, raw);
        return BOLT_OK;
    }
    if (opening != closing)
        return refuse(parser, offset, "braces do not balance");
    if (opening != 1 || raw.ptr[0] != '{' || raw.ptr[raw.len - 1] != '}')
        return refuse(parser, offset, "a parameter must be a whole segment");
    return read_parameter(parser, bolt_slice_of(raw.ptr + 1, raw.len - 2), out);
}

static int read_segments(struct parser *parser)
{
    struct bolt_slice text = parser->text;
    struct bolt_pattern *pattern = parser->pattern;
    for (;;) {
        while (parser->pos < text.len && text.ptr[parser->pos] == '/')
            parser->pos++;
        if (parser->pos == text.len)
            break;
        if (pattern->count && pattern->segments[pattern->count - 1].kind == BOLT_PATTERN_REST)
            return refuse(parser, parser->pos, "text follows a :path parameter");
        if (pattern->count == BOLT_ROUTE_MAX_SEGMENTS)
            return refuse(parser, parser->pos, "too many segments");
        size_t start = parser->pos;
        while (parser->pos < text.len && text.ptr[parser->pos] != '/')
            parser->pos++;
        int err = read_segment(parser, bolt_slice_of(text.ptr + start, parser->pos - start),
                               &pattern->segments[pattern->count]);
        if (err)
            return err;
        pattern->count++;
    }
    pattern->final_slash = text.ptr[text.len - 1] == '/';
    if (pattern->final_slash && pattern->count && pattern->segments[pattern->count - 1].kind == BOLT_PATTERN_REST)
        return refuse(parser, text.len - 1, "text follows a :path parameter");
    return BOLT_OK;
}

int bolt_pattern_parse(struct bolt_slice text, struct bolt_pattern *pattern, struct bolt_errinfo *info)
{
    struct parser parser = {.text = text, .pattern = pattern, .info = info};
    if (text.len == 0 || text.ptr[0] != '/')
        return refuse(&parser, 0, "a pattern starts with '/'");
    size_t size;
    if (!bolt_size_mul(text.len, OCTETS_PER_ESCAPE, &size))
        return BOLT_ERR_NOMEM;
    pattern->count = 0;
    pattern->storage = bolt_malloc(size);
    if (!pattern->storage)
        return BOLT_ERR_NOMEM;
    parser.out = pattern->storage;
    int err = read_segments(&parser);
    if (err)
        bolt_pattern_clear(pattern);
    return err;
}

void bolt_pattern_clear(struct bolt_pattern *pattern)
{
    bolt_free(pattern->storage);
    pattern->storage = NULL;
}
