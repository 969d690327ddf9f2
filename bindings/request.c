/* SPDX-License-Identifier: MIT */
/* request.c - the Request object: type, attributes, item access and what happens when it outlives its response.
 *
 * A request is a pointer to an exchange plus one pointer per attribute, all NULL until somebody asks; a handler that
 * never looks pays for the allocation alone. The exchange's octets live in the connection's input buffer, so the
 * request must let go of them before the exchange ends: bolt_py_request_detach() copies the head when anybody
 * still holds the object, and every attribute keeps working from the copy.
 *
 * Unknown attributes are read from request.state (session, _messages and the like are put there by middleware) and
 * cannot be set: a typo in an assignment is an error, not a silently kept value.
 */
#include "request_int.h"

#include <structmember.h>

#include "bolt/ascii.h"
#include "compat.h"

/* --- building and keeping --- */

static const struct bolt_http1_head empty_head = {
    .method = BOLT_METHOD_OTHER,
    .method_name = {"", 0},
    .path = {"", 0},
    .known = {[0 ... BOLT_H_COUNT - 1] = -1},
};

struct bolt_py_wire bolt_py_request_wire(const struct bolt_py_request *request)
{
    if (request->exchange != NULL)
        return bolt_py_wire_of(request->exchange);
    if (request->copy == NULL)
        return (struct bolt_py_wire){&empty_head, BOLT_SLICE_LIT(""), NULL, 0};
    /* The content of a detached request is in request->body. */
    return (struct bolt_py_wire){&request->copy->head, BOLT_SLICE_LIT(""), request->copy->captures,
                                 request->copy->capture_count};
}

PyObject *bolt_py_request_new(struct bolt_py_state *state, struct bolt_py_settings *settings,
                              struct bolt_exchange *exchange, struct bolt_py_binder *binder)
{
    struct bolt_py_request *request = (struct bolt_py_request *)state->Request_type->tp_alloc(state->Request_type, 0);
    if (request == NULL)
        return NULL;
    request->bolt = state;
    request->settings = bolt_py_settings_ref(settings);
    request->exchange = exchange;
    request->binder = (struct bolt_py_binder *)Py_XNewRef((PyObject *)binder);
    return (PyObject *)request;
}

/* Slices of a head that point into the input, in a fixed order; count includes names and values of all fields. */
static size_t head_slices(struct bolt_http1_head *head, struct bolt_slice **slices)
{
    struct bolt_slice *fixed[] = {&head->method_name, &head->target, &head->path, &head->query, &head->authority};
    size_t count = 0;
    for (; count < BOLT_ARRAY_LEN(fixed); count++)
        slices[count] = fixed[count];
    for (size_t i = 0; i < head->field_count; i++) {
        slices[count++] = &head->fields[i].name;
        slices[count++] = &head->fields[i].value;
    }
    return count;
}

#define MAX_SLICES (5 + 2 * BOLT_HTTP1_MAX_FIELDS + BOLT_ROUTE_MAX_CAPTURES)

/* Copies the exchange's head and captures and gives every slice octets of our own. */
static struct bolt_py_request_copy *copy_exchange(struct bolt_exchange *exchange)
{
    struct bolt_slice *slices[MAX_SLICES];
    size_t count = head_slices(&exchange->head, slices);
    for (size_t i = 0; i < exchange->match.capture_count; i++)
        slices[count++] = &exchange->match.captures[i];
    size_t octets = 0; /* parts of one bounded header section, some twice: no overflow */
    for (size_t i = 0; i < count; i++)
        octets += slices[i]->len;
    struct bolt_py_request_copy *copy = PyMem_Malloc(sizeof(*copy) + octets);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(&copy->head, &exchange->head, offsetof(struct bolt_http1_head, fields));
    memcpy(copy->head.fields, exchange->head.fields, exchange->head.field_count * sizeof(struct bolt_http1_field));
    copy->capture_count = exchange->match.capture_count;
    memcpy(copy->captures, exchange->match.captures, copy->capture_count * sizeof(struct bolt_slice));
    count = head_slices(&copy->head, slices);
    for (size_t i = 0; i < copy->capture_count; i++)
        slices[count++] = &copy->captures[i];
    char *out = copy->octets;
    for (size_t i = 0; i < count; i++) {
        if (slices[i]->len > 0)
            memcpy(out, slices[i]->ptr, slices[i]->len);
        slices[i]->ptr = slices[i]->ptr != NULL ? out : NULL; /* a NULL query means: no '?' */
        out += slices[i]->len;
    }
    return copy;
}

static int keep(struct bolt_py_request *request)
{
    PyObject *body = bolt_py_request_body((PyObject *)request);
    if (body == NULL)
        return -1;
    Py_DECREF(body); /* request->body keeps it */
    struct bolt_py_request_copy *copy = copy_exchange(request->exchange);
    if (copy == NULL)
        return -1;
    bolt_py_request_addresses(request, &copy->peer, &copy->local);
    request->copy = copy;
    return 0;
}

void bolt_py_request_detach(PyObject *self)
{
    struct bolt_py_request *request = (struct bolt_py_request *)self;
    if (request->exchange == NULL)
        return;
    /* Exclusivity is the point of this test: nobody else can get at the object, the caller drops it next. */
    if (Py_REFCNT(self) > 1 && keep(request) < 0)
        PyErr_WriteUnraisable(self);
    request->exchange = NULL;
}

/* --- attributes --- */

static PyObject *build_method(struct bolt_py_request *request)
{
    struct bolt_slice name = bolt_py_request_wire(request).head->method_name;
    return PyUnicode_DecodeASCII(name.ptr, (Py_ssize_t)name.len, "replace");
}

static PyObject *build_body(struct bolt_py_request *request)
{
    struct bolt_slice content = bolt_py_request_wire(request).content;
    return PyBytes_FromStringAndSize(content.ptr, (Py_ssize_t)content.len);
}

static PyObject *build_dict(struct bolt_py_request *Py_UNUSED(request))
{
    return PyDict_New();
}

static PyObject *build_none(struct bolt_py_request *Py_UNUSED(request))
{
    return Py_NewRef(Py_None);
}

/* X(name, builder, item, settable, doc): attributes built on first use. `item`: also request[name]; `settable`: both ways. */
#define ATTRIBUTES(X)                                                                                                  \
    X(method, build_method, true, false, "Request method, as sent.")                                                   \
    X(path, bolt_py_request_build_path, true, false, "Path without query string, percent-decoded.")                    \
    X(query, bolt_py_request_build_query, true, false,                                                                 \
      "Query values: converted where the handler declares them, else the last text of each key.")                      \
    X(params, bolt_py_request_build_params, true, false,                                                               \
      "Values of the path's {} segments, converted where declared.")                                                   \
    X(headers, bolt_py_request_build_headers, true, false,                                                             \
      "Header values by lower-case name; repeated fields are joined.")                                                 \
    X(cookies, bolt_py_request_build_cookies, true, false, "Cookie values by name, converted where declared.")         \
    X(raw_cookies, bolt_py_request_build_raw_cookies, false, false, "Cookie texts by name.")                           \
    X(body, build_body, true, false, "Content octets.")                                                                \
    X(form, build_dict, false, false, "Form fields by name.")                                                          \
    X(files, build_dict, false, false, "Uploaded files by field name.")                                                \
    X(user, build_none, true, true, "The authenticated user, or None.")                                                \
    X(context, build_none, true, false, "What authentication found out, or None.")                                     \
    X(state, build_dict, true, true, "Anything middleware and handlers want to keep.")                                 \
    X(META, bolt_py_request_build_meta, false, false, "CGI-style dict, as Django code expects.")

enum attribute_index {
#define ATTRIBUTE_INDEX(name, build, item, settable, doc) INDEX_##name,
    ATTRIBUTES(ATTRIBUTE_INDEX)
#undef ATTRIBUTE_INDEX
        ATTRIBUTE_COUNT
};

static const struct attribute {
    const char *name;
    size_t offset;
    PyObject *(*build)(struct bolt_py_request *request);
    bool item, settable;
} attributes[] = {
#define ATTRIBUTE_ROW(name, build, item, settable, doc)                                                                \
    {#name, offsetof(struct bolt_py_request, name), build, item, settable},
    ATTRIBUTES(ATTRIBUTE_ROW)
#undef ATTRIBUTE_ROW
};

static PyObject **slot_of(PyObject *self, const struct attribute *attribute)
{
    return (PyObject **)(void *)((char *)self + attribute->offset);
}

static PyObject *get_attribute(PyObject *self, const struct attribute *attribute)
{
    PyObject **slot = slot_of(self, attribute);
    if (*slot == NULL)
        *slot = attribute->build((struct bolt_py_request *)self);
    return Py_XNewRef(*slot);
}

static int set_attribute(PyObject *self, const struct attribute *attribute, PyObject *value)
{
    if (!attribute->settable || value == NULL) {
        PyErr_Format(PyExc_AttributeError, "request.%s cannot be %s", attribute->name,
                     value == NULL ? "deleted" : "set");
        return -1;
    }
    if (attribute->build == build_dict && !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "request.%s must be a dict, not %s", attribute->name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_XSETREF(*slot_of(self, attribute), Py_NewRef(value));
    return 0;
}

/* The closure of a getter is its index in `attributes`. */
static PyObject *attribute_getter(PyObject *self, void *closure)
{
    return get_attribute(self, &attributes[(uintptr_t)closure]);
}

static int attribute_setter(PyObject *self, PyObject *value, void *closure)
{
    return set_attribute(self, &attributes[(uintptr_t)closure], value);
}

PyObject *bolt_py_request_body(PyObject *self)
{
    return get_attribute(self, &attributes[INDEX_body]);
}

static const struct attribute *attribute_named(PyObject *name)
{
    for (size_t i = 0; PyUnicode_Check(name) && i < ATTRIBUTE_COUNT; i++) {
        if (PyUnicode_CompareWithASCIIString(name, attributes[i].name) == 0)
            return &attributes[i];
    }
    return NULL;
}

static PyObject *request_getattro(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    PyObject *state = ((struct bolt_py_request *)self)->state;
    if (value != NULL || state == NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyObject *error = PyErr_GetRaisedException();
    if (PyDict_GetItemRef(state, name, &value) == 0)
        PyErr_SetRaisedException(error);
    else
        Py_DECREF(error);
    return value;
}

static int request_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    if (PyObject_GenericSetAttr(self, name, value) == 0)
        return 0;
    if (PyErr_ExceptionMatches(PyExc_AttributeError) && attribute_named(name) == NULL)
        PyErr_Format(PyExc_AttributeError, "a request has no attribute %R to set; keep it in request.state[%R]", name,
                     name);
    return -1;
}

/* --- items --- */

/* request[key] (new reference); NULL without exception when there is no such item. */
static PyObject *find_item(PyObject *self, PyObject *key)
{
    const struct attribute *attribute = attribute_named(key);
    if (attribute != NULL && attribute->item)
        return get_attribute(self, attribute);
    PyObject *context = ((struct bolt_py_request *)self)->context;
    if (context != NULL && context != Py_None && PyUnicode_Check(key) &&
        PyUnicode_CompareWithASCIIString(key, "auth") == 0)
        return Py_NewRef(context);
    return NULL;
}

static PyObject *request_subscript(PyObject *self, PyObject *key)
{
    PyObject *value = find_item(self, key);
    if (value != NULL || PyErr_Occurred())
        return value;
    /* Made by hand: PyErr_SetObject would unpack a tuple and drop None. */
    PyObject *error = PyObject_CallOneArg(PyExc_KeyError, key);
    if (error != NULL)
        PyErr_SetRaisedException(error);
    return NULL;
}

static int request_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    const struct attribute *attribute = attribute_named(key);
    if (attribute != NULL && attribute->settable)
        return set_attribute(self, attribute, value);
    PyErr_Format(PyExc_KeyError, "request[%R] cannot be set, only 'user' and 'state'; use request.state[%R]", key, key);
    return -1;
}

/* --- methods --- */

static PyObject *request_get(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key", "default", NULL};
    PyObject *key, *fallback = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:get", keywords, &key, &fallback))
        return NULL;
    PyObject *value = find_item(self, key);
    return value == NULL && !PyErr_Occurred() ? Py_NewRef(fallback) : value;
}

static PyObject *request_setdefault(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key", "default", NULL};
    PyObject *key, *fallback = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:setdefault", keywords, &key, &fallback))
        return NULL;
    PyObject *value = find_item(self, key);
    if ((value == NULL && PyErr_Occurred()) || (value != NULL && value != Py_None))
        return value;
    Py_XDECREF(value);
    return request_ass_subscript(self, key, fallback) < 0 ? NULL : Py_NewRef(fallback);
}

/* Characters a URI may hold (RFC 3986 2.2, 2.3), and '%' of what is escaped already. The parser lets some others
 * through; of these a backslash would be the worst, because browsers read it as a slash. */
static bool is_uri_octet(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || bolt_ascii_is_digit(c) ||
           (c != '\0' && strchr("%-._~:/?#[]@!$&'()*+,;=", c) != NULL);
}

/* Appends a part of the target, escaped where it is no URI. */
static char *put_uri(char *out, struct bolt_slice part)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (is_uri_octet(c)) {
            *out++ = c;
        } else {
            *out++ = '%';
            *out++ = digits[(unsigned char)c >> 4];
            *out++ = digits[(unsigned char)c & 15];
        }
    }
    return out;
}

static PyObject *request_get_full_path(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct bolt_http1_head *head = bolt_py_request_wire((struct bolt_py_request *)self).head;
    struct bolt_slice path = head->path;
    char *text = PyMem_Malloc(3 * (path.len + head->query.len + 2)), *out = text;
    if (text == NULL)
        return PyErr_NoMemory();
    /* "//host/..." in a Location or a link would name another host. */
    if (path.len >= 2 && path.ptr[0] == '/' && path.ptr[1] == '/') {
        out = put_uri(out, BOLT_SLICE_LIT("/%2F"));
        path = bolt_slice_of(path.ptr + 2, path.len - 2);
    }
    out = put_uri(out, path);
    if (head->query.len > 0) {
        *out++ = '?';
        out = put_uri(out, head->query);
    }
    PyObject *full = PyUnicode_DecodeASCII(text, out - text, NULL);
    PyMem_Free(text);
    return full;
}

static PyObject *request_build_absolute_uri(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"location", NULL};
    PyObject *location = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:build_absolute_uri", keywords, &location))
        return NULL;
    struct bolt_py_state *bolt = ((struct bolt_py_request *)self)->bolt;
    return PyObject_CallFunctionObjArgs(bolt->build_absolute_uri, self, location, NULL);
}

static PyObject *request_auser(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyObject_CallOneArg(((struct bolt_py_request *)self)->bolt->request_auser, self);
}

static PyObject *request_repr(PyObject *self)
{
    PyObject *method = get_attribute(self, &attributes[INDEX_method]);
    PyObject *path = get_attribute(self, &attributes[INDEX_path]);
    PyObject *text = method == NULL || path == NULL ? NULL : PyUnicode_FromFormat("<Request: %U %R>", method, path);
    Py_XDECREF(method);
    Py_XDECREF(path);
    return text;
}

/* --- type --- */

static int request_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)((struct bolt_py_request *)self)->binder);
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        Py_VISIT(*slot_of(self, &attributes[i]));
    return 0;
}

/* The binder stays: attributes may still be built while a cycle is being taken apart. */
static int request_clear(PyObject *self)
{
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        Py_CLEAR(*slot_of(self, &attributes[i]));
    return 0;
}

static void request_dealloc(PyObject *self)
{
    struct bolt_py_request *request = (struct bolt_py_request *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (request->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    request_clear(self);
    PyMem_Free(request->copy);
    bolt_py_settings_unref(request->settings);
    bolt_py_binder_free(request->binder);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyGetSetDef getset[] = {
#define ATTRIBUTE_GETSET(name, build, item, settable, doc)                                                             \
    {#name, attribute_getter, attribute_setter, doc, (void *)(uintptr_t)INDEX_##name},
    ATTRIBUTES(ATTRIBUTE_GETSET)
#undef ATTRIBUTE_GETSET
        {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"get", (PyCFunction)(void (*)(void))request_get, METH_VARARGS | METH_KEYWORDS,
     "get(key, default=None)\n--\n\nrequest[key], or `default` when there is no such item."},
    {"setdefault", (PyCFunction)(void (*)(void))request_setdefault, METH_VARARGS | METH_KEYWORDS,
     "setdefault(key, default=None)\n--\n\nrequest[key]; a missing 'user' is set to `default` first."},
    {"get_full_path", request_get_full_path, METH_NOARGS,
     "get_full_path()\n--\n\nPath and query string as sent, safe to use in a link."},
    {"build_absolute_uri", (PyCFunction)(void (*)(void))request_build_absolute_uri, METH_VARARGS | METH_KEYWORDS,
     "build_absolute_uri(location=None)\n--\n\nThe absolute form of `location` (default: this request). Raises "
     "DisallowedHost for a host outside ALLOWED_HOSTS."},
    {"auser", request_auser, METH_NOARGS, "auser()\n--\n\nAwaitable: the authenticated user, or AnonymousUser."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct bolt_py_request, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The request a handler receives; every attribute is built on first use."},
    {Py_tp_dealloc, request_dealloc},
    {Py_tp_traverse, request_traverse},
    {Py_tp_clear, request_clear},
    {Py_tp_repr, request_repr},
    {Py_tp_getattro, request_getattro},
    {Py_tp_setattro, request_setattro},
    {Py_mp_subscript, request_subscript},
    {Py_mp_ass_subscript, request_ass_subscript},
    {Py_tp_getset, getset},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "django_bolt._core.Request",
    .basicsize = sizeof(struct bolt_py_request),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int bolt_py_add_request(PyObject *module, struct bolt_py_state *state)
{
    state->Request_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->Request_type == NULL ? -1 : PyModule_AddType(module, state->Request_type);
}
