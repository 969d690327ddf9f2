/* SPDX-License-Identifier: MIT */
/* dispatch.h - a routed exchange to handler, result and response. */
#ifndef BOLT_PY_DISPATCH_H
#define BOLT_PY_DISPATCH_H

#include <Python.h>

#include "bolt/server.h"

/* Callbacks of struct bolt_server_app; `ctx` is the struct bolt_py_server. */
void bolt_py_dispatch_request(void *ctx, struct bolt_exchange *exchange);
void bolt_py_dispatch_disconnect(void *ctx, struct bolt_exchange *exchange);

/* Goes on from the outcome of a step (as PyIter_Send: `value` is stolen, or an exception is set): parks the task,
 * runs the finalizing coroutine, or answers and ends the request. The reference that bolt_py_task_acquire() gave is used
 * up; a promoted task is its server's. Never leaves an exception set. */
void bolt_py_dispatch_settle(PyObject *task, PySendResult outcome, PyObject *value);

#endif
