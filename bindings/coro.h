/* SPDX-License-Identifier: MIT */
/* coro.h - the coroutine protocol from C: sending, throwing, StopIteration values, exceptions as objects. */
#ifndef BOLT_PY_CORO_H
#define BOLT_PY_CORO_H

#include <Python.h>
#include <stdbool.h>

/* An exception instance from throw()'s arguments: an instance, or a class and an optional value. New reference. */
PyObject *bolt_py_exception_from(PyObject *type_or_exc, PyObject *value);

/* The indicator is StopIteration: its value (new reference), cleared, 0. Anything else: stays set, -1. */
int bolt_py_stop_iteration_value(PyObject **value);
/* Raises StopIteration(value), tuples and exceptions included. */
void bolt_py_stop_iteration_set(PyObject *value);

/* awaitable.__await__() or the coroutine itself: something to send into. New reference. */
PyObject *bolt_py_awaitable_iter(PyObject *awaitable);
/* Sends None, or throws `exc` (stolen, may be NULL). */
PySendResult bolt_py_send_or_throw(PyObject *iterator, PyObject *exc, PyObject **result);

/* The running code's contextvars Context (borrowed), NULL when it has none yet. */
PyObject *bolt_py_context_borrow(void);
/* Exchanges the current greenlet's Context (may be NULL) with *context; references travel along. */
void bolt_py_context_swap(PyObject **context);

#endif
