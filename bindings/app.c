/* SPDX-License-Identifier: MIT */
/* app.c - the App type: routes are compiled and added until the first Server freezes it.
 *
 * Ownership: the router's tree owns each struct bolt_py_route; the doubly linked list starting at `routes` holds
 * the same pointers so that the garbage collector can visit what they refer to. tp_clear drops the
 * whole router, because a frozen App is only collected together with the Servers that use it.
 */
#include "app.h"

#include "compat.h"
#include "errors.h"

static void list_route(struct bolt_py_app *app, struct bolt_py_route *route)
{
    route->prev = NULL;
    route->next = app->routes;
    if (app->routes)
        app->routes->prev = route;
    app->routes = route;
}

static void unlist_route(struct bolt_py_app *app, struct bolt_py_route *route)
{
    if (route->next)
        route->next->prev = route->prev;
    if (route->prev)
        route->prev->next = route->next;
    else
        app->routes = route->next;
}

static void free_route(void *route)
{
    bolt_py_route_free(route);
}

/* msgspec.json.Encoder(enc_hook=hooks.encode_fallback, decimal_format="string").encode */
static PyObject *new_encode(struct bolt_py_state *state, PyObject *hooks)
{
    PyObject *encode = NULL;
    PyObject *fallback = PyObject_GetAttrString(hooks, "encode_fallback");
    PyObject *kwargs = fallback ? Py_BuildValue("{s:O,s:s}", "enc_hook", fallback, "decimal_format", "string") : NULL;
    PyObject *args = kwargs ? PyTuple_New(0) : NULL;
    PyObject *encoder = args ? PyObject_Call(state->msgspec_json_Encoder, args, kwargs) : NULL;
    if (encoder)
        encode = PyObject_GetAttrString(encoder, "encode");
    Py_XDECREF(encoder);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(fallback);
    return encode;
}

static int load_hooks(struct bolt_py_app *app, PyObject *hooks)
{
    app->handle_exception = PyObject_GetAttrString(hooks, "handle_exception");
    if (!app->handle_exception)
        return -1;
    app->finalize = PyObject_GetAttrString(hooks, "finalize");
    if (!app->finalize)
        return -1;
    app->handle_unmatched = PyObject_GetAttrString(hooks, "handle_unmatched");
    if (!app->handle_unmatched)
        return -1;
    app->encode = new_encode(app->state, hooks);
    return app->encode ? 0 : -1;
}

static PyObject *app_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"hooks", "custom_errors", "settings", NULL};
    PyObject *hooks, *mapping = NULL;
    int custom_errors = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pO:App", keywords, &hooks, &custom_errors, &mapping))
        return NULL;
    struct bolt_py_state *state = bolt_py_state_of_type(type);
    if (!state)
        return NULL;
    struct bolt_py_app *app = (struct bolt_py_app *)type->tp_alloc(type, 0);
    if (!app)
        return NULL;
    app->state = state;
    app->custom_errors = custom_errors;
    app->router = bolt_router_new();
    if (!app->router) {
        PyErr_NoMemory();
        goto fail;
    }
    app->settings = bolt_py_settings_new(mapping);
    if (!app->settings || load_hooks(app, hooks) < 0)
        goto fail;
    return (PyObject *)app;
fail:
    Py_DECREF(app);
    return NULL;
}

static int app_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct bolt_py_app *app = (struct bolt_py_app *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(app->handle_exception);
    Py_VISIT(app->finalize);
    Py_VISIT(app->handle_unmatched);
    Py_VISIT(app->encode);
    for (struct bolt_py_route *route = app->routes; route; route = route->next) {
        int stop = bolt_py_route_traverse(route, visit, arg);
        if (stop)
            return stop;
    }
    return 0;
}

static int app_clear(PyObject *self)
{
    struct bolt_py_app *app = (struct bolt_py_app *)self;
    struct bolt_router *router = app->router;
    app->router = NULL;
    app->routes = NULL;
    app->frozen = true;
    bolt_router_free(router, free_route);
    Py_CLEAR(app->handle_exception);
    Py_CLEAR(app->finalize);
    Py_CLEAR(app->handle_unmatched);
    Py_CLEAR(app->encode);
    return 0;
}

static void app_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    app_clear(self);
    bolt_py_settings_unref(((struct bolt_py_app *)self)->settings);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Registers a compiled route; 1 when it replaced an earlier one (freed), 0, or -1 with an exception. */
static int install(struct bolt_py_app *app, struct bolt_py_route *route, enum bolt_method method, PyObject *path)
{
    Py_ssize_t len;
    const char *ptr = PyUnicode_AsUTF8AndSize(path, &len);
    if (!ptr)
        return -1;
    void *replaced = NULL;
    struct bolt_errinfo info = {0};
    int err = bolt_router_add(app->router, method, bolt_slice_of(ptr, (size_t)len), route, &replaced, &info);
    if (err == BOLT_ERR_NOMEM) {
        PyErr_NoMemory();
        return -1;
    }
    if (err) {
        PyErr_Format(PyExc_ValueError, "%U: path %R: %s (at character %zu)", route->name, path,
                     info.text ? info.text : "not a path pattern", info.offset);
        return -1;
    }
    list_route(app, route);
    if (!replaced)
        return 0;
    unlist_route(app, replaced);
    bolt_py_route_free(replaced);
    return 1;
}

static PyObject *app_add_route(PyObject *self, PyObject *spec)
{
    struct bolt_py_app *app = (struct bolt_py_app *)self;
    if (app->frozen) {
        PyErr_SetString(PyExc_RuntimeError, "a Server was made from this App: routes can no longer be added");
        return NULL;
    }
    enum bolt_method method = BOLT_METHOD_OTHER;
    PyObject *path = NULL;
    struct bolt_py_route *route = bolt_py_route_compile(app->state, app->settings, spec, &method, &path);
    if (!route)
        return NULL;
    int replaced = install(app, route, method, path);
    Py_DECREF(path);
    if (replaced < 0) {
        bolt_py_route_free(route);
        return NULL;
    }
    return PyBool_FromLong(replaced);
}

static const char *const kind_names[] = {
    [BOLT_ROUTE_FOUND] = "found",
    [BOLT_ROUTE_NOT_FOUND] = "not_found",
    [BOLT_ROUTE_NOT_ALLOWED] = "not_allowed",
    [BOLT_ROUTE_AUTO_OPTIONS] = "auto_options",
    [BOLT_ROUTE_REDIRECT_ADD] = "redirect_add",
    [BOLT_ROUTE_REDIRECT_STRIP] = "redirect_strip",
};

static PyObject *app_match(PyObject *self, PyObject *args)
{
    struct bolt_py_app *app = (struct bolt_py_app *)self;
    const char *method, *path;
    Py_ssize_t method_len, path_len;
    if (!app->router) {
        PyErr_SetString(PyExc_RuntimeError, "the App has been cleared by the garbage collector");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "s#s#:match", &method, &method_len, &path, &path_len))
        return NULL;
    struct bolt_route_match match = {0};
    bolt_router_match(app->router, bolt_method_from(bolt_slice_of(method, (size_t)method_len)),
                      bolt_slice_of(path, (size_t)path_len), &match);
    PyObject *captures = PyList_New(match.capture_count);
    if (!captures)
        return NULL;
    for (uint8_t i = 0; i < match.capture_count; i++) {
        PyObject *text = PyUnicode_FromStringAndSize(match.captures[i].ptr, (Py_ssize_t)match.captures[i].len);
        if (!text) {
            Py_DECREF(captures);
            return NULL;
        }
        PyList_SET_ITEM(captures, i, text);
    }
    struct bolt_py_route *route = match.kind == BOLT_ROUTE_FOUND ? match.route : NULL;
    return Py_BuildValue("(sON)", kind_names[match.kind], route ? route->meta : Py_None, captures);
}

static PyMethodDef app_methods[] = {
    {"add_route", app_add_route, METH_O, PyDoc_STR("Compile and add; True when an earlier route was replaced.")},
    {"match", app_match, METH_VARARGS, PyDoc_STR("(kind, meta, raw captures) of a method and path.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot app_slots[] = {
    {Py_tp_doc, PyDoc_STR("Routes and hooks of one process; frozen once a Server is made from it.")},
    {Py_tp_new, app_new},
    {Py_tp_dealloc, app_dealloc},
    {Py_tp_traverse, app_traverse},
    {Py_tp_clear, app_clear},
    {Py_tp_methods, app_methods},
    {0, NULL},
};

static PyType_Spec app_spec = {
    .name = "django_bolt._core.App",
    .basicsize = sizeof(struct bolt_py_app),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = app_slots,
};

int bolt_py_add_app(PyObject *module, struct bolt_py_state *state)
{
    state->App_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &app_spec, NULL);
    return state->App_type ? PyModule_AddType(module, state->App_type) : -1;
}
