/* SPDX-License-Identifier: MIT */
/* plan.h - the numbers of python/django_bolt/_plan.py; tests/python/test_plan.py compares the two. */
#ifndef BOLT_PY_PLAN_H
#define BOLT_PY_PLAN_H

enum bolt_py_source {
    BOLT_PY_SOURCE_PATH = 0,
    BOLT_PY_SOURCE_QUERY,
    BOLT_PY_SOURCE_HEADER,
    BOLT_PY_SOURCE_COOKIE,
    BOLT_PY_SOURCE_BODY,
    BOLT_PY_SOURCE_REQUEST,
    BOLT_PY_SOURCE_FORM,
    BOLT_PY_SOURCE_FILE,
    BOLT_PY_SOURCE_DEPENDS,
};

enum bolt_py_kind {
    BOLT_PY_KIND_STR = 0,
    BOLT_PY_KIND_INT,
    BOLT_PY_KIND_FLOAT,
    BOLT_PY_KIND_BOOL,
    BOLT_PY_KIND_BYTES,
    BOLT_PY_KIND_UUID,
    BOLT_PY_KIND_DATETIME,
    BOLT_PY_KIND_DATE,
    BOLT_PY_KIND_TIME,
    BOLT_PY_KIND_DECIMAL,
    BOLT_PY_KIND_CHOICE,
};

enum bolt_py_container {
    BOLT_PY_CONTAINER_NONE = 0,
    BOLT_PY_CONTAINER_LIST,
    BOLT_PY_CONTAINER_SET,
    BOLT_PY_CONTAINER_FROZENSET,
    BOLT_PY_CONTAINER_TUPLE,
};

enum bolt_py_result_kind {
    BOLT_PY_RESULT_AUTO = 0,
    BOLT_PY_RESULT_CONVERT,
    BOLT_PY_RESULT_FINALIZE,
};

#endif
