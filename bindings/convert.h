/* SPDX-License-Identifier: MIT */
/* convert.h - one text value (already decoded from its wire form) to a Python object. */
#ifndef BOLT_PY_CONVERT_H
#define BOLT_PY_CONVERT_H

#include <Python.h>

#include "bolt/base.h"
#include "plan.h"
#include "state.h"

/* Why a text was refused: what the client did wrong. */
enum bolt_py_fault {
    BOLT_PY_FAULT_NONE = 0,
    BOLT_PY_FAULT_UTF8,
    BOLT_PY_FAULT_INT_SYNTAX,
    BOLT_PY_FAULT_INT_EMPTY,
    BOLT_PY_FAULT_INT_LARGE,
    BOLT_PY_FAULT_INT_SMALL,
    BOLT_PY_FAULT_FLOAT_SYNTAX,
    BOLT_PY_FAULT_FLOAT_EMPTY,
    BOLT_PY_FAULT_BOOL,
    BOLT_PY_FAULT_UUID,
    BOLT_PY_FAULT_DATETIME,
    BOLT_PY_FAULT_DATE,
    BOLT_PY_FAULT_TIME,
    BOLT_PY_FAULT_DECIMAL,
    BOLT_PY_FAULT_CHOICE,
    BOLT_PY_FAULT_LONG, /* over settings.param_bytes; found by the binder before decoding */
};

/* Loads the datetime C API; once per process, from module exec. -1 with an exception set. */
int bolt_py_convert_init(void);

/* New reference. `choices` (a dict from text to value) is used by KIND_CHOICE only. On failure NULL and either *fault
 * says what is wrong with the text, or *fault is NONE and an exception is set. */
PyObject *bolt_py_convert(struct bolt_py_state *state, enum bolt_py_kind kind, PyObject *choices,
                          struct bolt_slice text, enum bolt_py_fault *fault);

/* The sentence clients read, "Invalid integer 'x': invalid digit found in string" (new reference). `text` is the
 * refused value; `limit` the length limit in bytes for FAULT_LONG. */
PyObject *bolt_py_fault_text(enum bolt_py_fault fault, struct bolt_slice text, PyObject *choices, size_t limit);

#endif
