/* SPDX-License-Identifier: MIT */
/* bind_error.c - refused client values as the exceptions that become 422 responses (surface section 5).
 *
 * Two families. A scalar that is missing or does not convert answers one sentence: HTTPException(422, text). What
 * msgspec refuses (bodies, constraints, groups) answers a list of items: RequestValidationError. The list
 * items are shaped in Python (django_bolt._binding_errors): they are needed once per refused request.
 */
#include "binder_int.h"
#include "compat.h"

const char *bolt_py_source_name(enum bolt_py_source source)
{
    static const char *const names[] = {
        [BOLT_PY_SOURCE_PATH] = "path",     [BOLT_PY_SOURCE_QUERY] = "query", [BOLT_PY_SOURCE_HEADER] = "header",
        [BOLT_PY_SOURCE_COOKIE] = "cookie", [BOLT_PY_SOURCE_BODY] = "body",
    };
    return names[source];
}

PyObject *bolt_py_missing_text(const struct bolt_py_param *param)
{
    static const char *const nouns[] = {
        [BOLT_PY_SOURCE_PATH] = "path parameter",
        [BOLT_PY_SOURCE_QUERY] = "query parameter",
        [BOLT_PY_SOURCE_HEADER] = "header",
        [BOLT_PY_SOURCE_COOKIE] = "cookie",
    };
    return PyUnicode_FromFormat("Missing required %s: %U", nouns[param->source], param->wire_key);
}

/* Raises HTTPException(422, detail); steals `detail`, which may be NULL (an exception is set then). */
static PyObject *raise_unprocessable(struct bolt_py_state *state, PyObject *detail)
{
    if (detail == NULL)
        return NULL;
    PyObject *exc = PyObject_CallFunction(state->HTTPException, "iN", 422, detail);
    if (exc != NULL)
        PyErr_SetRaisedException(exc);
    return NULL;
}

PyObject *bolt_py_raise_missing(const struct bolt_py_binder *binder, const struct bolt_py_param *param)
{
    return raise_unprocessable(binder->state, bolt_py_missing_text(param));
}

PyObject *bolt_py_raise_refused(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                                const struct bolt_py_refusal *refusal)
{
    static const char *const prefixes[] = {
        [BOLT_PY_SOURCE_PATH] = "Path parameter",
        [BOLT_PY_SOURCE_QUERY] = "Query parameter",
        [BOLT_PY_SOURCE_HEADER] = "Header",
        [BOLT_PY_SOURCE_COOKIE] = "Cookie",
    };
    PyObject *reason =
        bolt_py_fault_text(refusal->fault, refusal->text.value, param->choices, binder->settings->param_bytes);
    if (reason == NULL)
        return NULL;
    PyObject *detail = PyUnicode_FromFormat("%s '%U': %U", prefixes[param->source], param->wire_key, reason);
    Py_DECREF(reason);
    return raise_unprocessable(binder->state, detail);
}

PyObject *bolt_py_raise_list(struct bolt_py_state *state, PyObject *errors)
{
    PyObject *exc = PyObject_CallOneArg(state->RequestValidationError, errors);
    if (exc != NULL)
        PyErr_SetRaisedException(exc);
    return NULL;
}

PyObject *bolt_py_raise_through(PyObject *convert, const char *label, PyObject *first, PyObject *second)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *exc = PyObject_CallFunction(convert, "OsOO", cause, label, first, second);
    if (exc == NULL) {
        Py_DECREF(cause);
        return NULL;
    }
    PyException_SetCause(exc, cause); /* steals cause */
    PyErr_SetRaisedException(exc);
    return NULL;
}
