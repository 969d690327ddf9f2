/* SPDX-License-Identifier: MIT */
/* green_wait.c - waiting with a time limit. */
#include "compat.h"
#include "green.h"
#include "state.h"

PyObject *bolt_py_green_future(struct bolt_py_state *state)
{
    PyObject *loop = PyObject_CallNoArgs(state->get_running_loop);
    if (!loop)
        return NULL;
    PyObject *future = PyObject_CallMethodNoArgs(loop, state->str_create_future);
    Py_DECREF(loop);
    return future;
}

bool bolt_py_green_settle(struct bolt_py_state *state, PyObject *future)
{
    PyObject *exc = PyErr_GetRaisedException();
    PyObject *args[] = {future, Py_None};
    PyObject *result = PyObject_VectorcallMethod(state->str_set_result, args, 2, NULL);
    if (!result)
        PyErr_Clear(); /* InvalidStateError: it was done already */
    Py_XDECREF(result);
    PyErr_SetRaisedException(exc);
    return result != NULL;
}

/* The timer's callback: a bound set_result would log an error when the future is done by then. */
static PyObject *expire(PyObject *module, PyObject *future)
{
    return PyBool_FromLong(bolt_py_green_settle(bolt_py_state_of(module), future));
}

static PyMethodDef expire_def = {"expire", expire, METH_O, NULL};

static PyObject *start_timer(struct bolt_py_state *state, PyObject *future, double timeout_s)
{
    PyObject *loop = PyObject_CallNoArgs(state->get_running_loop);
    PyObject *delay = loop ? PyFloat_FromDouble(timeout_s) : NULL;
    PyObject *module = delay ? PyType_GetModuleByDef(state->Worker_type, &bolt_py_module_def) : NULL;
    PyObject *callback = module ? PyCFunction_New(&expire_def, module) : NULL;
    PyObject *args[] = {loop, delay, callback, future};
    PyObject *timer = callback ? PyObject_VectorcallMethod(state->str_call_later, args, 4, NULL) : NULL;
    Py_XDECREF(callback);
    Py_XDECREF(delay);
    Py_XDECREF(loop);
    return timer;
}

int bolt_py_green_wait_for(struct bolt_py_state *state, PyObject *future, double timeout_s)
{
    PyObject *timer = start_timer(state, future, timeout_s);
    if (!timer)
        return -1;
    PyObject *result = bolt_py_green_wait(state, future);
    PyObject *exc = PyErr_GetRaisedException();
    PyObject *when = PyObject_CallMethodNoArgs(timer, state->str_cancel);
    if (!when)
        PyErr_WriteUnraisable(timer);
    Py_XDECREF(when);
    Py_DECREF(timer);
    PyErr_SetRaisedException(exc);
    if (!result)
        return -1;
    Py_DECREF(result);
    return 0;
}
