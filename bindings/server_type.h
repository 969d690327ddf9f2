/* SPDX-License-Identifier: MIT */
/* server_type.h - the Server type: a C server inside a running asyncio loop. */
#ifndef BOLT_PY_SERVER_TYPE_H
#define BOLT_PY_SERVER_TYPE_H

#include <Python.h>

#include "app.h"
#include "bolt/server.h"
#include "respond.h"
#include "state.h"

struct bolt_py_server {
    PyObject_HEAD
    struct bolt_py_state *state;
    struct bolt_py_app *app;
    struct bolt_server *engine; /* NULL once closed */
    PyObject *loop;
    PyObject *call_soon;     /* loop.call_soon */
    PyObject *future_kwargs; /* {"loop": loop} */
    PyObject *base_context;  /* every request runs in a copy */
    PyObject *wake_context;  /* where workers are woken, see drive.c */
    PyObject *interrupt;     /* KeyboardInterrupt or SystemExit to raise into the loop */
    PyObject *weak_list;

    /* request tasks, see task.h */
    PyObject *spare;       /* not in use */
    PyObject *current;     /* entered as the loop's current task */
    Py_ssize_t spare_refs; /* reference count of an untouched spare while it is in use */
    PyObject *first;       /* list of promoted tasks, oldest first */
    PyObject *last;
    uint64_t names;
    uint64_t promoted;
    uint64_t retired;

    unsigned running; /* nested or suspended calls into the engine */
    int handled;      /* of the latest bolt_server_run() */
    int run_errno;
    bool started;
    bool closing; /* closed, or to be closed when `running` is 0 */
    struct bolt_py_head heads[BOLT_PY_HEAD_SLOTS];
};

int bolt_py_add_server(PyObject *module, struct bolt_py_state *state);

/* bolt_server_run() and bolt_server_run_pending(), guarded against close(). May suspend: only in a worker. */
void bolt_py_server_run_engine(struct bolt_py_server *server);
void bolt_py_server_run_queue(struct bolt_py_server *server);
/* -1 with KeyboardInterrupt or SystemExit set when a handler raised one since the last call. */
int bolt_py_server_raise_interrupt(struct bolt_py_server *server);
/* Keeps a KeyboardInterrupt or SystemExit (borrowed) to be raised into the loop; the first one wins. */
void bolt_py_server_interrupt(struct bolt_py_server *server, PyObject *exc);
/* The exception that is set has no other reader: interrupts go to the loop, anything else to sys.unraisablehook. */
void bolt_py_server_report(struct bolt_py_server *server, PyObject *where);

#endif
