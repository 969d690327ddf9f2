/* SPDX-License-Identifier: MIT */
/* errors.h - where engine errors become Python exceptions. */
#ifndef BOLT_PY_ERRORS_H
#define BOLT_PY_ERRORS_H

#include <Python.h>

#include "bolt/base.h"

/* Sets the exception for a failed engine call and returns NULL: MemoryError, OSError (from errno), else
 * ValueError with info->text (`info` may be NULL) or `what`, a static description of the attempt. */
PyObject *bolt_py_raise(int err, const struct bolt_errinfo *info, const char *what);

#endif
