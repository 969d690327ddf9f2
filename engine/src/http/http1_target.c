/* SPDX-License-Identifier: MIT */
/* http1_target.c - the four forms of a request target (RFC 9112 3.2) and the host syntax they share with Host.
 *
 *     origin-form     /path?query                     every method but CONNECT
 *     absolute-form   http://authority/path?query     every method but CONNECT; its authority wins over Host
 *     asterisk-form   *                               OPTIONS only
 *     authority-form  host:port                       CONNECT only
 *
 * Refused beyond the grammar: schemes other than http and https (we are authoritative for no other, RFC 9110
 * 7.4), an empty host in an absolute form (4.2.1), userinfo (4.2.4), and ports above 65535.
 * The path is not decoded here, and octets that RFC 3986 wants encoded but browsers send ("|", "^", "{") pass.
 */
#include "bolt/ascii.h"
#include "http1_int.h"

static const char *check_ip_literal(struct bolt_slice host, size_t *pos)
{
    bool colon = false;
    size_t i = 1;
    for (; i < host.len && host.ptr[i] != ']'; i++) {
        char c = host.ptr[i];
        colon |= c == ':';
        if (c != ':' && c != '.' && bolt_ascii_hex(c) < 0) {
            *pos = i;
            return "invalid octet in IPv6 address";
        }
    }
    *pos = i;
    if (i == host.len)
        return "IPv6 address without closing bracket";
    *pos = i + 1;
    return colon ? NULL : "malformed IPv6 address";
}

static const char *check_reg_name(struct bolt_slice host, size_t *pos)
{
    const char *p = host.ptr, *end = host.ptr + host.len;
    const char *why = NULL;
    for (;;) {
        p = bolt_scan_class(p, end, BOLT_CHAR_HOST);
        if (p == end || *p != '%')
            break;
        if (end - p < 3 || bolt_ascii_hex(p[1]) < 0 || bolt_ascii_hex(p[2]) < 0) {
            why = "malformed percent-encoding in host";
            break;
        }
        p += 3;
    }
    *pos = (size_t)(p - host.ptr);
    if (!why && p < end && *p != ':')
        why = "invalid octet in host";
    return !why && p == host.ptr ? "host is empty" : why;
}

/* `at` is the offset of ':' or the end. */
static const char *check_port(struct bolt_slice host, size_t *at)
{
    uint32_t port = 0;
    if (*at == host.len)
        return NULL;
    if (host.ptr[*at] != ':')
        return "invalid octet after host";
    for (size_t i = *at + 1; i < host.len; i++) {
        *at = i;
        if (!bolt_ascii_is_digit(host.ptr[i]))
            return "invalid octet in port";
        port = port * 10 + (uint32_t)(host.ptr[i] - '0');
        if (port > 65535)
            return "port is out of range";
    }
    return NULL;
}

const char *bolt_http1_check_host(struct bolt_slice host, size_t *at)
{
    *at = 0;
    if (host.len == 0)
        return NULL;
    const char *why = host.ptr[0] == '[' ? check_ip_literal(host, at) : check_reg_name(host, at);
    return why ? why : check_port(host, at);
}

static int read_authority_form(struct bolt_http1_head *head, const char *in, struct bolt_errinfo *info)
{
    struct bolt_slice target = head->target;
    size_t offset = (size_t)(target.ptr - in), at;
    const char *why = bolt_http1_check_host(target, &at);
    if (why)
        return bolt_http1_bad(info, offset + at, why);
    /* the check stops at the last digit of a port, at its colon when it is empty, at the end without one */
    if (at == target.len || target.ptr[at] == ':')
        return bolt_http1_bad(info, offset, "CONNECT target without port");
    head->authority = target;
    head->path = bolt_slice_of(target.ptr + target.len, 0);
    return BOLT_OK;
}

/* Length of "http://" or "https://" in any case; 0: neither. */
static size_t scheme_length(struct bolt_slice target)
{
    if (target.len >= 7 && bolt_slice_ieq(bolt_slice_of(target.ptr, 7), BOLT_SLICE_LIT("http://")))
        return 7;
    if (target.len >= 8 && bolt_slice_ieq(bolt_slice_of(target.ptr, 8), BOLT_SLICE_LIT("https://")))
        return 8;
    return 0;
}

static int read_absolute_form(struct bolt_http1_head *head, const char *path_end, const char *in,
                              struct bolt_errinfo *info)
{
    size_t offset = (size_t)(head->target.ptr - in), at;
    size_t scheme = scheme_length(head->target);
    if (scheme == 0)
        return bolt_http1_bad(info, offset, "request target is neither a path nor an http URI");
    const char *authority = head->target.ptr + scheme;
    const char *path = authority;
    while (path < path_end && *path != '/')
        path++;
    head->authority = bolt_slice_of(authority, (size_t)(path - authority));
    if (head->authority.len == 0)
        return bolt_http1_bad(info, offset + scheme, "host is empty");
    const char *why = bolt_http1_check_host(head->authority, &at);
    if (why)
        return bolt_http1_bad(info, offset + scheme + at, why);
    head->path = bolt_slice_of(path, (size_t)(path_end - path));
    if (head->path.len == 0) /* 9112 3.2.4: without path and query OPTIONS means the server as a whole */
        head->path =
            head->method == BOLT_METHOD_OPTIONS && !head->query.ptr ? BOLT_SLICE_LIT("*") : BOLT_SLICE_LIT("/");
    return BOLT_OK;
}

int bolt_http1_read_target(struct bolt_http1_head *head, const char *query_mark, const char *in,
                           struct bolt_errinfo *info)
{
    struct bolt_slice target = head->target;
    const char *end = target.ptr + target.len;
    const char *path_end = query_mark ? query_mark : end;
    head->authority = bolt_slice_of(NULL, 0);
    head->query = query_mark ? bolt_slice_of(query_mark + 1, (size_t)(end - query_mark - 1)) : bolt_slice_of(NULL, 0);
    if (BOLT_UNLIKELY(head->method == BOLT_METHOD_CONNECT))
        return read_authority_form(head, in, info);
    if (BOLT_LIKELY(target.ptr[0] == '/')) {
        head->path = bolt_slice_of(target.ptr, (size_t)(path_end - target.ptr));
        return BOLT_OK;
    }
    if (target.len == 1 && target.ptr[0] == '*') {
        head->path = target;
        if (head->method == BOLT_METHOD_OPTIONS)
            return BOLT_OK;
        return bolt_http1_bad(info, (size_t)(target.ptr - in), "request target * is for OPTIONS only");
    }
    return read_absolute_form(head, path_end, in, info);
}
