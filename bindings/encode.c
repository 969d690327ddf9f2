/* SPDX-License-Identifier: MIT */
/* encode.c - which encoder a handler's result needs, and JSON octets through msgspec.
 *
 * msgspec writes the JSON: from C it costs about 65 ns on a small dict and it is the reference for what the
 * content looks like. Its encode() makes a new bytes object each time; encode_into() would save that, but its
 * buffer could not be shared, because enc_hook may run Python code and so another request.
 */
#include "encode.h"

#include "compat.h"

static bool is_json_builtin(PyTypeObject *type)
{
    return type == &PyDict_Type || type == &PyList_Type || type == &PyLong_Type || type == &PyFloat_Type ||
           type == &PyBool_Type || type == &PyTuple_Type || type == &PySet_Type || type == &PyFrozenSet_Type;
}

/* Subclasses of the builtins, in the order in which msgspec asks. */
static enum bolt_py_encode_class class_of_subclass(PyObject *value)
{
    if (PyUnicode_Check(value))
        return BOLT_PY_ENCODE_TEXT;
    if (PyBytes_Check(value) || PyByteArray_Check(value) || PyMemoryView_Check(value))
        return BOLT_PY_ENCODE_OCTETS;
    if (PyDict_Check(value) || PyList_Check(value) || PyTuple_Check(value) || PyAnySet_Check(value) ||
        PyLong_Check(value) || PyFloat_Check(value))
        return BOLT_PY_ENCODE_JSON;
    return BOLT_PY_ENCODE_OTHER;
}

enum bolt_py_encode_class bolt_py_encode_class(struct bolt_py_state *state, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (is_json_builtin(type))
        return BOLT_PY_ENCODE_JSON;
    if (value == Py_None)
        return BOLT_PY_ENCODE_NONE;
    if (PyType_IsSubtype(type, (PyTypeObject *)state->msgspec_Struct))
        return BOLT_PY_ENCODE_JSON;
    enum bolt_py_encode_class class = class_of_subclass(value);
    if (class != BOLT_PY_ENCODE_OTHER)
        return class;
    PyObject *fields;
    int found = PyObject_GetOptionalAttr((PyObject *)type, state->str_dataclass_fields, &fields);
    Py_XDECREF(fields);
    if (found < 0)
        return BOLT_PY_ENCODE_FAILED;
    return found ? BOLT_PY_ENCODE_JSON : BOLT_PY_ENCODE_OTHER;
}

PyObject *bolt_py_encode_json(struct bolt_py_app *app, PyObject *value)
{
    PyObject *encoded = PyObject_CallOneArg(app->encode, value);
    assert(!encoded || PyBytes_Check(encoded));
    return encoded;
}
