/* SPDX-License-Identifier: MIT */
/* module.c - the extension module: multi-phase init, its state and the table of types. */
#include <Python.h>

#include "app.h"
#include "binder.h"
#include "request.h"
#include "server_type.h"
#include "sqlite_conn.h"
#include "state.h"
#include "task.h"

typedef int (*add_type_fn)(PyObject *module, struct bolt_py_state *state);

static const add_type_fn add_types[] = {
    bolt_py_green_add, bolt_py_sqlite_add,       bolt_py_add_binder, bolt_py_add_request,
    bolt_py_add_app,   bolt_py_add_request_task, bolt_py_add_server, NULL,
};

static int module_exec(PyObject *module)
{
    struct bolt_py_state *state = bolt_py_state_of(module);
    if (bolt_py_state_load(state) < 0)
        return -1;
    for (const add_type_fn *add = add_types; *add; add++) {
        if ((*add)(module, state) < 0)
            return -1;
    }
    return 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    return bolt_py_state_traverse(bolt_py_state_of(module), visit, arg);
}

static int module_clear(PyObject *module)
{
    bolt_py_state_clear(bolt_py_state_of(module));
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

static struct PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    /* greenlet and asyncio's task registry are per process, and nobody has tested it. */
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

struct PyModuleDef bolt_py_module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "django_bolt._core",
    .m_doc = "The compiled engine of django_bolt (private).",
    .m_size = sizeof(struct bolt_py_state),
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&bolt_py_module_def);
}
