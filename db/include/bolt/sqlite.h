/* SPDX-License-Identifier: MIT */
/* sqlite.h - a SQLite connection with a statement cache, safe to be suspended in the middle of a step.
 *
 * A step may be *suspended*: SQLite calls back (progress handler, busy handler, user function), the callback switches to another
 * greenlet, and code there drops cursors of the same connection. While a step is in progress nothing but
 * sqlite3_interrupt may touch the handle, so statements given back meanwhile are parked and reset later.
 *
 * Not thread-safe beyond what SQLite's serialised mode gives: callers hold their own lock per connection.
 */
#ifndef BOLT_SQLITE_H
#define BOLT_SQLITE_H

#include <sqlite3.h>

#include "bolt/base.h"

struct bolt_sqlite;

/* A prepared statement, owned by its connection's cache between take and give. */
struct bolt_sqlite_stmt {
    sqlite3_stmt *handle;
    char *sql; /* owned, NUL-terminated */
    size_t sql_len;
    uint64_t hash;
    bool is_dml;      /* INSERT, UPDATE, DELETE or REPLACE: has a row count, begins transactions in legacy mode */
    bool is_readonly; /* sqlite3_stmt_readonly */
    bool in_use;
    void *user;                             /* the caller's; `free_user` of the connection releases it */
    struct bolt_sqlite_stmt *newer, *older; /* by last use */
    struct bolt_sqlite_stmt *next_in_bucket;
    struct bolt_sqlite_stmt *next_parked;
};

/* Opens with sqlite3_open_v2. On failure *rc is SQLite's result code, `message` (may be NULL) gets its text, and the
 * result is BOLT_ERR_OS or BOLT_ERR_NOMEM. */
BOLT_NODISCARD int bolt_sqlite_open(const char *filename, int flags, const char *vfs, size_t cached_statements,
                                    void (*free_user)(void *user), struct bolt_sqlite **out, int *rc,
                                    char message[256]);
/* Finalises every statement, in use or not, and closes. Precondition: no step is in progress. */
void bolt_sqlite_free(struct bolt_sqlite *conn);
sqlite3 *bolt_sqlite_handle(struct bolt_sqlite *conn);

/* A statement for `sql` that nobody else uses: cached or newly prepared. Results:
 *   BOLT_OK               *out is in use until bolt_sqlite_give; NULL when `sql` holds only white space and comments
 *   BOLT_ERR_ARGUMENT     more than one statement in `sql`
 *   BOLT_ERR_OS           *rc is SQLite's code, the handle holds its message
 *   BOLT_ERR_NOMEM */
BOLT_NODISCARD int bolt_sqlite_take(struct bolt_sqlite *conn, struct bolt_slice sql, struct bolt_sqlite_stmt **out,
                                    int *rc);
/* Resets, clears the bindings and returns the statement to the cache; while a step is in progress it is only parked. */
void bolt_sqlite_give(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt);

/* Brackets every call that may run callbacks. end() deals with parked statements when the last step ends. */
void bolt_sqlite_step_begin(struct bolt_sqlite *conn);
void bolt_sqlite_step_end(struct bolt_sqlite *conn);
bool bolt_sqlite_is_stepping(const struct bolt_sqlite *conn);

/* Statements in the cache, for statistics and tests. */
size_t bolt_sqlite_cached(const struct bolt_sqlite *conn);

#endif
