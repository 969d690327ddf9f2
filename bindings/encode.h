/* SPDX-License-Identifier: MIT */
/* encode.h - which encoder a handler's result needs, and JSON octets through msgspec. */
#ifndef BOLT_PY_ENCODE_H
#define BOLT_PY_ENCODE_H

#include <Python.h>

#include "app.h"
#include "state.h"

enum bolt_py_encode_class {
    BOLT_PY_ENCODE_JSON,   /* dict, list, Struct, int, float, bool, tuple, set, dataclass */
    BOLT_PY_ENCODE_TEXT,   /* str */
    BOLT_PY_ENCODE_OCTETS, /* bytes, bytearray, memoryview */
    BOLT_PY_ENCODE_NONE,   /* None */
    BOLT_PY_ENCODE_OTHER,  /* hooks.finalize knows */
    BOLT_PY_ENCODE_FAILED, /* an exception is set */
};

/* By the type of `value` alone. */
enum bolt_py_encode_class bolt_py_encode_class(struct bolt_py_state *state, PyObject *value);

/* New bytes; NULL with the exception of msgspec or hooks.encode_fallback. May run Python code. */
PyObject *bolt_py_encode_json(struct bolt_py_app *app, PyObject *value);

#endif
