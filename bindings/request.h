/* SPDX-License-Identifier: MIT */
/* request.h - the Request object: a lazy view of an open exchange. */
#ifndef BOLT_PY_REQUEST_H
#define BOLT_PY_REQUEST_H

#include <Python.h>

#include "binder.h"
#include "bolt/server.h"
#include "settings.h"
#include "state.h"

/* Adds the type to the module. */
int bolt_py_add_request(PyObject *module, struct bolt_py_state *state);

/* New reference. Borrows the exchange until bolt_py_request_detach(). `binder` gives declared names for typed
 * query/params/cookies (NULL: no route matched, all str). Binder and settings are kept alive by the request. */
PyObject *bolt_py_request_new(struct bolt_py_state *state, struct bolt_py_settings *settings,
                              struct bolt_exchange *exchange, struct bolt_py_binder *binder);

/* Called before the exchange ends. When others still hold the request (refcount > 1), what it
 * borrows is copied first; afterwards it never touches the exchange again. Failure to copy leaves an
 * empty request and is reported through PyErr_WriteUnraisable. */
void bolt_py_request_detach(PyObject *request);

#endif
