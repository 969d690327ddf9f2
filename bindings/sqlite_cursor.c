/* SPDX-License-Identifier: MIT */
/* sqlite_cursor.c - Cursor (PEP 249): execute and fetch.
 *
 * execute() takes the first step, so errors and row counts are known when it returns; the row it finds waits in
 * next_row. Every fetch delivers next_row and steps on, which ends the statement (and with it SQLite's read lock) as soon
 * as the last row has been delivered.
 *
 * Invariants
 *  1. `stmt` is in use by this cursor until the statement is done, the cursor executes anew, is closed or dropped.
 *  2. next_row is set exactly when `stmt` stands on a row that has not been delivered.
 */
#include <unistd.h>

#include "compat.h"
#include "sqlite_conn.h"

static struct bolt_py_sqlite *connection_of(struct bolt_py_sqlite_cursor *self)
{
    return (struct bolt_py_sqlite *)self->connection;
}

static int check_cursor(struct bolt_py_sqlite_cursor *self)
{
    if (!self->initialised) {
        PyErr_SetString(PyExc_RuntimeError, "Base Cursor.__init__ not called.");
        return -1;
    }
    if (self->closed) {
        bolt_py_sqlite_raise_text(connection_of(self)->state, "ProgrammingError", "Cannot operate on a closed cursor.");
        return -1;
    }
    return 0;
}

static void release_stmt(struct bolt_py_sqlite_cursor *self)
{
    struct bolt_sqlite_stmt *stmt = self->stmt;
    self->stmt = NULL;
    Py_CLEAR(self->next_row);
    if (stmt && connection_of(self)->db && connection_of(self)->pid == getpid())
        bolt_sqlite_give(connection_of(self)->db, stmt);
}

/* --- execute --- */

static int take_stmt(struct bolt_py_sqlite_cursor *self, PyObject *sql)
{
    struct bolt_py_sqlite *conn = connection_of(self);
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(sql, &len);
    if (!text)
        return -1;
    if (strlen(text) != (size_t)len) {
        bolt_py_sqlite_raise_text(conn->state, "ProgrammingError", "the query contains a null character");
        return -1;
    }
    int rc = SQLITE_OK;
    int err = bolt_sqlite_take(conn->db, bolt_slice_of(text, (size_t)len), &self->stmt, &rc);
    if (err == BOLT_ERR_NOMEM)
        PyErr_NoMemory();
    else if (err == BOLT_ERR_ARGUMENT)
        bolt_py_sqlite_raise_text(conn->state, "ProgrammingError", "You can only execute one statement at a time.");
    else if (err)
        bolt_py_sqlite_raise(conn, rc);
    return err ? -1 : 0;
}

static int begin_if_needed(struct bolt_py_sqlite *conn, const struct bolt_sqlite_stmt *stmt)
{
    if (!conn->begin[0] || !stmt->is_dml || !sqlite3_get_autocommit(bolt_sqlite_handle(conn->db)))
        return 0;
    return bolt_py_sqlite_run(conn, conn->begin);
}

/* Steps once: 1 a row is in next_row, 0 the statement is done, -1 an exception. */
static int advance(struct bolt_py_sqlite_cursor *self)
{
    struct bolt_py_sqlite *conn = connection_of(self);
    struct bolt_sqlite_stmt *stmt = self->stmt;
    int rc = bolt_py_sqlite_step(conn, stmt->handle);
    if (rc == SQLITE_ROW) {
        if (conn->pending) /* a callback failed after SQLite had its row */
            return bolt_py_sqlite_raise(conn, rc);
        self->next_row = bolt_py_sqlite_row(conn, stmt);
        return self->next_row ? 1 : -1;
    }
    if (rc != SQLITE_DONE || conn->pending)
        return bolt_py_sqlite_raise(conn, rc);
    if (stmt->is_dml)
        self->rowcount += sqlite3_changes(bolt_sqlite_handle(conn->db));
    return 0;
}

/* One execution with one set of parameters. Same results as advance(). */
static int execute_once(struct bolt_py_sqlite_cursor *self, PyObject *params)
{
    struct bolt_py_sqlite *conn = connection_of(self);
    if (bolt_py_sqlite_bind(conn, self->stmt, params) < 0)
        return -1;
    if (sqlite3_column_count(self->stmt->handle) > 0 && !bolt_py_sqlite_columns_of(conn, self->stmt))
        return -1;
    return advance(self);
}

static void describe(struct bolt_py_sqlite_cursor *self)
{
    struct bolt_py_sqlite_columns *columns = sqlite3_column_count(self->stmt->handle) > 0 ? self->stmt->user : NULL;
    Py_XSETREF(self->description, Py_NewRef(columns ? columns->description : Py_None));
}

/* The statement has been stepped: `more` says whether it stands on a row. */
static int after_execute(struct bolt_py_sqlite_cursor *self, int more, bool keep_rowid)
{
    struct bolt_py_sqlite *conn = connection_of(self);
    describe(self);
    if (!keep_rowid) {
        PyObject *rowid = PyLong_FromLongLong(sqlite3_last_insert_rowid(bolt_sqlite_handle(conn->db)));
        if (!rowid)
            return -1;
        Py_XSETREF(self->lastrowid, rowid);
    }
    if (!more) {
        bool wrote = !self->stmt->is_readonly;
        release_stmt(self);
        bolt_py_sqlite_stepped(conn, wrote);
    }
    return 0;
}

/* `params` is one parameter set, or with `many` an iterator over them. */
static int run(struct bolt_py_sqlite_cursor *self, PyObject *sql, PyObject *params, bool many)
{
    struct bolt_py_sqlite *conn = connection_of(self);
    release_stmt(self);
    self->rowcount = -1;
    Py_XSETREF(self->description, Py_NewRef(Py_None));
    if (take_stmt(self, sql) < 0)
        return -1;
    if (!self->stmt)
        return 0; /* nothing but comments */
    if (self->stmt->is_dml)
        self->rowcount = 0;
    if (many && !self->stmt->is_dml) {
        bolt_py_sqlite_raise_text(conn->state, "ProgrammingError", "executemany() can only execute DML statements.");
        goto fail;
    }
    if (bolt_py_sqlite_queue_up(conn, self->stmt) < 0 || begin_if_needed(conn, self->stmt) < 0)
        goto fail;
    int more = 0;
    if (!many) {
        more = execute_once(self, params);
    } else {
        PyObject *one;
        while (more >= 0 && (one = PyIter_Next(params))) {
            sqlite3_reset(self->stmt->handle);
            more = execute_once(self, one);
            while (more > 0) { /* rows of RETURNING are not delivered by executemany */
                Py_CLEAR(self->next_row);
                more = advance(self);
            }
            Py_DECREF(one);
        }
        if (PyErr_Occurred())
            more = -1;
    }
    if (more >= 0 && after_execute(self, more, many) == 0)
        return 0;
fail:
    release_stmt(self);
    return -1;
}

static PyObject *run_locked(struct bolt_py_sqlite_cursor *self, PyObject *sql, PyObject *params, bool many)
{
    if (check_cursor(self) < 0)
        return NULL;
    struct bolt_py_sqlite *conn = connection_of(self);
    if (!PyUnicode_Check(sql)) {
        PyErr_Format(PyExc_TypeError, "execute() argument 1 must be str, not %.100s", Py_TYPE(sql)->tp_name);
        return NULL;
    }
    if (bolt_py_sqlite_enter(conn) < 0)
        return NULL;
    int err = run(self, sql, params, many);
    bolt_py_sqlite_leave(conn);
    return err < 0 ? NULL : Py_NewRef(self);
}

static PyObject *cursor_execute(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "execute expected 1 or 2 arguments, got %zd", nargs);
        return NULL;
    }
    if (nargs == 2)
        return run_locked((struct bolt_py_sqlite_cursor *)self, args[0], args[1], false);
    PyObject *none = PyTuple_New(0);
    if (!none)
        return NULL;
    PyObject *result = run_locked((struct bolt_py_sqlite_cursor *)self, args[0], none, false);
    Py_DECREF(none);
    return result;
}

static PyObject *cursor_executemany(PyObject *self, PyObject *args)
{
    PyObject *sql, *sets;
    if (!PyArg_ParseTuple(args, "UO", &sql, &sets))
        return NULL;
    PyObject *iterator = PyObject_GetIter(sets);
    if (!iterator)
        return NULL;
    PyObject *result = run_locked((struct bolt_py_sqlite_cursor *)self, sql, iterator, true);
    Py_DECREF(iterator);
    return result;
}

/* Statement by statement, without the cache. */
static int run_script(struct bolt_py_sqlite *conn, const char *sql)
{
    sqlite3 *handle = bolt_sqlite_handle(conn->db);
    if (!sqlite3_get_autocommit(handle) && bolt_py_sqlite_run(conn, "COMMIT") < 0)
        return -1;
    while (*sql) {
        sqlite3_stmt *stmt;
        int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, &sql);
        if (rc != SQLITE_OK)
            return bolt_py_sqlite_raise(conn, rc);
        do {
            rc = stmt ? bolt_py_sqlite_step(conn, stmt) : SQLITE_DONE;
        } while (rc == SQLITE_ROW);
        int err = rc == SQLITE_DONE && !conn->pending ? 0 : bolt_py_sqlite_raise(conn, rc);
        sqlite3_finalize(stmt); /* repeats the step's error */
        if (err < 0)
            return -1;
    }
    bolt_py_sqlite_stepped(conn, true);
    return 0;
}

static PyObject *cursor_executescript(PyObject *object, PyObject *script)
{
    struct bolt_py_sqlite_cursor *self = (struct bolt_py_sqlite_cursor *)object;
    if (check_cursor(self) < 0)
        return NULL;
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(script, &len);
    if (!text)
        return NULL;
    if (strlen(text) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    struct bolt_py_sqlite *conn = connection_of(self);
    if (bolt_py_sqlite_enter(conn) < 0)
        return NULL;
    release_stmt(self);
    int err = run_script(conn, text);
    bolt_py_sqlite_leave(conn);
    return err < 0 ? NULL : Py_NewRef(object);
}

/* --- fetch --- */

/* The next row (new reference) or NULL, with an exception or at the end. Between enter and leave. */
static PyObject *next_row(struct bolt_py_sqlite_cursor *self)
{
    if (!self->stmt)
        return NULL;
    PyObject *row = self->next_row;
    self->next_row = NULL;
    int more = advance(self);
    if (more <= 0) {
        bool wrote = !self->stmt->is_readonly;
        PyObject *exc = PyErr_GetRaisedException();
        release_stmt(self);
        if (exc) {
            Py_XDECREF(row);
            PyErr_SetRaisedException(exc);
            return NULL;
        }
        bolt_py_sqlite_stepped(connection_of(self), wrote);
    }
    if (row && self->row_factory != Py_None) {
        PyObject *args[] = {(PyObject *)self, row};
        Py_SETREF(row, PyObject_Vectorcall(self->row_factory, args, 2, NULL));
    }
    return row;
}

static PyObject *locked_next_row(struct bolt_py_sqlite_cursor *self)
{
    if (check_cursor(self) < 0 || bolt_py_sqlite_enter(connection_of(self)) < 0)
        return NULL;
    PyObject *row = next_row(self);
    bolt_py_sqlite_leave(connection_of(self));
    return row;
}

static PyObject *cursor_iternext(PyObject *self)
{
    return locked_next_row((struct bolt_py_sqlite_cursor *)self);
}

static PyObject *cursor_fetchone(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *row = locked_next_row((struct bolt_py_sqlite_cursor *)self);
    if (!row && !PyErr_Occurred())
        Py_RETURN_NONE;
    return row;
}

/* Up to `limit` rows, all of them when negative. */
static PyObject *fetch(struct bolt_py_sqlite_cursor *self, Py_ssize_t limit)
{
    if (check_cursor(self) < 0 || bolt_py_sqlite_enter(connection_of(self)) < 0)
        return NULL;
    PyObject *rows = PyList_New(0), *row = NULL;
    while (rows && (limit < 0 || PyList_GET_SIZE(rows) < limit) && (row = next_row(self))) {
        if (PyList_Append(rows, row) < 0)
            Py_CLEAR(rows);
        Py_DECREF(row);
    }
    bolt_py_sqlite_leave(connection_of(self));
    if (PyErr_Occurred())
        Py_CLEAR(rows);
    return rows;
}

static PyObject *cursor_fetchmany(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"size", NULL};
    int size = ((struct bolt_py_sqlite_cursor *)object)->arraysize;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|i", names, &size))
        return NULL;
    return fetch((struct bolt_py_sqlite_cursor *)object, size);
}

static PyObject *cursor_fetchall(PyObject *self, PyObject *unused)
{
    (void)unused;
    return fetch((struct bolt_py_sqlite_cursor *)self, -1);
}

/* --- life --- */

static PyObject *cursor_close(PyObject *object, PyObject *unused)
{
    (void)unused;
    struct bolt_py_sqlite_cursor *self = (struct bolt_py_sqlite_cursor *)object;
    if (!self->initialised) {
        bolt_py_sqlite_raise_text(bolt_py_state_of_type(Py_TYPE(object)), "ProgrammingError",
                                  "Base Cursor.__init__ not called.");
        return NULL;
    }
    struct bolt_py_sqlite *conn = connection_of(self);
    if (conn->db && bolt_py_sqlite_enter(conn) < 0) /* another task may be in the middle of a fetch */
        return NULL;
    release_stmt(self);
    self->closed = true;
    bolt_py_sqlite_leave(conn);
    Py_RETURN_NONE;
}

static PyObject *cursor_no_op(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    Py_RETURN_NONE;
}

static int cursor_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"connection", NULL};
    struct bolt_py_sqlite_cursor *self = (struct bolt_py_sqlite_cursor *)object;
    struct bolt_py_state *state = bolt_py_state_of_type(Py_TYPE(object));
    PyObject *connection;
    if (!state || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!", names, state->SqliteConnection_type, &connection))
        return -1;
    if (self->connection)
        release_stmt(self);
    Py_XSETREF(self->connection, Py_NewRef(connection));
    Py_XSETREF(self->description, Py_NewRef(Py_None));
    Py_XSETREF(self->lastrowid, Py_NewRef(Py_None));
    Py_XSETREF(self->row_factory, Py_NewRef(Py_None));
    self->rowcount = -1;
    self->arraysize = 1;
    self->closed = false;
    if (bolt_py_sqlite_check((struct bolt_py_sqlite *)connection) < 0)
        return -1;
    self->initialised = true;
    return 0;
}

static int cursor_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct bolt_py_sqlite_cursor *self = (struct bolt_py_sqlite_cursor *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->connection);
    Py_VISIT(self->description);
    Py_VISIT(self->lastrowid);
    Py_VISIT(self->row_factory);
    Py_VISIT(self->next_row);
    return 0;
}

static int cursor_clear(PyObject *object)
{
    struct bolt_py_sqlite_cursor *self = (struct bolt_py_sqlite_cursor *)object;
    if (self->connection)
        release_stmt(self);
    self->initialised = false;
    Py_CLEAR(self->connection);
    Py_CLEAR(self->description);
    Py_CLEAR(self->lastrowid);
    Py_CLEAR(self->row_factory);
    return 0;
}

static void cursor_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    PyObject *exc = PyErr_GetRaisedException();
    cursor_clear(object);
    PyErr_SetRaisedException(exc);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *get_rowcount(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(((struct bolt_py_sqlite_cursor *)object)->rowcount);
}

static PyObject *get_field(PyObject *object, void *offset)
{
    PyObject *value = *(PyObject **)((char *)object + (size_t)offset);
    return Py_NewRef(value ? value : Py_None);
}

static int put_row_factory(PyObject *object, PyObject *value, void *unused)
{
    (void)unused;
    struct bolt_py_sqlite_cursor *self = (struct bolt_py_sqlite_cursor *)object;
    Py_XSETREF(self->row_factory, Py_NewRef(value ? value : Py_None));
    return 0;
}

static PyObject *get_arraysize(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromLong(((struct bolt_py_sqlite_cursor *)object)->arraysize);
}

static int put_arraysize(PyObject *object, PyObject *value, void *unused)
{
    (void)unused;
    long size = value ? PyLong_AsLong(value) : 1;
    if (size == -1 && PyErr_Occurred())
        return -1;
    ((struct bolt_py_sqlite_cursor *)object)->arraysize = (int)size;
    return 0;
}

#define FIELD(name) (void *)offsetof(struct bolt_py_sqlite_cursor, name)

static PyGetSetDef cursor_getset[] = {
    {"connection", get_field, NULL, NULL, FIELD(connection)},
    {"description", get_field, NULL, "7-tuples, one per column; None without columns.", FIELD(description)},
    {"lastrowid", get_field, NULL, NULL, FIELD(lastrowid)},
    {"row_factory", get_field, put_row_factory, NULL, FIELD(row_factory)},
    {"rowcount", get_rowcount, NULL, "Rows changed by INSERT, UPDATE, DELETE or REPLACE; else -1.", NULL},
    {"arraysize", get_arraysize, put_arraysize, "Default size of fetchmany().", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef cursor_methods[] = {
    {"execute", (PyCFunction)(void (*)(void))cursor_execute, METH_FASTCALL, "Run one statement."},
    {"executemany", cursor_executemany, METH_VARARGS, "Run one DML statement per parameter set."},
    {"executescript", cursor_executescript, METH_O, "Commit, then run statements separated by semicolons."},
    {"fetchone", cursor_fetchone, METH_NOARGS, "The next row or None."},
    {"fetchmany", (PyCFunction)(void (*)(void))cursor_fetchmany, METH_VARARGS | METH_KEYWORDS, "Up to size rows."},
    {"fetchall", cursor_fetchall, METH_NOARGS, "The remaining rows."},
    {"close", cursor_close, METH_NOARGS, "End the statement; the cursor cannot be used again."},
    {"setinputsizes", cursor_no_op, METH_O, NULL},
    {"setoutputsize", cursor_no_op, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot cursor_slots[] = {
    {Py_tp_doc, (void *)"A SQLite cursor (PEP 249)."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, cursor_init},
    {Py_tp_traverse, cursor_traverse},
    {Py_tp_clear, cursor_clear},
    {Py_tp_dealloc, cursor_dealloc},
    {Py_tp_methods, cursor_methods},
    {Py_tp_getset, cursor_getset},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, cursor_iternext},
    {0, NULL},
};

static PyType_Spec cursor_spec = {
    .name = "django_bolt._core.SqliteCursor",
    .basicsize = sizeof(struct bolt_py_sqlite_cursor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = cursor_slots,
};

int bolt_py_sqlite_cursor_add(PyObject *module, struct bolt_py_state *state)
{
    state->SqliteCursor_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &cursor_spec, NULL);
    if (!state->SqliteCursor_type)
        return -1;
    return PyModule_AddObjectRef(module, "SqliteCursor", (PyObject *)state->SqliteCursor_type);
}
