/* SPDX-License-Identifier: MIT */
/* green.c - workers: pooled greenlets that run sync code on the loop's thread.
 *
 * A worker is a greenlet subclass with a few C fields. Its greenlet's body, worker_main, is an endless loop: take the
 * job the hub has put into the fields, run it, go back to the hub. Values never travel through greenlet's
 * switch arguments; they are exchanged in the fields, so a switch allocates nothing.
 *
 * States:   IDLE --run--> RUNNING --wait--> WAITING --resume--> RUNNING --fn returns--> IDLE
 *           IDLE or WAITING --released or killed--> the greenlet ends with GreenletExit
 *
 * Invariants
 *  1. `hub` is set exactly while the worker is RUNNING: whoever entered it, and where it must go back to. A worker
 *     that runs sync code which enters another worker is that one's hub; so hubs form a stack, not a cycle.
 *  2. Only this file switches greenlets.
 *  3. A worker in the pool's idle list is referenced by that list alone.
 *  4. Nothing that another greenlet may look at lives on a C stack: job arguments are heap objects, and
 *     locals here are re-read from the worker after every switch.
 *  5. A worker's stack begins far below the frames of whoever enters it, so those stay where they are while it runs.
 *     Greenlets share one C stack, and what overlaps is copied away; but libuv (uvloop) keeps a pointer to a
 *     local of its poll function and follows it whenever code in a worker adds a reader or writer.
 */
#include "green.h"

#include <greenlet/greenlet.h>

#include "bolt/base.h"
#include "compat.h"
#include "coro.h"
#include "state.h"

#define POOL_MAX_IDLE 256
/* More than an event loop's own C frames need, and little beside a thread's 8 MiB; untouched pages cost nothing. */
#define STACK_GAP_BYTES (512 * 1024)

struct worker {
    PyGreenlet base;
    struct worker *next_idle;
    struct bolt_py_state *state; /* borrowed: the module outlives its types' instances */
    PyObject *hub;               /* strong; see invariant 1 */
    bolt_py_green_fn fn;
    void *arg;
    PyObject *future;  /* strong; from worker to hub: what it waits for */
    PyObject *exc;     /* strong; from hub to worker: to be raised at the waiting point */
    PyObject *context; /* strong; contextvars Context to start the job in, NULL for none */
    bool waiting;
};

struct bolt_py_green_pool {
    struct worker *idle;
    size_t idle_count;
};

/* ---- the pool of a thread ------------------------------------------------------------------- */

static void pool_free(struct bolt_py_green_pool *pool)
{
    while (pool->idle) {
        struct worker *worker = pool->idle;
        pool->idle = worker->next_idle;
        worker->next_idle = NULL;
        Py_DECREF(worker); /* ends the greenlet: its deallocator throws GreenletExit into worker_main */
    }
    pool->idle_count = 0;
}

static void pool_capsule_destroy(PyObject *capsule)
{
    struct bolt_py_green_pool *pool = PyCapsule_GetPointer(capsule, NULL);
    pool_free(pool);
    PyMem_Free(pool);
}

static struct bolt_py_green_pool *pool_new(struct bolt_py_state *state, PyObject *thread_dict)
{
    struct bolt_py_green_pool *pool = PyMem_Calloc(1, sizeof(*pool));
    if (!pool) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(pool, NULL, pool_capsule_destroy);
    if (!capsule) {
        PyMem_Free(pool);
        return NULL;
    }
    int err = PyDict_SetItem(thread_dict, state->str_workers_key, capsule);
    Py_DECREF(capsule);
    return err < 0 ? NULL : pool;
}

/* This thread's pool; `create` makes it. NULL without an exception when it does not exist and create is false. */
static struct bolt_py_green_pool *pool_of_thread(struct bolt_py_state *state, bool create)
{
    uint64_t thread = PyThreadState_GetID(PyThreadState_Get());
    if (BOLT_LIKELY(state->green.pool && state->green.pool_thread == thread))
        return state->green.pool;
    PyObject *dict = PyThreadState_GetDict();
    if (!dict) {
        if (create)
            PyErr_SetString(PyExc_RuntimeError, "no thread state to keep workers in");
        return NULL;
    }
    PyObject *capsule = PyDict_GetItemWithError(dict, state->str_workers_key);
    struct bolt_py_green_pool *pool = NULL;
    if (capsule)
        pool = PyCapsule_GetPointer(capsule, NULL);
    else if (!PyErr_Occurred() && create)
        pool = pool_new(state, dict);
    if (pool) {
        state->green.pool = pool;
        state->green.pool_thread = thread;
    }
    return pool;
}

void bolt_py_green_drain_pool(struct bolt_py_state *state)
{
    struct bolt_py_green_pool *pool = pool_of_thread(state, false);
    if (pool)
        pool_free(pool);
}

/* ---- switching ------------------------------------------------------------------------------ */

/* Worker side: back to whoever entered us. 0 when entered again, -1 when killed meanwhile. */
static int leave_to_hub(struct worker *self)
{
    PyObject *hub = self->hub;
    self->hub = NULL;
    PyObject *result = PyGreenlet_Switch((PyGreenlet *)hub, NULL, NULL);
    Py_DECREF(hub);
    if (!result)
        return -1;
    Py_DECREF(result);
    return 0;
}

/* The greenlet's body. It holds no reference to its own greenlet: a suspended worker that everybody has dropped
 * must reach reference count zero, so that greenlet's deallocator ends it. */
static PyObject *worker_main(PyObject *unused_self, PyObject *unused_args)
{
    (void)unused_self;
    (void)unused_args;
    struct worker *self = (struct worker *)PyGreenlet_GetCurrent();
    if (!self)
        return NULL;
    Py_DECREF(self);
    for (;;) {
        bolt_py_context_swap(&self->context);
        self->fn(self->state, self->arg);
        self->fn = NULL;
        self->arg = NULL;
        if (!self->hub) /* killed while it waited: nobody to go back to */
            Py_RETURN_NONE;
        bolt_py_context_swap(&self->context);
        Py_CLEAR(self->context);
        if (leave_to_hub(self) < 0)
            return NULL;
    }
}

static PyMethodDef worker_main_def = {"worker_main", worker_main, METH_NOARGS, NULL};

static struct worker *worker_new(struct bolt_py_state *state)
{
    PyObject *body = PyCFunction_New(&worker_main_def, NULL);
    if (!body)
        return NULL;
    struct worker *worker = (struct worker *)PyObject_CallOneArg((PyObject *)state->Worker_type, body);
    Py_DECREF(body);
    if (worker)
        worker->state = state;
    return worker;
}

static struct worker *pool_take(struct bolt_py_state *state)
{
    struct bolt_py_green_pool *pool = pool_of_thread(state, true);
    if (!pool)
        return NULL;
    struct worker *worker = pool->idle;
    if (!worker)
        return worker_new(state);
    pool->idle = worker->next_idle;
    pool->idle_count--;
    worker->next_idle = NULL;
    return worker;
}

/* Steals the reference. */
static void pool_give(struct bolt_py_state *state, struct worker *worker)
{
    struct bolt_py_green_pool *pool = pool_of_thread(state, false);
    if (!pool || pool->idle_count >= POOL_MAX_IDLE) {
        Py_DECREF(worker);
        return;
    }
    worker->next_idle = pool->idle;
    pool->idle = worker;
    pool->idle_count++;
}

/* Hub side: enter the worker and classify how it came back. */
static enum bolt_py_green_status enter(struct worker *worker, PyObject **future)
{
    worker->hub = (PyObject *)PyGreenlet_GetCurrent();
    if (!worker->hub)
        return BOLT_PY_GREEN_FAILED;
    worker->waiting = false;
    PyObject *result = PyGreenlet_Switch(&worker->base, NULL, NULL);
    if (!result)
        return BOLT_PY_GREEN_FAILED;
    Py_DECREF(result);
    if (worker->waiting) {
        *future = worker->future;
        worker->future = NULL;
        return BOLT_PY_GREEN_WAITING;
    }
    return BOLT_PY_GREEN_DONE;
}

/* The first entry: it fixes where the worker's C stack begins, see invariant 5. */
static __attribute__((noinline)) enum bolt_py_green_status enter_below_gap(struct worker *worker, PyObject **future)
{
    volatile char gap[STACK_GAP_BYTES];
    gap[0] = gap[STACK_GAP_BYTES - 1] = 0;
    enum bolt_py_green_status status = enter(worker, future);
    gap[0] = 1; /* the frame has to stay until then: no tail call */
    return status;
}

enum bolt_py_green_status bolt_py_green_run(struct bolt_py_state *state, bolt_py_green_fn fn, void *arg,
                                            bool share_context, PyObject **worker_out, PyObject **future)
{
    struct worker *worker = pool_take(state);
    if (!worker)
        return BOLT_PY_GREEN_FAILED;
    worker->fn = fn;
    worker->arg = arg;
    worker->context = share_context ? Py_XNewRef(bolt_py_context_borrow()) : NULL;
    enum bolt_py_green_status status =
        PyGreenlet_STARTED(&worker->base) ? enter(worker, future) : enter_below_gap(worker, future);
    if (status == BOLT_PY_GREEN_WAITING)
        *worker_out = (PyObject *)worker;
    else if (status == BOLT_PY_GREEN_DONE)
        pool_give(state, worker);
    else
        Py_DECREF(worker);
    return status;
}

enum bolt_py_green_status bolt_py_green_resume(struct bolt_py_state *state, PyObject *object, PyObject *exc,
                                               PyObject **future)
{
    struct worker *worker = (struct worker *)object;
    if (!worker->waiting) {
        PyErr_SetString(PyExc_RuntimeError, "the worker to resume is not waiting");
        return BOLT_PY_GREEN_FAILED;
    }
    Py_XSETREF(worker->exc, Py_XNewRef(exc));
    enum bolt_py_green_status status = enter(worker, future);
    if (status == BOLT_PY_GREEN_DONE)
        pool_give(state, (struct worker *)Py_NewRef(worker));
    return status;
}

/* ---- inside a worker ------------------------------------------------------------------------ */

PyObject *bolt_py_green_current_borrow(struct bolt_py_state *state)
{
    PyObject *current = (PyObject *)PyGreenlet_GetCurrent();
    if (!current) {
        PyErr_Clear(); /* no greenlet for this thread yet: then it is no worker either */
        return NULL;
    }
    Py_DECREF(current); /* the running greenlet is kept alive by running */
    if (!Py_IS_TYPE(current, state->Worker_type) || !((struct worker *)current)->hub)
        return NULL;
    return current;
}

bool bolt_py_green_is_worker(struct bolt_py_state *state)
{
    return bolt_py_green_current_borrow(state) != NULL;
}

int bolt_py_green_suspend(struct bolt_py_state *state, PyObject *future)
{
    struct worker *self = (struct worker *)bolt_py_green_current_borrow(state);
    if (!self) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this code cannot wait here: it runs outside a worker. Call it from a handler, or run it with "
                        "`await django_bolt.concurrency.run(function, ...)`");
        return -1;
    }
    Py_XSETREF(self->future, Py_NewRef(future));
    self->waiting = true;
    if (leave_to_hub(self) < 0)
        return -1;
    if (self->exc) {
        PyObject *exc = self->exc;
        self->exc = NULL;
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
        Py_DECREF(exc);
        return -1;
    }
    return 0;
}

int bolt_py_green_yield(struct bolt_py_state *state)
{
    return bolt_py_green_suspend(state, Py_None);
}

static int future_is_done(struct bolt_py_state *state, PyObject *future)
{
    PyObject *done = PyObject_CallMethodNoArgs(future, state->str_done);
    if (!done)
        return -1;
    int result = PyObject_IsTrue(done);
    Py_DECREF(done);
    return result;
}

PyObject *bolt_py_green_wait(struct bolt_py_state *state, PyObject *future)
{
    int done = future_is_done(state, future);
    if (done < 0)
        return NULL;
    if (!done) {
        if (PyObject_SetAttr(future, state->str_asyncio_future_blocking, Py_True) < 0)
            return NULL;
        if (bolt_py_green_suspend(state, future) < 0)
            return NULL;
    }
    return PyObject_CallMethodNoArgs(future, state->str_result);
}

PyObject *bolt_py_green_await(struct bolt_py_state *state, PyObject *awaitable)
{
    PyObject *iterator = bolt_py_awaitable_iter(awaitable);
    if (!iterator)
        return NULL;
    PyObject *exc = NULL, *result = NULL;
    for (;;) {
        PySendResult sent = bolt_py_send_or_throw(iterator, exc, &result);
        exc = NULL;
        if (sent != PYGEN_NEXT)
            break;
        int err = bolt_py_green_suspend(state, result);
        Py_CLEAR(result);
        if (err < 0)
            exc = PyErr_GetRaisedException();
    }
    Py_DECREF(iterator);
    return result;
}

/* ---- the type ------------------------------------------------------------------------------- */

static int worker_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct worker *worker = (struct worker *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(worker->hub);
    Py_VISIT(worker->future);
    Py_VISIT(worker->exc);
    Py_VISIT(worker->context);
    return PyGreenlet_Type.tp_traverse(self, visit, arg);
}

static int worker_clear(PyObject *self)
{
    struct worker *worker = (struct worker *)self;
    Py_CLEAR(worker->future);
    Py_CLEAR(worker->exc);
    Py_CLEAR(worker->context);
    return PyGreenlet_Type.tp_clear(self);
}

/* Runs before greenlet's deallocator, which may still switch into a suspended worker to end it; nothing refills
 * these fields then, because a worker without a hub cannot wait. tp_dealloc stays the inherited one: it knows
 * how to deal with a greenlet that is resurrected meanwhile. */
static void worker_finalize(PyObject *self)
{
    struct worker *worker = (struct worker *)self;
    Py_CLEAR(worker->future);
    Py_CLEAR(worker->exc);
    Py_CLEAR(worker->context);
}

static PyType_Slot worker_slots[] = {
    {Py_tp_doc, (void *)"A pooled greenlet that runs sync code on the loop's thread (private)."},
    {Py_tp_traverse, worker_traverse},
    {Py_tp_clear, worker_clear},
    {Py_tp_finalize, worker_finalize},
    {0, NULL},
};

static PyType_Spec worker_spec = {
    .name = "django_bolt._core.Worker",
    .basicsize = sizeof(struct worker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = worker_slots,
};

int bolt_py_green_worker_add(PyObject *module, struct bolt_py_state *state)
{
    PyGreenlet_Import();
    if (!_PyGreenlet_API)
        return -1;
    PyObject *bases = PyTuple_Pack(1, (PyObject *)&PyGreenlet_Type);
    if (!bases)
        return -1;
    state->Worker_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &worker_spec, bases);
    Py_DECREF(bases);
    return state->Worker_type ? 0 : -1;
}
