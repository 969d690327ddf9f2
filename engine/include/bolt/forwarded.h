/* SPDX-License-Identifier: MIT */
/* forwarded.h - who the client is behind trusted proxies (X-Forwarded-For read right to left). */
#ifndef BOLT_FORWARDED_H
#define BOLT_FORWARDED_H

#include "bolt/base.h"

struct bolt_ip {
    uint8_t bytes[16]; /* IPv4 is kept as IPv4-mapped IPv6 */
};

struct bolt_ip_network {
    struct bolt_ip base;
    uint8_t prefix; /* 0..128 */
};

/* "10.0.0.1", "2001:db8::1", also "[2001:db8::1]:443" and "10.0.0.1:80" (port ignored). */
BOLT_NODISCARD int bolt_ip_parse(struct bolt_slice in, struct bolt_ip *out);
/* "10.0.0.0/8", "::1", "10.0.0.1". BOLT_ERR_ARGUMENT when malformed or host bits are set. */
BOLT_NODISCARD int bolt_ip_network_parse(struct bolt_slice in, struct bolt_ip_network *out);
bool bolt_ip_in(const struct bolt_ip_network *networks, size_t count, const struct bolt_ip *ip);
/* Canonical text (RFC 5952), IPv4-mapped as dotted quad; returns the length (< 46). */
size_t bolt_ip_text(const struct bolt_ip *ip, char out[46]);

/* The client: `peer` unless it is trusted; else the right-most entry of the X-Forwarded-For value that is not
 * trusted; the left-most one when all are. An unparsable entry ends the walk at the last good address. */
void bolt_forwarded_client(struct bolt_slice x_forwarded_for, const struct bolt_ip *peer,
                           const struct bolt_ip_network *trusted, size_t trusted_count, struct bolt_ip *client);

#endif
