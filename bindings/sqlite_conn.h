/* SPDX-License-Identifier: MIT */
/* sqlite_conn.h - the SQLite driver's types and what their files share (PEP 249 on db/sqlite).
 *
 *   sqlite_connection.c  Connection: life, transactions, settings
 *   sqlite_cursor.c      Cursor: execute, fetch
 *   sqlite_value.c       Python values to parameters, columns to Python values
 *   sqlite_function.c    user functions, aggregates, collations
 *   sqlite_wait.c        steps, and what SQLite calls back while they run: progress, busy, write-ahead log
 *   sqlite_backup.c      backup and blobs
 *   sqlite_error.c       result codes to exceptions
 *
 * Two modes per call. In a worker the GIL is held for the whole step; when SQLite is busy, or a step takes long, the
 * callbacks switch to the event loop. Anywhere else the GIL is released during the step and waiting blocks, as in sqlite3.
 */
#ifndef BOLT_PY_SQLITE_CONN_H
#define BOLT_PY_SQLITE_CONN_H

#include <Python.h>

#include "bolt/sqlite.h"
#include "green.h"
#include "state.h"

struct bolt_py_sqlite {
    PyObject_HEAD
    struct bolt_py_state *state;
    struct bolt_sqlite *db;    /* NULL: closed */
    PyObject *isolation_level; /* str or None */
    char begin[24];            /* what legacy transaction control sends before DML, "" when isolation_level is None */
    PyObject *row_factory;     /* callable or None */
    PyObject *text_factory;
    PyObject *filename; /* str: the main database's file, "" for in-memory */
    int detect_types;
    bool check_same_thread;
    unsigned long thread;
    pid_t pid;
    double timeout_s;
    struct bolt_py_green_lock lock; /* held around every use of the handle in workers */

    /* while a step runs */
    bool in_worker;
    bool gil_released;
    uint64_t slice_start_ns;
    uint64_t busy_start_ns;
    bool was_in_transaction; /* before the latest step */
    PyObject *pending;       /* exception raised in a callback; replaces SQLite's own error */

    /* callbacks of the user */
    PyObject *progress;
    int progress_interval;
    PyObject *trace;
    PyObject *authorizer;
    PyObject *checkpointer; /* called with the file name when the write-ahead log has grown; None: inline */
    bool checkpoint_due;
};

struct bolt_py_sqlite_cursor {
    PyObject_HEAD
    PyObject *connection;          /* struct bolt_py_sqlite */
    struct bolt_sqlite_stmt *stmt; /* in use by this cursor */
    PyObject *description;
    PyObject *lastrowid;
    PyObject *row_factory;
    PyObject *next_row; /* fetched by execute's first step, not yet delivered */
    int64_t rowcount;
    int arraysize;
    bool closed;
    bool initialised;
};

/* What the driver keeps with a cached statement. */
struct bolt_py_sqlite_columns {
    PyObject *description; /* tuple of 7-tuples, or None */
    PyObject *converters;  /* tuple of callable or None per column; NULL: none anywhere */
    int reprepares;        /* sqlite3_stmt_status at the time of building: a schema change makes it stale */
    Py_ssize_t registered; /* len(sqlite3.converters) then */
};

int bolt_py_sqlite_add(PyObject *module, struct bolt_py_state *state);
int bolt_py_sqlite_cursor_add(PyObject *module, struct bolt_py_state *state);
int bolt_py_sqlite_blob_add(PyObject *module, struct bolt_py_state *state);

/* --- sqlite_error.c --- */

/* Raises the exception class for `rc` with a text. Always returns -1. */
int bolt_py_sqlite_raise_code(struct bolt_py_state *state, int rc, const char *text);
/* Raises the pending exception, or the one for the handle's last error. Always returns -1. */
int bolt_py_sqlite_raise(struct bolt_py_sqlite *conn, int rc);
/* Raises `class_name` of the sqlite3 module with a text. */
void bolt_py_sqlite_raise_text(struct bolt_py_state *state, const char *class_name, const char *format, ...);

/* --- sqlite_connection.c --- */

/* Open, right thread, right process? -1 with ProgrammingError. */
int bolt_py_sqlite_check(struct bolt_py_sqlite *conn);
/* The lock in workers, the open check everywhere. Pair with leave(). */
int bolt_py_sqlite_enter(struct bolt_py_sqlite *conn);
void bolt_py_sqlite_leave(struct bolt_py_sqlite *conn);
/* Runs a statement without results. 0, or -1 with an exception. Between enter and leave. */
int bolt_py_sqlite_run(struct bolt_py_sqlite *conn, const char *sql);

/* --- sqlite_value.c --- */

int bolt_py_sqlite_bind(struct bolt_py_sqlite *conn, struct bolt_sqlite_stmt *stmt, PyObject *params);
/* Description and converters of a statement with columns; borrowed by the statement. NULL with an exception. */
struct bolt_py_sqlite_columns *bolt_py_sqlite_columns_of(struct bolt_py_sqlite *conn, struct bolt_sqlite_stmt *stmt);
void bolt_py_sqlite_columns_free(void *columns);
/* The current row as a tuple. */
PyObject *bolt_py_sqlite_row(struct bolt_py_sqlite *conn, struct bolt_sqlite_stmt *stmt);
/* One value to and from user functions. */
PyObject *bolt_py_sqlite_value(struct bolt_py_sqlite *conn, sqlite3_value *value);
int bolt_py_sqlite_result(sqlite3_context *context, PyObject *value);

/* --- sqlite_wait.c --- */

/* Installs the callbacks on a new handle. */
void bolt_py_sqlite_watch(struct bolt_py_sqlite *conn);
/* sqlite3_step with waiting; SQLite's result code. */
int bolt_py_sqlite_step(struct bolt_py_sqlite *conn, sqlite3_stmt *stmt);
/* Before a statement that may write: those who wait for the file's lock go first. -1: cancelled. */
int bolt_py_sqlite_queue_up(struct bolt_py_sqlite *conn, const struct bolt_sqlite_stmt *stmt);
/* After a statement: wakes who waits when the lock may be free now, hands a due checkpoint over. */
void bolt_py_sqlite_stepped(struct bolt_py_sqlite *conn, bool wrote);
/* The first that waits for the file's lock may try again. */
void bolt_py_sqlite_wake(struct bolt_py_sqlite *conn);
/* Callbacks run Python: take the GIL when the step released it. */
struct bolt_py_sqlite_gil {
    bool taken;
    PyGILState_STATE state;
};
struct bolt_py_sqlite_gil bolt_py_sqlite_gil_take(struct bolt_py_sqlite *conn);
void bolt_py_sqlite_gil_give(struct bolt_py_sqlite_gil gil);
/* Keeps the raised exception for bolt_py_sqlite_raise. */
void bolt_py_sqlite_keep_exception(struct bolt_py_sqlite *conn);

/* --- sqlite_function.c, sqlite_backup.c: Connection methods --- */

PyObject *bolt_py_sqlite_create_function(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *bolt_py_sqlite_create_aggregate(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *bolt_py_sqlite_create_window_function(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *bolt_py_sqlite_create_collation(PyObject *self, PyObject *args);
PyObject *bolt_py_sqlite_backup(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *bolt_py_sqlite_blobopen(PyObject *self, PyObject *args, PyObject *kwargs);

#endif
