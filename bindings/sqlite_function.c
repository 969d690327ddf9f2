/* SPDX-License-Identifier: MIT */
/* sqlite_function.c - SQL functions, aggregates, window functions and collations written in Python.
 *
 * Each registration owns a struct callback, which SQLite releases through its destructor. Exceptions of the Python
 * code are kept and raised by the statement in place of SQLite's "user-defined function raised exception".
 */
#include <stdio.h>

#include "compat.h"
#include "sqlite_conn.h"

struct callback {
    struct bolt_py_sqlite *conn; /* borrowed: SQLite drops callbacks before the connection goes */
    PyObject *callable;
};

static void callback_free(void *arg)
{
    struct callback *callback = arg;
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF(callback->callable);
    PyGILState_Release(gil);
    PyMem_RawFree(callback);
}

static struct callback *callback_new(PyObject *conn, PyObject *callable)
{
    struct callback *callback = PyMem_RawMalloc(sizeof(*callback));
    if (!callback) {
        PyErr_NoMemory();
        return NULL;
    }
    callback->conn = (struct bolt_py_sqlite *)conn;
    callback->callable = Py_NewRef(callable);
    return callback;
}

static PyObject *arguments(struct bolt_py_sqlite *conn, int count, sqlite3_value **values)
{
    PyObject *args = PyTuple_New(count);
    for (int i = 0; args && i < count; i++) {
        PyObject *value = bolt_py_sqlite_value(conn, values[i]);
        if (value)
            PyTuple_SET_ITEM(args, i, value);
        else
            Py_CLEAR(args);
    }
    return args;
}

/* Ends the statement. As in sqlite3 an ordinary exception becomes an OperationalError with the text `what`, which is
 * what callers catch; a cancellation or KeyboardInterrupt passes through. */
static void report(struct bolt_py_sqlite *conn, sqlite3_context *context, const char *what)
{
    if (PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError))
        PyErr_Clear(); /* SQLite's error takes its place */
    else
        bolt_py_sqlite_keep_exception(conn);
    sqlite3_result_error(context, what, -1);
}

static void report_method(struct bolt_py_sqlite *conn, sqlite3_context *context, const char *method)
{
    char what[80];
    snprintf(what, sizeof(what), "user-defined aggregate's '%s' method raised error", method);
    report(conn, context, what);
}

static void on_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct callback *callback = sqlite3_user_data(context);
    struct bolt_py_sqlite *conn = callback->conn;
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(conn);
    PyObject *args = arguments(conn, count, values);
    PyObject *result = args ? PyObject_Call(callback->callable, args, NULL) : NULL;
    Py_XDECREF(args);
    if (!result || bolt_py_sqlite_result(context, result) < 0)
        report(conn, context, "user-defined function raised exception");
    Py_XDECREF(result);
    bolt_py_sqlite_gil_give(gil);
}

/* --- aggregates: one Python instance per group --- */

/* The group's instance (borrowed), made on first use. NULL with an exception. */
static PyObject *aggregate_instance(sqlite3_context *context, struct callback *callback)
{
    PyObject **slot = sqlite3_aggregate_context(context, sizeof(*slot));
    if (!slot) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!*slot)
        *slot = PyObject_CallNoArgs(callback->callable);
    return *slot;
}

static void call_step_method(sqlite3_context *context, int count, sqlite3_value **values, const char *method)
{
    struct callback *callback = sqlite3_user_data(context);
    struct bolt_py_sqlite *conn = callback->conn;
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(conn);
    PyObject *instance = aggregate_instance(context, callback);
    PyObject *bound = instance ? PyObject_GetAttrString(instance, method) : NULL;
    PyObject *args = bound ? arguments(conn, count, values) : NULL;
    PyObject *result = args ? PyObject_Call(bound, args, NULL) : NULL;
    if (!result)
        report_method(conn, context, instance ? method : "__init__");
    Py_XDECREF(result);
    Py_XDECREF(args);
    Py_XDECREF(bound);
    bolt_py_sqlite_gil_give(gil);
}

static void on_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    call_step_method(context, count, values, "step");
}

static void on_inverse(sqlite3_context *context, int count, sqlite3_value **values)
{
    call_step_method(context, count, values, "inverse");
}

/* Sets what instance.method() returns as the result. */
static void call_result_method(sqlite3_context *context, struct bolt_py_sqlite *conn, PyObject *instance,
                               const char *method)
{
    PyObject *result = instance ? PyObject_CallMethod(instance, method, NULL) : NULL;
    if (!result || bolt_py_sqlite_result(context, result) < 0)
        report_method(conn, context, instance ? method : "__init__");
    Py_XDECREF(result);
}

/* A group without rows has no instance: its result is NULL, as in sqlite3. */
static void on_final(sqlite3_context *context)
{
    struct callback *callback = sqlite3_user_data(context);
    PyObject **slot = sqlite3_aggregate_context(context, 0);
    if (!slot || !*slot)
        return;
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(callback->conn);
    call_result_method(context, callback->conn, *slot, "finalize");
    Py_CLEAR(*slot);
    bolt_py_sqlite_gil_give(gil);
}

static void on_value(sqlite3_context *context)
{
    struct callback *callback = sqlite3_user_data(context);
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(callback->conn);
    call_result_method(context, callback->conn, aggregate_instance(context, callback), "value");
    bolt_py_sqlite_gil_give(gil);
}

/* --- registration --- */

static PyObject *registered(PyObject *self, int rc)
{
    if (rc != SQLITE_OK) {
        bolt_py_sqlite_raise((struct bolt_py_sqlite *)self, rc);
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *bolt_py_sqlite_create_function(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "narg", "func", "deterministic", NULL};
    const char *name;
    int narg, deterministic = 0;
    PyObject *function;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO|$p", names, &name, &narg, &function, &deterministic) ||
        bolt_py_sqlite_check((struct bolt_py_sqlite *)self) < 0)
        return NULL;
    sqlite3 *handle = bolt_sqlite_handle(((struct bolt_py_sqlite *)self)->db);
    if (function == Py_None)
        return registered(self,
                          sqlite3_create_function_v2(handle, name, narg, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL));
    struct callback *callback = callback_new(self, function);
    if (!callback)
        return NULL;
    int flags = SQLITE_UTF8 | (deterministic ? SQLITE_DETERMINISTIC : 0);
    return registered(
        self, sqlite3_create_function_v2(handle, name, narg, flags, callback, on_function, NULL, NULL, callback_free));
}

PyObject *bolt_py_sqlite_create_aggregate(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "n_arg", "aggregate_class", NULL};
    const char *name;
    int narg;
    PyObject *class;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO", names, &name, &narg, &class) ||
        bolt_py_sqlite_check((struct bolt_py_sqlite *)self) < 0)
        return NULL;
    sqlite3 *handle = bolt_sqlite_handle(((struct bolt_py_sqlite *)self)->db);
    if (class == Py_None)
        return registered(self,
                          sqlite3_create_function_v2(handle, name, narg, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL));
    struct callback *callback = callback_new(self, class);
    if (!callback)
        return NULL;
    return registered(self, sqlite3_create_function_v2(handle, name, narg, SQLITE_UTF8, callback, NULL, on_step,
                                                       on_final, callback_free));
}

PyObject *bolt_py_sqlite_create_window_function(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "num_params", "aggregate_class", NULL};
    const char *name;
    int narg;
    PyObject *class;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO", names, &name, &narg, &class) ||
        bolt_py_sqlite_check((struct bolt_py_sqlite *)self) < 0)
        return NULL;
    sqlite3 *handle = bolt_sqlite_handle(((struct bolt_py_sqlite *)self)->db);
    if (class == Py_None)
        return registered(
            self, sqlite3_create_window_function(handle, name, narg, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL, NULL));
    struct callback *callback = callback_new(self, class);
    if (!callback)
        return NULL;
    return registered(self, sqlite3_create_window_function(handle, name, narg, SQLITE_UTF8, callback, on_step, on_final,
                                                           on_value, on_inverse, callback_free));
}

/* --- collations --- */

static int on_compare(void *arg, int a_len, const void *a, int b_len, const void *b)
{
    struct callback *callback = arg;
    struct bolt_py_sqlite *conn = callback->conn;
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(conn);
    int order = 0;
    PyObject *result = PyObject_CallFunction(callback->callable, "s#s#", a, (Py_ssize_t)a_len, b, (Py_ssize_t)b_len);
    if (result) {
        long value = PyLong_AsLong(result);
        if (value == -1 && PyErr_Occurred())
            PyErr_Clear(); /* sqlite3 treats a result that is no number as "equal" */
        order = (value > 0) - (value < 0);
        Py_DECREF(result);
    } else {
        bolt_py_sqlite_keep_exception(conn);
        sqlite3_interrupt(bolt_sqlite_handle(conn->db));
    }
    bolt_py_sqlite_gil_give(gil);
    return order;
}

PyObject *bolt_py_sqlite_create_collation(PyObject *self, PyObject *args)
{
    const char *name;
    PyObject *callable;
    if (!PyArg_ParseTuple(args, "sO", &name, &callable) || bolt_py_sqlite_check((struct bolt_py_sqlite *)self) < 0)
        return NULL;
    sqlite3 *handle = bolt_sqlite_handle(((struct bolt_py_sqlite *)self)->db);
    if (callable == Py_None)
        return registered(self, sqlite3_create_collation_v2(handle, name, SQLITE_UTF8, NULL, NULL, NULL));
    if (!PyCallable_Check(callable)) {
        PyErr_SetString(PyExc_TypeError, "parameter must be callable");
        return NULL;
    }
    struct callback *callback = callback_new(self, callable);
    if (!callback)
        return NULL;
    int rc = sqlite3_create_collation_v2(handle, name, SQLITE_UTF8, callback, on_compare, callback_free);
    if (rc != SQLITE_OK)
        callback_free(callback); /* unlike create_function, this one leaves it to the caller */
    return registered(self, rc);
}
