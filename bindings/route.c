/* SPDX-License-Identifier: MIT */
/* route.c - compiles a RouteSpec record into a struct bolt_py_route.
 *
 * Everything a request would have to look up by name is looked up here: attributes of the record, types of the
 * result plan, argument counts of the binder. Misuse is reported here too, with the handler's name in front.
 */
#include "route.h"

#include "compat.h"

/* An attribute of a record checked to be a str; new reference. */
static PyObject *get_str(PyObject *spec, const char *attribute)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (value && !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "RouteSpec.%s must be str, not %.100s", attribute, Py_TYPE(value)->tp_name);
        Py_CLEAR(value);
    }
    return value;
}

static int get_bool(PyObject *spec, const char *attribute, bool *out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (!value)
        return -1;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    if (truth < 0)
        return -1;
    *out = truth;
    return 0;
}

static int get_int(PyObject *spec, const char *attribute, long low, long high, int *out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (!value)
        return -1;
    long number = PyLong_AsLong(value);
    Py_DECREF(value);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < low || number > high) {
        PyErr_Format(PyExc_ValueError, "ResultSpec.%s must be %ld..%ld, not %ld", attribute, low, high, number);
        return -1;
    }
    *out = (int)number;
    return 0;
}

/* *out: new reference, NULL for None. */
static int get_optional(PyObject *spec, const char *attribute, PyObject **out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (!value)
        return -1;
    if (value == Py_None)
        Py_CLEAR(value);
    *out = value;
    return 0;
}

static int compile_result(PyObject *spec, struct bolt_py_result *result)
{
    PyObject *exact = NULL;
    int kind;
    if (get_int(spec, "kind", BOLT_PY_RESULT_AUTO, BOLT_PY_RESULT_FINALIZE, &kind) < 0)
        return -1;
    result->kind = (enum bolt_py_result_kind)kind;
    if (get_int(spec, "status", 200, 599, &result->status) < 0 ||
        get_bool(spec, "allow_none", &result->allow_none) < 0 || get_optional(spec, "convert", &result->convert) < 0 ||
        get_optional(spec, "exact", &exact) < 0)
        return -1;
    if (exact && !PyType_Check(exact)) {
        PyErr_Format(PyExc_TypeError, "ResultSpec.exact must be a type, not %.100s", Py_TYPE(exact)->tp_name);
        Py_DECREF(exact);
        return -1;
    }
    result->exact = (PyTypeObject *)exact;
    if (result->kind == BOLT_PY_RESULT_CONVERT && !result->convert) {
        PyErr_SetString(PyExc_TypeError, "ResultSpec.convert is required for ResultKind.CONVERT");
        return -1;
    }
    return 0;
}

static int compile_method(PyObject *spec, enum bolt_method *method)
{
    PyObject *text = get_str(spec, "method");
    if (!text)
        return -1;
    Py_ssize_t len;
    const char *ptr = PyUnicode_AsUTF8AndSize(text, &len);
    int ok = -1;
    if (ptr) {
        *method = bolt_method_from(bolt_slice_of(ptr, (size_t)len));
        ok = *method == BOLT_METHOD_OTHER ? -1 : 0;
        if (ok < 0)
            PyErr_Format(PyExc_ValueError, "RouteSpec.method %R is not a method this server routes", text);
    }
    Py_DECREF(text);
    return ok;
}

static int compile_binder(struct bolt_py_route *route, struct bolt_py_state *state, struct bolt_py_settings *settings,
                          PyObject *spec, PyObject *path)
{
    PyObject *params = PyObject_GetAttrString(spec, "params");
    if (!params)
        return -1;
    route->binder = bolt_py_binder_new(state, settings, params, path, route->name);
    Py_DECREF(params);
    if (!route->binder)
        return -1;
    route->nargs = bolt_py_binder_nargs(route->binder);
    route->npositional = bolt_py_binder_npositional(route->binder);
    route->kwnames = bolt_py_binder_kwnames_borrow(route->binder);
    route->wants_request = bolt_py_binder_wants_request(route->binder);
    return 0;
}

static int compile_fields(struct bolt_py_route *route, PyObject *spec)
{
    PyObject *result = NULL;
    if (!(route->name = get_str(spec, "name")) || !(route->handler = PyObject_GetAttrString(spec, "handler")) ||
        !(route->meta = PyObject_GetAttrString(spec, "meta")) || get_bool(spec, "is_async", &route->is_async) < 0 ||
        get_bool(spec, "cancel_on_disconnect", &route->cancel_on_disconnect) < 0 ||
        !(result = PyObject_GetAttrString(spec, "result")))
        return -1;
    int err = compile_result(result, &route->result);
    Py_DECREF(result);
    if (err == 0 && !PyCallable_Check(route->handler)) {
        PyErr_Format(PyExc_TypeError, "%U: handler must be callable, not %.100s", route->name,
                     Py_TYPE(route->handler)->tp_name);
        return -1;
    }
    return err;
}

struct bolt_py_route *bolt_py_route_compile(struct bolt_py_state *state, struct bolt_py_settings *settings,
                                            PyObject *spec, enum bolt_method *method, PyObject **path)
{
    struct bolt_py_route *route = PyMem_Calloc(1, sizeof(*route));
    if (!route) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *pattern = NULL;
    if (compile_fields(route, spec) < 0 || compile_method(spec, method) < 0 || !(pattern = get_str(spec, "path")) ||
        compile_binder(route, state, settings, spec, pattern) < 0) {
        Py_XDECREF(pattern);
        bolt_py_route_free(route);
        return NULL;
    }
    *path = pattern;
    return route;
}

void bolt_py_route_free(struct bolt_py_route *route)
{
    if (!route)
        return;
    bolt_py_binder_free(route->binder);
    Py_XDECREF(route->handler);
    Py_XDECREF(route->meta);
    Py_XDECREF(route->name);
    Py_XDECREF(route->result.exact);
    Py_XDECREF(route->result.convert);
    PyMem_Free(route);
}

int bolt_py_route_traverse(struct bolt_py_route *route, visitproc visit, void *arg)
{
    Py_VISIT(route->handler);
    Py_VISIT(route->meta);
    Py_VISIT(route->result.exact);
    Py_VISIT(route->result.convert);
    return bolt_py_binder_traverse(route->binder, visit, arg);
}
