/* SPDX-License-Identifier: MIT */
/* sqlite.c - connection and statement cache; see sqlite.h for the model.
 *
 * The cache is a hash table over all statements that are alive plus a list ordered by last use. A statement is in
 * exactly one state:
 *
 *     idle (cached) --take--> in use --give--> idle
 *                                   \--give during a step--> parked --step_end--> idle
 *
 * Invariants
 *  1. Only idle statements are evicted; what is in use may exceed the capacity for a while.
 *  2. Two statements with the same text exist only when one was in use as the other was needed; the second one to be
 *     given back is finalised instead of being cached twice.
 */
#include "bolt/sqlite.h"

#include <stdio.h>

#define BUCKETS 256u

struct bolt_sqlite {
    sqlite3 *db;
    void (*free_user)(void *user);
    size_t capacity;
    size_t idle_count;
    unsigned steps; /* in progress, nested through user functions */
    struct bolt_sqlite_stmt *buckets[BUCKETS];
    struct bolt_sqlite_stmt *newest, *oldest; /* every living statement */
    struct bolt_sqlite_stmt *parked;
};

static uint64_t hash_of(struct bolt_slice text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a over words, then octets */
    size_t i = 0;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.ptr + i, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    for (; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

/* --- lists --- */

static void unlink_by_age(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    *(stmt->newer ? &stmt->newer->older : &conn->newest) = stmt->older;
    *(stmt->older ? &stmt->older->newer : &conn->oldest) = stmt->newer;
}

static void link_newest(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    stmt->newer = NULL;
    stmt->older = conn->newest;
    *(conn->newest ? &conn->newest->newer : &conn->oldest) = stmt;
    conn->newest = stmt;
}

static void unlink_from_bucket(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    struct bolt_sqlite_stmt **at = &conn->buckets[stmt->hash % BUCKETS];
    while (*at != stmt)
        at = &(*at)->next_in_bucket;
    *at = stmt->next_in_bucket;
}

static struct bolt_sqlite_stmt *find(struct bolt_sqlite *conn, struct bolt_slice sql, uint64_t hash, bool in_use)
{
    for (struct bolt_sqlite_stmt *stmt = conn->buckets[hash % BUCKETS]; stmt; stmt = stmt->next_in_bucket) {
        if (stmt->hash == hash && stmt->in_use == in_use && stmt->sql_len == sql.len &&
            memcmp(stmt->sql, sql.ptr, sql.len) == 0)
            return stmt;
    }
    return NULL;
}

/* --- statements --- */

static void stmt_free(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    unlink_by_age(conn, stmt);
    unlink_from_bucket(conn, stmt);
    if (stmt->user && conn->free_user)
        conn->free_user(stmt->user);
    sqlite3_finalize(stmt->handle); /* repeats the last step's error, which has been reported */
    bolt_free(stmt->sql);
    bolt_free(stmt);
}

static void evict(struct bolt_sqlite *conn)
{
    struct bolt_sqlite_stmt *stmt = conn->oldest;
    while (conn->idle_count > conn->capacity && stmt) {
        struct bolt_sqlite_stmt *newer = stmt->newer;
        if (!stmt->in_use) {
            conn->idle_count--;
            stmt_free(conn, stmt);
        }
        stmt = newer;
    }
}

/* Does the tail hold anything but white space, comments and semicolons? */
static bool has_more(const char *tail, const char *end)
{
    while (tail < end) {
        if (*tail == ' ' || *tail == '\t' || *tail == '\n' || *tail == '\r' || *tail == '\f' || *tail == ';') {
            tail++;
        } else if (end - tail >= 2 && tail[0] == '-' && tail[1] == '-') {
            const char *line_end = memchr(tail, '\n', (size_t)(end - tail));
            tail = line_end ? line_end + 1 : end;
        } else if (end - tail >= 2 && tail[0] == '/' && tail[1] == '*') {
            const char *close = memmem(tail + 2, (size_t)(end - tail - 2), "*/", 2);
            tail = close ? close + 2 : end;
        } else {
            return true;
        }
    }
    return false;
}

static bool starts_with_word(const char *sql, const char *end, const char *word, size_t len)
{
    return (size_t)(end - sql) >= len && sqlite3_strnicmp(sql, word, (int)len) == 0;
}

static bool is_dml(const char *sql, const char *end)
{
    while (sql < end && (*sql == ' ' || *sql == '\t' || *sql == '\n' || *sql == '\r'))
        sql++;
    return starts_with_word(sql, end, "INSERT", 6) || starts_with_word(sql, end, "UPDATE", 6) ||
           starts_with_word(sql, end, "DELETE", 6) || starts_with_word(sql, end, "REPLACE", 7);
}

static int prepare(struct bolt_sqlite *conn, struct bolt_slice sql, uint64_t hash, struct bolt_sqlite_stmt **out,
                   int *rc)
{
    const char *tail;
    sqlite3_stmt *handle;
    if (sql.len > (size_t)sqlite3_limit(conn->db, SQLITE_LIMIT_SQL_LENGTH, -1)) {
        *rc = SQLITE_TOOBIG;
        return BOLT_ERR_OS;
    }
    *rc = sqlite3_prepare_v3(conn->db, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
    if (*rc != SQLITE_OK)
        return BOLT_ERR_OS;
    if (has_more(tail, sql.ptr + sql.len)) {
        sqlite3_finalize(handle);
        return BOLT_ERR_ARGUMENT;
    }
    if (!handle) {
        *out = NULL;
        return BOLT_OK;
    }
    struct bolt_sqlite_stmt *stmt = bolt_calloc(1, sizeof(*stmt));
    char *copy = stmt ? bolt_strndup(sql.ptr, sql.len) : NULL;
    if (!copy) {
        bolt_free(stmt);
        sqlite3_finalize(handle);
        return BOLT_ERR_NOMEM;
    }
    stmt->handle = handle;
    stmt->sql = copy;
    stmt->sql_len = sql.len;
    stmt->hash = hash;
    stmt->is_dml = is_dml(sql.ptr, sql.ptr + sql.len);
    stmt->is_readonly = sqlite3_stmt_readonly(handle) != 0;
    stmt->in_use = true;
    stmt->next_in_bucket = conn->buckets[hash % BUCKETS];
    conn->buckets[hash % BUCKETS] = stmt;
    link_newest(conn, stmt);
    *out = stmt;
    return BOLT_OK;
}

int bolt_sqlite_take(struct bolt_sqlite *conn, struct bolt_slice sql, struct bolt_sqlite_stmt **out, int *rc)
{
    uint64_t hash = hash_of(sql);
    struct bolt_sqlite_stmt *stmt = find(conn, sql, hash, false);
    if (!stmt)
        return prepare(conn, sql, hash, out, rc);
    stmt->in_use = true;
    conn->idle_count--;
    unlink_by_age(conn, stmt);
    link_newest(conn, stmt);
    *out = stmt;
    return BOLT_OK;
}

static void settle(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    sqlite3_reset(stmt->handle); /* repeats the last step's error, which has been reported */
    sqlite3_clear_bindings(stmt->handle);
    if (find(conn, bolt_slice_of(stmt->sql, stmt->sql_len), stmt->hash, false)) {
        stmt_free(conn, stmt);
        return;
    }
    stmt->in_use = false;
    conn->idle_count++;
    evict(conn);
}

void bolt_sqlite_give(struct bolt_sqlite *conn, struct bolt_sqlite_stmt *stmt)
{
    if (conn->steps) {
        stmt->next_parked = conn->parked;
        conn->parked = stmt;
        return;
    }
    settle(conn, stmt);
}

void bolt_sqlite_step_begin(struct bolt_sqlite *conn)
{
    conn->steps++;
}

void bolt_sqlite_step_end(struct bolt_sqlite *conn)
{
    if (--conn->steps)
        return;
    while (conn->parked) {
        struct bolt_sqlite_stmt *stmt = conn->parked;
        conn->parked = stmt->next_parked;
        settle(conn, stmt);
    }
}

bool bolt_sqlite_is_stepping(const struct bolt_sqlite *conn)
{
    return conn->steps != 0;
}

/* --- connection --- */

int bolt_sqlite_open(const char *filename, int flags, const char *vfs, size_t cached_statements,
                     void (*free_user)(void *user), struct bolt_sqlite **out, int *rc, char message[256])
{
    struct bolt_sqlite *conn = bolt_calloc(1, sizeof(*conn));
    if (!conn)
        return BOLT_ERR_NOMEM;
    conn->capacity = cached_statements;
    conn->free_user = free_user;
    *rc = sqlite3_open_v2(filename, &conn->db, flags, vfs);
    if (*rc != SQLITE_OK) {
        if (message)
            snprintf(message, 256, "%s", conn->db ? sqlite3_errmsg(conn->db) : sqlite3_errstr(*rc));
        sqlite3_close_v2(conn->db);
        bolt_free(conn);
        return *rc == SQLITE_NOMEM ? BOLT_ERR_NOMEM : BOLT_ERR_OS;
    }
    sqlite3_extended_result_codes(conn->db, 1);
    *out = conn;
    return BOLT_OK;
}

void bolt_sqlite_free(struct bolt_sqlite *conn)
{
    if (!conn)
        return;
    while (conn->newest)
        stmt_free(conn, conn->newest);
    sqlite3_close_v2(conn->db); /* v2: blobs and backups that are still open keep the handle alive */
    bolt_free(conn);
}

sqlite3 *bolt_sqlite_handle(struct bolt_sqlite *conn)
{
    return conn->db;
}

size_t bolt_sqlite_cached(const struct bolt_sqlite *conn)
{
    return conn->idle_count;
}
