/* SPDX-License-Identifier: MIT */
/* coro.c - see coro.h. Only the documented API plus PyThreadState.context, a public field of the cpython headers. */
#include "coro.h"

#include "compat.h"

PyObject *bolt_py_exception_from(PyObject *type_or_exc, PyObject *value)
{
    if (PyExceptionInstance_Check(type_or_exc))
        return Py_NewRef(type_or_exc);
    if (!PyExceptionClass_Check(type_or_exc)) {
        PyErr_Format(PyExc_TypeError, "exceptions must derive from BaseException, not %.100s",
                     Py_TYPE(type_or_exc)->tp_name);
        return NULL;
    }
    if (!value || value == Py_None)
        return PyObject_CallNoArgs(type_or_exc);
    if (PyExceptionInstance_Check(value))
        return Py_NewRef(value);
    return PyTuple_Check(value) ? PyObject_CallObject(type_or_exc, value) : PyObject_CallOneArg(type_or_exc, value);
}

int bolt_py_stop_iteration_value(PyObject **value)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return -1;
    PyObject *exc = PyErr_GetRaisedException();
    *value = Py_NewRef(((PyStopIterationObject *)exc)->value ? ((PyStopIterationObject *)exc)->value : Py_None);
    Py_DECREF(exc);
    return 0;
}

void bolt_py_stop_iteration_set(PyObject *value)
{
    PyObject *exc = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (exc)
        PyErr_SetRaisedException(exc);
}

/* A generator made awaitable by types.coroutine. */
static bool is_iterable_coroutine(PyObject *object)
{
    if (!PyGen_CheckExact(object))
        return false;
    PyObject *code = PyObject_GetAttrString(object, "gi_code");
    if (!code) {
        PyErr_Clear(); /* then it is not one of ours to await */
        return false;
    }
    bool result = PyCode_Check(code) && (((PyCodeObject *)code)->co_flags & CO_ITERABLE_COROUTINE);
    Py_DECREF(code);
    return result;
}

PyObject *bolt_py_awaitable_iter(PyObject *awaitable)
{
    if (PyCoro_CheckExact(awaitable))
        return Py_NewRef(awaitable);
    PyAsyncMethods *methods = Py_TYPE(awaitable)->tp_as_async;
    if (methods && methods->am_await)
        return methods->am_await(awaitable);
    if (is_iterable_coroutine(awaitable))
        return Py_NewRef(awaitable);
    PyErr_Format(PyExc_TypeError, "object %.100s can't be awaited", Py_TYPE(awaitable)->tp_name);
    return NULL;
}

PySendResult bolt_py_send_or_throw(PyObject *iterator, PyObject *exc, PyObject **result)
{
    if (!exc)
        return PyIter_Send(iterator, Py_None, result);
    *result = PyObject_CallMethod(iterator, "throw", "O", exc);
    Py_DECREF(exc);
    if (*result)
        return PYGEN_NEXT;
    return bolt_py_stop_iteration_value(result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

PyObject *bolt_py_context_borrow(void)
{
    return PyThreadState_Get()->context;
}

/* greenlet keeps one Context per greenlet in the same two fields; its own setter refuses a running greenlet
 * without Python frames, and PyContext_Enter refuses a Context that the hub has entered. */
void bolt_py_context_swap(PyObject **context)
{
    PyThreadState *thread = PyThreadState_Get();
    PyObject *current = thread->context;
    thread->context = *context;
    thread->context_ver++;
    *context = current;
}
