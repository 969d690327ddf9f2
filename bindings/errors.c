/* SPDX-License-Identifier: MIT */
/* errors.c - where engine errors become Python exceptions. */
#include "errors.h"

PyObject *bolt_py_raise(int err, const struct bolt_errinfo *info, const char *what)
{
    switch (err) {
    case BOLT_ERR_NOMEM:
        return PyErr_NoMemory();
    case BOLT_ERR_OS:
        return PyErr_SetFromErrno(PyExc_OSError);
    default:
        if (info && info->text)
            PyErr_Format(PyExc_ValueError, "%s: %s", what, info->text);
        else
            PyErr_SetString(PyExc_ValueError, what);
        return NULL;
    }
}
