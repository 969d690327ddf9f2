/* SPDX-License-Identifier: MIT */
/* bind_text.c - from the octets of a request to the text of one parameter, and on to its Python value.
 *
 *   path     raw capture         percent-decoded, '+' stays         one value
 *   query    pairs of the query  percent-decoded, '+' is a space    the last pair counts; containers take all
 *   header   field lines         as sent                            repeated lines are joined with ", "
 *   cookie   pairs of Cookie     as sent, without outer quotes      the last pair counts
 *
 * The query string and the Cookie fields are walked once per bind, whatever the number of parameters: every
 * distinct key owns a slot that remembers the last raw value. Values are decoded only when they are converted, and
 * values without escapes are never copied.
 */
#include "bolt/percent.h"
#include "request_int.h"

int bolt_py_text_load(struct bolt_py_text *text, enum bolt_py_source source, struct bolt_slice raw)
{
    bool plus_is_space = source == BOLT_PY_SOURCE_QUERY;
    text->heap = NULL;
    if (source == BOLT_PY_SOURCE_HEADER || source == BOLT_PY_SOURCE_COOKIE ||
        bolt_percent_is_plain(raw, plus_is_space)) {
        text->value = raw;
        return 0;
    }
    char *out = text->stack;
    if (raw.len > sizeof(text->stack)) {
        out = text->heap = PyMem_Malloc(raw.len);
        if (out == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    text->value = bolt_slice_of(out, bolt_percent_decode(raw, plus_is_space, out));
    return 0;
}

/* Joins every field of that name; `total` is the length of the result. */
static int join_header(struct bolt_py_text *text, const struct bolt_http1_head *head, struct bolt_slice lower_name,
                       struct bolt_slice separator, size_t total)
{
    char *out = text->heap = PyMem_Malloc(total);
    if (out == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    size_t len = 0;
    for (int i = bolt_http1_find(head, lower_name, 0); i >= 0; i = bolt_http1_find(head, lower_name, i + 1)) {
        struct bolt_slice value = bolt_py_field_value(head, i);
        if (len > 0) {
            memcpy(out + len, separator.ptr, separator.len);
            len += separator.len;
        }
        memcpy(out + len, value.ptr, value.len);
        len += value.len;
    }
    text->value = bolt_slice_of(out, len);
    return 1;
}

int bolt_py_text_load_header(struct bolt_py_text *text, const struct bolt_http1_head *head,
                             struct bolt_slice lower_name, int known)
{
    text->heap = NULL;
    int first = known >= 0 ? head->known[known] : bolt_http1_find(head, lower_name, 0);
    if (first < 0)
        return 0;
    text->value = bolt_py_field_value(head, first);
    if (known >= 0)
        return 1;
    int second = bolt_http1_find(head, lower_name, first + 1);
    if (BOLT_LIKELY(second < 0))
        return 1;
    /* RFC 9110 5.3; cookie pairs are separated as within one field (RFC 6265 4.2.1, RFC 9113 8.2.3). */
    struct bolt_slice separator =
        bolt_slice_eq(lower_name, BOLT_SLICE_LIT("cookie")) ? BOLT_SLICE_LIT("; ") : BOLT_SLICE_LIT(", ");
    size_t total = text->value.len; /* a sum of parts of one bounded header section: no overflow */
    for (int i = second; i >= 0; i = bolt_http1_find(head, lower_name, i + 1))
        total += separator.len + head->fields[i].value.len;
    return join_header(text, head, lower_name, separator, total);
}

bool bolt_py_cookie_next(const struct bolt_http1_head *head, int *field, size_t *cursor, struct bolt_slice *name,
                         struct bolt_slice *value)
{
    if (*field < 0) {
        *field = head->known[BOLT_H_COOKIE];
        *cursor = 0;
    }
    while (*field >= 0) {
        if (bolt_cookie_next(head->fields[*field].value, cursor, name, value))
            return true;
        *field = bolt_http1_find(head, BOLT_SLICE_LIT("cookie"), *field + 1);
        *cursor = 0;
        if (*field < 0)
            break;
    }
    return false;
}

static void record(const struct bolt_py_binder *binder, struct bolt_py_hit *hits, size_t first, size_t end,
                   struct bolt_slice key, bool encoded, struct bolt_slice value)
{
    for (size_t slot = first; slot < end; slot++) {
        struct bolt_slice wanted = binder->slots[slot]->key;
        if (encoded ? bolt_query_key_eq(key, wanted) : bolt_slice_eq(key, wanted)) {
            hits[slot].value = value;
            hits[slot].count++;
            return;
        }
    }
}

void bolt_py_scan(const struct bolt_py_binder *binder, const struct bolt_http1_head *head, struct bolt_py_hit *hits)
{
    struct bolt_slice key, value;
    size_t cursor = 0;
    memset(hits, 0, binder->slot_count * sizeof(*hits));
    if (binder->query_slots > 0) {
        while (bolt_query_next(head->query, &cursor, &key, &value))
            record(binder, hits, 0, binder->query_slots, key, !bolt_percent_is_plain(key, true), value);
    }
    if (binder->slot_count > binder->query_slots) {
        int field = -1;
        while (bolt_py_cookie_next(head, &field, &cursor, &key, &value))
            record(binder, hits, binder->query_slots, binder->slot_count, key, false, value);
    }
}

/* Converts one occurrence. `text` is loaded; it stays loaded only when the value was refused. */
static PyObject *convert_text(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                              struct bolt_py_refusal *refusal)
{
    bool limited = param->source == BOLT_PY_SOURCE_QUERY || param->source == BOLT_PY_SOURCE_PATH;
    PyObject *value = NULL;
    if (limited && refusal->text.value.len > binder->settings->param_bytes)
        refusal->fault = BOLT_PY_FAULT_LONG;
    else
        value = bolt_py_convert(binder->state, param->kind, param->choices, refusal->text.value, &refusal->fault);
    if (refusal->fault == BOLT_PY_FAULT_NONE)
        bolt_py_text_clear(&refusal->text);
    return value;
}

static PyObject *convert_raw(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                             struct bolt_slice raw, struct bolt_py_refusal *refusal)
{
    if (bolt_py_text_load(&refusal->text, param->source, raw) < 0)
        return NULL;
    return convert_text(binder, param, refusal);
}

/* Wraps a list (stolen, may be NULL) as the declared container. */
static PyObject *finish_container(enum bolt_py_container container, PyObject *list)
{
    if (list == NULL || container == BOLT_PY_CONTAINER_LIST)
        return list;
    PyObject *result = container == BOLT_PY_CONTAINER_SET         ? PySet_New(list)
                       : container == BOLT_PY_CONTAINER_FROZENSET ? PyFrozenSet_New(list)
                                                                  : PyList_AsTuple(list);
    Py_DECREF(list);
    return result;
}

/* All values of a repeated query key, in order. */
static PyObject *query_container(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                                 struct bolt_slice query, size_t count, struct bolt_py_refusal *refusal)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    struct bolt_slice key, raw;
    size_t cursor = 0;
    for (size_t i = 0; list != NULL && i < count && bolt_query_next(query, &cursor, &key, &raw);) {
        if (!bolt_query_key_eq(key, param->key))
            continue;
        PyObject *item = convert_raw(binder, param, raw, refusal);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i++, item);
    }
    return finish_container(param->container, list);
}

static PyObject *single_container(enum bolt_py_container container, PyObject *item)
{
    if (item == NULL || container == BOLT_PY_CONTAINER_NONE)
        return item;
    PyObject *list = PyList_New(1);
    if (list == NULL) {
        Py_DECREF(item);
        return NULL;
    }
    PyList_SET_ITEM(list, 0, item);
    return finish_container(container, list);
}

PyObject *bolt_py_param_convert(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                                const struct bolt_py_wire *wire, const struct bolt_py_hit *hits, bool *found,
                                struct bolt_py_refusal *refusal)
{
    refusal->fault = BOLT_PY_FAULT_NONE;
    *found = true;
    struct bolt_slice raw;
    if (param->source == BOLT_PY_SOURCE_HEADER) {
        int status = bolt_py_text_load_header(&refusal->text, wire->head, param->key, param->known);
        *found = status != 0;
        return status == 1 ? single_container(param->container, convert_text(binder, param, refusal)) : NULL;
    }
    if (param->source == BOLT_PY_SOURCE_PATH) {
        *found = (size_t)param->capture < wire->capture_count;
        raw = *found ? wire->captures[param->capture] : BOLT_SLICE_LIT("");
    } else {
        *found = hits[param->slot].count > 0;
        raw = hits[param->slot].value;
    }
    if (!*found)
        return NULL;
    if (param->source == BOLT_PY_SOURCE_QUERY && param->container != BOLT_PY_CONTAINER_NONE)
        return query_container(binder, param, wire->head->query, hits[param->slot].count, refusal);
    return single_container(param->container, convert_raw(binder, param, raw, refusal));
}
