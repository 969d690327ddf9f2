/* SPDX-License-Identifier: MIT */
/* dispatch.c - the life of a request above the engine.
 *
 *      on_request: acquire the spare task, copy and enter a Context
 *        bind -> call the handler -> (coroutine) first step
 *      settle: suspended            -> park; task_step.c calls settle again after each further step
 *              result               -> respond; when hooks.finalize gives a coroutine: step it, settle again
 *              exception            -> hooks.handle_exception -> respond
 *              nothing works        -> the built-in 500, cause to sys.unraisablehook
 *      finish: detach the Request, end the exchange, release or complete the task
 *
 * Everything of a request that must survive a suspension is in its struct bolt_py_task, never on the C stack.
 * KeyboardInterrupt and SystemExit are answered with the built-in 500 and raised into the loop, as asyncio
 * does for its tasks. After a disconnect nothing is encoded any more, but the handler still runs to its end.
 */
#include "dispatch.h"

#include "compat.h"
#include "request.h"
#include "respond.h"
#include "server_type.h"
#include "task.h"

#define STACK_ARGS 16

/* How the exchange ends. */
enum ending {
    END_WRITTEN,   /* the response is in the output buffer */
    END_UNMATCHED, /* the engine answers what routing decided */
    END_ERROR,     /* the engine answers a plain 500 */
    END_ABORT,     /* no response: the peer is gone */
};

static void end_exchange(struct bolt_py_task *task, enum ending ending)
{
    struct bolt_exchange *exchange = task->exchange;
    if (task->request) {
        bolt_py_request_detach(task->request);
        Py_CLEAR(task->request);
    }
    task->exchange = NULL;
    exchange->app_data = NULL;
    switch (ending) {
    case END_WRITTEN:
        bolt_exchange_done(exchange, false);
        break;
    case END_UNMATCHED:
        bolt_exchange_reply_unmatched(exchange);
        break;
    case END_ERROR:
        bolt_exchange_reply_simple(exchange, 500, BOLT_SLICE_LIT("Internal Server Error"), BOLT_SLICE_LIT(""));
        break;
    case END_ABORT:
        bolt_exchange_done(exchange, true);
        break;
    }
}

/* `value` or `exc` is stolen; the other one is NULL. */
static void finish(PyObject *self, enum ending ending, PyObject *value, PyObject *exc)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    end_exchange(task, ending);
    if (task->promoted)
        bolt_py_task_complete(self, value, exc);
    else
        bolt_py_task_release(self, value, exc);
    Py_XDECREF(value);
    Py_XDECREF(exc);
}

static bool is_interrupt(PyObject *exc)
{
    return PyErr_GivenExceptionMatches(exc, PyExc_KeyboardInterrupt) ||
           PyErr_GivenExceptionMatches(exc, PyExc_SystemExit);
}

/* hooks.handle_exception or what it returned failed: reports that failure, with `exc` as its context. */
static void report_hook_failure(struct bolt_py_task *task, PyObject *exc)
{
    PyObject *failure = PyErr_GetRaisedException();
    PyObject *context = PyException_GetContext(failure);
    if (!context && failure != exc)
        PyException_SetContext(failure, Py_NewRef(exc));
    Py_XDECREF(context);
    PyErr_SetRaisedException(failure);
    bolt_py_server_report(task->server, task->server->app->handle_exception);
}

/* Ends the request with the exception that is set. */
static void fail(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    PyObject *exc = PyErr_GetRaisedException();
    enum ending ending = END_WRITTEN;
    if (is_interrupt(exc)) {
        bolt_py_server_interrupt(task->server, exc);
        ending = END_ERROR;
    } else if (task->exchange->disconnected && PyErr_GivenExceptionMatches(exc, task->server->state->CancelledError)) {
        ending = END_ABORT;
    } else if (PyErr_GivenExceptionMatches(exc, task->server->state->GreenletExit)) {
        ending = END_ABORT; /* its worker was ended: the loop is closed */
    } else if (bolt_py_respond_exception(task, exc) < 0) {
        report_hook_failure(task, exc);
        ending = END_ERROR;
    }
    finish(self, ending, NULL, exc);
}

/* Answers with what the current coroutine (or sync handler) returned. 0 answered, 1 *tail has to run first, -1 an
 * exception is set. */
static int answer(struct bolt_py_task *task, PyObject *value, PyObject **tail)
{
    if (task->exchange->disconnected)
        return 0;
    if (task->finalizing)
        return bolt_py_respond_raw(task, value);
    if (bolt_py_respond_result(task, value, tail) < 0)
        return -1;
    return *tail ? 1 : 0;
}

void bolt_py_dispatch_settle(PyObject *self, PySendResult outcome, PyObject *value)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    for (;;) {
        if (outcome == PYGEN_NEXT) {
            if (bolt_py_task_park(self, value) == 0)
                return;
            outcome = PYGEN_ERROR;
        }
        if (outcome == PYGEN_ERROR) {
            fail(self);
            return;
        }
        PyObject *tail = NULL;
        int answered = answer(task, value, &tail);
        if (answered == 0) {
            finish(self, task->exchange->disconnected ? END_ABORT : END_WRITTEN, value, NULL);
            return;
        }
        Py_DECREF(value);
        if (answered < 0) {
            outcome = PYGEN_ERROR;
        } else {
            task->finalizing = true;
            outcome = bolt_py_task_start(self, tail, &value);
        }
    }
}

/* Binds the arguments and calls the handler: its result or coroutine, or NULL with an exception. */
static PyObject *call_handler(struct bolt_py_task *task)
{
    const struct bolt_py_route *route = task->route;
    PyObject *on_stack[STACK_ARGS + 1];
    PyObject **storage = on_stack;
    if (route->nargs > STACK_ARGS && !(storage = PyMem_New(PyObject *, (size_t)route->nargs + 1)))
        return PyErr_NoMemory();
    PyObject **args = storage + 1; /* the slot before is for PY_VECTORCALL_ARGUMENTS_OFFSET */
    PyObject *result = NULL;
    if (route->nargs == 0 || bolt_py_bind(route->binder, task->exchange, task->request, args) == 0) {
        size_t nargsf = (size_t)route->npositional | PY_VECTORCALL_ARGUMENTS_OFFSET;
        result = PyObject_Vectorcall(route->handler, args, nargsf, route->kwnames);
        for (Py_ssize_t i = 0; i < route->nargs; i++)
            Py_DECREF(args[i]);
    }
    if (storage != on_stack)
        PyMem_Free(storage);
    return result;
}

static bool is_awaitable(const struct bolt_py_route *route, PyObject *result)
{
    if (BOLT_LIKELY(PyCoro_CheckExact(result)))
        return true;
    PyAsyncMethods *methods = Py_TYPE(result)->tp_as_async;
    return route->is_async && methods && methods->am_await;
}

static PySendResult run_handler(PyObject *self, PyObject **value)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (task->route->wants_request && !bolt_py_task_request(task))
        return PYGEN_ERROR;
    PyObject *result = call_handler(task);
    if (!result)
        return PYGEN_ERROR;
    if (is_awaitable(task->route, result))
        return bolt_py_task_start(self, result, value);
    *value = result;
    return PYGEN_RETURN;
}

/* 404 and 405 with a custom error format. */
static void run_unmatched(PyObject *self)
{
    int written = bolt_py_respond_unmatched(bolt_py_task_of(self));
    if (written < 0)
        fail(self);
    else
        finish(self, written ? END_WRITTEN : END_UNMATCHED, Py_NewRef(Py_None), NULL);
}

static void run_in_context(PyObject *self, PyObject *context)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (PyContext_Enter(context) < 0) {
        fail(self);
        return;
    }
    if (task->route) {
        PyObject *value = NULL;
        PySendResult outcome = run_handler(self, &value);
        bolt_py_dispatch_settle(self, outcome, value);
    } else {
        run_unmatched(self);
    }
    if (PyContext_Exit(context) < 0)
        PyErr_WriteUnraisable(context);
}

void bolt_py_dispatch_request(void *ctx, struct bolt_exchange *exchange)
{
    struct bolt_py_server *server = ctx;
    if (server->closing) { /* a captured worker comes back to a queue that nobody serves any more */
        bolt_exchange_done(exchange, true);
        return;
    }
    bool found = exchange->match.kind == BOLT_ROUTE_FOUND;
    bool is_error = exchange->match.kind == BOLT_ROUTE_NOT_FOUND || exchange->match.kind == BOLT_ROUTE_NOT_ALLOWED;
    if (!found && !(is_error && server->app->custom_errors)) {
        bolt_exchange_reply_unmatched(exchange);
        return;
    }
    PyObject *context = PyContext_Copy(server->base_context);
    PyObject *self = context ? bolt_py_task_acquire(server) : NULL;
    if (!self) {
        bolt_py_server_report(server, (PyObject *)server);
        Py_XDECREF(context);
        bolt_exchange_reply_simple(exchange, 500, BOLT_SLICE_LIT("Internal Server Error"), BOLT_SLICE_LIT(""));
        return;
    }
    struct bolt_py_task *task = bolt_py_task_of(self);
    task->exchange = exchange;
    task->route = found ? exchange->match.route : NULL;
    task->context = Py_NewRef(context);
    run_in_context(self, context);
    Py_DECREF(context);
    if (!server->spare) /* it was promoted or retired */
        bolt_py_task_leave(server);
    assert(!PyErr_Occurred());
}

void bolt_py_dispatch_disconnect(void *ctx, struct bolt_exchange *exchange)
{
    struct bolt_py_server *server = ctx;
    PyObject *self = exchange->app_data;
    if (!self || server->closing)
        return;
    const struct bolt_py_task *task = bolt_py_task_of(self);
    if (!task->coro || !task->route->cancel_on_disconnect) /* sync code that waits is not prepared for it */
        return;
    Py_INCREF(self);
    if (bolt_py_task_cancel(self, NULL) < 0)
        PyErr_WriteUnraisable(self);
    Py_DECREF(self);
}
