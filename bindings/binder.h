/* SPDX-License-Identifier: MIT */
/* binder.h - a handler's parameter table, compiled once; per request: raw request to Python arguments. */
#ifndef BOLT_PY_BINDER_H
#define BOLT_PY_BINDER_H

#include <Python.h>

#include "bolt/server.h"
#include "settings.h"
#include "state.h"

/* Immutable after new; may be used by interleaved requests. It is a Python object of a private type, because the
 * route and every request that outlives its response hold it; the functions below hide that. */
struct bolt_py_binder;

/* Adds the private type to the state (not to the module's names). */
int bolt_py_add_binder(PyObject *module, struct bolt_py_state *state);

/* Compiles a sequence of ParamSpec for a route with the pattern `path` (str; its {} segments name the entries of
 * request.params). NULL with TypeError or ValueError naming `route_name` and the parameter. */
struct bolt_py_binder *bolt_py_binder_new(struct bolt_py_state *state, struct bolt_py_settings *settings,
                                          PyObject *param_specs, PyObject *path, PyObject *route_name);
void bolt_py_binder_free(struct bolt_py_binder *binder); /* gives up the caller's reference; NULL is fine */
int bolt_py_binder_traverse(struct bolt_py_binder *binder, visitproc visit, void *arg);

/* Argument count (positional then keyword-only), and the tuple of keyword names or NULL (borrowed). */
Py_ssize_t bolt_py_binder_nargs(const struct bolt_py_binder *binder);
Py_ssize_t bolt_py_binder_npositional(const struct bolt_py_binder *binder);
PyObject *bolt_py_binder_kwnames_borrow(const struct bolt_py_binder *binder);
bool bolt_py_binder_wants_request(const struct bolt_py_binder *binder);

/* Fills args[0..nargs) with new references, ready for PyObject_Vectorcall. On failure returns -1 with an exception
 * set (HTTPException 422 for the string family, RequestValidationError for the list family, see surface
 * section 5) and has released everything. `request` is the Request object, or NULL when nobody needs one.
 * May run Python code (decoders, checks, default factories), hence may switch greenlets. */
int bolt_py_bind(struct bolt_py_binder *binder, struct bolt_exchange *exchange, PyObject *request, PyObject **args);

#endif
