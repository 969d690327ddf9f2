/* SPDX-License-Identifier: MIT */
/* drive.c - see drive.h.
 *
 *   hub                                   worker 1                       worker 2
 *   on_ready: run(batch) ---------------> request A: handler waits
 *   capture: A's task keeps worker 1 <---
 *   still queued: run(batch) -----------------------------------------> requests B, C ... done
 *   (the loop runs; what A waits for is done)
 *   wakeup(A): resume -------------------> handler goes on, responds
 *                                          goes on with queued requests, done
 *
 * Invariants
 *  1. The request that a worker suspends in is server->current at that moment: dispatch and steps enter their task before
 *     any code of the request runs.
 *  2. While a worker is suspended its task is no longer current, so the hub may run other tasks.
 *  3. The Context of a captured request may still be entered, hence wake-ups for workers run in server->wake_context.
 */
#include "drive.h"

#include "compat.h"
#include "green.h"
#include "task.h"
#include "task_step.h"

/* ---- jobs ---- */

static void run_batch(struct bolt_py_state *state, void *arg)
{
    (void)state;
    bolt_py_server_run_engine(arg);
}

static void run_pending(struct bolt_py_state *state, void *arg)
{
    (void)state;
    bolt_py_server_run_queue(arg);
}

static void run_step(struct bolt_py_state *state, void *arg)
{
    (void)state;
    bolt_py_task_step(arg);
}

/* ---- capture and resume ---- */

/* The running request waits for `future` (stolen) in `worker` (stolen). NULL when its task is parked; else the
 * exception to throw where it waits. */
static PyObject *capture(struct bolt_py_server *server, PyObject *worker, PyObject *future)
{
    PyObject *self = Py_XNewRef(server->current);
    if (!self) {
        Py_DECREF(future);
        PyErr_SetString(PyExc_RuntimeError, "this code runs outside any request and cannot wait");
        return PyErr_GetRaisedException();
    }
    struct bolt_py_task *task = bolt_py_task_of(self);
    bolt_py_task_leave(server);
    task->worker = worker;
    bool first = !task->promoted;
    PyObject *exc = NULL;
    if (bolt_py_task_park(self, future) < 0) {
        exc = PyErr_GetRaisedException();
        task->worker = NULL;
        if (bolt_py_task_enter(self) < 0)
            PyErr_WriteUnraisable(self);
    } else if (first && task->exchange) {
        bolt_exchange_suspended(task->exchange);
    }
    Py_DECREF(self);
    return exc;
}

/* Deals with how a worker came back to the hub. `worker` is stolen, or NULL when it is idle again. */
static void came_back(struct bolt_py_server *server, enum bolt_py_green_status status, PyObject *worker,
                      PyObject *future)
{
    while (status == BOLT_PY_GREEN_WAITING) {
        PyObject *exc = capture(server, worker, future);
        if (!exc)
            return;
        status = bolt_py_green_resume(server->state, worker, exc, &future);
        Py_DECREF(exc);
    }
    if (status == BOLT_PY_GREEN_FAILED)
        PyErr_WriteUnraisable((PyObject *)server);
    Py_XDECREF(worker);
}

static void run_in_worker(struct bolt_py_server *server, bolt_py_green_fn job, void *arg, bool share_context)
{
    PyObject *worker = NULL, *future = NULL;
    enum bolt_py_green_status status = bolt_py_green_run(server->state, job, arg, share_context, &worker, &future);
    came_back(server, status, worker, future);
}

/* What captured workers left in the engine's queue. */
static void drain_queue(struct bolt_py_server *server)
{
    while (!server->closing && server->engine && bolt_server_has_pending(server->engine))
        run_in_worker(server, run_pending, server, false);
}

/* ---- entry points ---- */

int bolt_py_drive_ready(struct bolt_py_server *server)
{
    Py_INCREF(server);
    server->handled = 0;
    run_in_worker(server, run_batch, server, false);
    drain_queue(server);
    int handled = server->handled;
    Py_DECREF(server);
    return handled;
}

void bolt_py_drive_pending(struct bolt_py_server *server)
{
    if (bolt_py_green_is_worker(server->state))
        bolt_py_server_run_queue(server);
    else
        drain_queue(server);
}

void bolt_py_drive_step(PyObject *self, PyObject *exc)
{
    struct bolt_py_server *server = (struct bolt_py_server *)Py_NewRef(bolt_py_task_of(self)->server);
    Py_XSETREF(bolt_py_task_of(self)->error, exc);
    run_in_worker(server, run_step, self, true);
    drain_queue(server);
    Py_DECREF(server);
}

void bolt_py_drive_resume(PyObject *self, PyObject *exc)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    struct bolt_py_server *server = (struct bolt_py_server *)Py_NewRef(task->server);
    PyObject *worker = task->worker, *future = NULL;
    task->worker = NULL;
    Py_CLEAR(task->waiter);
    PyObject *thrown = bolt_py_task_take_cancellation(task, exc);
    if (!thrown && PyErr_Occurred())
        thrown = PyErr_GetRaisedException();
    if (bolt_py_task_enter(self) < 0)
        PyErr_WriteUnraisable(self); /* current_task() is wrong until it waits again; the request goes on */
    enum bolt_py_green_status status = bolt_py_green_resume(server->state, worker, thrown, &future);
    Py_XDECREF(thrown);
    came_back(server, status, worker, future);
    drain_queue(server);
    Py_DECREF(server);
}
