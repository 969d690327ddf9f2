/* SPDX-License-Identifier: MIT */
/* green_await.c - awaitables that run code in a worker: Spawn (a sync function) and Driven (a coroutine).
 *
 * Both speak the coroutine protocol, so any asyncio Task can step them: send() enters a worker; when the code in it
 * waits, send() returns the future it waits for, exactly as if a coroutine had awaited it, and the next send() or
 * throw() continues the worker. Cancellation, timeouts and contextvars thus need nothing special.
 *
 *   Spawn   one job for its whole life: fn(*args, **kwargs). Inside a worker it is a plain call.
 *   Driven  one job per step of the coroutine; between awaits it holds no worker. A task factory wraps every
 *           task's coroutine in one, which is what lets gather() children use the sync ORM.
 *
 * The job lives on the heap and is owned by the awaitable while that lives. An awaitable that is dropped while
 * its worker waits abandons the job: the worker is ended by GreenletExit and frees it on its way out.
 */
#include "green_await.h"

#include "compat.h"
#include "coro.h"
#include "state.h"

struct job {
    PyObject *target; /* Spawn: the function; Driven: the coroutine */
    PyObject *args;   /* Spawn: tuple */
    PyObject *kwargs; /* Spawn: dict or NULL */
    PyObject *thrown; /* Driven: exception to throw instead of sending None */
    PySendResult sent;
    PyObject *result;
    PyObject *exc;
    bool abandoned;
};

struct cell {
    PyObject_HEAD
    struct bolt_py_state *state; /* borrowed from the type's module, which outlives instances */
    bolt_py_green_fn run;        /* job_call or job_send */
    struct job *job;             /* NULL: finished */
    PyObject *worker;            /* while it waits */
    bool running;
};

/* ---- jobs ----------------------------------------------------------------------------------- */

static void job_free(struct job *job)
{
    if (!job)
        return;
    Py_XDECREF(job->target);
    Py_XDECREF(job->args);
    Py_XDECREF(job->kwargs);
    Py_XDECREF(job->thrown);
    Py_XDECREF(job->result);
    Py_XDECREF(job->exc);
    PyMem_Free(job);
}

static void job_settle(struct job *job, PySendResult sent, PyObject *result)
{
    job->sent = sent;
    job->result = result;
    if (sent == PYGEN_ERROR)
        job->exc = PyErr_GetRaisedException();
    if (job->abandoned)
        job_free(job);
}

static void job_call(struct bolt_py_state *state, void *arg)
{
    (void)state;
    struct job *job = arg;
    PyObject *result = PyObject_Call(job->target, job->args, job->kwargs);
    job_settle(job, result ? PYGEN_RETURN : PYGEN_ERROR, result);
}

static void job_send(struct bolt_py_state *state, void *arg)
{
    (void)state;
    struct job *job = arg;
    PyObject *thrown = job->thrown;
    job->thrown = NULL;
    PyObject *result = NULL;
    PySendResult sent = bolt_py_send_or_throw(job->target, thrown, &result);
    job_settle(job, sent, result);
}

/* ---- stepping ------------------------------------------------------------------------------- */

static void cell_finish(struct cell *self)
{
    struct job *job = self->job;
    self->job = NULL;
    job_free(job);
}

/* The job has come to rest: hand its outcome to whoever sends. */
static PySendResult cell_outcome(struct cell *self, PyObject **result)
{
    struct job *job = self->job;
    PySendResult sent = job->sent;
    *result = job->result;
    job->result = NULL;
    if (sent == PYGEN_ERROR) {
        PyObject *exc = job->exc;
        job->exc = NULL;
        PyErr_SetRaisedException(exc);
    }
    if (sent != PYGEN_NEXT)
        cell_finish(self);
    return sent;
}

static PySendResult cell_enter(struct cell *self, PyObject *exc, PyObject **result)
{
    enum bolt_py_green_status status;
    PyObject *future = NULL;
    self->running = true;
    if (self->worker)
        status = bolt_py_green_resume(self->state, self->worker, exc, &future);
    else
        status = bolt_py_green_run(self->state, self->run, self->job, true, &self->worker, &future);
    self->running = false;
    if (status == BOLT_PY_GREEN_WAITING) {
        *result = future;
        return PYGEN_NEXT;
    }
    Py_CLEAR(self->worker);
    if (status == BOLT_PY_GREEN_DONE)
        return cell_outcome(self, result);
    cell_finish(self);
    return PYGEN_ERROR;
}

/* `exc` borrowed or NULL. */
static PySendResult cell_step(struct cell *self, PyObject *exc, PyObject **result)
{
    *result = NULL;
    if (!self->job || self->running) {
        PyErr_SetString(PyExc_RuntimeError,
                        self->running ? "already executing" : "cannot reuse already awaited object");
        return PYGEN_ERROR;
    }
    if (!self->worker && self->run == job_call) {
        if (exc) { /* cancelled before the function was called */
            cell_finish(self);
            PyErr_SetRaisedException(Py_NewRef(exc));
            return PYGEN_ERROR;
        }
        if (bolt_py_green_is_worker(self->state)) { /* may wait right here */
            job_call(self->state, self->job);
            return cell_outcome(self, result);
        }
    }
    if (!self->worker && exc)
        self->job->thrown = Py_NewRef(exc);
    return cell_enter(self, exc, result);
}

static PySendResult cell_am_send(PyObject *object, PyObject *value, PyObject **result)
{
    (void)value; /* futures are read by whoever waits for them, as in asyncio */
    struct cell *self = (struct cell *)object;
    Py_INCREF(self);
    PySendResult sent = cell_step(self, NULL, result);
    Py_DECREF(self);
    return sent;
}

/* From a send result to a method's result. */
static PyObject *as_method_result(PySendResult sent, PyObject *result)
{
    if (sent == PYGEN_RETURN) {
        bolt_py_stop_iteration_set(result);
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

static PyObject *cell_send(PyObject *self, PyObject *value)
{
    PyObject *result;
    PySendResult sent = cell_am_send(self, value, &result);
    return as_method_result(sent, result);
}

static PyObject *cell_iternext(PyObject *self)
{
    return cell_send(self, Py_None);
}

/* throw(exc) and the deprecated throw(type, value, traceback). */
static PyObject *cell_throw(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    struct cell *self = (struct cell *)object;
    if (nargs < 1 || nargs > 3) {
        PyErr_SetString(PyExc_TypeError, "throw() takes an exception");
        return NULL;
    }
    PyObject *exc = bolt_py_exception_from(args[0], nargs > 1 ? args[1] : NULL);
    if (!exc)
        return NULL;
    PyObject *result;
    Py_INCREF(self);
    PySendResult sent = cell_step(self, exc, &result);
    Py_DECREF(self);
    Py_DECREF(exc);
    return as_method_result(sent, result);
}

/* Like coroutine.close(): the code that waits sees GeneratorExit and must end. */
static PyObject *cell_close(PyObject *object, PyObject *unused)
{
    (void)unused;
    struct cell *self = (struct cell *)object;
    if (!self->job)
        Py_RETURN_NONE;
    if (!self->worker) {
        PyObject *closed = Py_None;
        if (self->run == job_send)
            closed = PyObject_CallMethodNoArgs(self->job->target, self->state->str_close);
        else
            Py_INCREF(closed);
        cell_finish(self);
        return closed;
    }
    PyObject *exc = PyObject_CallNoArgs(PyExc_GeneratorExit);
    if (!exc)
        return NULL;
    PyObject *result;
    PySendResult sent = cell_step(self, exc, &result);
    Py_DECREF(exc);
    Py_XDECREF(result);
    if (sent == PYGEN_NEXT) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
        return NULL;
    }
    if (sent == PYGEN_ERROR) {
        if (!PyErr_ExceptionMatches(PyExc_GeneratorExit) && !PyErr_ExceptionMatches(PyExc_StopIteration))
            return NULL;
        PyErr_Clear(); /* GeneratorExit came out again: that is what closing means */
    }
    Py_RETURN_NONE;
}

/* ---- life ----------------------------------------------------------------------------------- */

static PyObject *cell_new(PyTypeObject *type, struct bolt_py_state *state, bolt_py_green_fn run, PyObject *target)
{
    struct job *job = PyMem_Calloc(1, sizeof(*job));
    if (!job)
        return PyErr_NoMemory();
    struct cell *self = PyObject_GC_New(struct cell, type);
    if (!self) {
        PyMem_Free(job);
        return NULL;
    }
    job->target = Py_NewRef(target);
    self->state = state;
    self->run = run;
    self->job = job;
    self->worker = NULL;
    self->running = false;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int cell_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct cell *self = (struct cell *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->worker);
    struct job *job = self->job;
    if (job) {
        Py_VISIT(job->target);
        Py_VISIT(job->args);
        Py_VISIT(job->kwargs);
        Py_VISIT(job->thrown);
        Py_VISIT(job->result);
        Py_VISIT(job->exc);
    }
    return 0;
}

static int cell_clear(PyObject *object)
{
    struct cell *self = (struct cell *)object;
    PyObject *worker = self->worker;
    struct job *job = self->job;
    self->worker = NULL;
    self->job = NULL;
    if (worker) {
        job->abandoned = true;
        Py_DECREF(worker);
    } else {
        job_free(job);
    }
    return 0;
}

static void cell_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    PyObject *type_, *value, *traceback;
    PyErr_Fetch(&type_, &value, &traceback); /* ending a worker runs its code */
    cell_clear(object);
    PyErr_Restore(type_, value, traceback);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Introspection (cr_frame, __name__ ...) sees the coroutine. */
static PyObject *driven_getattro(PyObject *object, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(object, name);
    struct cell *self = (struct cell *)object;
    if (value || !self->job || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear(); /* not ours: ask the coroutine */
    return PyObject_GetAttr(self->job->target, name);
}

static PyMethodDef cell_methods[] = {
    {"send", cell_send, METH_O, "Start or continue; returns the future that is waited for."},
    {"throw", (PyCFunction)(void (*)(void))cell_throw, METH_FASTCALL, "Raise an exception where the code waits."},
    {"close", cell_close, METH_NOARGS, "Raise GeneratorExit where the code waits."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot spawn_slots[] = {
    {Py_tp_doc, (void *)"Awaitable that runs a sync function in a worker (private)."},
    {Py_tp_traverse, cell_traverse},
    {Py_tp_clear, cell_clear},
    {Py_tp_dealloc, cell_dealloc},
    {Py_tp_methods, cell_methods},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, cell_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, cell_am_send},
    {0, NULL},
};

static PyType_Slot driven_slots[] = {
    {Py_tp_doc, (void *)"Coroutine whose every step runs in a worker (private)."},
    {Py_tp_traverse, cell_traverse},
    {Py_tp_clear, cell_clear},
    {Py_tp_dealloc, cell_dealloc},
    {Py_tp_methods, cell_methods},
    {Py_tp_getattro, driven_getattro},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, cell_iternext},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, cell_am_send},
    {0, NULL},
};

#define CELL_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION)

static PyType_Spec spawn_spec = {
    .name = "django_bolt._core.Spawn", .basicsize = sizeof(struct cell), .flags = CELL_FLAGS, .slots = spawn_slots};
static PyType_Spec driven_spec = {
    .name = "django_bolt._core.Driven", .basicsize = sizeof(struct cell), .flags = CELL_FLAGS, .slots = driven_slots};

PyObject *bolt_py_spawn_new(struct bolt_py_state *state, PyObject *fn, PyObject *args, PyObject *kwargs)
{
    PyObject *object = cell_new(state->Spawn_type, state, job_call, fn);
    if (object) {
        struct job *job = ((struct cell *)object)->job;
        job->args = Py_NewRef(args);
        job->kwargs = Py_XNewRef(kwargs);
    }
    return object;
}

PyObject *bolt_py_driven_new(struct bolt_py_state *state, PyObject *coro)
{
    return cell_new(state->Driven_type, state, job_send, coro);
}

int bolt_py_green_await_add(PyObject *module, struct bolt_py_state *state)
{
    state->Spawn_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spawn_spec, NULL);
    if (!state->Spawn_type)
        return -1;
    state->Driven_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &driven_spec, NULL);
    return state->Driven_type ? 0 : -1;
}
