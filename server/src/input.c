/* SPDX-License-Identifier: MIT */
/* input.c - where received octets live, so that a request can be used in place.
 *
 * Normally a whole request fits one pooled block and nothing is ever copied:
 *
 *     in:  [ done | head | content, decoded | not parsed yet | room ]
 *                        content_off         start            end   cap
 *
 * Chunked content is decoded in place: pieces only move towards the front, over octets already parsed.
 * Content that does not fit *spills*: it goes on in a buffer of its own and the block, whose head slices are borrowed, is kept
 * aside as head_block until the message ends:
 *
 *     head_block: [ done | head | ... ]         in: [ content, decoded | not parsed yet | room ]
 *
 * Invariants
 *  1. Once a head was delivered nothing before content_off moves until bolt_input_end_message().
 *  2. Content only moves (spill, growth) while it is incomplete, so nobody can have borrowed it yet.
 *  3. Capacity is at most twice what has really arrived plus SPILL_MIN_BYTES, whatever Content-Length announces.
 */
#include "server_int.h"

bool bolt_input_is_empty(const struct input *in)
{
    return in->start == in->end;
}

void bolt_input_release(struct bolt_server *server, struct input *in)
{
    if (!in->ptr)
        return;
    if (in->cap == BLOCK_BYTES)
        bolt_pool_put_block(&server->pool, in->ptr);
    else
        bolt_free(in->ptr);
    *in = (struct input){0};
}

static int take_block(struct bolt_conn *conn)
{
    char *block = bolt_pool_get_block(&conn->server->pool);
    if (!block)
        return BOLT_ERR_NOMEM;
    conn->in = (struct input){.ptr = block, .cap = BLOCK_BYTES};
    return BOLT_OK;
}

static void move_unparsed(struct input *in, size_t to)
{
    size_t len = in->end - in->start;
    if (to == in->start)
        return;
    memmove(in->ptr + to, in->ptr + in->start, len);
    in->start = to;
    in->end = to + len;
}

static int grow_input(struct input *in, size_t cap)
{
    if (cap == BLOCK_BYTES)
        cap++; /* that capacity means "pooled" */
    char *ptr = bolt_realloc(in->ptr, cap);
    if (!ptr)
        return BOLT_ERR_NOMEM;
    in->ptr = ptr;
    in->cap = cap;
    return BOLT_OK;
}

/* Between requests and inside a header section nothing is borrowed. The parser's limits bound the growth. */
static int make_head_room(struct input *in)
{
    if (in->start >= in->cap / 2 || bolt_input_is_empty(in))
        move_unparsed(in, 0);
    if (in->end < in->cap)
        return BOLT_OK;
    if (in->start) {
        move_unparsed(in, 0);
        return BOLT_OK;
    }
    size_t cap;
    return bolt_size_mul(in->cap, 2, &cap) ? grow_input(in, cap) : BOLT_ERR_NOMEM;
}

/* Capacity for `have` octets of content and more to come: never more than announced, never far above arrived. */
static size_t content_cap(size_t have, uint64_t left)
{
    size_t cap = have > SPILL_MIN_BYTES / 2 ? have * 2 : SPILL_MIN_BYTES;
    if (left != UINT64_MAX && left < cap - have)
        cap = have + (size_t)left;
    return cap;
}

static int spill(struct bolt_conn *conn, size_t cap)
{
    struct input *in = &conn->in;
    size_t unparsed = in->end - in->start;
    struct input fresh = {.start = conn->content_len, .end = conn->content_len + unparsed};
    int err = grow_input(&fresh, cap);
    if (err)
        return err;
    memcpy(fresh.ptr, in->ptr + conn->content_off, conn->content_len);
    memcpy(fresh.ptr + fresh.start, in->ptr + in->start, unparsed);
    conn->head_block = *in;
    conn->in = fresh;
    conn->content_off = 0;
    return BOLT_OK;
}

static int make_content_room(struct bolt_conn *conn)
{
    struct input *in = &conn->in;
    if (in->end < in->cap)
        return BOLT_OK;
    move_unparsed(in, conn->content_off + conn->content_len); /* what chunk framing took up */
    if (in->end < in->cap)
        return BOLT_OK;
    size_t have = conn->content_len + (in->end - in->start);
    if (have > SIZE_MAX / 4)
        return BOLT_ERR_NOMEM;
    uint64_t left = bolt_http1_content_left(conn->parser);
    if (left != UINT64_MAX)
        left -= left < in->end - in->start ? left : in->end - in->start;
    size_t cap = content_cap(have, left);
    return conn->head_block.ptr ? grow_input(in, cap) : spill(conn, cap);
}

int bolt_input_make_room(struct bolt_conn *conn)
{
    if (!conn->in.ptr)
        return take_block(conn);
    return conn->phase == PHASE_CONTENT ? make_content_room(conn) : make_head_room(&conn->in);
}

void bolt_input_take_content(struct bolt_conn *conn, struct bolt_slice piece)
{
    char *to = conn->in.ptr + conn->content_off + conn->content_len;
    if (piece.ptr != to)
        memmove(to, piece.ptr, piece.len);
    conn->content_len += piece.len;
}

/* Pipelined octets behind a large message: back into a block when they fit, else the buffer is kept. */
static void shrink(struct bolt_conn *conn)
{
    size_t unparsed = conn->in.end - conn->in.start;
    if (conn->in.cap == BLOCK_BYTES || unparsed > BLOCK_BYTES)
        return;
    char *block = bolt_pool_get_block(&conn->server->pool);
    if (!block)
        return;
    memcpy(block, conn->in.ptr + conn->in.start, unparsed);
    bolt_input_release(conn->server, &conn->in);
    conn->in = (struct input){.ptr = block, .end = unparsed, .cap = BLOCK_BYTES};
}

void bolt_input_drop(struct bolt_conn *conn)
{
    bolt_input_release(conn->server, &conn->head_block);
    bolt_input_release(conn->server, &conn->in);
}

void bolt_input_end_message(struct bolt_conn *conn)
{
    bolt_input_release(conn->server, &conn->head_block);
    conn->content_off = conn->content_len = 0;
    if (bolt_input_is_empty(&conn->in))
        bolt_input_release(conn->server, &conn->in);
    else
        shrink(conn);
}
