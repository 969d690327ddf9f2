/* SPDX-License-Identifier: MIT */
/* task_step.c - how a RequestTask suspends and continues.
 *
 * A coroutine that suspends yields either a future (one whose _asyncio_future_blocking is true) or None. The rules
 * are those of asyncio.Task.__step, step by step: a future gets our wake-up as done callback, None means "next
 * iteration of the loop", anything else is a RuntimeError thrown into the coroutine at its next step. Every
 * continuation runs in the request's own Context, which call_soon and add_done_callback enter for us.
 *
 * One bound callable per task serves all its continuations: called with a future it is a done callback, called
 * without argument it is a step the loop was asked for.
 */
#include "task.h"

#include "compat.h"
#include "coro.h"
#include "dispatch.h"
#include "drive.h"
#include "server_type.h"
#include "task_step.h"

PyObject *bolt_py_task_take_cancellation(struct bolt_py_task *task, PyObject *exc)
{
    PyObject *cancelled_error = task->server->state->CancelledError;
    if (!task->must_cancel)
        return exc;
    task->must_cancel = false;
    if (exc && PyErr_GivenExceptionMatches(exc, cancelled_error))
        return exc;
    Py_XDECREF(exc);
    if (!task->cancel_message)
        return PyObject_CallNoArgs(cancelled_error);
    return PyObject_CallOneArg(cancelled_error, task->cancel_message);
}

static PySendResult advance(struct bolt_py_task *task, PyObject *exc, PyObject **value)
{
    PyObject *thrown = bolt_py_task_take_cancellation(task, exc);
    if (!thrown && PyErr_Occurred())
        return PYGEN_ERROR;
    return bolt_py_send_or_throw(task->coro, thrown, value);
}

void bolt_py_task_step(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    PyObject *exc = task->error;
    task->error = NULL;
    struct bolt_py_server *server = (struct bolt_py_server *)Py_NewRef(task->server);
    PyObject *value = NULL;
    Py_INCREF(self);
    Py_CLEAR(task->waiter);
    if (bolt_py_task_enter(self) < 0)
        PyErr_WriteUnraisable(self); /* current_task() is wrong for this step; the request goes on */
    PySendResult outcome = advance(task, exc, &value);
    bolt_py_dispatch_settle(self, outcome, value);
    bolt_py_task_leave(server);
    Py_DECREF(self);
    bolt_py_server_run_queue(server);
    Py_DECREF(server);
}

/* Why the request continues: the exception of the future it waited for, or one kept for this step. NULL: no exception. */
static PyObject *wakeup_exception(struct bolt_py_task *task, PyObject *future)
{
    if (!future) {
        PyObject *error = task->error;
        task->error = NULL;
        return error;
    }
    PyObject *result = PyObject_CallMethodNoArgs(future, task->server->state->str_result);
    if (!result)
        return PyErr_GetRaisedException();
    Py_DECREF(result);
    return NULL;
}

static PyObject *wakeup(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (task->finished || (!task->coro && !task->worker)) /* it was under way when the request ended */
        Py_RETURN_NONE;
    struct bolt_py_server *server = (struct bolt_py_server *)Py_NewRef(task->server);
    PyObject *exc = wakeup_exception(task, nargs ? args[0] : NULL);
    Py_INCREF(self);
    if (task->worker)
        bolt_py_drive_resume(self, exc);
    else
        bolt_py_drive_step(self, exc);
    Py_DECREF(self);
    int err = bolt_py_server_raise_interrupt(server);
    Py_DECREF(server);
    if (err < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef wakeup_method = {
    "RequestTask.wakeup",
    (PyCFunction)(void (*)(void))wakeup,
    METH_FASTCALL,
    NULL,
};

/* The Context a wake-up runs in: the request's own, unless a worker waits and may still have that one entered. */
static PyObject *wakeup_context(const struct bolt_py_task *task)
{
    return task->worker ? task->server->wake_context : task->context;
}

/* loop.call_soon(wakeup, context=context) */
static int schedule(struct bolt_py_task *task)
{
    struct bolt_py_server *server = task->server;
    PyObject *args[] = {task->wakeup, wakeup_context(task)};
    PyObject *handle = PyObject_Vectorcall(server->call_soon, args, 1, server->state->kwnames_context);
    Py_XDECREF(handle);
    return handle ? 0 : -1;
}

/* The next step throws the exception that is set now. */
static int schedule_error(struct bolt_py_task *task)
{
    Py_XSETREF(task->error, PyErr_GetRaisedException());
    return schedule(task);
}

/* The loop of a future, by the two ways asyncio knows. New reference. */
static PyObject *loop_of(struct bolt_py_state *state, PyObject *future)
{
    PyObject *get_loop;
    int found = PyObject_GetOptionalAttr(future, state->str_get_loop, &get_loop);
    if (found < 0)
        return NULL;
    if (!found)
        return PyObject_GetAttr(future, state->str_loop);
    PyObject *loop = PyObject_CallNoArgs(get_loop);
    Py_DECREF(get_loop);
    return loop;
}

/* future._asyncio_future_blocking: 1 true, 0 false, -1 exception, -2 not a future. */
static int future_blocking(struct bolt_py_state *state, PyObject *future)
{
    PyObject *blocking;
    int found = PyObject_GetOptionalAttr(future, state->str_asyncio_future_blocking, &blocking);
    if (found < 0)
        return -1;
    if (!found)
        return -2;
    int truth = blocking == Py_None ? -2 : PyObject_IsTrue(blocking);
    Py_DECREF(blocking);
    return truth;
}

static int check_loop(PyObject *self, PyObject *future)
{
    struct bolt_py_server *server = bolt_py_task_of(self)->server;
    PyObject *loop = loop_of(server->state, future);
    if (!loop)
        return -1;
    bool same = loop == server->loop;
    Py_DECREF(loop);
    if (!same)
        PyErr_Format(PyExc_RuntimeError, "Task %R got Future %R attached to a different loop", self, future);
    return same ? 0 : -1;
}

/* Registers the wake-up. After a failure the future does not know the task. */
static int attach(struct bolt_py_task *task, PyObject *future)
{
    struct bolt_py_state *state = task->server->state;
    if (PyObject_SetAttr(future, state->str_asyncio_future_blocking, Py_False) < 0)
        return -1;
    PyObject *args[] = {future, task->wakeup, wakeup_context(task)};
    PyObject *result = PyObject_VectorcallMethod(state->str_add_done_callback, args, 2, state->kwnames_context);
    if (!result)
        return -1;
    Py_DECREF(result);
    Py_XSETREF(task->waiter, Py_NewRef(future));
    if (!task->must_cancel)
        return 0;
    int cancelled = bolt_py_task_cancel_waiter(state, future, task->cancel_message);
    if (cancelled > 0)
        task->must_cancel = false;
    else if (cancelled < 0)
        PyErr_WriteUnraisable(future); /* the next step throws CancelledError instead */
    return 0;
}

static int wait_for(PyObject *self, PyObject *future)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    int blocking = future_blocking(task->server->state, future);
    if (blocking == -1)
        return schedule_error(task);
    if (blocking == -2)
        PyErr_Format(PyExc_RuntimeError, "Task got bad yield: %R", future);
    else if (!blocking)
        PyErr_Format(PyExc_RuntimeError, "yield was used instead of yield from in task %R with %R", self, future);
    else if (future == self)
        PyErr_Format(PyExc_RuntimeError, "Task cannot await on itself: %R", self);
    else if (check_loop(self, future) == 0 && attach(task, future) == 0)
        return 0;
    return schedule_error(task);
}

/* The spare becomes the request's own task; the reference that bolt_py_task_acquire() gave goes to the list. */
static int promote(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    struct bolt_py_server *server = task->server;
    task->wakeup = PyCFunction_New(&wakeup_method, self);
    if (!task->wakeup)
        return -1;
    PyObject *registered = PyObject_CallOneArg(server->state->register_task, self);
    if (!registered)
        return -1;
    Py_DECREF(registered);
    task->promoted = true;
    task->exchange->app_data = self;
    task->prev = server->last;
    if (server->last)
        bolt_py_task_of(server->last)->next = self;
    else
        server->first = self;
    server->last = self;
    server->promoted++;
    return 0;
}

int bolt_py_task_park(PyObject *self, PyObject *yielded)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    int err = task->promoted ? 0 : promote(self);
    if (err == 0)
        err = yielded == Py_None ? schedule(task) : wait_for(self, yielded);
    Py_DECREF(yielded);
    return err;
}

PySendResult bolt_py_task_start(PyObject *self, PyObject *awaitable, PyObject **value)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    PyObject *iterator = bolt_py_awaitable_iter(awaitable);
    Py_DECREF(awaitable);
    if (!iterator)
        return PYGEN_ERROR;
    Py_XSETREF(task->coro, iterator);
    return PyIter_Send(iterator, Py_None, value);
}
