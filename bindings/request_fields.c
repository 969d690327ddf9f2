/* SPDX-License-Identifier: MIT */
/* request_fields.c - the dict attributes of a request: query, params, headers, cookies, raw_cookies.
 *
 * Each is an ordinary dict built when first asked for. query, params and cookies first take every value as text and
 * then replace those the handler declares by their converted form; a value that does not convert stays text, since
 * the error response has its own place (bind.c).
 */
#include "bolt/ascii.h"
#include "bolt/percent.h"
#include "bolt/utf8.h"
#include "request_int.h"

PyObject *bolt_py_field_text(struct bolt_slice value)
{
    if (bolt_utf8_check(value.ptr, value.len) == value.len)
        return PyUnicode_DecodeUTF8(value.ptr, (Py_ssize_t)value.len, NULL);
    return PyUnicode_DecodeLatin1(value.ptr, (Py_ssize_t)value.len, NULL); /* maps every octet */
}

PyObject *bolt_py_uri_text(enum bolt_py_source source, struct bolt_slice raw)
{
    struct bolt_py_text text;
    if (bolt_py_text_load(&text, source, raw) < 0)
        return NULL;
    PyObject *value = PyUnicode_DecodeUTF8(text.value.ptr, (Py_ssize_t)text.value.len, "replace");
    bolt_py_text_clear(&text);
    return value;
}

/* dict[key] = value; steals both, either may be NULL with an exception set. */
static int put(PyObject *dict, PyObject *key, PyObject *value)
{
    int status = key == NULL || value == NULL ? -1 : PyDict_SetItem(dict, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

/* Converts one declared parameter into dict[wire key], if it is present and well-formed. */
static int put_declared(PyObject *dict, const struct bolt_py_request *request, const struct bolt_py_param *param,
                        const struct bolt_py_wire *wire, const struct bolt_py_hit *hits)
{
    bool found;
    struct bolt_py_refusal refusal;
    PyObject *value = bolt_py_param_convert(request->binder, param, wire, hits, &found, &refusal);
    if (value != NULL) {
        int status = PyDict_SetItem(dict, param->wire_key, value);
        Py_DECREF(value);
        return status;
    }
    if (found && refusal.fault == BOLT_PY_FAULT_NONE)
        return -1;
    if (found)
        bolt_py_text_clear(&refusal.text);
    return 0;
}

/* Replaces the texts of declared parameters. Steals `dict` (may be NULL) and gives it back. */
static PyObject *with_declared(struct bolt_py_request *request, PyObject *dict, enum bolt_py_source source)
{
    const struct bolt_py_binder *binder = request->binder;
    if (dict == NULL || binder == NULL || binder->text_count == 0)
        return dict;
    struct bolt_py_wire wire = bolt_py_request_wire(request);
    struct bolt_py_hit *hits = PyMem_New(struct bolt_py_hit, binder->slot_count);
    if (hits == NULL) {
        Py_DECREF(dict);
        return PyErr_NoMemory();
    }
    bolt_py_scan(binder, wire.head, hits);
    for (size_t i = 0; dict != NULL && i < binder->text_count; i++) {
        const struct bolt_py_param *param = binder->texts[i];
        if (param->source == source && put_declared(dict, request, param, &wire, hits) < 0)
            Py_CLEAR(dict);
    }
    PyMem_Free(hits);
    return dict;
}

PyObject *bolt_py_request_build_query(struct bolt_py_request *request)
{
    struct bolt_slice query = bolt_py_request_wire(request).head->query, key, value;
    PyObject *dict = PyDict_New();
    size_t cursor = 0;
    while (dict != NULL && bolt_query_next(query, &cursor, &key, &value)) {
        if (put(dict, bolt_py_uri_text(BOLT_PY_SOURCE_QUERY, key), bolt_py_uri_text(BOLT_PY_SOURCE_QUERY, value)) < 0)
            Py_CLEAR(dict);
    }
    return with_declared(request, dict, BOLT_PY_SOURCE_QUERY);
}

PyObject *bolt_py_request_build_params(struct bolt_py_request *request)
{
    struct bolt_py_wire wire = bolt_py_request_wire(request);
    PyObject *dict = PyDict_New();
    PyObject *names = request->binder == NULL ? NULL : request->binder->capture_names;
    Py_ssize_t count = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; dict != NULL && i < count && (size_t)i < wire.capture_count; i++) {
        if (put(dict, Py_NewRef(PyTuple_GET_ITEM(names, i)), bolt_py_uri_text(BOLT_PY_SOURCE_PATH, wire.captures[i])) <
            0)
            Py_CLEAR(dict);
    }
    return with_declared(request, dict, BOLT_PY_SOURCE_PATH);
}

PyObject *bolt_py_request_build_path(struct bolt_py_request *request)
{
    return bolt_py_uri_text(BOLT_PY_SOURCE_PATH, bolt_py_request_wire(request).head->path);
}

PyObject *bolt_py_request_build_raw_cookies(struct bolt_py_request *request)
{
    const struct bolt_http1_head *head = bolt_py_request_wire(request).head;
    struct bolt_slice name, value;
    PyObject *dict = PyDict_New();
    int field = -1;
    size_t cursor = 0;
    while (dict != NULL && bolt_py_cookie_next(head, &field, &cursor, &name, &value)) {
        if (put(dict, bolt_py_field_text(name), bolt_py_field_text(value)) < 0)
            Py_CLEAR(dict);
    }
    return dict;
}

PyObject *bolt_py_request_build_cookies(struct bolt_py_request *request)
{
    return with_declared(request, bolt_py_request_build_raw_cookies(request), BOLT_PY_SOURCE_COOKIE);
}

/* Field names are tokens, hence ASCII (the parser saw to it). */
static PyObject *lower_name(struct bolt_slice name)
{
    PyObject *text = PyUnicode_New((Py_ssize_t)name.len, 127);
    if (text == NULL)
        return NULL;
    Py_UCS1 *out = PyUnicode_1BYTE_DATA(text);
    for (size_t i = 0; i < name.len; i++)
        out[i] = (Py_UCS1)bolt_ascii_lower(name.ptr[i]);
    return text;
}

/* The separator of repeated fields, see bolt_py_text_load_header(). */
static const char *separator_of(struct bolt_slice name)
{
    return bolt_slice_ieq(name, BOLT_SLICE_LIT("cookie")) ? "; " : ", ";
}

static int put_header(PyObject *dict, const struct bolt_http1_head *head, int index)
{
    PyObject *name = lower_name(head->fields[index].name);
    PyObject *value = bolt_py_field_text(bolt_py_field_value(head, index));
    PyObject *first = name == NULL ? NULL : PyDict_GetItemWithError(dict, name); /* borrowed */
    if (first != NULL && value != NULL)
        Py_SETREF(value, PyUnicode_FromFormat("%U%s%U", first, separator_of(head->fields[index].name), value));
    if (first == NULL && PyErr_Occurred())
        Py_CLEAR(value);
    return put(dict, name, value);
}

PyObject *bolt_py_request_build_headers(struct bolt_py_request *request)
{
    const struct bolt_http1_head *head = bolt_py_request_wire(request).head;
    PyObject *dict = PyDict_New();
    for (int i = 0; dict != NULL && i < head->field_count; i++) {
        if (put_header(dict, head, i) < 0)
            Py_CLEAR(dict);
    }
    return dict;
}
