/* SPDX-License-Identifier: MIT */
/* sqlite_error.c - SQLite result codes to the exception classes of Python's sqlite3 module. */
#include <stdarg.h>

#include "compat.h"
#include "sqlite_conn.h"

static const char *class_for(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_INTERNAL:
    case SQLITE_NOTFOUND:
        return "InternalError";
    case SQLITE_ERROR:
    case SQLITE_PERM:
    case SQLITE_ABORT:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_EMPTY:
    case SQLITE_SCHEMA:
        return "OperationalError";
    case SQLITE_TOOBIG:
        return "DataError";
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return "IntegrityError";
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return "InterfaceError";
    default:
        return "DatabaseError";
    }
}

/* X(name without SQLITE_) */
#define RESULT_CODES(X)                                                                                                \
    X(ABORT_ROLLBACK)                                                                                                  \
    X(ABORT)                                                                                                           \
    X(AUTH)                                                                                                            \
    X(BUSY)                                                                                                            \
    X(BUSY_RECOVERY)                                                                                                   \
    X(BUSY_SNAPSHOT)                                                                                                   \
    X(BUSY_TIMEOUT)                                                                                                    \
    X(CANTOPEN)                                                                                                        \
    X(CANTOPEN_CONVPATH)                                                                                               \
    X(CANTOPEN_DIRTYWAL)                                                                                               \
    X(CANTOPEN_FULLPATH)                                                                                               \
    X(CANTOPEN_ISDIR)                                                                                                  \
    X(CANTOPEN_NOTEMPDIR)                                                                                              \
    X(CANTOPEN_SYMLINK)                                                                                                \
    X(CONSTRAINT)                                                                                                      \
    X(CONSTRAINT_CHECK)                                                                                                \
    X(CONSTRAINT_COMMITHOOK)                                                                                           \
    X(CONSTRAINT_FOREIGNKEY)                                                                                           \
    X(CONSTRAINT_FUNCTION)                                                                                             \
    X(CONSTRAINT_NOTNULL)                                                                                              \
    X(CONSTRAINT_PINNED)                                                                                               \
    X(CONSTRAINT_PRIMARYKEY)                                                                                           \
    X(CONSTRAINT_ROWID)                                                                                                \
    X(CONSTRAINT_TRIGGER)                                                                                              \
    X(CONSTRAINT_UNIQUE)                                                                                               \
    X(CONSTRAINT_VTAB)                                                                                                 \
    X(CORRUPT)                                                                                                         \
    X(CORRUPT_INDEX)                                                                                                   \
    X(CORRUPT_SEQUENCE)                                                                                                \
    X(CORRUPT_VTAB)                                                                                                    \
    X(DONE)                                                                                                            \
    X(EMPTY)                                                                                                           \
    X(ERROR)                                                                                                           \
    X(ERROR_MISSING_COLLSEQ)                                                                                           \
    X(ERROR_RETRY)                                                                                                     \
    X(ERROR_SNAPSHOT)                                                                                                  \
    X(FORMAT)                                                                                                          \
    X(FULL)                                                                                                            \
    X(INTERNAL)                                                                                                        \
    X(INTERRUPT)                                                                                                       \
    X(IOERR)                                                                                                           \
    X(IOERR_ACCESS)                                                                                                    \
    X(IOERR_AUTH)                                                                                                      \
    X(IOERR_BEGIN_ATOMIC)                                                                                              \
    X(IOERR_BLOCKED)                                                                                                   \
    X(IOERR_CHECKRESERVEDLOCK)                                                                                         \
    X(IOERR_CLOSE)                                                                                                     \
    X(IOERR_COMMIT_ATOMIC)                                                                                             \
    X(IOERR_CONVPATH)                                                                                                  \
    X(IOERR_DATA)                                                                                                      \
    X(IOERR_DELETE)                                                                                                    \
    X(IOERR_DELETE_NOENT)                                                                                              \
    X(IOERR_DIR_CLOSE)                                                                                                 \
    X(IOERR_DIR_FSYNC)                                                                                                 \
    X(IOERR_FSTAT)                                                                                                     \
    X(IOERR_FSYNC)                                                                                                     \
    X(IOERR_GETTEMPPATH)                                                                                               \
    X(IOERR_LOCK)                                                                                                      \
    X(IOERR_MMAP)                                                                                                      \
    X(IOERR_NOMEM)                                                                                                     \
    X(IOERR_RDLOCK)                                                                                                    \
    X(IOERR_READ)                                                                                                      \
    X(IOERR_ROLLBACK_ATOMIC)                                                                                           \
    X(IOERR_SEEK)                                                                                                      \
    X(IOERR_SHMLOCK)                                                                                                   \
    X(IOERR_SHMMAP)                                                                                                    \
    X(IOERR_SHMOPEN)                                                                                                   \
    X(IOERR_SHMSIZE)                                                                                                   \
    X(IOERR_SHORT_READ)                                                                                                \
    X(IOERR_TRUNCATE)                                                                                                  \
    X(IOERR_UNLOCK)                                                                                                    \
    X(IOERR_VNODE)                                                                                                     \
    X(IOERR_WRITE)                                                                                                     \
    X(LOCKED)                                                                                                          \
    X(LOCKED_SHAREDCACHE)                                                                                              \
    X(LOCKED_VTAB)                                                                                                     \
    X(MISMATCH)                                                                                                        \
    X(MISUSE)                                                                                                          \
    X(NOLFS)                                                                                                           \
    X(NOMEM)                                                                                                           \
    X(NOTADB)                                                                                                          \
    X(NOTFOUND)                                                                                                        \
    X(NOTICE)                                                                                                          \
    X(NOTICE_RECOVER_ROLLBACK)                                                                                         \
    X(NOTICE_RECOVER_WAL)                                                                                              \
    X(OK)                                                                                                              \
    X(OK_LOAD_PERMANENTLY)                                                                                             \
    X(PERM)                                                                                                            \
    X(PROTOCOL)                                                                                                        \
    X(RANGE)                                                                                                           \
    X(READONLY)                                                                                                        \
    X(READONLY_CANTINIT)                                                                                               \
    X(READONLY_CANTLOCK)                                                                                               \
    X(READONLY_DBMOVED)                                                                                                \
    X(READONLY_DIRECTORY)                                                                                              \
    X(READONLY_RECOVERY)                                                                                               \
    X(READONLY_ROLLBACK)                                                                                               \
    X(ROW)                                                                                                             \
    X(SCHEMA)                                                                                                          \
    X(TOOBIG)                                                                                                          \
    X(WARNING)                                                                                                         \
    X(WARNING_AUTOINDEX)

static const char *name_of(int rc)
{
    switch (rc) {
#define NAME_CASE(name)                                                                                                \
    case SQLITE_##name:                                                                                                \
        return "SQLITE_" #name;
        RESULT_CODES(NAME_CASE)
#undef NAME_CASE
    default:
        return "SQLITE_unknown";
    }
}

int bolt_py_sqlite_raise_code(struct bolt_py_state *state, int rc, const char *text)
{
    if ((rc & 0xff) == SQLITE_NOMEM) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *class = PyObject_GetAttrString(state->sqlite3, class_for(rc));
    PyObject *message = class ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace") : NULL;
    PyObject *exc = message ? PyObject_CallOneArg(class, message) : NULL;
    PyObject *code = exc ? PyLong_FromLong(rc) : NULL;
    PyObject *name = code ? PyUnicode_FromString(name_of(rc)) : NULL;
    if (name && PyObject_SetAttrString(exc, "sqlite_errorcode", code) == 0 &&
        PyObject_SetAttrString(exc, "sqlite_errorname", name) == 0)
        PyErr_SetObject(class, exc);
    Py_XDECREF(name);
    Py_XDECREF(code);
    Py_XDECREF(exc);
    Py_XDECREF(message);
    Py_XDECREF(class);
    return -1;
}

int bolt_py_sqlite_raise(struct bolt_py_sqlite *conn, int rc)
{
    if (conn->pending) {
        PyObject *exc = conn->pending;
        conn->pending = NULL;
        PyErr_SetRaisedException(exc);
        return -1;
    }
    sqlite3 *handle = conn->db ? bolt_sqlite_handle(conn->db) : NULL;
    int extended = handle ? sqlite3_extended_errcode(handle) : rc;
    bool about_this = (extended & 0xff) == (rc & 0xff);
    return bolt_py_sqlite_raise_code(conn->state, about_this ? extended : rc,
                                     handle && about_this ? sqlite3_errmsg(handle) : sqlite3_errstr(rc));
}

void bolt_py_sqlite_raise_text(struct bolt_py_state *state, const char *class_name, const char *format, ...)
{
    PyObject *class = PyObject_GetAttrString(state->sqlite3, class_name);
    if (!class)
        return;
    va_list args;
    va_start(args, format);
    PyErr_FormatV(class, format, args);
    va_end(args);
    Py_DECREF(class);
}
