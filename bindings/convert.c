/* SPDX-License-Identifier: MIT */
/* convert.c - text of a path, query, header or cookie value to the declared scalar.
 *
 * The grammar of numbers and dates lives in the engine (bolt/scalar.h); this file only builds the Python
 * objects and names what was wrong. A refused text is not a Python exception yet: the binder decides
 * which family of error response it belongs to, and request.query keeps such a value as text.
 */
#include "convert.h"

#include <datetime.h>

#include "bolt/scalar.h"
#include "bolt/utf8.h"
#include "compat.h"

#define FLOAT_STACK_BYTES 64

int bolt_py_convert_init(void)
{
    PyDateTime_IMPORT; /* sets this file's pointer to the process-wide, immutable API table */
    return PyDateTimeAPI == NULL ? -1 : 0;
}

static PyObject *to_str(struct bolt_slice text, enum bolt_py_fault *fault)
{
    PyObject *value = PyUnicode_DecodeUTF8(text.ptr, (Py_ssize_t)text.len, NULL);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear(); /* the client's fault, reported through `fault` */
        *fault = BOLT_PY_FAULT_UTF8;
    }
    return value;
}

static PyObject *to_int(struct bolt_slice text, enum bolt_py_fault *fault)
{
    int64_t value;
    int err = bolt_scalar_int(text, &value);
    if (BOLT_LIKELY(err == BOLT_OK))
        return PyLong_FromLongLong(value);
    if (err == BOLT_ERR_RANGE)
        *fault = text.ptr[0] == '-' ? BOLT_PY_FAULT_INT_SMALL : BOLT_PY_FAULT_INT_LARGE;
    else
        *fault = text.len == 0 ? BOLT_PY_FAULT_INT_EMPTY : BOLT_PY_FAULT_INT_SYNTAX;
    return NULL;
}

static PyObject *to_float(struct bolt_slice text, enum bolt_py_fault *fault)
{
    char stack[FLOAT_STACK_BYTES];
    char *copy = stack;
    if (!bolt_scalar_is_float(text)) {
        *fault = text.len == 0 ? BOLT_PY_FAULT_FLOAT_EMPTY : BOLT_PY_FAULT_FLOAT_SYNTAX;
        return NULL;
    }
    if (text.len >= sizeof(stack) && (copy = PyMem_Malloc(text.len + 1)) == NULL)
        return PyErr_NoMemory();
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    /* Without an overflow exception an exponent too large gives an infinity, like float("1e999"). */
    double value = PyOS_string_to_double(copy, NULL, NULL);
    if (copy != stack)
        PyMem_Free(copy);
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

static PyObject *to_bool(struct bolt_slice text, enum bolt_py_fault *fault)
{
    bool value;
    if (bolt_scalar_bool(text, &value) == BOLT_OK)
        return PyBool_FromLong(value);
    *fault = BOLT_PY_FAULT_BOOL;
    return NULL;
}

/* uuid.UUID without its __init__ (a tenth of the time): the two slots it would set. UUID forbids assignment in
 * __setattr__; the generic setter is what its own __init__ uses. */
static PyObject *uuid_from_bytes(struct bolt_py_state *state, const uint8_t bytes[16])
{
    static const char digits[] = "0123456789abcdef";
    char hex[33];
    for (size_t i = 0; i < 16; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[32] = '\0';
    PyTypeObject *type = (PyTypeObject *)state->UUID;
    PyObject *uuid = NULL, *unknown = NULL, *number = PyLong_FromString(hex, NULL, 16), *no_args = PyTuple_New(0);
    if (number == NULL || no_args == NULL)
        goto fail;
    unknown = PyObject_GetAttr(state->SafeUUID, state->str_unknown);
    uuid = type->tp_new(type, no_args, NULL);
    if (unknown == NULL || uuid == NULL || PyObject_GenericSetAttr(uuid, state->str_int, number) < 0 ||
        PyObject_GenericSetAttr(uuid, state->str_is_safe, unknown) < 0)
        goto fail;
    goto done;
fail:
    Py_CLEAR(uuid);
done:
    Py_XDECREF(unknown);
    Py_XDECREF(number);
    Py_XDECREF(no_args);
    return uuid;
}

static PyObject *to_uuid(struct bolt_py_state *state, struct bolt_slice text, enum bolt_py_fault *fault)
{
    uint8_t bytes[16];
    if (bolt_scalar_uuid(text, bytes) == BOLT_OK)
        return uuid_from_bytes(state, bytes);
    *fault = BOLT_PY_FAULT_UUID;
    return NULL;
}

/* tzinfo of a parsed time (new reference): None, the UTC singleton, or a fixed offset. */
static PyObject *tzinfo_of(const struct bolt_datetime *parts)
{
    if (!parts->has_offset)
        return Py_NewRef(Py_None);
    if (parts->offset_s == 0)
        return Py_NewRef(PyDateTime_TimeZone_UTC);
    PyObject *delta = PyDelta_FromDSU(0, parts->offset_s, 0);
    if (delta == NULL)
        return NULL;
    PyObject *zone = PyTimeZone_FromOffset(delta);
    Py_DECREF(delta);
    return zone;
}

static PyObject *to_datetime(struct bolt_slice text, enum bolt_py_fault *fault)
{
    struct bolt_datetime parts;
    if (bolt_scalar_datetime(text, &parts) != BOLT_OK) {
        *fault = BOLT_PY_FAULT_DATETIME;
        return NULL;
    }
    PyObject *zone = tzinfo_of(&parts);
    if (zone == NULL)
        return NULL;
    PyObject *value =
        PyDateTimeAPI->DateTime_FromDateAndTime(parts.year, parts.month, parts.day, parts.hour, parts.minute,
                                                parts.second, parts.microsecond, zone, PyDateTimeAPI->DateTimeType);
    Py_DECREF(zone);
    return value;
}

static PyObject *to_date(struct bolt_slice text, enum bolt_py_fault *fault)
{
    struct bolt_datetime parts;
    if (bolt_scalar_date(text, &parts) == BOLT_OK)
        return PyDate_FromDate(parts.year, parts.month, parts.day);
    *fault = BOLT_PY_FAULT_DATE;
    return NULL;
}

static PyObject *to_time(struct bolt_slice text, enum bolt_py_fault *fault)
{
    struct bolt_datetime parts;
    if (bolt_scalar_time(text, &parts) != BOLT_OK) {
        *fault = BOLT_PY_FAULT_TIME;
        return NULL;
    }
    PyObject *zone = tzinfo_of(&parts);
    if (zone == NULL)
        return NULL;
    PyObject *value = PyDateTimeAPI->Time_FromTime(parts.hour, parts.minute, parts.second, parts.microsecond, zone,
                                                   PyDateTimeAPI->TimeType);
    Py_DECREF(zone);
    return value;
}

/* Finite decimal numbers only: Decimal("nan") compares with nothing and Decimal("1_0") is not a number on a wire. */
static PyObject *to_decimal(struct bolt_py_state *state, struct bolt_slice text, enum bolt_py_fault *fault)
{
    size_t digits = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    bool finite =
        digits < text.len && (text.ptr[digits] == '.' || (text.ptr[digits] >= '0' && text.ptr[digits] <= '9'));
    if (!finite || !bolt_scalar_is_float(text)) {
        *fault = BOLT_PY_FAULT_DECIMAL;
        return NULL;
    }
    PyObject *str = PyUnicode_FromStringAndSize(text.ptr, (Py_ssize_t)text.len);
    if (str == NULL)
        return NULL;
    PyObject *value = PyObject_CallOneArg(state->Decimal, str);
    Py_DECREF(str);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_ArithmeticError)) {
        PyErr_Clear(); /* decimal.InvalidOperation: an exponent beyond decimal's own limits */
        *fault = BOLT_PY_FAULT_DECIMAL;
    }
    return value;
}

static PyObject *to_choice(PyObject *choices, struct bolt_slice text, enum bolt_py_fault *fault)
{
    PyObject *key = to_str(text, fault);
    if (key == NULL)
        return NULL;
    PyObject *value;
    if (PyDict_GetItemRef(choices, key, &value) == 0)
        *fault = BOLT_PY_FAULT_CHOICE;
    Py_DECREF(key);
    return value;
}

PyObject *bolt_py_convert(struct bolt_py_state *state, enum bolt_py_kind kind, PyObject *choices,
                          struct bolt_slice text, enum bolt_py_fault *fault)
{
    *fault = BOLT_PY_FAULT_NONE;
    switch (kind) {
    case BOLT_PY_KIND_STR:
        return to_str(text, fault);
    case BOLT_PY_KIND_INT:
        return to_int(text, fault);
    case BOLT_PY_KIND_FLOAT:
        return to_float(text, fault);
    case BOLT_PY_KIND_BOOL:
        return to_bool(text, fault);
    case BOLT_PY_KIND_BYTES:
        return PyBytes_FromStringAndSize(text.ptr, (Py_ssize_t)text.len);
    case BOLT_PY_KIND_UUID:
        return to_uuid(state, text, fault);
    case BOLT_PY_KIND_DATETIME:
        return to_datetime(text, fault);
    case BOLT_PY_KIND_DATE:
        return to_date(text, fault);
    case BOLT_PY_KIND_TIME:
        return to_time(text, fault);
    case BOLT_PY_KIND_DECIMAL:
        return to_decimal(state, text, fault);
    case BOLT_PY_KIND_CHOICE:
        return to_choice(choices, text, fault);
    }
    Py_UNREACHABLE(); /* the binder checked the number when the route was registered */
}

/* "'red', 'green'" (new reference). */
static PyObject *choice_list(PyObject *choices)
{
    PyObject *list = PyUnicode_New(0, 0), *key, *value;
    Py_ssize_t pos = 0;
    while (list != NULL && PyDict_Next(choices, &pos, &key, &value)) {
        bool first = PyUnicode_GET_LENGTH(list) == 0;
        Py_SETREF(list, PyUnicode_FromFormat("%U%s'%U'", list, first ? "" : ", ", key));
    }
    return list;
}

static PyObject *choice_text(PyObject *shown, PyObject *choices)
{
    PyObject *list = choice_list(choices);
    if (list == NULL)
        return NULL;
    PyObject *sentence = PyUnicode_FromFormat("Invalid value '%U': expected one of %U", shown, list);
    Py_DECREF(list);
    return sentence;
}

/* What precedes and follows the quoted value. */
static const struct fault_words {
    const char *before, *after;
} words[] = {
    [BOLT_PY_FAULT_INT_SYNTAX] = {"Invalid integer", ": invalid digit found in string"},
    [BOLT_PY_FAULT_INT_EMPTY] = {"Invalid integer", ": cannot parse integer from empty string"},
    [BOLT_PY_FAULT_INT_LARGE] = {"Invalid integer", ": number too large to fit in target type"},
    [BOLT_PY_FAULT_INT_SMALL] = {"Invalid integer", ": number too small to fit in target type"},
    [BOLT_PY_FAULT_FLOAT_SYNTAX] = {"Invalid float", ": invalid float literal"},
    [BOLT_PY_FAULT_FLOAT_EMPTY] = {"Invalid float", ": cannot parse float from empty string"},
    [BOLT_PY_FAULT_BOOL] = {"Invalid boolean", ": expected true/false/1/0/yes/no/on/off"},
    [BOLT_PY_FAULT_UUID] = {"Invalid UUID", ": expected 32 hexadecimal digits, with or without hyphens"},
    [BOLT_PY_FAULT_DATETIME] = {"Invalid datetime", ": expected ISO 8601 format (e.g., 2024-01-15T10:30:00Z)"},
    [BOLT_PY_FAULT_DATE] = {"Invalid date", ": expected ISO 8601 format (e.g., 2024-01-15)"},
    [BOLT_PY_FAULT_TIME] = {"Invalid time", ": expected ISO 8601 format (e.g., 10:30:00)"},
    [BOLT_PY_FAULT_DECIMAL] = {"Invalid decimal", ""},
};

PyObject *bolt_py_fault_text(enum bolt_py_fault fault, struct bolt_slice text, PyObject *choices, size_t limit)
{
    if (fault == BOLT_PY_FAULT_UTF8)
        return PyUnicode_FromFormat("Invalid text: byte %zu is not UTF-8", bolt_utf8_check(text.ptr, text.len));
    if (fault == BOLT_PY_FAULT_LONG)
        return PyUnicode_FromFormat("Parameter too long: %zu bytes (max %zu bytes)", text.len, limit);
    PyObject *shown = PyUnicode_DecodeUTF8(text.ptr, (Py_ssize_t)text.len, "replace");
    if (shown == NULL)
        return NULL;
    PyObject *sentence = fault == BOLT_PY_FAULT_CHOICE
                             ? choice_text(shown, choices)
                             : PyUnicode_FromFormat("%s '%U'%s", words[fault].before, shown, words[fault].after);
    Py_DECREF(shown);
    return sentence;
}
