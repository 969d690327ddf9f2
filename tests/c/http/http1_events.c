/* SPDX-License-Identifier: MIT */
/* http1_events.c - the parser as a filter, for tests/python/integration/test_http1_differential.py.
 *
 * stdin:  messages, each as a 32-bit little-endian length and that many octets.
 * stdout: one line of JSON per message: what its *first* request became. Octets are written in hexadecimal.
 *     {"outcome": "complete" | "incomplete" | "refused", "status": 400, "error": "...", "consumed": 40,
 *      "head": null | {"method": ..., "target": ..., "path": ..., "authority": null | ..., "minor": 1,
 *                      "keep_alive": true, "upgrade": false, "fields": [[name, value], ...]}, "content": "..."}
 */
#include <stdio.h>
#include <stdlib.h>

#include "bolt/buf.h"
#include "bolt/http1.h"

static void print_hex(struct bolt_slice octets)
{
    if (!octets.ptr) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (size_t i = 0; i < octets.len; i++) {
        putchar("0123456789abcdef"[(unsigned char)octets.ptr[i] >> 4]);
        putchar("0123456789abcdef"[(unsigned char)octets.ptr[i] & 15]);
    }
    putchar('"');
}

static void print_member(const char *name, struct bolt_slice octets)
{
    printf("\"%s\": ", name);
    print_hex(octets);
    fputs(", ", stdout);
}

static void print_head(const struct bolt_http1_head *head)
{
    fputs("\"head\": {", stdout);
    print_member("method", head->method_name);
    print_member("target", head->target);
    print_member("path", head->path);
    print_member("authority", head->authority);
    printf("\"minor\": %u, \"keep_alive\": %s, \"upgrade\": %s, \"fields\": [", head->minor,
           head->keep_alive ? "true" : "false", head->upgrade ? "true" : "false");
    for (size_t i = 0; i < head->field_count; i++) {
        fputs(i ? ", [" : "[", stdout);
        print_hex(head->fields[i].name);
        fputs(", ", stdout);
        print_hex(head->fields[i].value);
        putchar(']');
    }
    fputs("]}, ", stdout);
}

/* The result of bolt_http1_next that ended the first message: BOLT_OK after END. */
static int read_message(struct bolt_http1 *parser, struct bolt_slice in, size_t *taken, bool *has_head,
                        struct bolt_buf *content, struct bolt_errinfo *info)
{
    static struct bolt_http1_head head;
    for (;;) {
        enum bolt_http1_event event;
        struct bolt_slice data;
        size_t consumed;
        int err = bolt_http1_next(parser, in.ptr + *taken, in.len - *taken, &consumed, &event, &head, &data, info);
        *taken += consumed;
        if (err || event == BOLT_HTTP1_END)
            return err;
        if (event == BOLT_HTTP1_HEAD) {
            print_head(&head);
            *has_head = true;
        } else if (bolt_buf_put(content, data.ptr, data.len)) {
            abort();
        }
    }
}

static void print_message(struct bolt_slice in)
{
    struct bolt_http1 *parser = bolt_http1_new(&BOLT_HTTP1_LIMITS_DEFAULT);
    struct bolt_buf content = {0};
    struct bolt_errinfo info = {0};
    size_t taken = 0;
    bool has_head = false;
    if (!parser)
        abort();
    putchar('{');
    int err = read_message(parser, in, &taken, &has_head, &content, &info);
    if (!has_head)
        fputs("\"head\": null, ", stdout);
    printf("\"outcome\": \"%s\", ", !err ? "complete" : err == BOLT_AGAIN ? "incomplete" : "refused");
    if (err && err != BOLT_AGAIN)
        printf("\"status\": %d, \"error\": \"%s\", ", bolt_http1_status(err), info.text);
    print_member("content", bolt_slice_of(content.ptr ? content.ptr : "", content.len));
    printf("\"consumed\": %zu}\n", taken);
    bolt_buf_clear(&content);
    bolt_http1_free(parser);
}

int main(void)
{
    unsigned char prefix[4];
    while (fread(prefix, 1, sizeof(prefix), stdin) == sizeof(prefix)) {
        size_t len = prefix[0] | (size_t)prefix[1] << 8 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 24;
        char *in = malloc(len ? len : 1);
        if (!in || fread(in, 1, len, stdin) != len) {
            fputs("http1_events: truncated input\n", stderr);
            return 1;
        }
        print_message(bolt_slice_of(in, len));
        free(in);
    }
    return 0;
}
