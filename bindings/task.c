/* SPDX-License-Identifier: MIT */
/* task.c - the RequestTask type: lifetime of the instances and what asyncio.Task promises to its users.
 *
 * asyncio.Task has no C interface, so the type is built on top of it at run time: instances start with Task's
 * own struct (opaque, initialised by asyncio.Future.__init__ only) and end with struct bolt_py_task. Methods and
 * attributes that would read Task's private fields are overridden here with the same behaviour; done(),
 * result(), callbacks and awaiting are Future's and work as they are.
 */
#include "task.h"

#include "compat.h"
#include "request.h"
#include "server_type.h"

static PyTypeObject *base_of(PyObject *self)
{
    return Py_TYPE(self)->tp_base;
}

/* ---- lifetime ---- */

static PyObject *task_new(struct bolt_py_server *server)
{
    PyTypeObject *type = server->state->RequestTask_type;
    PyTypeObject *future_type = (PyTypeObject *)server->state->asyncio_Future;
    PyObject *no_args = PyTuple_New(0);
    PyObject *self = no_args ? type->tp_alloc(type, 0) : NULL;
    int err = self ? future_type->tp_init(self, no_args, server->future_kwargs) : -1;
    Py_XDECREF(no_args);
    if (err < 0) {
        Py_XDECREF(self);
        return NULL;
    }
    bolt_py_task_of(self)->server = (struct bolt_py_server *)Py_NewRef(server);
    return self;
}

/* Gives up everything of the request; an exchange that is still open is aborted. */
static void clear_request(struct bolt_py_task *task)
{
    Py_CLEAR(task->worker); /* ends it: the code that waits sees GreenletExit, and the exchange is aborted */
    Py_CLEAR(task->coro);   /* may run `finally` blocks that still use the request */
    Py_CLEAR(task->waiter);
    Py_CLEAR(task->wakeup);
    Py_CLEAR(task->error);
    Py_CLEAR(task->context);
    Py_CLEAR(task->cancel_message);
    Py_CLEAR(task->name);
    if (task->request)
        bolt_py_request_detach(task->request);
    Py_CLEAR(task->request);
    struct bolt_exchange *exchange = task->exchange;
    task->exchange = NULL;
    if (exchange)
        bolt_exchange_done(exchange, true);
}

static int task_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    Py_VISIT(task->server);
    Py_VISIT(task->request);
    Py_VISIT(task->coro);
    Py_VISIT(task->worker);
    Py_VISIT(task->context);
    Py_VISIT(task->waiter);
    Py_VISIT(task->wakeup);
    Py_VISIT(task->error);
    Py_VISIT(task->cancel_message);
    PyTypeObject *base = base_of(self);
    if (!PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)) /* else the base visits the type */
        Py_VISIT(Py_TYPE(self));
    return base->tp_traverse(self, visit, arg);
}

static int task_clear(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (task->promoted && !task->finished)
        bolt_py_task_abandon(self); /* the server's list refers to `server` */
    else
        clear_request(task);
    Py_CLEAR(task->server);
    return base_of(self)->tp_clear(self);
}

static void task_dealloc(PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self) < 0)
        return; /* resurrected */
    PyTypeObject *type = Py_TYPE(self);
    PyTypeObject *base = type->tp_base;
    bool base_is_static = !PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE);
    PyObject_GC_UnTrack(self);
    clear_request(bolt_py_task_of(self));
    Py_CLEAR(bolt_py_task_of(self)->server);
    base->tp_dealloc(self);
    if (base_is_static) /* a heap base has done it */
        Py_DECREF(type);
}

/* ---- current task and the spare ---- */

int bolt_py_task_enter(PyObject *self)
{
    struct bolt_py_server *server = bolt_py_task_of(self)->server;
    bolt_py_task_leave(server);
    PyObject *args[] = {server->loop, self};
    PyObject *result = PyObject_Vectorcall(server->state->enter_task, args, 2, NULL);
    if (!result)
        return -1;
    Py_DECREF(result);
    server->current = Py_NewRef(self);
    return 0;
}

void bolt_py_task_leave(struct bolt_py_server *server)
{
    PyObject *current = server->current;
    if (!current)
        return;
    server->current = NULL;
    PyObject *args[] = {server->loop, current};
    PyObject *result = PyObject_Vectorcall(server->state->leave_task, args, 2, NULL);
    if (result)
        Py_DECREF(result);
    else
        PyErr_WriteUnraisable(current);
    Py_DECREF(current);
}

PyObject *bolt_py_task_acquire(struct bolt_py_server *server)
{
    PyObject *self = server->spare;
    server->spare = NULL;
    if (!self && !(self = task_new(server)))
        return NULL;
    if (server->current != self) {
        if (bolt_py_task_enter(self) < 0) {
            Py_DECREF(self);
            return NULL;
        }
        server->spare_refs = Py_REFCNT(self);
    }
    return self;
}

static bool has_weak_references(PyObject *self)
{
    Py_ssize_t offset = Py_TYPE(self)->tp_weaklistoffset;
    return *(PyObject **)((char *)self + offset) != NULL;
}

PyObject *bolt_py_task_request(struct bolt_py_task *task)
{
    if (!task->request) {
        struct bolt_py_binder *binder = task->route ? task->route->binder : NULL;
        task->request = bolt_py_request_new(task->server->state, task->server->app->settings, task->exchange, binder);
    }
    return task->request;
}

/* The one place where reference counts decide: could anybody tell that the next request gets the same object? */
static bool is_anonymous(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    struct bolt_py_server *server = task->server;
    return !task->touched && server->current == self && Py_REFCNT(self) == server->spare_refs &&
           !has_weak_references(self) && !server->spare && !server->closing;
}

void bolt_py_task_release(PyObject *self, PyObject *value, PyObject *exc)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    task->route = NULL;
    if (BOLT_LIKELY(is_anonymous(self))) {
        Py_CLEAR(task->coro);
        Py_CLEAR(task->context);
        task->finalizing = false;
        task->server->spare = self;
        return;
    }
    task->server->retired++;
    bolt_py_task_leave(task->server);
    bolt_py_task_complete(self, value, exc);
    Py_DECREF(self);
}

/* ---- completion ---- */

/* future_method(self[, argument]) with an unbound method of asyncio.Future. */
static int call_future(PyObject *future_method, PyObject *self, PyObject *argument)
{
    PyObject *args[] = {self, argument};
    PyObject *result = PyObject_Vectorcall(future_method, args, argument ? 2 : 1, NULL);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int complete_with_exception(PyObject *self, PyObject *exc)
{
    struct bolt_py_state *state = bolt_py_task_of(self)->server->state;
    if (PyErr_GivenExceptionMatches(exc, state->CancelledError))
        return call_future(state->Future_cancel, self, bolt_py_task_of(self)->cancel_message);
    if (PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) /* a Future refuses it */
        return call_future(state->Future_cancel, self, NULL);
    if (call_future(state->Future_set_exception, self, exc) < 0)
        return -1;
    /* The client has been answered and the error logged: nobody has to retrieve it from the task. */
    return PyObject_GenericSetAttr(self, state->str_log_traceback, Py_False);
}

static void unlist(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    struct bolt_py_server *server = task->server;
    if (task->next)
        bolt_py_task_of(task->next)->prev = task->prev;
    else
        server->last = task->prev;
    if (task->prev)
        bolt_py_task_of(task->prev)->next = task->next;
    else
        server->first = task->next;
    task->prev = task->next = NULL;
    Py_DECREF(self);
}

void bolt_py_task_complete(PyObject *self, PyObject *value, PyObject *exc)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    struct bolt_py_state *state = task->server->state;
    int err;
    task->finished = true;
    Py_CLEAR(task->wakeup); /* it refers to the task */
    if (!value)
        err = complete_with_exception(self, exc);
    else if (task->must_cancel) /* cancelled just before it returned, as in asyncio */
        err = call_future(state->Future_cancel, self, task->cancel_message);
    else
        err = call_future(state->Future_set_result, self, value);
    if (err < 0)
        PyErr_WriteUnraisable(self);
    if (task->promoted)
        unlist(self);
}

void bolt_py_task_abandon(PyObject *self)
{
    Py_INCREF(self);
    unlist(self);
    bolt_py_task_of(self)->finished = true;
    clear_request(bolt_py_task_of(self));
    Py_DECREF(self);
}

/* ---- the asyncio.Task interface ---- */

static PyObject *task_getattro(PyObject *self, PyObject *name)
{
    bolt_py_task_of(self)->touched = true;
    return PyObject_GenericGetAttr(self, name);
}

static int task_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    bolt_py_task_of(self)->touched = true;
    return PyObject_GenericSetAttr(self, name, value);
}

/* waiter.cancel(msg=message): 1, 0 or -1 with an exception. */
int bolt_py_task_cancel_waiter(struct bolt_py_state *state, PyObject *waiter, PyObject *message)
{
    PyObject *args[] = {waiter, message ? message : Py_None};
    PyObject *result = PyObject_VectorcallMethod(state->str_cancel, args, 1, state->kwnames_msg);
    if (!result)
        return -1;
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

int bolt_py_task_cancel(PyObject *self, PyObject *message)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (task->finished)
        return 0;
    task->touched = true;
    task->cancel_requests++;
    if (task->waiter) {
        PyObject *waiter = Py_NewRef(task->waiter);
        int cancelled = bolt_py_task_cancel_waiter(task->server->state, waiter, message);
        Py_DECREF(waiter);
        if (cancelled) /* the wake-up will throw it, or it failed */
            return cancelled;
    }
    task->must_cancel = true;
    Py_XSETREF(task->cancel_message, Py_XNewRef(message));
    return 1;
}

static PyObject *task_cancel(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"msg", NULL};
    PyObject *message = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cancel", keywords, &message))
        return NULL;
    int cancelled = bolt_py_task_cancel(self, message == Py_None ? NULL : message);
    return cancelled < 0 ? NULL : PyBool_FromLong(cancelled);
}

static PyObject *task_uncancel(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (task->cancel_requests > 0) {
        task->cancel_requests--;
#if PY_VERSION_HEX >= 0x030D0000 /* asyncio changed it in 3.13 */
        if (task->cancel_requests == 0)
            task->must_cancel = false;
#endif
    }
    return PyLong_FromUnsignedLong(task->cancel_requests);
}

static PyObject *task_cancelling(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLong(bolt_py_task_of(self)->cancel_requests);
}

static PyObject *value_or_none(PyObject *value)
{
    return Py_NewRef(value ? value : Py_None);
}

static PyObject *task_get_coro(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return value_or_none(bolt_py_task_of(self)->coro);
}

static PyObject *task_get_context(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return value_or_none(bolt_py_task_of(self)->context);
}

static PyObject *task_get_name(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (!task->name) {
        unsigned long long number = task->server ? ++task->server->names : 0; /* 0: cleared as garbage */
        task->name = PyUnicode_FromFormat("Request-%llu", number);
    }
    return Py_XNewRef(task->name);
}

static PyObject *task_set_name(PyObject *self, PyObject *value)
{
    PyObject *name = PyObject_Str(value);
    if (!name)
        return NULL;
    Py_XSETREF(bolt_py_task_of(self)->name, name);
    Py_RETURN_NONE;
}

/* Task's repr needs a coroutine (3.11), which a sync handler has not. */
static PyObject *task_repr(PyObject *self)
{
    struct bolt_py_task *task = bolt_py_task_of(self);
    if (task->coro)
        return base_of(self)->tp_repr(self);
    PyObject *name = task_get_name(self, NULL);
    if (!name)
        return NULL;
    PyObject *text = PyUnicode_FromFormat("<RequestTask %s name=%R>", task->finished ? "finished" : "pending", name);
    Py_DECREF(name);
    return text;
}

static PyObject *get_coro(PyObject *self, void *Py_UNUSED(closure))
{
    return value_or_none(bolt_py_task_of(self)->coro);
}

static PyObject *get_waiter(PyObject *self, void *Py_UNUSED(closure))
{
    return value_or_none(bolt_py_task_of(self)->waiter);
}

static PyObject *get_must_cancel(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(bolt_py_task_of(self)->must_cancel);
}

static PyObject *get_cancel_requests(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(bolt_py_task_of(self)->cancel_requests);
}

static PyMethodDef task_methods[] = {
    {"cancel", (PyCFunction)(void (*)(void))task_cancel, METH_VARARGS | METH_KEYWORDS, NULL},
    {"uncancel", task_uncancel, METH_NOARGS, NULL},
    {"cancelling", task_cancelling, METH_NOARGS, NULL},
    {"get_coro", task_get_coro, METH_NOARGS, NULL},
    {"get_context", task_get_context, METH_NOARGS, NULL},
    {"get_name", task_get_name, METH_NOARGS, NULL},
    {"set_name", task_set_name, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* Names that asyncio.base_tasks and anyio read. */
static PyGetSetDef task_getset[] = {
    {"_coro", get_coro, NULL, NULL, NULL},
    {"_fut_waiter", get_waiter, NULL, NULL, NULL},
    {"_must_cancel", get_must_cancel, NULL, NULL, NULL},
    {"_num_cancels_requested", get_cancel_requests, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot task_slots[] = {
    {Py_tp_doc, PyDoc_STR("The asyncio.Task of one request.")},
    {Py_tp_dealloc, task_dealloc},
    {Py_tp_traverse, task_traverse},
    {Py_tp_clear, task_clear},
    {Py_tp_getattro, task_getattro},
    {Py_tp_setattro, task_setattro},
    {Py_tp_repr, task_repr},
    {Py_tp_methods, task_methods},
    {Py_tp_getset, task_getset},
    {0, NULL},
};

int bolt_py_add_request_task(PyObject *module, struct bolt_py_state *state)
{
    Py_ssize_t base_size = ((PyTypeObject *)state->asyncio_Task)->tp_basicsize;
    Py_ssize_t align = (Py_ssize_t) _Alignof(struct bolt_py_task);
    Py_ssize_t size = (base_size + align - 1) / align * align + (Py_ssize_t)sizeof(struct bolt_py_task);
    PyType_Spec spec = {
        .name = "django_bolt._core.RequestTask",
        .basicsize = (int)size,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = task_slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, state->asyncio_Task);
    if (!type)
        return -1;
    state->RequestTask_type = (PyTypeObject *)type;
    return PyModule_AddType(module, state->RequestTask_type);
}
