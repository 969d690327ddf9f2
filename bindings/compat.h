/* SPDX-License-Identifier: MIT */
/* compat.h - newer C API names on the oldest CPython we support (3.11). */
#ifndef BOLT_PY_COMPAT_H
#define BOLT_PY_COMPAT_H

#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

/* The raised exception as one object (new reference), no longer set; NULL when none was. */
static inline PyObject *PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL)
        return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
        Py_DECREF(traceback);
    }
    Py_DECREF(type);
    return value;
}

/* Raises `exc` (steals the reference); NULL: nothing is raised afterwards. */
static inline void PyErr_SetRaisedException(PyObject *exc)
{
    if (exc == NULL) {
        PyErr_Restore(NULL, NULL, NULL);
        return;
    }
    PyObject *traceback = PyException_GetTraceback(exc); /* new or NULL */
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exc)), exc, traceback);
}

#endif

#if PY_VERSION_HEX < 0x030D0000

/* 1: *result is a new reference; 0: no such key, *result is NULL; -1: exception set, *result is NULL. */
static inline int PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **result)
{
    PyObject *value = PyDict_GetItemWithError(dict, key); /* borrowed */
    if (value == NULL) {
        *result = NULL;
        return PyErr_Occurred() ? -1 : 0;
    }
    *result = Py_NewRef(value);
    return 1;
}

/* 1: *result is a new reference; 0: no such attribute, *result is NULL; -1: exception set, *result is NULL. */
static inline int PyObject_GetOptionalAttr(PyObject *obj, PyObject *name, PyObject **result)
{
    *result = PyObject_GetAttr(obj, name);
    if (*result != NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    PyErr_Clear(); /* AttributeError is the answer "no" */
    return 0;
}

#endif

#endif
