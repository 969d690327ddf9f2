/* SPDX-License-Identifier: MIT */
/* group.c - a Struct whose fields are query keys, headers or cookies of their own.
 *
 * Each present field is converted like a scalar parameter and put into a dict under its msgspec name; the
 * group's `build` makes the Struct (defaults, constraints, validators). Query and cookie groups report every faulty
 * field at once, in the list family; a header group stops at its first fault, in the string family (surface
 * section 5).
 */
#include "bolt/percent.h"
#include "binder_int.h"

static const char *label_of(const struct bolt_py_param *param)
{
    return param->source == BOLT_PY_SOURCE_QUERY ? "query parameter" : bolt_py_source_name(param->source);
}

/* Appends one item; steals `message` and `input`, either may be NULL with an exception set. Creates the list on
 * first use. */
static int report(PyObject **errors, const char *type, const char *label, PyObject *key, PyObject *message,
                  PyObject *input)
{
    int status = -1;
    if (message != NULL && input != NULL && (*errors != NULL || (*errors = PyList_New(0)) != NULL)) {
        PyObject *item =
            Py_BuildValue("{s:s,s:[sO],s:O,s:O}", "type", type, "loc", label, key, "msg", message, "input", input);
        if (item != NULL)
            status = PyList_Append(*errors, item);
        Py_XDECREF(item);
    }
    Py_XDECREF(message);
    Py_XDECREF(input);
    return status;
}

static PyObject *shown(struct bolt_slice text)
{
    return PyUnicode_DecodeUTF8(text.ptr, (Py_ssize_t)text.len, "replace");
}

static int report_refused(const struct bolt_py_bind *bind, const struct bolt_py_param *field,
                          struct bolt_py_refusal *refusal, PyObject **errors)
{
    int status = -1;
    if (field->source == BOLT_PY_SOURCE_HEADER) {
        bolt_py_raise_refused(bind->binder, field, refusal);
    } else {
        PyObject *message = bolt_py_fault_text(refusal->fault, refusal->text.value, field->choices,
                                               bind->binder->settings->param_bytes);
        status =
            report(errors, "validation_error", label_of(field), field->wire_key, message, shown(refusal->text.value));
    }
    bolt_py_text_clear(&refusal->text);
    return status;
}

static int report_missing(const struct bolt_py_bind *bind, const struct bolt_py_param *field, PyObject **errors)
{
    if (field->source == BOLT_PY_SOURCE_HEADER) {
        bolt_py_raise_missing(bind->binder, field);
        return -1;
    }
    return report(errors, "missing_field", label_of(field), field->wire_key, bolt_py_missing_text(field),
                  Py_NewRef(Py_None));
}

/* Adds one field to `values`, or its fault to *errors. 1 present, 0 absent, -1 exception. */
static int bind_field(const struct bolt_py_bind *bind, const struct bolt_py_param *field, PyObject *values,
                      PyObject **errors)
{
    bool found;
    struct bolt_py_refusal refusal;
    PyObject *value = bolt_py_param_convert(bind->binder, field, &bind->wire, bind->hits, &found, &refusal);
    if (value == NULL && refusal.fault != BOLT_PY_FAULT_NONE)
        return report_refused(bind, field, &refusal, errors) < 0 ? -1 : 1;
    if (!found)
        return field->required ? report_missing(bind, field, errors) : 0;
    if (value != NULL)
        value = bolt_py_param_check(bind->binder, field, label_of(field), value);
    if (value == NULL)
        return -1;
    int status = PyDict_SetItem(values, field->name, value);
    Py_DECREF(value);
    return status < 0 ? -1 : 1;
}

/* Reports query keys outside known_keys. */
static int refuse_unknown(const struct bolt_py_bind *bind, const struct bolt_py_param *param, PyObject **errors)
{
    struct bolt_slice key, value;
    struct bolt_py_text text;
    size_t cursor = 0;
    while (bolt_query_next(bind->wire.head->query, &cursor, &key, &value)) {
        if (bolt_py_text_load(&text, BOLT_PY_SOURCE_QUERY, key) < 0)
            return -1;
        PyObject *name = shown(text.value);
        bolt_py_text_clear(&text);
        int known = name == NULL ? -1 : PySet_Contains(param->group->known_keys, name);
        if (known == 0) {
            PyObject *message = PyUnicode_FromFormat("Object contains unknown field `%U`", name);
            PyObject *input = NULL;
            if (bolt_py_text_load(&text, BOLT_PY_SOURCE_QUERY, value) == 0) {
                input = shown(text.value);
                bolt_py_text_clear(&text);
            }
            known = report(errors, "validation_error", label_of(param), name, message, input);
        }
        Py_XDECREF(name);
        if (known < 0)
            return -1;
    }
    return 0;
}

/* Converts all fields. 1 when at least one key of the group was sent, 0 when none, -1 exception. */
static int bind_fields(const struct bolt_py_bind *bind, const struct bolt_py_param *param, PyObject *values,
                       PyObject **errors)
{
    int any = 0;
    for (size_t i = 0; i < param->group->field_count; i++) {
        int status = bind_field(bind, &param->group->fields[i], values, errors);
        if (status < 0)
            return -1;
        any |= status;
    }
    if (param->group->known_keys != NULL && refuse_unknown(bind, param, errors) < 0)
        return -1;
    return any;
}

static PyObject *build(const struct bolt_py_bind *bind, const struct bolt_py_param *param, PyObject *values)
{
    struct bolt_py_state *state = bind->binder->state;
    PyObject *built = PyObject_CallOneArg(param->group->build, values);
    if (built == NULL && PyErr_ExceptionMatches(state->msgspec_ValidationError))
        bolt_py_raise_through(state->group_error, label_of(param), param->group->wire_keys, values);
    return built;
}

PyObject *bolt_py_group_bind(const struct bolt_py_bind *bind, const struct bolt_py_param *param)
{
    PyObject *errors = NULL, *result = NULL, *values = PyDict_New();
    if (values == NULL)
        return NULL;
    int any = bind_fields(bind, param, values, &errors);
    if (any < 0)
        goto done;
    if (any == 0 && !param->required)
        result = bolt_py_param_default(param);
    else if (errors == NULL)
        result = build(bind, param, values);
    else
        bolt_py_raise_list(bind->binder->state, errors);
done:
    Py_XDECREF(errors);
    Py_DECREF(values);
    return result;
}
