/* SPDX-License-Identifier: MIT */
/* task.h - RequestTask: the asyncio.Task that a request is to everyone who looks.
 *
 * A request needs a task only when somebody looks (current_task(), timeout(), cancel scopes) or when its
 * coroutine suspends. So each server keeps one *spare* task, entered as the loop's current task while requests
 * are started and reused from request to request as long as nobody kept or touched it. When the coroutine suspends,
 * the spare *becomes* the request's task for good (it is promoted), so what current_task() returned before the first
 * await is the same object afterwards.
 *
 *      spare --acquire--> in use --release--> spare         nobody noticed
 *                           |  \--release--> finished       somebody kept or touched it
 *                           \--park (promote)--> pending --step--> ... --complete--> finished
 *
 * Invariants
 *  1. `exchange` is non-NULL exactly from acquire to the end of the response.
 *  2. A promoted task is in its server's list (a strong reference) until it completes; nothing else
 *     keeps a request alive, as asyncio keeps only weak references to tasks.
 *  3. At most one task per server is the loop's current task: while code of its request runs, and no longer than until
 *     the engine is left or the worker is captured (drive.h).
 *  4. The Future part (state, result, callbacks) is only ever changed through asyncio.Future's own methods; the
 *     fields that asyncio.Task would add stay unused, and every method that reads them is overridden.
 */
#ifndef BOLT_PY_TASK_H
#define BOLT_PY_TASK_H

#include <Python.h>

#include "bolt/server.h"
#include "route.h"
#include "state.h"

struct bolt_py_server;

/* What a RequestTask adds after asyncio.Task's own struct, whose size is only known at run time. */
struct bolt_py_task {
    struct bolt_py_server *server; /* strong */
    struct bolt_exchange *exchange;
    struct bolt_py_route *route; /* the server's App owns it; NULL: no route matched */
    PyObject *request;           /* Request object, when somebody needed one */
    PyObject *coro;              /* handler's coroutine, later that of hooks.finalize; NULL in sync handlers */
    PyObject *context;
    PyObject *worker;         /* suspended in sync code of this request; NULL: none */
    PyObject *waiter;         /* future the coroutine waits for */
    PyObject *wakeup;         /* bound callable given to futures and the loop, made at the first suspension */
    PyObject *error;          /* exception to throw at the next step */
    PyObject *cancel_message; /* NULL: none */
    PyObject *name;
    PyObject *prev, *next; /* the server's list of promoted tasks */
    unsigned cancel_requests;
    bool must_cancel; /* throw CancelledError at the next opportunity */
    bool touched;     /* an attribute was read or written: the spare is no longer anonymous */
    bool promoted;
    bool finished;
    bool finalizing; /* `coro` produces a raw response, not a handler's result */
};

/* RequestTask has no subclasses, so its own part is the tail of the instance. */
static inline struct bolt_py_task *bolt_py_task_of(PyObject *self)
{
    return (struct bolt_py_task *)((char *)self + Py_TYPE(self)->tp_basicsize - sizeof(struct bolt_py_task));
}

int bolt_py_add_request_task(PyObject *module, struct bolt_py_state *state);

/* The spare, entered as the loop's current task, to serve one request (new reference). NULL with an exception. */
PyObject *bolt_py_task_acquire(struct bolt_py_server *server);
/* Makes `self` the loop's current task in place of the one entered before. -1 with an exception. */
int bolt_py_task_enter(PyObject *self);
/* Leaves the current task, if one is entered; errors are unraisable. */
void bolt_py_task_leave(struct bolt_py_server *server);

/* The Request object of the open exchange, made on first use (borrowed). NULL with an exception. */
PyObject *bolt_py_task_request(struct bolt_py_task *task);

/* The request is over without a suspension: the spare is reused, or finished with `value` or (value NULL) `exc`. */
void bolt_py_task_release(PyObject *self, PyObject *value, PyObject *exc);
/* The request of a promoted task is over: completes the Future part with `value` or `exc`. Never fails. */
void bolt_py_task_complete(PyObject *self, PyObject *value, PyObject *exc);

/* The coroutine yielded `yielded` (stolen): promotes the task if need be and arranges for its continuation.
 * -1 with an exception when nothing will ever continue it. */
int bolt_py_task_park(PyObject *self, PyObject *yielded);
/* Starts an awaitable (stolen) as the task's coroutine: PYGEN_NEXT, PYGEN_RETURN or PYGEN_ERROR as PyIter_Send. */
PySendResult bolt_py_task_start(PyObject *self, PyObject *awaitable, PyObject **value);

/* task.cancel(msg): 1 requested, 0 already done, -1 exception. `message` may be NULL. */
int bolt_py_task_cancel(PyObject *self, PyObject *message);
/* waiter.cancel(msg=message): 1, 0 or -1 with an exception. */
int bolt_py_task_cancel_waiter(struct bolt_py_state *state, PyObject *waiter, PyObject *message);
/* Ends a promoted task whose loop is closed: drops the coroutine and aborts the exchange. */
void bolt_py_task_abandon(PyObject *self);

#endif
