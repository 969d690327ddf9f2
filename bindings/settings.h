/* SPDX-License-Identifier: MIT */
/* settings.h - what App(settings=...) and the environment decide for every request, parsed once. */
#ifndef BOLT_PY_SETTINGS_H
#define BOLT_PY_SETTINGS_H

#include <Python.h>

#include "bolt/forwarded.h"

/* Plain C data, immutable after _new, counted under the GIL: App, binders and requests share one. */
struct bolt_py_settings {
    Py_ssize_t refs;
    size_t param_bytes; /* longest path or query value, DJANGO_BOLT_MAX_PARAM_LENGTH */
    size_t trusted_count;
    struct bolt_ip_network *trusted; /* BOLT_TRUSTED_PROXIES */
};

/* Reads BOLT_TRUSTED_PROXIES of `mapping` (NULL or None: nothing is set) and the environment. One reference.
 * NULL with TypeError or ValueError that names the setting. */
struct bolt_py_settings *bolt_py_settings_new(PyObject *mapping);
struct bolt_py_settings *bolt_py_settings_ref(struct bolt_py_settings *settings);
void bolt_py_settings_unref(struct bolt_py_settings *settings); /* NULL is fine */

#endif
