/* SPDX-License-Identifier: MIT */
#include "bolt/sqlite.h"

#include <stdio.h>

#include "support.h"

static int users_freed;

static void free_user(void *user)
{
    (void)user;
    users_freed++;
}

static struct bolt_sqlite *open_memory(size_t capacity)
{
    struct bolt_sqlite *conn = NULL;
    int rc = SQLITE_OK;
    assert_int_equal(bolt_sqlite_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, capacity, free_user,
                                      &conn, &rc, NULL),
                     BOLT_OK);
    return conn;
}

static struct bolt_sqlite_stmt *take(struct bolt_sqlite *conn, const char *sql)
{
    struct bolt_sqlite_stmt *stmt = NULL;
    int rc = SQLITE_OK;
    assert_int_equal(bolt_sqlite_take(conn, text_of(sql), &stmt, &rc), BOLT_OK);
    return stmt;
}

static void opening_a_missing_file_says_why(void **state)
{
    (void)state;
    struct bolt_sqlite *conn = NULL;
    int rc = SQLITE_OK;
    char message[256] = "";
    assert_int_equal(bolt_sqlite_open("/nonexistent/x.db", SQLITE_OPEN_READONLY, NULL, 8, NULL, &conn, &rc, message),
                     BOLT_ERR_OS);
    assert_int_equal(rc & 0xff, SQLITE_CANTOPEN);
    assert_string_equal(message, "unable to open database file");
    assert_null(conn);
    bolt_sqlite_free(NULL);
}

static void a_statement_is_prepared_once(void **state)
{
    (void)state;
    struct bolt_sqlite *conn = open_memory(8);
    struct bolt_sqlite_stmt *first = take(conn, "SELECT 1");
    bolt_sqlite_give(conn, first);
    assert_int_equal(bolt_sqlite_cached(conn), 1);
    assert_ptr_equal(take(conn, "SELECT 1"), first);
    assert_int_equal(bolt_sqlite_cached(conn), 0);
    struct bolt_sqlite_stmt *second = take(conn, "SELECT 1");
    assert_ptr_not_equal(second, first);
    bolt_sqlite_give(conn, first);
    bolt_sqlite_give(conn, second); /* the same text is not cached twice */
    assert_int_equal(bolt_sqlite_cached(conn), 1);
    bolt_sqlite_free(conn);
}

static void bindings_and_position_do_not_survive(void **state)
{
    (void)state;
    struct bolt_sqlite *conn = open_memory(8);
    struct bolt_sqlite_stmt *stmt = take(conn, "SELECT ?");
    sqlite3_bind_int(stmt->handle, 1, 7);
    assert_int_equal(sqlite3_step(stmt->handle), SQLITE_ROW);
    bolt_sqlite_give(conn, stmt);
    assert_ptr_equal(take(conn, "SELECT ?"), stmt);
    assert_int_equal(sqlite3_step(stmt->handle), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(stmt->handle, 0), SQLITE_NULL);
    bolt_sqlite_give(conn, stmt);
    bolt_sqlite_free(conn);
}

static void the_least_recently_used_goes_first(void **state)
{
    (void)state;
    users_freed = 0;
    struct bolt_sqlite *conn = open_memory(2);
    struct bolt_sqlite_stmt *a = take(conn, "SELECT 1");
    a->user = a;
    bolt_sqlite_give(conn, a);
    bolt_sqlite_give(conn, take(conn, "SELECT 2"));
    bolt_sqlite_give(conn, take(conn, "SELECT 1"));
    bolt_sqlite_give(conn, take(conn, "SELECT 3")); /* evicts SELECT 2 */
    assert_int_equal(bolt_sqlite_cached(conn), 2);
    assert_ptr_equal(take(conn, "SELECT 1"), a);
    assert_int_equal(users_freed, 0);
    bolt_sqlite_free(conn);
    assert_int_equal(users_freed, 1);
}

static void capacity_limits_idle_statements_only(void **state)
{
    (void)state;
    static const size_t capacities[] = {0, 1, 4};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(capacities); i++) {
        struct bolt_sqlite *conn = open_memory(capacities[i]);
        struct bolt_sqlite_stmt *stmts[6];
        char sql[32];
        for (size_t n = 0; n < 6; n++) {
            snprintf(sql, sizeof(sql), "SELECT %zu", n);
            stmts[n] = take(conn, sql);
        }
        for (size_t n = 0; n < 6; n++)
            bolt_sqlite_give(conn, stmts[n]);
        assert_int_equal(bolt_sqlite_cached(conn), capacities[i]);
        bolt_sqlite_free(conn);
    }
}

static void statements_given_during_a_step_are_parked(void **state)
{
    (void)state;
    struct bolt_sqlite *conn = open_memory(8);
    struct bolt_sqlite_stmt *stmt = take(conn, "SELECT 1");
    assert_int_equal(sqlite3_step(stmt->handle), SQLITE_ROW);
    bolt_sqlite_step_begin(conn);
    bolt_sqlite_step_begin(conn); /* a user function runs a query */
    assert_true(bolt_sqlite_is_stepping(conn));
    bolt_sqlite_give(conn, stmt);
    bolt_sqlite_step_end(conn);
    assert_int_equal(bolt_sqlite_cached(conn), 0);
    assert_true(sqlite3_stmt_busy(stmt->handle));
    bolt_sqlite_step_end(conn);
    assert_false(bolt_sqlite_is_stepping(conn));
    assert_int_equal(bolt_sqlite_cached(conn), 1);
    assert_false(sqlite3_stmt_busy(stmt->handle));
    bolt_sqlite_free(conn);
}

static void texts_are_classified(void **state)
{
    (void)state;
    enum outcome { ONE, NOTHING, MORE, BAD };
    static const struct {
        const char *sql;
        enum outcome outcome;
        bool is_dml, is_readonly;
    } cases[] = {
        {"SELECT 1", ONE, false, true},
        {"SELECT 1;", ONE, false, true},
        {"SELECT 1; -- comment", ONE, false, true},
        {"SELECT 1; /* ; SELECT 2 */ ;;\n", ONE, false, true},
        {"SELECT 1; /* unfinished", ONE, false, true},
        {"SELECT 1; SELECT 2", MORE, false, false},
        {"SELECT 1; /* */ x", MORE, false, false},
        {"", NOTHING, false, false},
        {" -- nothing\n", NOTHING, false, false},
        {"/* nothing */", NOTHING, false, false},
        {"SELEC 1", BAD, false, false},
        {" \n insert INTO t VALUES (1)", ONE, true, false},
        {"UPDATE t SET x = 1", ONE, true, false},
        {"DELETE FROM t", ONE, true, false},
        {"REPLACE INTO t VALUES (1)", ONE, true, false},
        {"CREATE TABLE u (x)", ONE, false, false},
        {"BEGIN", ONE, false, true},
    };
    struct bolt_sqlite *conn = open_memory(8);
    assert_int_equal(sqlite3_exec(bolt_sqlite_handle(conn), "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_sqlite_stmt *stmt = NULL;
        int rc = SQLITE_OK;
        int err = bolt_sqlite_take(conn, text_of(cases[i].sql), &stmt, &rc);
        assert_int_equal(err, cases[i].outcome == MORE  ? BOLT_ERR_ARGUMENT
                              : cases[i].outcome == BAD ? BOLT_ERR_OS
                                                        : BOLT_OK);
        assert_int_equal(stmt != NULL, cases[i].outcome == ONE);
        if (stmt) {
            assert_int_equal(stmt->is_dml, cases[i].is_dml);
            assert_int_equal(stmt->is_readonly, cases[i].is_readonly);
            bolt_sqlite_give(conn, stmt);
        }
    }
    bolt_sqlite_free(conn);
}

static void a_text_over_sqlites_limit_is_refused(void **state)
{
    (void)state;
    struct bolt_sqlite *conn = open_memory(8);
    sqlite3_limit(bolt_sqlite_handle(conn), SQLITE_LIMIT_SQL_LENGTH, 10);
    static const struct {
        const char *sql;
        int err;
    } cases[] = {{"SELECT  1", BOLT_OK}, {"SELECT   1", BOLT_OK}, {"SELECT    1", BOLT_ERR_OS}};
    for (size_t i = 0; i < BOLT_ARRAY_LEN(cases); i++) {
        struct bolt_sqlite_stmt *stmt = NULL;
        int rc = SQLITE_OK;
        assert_int_equal(bolt_sqlite_take(conn, text_of(cases[i].sql), &stmt, &rc), cases[i].err);
        assert_int_equal(rc, cases[i].err ? SQLITE_TOOBIG : SQLITE_OK);
    }
    bolt_sqlite_free(conn);
}

/* One life of a connection; false when an allocation failed on the way. */
static bool one_life(void)
{
    struct bolt_sqlite *conn = NULL;
    struct bolt_sqlite_stmt *stmt = NULL;
    int rc = SQLITE_OK;
    if (bolt_sqlite_open(":memory:", SQLITE_OPEN_READWRITE, NULL, 2, NULL, &conn, &rc, NULL) != BOLT_OK)
        return false;
    bool complete = true;
    for (int i = 0; i < 4; i++) {
        int err = bolt_sqlite_take(conn, text_of(i % 2 ? "SELECT 1" : "SELECT 2"), &stmt, &rc);
        if (err == BOLT_OK)
            bolt_sqlite_give(conn, stmt);
        complete = complete && err == BOLT_OK;
    }
    bolt_sqlite_free(conn);
    return complete;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    bolt_failmalloc_set(-1);
    assert_true(one_life());
    size_t allocations = bolt_failmalloc_set(-1);
    for (size_t n = 0; n < allocations; n++) {
        bolt_failmalloc_set((long)n);
        assert_false(one_life());
    }
    bolt_failmalloc_set(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_a_missing_file_says_why),
        cmocka_unit_test(a_statement_is_prepared_once),
        cmocka_unit_test(bindings_and_position_do_not_survive),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(capacity_limits_idle_statements_only),
        cmocka_unit_test(statements_given_during_a_step_are_parked),
        cmocka_unit_test(texts_are_classified),
        cmocka_unit_test(a_text_over_sqlites_limit_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
