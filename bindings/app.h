/* SPDX-License-Identifier: MIT */
/* app.h - the App type: compiled routes and the Python hooks of one application. */
#ifndef BOLT_PY_APP_H
#define BOLT_PY_APP_H

#include <Python.h>

#include "bolt/route.h"
#include "route.h"
#include "settings.h"
#include "state.h"

struct bolt_py_app {
    PyObject_HEAD
    struct bolt_py_state *state;
    struct bolt_router *router; /* owns the routes */
    struct bolt_py_route *routes;
    struct bolt_py_settings *settings;
    bool custom_errors;
    bool frozen; /* a Server was made from it: no further route */
    /* hooks, see the Hooks protocol in _core.pyi */
    PyObject *handle_exception;
    PyObject *finalize;
    PyObject *handle_unmatched;
    PyObject *encode; /* msgspec.json.Encoder(enc_hook=hooks.encode_fallback).encode */
};

int bolt_py_add_app(PyObject *module, struct bolt_py_state *state);

#endif
