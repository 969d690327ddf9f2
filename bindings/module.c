/* SPDX-License-Identifier: MIT */
/* module.c - the extension module: multi-phase init and the table of types. */
#include <Python.h>

static struct PyModuleDef_Slot slots[] = {
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "django_bolt._core",
    .m_doc = "The compiled engine of django_bolt (private).",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&module_def);
}
