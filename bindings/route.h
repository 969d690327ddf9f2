/* SPDX-License-Identifier: MIT */
/* route.h - a registered route as the request path sees it: handler, binder and result plan, compiled once. */
#ifndef BOLT_PY_ROUTE_H
#define BOLT_PY_ROUTE_H

#include <Python.h>

#include "binder.h"
#include "bolt/method.h"
#include "plan.h"

/* How a return value becomes a response (ResultSpec of _plan.py). */
struct bolt_py_result {
    enum bolt_py_result_kind kind;
    int status;
    bool allow_none;
    PyTypeObject *exact; /* strong, NULL: none */
    PyObject *convert;   /* strong, NULL: none */
};

/* Immutable after compile. The router's tree owns it; the App lists it for the garbage collector. */
struct bolt_py_route {
    PyObject *handler;
    PyObject *meta;
    PyObject *name; /* str: "module.qualname" */
    struct bolt_py_binder *binder;
    Py_ssize_t nargs;
    Py_ssize_t npositional;
    PyObject *kwnames; /* the binder's, NULL when every argument is positional */
    bool wants_request;
    bool is_async;
    bool cancel_on_disconnect;
    struct bolt_py_result result;
    struct bolt_py_route *prev, *next; /* the App's list */
};

/* Compiles a RouteSpec; `*method` and `*path` (str, new reference) are what to register it under. NULL with
 * TypeError or ValueError naming the handler. */
struct bolt_py_route *bolt_py_route_compile(struct bolt_py_state *state, struct bolt_py_settings *settings,
                                            PyObject *spec, enum bolt_method *method, PyObject **path);
void bolt_py_route_free(struct bolt_py_route *route); /* NULL is fine */
int bolt_py_route_traverse(struct bolt_py_route *route, visitproc visit, void *arg);

#endif
