/* SPDX-License-Identifier: MIT */
/* forwarded.c - IP addresses as 128 bits, networks of them, and the walk over X-Forwarded-For.
 *
 * Every proxy appends the address it saw, so the field is read from the right: each entry is vouched for by
 * the hop after it. The first address that is no trusted proxy is the client; whatever stands to its left
 * was written by the client itself and means nothing.
 */
#include "bolt/forwarded.h"

#include <arpa/inet.h>

#include "bolt/ascii.h"

#define MAPPED_PREFIX_BITS 96

static const uint8_t MAPPED_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* An address without port or brackets. */
static int parse_address(struct bolt_slice in, struct bolt_ip *out, bool *is_ipv4)
{
    char text[INET6_ADDRSTRLEN];
    if (in.len == 0 || in.len >= sizeof(text) || memchr(in.ptr, '\0', in.len))
        return BOLT_ERR_SYNTAX;
    memcpy(text, in.ptr, in.len);
    text[in.len] = '\0';
    struct bolt_ip ip;
    *is_ipv4 = memchr(in.ptr, ':', in.len) == NULL;
    if (*is_ipv4)
        memcpy(ip.bytes, MAPPED_PREFIX, sizeof(MAPPED_PREFIX));
    if (inet_pton(*is_ipv4 ? AF_INET : AF_INET6, text, *is_ipv4 ? ip.bytes + sizeof(MAPPED_PREFIX) : ip.bytes) != 1)
        return BOLT_ERR_SYNTAX;
    *out = ip;
    return BOLT_OK;
}

/* Decimal digits without sign, at most `max`. */
static bool parse_number(struct bolt_slice in, unsigned max, unsigned *out)
{
    unsigned value = 0;
    for (size_t i = 0; i < in.len; i++) {
        if (!bolt_ascii_is_digit(in.ptr[i]))
            return false;
        value = value * 10 + (unsigned)(in.ptr[i] - '0');
        if (value > max)
            return false;
    }
    *out = value;
    return in.len > 0;
}

/* Splits off ":port" after an IPv4 address or "[v6]"; leaves the address alone in *in. */
static bool drop_port(struct bolt_slice *in)
{
    struct bolt_slice rest;
    if (in->len && in->ptr[0] == '[') {
        const char *close = memchr(in->ptr, ']', in->len);
        if (!close)
            return false;
        size_t len = (size_t)(close - in->ptr);
        rest = bolt_slice_of(close + 1, in->len - len - 1);
        *in = bolt_slice_of(in->ptr + 1, len - 1);
        if (!memchr(in->ptr, ':', in->len))
            return false; /* brackets are for IPv6 (RFC 3986 3.2.2) */
    } else {
        const char *colon = in->len ? memchr(in->ptr, ':', in->len) : NULL;
        if (!colon || memchr(colon + 1, ':', in->len - (size_t)(colon - in->ptr) - 1))
            return true; /* no colon: IPv4; several: IPv6 */
        rest = bolt_slice_of(colon, in->len - (size_t)(colon - in->ptr));
        in->len = (size_t)(colon - in->ptr);
    }
    unsigned port;
    return rest.len == 0 ||
           (rest.ptr[0] == ':' && parse_number(bolt_slice_of(rest.ptr + 1, rest.len - 1), 65535, &port));
}

int bolt_ip_parse(struct bolt_slice in, struct bolt_ip *out)
{
    bool is_ipv4;
    if (!drop_port(&in))
        return BOLT_ERR_SYNTAX;
    return parse_address(in, out, &is_ipv4);
}

static bool has_host_bits(const struct bolt_ip_network *network)
{
    for (unsigned bit = network->prefix; bit < 128; bit++) {
        if (network->base.bytes[bit / 8] & 0x80u >> bit % 8)
            return true;
    }
    return false;
}

int bolt_ip_network_parse(struct bolt_slice in, struct bolt_ip_network *out)
{
    const char *slash = in.len ? memchr(in.ptr, '/', in.len) : NULL;
    size_t address_len = slash ? (size_t)(slash - in.ptr) : in.len;
    struct bolt_ip_network network;
    bool is_ipv4;
    if (parse_address(bolt_slice_of(in.ptr, address_len), &network.base, &is_ipv4))
        return BOLT_ERR_ARGUMENT;
    unsigned bits = is_ipv4 ? 32 : 128;
    if (slash && !parse_number(bolt_slice_of(slash + 1, in.len - address_len - 1), bits, &bits))
        return BOLT_ERR_ARGUMENT;
    network.prefix = (uint8_t)(is_ipv4 ? bits + MAPPED_PREFIX_BITS : bits);
    if (has_host_bits(&network))
        return BOLT_ERR_ARGUMENT;
    *out = network;
    return BOLT_OK;
}

static bool contains(const struct bolt_ip_network *network, const struct bolt_ip *ip)
{
    size_t whole = network->prefix / 8;
    if (memcmp(network->base.bytes, ip->bytes, whole) != 0)
        return false;
    unsigned bits = network->prefix % 8;
    return bits == 0 || (network->base.bytes[whole] ^ ip->bytes[whole]) >> (8 - bits) == 0;
}

bool bolt_ip_in(const struct bolt_ip_network *networks, size_t count, const struct bolt_ip *ip)
{
    for (size_t i = 0; i < count; i++) {
        if (contains(&networks[i], ip))
            return true;
    }
    return false;
}

static size_t put_number(char *out, unsigned value, unsigned radix)
{
    static const char DIGITS[] = "0123456789abcdef";
    char reversed[5]; /* "65535" */
    size_t len = 0;
    do {
        reversed[len++] = DIGITS[value % radix];
        value /= radix;
    } while (value);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

static size_t put_ipv4(const uint8_t bytes[4], char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i)
            out[len++] = '.';
        len += put_number(out + len, bytes[i], 10);
    }
    return len;
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 4.2). */
static void find_zero_run(const unsigned groups[8], size_t *run_start, size_t *run_len)
{
    *run_start = 8;
    *run_len = 1;
    for (size_t i = 0; i < 8;) {
        size_t start = i;
        while (i < 8 && groups[i] == 0)
            i++;
        if (i - start > *run_len) {
            *run_start = start;
            *run_len = i - start;
        }
        i++;
    }
}

size_t bolt_ip_text(const struct bolt_ip *ip, char out[46])
{
    if (memcmp(ip->bytes, MAPPED_PREFIX, sizeof(MAPPED_PREFIX)) == 0)
        return put_ipv4(ip->bytes + sizeof(MAPPED_PREFIX), out);
    unsigned groups[8];
    for (size_t i = 0; i < 8; i++)
        groups[i] = (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
    size_t run_start, run_len, len = 0;
    find_zero_run(groups, &run_start, &run_len);
    for (size_t i = 0; i < 8; i++) {
        if (i == run_start) {
            out[len++] = ':';
            out[len++] = ':';
            i += run_len - 1;
            continue;
        }
        if (len && out[len - 1] != ':')
            out[len++] = ':';
        len += put_number(out + len, groups[i], 16);
    }
    return len;
}

void bolt_forwarded_client(struct bolt_slice x_forwarded_for, const struct bolt_ip *peer,
                           const struct bolt_ip_network *trusted, size_t trusted_count, struct bolt_ip *client)
{
    struct bolt_ip found = *peer;
    size_t end = x_forwarded_for.len;
    while (end && bolt_ip_in(trusted, trusted_count, &found)) {
        size_t start = end;
        while (start && x_forwarded_for.ptr[start - 1] != ',')
            start--;
        struct bolt_slice entry = bolt_ascii_trim(bolt_slice_of(x_forwarded_for.ptr + start, end - start));
        end = start ? start - 1 : 0;
        /* empty list elements are ignored (RFC 9110 5.6.1) */
        if (entry.len && bolt_ip_parse(entry, &found))
            break;
    }
    *client = found;
}
