/* SPDX-License-Identifier: MIT */
/* pool.c - freelists of what only a busy connection needs: input blocks, exchanges, output buffers.
 *
 * Last in, first out: while requests are answered at once the same few cache-warm pieces serve all connections. Bounded, so a
 * burst of slow requests does not stay in the process's memory. Each list is linked through the first word of
 * its free items.
 */
#include "server_int.h"

#define POOL_BLOCKS 256    /* 4 MiB */
#define POOL_EXCHANGES 256 /* 1.3 MiB */
#define POOL_OUTPUTS 64    /* at most 4 MiB */

/* A free output buffer remembers its capacity. */
struct free_output {
    void *next;
    size_t cap;
};

static void *pop(struct freelist *list)
{
    void *item = list->head;
    if (item) {
        memcpy(&list->head, item, sizeof(void *));
        list->count--;
    }
    return item;
}

static void push(struct freelist *list, void *item)
{
    if (list->count >= list->max) {
        bolt_free(item);
        return;
    }
    memcpy(item, &list->head, sizeof(void *));
    list->head = item;
    list->count++;
}

static void clear(struct freelist *list)
{
    for (void *item; (item = pop(list));)
        bolt_free(item);
}

void bolt_pool_init(struct pool *pool)
{
    pool->blocks.max = POOL_BLOCKS;
    pool->exchanges.max = POOL_EXCHANGES;
    pool->outputs.max = POOL_OUTPUTS;
}

void bolt_pool_clear(struct pool *pool)
{
    clear(&pool->blocks);
    clear(&pool->exchanges);
    clear(&pool->outputs);
}

char *bolt_pool_get_block(struct pool *pool)
{
    char *block = pop(&pool->blocks);
    return block ? block : bolt_malloc(BLOCK_BYTES);
}

void bolt_pool_put_block(struct pool *pool, char *block)
{
    push(&pool->blocks, block);
}

struct bolt_exchange *bolt_pool_get_exchange(struct pool *pool)
{
    struct bolt_exchange *exchange = pop(&pool->exchanges);
    return exchange ? exchange : bolt_malloc(sizeof(*exchange));
}

void bolt_pool_put_exchange(struct pool *pool, struct bolt_exchange *exchange)
{
    push(&pool->exchanges, exchange);
}

void bolt_pool_get_output(struct pool *pool, struct bolt_buf *buf)
{
    struct free_output *item = pop(&pool->outputs);
    bolt_buf_init(buf);
    if (item)
        *buf = (struct bolt_buf){.ptr = (char *)item, .cap = item->cap};
}

void bolt_pool_put_output(struct pool *pool, struct bolt_buf *buf)
{
    if (buf->cap < sizeof(struct free_output) || buf->cap > OUTPUT_KEEP_BYTES) {
        bolt_buf_clear(buf);
        return;
    }
    struct free_output *item = (struct free_output *)(void *)buf->ptr;
    item->cap = buf->cap;
    push(&pool->outputs, item);
    bolt_buf_init(buf);
}
