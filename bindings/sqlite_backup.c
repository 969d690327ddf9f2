/* SPDX-License-Identifier: MIT */
/* sqlite_backup.c - online backup, and blobs read and written in place. */
#include "compat.h"
#include "sqlite_conn.h"

/* --- backup --- */

struct backup_options {
    PyObject *target, *progress;
    const char *name;
    int pages;
    double sleep_s;
};

static int report_progress(PyObject *progress, int rc, sqlite3_backup *backup)
{
    if (progress == Py_None)
        return 0;
    PyObject *result =
        PyObject_CallFunction(progress, "iii", rc, sqlite3_backup_remaining(backup), sqlite3_backup_pagecount(backup));
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Between two attempts on a locked source: other tasks, or other threads, run. */
static int pause_backup(struct bolt_py_state *state, double seconds)
{
    if (bolt_py_green_is_worker(state)) {
        PyObject *future = bolt_py_green_future(state);
        int err = future ? bolt_py_green_wait_for(state, future, seconds) : -1;
        Py_XDECREF(future);
        return err;
    }
    Py_BEGIN_ALLOW_THREADS;
    sqlite3_sleep((int)(seconds * 1000));
    Py_END_ALLOW_THREADS;
    return 0;
}

static int copy_pages(struct bolt_py_sqlite *source, struct bolt_py_sqlite *target,
                      const struct backup_options *options)
{
    sqlite3_backup *backup =
        sqlite3_backup_init(bolt_sqlite_handle(target->db), "main", bolt_sqlite_handle(source->db), options->name);
    if (!backup)
        return bolt_py_sqlite_raise(target, sqlite3_errcode(bolt_sqlite_handle(target->db)));
    int rc, err = 0;
    do {
        Py_BEGIN_ALLOW_THREADS;
        rc = sqlite3_backup_step(backup, options->pages);
        Py_END_ALLOW_THREADS;
        err = report_progress(options->progress, rc, backup);
        if (err == 0 && (rc == SQLITE_BUSY || rc == SQLITE_LOCKED))
            err = pause_backup(source->state, options->sleep_s);
        else if (err == 0 && rc == SQLITE_OK && bolt_py_green_is_worker(source->state))
            err = bolt_py_green_yield(source->state);
    } while (err == 0 && (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED));
    int finished = sqlite3_backup_finish(backup);
    if (err == 0 && finished != SQLITE_OK)
        err = bolt_py_sqlite_raise(target, finished);
    return err;
}

PyObject *bolt_py_sqlite_backup(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"target", "pages", "progress", "name", "sleep", NULL};
    struct backup_options options = {.progress = Py_None, .name = "main", .pages = -1, .sleep_s = 0.25};
    struct bolt_py_sqlite *source = (struct bolt_py_sqlite *)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|$iOsd", names, source->state->SqliteConnection_type,
                                     &options.target, &options.pages, &options.progress, &options.name,
                                     &options.sleep_s))
        return NULL;
    struct bolt_py_sqlite *target = (struct bolt_py_sqlite *)options.target;
    if (target == source) {
        PyErr_SetString(PyExc_ValueError, "target cannot be the same connection instance");
        return NULL;
    }
    if (options.progress != Py_None && !PyCallable_Check(options.progress)) {
        PyErr_SetString(PyExc_TypeError, "progress argument must be a callable");
        return NULL;
    }
    if (options.pages == 0)
        options.pages = -1;
    if (bolt_py_sqlite_enter(source) < 0)
        return NULL;
    int err = bolt_py_sqlite_enter(target);
    if (err == 0) {
        err = copy_pages(source, target, &options);
        bolt_py_sqlite_leave(target);
    }
    bolt_py_sqlite_leave(source);
    if (err < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* --- blobs --- */

struct blob {
    PyObject_HEAD
    struct bolt_py_sqlite *conn; /* strong */
    sqlite3_blob *handle;        /* NULL: closed */
    int offset;
};

static int blob_check(struct blob *self)
{
    if (bolt_py_sqlite_check(self->conn) < 0)
        return -1;
    if (self->handle)
        return 0;
    bolt_py_sqlite_raise_text(self->conn->state, "ProgrammingError", "Cannot operate on a closed blob.");
    return -1;
}

PyObject *bolt_py_sqlite_blobopen(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"table", "column", "row", "readonly", "name", NULL};
    struct bolt_py_sqlite *conn = (struct bolt_py_sqlite *)object;
    const char *table, *column, *name = "main";
    long long row;
    int readonly = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ssL|$ps", names, &table, &column, &row, &readonly, &name) ||
        bolt_py_sqlite_check(conn) < 0)
        return NULL;
    sqlite3_blob *handle = NULL;
    int rc = sqlite3_blob_open(bolt_sqlite_handle(conn->db), name, table, column, row, !readonly, &handle);
    if (rc != SQLITE_OK) {
        bolt_py_sqlite_raise(conn, rc);
        return NULL;
    }
    PyTypeObject *type = conn->state->SqliteBlob_type;
    struct blob *self = (struct blob *)type->tp_alloc(type, 0);
    if (!self) {
        sqlite3_blob_close(handle);
        return NULL;
    }
    self->conn = (struct bolt_py_sqlite *)Py_NewRef(conn);
    self->handle = handle;
    return (PyObject *)self;
}

static PyObject *read_at(struct blob *self, int offset, int len)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, len);
    if (!bytes)
        return NULL;
    int rc = sqlite3_blob_read(self->handle, PyBytes_AS_STRING(bytes), len, offset);
    if (rc != SQLITE_OK) {
        Py_DECREF(bytes);
        bolt_py_sqlite_raise(self->conn, rc);
        return NULL;
    }
    return bytes;
}

static PyObject *blob_read(PyObject *object, PyObject *args)
{
    struct blob *self = (struct blob *)object;
    int len = -1;
    if (!PyArg_ParseTuple(args, "|i", &len) || blob_check(self) < 0)
        return NULL;
    int left = sqlite3_blob_bytes(self->handle) - self->offset;
    if (len < 0 || len > left)
        len = left;
    PyObject *bytes = read_at(self, self->offset, len);
    if (bytes)
        self->offset += len;
    return bytes;
}

static PyObject *blob_write(PyObject *object, PyObject *data)
{
    struct blob *self = (struct blob *)object;
    Py_buffer view;
    if (blob_check(self) < 0 || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *result = NULL;
    if (view.len > sqlite3_blob_bytes(self->handle) - self->offset) {
        PyErr_SetString(PyExc_ValueError, "data longer than blob length");
    } else {
        int rc = sqlite3_blob_write(self->handle, view.buf, (int)view.len, self->offset);
        if (rc == SQLITE_OK) {
            self->offset += (int)view.len;
            result = Py_NewRef(Py_None);
        } else {
            bolt_py_sqlite_raise(self->conn, rc);
        }
    }
    PyBuffer_Release(&view);
    return result;
}

static PyObject *blob_seek(PyObject *object, PyObject *args)
{
    struct blob *self = (struct blob *)object;
    int offset, origin = 0;
    if (!PyArg_ParseTuple(args, "i|i", &offset, &origin) || blob_check(self) < 0)
        return NULL;
    int size = sqlite3_blob_bytes(self->handle);
    int64_t base = origin == 0 ? 0 : origin == 1 ? self->offset : size;
    int64_t position = base + offset;
    if (origin < 0 || origin > 2 || position < 0 || position > size) {
        PyErr_SetString(PyExc_ValueError, origin < 0 || origin > 2 ? "'origin' should be os.SEEK_SET, os.SEEK_CUR, or "
                                                                     "os.SEEK_END"
                                                                   : "offset out of blob range");
        return NULL;
    }
    self->offset = (int)position;
    Py_RETURN_NONE;
}

static PyObject *blob_tell(PyObject *object, PyObject *unused)
{
    (void)unused;
    return blob_check((struct blob *)object) < 0 ? NULL : PyLong_FromLong(((struct blob *)object)->offset);
}

static void close_blob(struct blob *self)
{
    sqlite3_blob *handle = self->handle;
    self->handle = NULL;
    if (handle)
        sqlite3_blob_close(handle); /* an error here repeats that of the failed read or write */
}

static PyObject *blob_close(PyObject *object, PyObject *unused)
{
    (void)unused;
    if (bolt_py_sqlite_check(((struct blob *)object)->conn) < 0)
        return NULL;
    close_blob((struct blob *)object);
    Py_RETURN_NONE;
}

static PyObject *blob_enter(PyObject *object, PyObject *unused)
{
    (void)unused;
    return blob_check((struct blob *)object) < 0 ? NULL : Py_NewRef(object);
}

static PyObject *blob_exit(PyObject *object, PyObject *args)
{
    (void)args;
    close_blob((struct blob *)object);
    Py_RETURN_FALSE;
}

static Py_ssize_t blob_length(PyObject *object)
{
    return blob_check((struct blob *)object) < 0 ? -1 : sqlite3_blob_bytes(((struct blob *)object)->handle);
}

/* blob[i] is an int, blob[i:j] bytes (step 1). */
static PyObject *blob_subscript(PyObject *object, PyObject *key)
{
    struct blob *self = (struct blob *)object;
    Py_ssize_t size = blob_length(object);
    if (size < 0)
        return NULL;
    if (PySlice_Check(key)) {
        Py_ssize_t start, stop, step;
        if (PySlice_Unpack(key, &start, &stop, &step) < 0)
            return NULL;
        Py_ssize_t len = PySlice_AdjustIndices(size, &start, &stop, step);
        if (step == 1)
            return read_at(self, (int)start, (int)len);
        PyObject *all = read_at(self, 0, (int)size);
        PyObject *part = all ? PyObject_GetItem(all, key) : NULL;
        Py_XDECREF(all);
        return part;
    }
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    if (index < 0)
        index += size;
    if (index < 0 || index >= size) {
        PyErr_SetString(PyExc_IndexError, "Blob index out of range");
        return NULL;
    }
    PyObject *one = read_at(self, (int)index, 1);
    PyObject *number = one ? PyLong_FromLong((unsigned char)PyBytes_AS_STRING(one)[0]) : NULL;
    Py_XDECREF(one);
    return number;
}

static int blob_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct blob *)object)->conn);
    return 0;
}

static int blob_clear(PyObject *object)
{
    close_blob((struct blob *)object);
    Py_CLEAR(((struct blob *)object)->conn);
    return 0;
}

static void blob_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    blob_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef blob_methods[] = {
    {"read", blob_read, METH_VARARGS, "read(length=-1)"},
    {"write", blob_write, METH_O, "write(data): in place, the size cannot change"},
    {"seek", blob_seek, METH_VARARGS, "seek(offset, origin=os.SEEK_SET)"},
    {"tell", blob_tell, METH_NOARGS, NULL},
    {"close", blob_close, METH_NOARGS, NULL},
    {"__enter__", blob_enter, METH_NOARGS, NULL},
    {"__exit__", blob_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot blob_slots[] = {
    {Py_tp_doc, (void *)"A blob that is read and written in place."},
    {Py_tp_traverse, blob_traverse},
    {Py_tp_clear, blob_clear},
    {Py_tp_dealloc, blob_dealloc},
    {Py_tp_methods, blob_methods},
    {Py_mp_length, blob_length},
    {Py_mp_subscript, blob_subscript},
    {0, NULL},
};

static PyType_Spec blob_spec = {
    .name = "django_bolt._core.SqliteBlob",
    .basicsize = sizeof(struct blob),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = blob_slots,
};

int bolt_py_sqlite_blob_add(PyObject *module, struct bolt_py_state *state)
{
    state->SqliteBlob_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &blob_spec, NULL);
    if (!state->SqliteBlob_type)
        return -1;
    return PyModule_AddObjectRef(module, "SqliteBlob", (PyObject *)state->SqliteBlob_type);
}
