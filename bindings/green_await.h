/* SPDX-License-Identifier: MIT */
/* green_await.h - awaitables that run code in a worker. */
#ifndef BOLT_PY_GREEN_AWAIT_H
#define BOLT_PY_GREEN_AWAIT_H

#include "green.h"

int bolt_py_green_await_add(PyObject *module, struct bolt_py_state *state);

/* New reference: awaitable of fn(*args, **kwargs). `args` is a tuple, `kwargs` a dict or NULL. */
PyObject *bolt_py_spawn_new(struct bolt_py_state *state, PyObject *fn, PyObject *args, PyObject *kwargs);
/* New reference: a coroutine-like object that steps `coro` in workers. */
PyObject *bolt_py_driven_new(struct bolt_py_state *state, PyObject *coro);

#endif
