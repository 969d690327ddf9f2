/* SPDX-License-Identifier: MIT */
/* binder_int.h - the compiled parameter table, shared by binder.c, bind.c, bind_text.c, group.c, body.c and request_*.c.
 *
 * Nothing here changes after bolt_py_binder_new(): binds of interleaved requests read it without locks, and
 * what one bind needs to remember lives in its own struct bolt_py_bind.
 */
#ifndef BOLT_PY_BINDER_INT_H
#define BOLT_PY_BINDER_INT_H

#include <Python.h>

#include "binder.h"
#include "convert.h"
#include "plan.h"

struct bolt_py_group;

/* One argument of the handler, or one field of a group. All PyObject pointers are strong; NULL when not given. */
struct bolt_py_param {
    enum bolt_py_source source;
    enum bolt_py_kind kind;
    enum bolt_py_container container;
    bool required;
    int capture;           /* PATH: index of the {} segment */
    int known;             /* HEADER: enum bolt_http1_known of a field that occurs once at most, else -1 */
    size_t slot;           /* QUERY, COOKIE: index into bolt_py_bind.hits */
    struct bolt_slice key; /* wire key, UTF-8; borrows from wire_key */
    PyObject *name, *wire_key;
    PyObject *default_value, *default_factory;
    PyObject *choices; /* CHOICE: dict from text to value */
    PyObject *check;
    PyObject *decode;            /* BODY */
    struct bolt_py_group *group; /* owned */
};

struct bolt_py_group {
    size_t field_count;
    struct bolt_py_param *fields;
    PyObject *build;
    PyObject *wire_keys;  /* dict: field name to wire key, for error locations */
    PyObject *known_keys; /* frozenset when unknown query keys are refused, else NULL */
};

struct bolt_py_binder {
    PyObject_HEAD
    struct bolt_py_state *state; /* borrowed: our type keeps the module alive */
    struct bolt_py_settings *settings;
    PyObject *route_name;
    PyObject *capture_names; /* tuple of str, in pattern order */
    PyObject *kwnames;       /* tuple of str or NULL */
    Py_ssize_t nargs, npositional;
    struct bolt_py_param *params; /* nargs of them */
    bool wants_request;
    /* Every parameter read from text, fields of groups included. */
    size_t text_count;
    struct bolt_py_param **texts;
    /* Slots: the distinct query keys, then the distinct cookie names. */
    size_t query_slots, slot_count;
    const struct bolt_py_param **slots; /* the first parameter that uses each */
};

/* The octets of one request: borrowed from an open exchange, or from the copy a kept Request owns. */
struct bolt_py_wire {
    const struct bolt_http1_head *head;
    struct bolt_slice content;
    const struct bolt_slice *captures;
    size_t capture_count;
};

static inline struct bolt_py_wire bolt_py_wire_of(const struct bolt_exchange *exchange)
{
    return (struct bolt_py_wire){&exchange->head, exchange->content, exchange->match.captures,
                                 exchange->match.capture_count};
}

/* --- bind_text.c: finding, decoding and converting text values --- */

/* The last value of a slot's key, raw, and how many there were. */
struct bolt_py_hit {
    struct bolt_slice value;
    size_t count;
};

/* A value in decoded form: a view of the wire when nothing had to be decoded, else of its own storage. */
struct bolt_py_text {
    struct bolt_slice value;
    char *heap; /* PyMem */
    char stack[120];
};

static inline void bolt_py_text_clear(struct bolt_py_text *text)
{
    PyMem_Free(text->heap);
}

/* Decodes `raw` as `source` asks. -1 with MemoryError; `text` need not be cleared then. */
int bolt_py_text_load(struct bolt_py_text *text, enum bolt_py_source source, struct bolt_slice raw);

/* The combined value of a header field (RFC 9110 5.3). 1 found, 0 absent, -1 MemoryError. Clear `text` after 1. */
int bolt_py_text_load_header(struct bolt_py_text *text, const struct bolt_http1_head *head,
                             struct bolt_slice lower_name, int known);

/* One walk over the query string (and one over the cookies) fills hits[0..slot_count). */
void bolt_py_scan(const struct bolt_py_binder *binder, const struct bolt_http1_head *head, struct bolt_py_hit *hits);

/* Walks the cookies of all Cookie fields; *field starts at -1, *cursor at 0. */
bool bolt_py_cookie_next(const struct bolt_http1_head *head, int *field, size_t *cursor, struct bolt_slice *name,
                         struct bolt_slice *value);

/* What went wrong with a client's value; `text` holds the refused value and must be cleared when fault is set. */
struct bolt_py_refusal {
    enum bolt_py_fault fault;
    struct bolt_py_text text;
};

/* The value of one text parameter, converted (new reference); containers collect all occurrences.
 *   *found false, NULL without exception: the key is absent.
 *   NULL with refusal->fault set: refused.       NULL otherwise: exception. */
PyObject *bolt_py_param_convert(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                                const struct bolt_py_wire *wire, const struct bolt_py_hit *hits, bool *found,
                                struct bolt_py_refusal *refusal);

/* --- bind.c --- */

/* One bind in progress. Lives on the C stack of bolt_py_bind and is reachable from nowhere else. */
struct bolt_py_bind {
    const struct bolt_py_binder *binder;
    struct bolt_py_wire wire;
    PyObject *request;        /* borrowed, may be NULL */
    struct bolt_py_hit *hits; /* binder->slot_count */
    PyObject *content;        /* the content as bytes, built for the first BODY parameter */
};

/* The value for an absent optional parameter (new reference). */
PyObject *bolt_py_param_default(const struct bolt_py_param *param);
/* Runs param->check (if any) on `value` (stolen); the checked value, or NULL with an exception. `label` begins the
 * location of errors. */
PyObject *bolt_py_param_check(const struct bolt_py_binder *binder, const struct bolt_py_param *param, const char *label,
                              PyObject *value);

/* --- group.c, body.c --- */
PyObject *bolt_py_group_bind(const struct bolt_py_bind *bind, const struct bolt_py_param *param);
PyObject *bolt_py_body_bind(struct bolt_py_bind *bind, const struct bolt_py_param *param);

/* --- bind_error.c: client errors as exceptions (surface section 5) --- */

/* "path", "query", "header", "cookie", "body". */
const char *bolt_py_source_name(enum bolt_py_source source);
/* "Missing required query parameter: q" (new reference). */
PyObject *bolt_py_missing_text(const struct bolt_py_param *param);

/* Each of these sets an exception and returns NULL, so that callers can `return` it. */
PyObject *bolt_py_raise_missing(const struct bolt_py_binder *binder, const struct bolt_py_param *param);
PyObject *bolt_py_raise_refused(const struct bolt_py_binder *binder, const struct bolt_py_param *param,
                                const struct bolt_py_refusal *refusal);
/* RequestValidationError(errors). */
PyObject *bolt_py_raise_list(struct bolt_py_state *state, PyObject *errors);
/* Replaces the raised exception by what `convert` (a function of django_bolt._binding_errors) makes of it: called with
 * (exception, label, first, second), it returns the exception to raise, whose cause the old one becomes. */
PyObject *bolt_py_raise_through(PyObject *convert, const char *label, PyObject *first, PyObject *second);

#endif
