/* SPDX-License-Identifier: MIT */
/* respond.c - what a handler returned becomes a response.
 *
 * Order of work: the content is encoded first (msgspec may run Python code and may fail), then head and content are
 * appended to the exchange's output without running Python in between. So a failure leaves the output
 * as it was, and a suspended encoder never leaves half a response behind.
 *
 * JSON on a persistent HTTP/1.1 connection is the hot path: its head is rendered once per status and second and
 * copied as one block, followed by the length and the content.
 */
#include "respond.h"

#include "bolt/ascii.h"
#include "compat.h"
#include "encode.h"
#include "errors.h"
#include "request.h"
#include "server_type.h"
#include "task.h"

#define JSON_TYPE BOLT_SLICE_LIT("application/json")
#define TEXT_TYPE BOLT_SLICE_LIT("text/plain; charset=utf-8")
#define OCTETS_TYPE BOLT_SLICE_LIT("application/octet-stream")

/* A head being written; `mark` is where the output goes back to after a failure. */
struct writer {
    struct bolt_exchange *exchange;
    struct bolt_buf *out;
    struct bolt_http1_open_head head;
    size_t mark;
    bool drop_content; /* HEAD */
};

static int fail_write(struct writer *writer, int err)
{
    writer->out->len = writer->mark;
    bolt_py_raise(err, NULL, "response header field contains characters that are not allowed");
    return -1;
}

static int begin(struct writer *writer, struct bolt_exchange *exchange, int status)
{
    *writer = (struct writer){
        .exchange = exchange,
        .out = bolt_exchange_out(exchange),
        .drop_content = exchange->head.method == BOLT_METHOD_HEAD,
    };
    writer->mark = writer->out->len;
    exchange->status = status;
    int err = bolt_http1_head_begin(writer->out, &writer->head, status, bolt_exchange_stamp(exchange),
                                    exchange->head.minor, exchange->keep_alive);
    return err ? fail_write(writer, err) : 0;
}

static int end(struct writer *writer, enum bolt_http1_framing framing, struct bolt_slice content)
{
    int err = bolt_http1_head_end(writer->out, &writer->head, framing);
    if (!err && framing == BOLT_FRAMING_LENGTH)
        err = bolt_buf_put(writer->out, content.ptr, content.len);
    if (err)
        return fail_write(writer, err);
    if (framing == BOLT_FRAMING_LENGTH)
        bolt_http1_head_close(writer->out, &writer->head, writer->drop_content);
    return 0;
}

static int put_content(struct bolt_exchange *exchange, int status, struct bolt_slice type, struct bolt_slice content)
{
    struct writer writer;
    if (begin(&writer, exchange, status) < 0)
        return -1;
    if (!bolt_http1_status_has_content(status))
        return end(&writer, BOLT_FRAMING_NONE, content);
    int err = bolt_http1_head_field(writer.out, BOLT_SLICE_LIT("content-type"), type);
    return err ? fail_write(&writer, err) : end(&writer, BOLT_FRAMING_LENGTH, content);
}

/* ---- the hot path: JSON with a rendered head ---- */

/* The head for `status` up to "content-length: ", NULL when it cannot be rendered. */
static const struct bolt_py_head *json_head(struct bolt_py_server *server, struct bolt_exchange *exchange, int status)
{
    const struct bolt_http1_stamp *stamp = bolt_exchange_stamp(exchange);
    struct bolt_py_head *slot = &server->heads[(unsigned)status % BOLT_PY_HEAD_SLOTS];
    if (BOLT_LIKELY(slot->len && slot->unix_s == stamp->unix_s && slot->status == status))
        return slot;
    struct bolt_buf text;
    struct bolt_http1_open_head head;
    bolt_buf_init(&text);
    slot->len = 0;
    if (bolt_http1_head_begin(&text, &head, status, stamp, 1, true) == BOLT_OK &&
        bolt_http1_head_field(&text, BOLT_SLICE_LIT("content-type"), JSON_TYPE) == BOLT_OK &&
        bolt_buf_put_lit(&text, "content-length: ") == BOLT_OK && text.len <= sizeof(slot->text)) {
        memcpy(slot->text, text.ptr, text.len);
        slot->len = (uint16_t)text.len;
        slot->unix_s = stamp->unix_s;
        slot->status = status;
    }
    bolt_buf_clear(&text);
    return slot->len ? slot : NULL;
}

/* Decimal digits of `value` at `at`; returns what follows them. */
static char *put_digits(char *at, size_t value)
{
    char digits[20];
    size_t pos = sizeof(digits);
    do {
        digits[--pos] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (pos < sizeof(digits))
        *at++ = digits[pos++];
    return at;
}

/* Appends head, length and content as one piece. */
static int put_json_fast(struct bolt_exchange *exchange, const struct bolt_py_head *head, struct bolt_slice content)
{
    struct bolt_buf *out = bolt_exchange_out(exchange);
    size_t room;
    if (!bolt_size_add(content.len, (size_t)head->len + 24, &room) || bolt_buf_reserve(out, room) != BOLT_OK) {
        PyErr_NoMemory();
        return -1;
    }
    char *at = out->ptr + out->len; /* room is for 20 digits and CRLF CRLF */
    memcpy(at, head->text, head->len);
    at = put_digits(at + head->len, content.len);
    memcpy(at, "\r\n\r\n", 4);
    memcpy(at + 4, content.ptr, content.len);
    out->len = (size_t)(at + 4 - out->ptr) + content.len;
    exchange->status = head->status;
    return 0;
}

static int put_json(struct bolt_py_task *task, int status, PyObject *value)
{
    struct bolt_exchange *exchange = task->exchange;
    PyObject *encoded = bolt_py_encode_json(task->server->app, value);
    if (!encoded)
        return -1;
    struct bolt_slice content = bolt_slice_of(PyBytes_AS_STRING(encoded), (size_t)PyBytes_GET_SIZE(encoded));
    const struct bolt_py_head *head = NULL;
    if (BOLT_LIKELY(exchange->keep_alive && exchange->head.minor == 1 && exchange->head.method != BOLT_METHOD_HEAD &&
                    bolt_http1_status_has_content(status)))
        head = json_head(task->server, exchange, status);
    int err = BOLT_LIKELY(head != NULL) ? put_json_fast(exchange, head, content)
                                        : put_content(exchange, status, JSON_TYPE, content);
    Py_DECREF(encoded);
    return err;
}

/* ---- results ---- */

static int put_text(struct bolt_exchange *exchange, int status, PyObject *value)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(value, &len);
    return text ? put_content(exchange, status, TEXT_TYPE, bolt_slice_of(text, (size_t)len)) : -1;
}

static int put_octets(struct bolt_exchange *exchange, int status, PyObject *value)
{
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int err = put_content(exchange, status, OCTETS_TYPE, bolt_slice_of(view.buf, (size_t)view.len));
    PyBuffer_Release(&view);
    return err;
}

static int put_none(struct bolt_py_task *task)
{
    const struct bolt_py_result *plan = &task->route->result;
    if (!bolt_http1_status_has_content(plan->status))
        return put_content(task->exchange, plan->status, JSON_TYPE, BOLT_SLICE_LIT(""));
    if (plan->allow_none)
        return put_json(task, plan->status, Py_None);
    PyErr_Format(PyExc_TypeError,
                 "%U returned None: return a value, give the route status_code=204, or declare None in the "
                 "response type",
                 task->route->name);
    return -1;
}

/* hooks.finalize(value, request, meta): a raw response, or a coroutine that produces one. */
static int finalize(struct bolt_py_task *task, PyObject *value, PyObject **tail)
{
    PyObject *request = bolt_py_task_request(task);
    if (!request)
        return -1;
    PyObject *args[] = {NULL, value, request, task->route->meta};
    PyObject *raw =
        PyObject_Vectorcall(task->server->app->finalize, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (!raw)
        return -1;
    if (!PyTuple_Check(raw)) {
        *tail = raw;
        return 0;
    }
    int err = bolt_py_respond_raw(task, raw);
    Py_DECREF(raw);
    return err;
}

static int put_encoded(struct bolt_py_task *task, PyObject *value, PyObject **tail)
{
    int status = task->route->result.status;
    if (BOLT_LIKELY(PyDict_CheckExact(value) || PyList_CheckExact(value)))
        return put_json(task, status, value);
    switch (bolt_py_encode_class(task->server->state, value)) {
    case BOLT_PY_ENCODE_JSON:
        return put_json(task, status, value);
    case BOLT_PY_ENCODE_TEXT:
        return put_text(task->exchange, status, value);
    case BOLT_PY_ENCODE_OCTETS:
        return put_octets(task->exchange, status, value);
    case BOLT_PY_ENCODE_NONE:
        return put_none(task);
    case BOLT_PY_ENCODE_OTHER:
        return finalize(task, value, tail);
    case BOLT_PY_ENCODE_FAILED:
        break;
    }
    return -1;
}

/* `result` is what the handler returned, `value` what the declared type made of it. */
static int put_by_type(struct bolt_py_task *task, PyObject *value, PyObject *result, PyObject **tail)
{
    int err = put_encoded(task, value, tail);
    if (BOLT_LIKELY(err == 0) || !PyErr_ExceptionMatches(task->server->state->NeedsFinalize))
        return err;
    PyErr_Clear(); /* something inside must be awaited or read as declared; nothing was written */
    return finalize(task, result, tail);
}

static bool is_empty_result(const struct bolt_py_result *plan, PyObject *value)
{
    return value == Py_None && (plan->allow_none || !bolt_http1_status_has_content(plan->status));
}

int bolt_py_respond_result(struct bolt_py_task *task, PyObject *value, PyObject **tail)
{
    const struct bolt_py_result *plan = &task->route->result;
    if (plan->kind == BOLT_PY_RESULT_FINALIZE)
        return finalize(task, value, tail);
    if (plan->kind == BOLT_PY_RESULT_AUTO || Py_TYPE(value) == plan->exact || is_empty_result(plan, value))
        return put_by_type(task, value, value, tail);
    PyObject *converted = PyObject_CallOneArg(plan->convert, value);
    if (!converted) {
        if (!PyErr_ExceptionMatches(task->server->state->msgspec_ValidationError))
            return -1;
        PyErr_Clear(); /* finalize knows querysets, models and Response objects, or reports it */
        return finalize(task, value, tail);
    }
    int err = put_by_type(task, converted, value, tail);
    Py_DECREF(converted);
    return err;
}

/* ---- raw responses ---- */

/* Fields the engine decides on; an application's copy is dropped. */
static bool is_reserved(struct bolt_slice name)
{
    static const char *const reserved[] = {"content-length", "connection", "transfer-encoding", "date", "server",
                                           "keep-alive",     "upgrade"};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(reserved); i++) {
        if (bolt_slice_ieq(name, bolt_slice_of(reserved[i], strlen(reserved[i]))))
            return true;
    }
    return false;
}

/* The octets of a field name or value: ASCII is borrowed from the str, the rest of ISO 8859-1 is encoded. */
struct field_text {
    struct bolt_slice octets;
    PyObject *owner; /* NULL: borrowed */
};

static int field_text_init(struct field_text *text, PyObject *value)
{
    text->owner = NULL;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "a response header field is a pair of str, not %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PyUnicode_IS_ASCII(value)) {
        text->octets = bolt_slice_of(PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value));
        return 0;
    }
    text->owner = PyUnicode_AsLatin1String(value);
    if (!text->owner)
        return -1;
    text->octets = bolt_slice_of(PyBytes_AS_STRING(text->owner), (size_t)PyBytes_GET_SIZE(text->owner));
    return 0;
}

/* Appends one field, its name in lower case. */
static int put_field(struct bolt_buf *out, struct bolt_slice name, struct bolt_slice value)
{
    size_t start = out->len;
    int err = bolt_http1_head_field(out, name, value);
    for (size_t i = 0; !err && i < name.len; i++) /* a field line starts with its name */
        out->ptr[start + i] = bolt_ascii_lower(out->ptr[start + i]);
    return err;
}

/* Appends the pairs of `fields` that are the application's to decide. A response to HEAD without content may say how
 * long the content would be: then *has_length is set. -1 with an exception. */
static int put_fields(struct writer *writer, PyObject *fields, bool may_have_length, bool *has_length)
{
    PyObject *pairs = PySequence_Fast(fields, "response header fields are a sequence of pairs");
    if (!pairs)
        return -1;
    int err = 0;
    for (Py_ssize_t i = 0; err == 0 && i < PySequence_Fast_GET_SIZE(pairs); i++) {
        PyObject *pair = PySequence_Fast_GET_ITEM(pairs, i); /* borrowed; no Python runs below */
        struct field_text name = {.owner = NULL}, value = {.owner = NULL};
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "a response header field is a tuple of name and value");
            err = -1;
        } else if (field_text_init(&name, PyTuple_GET_ITEM(pair, 0)) < 0 ||
                   field_text_init(&value, PyTuple_GET_ITEM(pair, 1)) < 0) {
            err = -1;
        } else if (!is_reserved(name.octets)) {
            err = put_field(writer->out, name.octets, value.octets) ? 1 : 0;
        } else if (may_have_length && bolt_slice_ieq(name.octets, BOLT_SLICE_LIT("content-length"))) {
            err = put_field(writer->out, name.octets, value.octets) ? 1 : 0;
            *has_length = true;
        }
        Py_XDECREF(name.owner);
        Py_XDECREF(value.owner);
    }
    Py_DECREF(pairs);
    return err;
}

static int put_raw(struct bolt_exchange *exchange, int status, PyObject *fields, struct bolt_slice content)
{
    struct writer writer;
    bool has_length = false;
    bool may_have_length = exchange->head.method == BOLT_METHOD_HEAD && content.len == 0;
    if (begin(&writer, exchange, status) < 0)
        return -1;
    int err = put_fields(&writer, fields, may_have_length, &has_length);
    if (err < 0) {
        writer.out->len = writer.mark;
        return -1;
    }
    if (err > 0)
        return fail_write(&writer, BOLT_ERR_SYNTAX);
    bool bare = has_length || !bolt_http1_status_has_content(status);
    return end(&writer, bare ? BOLT_FRAMING_NONE : BOLT_FRAMING_LENGTH, content);
}

int bolt_py_respond_raw(struct bolt_py_task *task, PyObject *raw)
{
    if (!PyTuple_Check(raw) || PyTuple_GET_SIZE(raw) != 3 || !PyLong_Check(PyTuple_GET_ITEM(raw, 0)) ||
        !PyBytes_Check(PyTuple_GET_ITEM(raw, 2))) {
        PyErr_Format(PyExc_TypeError, "a raw response is (status, header fields, bytes), not %.200R", raw);
        return -1;
    }
    PyObject *content = PyTuple_GET_ITEM(raw, 2);
    long status = PyLong_AsLong(PyTuple_GET_ITEM(raw, 0));
    if (status == -1 && PyErr_Occurred())
        return -1;
    if (status < 200 || status > 999) {
        PyErr_Format(PyExc_ValueError, "%ld is not the status of a final response (200..999)", status);
        return -1;
    }
    return put_raw(task->exchange, (int)status, PyTuple_GET_ITEM(raw, 1),
                   bolt_slice_of(PyBytes_AS_STRING(content), (size_t)PyBytes_GET_SIZE(content)));
}

int bolt_py_respond_exception(struct bolt_py_task *task, PyObject *exc)
{
    PyObject *request = bolt_py_task_request(task);
    if (!request)
        return -1;
    PyObject *meta = task->route ? task->route->meta : Py_None;
    PyObject *args[] = {NULL, exc, request, meta};
    PyObject *hook = task->server->app->handle_exception;
    PyObject *raw = PyObject_Vectorcall(hook, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (!raw)
        return -1;
    int err = bolt_py_respond_raw(task, raw);
    Py_DECREF(raw);
    return err;
}

/* ---- what routing refused ---- */

/* [("allow", "GET, OPTIONS")] for a 405, [] for a 404. */
static PyObject *unmatched_fields(const struct bolt_route_match *match)
{
    if (match->kind != BOLT_ROUTE_NOT_ALLOWED)
        return PyList_New(0);
    char allow[96];
    size_t len = bolt_route_allow(match->allow_mask, allow);
    return Py_BuildValue("[(s,s#)]", "allow", allow, (Py_ssize_t)len);
}

int bolt_py_respond_unmatched(struct bolt_py_task *task)
{
    const struct bolt_route_match *match = &task->exchange->match;
    PyObject *request = bolt_py_task_request(task);
    PyObject *status = request ? PyLong_FromLong(match->kind == BOLT_ROUTE_NOT_FOUND ? 404 : 405) : NULL;
    PyObject *fields = status ? unmatched_fields(match) : NULL;
    PyObject *raw = NULL;
    if (fields) {
        PyObject *args[] = {NULL, status, fields, request};
        PyObject *hook = task->server->app->handle_unmatched;
        raw = PyObject_Vectorcall(hook, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    Py_XDECREF(status);
    Py_XDECREF(fields);
    if (!raw)
        return -1;
    int written = raw == Py_None ? 0 : bolt_py_respond_raw(task, raw) < 0 ? -1 : 1;
    Py_DECREF(raw);
    return written;
}
