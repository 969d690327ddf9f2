/* SPDX-License-Identifier: MIT */
/* sqlite_wait.c - steps, and what SQLite calls back while they run.
 *
 * In a worker:
 *   progress handler  every PROGRESS_OPS opcodes; when the step has had the thread for SLICE_NS it yields to the loop
 *   busy handler      joins the queue of the file, first come first served, until the connection's timeout is over
 *   write-ahead hook  the checkpoint that SQLite would run inside COMMIT is left to `checkpointer`
 * A callback that is cancelled keeps the exception in `pending` and makes SQLite end the statement; the caller raises it in
 * place of SQLite's error. Elsewhere the callbacks behave as sqlite3's: sleep while busy, checkpoint inline.
 *
 * The queue of a file holds the futures of this thread's workers that wait for its write lock. Who leaves a
 * transaction wakes the first; a timer wakes it too, because other processes do not tell. A waiter that finds the lock
 * taken again goes back to the front.
 */
#include <time.h>

#include "bolt/base.h"
#include "compat.h"
#include "sqlite_conn.h"

#define PROGRESS_OPS 4000
#define SLICE_NS 4000000u
#define FIRST_DELAY_S 0.001
#define MAX_DELAY_S 0.025
#define CHECKPOINT_PAGES 1000 /* SQLite's own default */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- the GIL in callbacks --- */

struct bolt_py_sqlite_gil bolt_py_sqlite_gil_take(struct bolt_py_sqlite *conn)
{
    struct bolt_py_sqlite_gil gil = {.taken = conn->gil_released};
    if (gil.taken)
        gil.state = PyGILState_Ensure();
    return gil;
}

void bolt_py_sqlite_gil_give(struct bolt_py_sqlite_gil gil)
{
    if (gil.taken)
        PyGILState_Release(gil.state);
}

void bolt_py_sqlite_keep_exception(struct bolt_py_sqlite *conn)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (conn->pending)
        Py_DECREF(exc); /* the first one ended the statement */
    else
        conn->pending = exc;
}

/* --- the queue of a file --- */

/* Waiting futures of the file in this thread (borrowed list), NULL without exception when nobody waits and !create. */
static PyObject *queue_of(struct bolt_py_sqlite *conn, bool create)
{
    PyObject *queues = conn->state->sqlite_queues;
    if (!create && PyDict_GET_SIZE(queues) == 0)
        return NULL;
    PyObject *key = Py_BuildValue("(KO)", (unsigned long long)PyThreadState_GetID(PyThreadState_Get()), conn->filename);
    if (!key)
        return NULL;
    PyObject *queue = PyDict_GetItemWithError(queues, key);
    if (!queue && create && !PyErr_Occurred()) {
        PyObject *fresh = PyList_New(0);
        if (fresh && PyDict_SetItem(queues, key, fresh) == 0)
            queue = fresh;
        Py_XDECREF(fresh);
    }
    Py_DECREF(key);
    return queue;
}

void bolt_py_sqlite_wake(struct bolt_py_sqlite *conn)
{
    PyObject *exc = PyErr_GetRaisedException();
    PyObject *queue = queue_of(conn, false);
    while (queue && PyList_GET_SIZE(queue) > 0) {
        PyObject *future = Py_NewRef(PyList_GET_ITEM(queue, 0));
        if (PyList_SetSlice(queue, 0, 1, NULL) < 0)
            PyErr_WriteUnraisable(queue);
        bool woken = bolt_py_green_settle(conn->state, future);
        Py_DECREF(future);
        if (woken)
            break;
    }
    if (PyErr_Occurred())
        PyErr_WriteUnraisable((PyObject *)conn);
    PyErr_SetRaisedException(exc);
}

/* Waits in the queue for at most delay_s. -1 with the exception. */
static int wait_in_queue(struct bolt_py_sqlite *conn, bool at_front, double delay_s)
{
    PyObject *queue = queue_of(conn, true);
    PyObject *future = queue ? bolt_py_green_future(conn->state) : NULL;
    if (!future)
        return -1;
    Py_INCREF(queue);
    int err = PyList_Insert(queue, at_front ? 0 : PyList_GET_SIZE(queue), future);
    if (err == 0) {
        err = bolt_py_green_wait_for(conn->state, future, delay_s);
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(queue); i++) {
            if (PyList_GET_ITEM(queue, i) == future) {
                PyObject *exc = PyErr_GetRaisedException();
                if (PyList_SetSlice(queue, i, i + 1, NULL) < 0)
                    PyErr_WriteUnraisable(queue);
                PyErr_SetRaisedException(exc);
                break;
            }
        }
    }
    Py_DECREF(future);
    Py_DECREF(queue);
    if (err < 0)
        bolt_py_sqlite_wake(conn); /* whoever is next must not wait for us */
    return err < 0 ? -1 : 0;
}

static bool may_take_lock(struct bolt_py_sqlite *conn, const struct bolt_sqlite_stmt *stmt)
{
    return sqlite3_get_autocommit(bolt_sqlite_handle(conn->db)) &&
           (!stmt->is_readonly || sqlite3_strnicmp(stmt->sql, "BEGIN I", 7) == 0 ||
            sqlite3_strnicmp(stmt->sql, "BEGIN E", 7) == 0);
}

int bolt_py_sqlite_queue_up(struct bolt_py_sqlite *conn, const struct bolt_sqlite_stmt *stmt)
{
    if (PyDict_GET_SIZE(conn->state->sqlite_queues) == 0 || !may_take_lock(conn, stmt) ||
        !bolt_py_green_is_worker(conn->state))
        return 0;
    PyObject *queue = queue_of(conn, false);
    if (!queue)
        return PyErr_Occurred() ? -1 : 0;
    if (PyList_GET_SIZE(queue) == 0)
        return 0;
    return wait_in_queue(conn, false, conn->timeout_s);
}

/* --- callbacks --- */

static int call_user_progress(struct bolt_py_sqlite *conn)
{
    struct bolt_py_sqlite_gil gil = bolt_py_sqlite_gil_take(conn);
    PyObject *result = PyObject_CallNoArgs(conn->progress);
    int stop = result ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    if (stop < 0) { /* sqlite3 ends the statement too */
        bolt_py_sqlite_keep_exception(conn);
        stop = 1;
    }
    bolt_py_sqlite_gil_give(gil);
    return stop;
}

static int on_progress(void *arg)
{
    struct bolt_py_sqlite *conn = arg;
    if (conn->progress && call_user_progress(conn))
        return 1;
    if (!conn->in_worker || now_ns() - conn->slice_start_ns < SLICE_NS)
        return 0;
    if (bolt_py_green_yield(conn->state) < 0) {
        bolt_py_sqlite_keep_exception(conn);
        return 1;
    }
    conn->slice_start_ns = now_ns();
    return 0;
}

/* How long SQLite's own busy handler sleeps before the n-th retry, in milliseconds. */
static unsigned busy_delay_ms(int count)
{
    static const uint8_t delays[] = {1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100};
    return delays[(size_t)count < BOLT_ARRAY_LEN(delays) ? (size_t)count : BOLT_ARRAY_LEN(delays) - 1];
}

static int busy_in_thread(struct bolt_py_sqlite *conn, int count)
{
    double waited_ms = 0;
    for (int i = 0; i < count; i++)
        waited_ms += busy_delay_ms(i);
    if (waited_ms >= conn->timeout_s * 1000)
        return 0;
    sqlite3_sleep((int)busy_delay_ms(count));
    return 1;
}

static int on_busy(void *arg, int count)
{
    struct bolt_py_sqlite *conn = arg;
    if (!conn->in_worker)
        return busy_in_thread(conn, count);
    if (count == 0)
        conn->busy_start_ns = now_ns();
    double waited_s = (double)(now_ns() - conn->busy_start_ns) / 1e9;
    if (waited_s >= conn->timeout_s) {
        bolt_py_sqlite_wake(conn);
        return 0;
    }
    double delay_s = FIRST_DELAY_S * (count < 5 ? (1 << count) : 32);
    if (wait_in_queue(conn, count > 0, delay_s < MAX_DELAY_S ? delay_s : MAX_DELAY_S) < 0) {
        bolt_py_sqlite_keep_exception(conn);
        return 0;
    }
    conn->slice_start_ns = now_ns();
    return 1;
}

static int on_wal_commit(void *arg, sqlite3 *handle, const char *database, int pages)
{
    struct bolt_py_sqlite *conn = arg;
    if (pages < CHECKPOINT_PAGES)
        return SQLITE_OK;
    if (conn->in_worker && conn->checkpointer != Py_None) {
        conn->checkpoint_due = true;
        return SQLITE_OK;
    }
    sqlite3_wal_checkpoint_v2(handle, database, SQLITE_CHECKPOINT_PASSIVE, NULL,
                              NULL); /* as SQLite's own hook: no error */
    return SQLITE_OK;
}

void bolt_py_sqlite_watch(struct bolt_py_sqlite *conn)
{
    sqlite3 *handle = bolt_sqlite_handle(conn->db);
    int interval = PROGRESS_OPS;
    if (conn->progress && conn->progress_interval < interval)
        interval = conn->progress_interval;
    sqlite3_progress_handler(handle, interval, on_progress, conn);
    sqlite3_busy_handler(handle, on_busy, conn);
    sqlite3_wal_hook(handle, on_wal_commit, conn);
}

/* --- steps --- */

int bolt_py_sqlite_step(struct bolt_py_sqlite *conn, sqlite3_stmt *stmt)
{
    bool outer_in_worker = conn->in_worker, outer_released = conn->gil_released;
    int rc;
    bolt_sqlite_step_begin(conn->db);
    conn->was_in_transaction = !sqlite3_get_autocommit(bolt_sqlite_handle(conn->db));
    conn->in_worker = bolt_py_green_is_worker(conn->state);
    if (conn->in_worker) {
        conn->gil_released = false;
        conn->slice_start_ns = now_ns();
        rc = sqlite3_step(stmt);
    } else {
        conn->gil_released = true;
        Py_BEGIN_ALLOW_THREADS;
        rc = sqlite3_step(stmt);
        Py_END_ALLOW_THREADS;
    }
    conn->in_worker = outer_in_worker;
    conn->gil_released = outer_released;
    bolt_sqlite_step_end(conn->db);
    return rc;
}

void bolt_py_sqlite_stepped(struct bolt_py_sqlite *conn, bool wrote)
{
    if ((wrote || conn->was_in_transaction) && PyDict_GET_SIZE(conn->state->sqlite_queues) &&
        sqlite3_get_autocommit(bolt_sqlite_handle(conn->db)))
        bolt_py_sqlite_wake(conn);
    if (!conn->checkpoint_due)
        return;
    conn->checkpoint_due = false;
    PyObject *result = PyObject_CallOneArg(conn->checkpointer, conn->filename);
    if (!result)
        PyErr_WriteUnraisable(conn->checkpointer);
    Py_XDECREF(result);
}
