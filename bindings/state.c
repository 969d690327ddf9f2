/* SPDX-License-Identifier: MIT */
/* state.c - loads, visits and clears the module state, all from the lists in state.h. */
#include "state.h"

static PyObject *import_attribute(const char *module_name, const char *attribute)
{
    PyObject *module = PyImport_ImportModule(module_name);
    if (!module)
        return NULL;
    PyObject *value = PyObject_GetAttrString(module, attribute);
    Py_DECREF(module);
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
    return 0; /* strings hold no references */
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
