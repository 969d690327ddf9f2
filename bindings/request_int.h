/* SPDX-License-Identifier: MIT */
/* request_int.h - inside the Request object, for request.c, request_fields.c, request_meta.c and body.c. */
#ifndef BOLT_PY_REQUEST_INT_H
#define BOLT_PY_REQUEST_INT_H

#include <Python.h>

#include "binder_int.h"
#include "request.h"

/* What a request kept beyond its response needs of the exchange; slices point into octets[]. */
struct bolt_py_request_copy {
    struct bolt_http1_head head;
    size_t capture_count;
    struct bolt_slice captures[BOLT_ROUTE_MAX_CAPTURES];
    struct sockaddr_storage peer, local; /* ss_family AF_UNSPEC: unknown */
    char octets[];
};

/* One of exchange and copy is set; neither when a copy could not be made (an empty request). */
struct bolt_py_request {
    PyObject_HEAD
    PyObject *weakrefs;
    struct bolt_py_state *bolt; /* borrowed: our type keeps the module alive */
    struct bolt_py_settings *settings;
    struct bolt_py_binder *binder;  /* strong, NULL when no route matched */
    struct bolt_exchange *exchange; /* borrowed until detach */
    struct bolt_py_request_copy *copy;
    /* Built on first use; NULL before. */
    PyObject *method, *path, *query, *params, *headers, *cookies, *raw_cookies, *body, *form, *files, *user, *context,
        *state, *META;
};

/* The octets behind the request, valid until the next call that may run Python code. */
struct bolt_py_wire bolt_py_request_wire(const struct bolt_py_request *request);

/* Peer and local address; ss_family AF_UNSPEC when unknown. */
void bolt_py_request_addresses(const struct bolt_py_request *request, struct sockaddr_storage *peer,
                               struct sockaddr_storage *local);

/* request.body (new reference). */
PyObject *bolt_py_request_body(PyObject *request);

/* The value of field `index`: Host gives way to the authority of an absolute-form target (RFC 9112 3.2.2). */
static inline struct bolt_slice bolt_py_field_value(const struct bolt_http1_head *head, int index)
{
    return index == head->known[BOLT_H_HOST] ? head->authority : head->fields[index].value;
}

/* --- builders of the lazy attributes, new references --- */
PyObject *bolt_py_request_build_path(struct bolt_py_request *request);
PyObject *bolt_py_request_build_query(struct bolt_py_request *request);
PyObject *bolt_py_request_build_params(struct bolt_py_request *request);
PyObject *bolt_py_request_build_headers(struct bolt_py_request *request);
PyObject *bolt_py_request_build_raw_cookies(struct bolt_py_request *request);
PyObject *bolt_py_request_build_cookies(struct bolt_py_request *request);
PyObject *bolt_py_request_build_meta(struct bolt_py_request *request);

/* A field or cookie value as text: UTF-8, or Latin-1 when it is not (RFC 9110 5.5 leaves it open). */
PyObject *bolt_py_field_text(struct bolt_slice value);
/* A path or query part as text: percent-decoded UTF-8, broken sequences replaced. */
PyObject *bolt_py_uri_text(enum bolt_py_source source, struct bolt_slice raw);

#endif
