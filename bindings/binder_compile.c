/* SPDX-License-Identifier: MIT */
/* binder_compile.c - ParamSpec records (django_bolt._plan) to the C table, once, when a route is registered.
 *
 * Everything that could go wrong with a table goes wrong here, as TypeError or ValueError with the route's name,
 * the parameter and the fix; bind.c then trusts the table blindly.
 */
#include "binder_int.h"

struct compile {
    struct bolt_py_binder *binder;
    PyObject *name; /* of the parameter at hand (borrowed), for messages */
};

/* Raises `type` with "route: parameter 'name': <message>"; -1. */
static int refuse(const struct compile *compile, PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (message != NULL) {
        PyErr_Format(type, "%U: parameter '%U': %U", compile->binder->route_name, compile->name, message);
        Py_DECREF(message);
    }
    return -1;
}

/* --- reading attributes --- */

static int read_int(const struct compile *compile, PyObject *spec, const char *attribute, int *out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (value == NULL)
        return -1;
    long number = PyLong_Check(value) ? PyLong_AsLong(value) : 0;
    bool is_int = PyLong_Check(value) && !(number == -1 && PyErr_Occurred()) && number >= INT_MIN && number <= INT_MAX;
    Py_DECREF(value);
    if (PyErr_Occurred())
        return -1;
    if (!is_int)
        return refuse(compile, PyExc_TypeError, "%s must be a small int", attribute);
    *out = (int)number;
    return 0;
}

/* A number of one of the enums in plan.h. */
static int read_enum(const struct compile *compile, PyObject *spec, const char *attribute, int last, int *out)
{
    if (read_int(compile, spec, attribute, out) < 0)
        return -1;
    if (*out < 0 || *out > last)
        return refuse(compile, PyExc_ValueError, "%s %d is not one of django_bolt._plan's numbers", attribute, *out);
    return 0;
}

static int read_bool(PyObject *spec, const char *attribute, bool *out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (value == NULL)
        return -1;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    *out = truth > 0;
    return truth < 0 ? -1 : 0;
}

/* *out is a new reference, or NULL when the attribute is None. */
static int read_optional(PyObject *spec, const char *attribute, PyObject **out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (value == NULL)
        return -1;
    if (value == Py_None)
        Py_CLEAR(value);
    *out = value;
    return 0;
}

static int read_callable(const struct compile *compile, PyObject *spec, const char *attribute, PyObject **out)
{
    if (read_optional(spec, attribute, out) < 0)
        return -1;
    if (*out != NULL && !PyCallable_Check(*out))
        return refuse(compile, PyExc_TypeError, "%s is %R, pass a callable or None", attribute, *out);
    return 0;
}

/* A non-empty str; interned, because names become keyword arguments. */
static int read_text(const struct compile *compile, PyObject *spec, const char *attribute, PyObject **out)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    if (value == NULL)
        return -1;
    if (!PyUnicode_CheckExact(value) || PyUnicode_GET_LENGTH(value) == 0) {
        refuse(compile, PyExc_TypeError, "%s is %R, pass a non-empty str", attribute, value);
        Py_DECREF(value);
        return -1;
    }
    PyUnicode_InternInPlace(&value);
    *out = value;
    return 0;
}

/* --- one text parameter --- */

static int compile_key(const struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    if (read_text(compile, spec, "key", &param->wire_key) < 0)
        return -1;
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(param->wire_key, &len); /* lives as long as wire_key */
    if (text == NULL)
        return -1;
    param->key = bolt_slice_of(text, (size_t)len);
    return 0;
}

static int compile_choices(const struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    PyObject *choices, *key, *value;
    Py_ssize_t pos = 0;
    if (param->kind != BOLT_PY_KIND_CHOICE)
        return 0;
    if (read_optional(spec, "choices", &choices) < 0)
        return -1;
    param->choices = PyDict_New(); /* our own copy: the table is immutable */
    int status = param->choices == NULL ? -1 : choices == NULL ? 0 : PyDict_Update(param->choices, choices);
    Py_XDECREF(choices);
    if (status < 0)
        return -1;
    if (PyDict_GET_SIZE(param->choices) == 0)
        return refuse(compile, PyExc_ValueError, "kind CHOICE needs at least one entry in choices");
    while (PyDict_Next(param->choices, &pos, &key, &value)) {
        if (!PyUnicode_Check(key))
            return refuse(compile, PyExc_TypeError, "choices has the key %R; keys are the texts clients send", key);
    }
    return 0;
}

static int compile_capture(const struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    PyObject *names = compile->binder->capture_names;
    if (read_int(compile, spec, "capture", &param->capture) < 0)
        return -1;
    if (param->capture < 0 || param->capture >= PyTuple_GET_SIZE(names))
        return refuse(compile, PyExc_ValueError, "the path has no segment {%U}; add it to the path or use Query()",
                      param->wire_key);
    PyObject *segment = PyTuple_GET_ITEM(names, param->capture);
    if (PyUnicode_Compare(segment, param->wire_key) != 0)
        return PyErr_Occurred() ? -1
                                : refuse(compile, PyExc_ValueError, "capture %d is the segment {%U}, not {%U}",
                                         param->capture, segment, param->wire_key);
    return 0;
}

/* Fields that senders must not repeat and the parser has found already. */
static int known_field(struct bolt_slice lower_name)
{
    static const struct {
        struct bolt_slice name;
        int known;
    } fields[] = {
        {{"host", 4}, BOLT_H_HOST},
        {{"content-type", 12}, BOLT_H_CONTENT_TYPE},
        {{"authorization", 13}, BOLT_H_AUTHORIZATION},
        {{"origin", 6}, BOLT_H_ORIGIN},
    };
    for (size_t i = 0; i < BOLT_ARRAY_LEN(fields); i++) {
        if (bolt_slice_eq(lower_name, fields[i].name))
            return fields[i].known;
    }
    return -1;
}

static int compile_header(const struct compile *compile, struct bolt_py_param *param)
{
    for (size_t i = 0; i < param->key.len; i++) {
        char c = param->key.ptr[i];
        if ((c >= 'A' && c <= 'Z') || c <= ' ' || c > '~')
            return refuse(compile, PyExc_ValueError, "header name %R must be lower-case ASCII without spaces",
                          param->wire_key);
    }
    param->known = known_field(param->key);
    return 0;
}

static int compile_text(const struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    int kind, container;
    if (read_enum(compile, spec, "kind", BOLT_PY_KIND_CHOICE, &kind) < 0 ||
        read_enum(compile, spec, "container", BOLT_PY_CONTAINER_TUPLE, &container) < 0 ||
        compile_key(compile, spec, param) < 0)
        return -1;
    param->kind = (enum bolt_py_kind)kind;
    param->container = (enum bolt_py_container)container;
    if (compile_choices(compile, spec, param) < 0)
        return -1;
    if (param->source == BOLT_PY_SOURCE_PATH)
        return compile_capture(compile, spec, param);
    return param->source == BOLT_PY_SOURCE_HEADER ? compile_header(compile, param) : 0;
}

/* --- groups --- */

static int compile_param(struct compile *compile, PyObject *spec, struct bolt_py_param *param);

static int compile_field(struct compile *compile, PyObject *spec, const struct bolt_py_param *parent,
                         struct bolt_py_param *field)
{
    if (compile_param(compile, spec, field) < 0)
        return -1;
    if (field->source != parent->source || field->group != NULL)
        return refuse(compile, PyExc_ValueError, "field '%U' must be a plain value from the same source as its group",
                      field->name);
    return PyDict_SetItem(parent->group->wire_keys, field->name, field->wire_key);
}

static int compile_fields(struct compile *compile, PyObject *group_spec, struct bolt_py_param *param)
{
    PyObject *fields = PyObject_GetAttrString(group_spec, "fields");
    if (fields == NULL)
        return -1;
    int status = -1;
    PyObject *group_name = compile->name;
    if (!PyTuple_Check(fields) || PyTuple_GET_SIZE(fields) == 0) {
        refuse(compile, PyExc_TypeError, "a group needs a tuple of at least one field");
        goto done;
    }
    param->group->fields = PyMem_Calloc((size_t)PyTuple_GET_SIZE(fields), sizeof(struct bolt_py_param));
    if (param->group->fields == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    param->group->field_count = (size_t)PyTuple_GET_SIZE(fields);
    for (size_t i = 0; i < param->group->field_count; i++) {
        if (compile_field(compile, PyTuple_GET_ITEM(fields, (Py_ssize_t)i), param, &param->group->fields[i]) < 0)
            goto done;
        compile->name = group_name;
    }
    status = 0;
done:
    Py_DECREF(fields);
    return status;
}

static int compile_known_keys(PyObject *group_spec, struct bolt_py_param *param)
{
    PyObject *keys;
    if (read_optional(group_spec, "known_keys", &keys) < 0)
        return -1;
    /* Other cookies and headers are none of the group's business: browsers send them anyway. */
    if (keys != NULL && param->source == BOLT_PY_SOURCE_QUERY) {
        param->group->known_keys = PySet_New(keys);
        Py_DECREF(keys);
        return param->group->known_keys == NULL ? -1 : 0;
    }
    Py_XDECREF(keys);
    return 0;
}

static int compile_group(struct compile *compile, PyObject *group_spec, struct bolt_py_param *param)
{
    if (param->source != BOLT_PY_SOURCE_QUERY && param->source != BOLT_PY_SOURCE_HEADER &&
        param->source != BOLT_PY_SOURCE_COOKIE)
        return refuse(compile, PyExc_TypeError, "a Struct can be read from Query(), Header() or Cookie() only");
    param->group = PyMem_Calloc(1, sizeof(*param->group));
    if (param->group == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    param->group->wire_keys = PyDict_New();
    if (param->group->wire_keys == NULL || read_callable(compile, group_spec, "build", &param->group->build) < 0)
        return -1;
    if (param->group->build == NULL)
        return refuse(compile, PyExc_TypeError, "a group needs a build callable");
    return compile_known_keys(group_spec, param) < 0 ? -1 : compile_fields(compile, group_spec, param);
}

/* --- one record --- */

static int compile_source(const struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    int source;
    if (read_enum(compile, spec, "source", BOLT_PY_SOURCE_DEPENDS, &source) < 0)
        return -1;
    if (source > BOLT_PY_SOURCE_REQUEST)
        return refuse(compile, PyExc_TypeError,
                      "form fields, files and dependencies are not available; read request.body instead");
    param->source = (enum bolt_py_source)source;
    return 0;
}

static int compile_decode(const struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    if (read_callable(compile, spec, "decode", &param->decode) < 0)
        return -1;
    if (param->decode == NULL)
        return refuse(compile, PyExc_TypeError, "a body parameter needs a decode callable");
    return 0;
}

static int compile_param(struct compile *compile, PyObject *spec, struct bolt_py_param *param)
{
    PyObject *group_spec;
    param->known = -1;
    if (read_text(compile, spec, "name", &param->name) < 0)
        return -1;
    compile->name = param->name;
    if (compile_source(compile, spec, param) < 0 || read_bool(spec, "required", &param->required) < 0 ||
        read_callable(compile, spec, "default_factory", &param->default_factory) < 0 ||
        read_callable(compile, spec, "check", &param->check) < 0)
        return -1;
    param->default_value = PyObject_GetAttrString(spec, "default");
    if (param->default_value == NULL)
        return -1;
    if (param->source == BOLT_PY_SOURCE_REQUEST) {
        compile->binder->wants_request = true;
        return 0;
    }
    if (param->source == BOLT_PY_SOURCE_BODY)
        return compile_decode(compile, spec, param);
    if (read_optional(spec, "group", &group_spec) < 0)
        return -1;
    if (group_spec == NULL)
        return compile_text(compile, spec, param);
    int status = compile_group(compile, group_spec, param);
    Py_DECREF(group_spec);
    return status;
}

/* --- the whole table --- */

/* "{id}" and "{rest:path}" of the pattern, in order. The router checks the syntax; here only names matter. */
static PyObject *capture_names(PyObject *path)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(path, &len);
    PyObject *names = text == NULL ? NULL : PyList_New(0);
    for (const char *end = text + len, *open = text; names != NULL && open < end; open++) {
        if (*open != '{')
            continue;
        const char *close = memchr(open, '}', (size_t)(end - open));
        if (close == NULL)
            break;
        const char *colon = memchr(open, ':', (size_t)(close - open));
        PyObject *name = PyUnicode_FromStringAndSize(open + 1, (colon != NULL ? colon : close) - open - 1);
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
        open = close;
    }
    PyObject *tuple = names == NULL ? NULL : PyList_AsTuple(names);
    Py_XDECREF(names);
    return tuple;
}

/* Checks the order of one argument against its predecessors and counts it. */
static int place_argument(struct compile *compile, PyObject *spec, Py_ssize_t index)
{
    struct bolt_py_binder *binder = compile->binder;
    bool keyword_only;
    if (read_bool(spec, "keyword_only", &keyword_only) < 0)
        return -1;
    if (!keyword_only && binder->npositional < index)
        return refuse(compile, PyExc_ValueError, "positional after a keyword-only parameter; keep signature order");
    binder->npositional += !keyword_only;
    for (Py_ssize_t i = 0; i < index; i++) {
        if (binder->params[i].name == binder->params[index].name) /* interned */
            return refuse(compile, PyExc_ValueError, "described twice");
    }
    return 0;
}

static int compile_params(struct compile *compile, PyObject *specs)
{
    struct bolt_py_binder *binder = compile->binder;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(specs);
    binder->params = PyMem_Calloc((size_t)count, sizeof(struct bolt_py_param));
    if (binder->params == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    binder->nargs = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *spec = PySequence_Fast_GET_ITEM(specs, i);
        compile->name = binder->route_name; /* until the parameter's own name has been read */
        if (compile_param(compile, spec, &binder->params[i]) < 0 || place_argument(compile, spec, i) < 0)
            return -1;
    }
    return 0;
}

static int make_kwnames(struct bolt_py_binder *binder)
{
    Py_ssize_t count = binder->nargs - binder->npositional;
    if (count == 0)
        return 0;
    binder->kwnames = PyTuple_New(count);
    if (binder->kwnames == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < count; i++)
        PyTuple_SET_ITEM(binder->kwnames, i, Py_NewRef(binder->params[binder->npositional + i].name));
    return 0;
}

/* Finds or makes the slot of a key among slots[first..slot_count). */
static int assign_slot(struct compile *compile, struct bolt_py_param *param, size_t first)
{
    struct bolt_py_binder *binder = compile->binder;
    for (size_t slot = first; slot < binder->slot_count; slot++) {
        const struct bolt_py_param *other = binder->slots[slot];
        if (!bolt_slice_eq(other->key, param->key))
            continue;
        compile->name = param->name;
        if (other->kind != param->kind || other->container != param->container)
            return refuse(compile, PyExc_TypeError,
                          "reads the same %s key '%U' as '%U' with a different type; use one type or another alias",
                          bolt_py_source_name(param->source), param->wire_key, other->name);
        param->slot = slot;
        return 0;
    }
    param->slot = binder->slot_count;
    binder->slots[binder->slot_count++] = param;
    return 0;
}

/* Lists the text parameters, group fields included. */
static int list_texts(struct bolt_py_binder *binder)
{
    size_t count = 0;
    for (Py_ssize_t i = 0; i < binder->nargs; i++)
        count += binder->params[i].group != NULL ? binder->params[i].group->field_count : 1;
    binder->texts = PyMem_Calloc(count, sizeof(*binder->texts));
    binder->slots = PyMem_Calloc(count, sizeof(*binder->slots));
    if (binder->texts == NULL || binder->slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < binder->nargs; i++) {
        struct bolt_py_param *param = &binder->params[i];
        if (param->group != NULL) {
            for (size_t j = 0; j < param->group->field_count; j++)
                binder->texts[binder->text_count++] = &param->group->fields[j];
        } else if (param->wire_key != NULL) {
            binder->texts[binder->text_count++] = param;
        }
    }
    return 0;
}

static int assign_slots(struct compile *compile, enum bolt_py_source source)
{
    struct bolt_py_binder *binder = compile->binder;
    size_t first = binder->slot_count;
    for (size_t i = 0; i < binder->text_count; i++) {
        if (binder->texts[i]->source == source && assign_slot(compile, binder->texts[i], first) < 0)
            return -1;
    }
    return 0;
}

static int make_slots(struct compile *compile)
{
    if (list_texts(compile->binder) < 0 || assign_slots(compile, BOLT_PY_SOURCE_QUERY) < 0)
        return -1;
    compile->binder->query_slots = compile->binder->slot_count;
    return assign_slots(compile, BOLT_PY_SOURCE_COOKIE);
}

/* A group that refuses unknown keys must know those of its neighbours. */
static int complete_known_keys(struct bolt_py_binder *binder)
{
    for (Py_ssize_t i = 0; i < binder->nargs; i++) {
        PyObject *known = binder->params[i].group != NULL ? binder->params[i].group->known_keys : NULL;
        for (size_t slot = 0; known != NULL && slot < binder->query_slots; slot++) {
            if (PySet_Add(known, binder->slots[slot]->wire_key) < 0)
                return -1;
        }
    }
    return 0;
}

struct bolt_py_binder *bolt_py_binder_new(struct bolt_py_state *state, struct bolt_py_settings *settings,
                                          PyObject *param_specs, PyObject *path, PyObject *route_name)
{
    PyObject *specs = PySequence_Fast(param_specs, "params must be a sequence of ParamSpec");
    if (specs == NULL)
        return NULL;
    struct bolt_py_binder *binder = (struct bolt_py_binder *)state->Binder_type->tp_alloc(state->Binder_type, 0);
    struct compile compile = {.binder = binder, .name = route_name};
    if (binder == NULL)
        goto fail;
    binder->state = state;
    binder->settings = bolt_py_settings_ref(settings);
    binder->route_name = Py_NewRef(route_name);
    binder->capture_names = capture_names(path);
    if (binder->capture_names == NULL || compile_params(&compile, specs) < 0 || make_kwnames(binder) < 0 ||
        make_slots(&compile) < 0 || complete_known_keys(binder) < 0)
        goto fail;
    Py_DECREF(specs);
    return binder;
fail:
    Py_DECREF(specs);
    bolt_py_binder_free(binder);
    return NULL;
}
