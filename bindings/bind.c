/* SPDX-License-Identifier: MIT */
/* bind.c - one request to the argument array of its handler.
 *
 * Arguments are produced in table order, so the first faulty one decides the error response. All working
 * storage belongs to the call: a decoder, check or default factory may switch greenlets and another bind of the same
 * route may run meanwhile.
 */
#include "binder_int.h"

#define HITS_ON_STACK 16

PyObject *bolt_py_param_default(const struct bolt_py_param *param)
{
    if (param->default_factory != NULL)
        return PyObject_CallNoArgs(param->default_factory);
    return Py_NewRef(param->default_value);
}

PyObject *bolt_py_param_check(const struct bolt_py_binder *binder, const struct bolt_py_param *param, const char *label,
                              PyObject *value)
{
    if (value == NULL || param->check == NULL)
        return value;
    PyObject *checked = PyObject_CallOneArg(param->check, value);
    if (checked == NULL && PyErr_ExceptionMatches(binder->state->msgspec_ValidationError))
        bolt_py_raise_through(binder->state->check_error, label, param->wire_key, value);
    Py_DECREF(value);
    return checked;
}

static PyObject *bind_text(const struct bolt_py_bind *bind, const struct bolt_py_param *param)
{
    bool found;
    struct bolt_py_refusal refusal;
    PyObject *value = bolt_py_param_convert(bind->binder, param, &bind->wire, bind->hits, &found, &refusal);
    if (BOLT_LIKELY(value != NULL))
        return bolt_py_param_check(bind->binder, param, bolt_py_source_name(param->source), value);
    if (!found)
        return param->required ? bolt_py_raise_missing(bind->binder, param) : bolt_py_param_default(param);
    if (refusal.fault != BOLT_PY_FAULT_NONE) {
        bolt_py_raise_refused(bind->binder, param, &refusal);
        bolt_py_text_clear(&refusal.text);
    }
    return NULL;
}

static PyObject *bind_request(const struct bolt_py_bind *bind)
{
    if (bind->request != NULL)
        return Py_NewRef(bind->request);
    PyErr_SetString(PyExc_SystemError, "the handler wants the request but none was made");
    return NULL;
}

static PyObject *bind_param(struct bolt_py_bind *bind, const struct bolt_py_param *param)
{
    switch (param->source) {
    case BOLT_PY_SOURCE_PATH:
    case BOLT_PY_SOURCE_QUERY:
    case BOLT_PY_SOURCE_HEADER:
    case BOLT_PY_SOURCE_COOKIE:
        return param->group != NULL ? bolt_py_group_bind(bind, param) : bind_text(bind, param);
    case BOLT_PY_SOURCE_BODY:
        return bolt_py_body_bind(bind, param);
    case BOLT_PY_SOURCE_REQUEST:
        return bind_request(bind);
    case BOLT_PY_SOURCE_FORM:
    case BOLT_PY_SOURCE_FILE:
    case BOLT_PY_SOURCE_DEPENDS:
        break;
    }
    Py_UNREACHABLE(); /* refused when the route was registered */
}

int bolt_py_bind(struct bolt_py_binder *binder, struct bolt_exchange *exchange, PyObject *request, PyObject **args)
{
    struct bolt_py_hit stack[HITS_ON_STACK];
    struct bolt_py_bind bind = {.binder = binder, .wire = bolt_py_wire_of(exchange), .request = request, .hits = stack};
    if (binder->slot_count > HITS_ON_STACK) {
        bind.hits = PyMem_New(struct bolt_py_hit, binder->slot_count);
        if (bind.hits == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    if (binder->slot_count > 0)
        bolt_py_scan(binder, bind.wire.head, bind.hits);
    Py_ssize_t bound = 0;
    while (bound < binder->nargs) {
        args[bound] = bind_param(&bind, &binder->params[bound]);
        if (args[bound] == NULL)
            break;
        bound++;
    }
    if (bind.hits != stack)
        PyMem_Free(bind.hits);
    Py_XDECREF(bind.content);
    if (BOLT_LIKELY(bound == binder->nargs))
        return 0;
    while (bound-- > 0)
        Py_CLEAR(args[bound]);
    return -1;
}
