/* SPDX-License-Identifier: MIT */
/* reply.c - answers the server can give without the app: what matching alone decides, and plain error details. */
#include "server_int.h"

struct bolt_slice bolt_reply_detail(int status)
{
    /* The one text that clients know by a name other than the registry's. */
    return status == 413 ? BOLT_SLICE_LIT("Payload too large") : bolt_http1_reason(status);
}

static bool is_head(const struct bolt_exchange *exchange)
{
    return exchange->head.method == BOLT_METHOD_HEAD;
}

void bolt_exchange_reply_simple(struct bolt_exchange *exchange, int status, struct bolt_slice detail,
                                struct bolt_slice fields)
{
    exchange->status = status;
    int err = bolt_http1_put_simple(bolt_exchange_out(exchange), status, detail, fields, bolt_exchange_stamp(exchange),
                                    exchange->head.minor, exchange->keep_alive, is_head(exchange));
    bolt_exchange_done(exchange, err != BOLT_OK);
}

/* An answer without content: one field and, where the status allows one, a length of 0. */
static int put_empty(struct bolt_exchange *exchange, struct bolt_slice name, struct bolt_slice value)
{
    struct bolt_buf *out = bolt_exchange_out(exchange);
    struct bolt_http1_open_head head;
    int err = bolt_http1_head_begin(out, &head, exchange->status, bolt_exchange_stamp(exchange), exchange->head.minor,
                                    exchange->keep_alive);
    if (!err)
        err = bolt_http1_head_field(out, BOLT_SLICE_LIT("content-type"), BOLT_SLICE_LIT("application/json"));
    if (!err)
        err = bolt_http1_head_field(out, name, value);
    bool has_content = bolt_http1_status_has_content(exchange->status);
    if (!err)
        err = bolt_http1_head_end(out, &head, has_content ? BOLT_FRAMING_LENGTH : BOLT_FRAMING_NONE);
    if (!err && has_content)
        bolt_http1_head_close(out, &head, is_head(exchange));
    return err;
}

static void reply_empty(struct bolt_exchange *exchange, int status, struct bolt_slice name, struct bolt_slice value)
{
    exchange->status = status;
    int err = put_empty(exchange, name, value);
    bolt_exchange_done(exchange, err != BOLT_OK);
}

/* The path in its registered form, then the query. */
static int put_location(const struct bolt_exchange *exchange, struct bolt_buf *location)
{
    struct bolt_slice query = exchange->head.query;
    int err = bolt_route_put_location(location, exchange->match.kind, exchange->head.path);
    if (!err && query.ptr)
        err = bolt_buf_put_byte(location, '?');
    if (!err && query.ptr)
        err = bolt_buf_put(location, query.ptr, query.len);
    return err;
}

static void reply_redirect(struct bolt_exchange *exchange)
{
    struct bolt_buf location;
    bolt_buf_init(&location);
    if (put_location(exchange, &location) == BOLT_OK)
        reply_empty(exchange, 308, BOLT_SLICE_LIT("location"), bolt_slice_of(location.ptr, location.len));
    else
        bolt_exchange_done(exchange, true);
    bolt_buf_clear(&location);
}

static void reply_not_allowed(struct bolt_exchange *exchange)
{
    char fields[96 + sizeof("allow: \r\n")] = "allow: ";
    size_t len = sizeof("allow: ") - 1;
    len += bolt_route_allow(exchange->match.allow_mask, fields + len);
    fields[len++] = '\r';
    fields[len++] = '\n';
    bolt_exchange_reply_simple(exchange, 405, bolt_reply_detail(405), bolt_slice_of(fields, len));
}

void bolt_exchange_reply_unmatched(struct bolt_exchange *exchange)
{
    char allow[96];
    switch (exchange->match.kind) {
    case BOLT_ROUTE_NOT_ALLOWED:
        reply_not_allowed(exchange);
        break;
    case BOLT_ROUTE_AUTO_OPTIONS: {
        size_t len = bolt_route_allow(exchange->match.allow_mask, allow);
        reply_empty(exchange, 204, BOLT_SLICE_LIT("allow"), bolt_slice_of(allow, len));
        break;
    }
    case BOLT_ROUTE_REDIRECT_ADD:
    case BOLT_ROUTE_REDIRECT_STRIP:
        reply_redirect(exchange);
        break;
    case BOLT_ROUTE_FOUND:
    case BOLT_ROUTE_NOT_FOUND:
        bolt_exchange_reply_simple(exchange, 404, bolt_reply_detail(404), BOLT_SLICE_LIT(""));
        break;
    }
}
