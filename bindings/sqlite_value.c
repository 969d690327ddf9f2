/* SPDX-License-Identifier: MIT */
/* sqlite_value.c - Python values to SQLite and back, with sqlite3's adapters and converters.
 *
 * adapters, converters and the adapt protocol are those of Python's sqlite3 module, live, because Django registers
 * its own there. */
#include "compat.h"
#include "sqlite_conn.h"

/* --- parameters --- */

static int bind_buffer(sqlite3_stmt *handle, int index, PyObject *value, int *rc)
{
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    *rc = sqlite3_bind_blob64(handle, index, view.buf ? view.buf : "", (sqlite3_uint64)view.len, SQLITE_TRANSIENT);
    PyBuffer_Release(&view);
    return 0;
}

static int bind_int(sqlite3_stmt *handle, int index, PyObject *value, int *rc)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to SQLite INTEGER");
        return -1;
    }
    if (number == -1 && PyErr_Occurred())
        return -1;
    *rc = sqlite3_bind_int64(handle, index, number);
    return 0;
}

/* Binds a value of a type SQLite knows. 0, -1 exception, 1 another type. */
static int bind_native(sqlite3_stmt *handle, int index, PyObject *value, int *rc)
{
    if (value == Py_None) {
        *rc = sqlite3_bind_null(handle, index);
    } else if (PyLong_Check(value)) {
        return bind_int(handle, index, value, rc);
    } else if (PyFloat_Check(value)) {
        *rc = sqlite3_bind_double(handle, index, PyFloat_AS_DOUBLE(value));
    } else if (PyUnicode_Check(value)) {
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(value, &len);
        if (!text)
            return -1;
        *rc = sqlite3_bind_text64(handle, index, text, (sqlite3_uint64)len, SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (PyObject_CheckBuffer(value)) {
        return bind_buffer(handle, index, value, rc);
    } else {
        return 1;
    }
    return 0;
}

static bool needs_no_adapter(PyObject *value)
{
    return value == Py_None || PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
           PyByteArray_CheckExact(value);
}

static int bind_one(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int index, PyObject *value)
{
    int rc = SQLITE_OK, kind;
    if (needs_no_adapter(value)) {
        kind = bind_native(handle, index, value, &rc);
    } else {
        PyObject *args[] = {value, conn->state->sqlite3_PrepareProtocol, value};
        PyObject *adapted = PyObject_Vectorcall(conn->state->sqlite3_adapt, args, 3, NULL);
        if (!adapted)
            return -1;
        kind = bind_native(handle, index, adapted, &rc);
        Py_DECREF(adapted);
    }
    if (kind == 1)
        bolt_py_sqlite_raise_text(conn->state, "ProgrammingError",
                                  "Error binding parameter %d: type '%s' is not supported", index,
                                  Py_TYPE(value)->tp_name);
    if (kind)
        return -1;
    return rc == SQLITE_OK ? 0 : bolt_py_sqlite_raise(conn, rc);
}

static int bind_sequence(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int needed, PyObject *params)
{
    Py_ssize_t given = PySequence_Size(params);
    if (given < 0)
        return -1;
    if (given != needed) {
        bolt_py_sqlite_raise_text(conn->state, "ProgrammingError",
                                  "Incorrect number of bindings supplied. The current statement uses %d, and there are "
                                  "%zd supplied.",
                                  needed, given);
        return -1;
    }
    for (int i = 0; i < needed; i++) {
        PyObject *value = PySequence_GetItem(params, i);
        if (!value)
            return -1;
        int err = bind_one(conn, handle, i + 1, value);
        Py_DECREF(value);
        if (err)
            return -1;
    }
    return 0;
}

static int bind_mapping(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int needed, PyObject *params)
{
    for (int i = 1; i <= needed; i++) {
        const char *name = sqlite3_bind_parameter_name(handle, i);
        if (!name) {
            bolt_py_sqlite_raise_text(conn->state, "ProgrammingError",
                                      "Binding %d has no name, but you supplied a dictionary (which has only names).",
                                      i);
            return -1;
        }
        PyObject *key = PyUnicode_FromString(name + 1); /* without the ':', '@' or '$' */
        PyObject *value = key ? PyObject_GetItem(params, key) : NULL;
        Py_XDECREF(key);
        if (!value) {
            if (PyErr_ExceptionMatches(PyExc_LookupError))
                bolt_py_sqlite_raise_text(conn->state, "ProgrammingError",
                                          "You did not supply a value for binding parameter :%s.", name + 1);
            return -1;
        }
        int err = bind_one(conn, handle, i, value);
        Py_DECREF(value);
        if (err)
            return -1;
    }
    return 0;
}

int bolt_py_sqlite_bind(struct bolt_py_sqlite *conn, struct bolt_sqlite_stmt *stmt, PyObject *params)
{
    int needed = sqlite3_bind_parameter_count(stmt->handle);
    if (PyTuple_Check(params) || PyList_Check(params) || (!PyDict_Check(params) && PySequence_Check(params)))
        return bind_sequence(conn, stmt->handle, needed, params);
    if (PyMapping_Check(params))
        return bind_mapping(conn, stmt->handle, needed, params);
    bolt_py_sqlite_raise_text(conn->state, "ProgrammingError", "parameters are of unsupported type");
    return -1;
}

/* --- columns --- */

void bolt_py_sqlite_columns_free(void *object)
{
    struct bolt_py_sqlite_columns *columns = object;
    Py_XDECREF(columns->description);
    Py_XDECREF(columns->converters);
    PyMem_Free(columns);
}

/* The converter registered for a type name (upper-cased), new reference or None. */
static PyObject *converter_for(struct bolt_py_state *state, const char *type, size_t len)
{
    PyObject *name = PyUnicode_FromStringAndSize(type, (Py_ssize_t)len);
    PyObject *upper = name ? PyObject_CallMethodNoArgs(name, state->str_upper) : NULL;
    Py_XDECREF(name);
    if (!upper)
        return NULL;
    PyObject *converter;
    int found = PyDict_GetItemRef(state->sqlite3_converters, upper, &converter);
    Py_DECREF(upper);
    if (found < 0)
        return NULL;
    return found ? converter : Py_NewRef(Py_None);
}

/* The converter of one column: "name [type]" first, then the declared type up to a space or '('. */
static PyObject *column_converter(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int i)
{
    const char *name = sqlite3_column_name(handle, i);
    if (conn->detect_types & 2 && name) { /* PARSE_COLNAMES */
        const char *open = strrchr(name, '['), *close = open ? strchr(open, ']') : NULL;
        if (close) {
            PyObject *converter = converter_for(conn->state, open + 1, (size_t)(close - open - 1));
            if (converter != Py_None)
                return converter; /* or NULL */
            Py_DECREF(converter);
        }
    }
    const char *declared = conn->detect_types & 1 ? sqlite3_column_decltype(handle, i) : NULL; /* PARSE_DECLTYPES */
    if (!declared)
        return Py_NewRef(Py_None);
    return converter_for(conn->state, declared, strcspn(declared, " ("));
}

static PyObject *column_name(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int i)
{
    const char *name = sqlite3_column_name(handle, i);
    if (!name)
        return PyErr_NoMemory();
    size_t len = strlen(name);
    if (conn->detect_types & 2) { /* "name [type]" */
        const char *open = strchr(name, '[');
        if (open && open > name && open[-1] == ' ')
            len = (size_t)(open - name - 1);
    }
    return PyUnicode_FromStringAndSize(name, (Py_ssize_t)len);
}

static PyObject *build_description(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int count)
{
    PyObject *description = PyTuple_New(count);
    for (int i = 0; description && i < count; i++) {
        PyObject *name = column_name(conn, handle, i);
        PyObject *entry = name ? PyTuple_Pack(7, name, Py_None, Py_None, Py_None, Py_None, Py_None, Py_None) : NULL;
        Py_XDECREF(name);
        if (entry)
            PyTuple_SET_ITEM(description, i, entry);
        else
            Py_CLEAR(description);
    }
    return description;
}

/* *converters stays NULL when no column has one. */
static int build_converters(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int count, PyObject **converters)
{
    bool any = false;
    if (!conn->detect_types)
        return 0;
    PyObject *tuple = PyTuple_New(count);
    if (!tuple)
        return -1;
    for (int i = 0; i < count; i++) {
        PyObject *converter = column_converter(conn, handle, i);
        if (!converter) {
            Py_DECREF(tuple);
            return -1;
        }
        any = any || converter != Py_None;
        PyTuple_SET_ITEM(tuple, i, converter);
    }
    if (any)
        *converters = tuple;
    else
        Py_DECREF(tuple);
    return 0;
}

struct bolt_py_sqlite_columns *bolt_py_sqlite_columns_of(struct bolt_py_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    struct bolt_py_sqlite_columns *columns = stmt->user;
    int reprepares = sqlite3_stmt_status(stmt->handle, SQLITE_STMTSTATUS_REPREPARE, 0);
    Py_ssize_t registered = PyDict_GET_SIZE(conn->state->sqlite3_converters);
    if (columns && columns->reprepares == reprepares && columns->registered == registered)
        return columns;
    int count = sqlite3_column_count(stmt->handle);
    struct bolt_py_sqlite_columns *fresh = PyMem_Calloc(1, sizeof(*fresh));
    if (!fresh) {
        PyErr_NoMemory();
        return NULL;
    }
    fresh->reprepares = reprepares;
    fresh->registered = registered;
    fresh->description = build_description(conn, stmt->handle, count);
    if (!fresh->description || build_converters(conn, stmt->handle, count, &fresh->converters) < 0) {
        bolt_py_sqlite_columns_free(fresh);
        return NULL;
    }
    if (columns)
        bolt_py_sqlite_columns_free(columns);
    stmt->user = fresh;
    return fresh;
}

/* --- rows --- */

static PyObject *text_value(struct bolt_py_sqlite *conn, const char *text, Py_ssize_t len)
{
    PyObject *factory = conn->text_factory;
    if (factory == (PyObject *)&PyUnicode_Type) {
        PyObject *value = PyUnicode_DecodeUTF8(text, len, NULL);
        if (!value && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            PyErr_Clear(); /* replaced by sqlite3's error */
            bolt_py_sqlite_raise_text(conn->state, "OperationalError",
                                      "Could not decode to UTF-8 column with text '%.200s'", text);
        }
        return value;
    }
    if (factory == (PyObject *)&PyBytes_Type)
        return PyBytes_FromStringAndSize(text, len);
    if (factory == (PyObject *)&PyByteArray_Type)
        return PyByteArray_FromStringAndSize(text, len);
    return PyObject_CallFunction(factory, "y#", text, len);
}

static PyObject *converted_value(sqlite3_stmt *handle, int i, PyObject *converter)
{
    const void *blob = sqlite3_column_blob(handle, i);
    int len = sqlite3_column_bytes(handle, i);
    if (!blob && sqlite3_column_type(handle, i) == SQLITE_NULL)
        Py_RETURN_NONE;
    PyObject *bytes = PyBytes_FromStringAndSize(blob, len);
    if (!bytes)
        return NULL;
    PyObject *value = PyObject_CallOneArg(converter, bytes);
    Py_DECREF(bytes);
    return value;
}

static PyObject *column_value(struct bolt_py_sqlite *conn, sqlite3_stmt *handle, int i)
{
    switch (sqlite3_column_type(handle, i)) {
    case SQLITE_NULL:
        Py_RETURN_NONE;
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_column_int64(handle, i));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_column_double(handle, i));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(handle, i);
        if (!text)
            return PyErr_NoMemory();
        return text_value(conn, text, sqlite3_column_bytes(handle, i));
    }
    default: {
        const void *blob = sqlite3_column_blob(handle, i);
        return PyBytes_FromStringAndSize(blob, sqlite3_column_bytes(handle, i));
    }
    }
}

PyObject *bolt_py_sqlite_row(struct bolt_py_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    int count = sqlite3_data_count(stmt->handle);
    struct bolt_py_sqlite_columns *columns = stmt->user;
    PyObject *converters = columns ? columns->converters : NULL;
    PyObject *row = PyTuple_New(count);
    for (int i = 0; row && i < count; i++) {
        PyObject *converter = converters ? PyTuple_GET_ITEM(converters, i) : Py_None;
        PyObject *value =
            converter == Py_None ? column_value(conn, stmt->handle, i) : converted_value(stmt->handle, i, converter);
        if (value)
            PyTuple_SET_ITEM(row, i, value);
        else
            Py_CLEAR(row);
    }
    return row;
}

/* --- user functions --- */

PyObject *bolt_py_sqlite_value(struct bolt_py_sqlite *conn, sqlite3_value *value)
{
    (void)conn;
    switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
        Py_RETURN_NONE;
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        if (!text)
            return PyErr_NoMemory();
        return PyUnicode_FromStringAndSize(text, sqlite3_value_bytes(value));
    }
    default: {
        const void *blob = sqlite3_value_blob(value);
        return PyBytes_FromStringAndSize(blob, sqlite3_value_bytes(value));
    }
    }
}

int bolt_py_sqlite_result(sqlite3_context *context, PyObject *value)
{
    if (value == Py_None) {
        sqlite3_result_null(context);
    } else if (PyLong_Check(value)) {
        long long number = PyLong_AsLongLong(value);
        if (number == -1 && PyErr_Occurred())
            return -1;
        sqlite3_result_int64(context, number);
    } else if (PyFloat_Check(value)) {
        sqlite3_result_double(context, PyFloat_AS_DOUBLE(value));
    } else if (PyUnicode_Check(value)) {
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(value, &len);
        if (!text)
            return -1;
        sqlite3_result_text64(context, text, (sqlite3_uint64)len, SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (PyObject_CheckBuffer(value)) {
        Py_buffer view;
        if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
            return -1;
        sqlite3_result_blob64(context, view.buf ? view.buf : "", (sqlite3_uint64)view.len, SQLITE_TRANSIENT);
        PyBuffer_Release(&view);
    } else {
        PyErr_Format(PyExc_TypeError, "a SQL function returned a %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    return 0;
}
