/* SPDX-License-Identifier: MIT */
/* green_lock.c - a first-in first-out mutex among the workers of one thread.
 *
 * Ownership is handed over: release() names the next owner and completes its future, so a newcomer cannot overtake
 * those who wait. A waiter that is cancelled after the hand-over passes the lock on.
 */
#include "bolt/base.h"
#include "compat.h"
#include "coro.h"
#include "green.h"
#include "state.h"

static PyObject *current_greenlet(struct bolt_py_state *state)
{
    PyObject *worker = bolt_py_green_current_borrow(state);
    return Py_NewRef(worker ? worker : Py_None); /* code outside workers counts as one owner */
}

/* The current worker waits until it is handed the lock. */
static int wait_for_turn(struct bolt_py_state *state, struct bolt_py_green_lock *lock, PyObject *me)
{
    PyObject *future = bolt_py_green_future(state);
    if (!future)
        return -1;
    if (!lock->waiters)
        lock->waiters = PyList_New(0);
    PyObject *entry = lock->waiters ? PyTuple_Pack(2, future, me) : NULL;
    if (!entry || PyList_Append(lock->waiters, entry) < 0) {
        Py_XDECREF(entry);
        Py_DECREF(future);
        return -1;
    }
    PyObject *result = bolt_py_green_wait(state, future);
    Py_DECREF(future);
    if (result) {
        Py_DECREF(entry);
        Py_DECREF(result);
        return 0;
    }
    PyObject *exc = PyErr_GetRaisedException();
    if (lock->owner == me)
        bolt_py_green_lock_release(state, lock); /* handed over and cancelled in the same turn */
    else if (lock->waiters) {
        Py_ssize_t index = PySequence_Index(lock->waiters, entry);
        if (index < 0 || PySequence_DelItem(lock->waiters, index) < 0)
            PyErr_Clear(); /* no longer listed: nothing to remove */
    }
    Py_DECREF(entry);
    PyErr_SetRaisedException(exc);
    return -1;
}

int bolt_py_green_lock_acquire(struct bolt_py_state *state, struct bolt_py_green_lock *lock)
{
    PyObject *me = current_greenlet(state);
    if (BOLT_LIKELY(!lock->owner)) {
        lock->owner = me;
        return 0;
    }
    if (lock->owner == me || me == Py_None) {
        PyErr_SetString(PyExc_RuntimeError,
                        lock->owner == me
                            ? "this connection is already in use by the same code (the lock is not reentrant)"
                            : "this connection is in use by a task of this event loop; code outside a worker "
                              "cannot wait for it");
        Py_DECREF(me);
        return -1;
    }
    int err = wait_for_turn(state, lock, me);
    Py_DECREF(me);
    return err;
}

void bolt_py_green_lock_release(struct bolt_py_state *state, struct bolt_py_green_lock *lock)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_CLEAR(lock->owner);
    while (lock->waiters && PyList_GET_SIZE(lock->waiters) > 0) {
        PyObject *entry = Py_NewRef(PyList_GET_ITEM(lock->waiters, 0));
        if (PyList_SetSlice(lock->waiters, 0, 1, NULL) < 0)
            PyErr_WriteUnraisable(entry);
        PyObject *future = PyTuple_GET_ITEM(entry, 0);
        PyObject *args[] = {future, Py_None};
        lock->owner = Py_NewRef(PyTuple_GET_ITEM(entry, 1));
        PyObject *set = PyObject_VectorcallMethod(state->str_set_result, args, 2, NULL);
        Py_DECREF(entry);
        if (set) {
            Py_DECREF(set);
            break;
        }
        PyErr_Clear(); /* already cancelled: the next one */
        Py_CLEAR(lock->owner);
    }
    PyErr_Restore(type, value, traceback);
}

int bolt_py_green_lock_traverse(struct bolt_py_green_lock *lock, visitproc visit, void *arg)
{
    Py_VISIT(lock->owner);
    Py_VISIT(lock->waiters);
    return 0;
}

void bolt_py_green_lock_clear(struct bolt_py_green_lock *lock)
{
    Py_CLEAR(lock->owner);
    Py_CLEAR(lock->waiters);
}

/* ---- the Python type ------------------------------------------------------------------------ */

struct lock_object {
    PyObject_HEAD
    struct bolt_py_green_lock lock;
};

static struct bolt_py_state *state_of(PyObject *self)
{
    return bolt_py_state_of_type(Py_TYPE(self));
}

static PyObject *lock_acquire(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (bolt_py_green_lock_acquire(state_of(self), &((struct lock_object *)self)->lock) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

static PyObject *lock_release(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct bolt_py_green_lock *lock = &((struct lock_object *)self)->lock;
    if (!lock->owner) {
        PyErr_SetString(PyExc_RuntimeError, "release of an unlocked lock");
        return NULL;
    }
    bolt_py_green_lock_release(state_of(self), lock);
    Py_RETURN_NONE;
}

static PyObject *lock_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)args;
    (void)nargs;
    return lock_release(self, NULL);
}

static PyObject *lock_locked(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct lock_object *)self)->lock.owner != NULL);
}

static int lock_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return bolt_py_green_lock_traverse(&((struct lock_object *)self)->lock, visit, arg);
}

static int lock_clear(PyObject *self)
{
    bolt_py_green_lock_clear(&((struct lock_object *)self)->lock);
    return 0;
}

static void lock_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lock_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef lock_methods[] = {
    {"acquire", lock_acquire, METH_NOARGS, "Lock, waiting for one's turn. Always True."},
    {"release", lock_release, METH_NOARGS, "Unlock; the first waiter becomes the owner."},
    {"locked", lock_locked, METH_NOARGS, "Is somebody holding it?"},
    {"__enter__", lock_acquire, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))lock_exit, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot lock_slots[] = {
    {Py_tp_doc, (void *)"Mutex among the workers of one thread: first in, first out, not reentrant."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_traverse, lock_traverse},
    {Py_tp_clear, lock_clear},
    {Py_tp_dealloc, lock_dealloc},
    {Py_tp_methods, lock_methods},
    {0, NULL},
};

static PyType_Spec lock_spec = {
    .name = "django_bolt._core.Lock",
    .basicsize = sizeof(struct lock_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = lock_slots,
};

int bolt_py_green_lock_add(PyObject *module, struct bolt_py_state *state)
{
    state->Lock_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &lock_spec, NULL);
    if (!state->Lock_type)
        return -1;
    return PyModule_AddObjectRef(module, "Lock", (PyObject *)state->Lock_type);
}
