/* SPDX-License-Identifier: MIT */
/* server_type.c - the Server type: the engine's server attached to an asyncio loop.
 *
 * The loop watches one descriptor, the engine's epoll set, and calls on_ready() once per batch of ready sockets.
 * Everything else happens inside that call (dispatch.c) or in the wake-ups of suspended requests (task_step.c), both
 * in workers (drive.c).
 *
 * Lifetime. loop -> reader handle -> on_ready -> Server -> loop is a cycle that close() breaks; without close()
 * the garbage collector does once the loop is unreachable. Open requests are kept by the Server and keep it. The
 * engine must not be freed while one of its calls is on some stack, hence `running`: close() from inside a handler
 * only marks the server, and whoever leaves the engine last frees it.
 */
#include "server_type.h"

#include <errno.h>
#include <stddef.h>
#include <structmember.h>

#include "compat.h"
#include "dispatch.h"
#include "drive.h"
#include "errors.h"
#include "task.h"

static struct bolt_py_server *cast(PyObject *self)
{
    return (struct bolt_py_server *)self;
}

/* ---- running ---- */

static void free_engine(struct bolt_py_server *server)
{
    struct bolt_server *engine = server->engine;
    server->engine = NULL;
    if (engine)
        bolt_server_free(engine);
}

static void enter_engine(struct bolt_py_server *server)
{
    server->running++;
    Py_INCREF(server);
}

static void leave_engine(struct bolt_py_server *server)
{
    bolt_py_task_leave(server);
    server->running--;
    if (server->closing && server->running == 0)
        free_engine(server);
    Py_DECREF(server);
}

void bolt_py_server_run_engine(struct bolt_py_server *server)
{
    enter_engine(server);
    if (!server->closing) {
        server->handled = bolt_server_run(server->engine);
        server->run_errno = errno;
    }
    leave_engine(server);
}

void bolt_py_server_run_queue(struct bolt_py_server *server)
{
    enter_engine(server);
    if (!server->closing)
        bolt_server_run_pending(server->engine);
    leave_engine(server);
}

int bolt_py_server_raise_interrupt(struct bolt_py_server *server)
{
    PyObject *interrupt = server->interrupt;
    server->interrupt = NULL;
    if (!interrupt)
        return 0;
    PyErr_SetRaisedException(interrupt);
    return -1;
}

void bolt_py_server_interrupt(struct bolt_py_server *server, PyObject *exc)
{
    if (!server->interrupt)
        server->interrupt = Py_NewRef(exc);
}

void bolt_py_server_report(struct bolt_py_server *server, PyObject *where)
{
    if (!PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) && !PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyErr_WriteUnraisable(where);
        return;
    }
    PyObject *exc = PyErr_GetRaisedException();
    bolt_py_server_interrupt(server, exc);
    Py_DECREF(exc);
}

static PyObject *on_ready(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_server *server = cast(self);
    int handled = bolt_py_drive_ready(server);
    if (bolt_py_server_raise_interrupt(server) < 0)
        return NULL;
    if (handled == BOLT_ERR_OS) {
        errno = server->run_errno;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyMethodDef on_ready_method = {"Server.on_ready", on_ready, METH_NOARGS, NULL};

/* ---- construction ---- */

/* Fits a Python int into an unsigned option; PyArg_Parse has no range-checked unsigned formats. */
static int convert_u32(PyObject *value, void *out)
{
    unsigned long number = PyLong_AsUnsignedLong(value);
    if (number == (unsigned long)-1 && PyErr_Occurred())
        return 0;
    if (number > UINT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "%R is more than this option can hold", value);
        return 0;
    }
    *(uint32_t *)out = (uint32_t)number;
    return 1;
}

static int convert_size(PyObject *value, void *out)
{
    size_t number = PyLong_AsSize_t(value);
    if (number == (size_t)-1 && PyErr_Occurred())
        return 0;
    *(size_t *)out = number;
    return 1;
}

static int convert_u64(PyObject *value, void *out)
{
    unsigned long long number = PyLong_AsUnsignedLongLong(value);
    if (number == (unsigned long long)-1 && PyErr_Occurred())
        return 0;
    *(uint64_t *)out = number;
    return 1;
}

struct arguments {
    PyObject *app;
    PyObject *loop;
    PyObject *server_name; /* NULL: the default */
    struct bolt_server_options options;
};

static int parse_arguments(struct bolt_py_state *state, PyObject *args, PyObject *kwargs, struct arguments *out)
{
    static char *keywords[] = {"app",
                               "loop",
                               "header_bytes",
                               "target_bytes",
                               "header_count",
                               "content_bytes",
                               "header_timeout_ms",
                               "idle_timeout_ms",
                               "content_timeout_ms",
                               "write_timeout_ms",
                               "output_high_bytes",
                               "max_connections",
                               "server_name",
                               "access_log_fd",
                               NULL};
    struct bolt_server_options *options = &out->options;
    *options = BOLT_SERVER_OPTIONS_DEFAULT;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O|$O&O&O&O&O&O&O&O&O&O&Ui:Server", keywords, state->App_type,
                                     &out->app, &out->loop, convert_u32, &options->limits.header_bytes, convert_u32,
                                     &options->limits.target_bytes, convert_u32, &options->limits.header_count,
                                     convert_u64, &options->limits.content_bytes, convert_u32,
                                     &options->header_timeout_ms, convert_u32, &options->idle_timeout_ms, convert_u32,
                                     &options->content_timeout_ms, convert_u32, &options->write_timeout_ms,
                                     convert_size, &options->output_high_bytes, convert_u32, &options->max_connections,
                                     &out->server_name, &options->access_log_fd))
        return -1;
    if (out->server_name) {
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(out->server_name, &len);
        if (!text)
            return -1;
        options->server_name = bolt_slice_of(text, (size_t)len);
    }
    return 0;
}

static int attach_loop(struct bolt_py_server *server, PyObject *loop)
{
    server->loop = Py_NewRef(loop);
    server->call_soon = PyObject_GetAttrString(loop, "call_soon");
    if (!server->call_soon)
        return -1;
    server->future_kwargs = Py_BuildValue("{s:O}", "loop", loop);
    if (!server->future_kwargs)
        return -1;
    server->base_context = PyContext_CopyCurrent();
    server->wake_context = PyContext_New();
    return server->base_context && server->wake_context ? 0 : -1;
}

static PyObject *server_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct bolt_py_state *state = bolt_py_state_of_type(type);
    struct arguments parsed = {0};
    if (!state || parse_arguments(state, args, kwargs, &parsed) < 0)
        return NULL;
    struct bolt_py_server *server = (struct bolt_py_server *)type->tp_alloc(type, 0);
    if (!server)
        return NULL;
    server->state = state;
    server->app = (struct bolt_py_app *)Py_NewRef(parsed.app);
    if (attach_loop(server, parsed.loop) < 0)
        goto fail;
    struct bolt_server_app callbacks = {
        .ctx = server,
        .router = server->app->router,
        .on_request = bolt_py_dispatch_request,
        .on_disconnect = bolt_py_dispatch_disconnect,
    };
    int err = bolt_server_new(&parsed.options, &callbacks, &server->engine);
    if (err) {
        bolt_py_raise(err, NULL, "Server options out of range");
        goto fail;
    }
    server->app->frozen = true;
    return (PyObject *)server;
fail:
    Py_DECREF(server);
    return NULL;
}

/* ---- destruction ---- */

static int server_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct bolt_py_server *server = cast(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(server->app);
    Py_VISIT(server->loop);
    Py_VISIT(server->call_soon);
    Py_VISIT(server->future_kwargs);
    Py_VISIT(server->base_context);
    Py_VISIT(server->wake_context);
    Py_VISIT(server->interrupt);
    Py_VISIT(server->spare);
    Py_VISIT(server->current);
    for (PyObject *task = server->first; task; task = bolt_py_task_of(task)->next)
        Py_VISIT(task);
    return 0;
}

static int server_clear(PyObject *self)
{
    struct bolt_py_server *server = cast(self);
    server->closing = true;
    while (server->first)
        bolt_py_task_abandon(server->first);
    free_engine(server);
    Py_CLEAR(server->spare);
    Py_CLEAR(server->current);
    Py_CLEAR(server->interrupt);
    Py_CLEAR(server->base_context);
    Py_CLEAR(server->wake_context);
    Py_CLEAR(server->future_kwargs);
    Py_CLEAR(server->call_soon);
    Py_CLEAR(server->loop);
    Py_CLEAR(server->app);
    return 0;
}

static void server_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (cast(self)->weak_list)
        PyObject_ClearWeakRefs(self);
    server_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- methods ---- */

/* The engine, or NULL with RuntimeError after close(). */
static struct bolt_server *open_engine(PyObject *self)
{
    struct bolt_py_server *server = cast(self);
    if (server->closing || !server->engine) {
        PyErr_SetString(PyExc_RuntimeError, "the server is closed");
        return NULL;
    }
    return server->engine;
}

static int parse_fd(PyObject *arg, int *fd)
{
    long number = PyLong_AsLong(arg);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < 0 || number > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "%R is not a file descriptor", arg);
        return -1;
    }
    *fd = (int)number;
    return 0;
}

static PyObject *server_add_listener(PyObject *self, PyObject *arg)
{
    struct bolt_server *engine = open_engine(self);
    int fd;
    if (!engine || parse_fd(arg, &fd) < 0)
        return NULL;
    int err = bolt_server_add_listener(engine, fd);
    if (err)
        return bolt_py_raise(err, NULL, "not a listening socket");
    Py_RETURN_NONE;
}

static PyObject *server_adopt(PyObject *self, PyObject *arg)
{
    struct bolt_server *engine = open_engine(self);
    int fd;
    if (!engine || parse_fd(arg, &fd) < 0)
        return NULL;
    int err = bolt_server_adopt_take(engine, fd);
    if (err)
        return bolt_py_raise(err, NULL, "not a connected stream socket");
    Py_RETURN_NONE;
}

static PyObject *server_start(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_server *server = cast(self);
    if (!open_engine(self))
        return NULL;
    if (server->started) {
        PyErr_SetString(PyExc_RuntimeError, "the server is already started");
        return NULL;
    }
    PyObject *callback = PyCFunction_New(&on_ready_method, self);
    if (!callback)
        return NULL;
    PyObject *result = PyObject_CallMethod(server->loop, "add_reader", "iO", bolt_server_fd(server->engine), callback);
    Py_DECREF(callback);
    if (!result)
        return NULL;
    Py_DECREF(result);
    server->started = true;
    Py_RETURN_NONE;
}

static PyObject *server_drain(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_server *engine = open_engine(self);
    if (!engine)
        return NULL;
    PyObject *callback = PyCFunction_New(&on_ready_method, self);
    if (!callback)
        return NULL;
    /* Not from here: the caller's task is the current one, and requests that have just arrived need theirs. */
    PyObject *handle = PyObject_CallOneArg(cast(self)->call_soon, callback);
    Py_DECREF(callback);
    if (!handle)
        return NULL;
    Py_DECREF(handle);
    bolt_server_drain(engine);
    Py_RETURN_NONE;
}

static PyObject *server_is_drained(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_server *server = cast(self);
    return PyBool_FromLong(server->closing || bolt_server_is_drained(server->engine));
}

static PyObject *server_pending(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *tasks = PyList_New(0);
    if (!tasks)
        return NULL;
    for (PyObject *task = cast(self)->first; task; task = bolt_py_task_of(task)->next) {
        if (PyList_Append(tasks, task) < 0) {
            Py_DECREF(tasks);
            return NULL;
        }
    }
    return tasks;
}

/* 1, 0, or -1 with an exception. */
static int loop_is_closed(struct bolt_py_server *server)
{
    PyObject *result = PyObject_CallMethod(server->loop, "is_closed", NULL);
    if (!result)
        return -1;
    int closed = PyObject_IsTrue(result);
    Py_DECREF(result);
    return closed;
}

/* Cancels every open request; on a closed loop nothing can run any more, so they just end. */
static int end_requests(PyObject *self, bool closed)
{
    if (closed) {
        while (cast(self)->first)
            bolt_py_task_abandon(cast(self)->first);
        return 0;
    }
    PyObject *tasks = server_pending(self, NULL);
    if (!tasks)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(tasks); i++) {
        if (bolt_py_task_cancel(PyList_GET_ITEM(tasks, i), NULL) < 0)
            PyErr_WriteUnraisable(PyList_GET_ITEM(tasks, i));
    }
    Py_DECREF(tasks);
    return 0;
}

static PyObject *server_close(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_server *server = cast(self);
    if (server->closing)
        Py_RETURN_NONE;
    int closed = loop_is_closed(server);
    if (closed < 0)
        return NULL;
    PyObject *removed = Py_None;
    if (server->started && !closed) {
        removed = PyObject_CallMethod(server->loop, "remove_reader", "i", bolt_server_fd(server->engine));
        if (!removed)
            return NULL;
        Py_DECREF(removed);
    }
    server->closing = true;
    if (end_requests(self, closed) < 0)
        return NULL;
    if (server->running == 0)
        free_engine(server);
    Py_CLEAR(server->spare);
    Py_RETURN_NONE;
}

static PyObject *server_stats(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct bolt_py_server *server = cast(self);
    struct bolt_server_stats stats = {0};
    if (server->engine)
        bolt_server_get_stats(server->engine, &stats);
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:I,s:I,s:K,s:K}", "accepted", stats.accepted, "closed",
                         stats.closed, "requests", stats.requests, "wakeups", stats.wakeups, "events", stats.events,
                         "timeouts", stats.timeouts, "bad_requests", stats.bad_requests, "aborted", stats.aborted,
                         "connections", stats.connections, "exchanges_open", stats.exchanges_open, "promoted",
                         server->promoted, "retired", server->retired);
}

static PyMethodDef server_methods[] = {
    {"add_listener", server_add_listener, METH_O, PyDoc_STR("Accept from a listening, non-blocking socket.")},
    {"adopt", server_adopt, METH_O, PyDoc_STR("Serve an already connected stream socket; the server owns it.")},
    {"start", server_start, METH_NOARGS, PyDoc_STR("Register with the loop.")},
    {"drain", server_drain, METH_NOARGS, PyDoc_STR("Stop accepting, finish what is in flight.")},
    {"is_drained", server_is_drained, METH_NOARGS, PyDoc_STR("Is no connection left?")},
    {"pending", server_pending, METH_NOARGS, PyDoc_STR("Tasks of suspended requests, oldest first.")},
    {"close", server_close, METH_NOARGS, PyDoc_STR("Cancel open requests, close connections. Idempotent.")},
    {"stats", server_stats, METH_NOARGS, PyDoc_STR("Counters since the start; zeros of the engine after close().")},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef server_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct bolt_py_server, weak_list), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot server_slots[] = {
    {Py_tp_doc, PyDoc_STR("The C server inside a running asyncio loop (stdlib or uvloop).")},
    {Py_tp_new, server_new},
    {Py_tp_dealloc, server_dealloc},
    {Py_tp_traverse, server_traverse},
    {Py_tp_clear, server_clear},
    {Py_tp_methods, server_methods},
    {Py_tp_members, server_members},
    {0, NULL},
};

static PyType_Spec server_spec = {
    .name = "django_bolt._core.Server",
    .basicsize = sizeof(struct bolt_py_server),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = server_slots,
};

int bolt_py_add_server(PyObject *module, struct bolt_py_state *state)
{
    state->Server_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &server_spec, NULL);
    return state->Server_type ? PyModule_AddType(module, state->Server_type) : -1;
}
