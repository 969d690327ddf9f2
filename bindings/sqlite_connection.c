/* SPDX-License-Identifier: MIT */
/* sqlite_connection.c - Connection (PEP 249): life, transactions, settings.
 *
 * Transaction control is sqlite3's legacy mode, which is what Django is written for: with isolation_level None the
 * connection autocommits and the user sends BEGIN; otherwise BEGIN is sent before the first INSERT, UPDATE, DELETE or REPLACE.
 *
 * Invariants
 *  1. `db` is NULL exactly when the connection is closed; every method checks it first.
 *  2. In a worker the lock is held around every use of the handle; so two workers never interleave on it, and a
 *     suspended step keeps the others out.
 *  3. The handle belongs to the process that opened it: after fork it is neither used nor closed.
 */
#include <unistd.h>

#include "compat.h"
#include "sqlite_conn.h"

#define DEFAULT_CACHED_STATEMENTS 128

/* --- checks and locking --- */

int bolt_py_sqlite_check(struct bolt_py_sqlite *conn)
{
    if (!conn->db) {
        bolt_py_sqlite_raise_text(conn->state, "ProgrammingError", "Cannot operate on a closed database.");
        return -1;
    }
    if (conn->check_same_thread && PyThread_get_thread_ident() != conn->thread) {
        bolt_py_sqlite_raise_text(
            conn->state, "ProgrammingError",
            "SQLite objects created in a thread can only be used in that same thread. The object was "
            "created in thread id %lu and this is thread id %lu.",
            conn->thread, PyThread_get_thread_ident());
        return -1;
    }
    if (conn->pid != getpid()) {
        bolt_py_sqlite_raise_text(
            conn->state, "ProgrammingError",
            "this SQLite connection was opened before fork(); open a new one in the child process");
        return -1;
    }
    return 0;
}

int bolt_py_sqlite_enter(struct bolt_py_sqlite *conn)
{
    if (bolt_py_sqlite_check(conn) < 0)
        return -1;
    if (!bolt_py_green_is_worker(conn->state))
        return 0;
    if (bolt_py_green_lock_acquire(conn->state, &conn->lock) < 0)
        return -1;
    if (conn->db)
        return 0;
    bolt_py_green_lock_release(conn->state, &conn->lock); /* closed while we waited */
    return bolt_py_sqlite_check(conn);
}

void bolt_py_sqlite_leave(struct bolt_py_sqlite *conn)
{
    if (conn->lock.owner && conn->lock.owner == bolt_py_green_current_borrow(conn->state))
        bolt_py_green_lock_release(conn->state, &conn->lock);
}

int bolt_py_sqlite_run(struct bolt_py_sqlite *conn, const char *sql)
{
    struct bolt_sqlite_stmt *stmt;
    int rc = SQLITE_OK;
    int err = bolt_sqlite_take(conn->db, bolt_slice_of(sql, strlen(sql)), &stmt, &rc);
    if (err == BOLT_ERR_NOMEM) {
        PyErr_NoMemory();
        return -1;
    }
    if (err)
        return bolt_py_sqlite_raise(conn, rc);
    if (bolt_py_sqlite_queue_up(conn, stmt) < 0) {
        bolt_sqlite_give(conn->db, stmt);
        return -1;
    }
    rc = bolt_py_sqlite_step(conn, stmt->handle);
    int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : bolt_py_sqlite_raise(conn, rc);
    bool wrote = !stmt->is_readonly;
    bolt_sqlite_give(conn->db, stmt);
    if (result == 0)
        bolt_py_sqlite_stepped(conn, wrote);
    return result;
}

/* --- life --- */

static int set_isolation_level(struct bolt_py_sqlite *conn, PyObject *level)
{
    static const char *const levels[] = {"", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"};
    if (level == Py_None) {
        conn->begin[0] = '\0';
    } else {
        const char *text = PyUnicode_Check(level) ? PyUnicode_AsUTF8(level) : NULL;
        size_t i = 0;
        while (text && i < BOLT_ARRAY_LEN(levels) && sqlite3_stricmp(text, levels[i]) != 0)
            i++;
        if (!text || i == BOLT_ARRAY_LEN(levels)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError,
                                "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'");
            return -1;
        }
        PyOS_snprintf(conn->begin, sizeof(conn->begin), levels[i][0] ? "BEGIN %s" : "BEGIN%s", levels[i]);
    }
    Py_XSETREF(conn->isolation_level, Py_NewRef(level));
    return 0;
}

struct open_options {
    PyObject *database, *isolation_level;
    double timeout_s;
    int detect_types, check_same_thread, cached_statements, uri;
};

static int open_handle(struct bolt_py_sqlite *self, const struct open_options *options)
{
    PyObject *path = NULL;
    if (!PyUnicode_FSConverter(options->database, &path))
        return -1;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | (options->uri ? SQLITE_OPEN_URI : 0);
    char message[256] = "";
    int rc = SQLITE_OK, err;
    struct bolt_sqlite *db = NULL;
    size_t cached = options->cached_statements > 0 ? (size_t)options->cached_statements : 0;
    const char *filename = PyBytes_AS_STRING(path);
    Py_BEGIN_ALLOW_THREADS;
    err = bolt_sqlite_open(filename, flags, NULL, cached, bolt_py_sqlite_columns_free, &db, &rc, message);
    Py_END_ALLOW_THREADS;
    Py_DECREF(path);
    if (err == BOLT_ERR_NOMEM) {
        PyErr_NoMemory();
        return -1;
    }
    if (err)
        return bolt_py_sqlite_raise_code(self->state, rc, message);
    self->db = db;
    const char *file = sqlite3_db_filename(bolt_sqlite_handle(db), "main");
    self->filename = PyUnicode_DecodeFSDefault(file ? file : "");
    if (!self->filename)
        return -1;
    bolt_py_sqlite_watch(self);
    return 0;
}

static PyObject *connection_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "database", "timeout", "detect_types", "isolation_level", "check_same_thread", "factory", "cached_statements",
        "uri",      NULL};
    struct open_options options = {
        .timeout_s = 5.0, .check_same_thread = 1, .cached_statements = DEFAULT_CACHED_STATEMENTS};
    PyObject *factory = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|diOpOip", names, &options.database, &options.timeout_s,
                                     &options.detect_types, &options.isolation_level, &options.check_same_thread,
                                     &factory, &options.cached_statements, &options.uri))
        return NULL;
    struct bolt_py_state *state = bolt_py_state_of_type(type);
    struct bolt_py_sqlite *self = state ? (struct bolt_py_sqlite *)type->tp_alloc(type, 0) : NULL;
    if (!self)
        return NULL;
    self->state = state;
    self->row_factory = Py_NewRef(Py_None);
    self->text_factory = Py_NewRef((PyObject *)&PyUnicode_Type);
    self->checkpointer = Py_NewRef(Py_None);
    self->timeout_s = options.timeout_s;
    self->detect_types = options.detect_types;
    self->check_same_thread = options.check_same_thread;
    self->thread = PyThread_get_thread_ident();
    self->pid = getpid();
    PyObject *level = options.isolation_level ? Py_NewRef(options.isolation_level) : PyUnicode_FromString("");
    int err = level ? set_isolation_level(self, level) : -1;
    Py_XDECREF(level);
    if (err < 0 || PySys_Audit("sqlite3.connect", "O", options.database) < 0 || open_handle(self, &options) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void close_handle(struct bolt_py_sqlite *self)
{
    struct bolt_sqlite *db = self->db;
    self->db = NULL;
    if (!db || self->pid != getpid())
        return; /* after fork the parent's locks would be dropped: leak it */
    bool wrote = !sqlite3_get_autocommit(bolt_sqlite_handle(db));
    bool outer = self->gil_released;
    self->gil_released = false; /* destructors of callbacks run here, with the GIL */
    bolt_sqlite_free(db);
    self->gil_released = outer;
    if (wrote)
        bolt_py_sqlite_wake(self);
}

static PyObject *connection_close(PyObject *object, PyObject *unused)
{
    (void)unused;
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (!self->db)
        Py_RETURN_NONE;
    if (bolt_py_sqlite_enter(self) < 0)
        return NULL;
    if (bolt_sqlite_is_stepping(self->db))
        bolt_py_sqlite_raise_text(self->state, "ProgrammingError",
                                  "Cannot close a connection while one of its statements runs.");
    else
        close_handle(self);
    bolt_py_sqlite_leave(self);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static int connection_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->isolation_level);
    Py_VISIT(self->row_factory);
    Py_VISIT(self->text_factory);
    Py_VISIT(self->progress);
    Py_VISIT(self->trace);
    Py_VISIT(self->authorizer);
    Py_VISIT(self->checkpointer);
    Py_VISIT(self->pending);
    return bolt_py_green_lock_traverse(&self->lock, visit, arg);
}

static int connection_clear(PyObject *object)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    Py_CLEAR(self->progress);
    Py_CLEAR(self->trace);
    Py_CLEAR(self->authorizer);
    Py_CLEAR(self->checkpointer);
    Py_CLEAR(self->pending);
    bolt_py_green_lock_clear(&self->lock);
    return 0;
}

static void connection_dealloc(PyObject *object)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    PyObject *exc = PyErr_GetRaisedException();
    close_handle(self);
    connection_clear(object);
    Py_CLEAR(self->isolation_level);
    Py_CLEAR(self->row_factory);
    Py_CLEAR(self->text_factory);
    Py_CLEAR(self->filename);
    PyErr_SetRaisedException(exc);
    type->tp_free(object);
    Py_DECREF(type);
}

/* --- transactions --- */

static PyObject *end_transaction(PyObject *object, const char *sql)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (bolt_py_sqlite_enter(self) < 0)
        return NULL;
    int err = 0;
    if (!sqlite3_get_autocommit(bolt_sqlite_handle(self->db)))
        err = bolt_py_sqlite_run(self, sql);
    bolt_py_sqlite_leave(self);
    if (err < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *connection_commit(PyObject *self, PyObject *unused)
{
    (void)unused;
    return end_transaction(self, "COMMIT");
}

static PyObject *connection_rollback(PyObject *self, PyObject *unused)
{
    (void)unused;
    return end_transaction(self, "ROLLBACK");
}

static PyObject *connection_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return bolt_py_sqlite_check((struct bolt_py_sqlite *)self) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *connection_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    bool failed = nargs > 0 && args[0] != Py_None;
    PyObject *result = end_transaction(self, failed ? "ROLLBACK" : "COMMIT");
    if (!result && !failed) { /* a failed COMMIT leaves the transaction open: end it */
        PyObject *exc = PyErr_GetRaisedException();
        PyObject *rolled_back = end_transaction(self, "ROLLBACK");
        if (!rolled_back)
            PyErr_WriteUnraisable(self);
        Py_XDECREF(rolled_back);
        PyErr_SetRaisedException(exc);
    }
    if (!result)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_FALSE;
}

/* --- cursors --- */

static PyObject *connection_cursor(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"factory", NULL};
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    PyObject *factory = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &factory) || bolt_py_sqlite_check(self) < 0)
        return NULL;
    PyObject *class = factory ? factory : (PyObject *)self->state->SqliteCursor_type;
    PyObject *cursor = PyObject_CallOneArg(class, object);
    if (cursor && !PyObject_TypeCheck(cursor, self->state->SqliteCursor_type)) {
        PyErr_Format(PyExc_TypeError, "factory must return a cursor, not %.100s", Py_TYPE(cursor)->tp_name);
        Py_CLEAR(cursor);
    }
    if (cursor && self->row_factory != Py_None) {
        struct bolt_py_sqlite_cursor *plain = (struct bolt_py_sqlite_cursor *)cursor;
        Py_XSETREF(plain->row_factory, Py_NewRef(self->row_factory));
    }
    return cursor;
}

/* connection.execute(...) and friends: on a new cursor, which is returned. */
static PyObject *on_new_cursor(PyObject *self, PyObject *args, const char *method)
{
    PyObject *cursor = PyObject_CallMethod(self, "cursor", NULL);
    PyObject *bound = cursor ? PyObject_GetAttrString(cursor, method) : NULL;
    PyObject *result = bound ? PyObject_Call(bound, args, NULL) : NULL;
    Py_XDECREF(bound);
    Py_XDECREF(cursor);
    return result;
}

static PyObject *connection_execute(PyObject *self, PyObject *args)
{
    return on_new_cursor(self, args, "execute");
}

static PyObject *connection_executemany(PyObject *self, PyObject *args)
{
    return on_new_cursor(self, args, "executemany");
}

static PyObject *connection_executescript(PyObject *self, PyObject *args)
{
    return on_new_cursor(self, args, "executescript");
}

/* --- settings --- */

static PyObject *connection_interrupt(PyObject *object, PyObject *unused)
{
    (void)unused;
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (!self->db)
        return bolt_py_sqlite_check(self) < 0 ? NULL : Py_NewRef(Py_None);
    sqlite3_interrupt(bolt_sqlite_handle(self->db));
    Py_RETURN_NONE;
}

/* Stores a callable, or NULL for None. */
static void keep_callable(PyObject **slot, PyObject *callable)
{
    Py_XSETREF(*slot, callable == Py_None ? NULL : Py_NewRef(callable));
}

static PyObject *connection_set_progress_handler(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"progress_handler", "n", NULL};
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    PyObject *callable;
    int interval;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Oi", names, &callable, &interval) || bolt_py_sqlite_check(self) < 0)
        return NULL;
    self->progress_interval = interval > 0 ? interval : 1;
    keep_callable(&self->progress, callable);
    bolt_py_sqlite_watch(self);
    Py_RETURN_NONE;
}

static int on_trace(unsigned type, void *arg, void *stmt, void *sql)
{
    (void)type;
    (void)sql;
    struct bolt_py_sqlite *self = arg;
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(self);
    char *expanded = sqlite3_expanded_sql(stmt);
    const char *text = expanded ? expanded : sqlite3_sql(stmt);
    PyObject *result = self->trace ? PyObject_CallFunction(self->trace, "s", text) : Py_NewRef(Py_None);
    if (!result)
        PyErr_WriteUnraisable(self->trace);
    Py_XDECREF(result);
    sqlite3_free(expanded);
    bolt_py_sqlite_gil_give(gil);
    return 0;
}

static PyObject *connection_set_trace_callback(PyObject *object, PyObject *callable)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (bolt_py_sqlite_check(self) < 0)
        return NULL;
    keep_callable(&self->trace, callable);
    sqlite3_trace_v2(bolt_sqlite_handle(self->db), self->trace ? SQLITE_TRACE_STMT : 0, self->trace ? on_trace : NULL,
                     self);
    Py_RETURN_NONE;
}

static int on_authorize(void *arg, int action, const char *a, const char *b, const char *database, const char *trigger)
{
    struct bolt_py_sqlite *self = arg;
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(self);
    int verdict = SQLITE_DENY;
    PyObject *result = PyObject_CallFunction(self->authorizer, "issss", action, a, b, database, trigger);
    if (result && PyLong_Check(result))
        verdict = (int)PyLong_AsLong(result);
    if (PyErr_Occurred()) {
        bolt_py_sqlite_keep_exception(self);
        verdict = SQLITE_DENY;
    }
    Py_XDECREF(result);
    bolt_py_sqlite_gil_give(gil);
    return verdict;
}

static PyObject *connection_set_authorizer(PyObject *object, PyObject *callable)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (bolt_py_sqlite_check(self) < 0)
        return NULL;
    keep_callable(&self->authorizer, callable);
    sqlite3_set_authorizer(bolt_sqlite_handle(self->db), self->authorizer ? on_authorize : NULL, self);
    Py_RETURN_NONE;
}

static PyObject *connection_set_checkpointer(PyObject *object, PyObject *callable)
{
    Py_XSETREF(((struct bolt_py_sqlite *)object)->checkpointer, Py_NewRef(callable));
    Py_RETURN_NONE;
}

static PyObject *connection_getlimit(PyObject *object, PyObject *category)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    long id = PyLong_AsLong(category);
    if ((id == -1 && PyErr_Occurred()) || bolt_py_sqlite_check(self) < 0)
        return NULL;
    int limit = sqlite3_limit(bolt_sqlite_handle(self->db), (int)id, -1);
    if (limit < 0) {
        bolt_py_sqlite_raise_text(self->state, "ProgrammingError", "'category' is out of bounds");
        return NULL;
    }
    return PyLong_FromLong(limit);
}

static PyObject *connection_setlimit(PyObject *object, PyObject *args)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    int category, limit;
    if (!PyArg_ParseTuple(args, "ii", &category, &limit) || bolt_py_sqlite_check(self) < 0)
        return NULL;
    int before = sqlite3_limit(bolt_sqlite_handle(self->db), category, limit);
    if (before < 0) {
        bolt_py_sqlite_raise_text(self->state, "ProgrammingError", "'category' is out of bounds");
        return NULL;
    }
    return PyLong_FromLong(before);
}

static PyObject *connection_enable_load_extension(PyObject *object, PyObject *enabled)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    int on = PyObject_IsTrue(enabled);
    if (on < 0 || bolt_py_sqlite_check(self) < 0 ||
        PySys_Audit("sqlite3.enable_load_extension", "OO", object, enabled) < 0)
        return NULL;
    int rc = sqlite3_db_config(bolt_sqlite_handle(self->db), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, on, NULL);
    if (rc != SQLITE_OK) {
        bolt_py_sqlite_raise(self, rc);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *connection_load_extension(PyObject *object, PyObject *args)
{
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    const char *name;
    char *message = NULL;
    if (!PyArg_ParseTuple(args, "s", &name) || bolt_py_sqlite_check(self) < 0 ||
        PySys_Audit("sqlite3.load_extension", "Os", object, name) < 0)
        return NULL;
    if (sqlite3_load_extension(bolt_sqlite_handle(self->db), name, NULL, &message) != SQLITE_OK) {
        bolt_py_sqlite_raise_text(self->state, "OperationalError", "%s",
                                  message ? message : "cannot load the extension");
        sqlite3_free(message);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *connection_iterdump(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *module = PyImport_ImportModule("sqlite3.dump");
    PyObject *result = module ? PyObject_CallMethod(module, "_iterdump", "O", self) : NULL;
    Py_XDECREF(module);
    return result;
}

static PyObject *get_in_transaction(PyObject *object, void *unused)
{
    (void)unused;
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (bolt_py_sqlite_check(self) < 0)
        return NULL;
    return PyBool_FromLong(!sqlite3_get_autocommit(bolt_sqlite_handle(self->db)));
}

static PyObject *get_total_changes(PyObject *object, void *unused)
{
    (void)unused;
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (bolt_py_sqlite_check(self) < 0)
        return NULL;
    return PyLong_FromLongLong(sqlite3_total_changes(bolt_sqlite_handle(self->db)));
}

static PyObject *get_isolation_level(PyObject *object, void *unused)
{
    (void)unused;
    return Py_NewRef(((struct bolt_py_sqlite *)object)->isolation_level);
}

static int put_isolation_level(PyObject *object, PyObject *level, void *unused)
{
    (void)unused;
    struct bolt_py_sqlite *self = (struct bolt_py_sqlite *)object;
    if (!level) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (level == Py_None) { /* autocommit begins: sqlite3 commits what is open */
        PyObject *committed = connection_commit(object, NULL);
        if (!committed)
            return -1;
        Py_DECREF(committed);
    }
    return set_isolation_level(self, level);
}

static PyObject *get_object(PyObject *object, void *offset)
{
    return Py_NewRef(*(PyObject **)((char *)object + (size_t)offset));
}

static int put_object(PyObject *object, PyObject *value, void *offset)
{
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    Py_XSETREF(*(PyObject **)((char *)object + (size_t)offset), Py_NewRef(value));
    return 0;
}

static PyObject *get_exception_class(PyObject *object, void *name)
{
    return PyObject_GetAttrString(((struct bolt_py_sqlite *)object)->state->sqlite3, name);
}

static PyGetSetDef connection_getset[] = {
    {"in_transaction", get_in_transaction, NULL, "Is a transaction open?", NULL},
    {"total_changes", get_total_changes, NULL, "Rows changed since the connection was opened.", NULL},
    {"isolation_level", get_isolation_level, put_isolation_level, "'', 'DEFERRED', 'IMMEDIATE', 'EXCLUSIVE' or None.",
     NULL},
    {"row_factory", get_object, put_object, NULL, (void *)offsetof(struct bolt_py_sqlite, row_factory)},
    {"text_factory", get_object, put_object, NULL, (void *)offsetof(struct bolt_py_sqlite, text_factory)},
    {"Warning", get_exception_class, NULL, NULL, "Warning"},
    {"Error", get_exception_class, NULL, NULL, "Error"},
    {"InterfaceError", get_exception_class, NULL, NULL, "InterfaceError"},
    {"DatabaseError", get_exception_class, NULL, NULL, "DatabaseError"},
    {"DataError", get_exception_class, NULL, NULL, "DataError"},
    {"OperationalError", get_exception_class, NULL, NULL, "OperationalError"},
    {"IntegrityError", get_exception_class, NULL, NULL, "IntegrityError"},
    {"InternalError", get_exception_class, NULL, NULL, "InternalError"},
    {"ProgrammingError", get_exception_class, NULL, NULL, "ProgrammingError"},
    {"NotSupportedError", get_exception_class, NULL, NULL, "NotSupportedError"},
    {NULL, NULL, NULL, NULL, NULL},
};

#define WITH_KEYWORDS(function) (PyCFunction)(void (*)(void))(function)

static PyMethodDef connection_methods[] = {
    {"cursor", WITH_KEYWORDS(connection_cursor), METH_VARARGS | METH_KEYWORDS,
     "A new cursor, made by factory(connection)."},
    {"close", connection_close, METH_NOARGS, "Close; an open transaction is rolled back."},
    {"commit", connection_commit, METH_NOARGS, "Commit the open transaction, if any."},
    {"rollback", connection_rollback, METH_NOARGS, "Roll back the open transaction, if any."},
    {"execute", connection_execute, METH_VARARGS, "cursor().execute(...)"},
    {"executemany", connection_executemany, METH_VARARGS, "cursor().executemany(...)"},
    {"executescript", connection_executescript, METH_VARARGS, "cursor().executescript(...)"},
    {"create_function", WITH_KEYWORDS(bolt_py_sqlite_create_function), METH_VARARGS | METH_KEYWORDS, NULL},
    {"create_aggregate", WITH_KEYWORDS(bolt_py_sqlite_create_aggregate), METH_VARARGS | METH_KEYWORDS, NULL},
    {"create_window_function", WITH_KEYWORDS(bolt_py_sqlite_create_window_function), METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"create_collation", bolt_py_sqlite_create_collation, METH_VARARGS, NULL},
    {"set_progress_handler", WITH_KEYWORDS(connection_set_progress_handler), METH_VARARGS | METH_KEYWORDS, NULL},
    {"set_trace_callback", connection_set_trace_callback, METH_O, NULL},
    {"set_authorizer", connection_set_authorizer, METH_O, NULL},
    {"set_checkpointer", connection_set_checkpointer, METH_O,
     "callable(filename) that is told when the write-ahead log should be checkpointed; None: SQLite does it inside "
     "COMMIT."},
    {"interrupt", connection_interrupt, METH_NOARGS, "End the running statement from another thread or task."},
    {"getlimit", connection_getlimit, METH_O, NULL},
    {"setlimit", connection_setlimit, METH_VARARGS, NULL},
    {"enable_load_extension", connection_enable_load_extension, METH_O, NULL},
    {"load_extension", connection_load_extension, METH_VARARGS, NULL},
    {"backup", WITH_KEYWORDS(bolt_py_sqlite_backup), METH_VARARGS | METH_KEYWORDS, NULL},
    {"blobopen", WITH_KEYWORDS(bolt_py_sqlite_blobopen), METH_VARARGS | METH_KEYWORDS, NULL},
    {"iterdump", connection_iterdump, METH_NOARGS, "The database as SQL statements."},
    {"__enter__", connection_enter, METH_NOARGS, NULL},
    {"__exit__", WITH_KEYWORDS(connection_exit), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot connection_slots[] = {
    {Py_tp_doc, (void *)"A SQLite connection (PEP 249) that waits in workers and blocks elsewhere."},
    {Py_tp_new, connection_new},
    {Py_tp_traverse, connection_traverse},
    {Py_tp_clear, connection_clear},
    {Py_tp_dealloc, connection_dealloc},
    {Py_tp_methods, connection_methods},
    {Py_tp_getset, connection_getset},
    {0, NULL},
};

static PyType_Spec connection_spec = {
    .name = "django_bolt._core.SqliteConnection",
    .basicsize = sizeof(struct bolt_py_sqlite),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = connection_slots,
};

int bolt_py_sqlite_add(PyObject *module, struct bolt_py_state *state)
{
    state->sqlite_queues = PyDict_New();
    if (!state->sqlite_queues)
        return -1;
    state->SqliteConnection_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &connection_spec, NULL);
    if (!state->SqliteConnection_type ||
        PyModule_AddObjectRef(module, "SqliteConnection", (PyObject *)state->SqliteConnection_type) < 0)
        return -1;
    return bolt_py_sqlite_cursor_add(module, state) < 0 ? -1 : bolt_py_sqlite_blob_add(module, state);
}
