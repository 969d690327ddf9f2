/* SPDX-License-Identifier: MIT */
/* http1_head.c - request line and field lines (RFC 9112 sections 2, 3 and 5).
 *
 * A header section is read line by line, in one pass when all of it is present. When the input ends inside a
 * line, the offset of that line is kept and the next call goes on there, so input that arrives octet by octet
 * costs one rescan per line and not per section. The caller may move its buffer between calls, so slices taken
 * in earlier calls are worthless: when a resumed section turns out complete it is read once more from the top,
 * which cannot fail any more, and only that pass fills the head for good.
 *
 * Invariants
 *  1. No octet at or beyond min(len, budget) is looked at; needing one means BOLT_AGAIN, or 431 when it exists.
 *  2. Only CRLF ends a line. Bare LF and bare CR are refused (RFC 9112 2.2 allows the former, but the two
 *     readings of "\n" are what request smuggling lives on).
 */
#include "bolt/ascii.h"
#include "http1_int.h"

/* The longest method in the IANA registry has 17 octets. */
#define METHOD_MAX 32u

/* Compares `n` token octets with a lower-case literal of letters, digits and '-'. Setting bit 5 maps no other
 * token octet onto those, so one OR folds the case. `n` is constant at every call: the loop unrolls to words. */
static inline bool name_is(const char *name, const char *lower, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        size_t step = n - i < 8 ? n - i : 8;
        uint64_t a = 0, b = 0, fold = 0;
        memcpy(&a, name + i, step);
        memcpy(&b, lower + i, step);
        memcpy(&fold, "        ", step); /* 0x20 in each octet compared */
        if ((a | fold) != b)
            return false;
    }
    return true;
}

#define NAME_IS(name, literal) name_is((name).ptr, literal, sizeof(literal) - 1)

/* Which of the fields the server needs is this? -1: none. */
static int classify(struct bolt_slice name)
{
    switch (name.len) {
    case 4:
        return NAME_IS(name, "host") ? BOLT_H_HOST : -1;
    case 6:
        if (NAME_IS(name, "cookie"))
            return BOLT_H_COOKIE;
        if (NAME_IS(name, "origin"))
            return BOLT_H_ORIGIN;
        return NAME_IS(name, "expect") ? BOLT_H_EXPECT : -1;
    case 7:
        return NAME_IS(name, "upgrade") ? BOLT_H_UPGRADE : -1;
    case 10:
        return NAME_IS(name, "connection") ? BOLT_H_CONNECTION : -1;
    case 12:
        return NAME_IS(name, "content-type") ? BOLT_H_CONTENT_TYPE : -1;
    case 13:
        return NAME_IS(name, "authorization") ? BOLT_H_AUTHORIZATION : -1;
    case 14:
        return NAME_IS(name, "content-length") ? BOLT_H_CONTENT_LENGTH : -1;
    case 15:
        return NAME_IS(name, "accept-encoding") ? BOLT_H_ACCEPT_ENCODING : -1;
    case 17:
        return NAME_IS(name, "transfer-encoding") ? BOLT_H_TRANSFER_ENCODING : -1;
    default:
        return -1;
    }
}

static int read_method(const char *in, size_t len, size_t *next, struct bolt_http1_head *head,
                       struct bolt_errinfo *info)
{
    if (BOLT_LIKELY(len >= 4 && memcmp(in, "GET ", 4) == 0)) {
        head->method = BOLT_METHOD_GET;
        head->method_name = bolt_slice_of(in, 3);
        *next = 4;
        return BOLT_OK;
    }
    size_t n = (size_t)(bolt_scan_token(in, in + len) - in);
    if (n > METHOD_MAX)
        return bolt_http1_refuse(info, METHOD_MAX, "method is too long", BOLT_ERR_CODING); /* 501: RFC 9112 3 */
    if (n == len)
        return BOLT_AGAIN;
    if (n == 0 || in[n] != ' ')
        return bolt_http1_bad(info, n,
                              n == 0 ? "request line does not begin with a method" : "invalid octet in method");
    head->method_name = bolt_slice_of(in, n);
    head->method = bolt_method_from(head->method_name);
    *next = n + 1;
    return BOLT_OK;
}

static const char *why_target_ends(char c)
{
    switch (c) {
    case '#':
        return "fragment in request target";
    case '\r':
    case '\n':
        return "request line without HTTP version";
    default:
        return "invalid octet in request target";
    }
}

/* Reads up to the space after the target; *query_mark is its first '?' or NULL. */
static int read_target_octets(const char *in, size_t pos, size_t len, uint32_t limit, struct bolt_http1_head *head,
                              const char **query_mark, struct bolt_errinfo *info)
{
    const char *start = in + pos, *end = in + len;
    const char *stop = bolt_scan_target(start, end, true);
    *query_mark = NULL;
    if (stop < end && *stop == '?') {
        *query_mark = stop;
        stop = bolt_scan_target(stop + 1, end, false);
    }
    size_t n = (size_t)(stop - start);
    if (n > limit)
        return bolt_http1_refuse(info, pos + limit, "request target is too long", BOLT_ERR_TARGET_LONG);
    if (stop == end)
        return BOLT_AGAIN;
    if (*stop != ' ')
        return bolt_http1_bad(info, pos + n, why_target_ends(*stop));
    if (n == 0)
        return bolt_http1_bad(info, pos, "request target is empty");
    head->target = bolt_slice_of(start, n);
    return BOLT_OK;
}

/* HTTP-version CRLF. A higher minor version is served as 1.1 (RFC 9110 2.5), another major one is not. */
static int read_version(const char *in, size_t pos, size_t end, struct bolt_http1_head *head, size_t *next,
                        struct bolt_errinfo *info)
{
    static const char form[10] = {'H', 'T', 'T', 'P', '/', '9', '.', '9', '\r', '\n'}; /* 9: any digit */
    *next = pos + sizeof(form);
    head->minor = 1;
    if (BOLT_LIKELY(end - pos >= sizeof(form) && memcmp(in + pos, "HTTP/1.1\r\n", sizeof(form)) == 0))
        return BOLT_OK;
    for (size_t i = 0; i < sizeof(form); i++) {
        if (pos + i >= end)
            return BOLT_AGAIN;
        char c = in[pos + i];
        if (form[i] == '9' ? !bolt_ascii_is_digit(c) : c != form[i])
            return bolt_http1_bad(info, pos + i,
                                  i < 8 ? "malformed HTTP version" : "request line does not end in CRLF");
    }
    if (in[pos + 5] != '1')
        return bolt_http1_refuse(info, pos + 5, "only HTTP/1 is spoken here", BOLT_ERR_VERSION);
    head->minor = in[pos + 7] == '0' ? 0 : 1;
    return BOLT_OK;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* More octets are needed: an error when they are there but the budget does not allow to look at them. */
static int again_or_too_long(size_t len, size_t budget, struct bolt_errinfo *info)
{
    if (len <= budget)
        return BOLT_AGAIN;
    return bolt_http1_refuse(info, budget, "header section is too long", BOLT_ERR_HEADERS_LONG);
}

static int read_request_line(struct bolt_http1 *parser, const char *in, size_t len, struct bolt_http1_head *head,
                             struct bolt_errinfo *info)
{
    const struct bolt_http1_limits *limits = &parser->limits;
    const char *query_mark;
    size_t pos, next;
    int err = read_method(in, len, &pos, head, info);
    if (err)
        return err;
    err = read_target_octets(in, pos, len, limits->target_bytes, head, &query_mark, info);
    if (err)
        return err;
    /* the target has its own limit, the header section pays for everything else */
    size_t budget = head->target.len + limits->header_bytes;
    pos += head->target.len + 1;
    if (pos > budget)
        return again_or_too_long(len, budget, info);
    err = read_version(in, pos, min_size(len, budget), head, &next, info);
    if (err)
        return err == BOLT_AGAIN ? again_or_too_long(len, budget, info) : err;
    parser->resume = (struct bolt_http1_resume){.line = next, .budget = budget, .count = 0};
    return bolt_http1_read_target(head, query_mark, in, info);
}

static int bad_name(const char *in, size_t line, size_t at, struct bolt_errinfo *info)
{
    char c = in[at];
    bool blank = c == ' ' || c == '\t';
    if (blank && at == line)
        return bolt_http1_bad(info, at, "folded field line or white space before a field name");
    if (blank)
        return bolt_http1_bad(info, at, "white space between field name and colon");
    if (c == '\r' || c == '\n')
        return bolt_http1_bad(info, at, at == line ? "bare LF" : "field line without colon");
    return bolt_http1_bad(info, at, c == ':' ? "field name is empty" : "invalid octet in field name");
}

static int bad_value(char c, size_t at, struct bolt_errinfo *info)
{
    return bolt_http1_bad(info, at, c == '\n' ? "bare LF" : "control character in field value");
}

static inline int read_field(const char *in, size_t pos, size_t end, struct bolt_http1_field *field, size_t *next,
                             struct bolt_errinfo *info)
{
    const char *limit = in + end;
    const char *name = in + pos;
    const char *p = bolt_scan_token(name, limit);
    if (p == limit)
        return BOLT_AGAIN;
    if (*p != ':' || p == name)
        return bad_name(in, pos, (size_t)(p - in), info);
    field->name = bolt_slice_of(name, (size_t)(p - name));
    do
        p++;
    while (p < limit && (*p == ' ' || *p == '\t'));
    const char *value = p;
    p = bolt_scan_value(p, limit);
    if (p == limit)
        return BOLT_AGAIN;
    if (*p != '\r')
        return bad_value(*p, (size_t)(p - in), info);
    if (p + 1 == limit)
        return BOLT_AGAIN;
    if (p[1] != '\n')
        return bolt_http1_bad(info, (size_t)(p - in), "bare CR");
    *next = (size_t)(p - in) + 2;
    while (p > value && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    field->value = bolt_slice_of(value, (size_t)(p - value));
    return BOLT_OK;
}

int bolt_http1_read_field(const char *in, size_t pos, size_t end, struct bolt_http1_field *field, size_t *next,
                          struct bolt_errinfo *info)
{
    return read_field(in, pos, end, field, next, info);
}

/* Reads field lines from `resume` to the empty line. BOLT_OK: *head_len is set. */
static int read_fields(struct bolt_http1 *parser, const char *in, size_t len, size_t *head_len,
                       struct bolt_http1_head *head, struct bolt_http1_facts *facts, struct bolt_errinfo *info)
{
    struct bolt_http1_resume *resume = &parser->resume;
    size_t end = min_size(len, resume->budget);
    size_t pos = resume->line;
    uint16_t count = resume->count;
    int err = BOLT_AGAIN;
    while (pos < end) {
        if (in[pos] == '\r') {
            if (pos + 1 == end)
                break;
            if (in[pos + 1] != '\n')
                return bolt_http1_bad(info, pos, "bare CR");
            head->field_count = count;
            *head_len = pos + 2;
            return BOLT_OK;
        }
        if (count == parser->limits.header_count)
            return bolt_http1_refuse(info, pos, "too many header fields", BOLT_ERR_HEADERS_LONG);
        struct bolt_http1_field *field = &head->fields[count];
        err = read_field(in, pos, end, field, &pos, info);
        if (err)
            break;
        int known = classify(field->name);
        if (known >= 0) {
            if (head->known[known] < 0)
                head->known[known] = (int16_t)count;
            else
                facts->repeated |= 1u << known;
        }
        count++;
        err = BOLT_AGAIN;
    }
    resume->line = pos;
    resume->count = count;
    return err == BOLT_AGAIN ? again_or_too_long(len, resume->budget, info) : err;
}

int bolt_http1_read_head(struct bolt_http1 *parser, const char *in, size_t len, size_t *head_len,
                         struct bolt_http1_head *head, struct bolt_errinfo *info)
{
    struct bolt_http1_facts facts = {0};
    int err;
    memset(head->known, 0xff, sizeof(head->known)); /* -1 each */
    if (parser->resume.line > 0) {
        err = read_fields(parser, in, len, head_len, head, &facts, info);
        if (err)
            return err;
        facts.repeated = 0;
        memset(head->known, 0xff, sizeof(head->known));
    }
    err = read_request_line(parser, in, len, head, info);
    if (err)
        return err;
    err = read_fields(parser, in, len, head_len, head, &facts, info);
    if (err)
        return err;
    parser->resume.line = 0;
    return bolt_http1_interpret(head, &facts, in, info);
}
