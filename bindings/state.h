/* SPDX-License-Identifier: MIT */
/* state.h - what the extension module keeps per interpreter: types, imported callables, interned names.
 *
 * Every field is a strong reference made in module exec and released in module clear. Add a field
 * here and state.c loads, visits and clears it through the same X-macro.
 */
#ifndef BOLT_PY_STATE_H
#define BOLT_PY_STATE_H

#include <Python.h>

#include "green.h"

/* X(name): heap types, created by bolt_py_add_<name>(). */
#define BOLT_PY_TYPES(X)                                                                                               \
    X(App)                                                                                                             \
    X(Server)                                                                                                          \
    X(RequestTask)                                                                                                     \
    X(Request)                                                                                                         \
    X(Binder)                                                                                                          \
    X(Worker)                                                                                                          \
    X(Spawn)                                                                                                           \
    X(Driven)                                                                                                          \
    X(Lock)                                                                                                            \
    X(SqliteConnection)                                                                                                \
    X(SqliteCursor)                                                                                                    \
    X(SqliteBlob)

/* X(name, module, attribute): imported once; the attribute may be dotted. Task and Future are the C types that
 * RequestTask needs, even where somebody has put Python classes into their place in asyncio. */
#define BOLT_PY_IMPORTS(X)                                                                                             \
    X(asyncio_Task, "_asyncio", "Task")                                                                                \
    X(asyncio_Future, "_asyncio", "Future")                                                                            \
    X(Future_set_result, "_asyncio", "Future.set_result")                                                              \
    X(Future_set_exception, "_asyncio", "Future.set_exception")                                                        \
    X(Future_cancel, "_asyncio", "Future.cancel")                                                                      \
    X(enter_task, "asyncio", "_enter_task")                                                                            \
    X(leave_task, "asyncio", "_leave_task")                                                                            \
    X(register_task, "asyncio", "_register_task")                                                                      \
    X(CancelledError, "asyncio", "CancelledError")                                                                     \
    X(GreenletExit, "greenlet", "GreenletExit")                                                                        \
    X(msgspec_ValidationError, "msgspec", "ValidationError")                                                           \
    X(msgspec_DecodeError, "msgspec", "DecodeError")                                                                   \
    X(msgspec_Struct, "msgspec", "Struct")                                                                             \
    X(Decimal, "decimal", "Decimal")                                                                                   \
    X(UUID, "uuid", "UUID")                                                                                            \
    X(HTTPException, "django_bolt.exceptions", "HTTPException")                                                        \
    X(NeedsFinalize, "django_bolt._plan", "NeedsFinalize")                                                             \
    X(RequestValidationError, "django_bolt.exceptions", "RequestValidationError")                                      \
    X(get_running_loop, "asyncio.events", "get_running_loop")                                                          \
    X(SafeUUID, "uuid", "SafeUUID")                                                                                    \
    X(build_absolute_uri, "django_bolt._request_host", "build_absolute_uri")                                           \
    X(request_auser, "django_bolt._request_user", "auser")                                                             \
    X(body_error, "django_bolt._binding_errors", "body_error")                                                         \
    X(check_error, "django_bolt._binding_errors", "check_error")                                                       \
    X(group_error, "django_bolt._binding_errors", "group_error")                                                       \
    X(msgspec_json_Encoder, "msgspec.json", "Encoder")                                                                 \
    X(sqlite3, "sqlite3", "dbapi2")                                                                                    \
    X(sqlite3_adapt, "sqlite3", "adapt")                                                                               \
    X(sqlite3_converters, "sqlite3", "converters")                                                                     \
    X(sqlite3_PrepareProtocol, "sqlite3", "PrepareProtocol")

/* X(name, text): interned strings. */
#define BOLT_PY_STRINGS(X)                                                                                             \
    X(cancel, "cancel")                                                                                                \
    X(call_soon, "call_soon")                                                                                          \
    X(context, "context")                                                                                              \
    X(asyncio_future_blocking, "_asyncio_future_blocking")                                                             \
    X(done, "done")                                                                                                    \
    X(result, "result")                                                                                                \
    X(close, "close")                                                                                                  \
    X(create_future, "create_future")                                                                                  \
    X(set_result, "set_result")                                                                                        \
    X(workers_key, "django_bolt._core.workers")                                                                        \
    X(int, "int")                                                                                                      \
    X(is_safe, "is_safe")                                                                                              \
    X(unknown, "unknown")                                                                                              \
    X(REQUEST_METHOD, "REQUEST_METHOD")                                                                                \
    X(PATH_INFO, "PATH_INFO")                                                                                          \
    X(QUERY_STRING, "QUERY_STRING")                                                                                    \
    X(SCRIPT_NAME, "SCRIPT_NAME")                                                                                      \
    X(SERVER_PROTOCOL, "SERVER_PROTOCOL")                                                                              \
    X(SERVER_NAME, "SERVER_NAME")                                                                                      \
    X(SERVER_PORT, "SERVER_PORT")                                                                                      \
    X(REMOTE_ADDR, "REMOTE_ADDR")                                                                                      \
    X(REMOTE_HOST, "REMOTE_HOST")                                                                                      \
    X(REMOTE_PORT, "REMOTE_PORT")                                                                                      \
    X(CONTENT_TYPE, "CONTENT_TYPE")                                                                                    \
    X(CONTENT_LENGTH, "CONTENT_LENGTH")                                                                                \
    X(log_traceback, "_log_traceback")                                                                                 \
    X(loop, "_loop")                                                                                                   \
    X(add_done_callback, "add_done_callback")                                                                          \
    X(dataclass_fields, "__dataclass_fields__")                                                                        \
    X(get_loop, "get_loop")                                                                                            \
    X(call_later, "call_later")                                                                                        \
    X(upper, "upper")

/* X(name): one-element tuples, the keyword names of vectorcalls. */
#define BOLT_PY_KWNAMES(X)                                                                                             \
    X(context)                                                                                                         \
    X(msg)

struct bolt_py_state {
    struct bolt_py_green green;
    PyObject *sqlite_queues; /* (thread, file) to the futures that wait for the file's lock */
#define BOLT_PY_FIELD_TYPE(name) PyTypeObject *name##_type;
    BOLT_PY_TYPES(BOLT_PY_FIELD_TYPE)
#undef BOLT_PY_FIELD_TYPE
#define BOLT_PY_FIELD_IMPORT(name, module, attribute) PyObject *name;
    BOLT_PY_IMPORTS(BOLT_PY_FIELD_IMPORT)
#undef BOLT_PY_FIELD_IMPORT
#define BOLT_PY_FIELD_STRING(name, text) PyObject *str_##name;
    BOLT_PY_STRINGS(BOLT_PY_FIELD_STRING)
#undef BOLT_PY_FIELD_STRING
#define BOLT_PY_FIELD_KWNAMES(name) PyObject *kwnames_##name;
    BOLT_PY_KWNAMES(BOLT_PY_FIELD_KWNAMES)
#undef BOLT_PY_FIELD_KWNAMES
};

/* Imports and interns; -1 with an exception. The types are added by module.c. */
int bolt_py_state_load(struct bolt_py_state *state);
int bolt_py_state_traverse(struct bolt_py_state *state, visitproc visit, void *arg);
void bolt_py_state_clear(struct bolt_py_state *state);

extern struct PyModuleDef bolt_py_module_def;
struct bolt_py_state *bolt_py_state_of(PyObject *module);
/* Of one of this module's types. */
struct bolt_py_state *bolt_py_state_of_type(PyTypeObject *type);

#endif
