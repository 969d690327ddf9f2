/* SPDX-License-Identifier: MIT */
/* body.c - the content of a request through the declared type's own decoder.
 *
 * The content is decoded as JSON whatever its Content-Type says. Several body parameters each receive the whole
 * content; the bytes object is built once and shared with request.body.
 */
#include "binder_int.h"
#include "request_int.h"

/* What a decoder raises because of the client's octets: not JSON, not the declared type, not UTF-8 inside a
 * string, nested beyond the interpreter's limit. */
static bool is_clients_fault(const struct bolt_py_state *state)
{
    return PyErr_ExceptionMatches(state->msgspec_DecodeError) || PyErr_ExceptionMatches(PyExc_UnicodeDecodeError) ||
           PyErr_ExceptionMatches(PyExc_RecursionError);
}

static PyObject *content_bytes(struct bolt_py_bind *bind)
{
    if (bind->content == NULL)
        bind->content = bind->request != NULL
                            ? bolt_py_request_body(bind->request)
                            : PyBytes_FromStringAndSize(bind->wire.content.ptr, (Py_ssize_t)bind->wire.content.len);
    return bind->content;
}

PyObject *bolt_py_body_bind(struct bolt_py_bind *bind, const struct bolt_py_param *param)
{
    struct bolt_py_state *state = bind->binder->state;
    if (bind->wire.content.len == 0 && !param->required)
        return bolt_py_param_default(param);
    PyObject *content = content_bytes(bind); /* borrowed from bind */
    if (content == NULL)
        return NULL;
    PyObject *value = PyObject_CallOneArg(param->decode, content);
    if (value == NULL && is_clients_fault(state))
        bolt_py_raise_through(state->body_error, "body", param->name, content);
    return value;
}
