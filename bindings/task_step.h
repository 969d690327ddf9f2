/* SPDX-License-Identifier: MIT */
/* task_step.h - one step of a suspended request, for drive.c. */
#ifndef BOLT_PY_TASK_STEP_H
#define BOLT_PY_TASK_STEP_H

#include <Python.h>

#include "task.h"

/* Steps the coroutine of a promoted task, throwing task->error if set, and deals with the outcome. Inside a worker that
 * shares the task's Context. */
void bolt_py_task_step(PyObject *task);
/* What the next step throws: `exc` (stolen, may be NULL), or CancelledError when one is due. NULL with no exception
 * set: nothing; NULL with an exception set: CancelledError could not be made. */
PyObject *bolt_py_task_take_cancellation(struct bolt_py_task *task, PyObject *exc);

#endif
