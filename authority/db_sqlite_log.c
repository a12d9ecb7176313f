// SPDX-License-Identifier: Apache-2.0
/* The log's entries, and the keys that they are blinded with, in the embedded
 * database: what the log has to have, whatever happens to it. */
#include "authority/db_sqlite.h"

#include <string.h>

const char db_sqlite_log_schema[] =
    "CREATE TABLE leaf (number INTEGER PRIMARY KEY, type INTEGER NOT NULL,"
    " subject BLOB NOT NULL, entry BLOB NOT NULL, body BLOB NOT NULL) STRICT;"
    "CREATE INDEX leaf_subject ON leaf (subject, number);"
    "CREATE TABLE log_key (space BLOB PRIMARY KEY, key BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE own (name TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 2;";

const char db_sqlite_log_index[] =
    "CREATE INDEX IF NOT EXISTS leaf_request ON leaf (number)"
    " WHERE type = 7;"
    "CREATE INDEX IF NOT EXISTS leaf_told ON leaf (subject, type)"
    " WHERE type <> 5;";

#define STATEMENTS(X)                                                       \
	X(LEAF_ADD, "INSERT INTO leaf VALUES (?, ?, ?, ?, ?)")              \
	X(LEAF_NEXT, "SELECT max(number) FROM leaf")                        \
	X(LEAF_EACH, "SELECT number, type, subject, entry, body FROM leaf"  \
	             " WHERE number >= ? ORDER BY number LIMIT ?")          \
	X(LEAF_OF, "SELECT number, type, subject, entry, body FROM leaf"    \
	           " WHERE subject IN (?, ?) AND number >= ?"               \
	           " AND type NOT IN (7, 8) ORDER BY number LIMIT ?")       \
	X(REQUEST_EACH, "SELECT number, type, subject, entry, body"         \
	                " FROM leaf WHERE type = 7 AND number >= ?"         \
	                " ORDER BY number LIMIT ?")                         \
	X(REQUEST_OF, "SELECT number, type, subject, entry, body FROM leaf" \
	              " WHERE subject = ? AND type = 7 ORDER BY number")    \
	X(LEAF_FIND, "SELECT number, type, subject, entry, body FROM leaf"  \
	             " INDEXED BY leaf_told"                                \
	             " WHERE subject = ? AND type = ? AND type <> 5"        \
	             " AND body = ?"                                        \
	             " AND substr(entry, ?) = ? ORDER BY number DESC"       \
	             " LIMIT 1")                                            \
	X(KEY_ADD, "INSERT INTO log_key VALUES (?, ?)")                     \
	X(KEY_GET, "SELECT key FROM log_key WHERE space = ?")               \
	X(SPACE_FIRST, "SELECT substr(body, 17, 16) FROM leaf"              \
	               " WHERE subject = ? AND type = 1"                    \
	               " ORDER BY number LIMIT 1")                          \
	X(OWN_SET, "INSERT INTO own VALUES (?, ?) ON CONFLICT DO UPDATE"    \
	           " SET value = excluded.value")                           \
	X(OWN_GET, "SELECT value FROM own WHERE name = ?")

enum statement {
#define X(name, sql) S_##name,
	STATEMENTS(X)
#undef X
	S_COUNT
};

static const char *const sql[] = {
#define X(name, text) text,
	STATEMENTS(X)
#undef X
};

static int
leaf_add(struct db *db, const struct db_leaf *l, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_LEAF_ADD]);

	sql_int(&r, (int64_t)l->index);
	sql_int(&r, l->type);
	sql_blob(&r, l->subject, ID_LEN);
	sql_blob(&r, l->entry.p, l->entry.n);
	sql_blob(&r, l->body.p, l->body.n);
	return sql_write(&r, f);
}

static int
leaf_next(struct db *db, uint64_t *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_LEAF_NEXT]);
	uint64_t next = 0;
	int rc;

	if (sql_row(&r) && sqlite3_column_type(r.s, 0) == SQLITE_INTEGER)
		next = (uint64_t)sqlite3_column_int64(r.s, 0) + 1;
	rc = sql_finish(&r, f);
	if (rc == 0)
		*out = next;
	return rc;
}

/* Hands over rows until there are no more, or each does not want them. */
static int
leaf_rows(struct sql_run *r, db_leaf_fn *each, void *arg, struct fault *f)
{
	int rc = 0, bad;

	while (rc == 0 && sql_row(r)) {
		struct db_leaf l = {
			.index = (uint64_t)sqlite3_column_int64(r->s, 0),
			.type = (uint8_t)sqlite3_column_int(r->s, 1),
		};

		sql_exact(r, 2, l.subject, ID_LEN);
		l.entry = sql_column(r, 3);
		l.body = sql_column(r, 4);
		if (r->rc == SQLITE_ROW)
			rc = each(arg, &l);
	}
	bad = sql_finish(r, f);
	if (bad != 0)
		return bad;
	return rc != 0 ? fault_set(f, rc, "entries: %s", fault_text(rc)) : 0;
}

/* The same of a statement that wants the first index and how many at most. */
static int
rows_from(struct sql_run *r, uint64_t from, size_t max, db_leaf_fn *each,
    void *arg, struct fault *f)
{
	sql_int(r, (int64_t)from);
	sql_int(r, (int64_t)max);
	return leaf_rows(r, each, arg, f);
}

static int
leaf_each(struct db *db, uint64_t from, size_t max, db_leaf_fn *each,
    void *arg, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_LEAF_EACH]);

	return rows_from(&r, from, max, each, arg, f);
}

static int
leaf_of(struct db *db, const struct db_leaf_of *of, db_leaf_fn *each,
    void *arg, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_LEAF_OF]);

	sql_blob(&r, of->subject[0], ID_LEN);
	sql_blob(&r, of->subject[1], ID_LEN);
	sql_int(&r, (int64_t)of->from);
	sql_int(&r, (int64_t)of->max);
	return leaf_rows(&r, each, arg, f);
}

static int
request_each(struct db *db, uint64_t from, size_t max, db_leaf_fn *each,
    void *arg, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_REQUEST_EACH]);

	return rows_from(&r, from, max, each, arg, f);
}

static int
request_of(struct db *db, const uint8_t id[static ID_LEN], db_leaf_fn *each,
    void *arg, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_REQUEST_OF]);

	sql_blob(&r, id, ID_LEN);
	return leaf_rows(&r, each, arg, f);
}

static int
leaf_find(struct db *db, const struct db_leaf *like, struct bytes open,
    db_leaf_fn *each, void *arg, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_LEAF_FIND]);

	sql_blob(&r, like->subject, ID_LEN);
	sql_int(&r, like->type);
	sql_blob(&r, like->body.p, like->body.n);
	sql_int(&r, LEAF_HEAD_LEN + 1);
	sql_blob(&r, open.p, open.n);
	return leaf_rows(&r, each, arg, f);
}

static int
log_key_add(struct db *db, const uint8_t space[static ID_LEN],
    const struct leaf_log_key *key, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_KEY_ADD]);

	sql_blob(&r, space, ID_LEN);
	sql_blob(&r, key->b, sizeof(key->b));
	return sql_write(&r, f);
}

static int
log_key_get(struct db *db, const uint8_t space[static ID_LEN],
    struct leaf_log_key *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_KEY_GET]);

	sql_blob(&r, space, ID_LEN);
	return sql_get(&r, out->b, sizeof(out->b), f);
}

static int
space_first(struct db *db, const uint8_t account[static ID_LEN],
    uint8_t out[static ID_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_SPACE_FIRST]);

	sql_blob(&r, account, ID_LEN);
	return sql_get(&r, out, ID_LEN, f);
}

static int
own_set(struct db *db, const char *name, struct bytes value, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_OWN_SET]);

	sql_text(&r, name);
	sql_blob(&r, value.p, value.n);
	return sql_write(&r, f);
}

static int
own_get(struct db *db, const char *name, void *out, size_t n, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_OWN_GET]);

	sql_text(&r, name);
	return sql_get(&r, out, n, f);
}

void
db_sqlite_log(struct db *db)
{
	db->leaf_add = leaf_add;
	db->leaf_next = leaf_next;
	db->leaf_each = leaf_each;
	db->leaf_of = leaf_of;
	db->leaf_find = leaf_find;
	db->request_each = request_each;
	db->request_of = request_of;
	db->log_key_add = log_key_add;
	db->log_key_get = log_key_get;
	db->space_first = space_first;
	db->own_set = own_set;
	db->own_get = own_get;
}
