/* SPDX-License-Identifier: MIT */
/* respond.h - results, raw responses and exceptions to octets in the exchange's output buffer. */
#ifndef BOLT_PY_RESPOND_H
#define BOLT_PY_RESPOND_H

#include <Python.h>

#include "bolt/server.h"

struct bolt_py_server;
struct bolt_py_task;

/* A response head up to "content-length: ", valid for one second of the stamp. */
struct bolt_py_head {
    int64_t unix_s;
    int status;
    uint16_t len; /* 0: empty slot */
    char text[250];
};

#define BOLT_PY_HEAD_SLOTS 8 /* indexed by status % 8, JSON content only */

/* Writes the response for a handler's `value` (borrowed). When a coroutine has to run first, nothing is written and
 * *tail is that coroutine (new reference); its result goes to bolt_py_respond_raw(). -1 with an exception and
 * nothing written. */
int bolt_py_respond_result(struct bolt_py_task *task, PyObject *value, PyObject **tail);

/* Writes a RawResponse (status, header pairs, content). -1 with an exception and nothing written. */
int bolt_py_respond_raw(struct bolt_py_task *task, PyObject *raw);

/* Asks hooks.handle_exception and writes its answer; `exc` is borrowed. -1 with an exception, nothing written. */
int bolt_py_respond_exception(struct bolt_py_task *task, PyObject *exc);

/* Asks hooks.handle_unmatched: 1 written, 0 the built-in answer is wanted, -1 with an exception. */
int bolt_py_respond_unmatched(struct bolt_py_task *task);

#endif
