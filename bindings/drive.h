/* SPDX-License-Identifier: MIT */
/* drive.h - runs requests in workers, so that sync code in them may wait.
 *
 * Everything that may run a handler enters through here, from the loop's callbacks (the hub): a batch of ready sockets,
 * follow-up work of the engine, the next step of a suspended request. When a handler waits inside sync code, its
 * worker is *captured*: the request's task keeps it, and the hub goes on with what is left in a fresh worker.
 * Called inside a worker these functions just run.
 */
#ifndef BOLT_PY_DRIVE_H
#define BOLT_PY_DRIVE_H

#include <Python.h>

#include "server_type.h"

/* A loop callback of the server: bolt_server_run(), then whatever it left queued. Events handled, or BOLT_ERR_OS. */
int bolt_py_drive_ready(struct bolt_py_server *server);
/* Queued work of the engine only. */
void bolt_py_drive_pending(struct bolt_py_server *server);
/* The next step of a promoted task, in its Context (entered by the caller). `exc` is stolen and may be NULL. */
void bolt_py_drive_step(PyObject *task, PyObject *exc);
/* Continues the worker that a task was captured in. `exc` is stolen and may be NULL. */
void bolt_py_drive_resume(PyObject *task, PyObject *exc);

#endif
