/* SPDX-License-Identifier: MIT */
/* green.h - sync code that waits without blocking the event loop.
 *
 * Sync code runs in *workers*: pooled greenlets of the loop's own thread. When it must wait, it switches back to
 * the *hub* (the greenlet that entered the worker, usually the loop's) and is resumed when the awaited future is
 * done. Entering a worker costs two stack switches and no allocation.
 *
 *     hub:    run(fn, arg) ---> worker: fn(arg) ... wait(future)
 *             <--- WAITING, future
 *             (the loop runs, the future completes)
 *             resume(worker) ---> wait() returns ... fn returns
 *             <--- DONE, the worker is idle again
 *
 * Greenlets belong to a thread, so does each pool. See docs/internals/green.md.
 */
#ifndef BOLT_PY_GREEN_H
#define BOLT_PY_GREEN_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

struct bolt_py_state;

/* What the module state keeps for this part besides types and strings. */
struct bolt_py_green {
    struct bolt_py_green_pool *pool; /* of thread `pool_thread`; borrowed from a capsule in that thread's dict */
    uint64_t pool_thread;            /* PyThreadState_GetID */
};

/* Adds the types and functions; the other three are its parts, one per file. */
int bolt_py_green_add(PyObject *module, struct bolt_py_state *state);
int bolt_py_green_worker_add(PyObject *module, struct bolt_py_state *state);
int bolt_py_green_lock_add(PyObject *module, struct bolt_py_state *state);

enum bolt_py_green_status {
    BOLT_PY_GREEN_FAILED = -1, /* could not start or switch; an exception is set */
    BOLT_PY_GREEN_DONE = 0,    /* fn has returned; the worker is idle again */
    BOLT_PY_GREEN_WAITING = 1  /* *worker waits; *future is what it waits for (None: one turn of the loop) */
};

/* What a worker executes. Must leave no exception set: results travel through `arg`, which has to live on the heap
 * (the hub's C stack may be another greenlet's by the time fn continues). */
typedef void (*bolt_py_green_fn)(struct bolt_py_state *state, void *arg);

/* Runs fn(arg) in an idle worker until it is done or waits. `share_context`: the worker sees the caller's current
 * contextvars Context (else it starts without one). WAITING: *worker and *future are new references. */
enum bolt_py_green_status bolt_py_green_run(struct bolt_py_state *state, bolt_py_green_fn fn, void *arg,
                                            bool share_context, PyObject **worker, PyObject **future);

/* Continues a waiting worker. `exc` (borrowed, may be NULL) is raised where it waits. DONE and FAILED: the
 * caller's reference to the worker is still the caller's to release. */
enum bolt_py_green_status bolt_py_green_resume(struct bolt_py_state *state, PyObject *worker, PyObject *exc,
                                               PyObject **future);

/* Is the current greenlet a worker (may it wait)? */
bool bolt_py_green_is_worker(struct bolt_py_state *state);
/* The current worker or NULL (borrowed, no exception set). */
PyObject *bolt_py_green_current_borrow(struct bolt_py_state *state);

/* From inside a worker: hands `future` to the hub and returns 0 when resumed, -1 with the exception thrown in.
 * `future` is an asyncio future whose _asyncio_future_blocking flag is set, or None. Everything else below is built on it.
 * Outside a worker: RuntimeError that says what to do. */
int bolt_py_green_suspend(struct bolt_py_state *state, PyObject *future);
/* Waits for a future of the running loop; new reference to its result, or NULL with its exception. */
PyObject *bolt_py_green_wait(struct bolt_py_state *state, PyObject *future);
/* A new future of the running loop. */
PyObject *bolt_py_green_future(struct bolt_py_state *state);
/* Waits until `future` is settled, at most timeout_s seconds (it is settled then, too). 0, or -1 with an exception. */
int bolt_py_green_wait_for(struct bolt_py_state *state, PyObject *future, double timeout_s);
/* future.set_result(None) unless it is done: did it wake somebody? Never fails. */
bool bolt_py_green_settle(struct bolt_py_state *state, PyObject *future);
/* Lets everything else that is ready run first. */
int bolt_py_green_yield(struct bolt_py_state *state);
/* Runs an awaitable to its end, waiting wherever it waits. New reference to its result. */
PyObject *bolt_py_green_await(struct bolt_py_state *state, PyObject *awaitable);

/* Ends this thread's idle workers (the loop closes). */
void bolt_py_green_drain_pool(struct bolt_py_state *state);

/* A first-in first-out mutex among the workers of one thread, usable from C without a Python object's overhead.
 * Owned by the object that embeds it, which must be alive while anybody waits. */
struct bolt_py_green_lock {
    PyObject *owner;   /* the holder's greenlet (strong), NULL: free */
    PyObject *waiters; /* list of futures, NULL: none */
};
/* 0 locked; -1: cancelled while waiting, or held by another greenlet while the caller is no worker (RuntimeError). */
int bolt_py_green_lock_acquire(struct bolt_py_state *state, struct bolt_py_green_lock *lock);
/* Hands the lock to the first waiter that still waits. Never fails. */
void bolt_py_green_lock_release(struct bolt_py_state *state, struct bolt_py_green_lock *lock);
int bolt_py_green_lock_traverse(struct bolt_py_green_lock *lock, visitproc visit, void *arg);
void bolt_py_green_lock_clear(struct bolt_py_green_lock *lock);

#endif
