/* SPDX-License-Identifier: MIT */
/* settings.c - App(settings=...) and the environment to the plain C block every request reads. */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>

#define PARAM_BYTES_DEFAULT 8192
#define PARAM_BYTES_ENV "DJANGO_BOLT_MAX_PARAM_LENGTH"
#define TRUSTED_SETTING "BOLT_TRUSTED_PROXIES"

static int read_param_bytes(struct bolt_py_settings *settings)
{
    const char *text = getenv(PARAM_BYTES_ENV);
    settings->param_bytes = PARAM_BYTES_DEFAULT;
    if (text == NULL || *text == '\0')
        return 0;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    /* strtoull accepts a sign and leading space; a length has neither. */
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value == 0 || value > PY_SSIZE_T_MAX) {
        PyErr_Format(PyExc_ValueError, PARAM_BYTES_ENV "=%s: expected a positive number of bytes", text);
        return -1;
    }
    settings->param_bytes = (size_t)value;
    return 0;
}

static int read_network(PyObject *item, struct bolt_ip_network *out)
{
    if (!PyUnicode_Check(item)) {
        PyErr_Format(PyExc_TypeError, TRUSTED_SETTING ": %R is not a str; list addresses or networks as text", item);
        return -1;
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(item, &len);
    if (text == NULL)
        return -1;
    if (bolt_ip_network_parse(bolt_slice_of(text, (size_t)len), out) == BOLT_OK)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 TRUSTED_SETTING ": %R is not an IP address or network such as '10.0.0.0/8' (no host bits set)", item);
    return -1;
}

static int read_trusted(struct bolt_py_settings *settings, PyObject *value)
{
    if (value == Py_None)
        return 0;
    if (PyUnicode_Check(value)) { /* a str is a sequence of one-letter str: never what was meant */
        PyErr_Format(PyExc_TypeError, TRUSTED_SETTING " is a str; use a list: [%R]", value);
        return -1;
    }
    PyObject *items = PySequence_Fast(value, TRUSTED_SETTING " must be a list of addresses or networks");
    if (items == NULL)
        return -1;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    int status = -1;
    settings->trusted = PyMem_New(struct bolt_ip_network, (size_t)count);
    if (settings->trusted == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (read_network(PySequence_Fast_GET_ITEM(items, i), &settings->trusted[i]) < 0)
            goto done;
    }
    settings->trusted_count = (size_t)count;
    status = 0;
done:
    Py_DECREF(items);
    return status;
}

static int read_mapping(struct bolt_py_settings *settings, PyObject *mapping)
{
    PyObject *trusted = PyMapping_GetItemString(mapping, TRUSTED_SETTING); /* new */
    if (trusted == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError))
            return -1;
        PyErr_Clear(); /* the setting is optional */
        return 0;
    }
    int status = read_trusted(settings, trusted);
    Py_DECREF(trusted);
    return status;
}

struct bolt_py_settings *bolt_py_settings_new(PyObject *mapping)
{
    struct bolt_py_settings *settings = PyMem_Calloc(1, sizeof(*settings));
    if (settings == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    settings->refs = 1;
    if (read_param_bytes(settings) < 0)
        goto fail;
    if (mapping != NULL && mapping != Py_None && read_mapping(settings, mapping) < 0)
        goto fail;
    return settings;
fail:
    bolt_py_settings_unref(settings);
    return NULL;
}

struct bolt_py_settings *bolt_py_settings_ref(struct bolt_py_settings *settings)
{
    settings->refs++;
    return settings;
}

void bolt_py_settings_unref(struct bolt_py_settings *settings)
{
    if (settings == NULL || --settings->refs > 0)
        return;
    PyMem_Free(settings->trusted);
    PyMem_Free(settings);
}
