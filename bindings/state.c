/* SPDX-License-Identifier: MIT */
/* state.c - loads, visits and clears the module state, all from the lists in state.h. */
#include "state.h"

/* module.attribute, where the attribute may be dotted. */
static PyObject *import_attribute(const char *module_name, const char *attribute)
{
    PyObject *value = PyImport_ImportModule(module_name);
    while (value && attribute) {
        const char *dot = strchr(attribute, '.');
        size_t len = dot ? (size_t)(dot - attribute) : strlen(attribute);
        PyObject *name = PyUnicode_FromStringAndSize(attribute, (Py_ssize_t)len);
        PyObject *next = name ? PyObject_GetAttr(value, name) : NULL;
        Py_XDECREF(name);
        Py_SETREF(value, next);
        attribute = dot ? dot + 1 : NULL;
    }
    return value;
}

int bolt_py_state_load(struct bolt_py_state *state)
{
#define LOAD_IMPORT(name, module, attribute)                                                                           \
    if (!(state->name = import_attribute(module, attribute)))                                                          \
        return -1;
    BOLT_PY_IMPORTS(LOAD_IMPORT)
#undef LOAD_IMPORT
#define LOAD_STRING(name, text)                                                                                        \
    if (!(state->str_##name = PyUnicode_InternFromString(text)))                                                       \
        return -1;
    BOLT_PY_STRINGS(LOAD_STRING)
#undef LOAD_STRING
#define LOAD_KWNAMES(name)                                                                                             \
    if (!(state->kwnames_##name = Py_BuildValue("(s)", #name)))                                                        \
        return -1;
    BOLT_PY_KWNAMES(LOAD_KWNAMES)
#undef LOAD_KWNAMES
    return 0;
}

int bolt_py_state_traverse(struct bolt_py_state *state, visitproc visit, void *arg)
{
#define VISIT_TYPE(name) Py_VISIT(state->name##_type);
    BOLT_PY_TYPES(VISIT_TYPE)
#undef VISIT_TYPE
#define VISIT_IMPORT(name, module, attribute) Py_VISIT(state->name);
    BOLT_PY_IMPORTS(VISIT_IMPORT)
#undef VISIT_IMPORT
    return 0; /* strings and tuples of strings are in no cycle */
}

void bolt_py_state_clear(struct bolt_py_state *state)
{
#define CLEAR_TYPE(name) Py_CLEAR(state->name##_type);
    BOLT_PY_TYPES(CLEAR_TYPE)
#undef CLEAR_TYPE
#define CLEAR_IMPORT(name, module, attribute) Py_CLEAR(state->name);
    BOLT_PY_IMPORTS(CLEAR_IMPORT)
#undef CLEAR_IMPORT
#define CLEAR_STRING(name, text) Py_CLEAR(state->str_##name);
    BOLT_PY_STRINGS(CLEAR_STRING)
#undef CLEAR_STRING
    Py_CLEAR(state->sqlite_queues);
#define CLEAR_KWNAMES(name) Py_CLEAR(state->kwnames_##name);
    BOLT_PY_KWNAMES(CLEAR_KWNAMES)
#undef CLEAR_KWNAMES
}

struct bolt_py_state *bolt_py_state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

struct bolt_py_state *bolt_py_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &bolt_py_module_def);
    return module ? PyModule_GetState(module) : NULL;
}
