/* SPDX-License-Identifier: MIT */
/* green_module.c - the green runtime as seen from Python: functions of _core, and the table of its types. */
#include <string.h>

#include "coro.h"
#include "green_await.h"
#include "state.h"

static PyObject *core_in_worker(PyObject *module, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(bolt_py_green_is_worker(bolt_py_state_of(module)));
}

static PyObject *core_spawn(PyObject *module, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 1 || !PyCallable_Check(PyTuple_GET_ITEM(args, 0))) {
        PyErr_SetString(PyExc_TypeError, "spawn(function, *args, **kwargs) takes a callable");
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (!rest)
        return NULL;
    PyObject *result = bolt_py_spawn_new(bolt_py_state_of(module), PyTuple_GET_ITEM(args, 0), rest, kwargs);
    Py_DECREF(rest);
    return result;
}

static PyObject *core_drive(PyObject *module, PyObject *coro)
{
    return bolt_py_driven_new(bolt_py_state_of(module), coro);
}

static PyObject *core_wait(PyObject *module, PyObject *future)
{
    return bolt_py_green_wait(bolt_py_state_of(module), future);
}

static PyObject *core_await(PyObject *module, PyObject *awaitable)
{
    return bolt_py_green_await(bolt_py_state_of(module), awaitable);
}

static PyObject *core_yield(PyObject *module, PyObject *unused)
{
    (void)unused;
    if (bolt_py_green_yield(bolt_py_state_of(module)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *core_drain_workers(PyObject *module, PyObject *unused)
{
    (void)unused;
    bolt_py_green_drain_pool(bolt_py_state_of(module));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"in_worker", core_in_worker, METH_NOARGS, "May the running code wait without blocking the event loop?"},
    {"spawn", (PyCFunction)(void (*)(void))core_spawn, METH_VARARGS | METH_KEYWORDS,
     "spawn(function, *args, **kwargs): awaitable of a sync function run in a worker."},
    {"drive", core_drive, METH_O, "drive(coroutine): a coroutine whose steps run in workers."},
    {"wait", core_wait, METH_O, "wait(future): its result; switches to the loop meanwhile. Only in a worker."},
    {"await_", core_await, METH_O, "await_(awaitable): its result, from sync code. Only in a worker."},
    {"yield_", core_yield, METH_NOARGS, "Let everything else that is ready run first. Only in a worker."},
    {"drain_workers", core_drain_workers, METH_NOARGS, "End this thread's idle workers."},
    {NULL, NULL, 0, NULL},
};

int bolt_py_green_add(PyObject *module, struct bolt_py_state *state)
{
    if (bolt_py_green_worker_add(module, state) < 0 || bolt_py_green_await_add(module, state) < 0 ||
        bolt_py_green_lock_add(module, state) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
