/* SPDX-License-Identifier: MIT */
/* binder.c - the object that holds a compiled parameter table: lifetime, GC and the questions callers ask.
 *
 * binder_compile.c fills the table, bind.c reads it. It is a Python object (of a type Python code never sees) so
 * that a route and any number of kept requests can share it under the cycle collector.
 */
#include "binder_int.h"

static int visit_param(const struct bolt_py_param *param, visitproc visit, void *arg)
{
    Py_VISIT(param->default_value);
    Py_VISIT(param->default_factory);
    Py_VISIT(param->choices);
    Py_VISIT(param->check);
    Py_VISIT(param->decode);
    if (param->group != NULL) {
        Py_VISIT(param->group->build);
        for (size_t i = 0; i < param->group->field_count; i++) {
            int status = visit_param(&param->group->fields[i], visit, arg);
            if (status != 0)
                return status;
        }
    }
    return 0; /* names and keys are strings */
}

static int binder_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct bolt_py_binder *binder = (struct bolt_py_binder *)self;
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = 0; binder->params != NULL && i < binder->nargs; i++) {
        int status = visit_param(&binder->params[i], visit, arg);
        if (status != 0)
            return status;
    }
    return 0;
}

static void clear_param(struct bolt_py_param *param)
{
    Py_CLEAR(param->default_value);
    Py_CLEAR(param->default_factory);
    Py_CLEAR(param->choices);
    Py_CLEAR(param->check);
    Py_CLEAR(param->decode);
    if (param->group != NULL) {
        Py_CLEAR(param->group->build);
        for (size_t i = 0; i < param->group->field_count; i++)
            clear_param(&param->group->fields[i]);
    }
}

static void free_param(struct bolt_py_param *param)
{
    clear_param(param);
    Py_CLEAR(param->name);
    Py_CLEAR(param->wire_key);
    if (param->group == NULL)
        return;
    for (size_t i = 0; i < param->group->field_count; i++)
        free_param(&param->group->fields[i]);
    Py_CLEAR(param->group->wire_keys);
    Py_CLEAR(param->group->known_keys);
    PyMem_Free(param->group->fields);
    PyMem_Free(param->group);
}

/* No tp_clear: the table must stay intact for its whole life (a bind may be running in another greenlet), and every
 * cycle through it also passes through a handler, a route or a request, which can be cleared. */
static void binder_dealloc(PyObject *self)
{
    struct bolt_py_binder *binder = (struct bolt_py_binder *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    for (Py_ssize_t i = 0; binder->params != NULL && i < binder->nargs; i++)
        free_param(&binder->params[i]);
    PyMem_Free(binder->params);
    PyMem_Free(binder->texts);
    PyMem_Free(binder->slots);
    Py_XDECREF(binder->route_name);
    Py_XDECREF(binder->capture_names);
    Py_XDECREF(binder->kwnames);
    bolt_py_settings_unref(binder->settings);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, binder_dealloc},
    {Py_tp_traverse, binder_traverse},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "django_bolt._core._Binder",
    .basicsize = sizeof(struct bolt_py_binder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int bolt_py_add_binder(PyObject *module, struct bolt_py_state *state)
{
    if (bolt_py_convert_init() < 0)
        return -1;
    state->Binder_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->Binder_type == NULL ? -1 : 0;
}

void bolt_py_binder_free(struct bolt_py_binder *binder)
{
    Py_XDECREF((PyObject *)binder);
}

int bolt_py_binder_traverse(struct bolt_py_binder *binder, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)binder);
    return 0;
}

Py_ssize_t bolt_py_binder_nargs(const struct bolt_py_binder *binder)
{
    return binder->nargs;
}

Py_ssize_t bolt_py_binder_npositional(const struct bolt_py_binder *binder)
{
    return binder->npositional;
}

PyObject *bolt_py_binder_kwnames_borrow(const struct bolt_py_binder *binder)
{
    return binder->kwnames;
}

bool bolt_py_binder_wants_request(const struct bolt_py_binder *binder)
{
    return binder->wants_request;
}
