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

#define STATEMENTS(X)                                                       \
	X(LEAF_ADD, "INSERT INTO leaf VALUES (?, ?, ?, ?, ?)")              \
	X(LEAF_NEXT, "SELECT max(number) FROM leaf")                        \
	X(LEAF_EACH, "SELECT number, type, subject, entry, body FROM leaf"  \
	             " WHERE number >= ? ORDER BY number LIMIT ?")          \
	X(LEAF_OF, "SELECT number, type, subject, entry, body FROM leaf"    \
	           " WHERE subject IN (?, ?) AND number >= ?"               \
	           " ORDER BY number LIMIT ?")                              \
	X(LEAF_FIND, "SELECT number, type, subject, entry, body FROM leaf"  \
	             " WHERE subject = ? AND type = ? AND body = ?"         \
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

_Static_assert(S_COUNT <= DB_SQLITE_KEPT, "room for every statement");

static const char *const sql[] = {
#define X(name, text) text,
	STATEMENTS(X)
#undef X
};

struct run {
	struct db *db;
	sqlite3_stmt *s;
	int next, rc;
};

static struct run
run(struct db *db, enum statement which)
{
	struct run r = { .db = db, .next = 1 };

	r.s = db_sqlite_kept(db, which, sql[which], &r.rc);
	return r;
}

static void
blob(struct run *r, const void *p, size_t n)
{
	/* A pointer of nothing would be NULL, not an empty blob. */
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_blob64(r->s, r->next++,
		    n == 0 ? "" : p, n, SQLITE_STATIC);
}

static void
text(struct run *r, const char *p)
{
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_text(r->s, r->next++, p, -1,
		    SQLITE_STATIC);
}

static void
integer(struct run *r, int64_t v)
{
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_int64(r->s, r->next++, v);
}

static bool
row(struct run *r)
{
	if (r->rc == SQLITE_OK || r->rc == SQLITE_ROW)
		r->rc = sqlite3_step(r->s);
	return r->rc == SQLITE_ROW;
}

static struct bytes
column(struct run *r, int i)
{
	const void *p = sqlite3_column_blob(r->s, i);

	return bytes_of(p, (size_t)sqlite3_column_bytes(r->s, i));
}

static void
exact(struct run *r, int i, void *out, size_t n)
{
	struct bytes b = column(r, i);

	if (b.n == n)
		memcpy(out, b.p, n);
	else
		r->rc = SQLITE_CORRUPT;
}

static int
finish(struct run *r, struct fault *f)
{
	int rc = r->rc;

	if (r->s != NULL) {
		(void)sqlite3_reset(r->s);
		(void)sqlite3_clear_bindings(r->s);
	}
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return db_sqlite_failed(r->db, rc, f);
}

static int
finish_write(struct run *r, struct fault *f)
{
	(void)row(r);
	return finish(r, f);
}

static int
finish_one(struct run *r, bool found, struct fault *f)
{
	int rc = finish(r, f);

	if (rc == 0 && !found)
		return fault_set(f, FAULT_NOT_FOUND, "database: no such row");
	return rc;
}

static int
leaf_add(struct db *db, const struct db_leaf *l, struct fault *f)
{
	struct run r = run(db, S_LEAF_ADD);

	integer(&r, (int64_t)l->index);
	integer(&r, l->type);
	blob(&r, l->subject, ID_LEN);
	blob(&r, l->entry.p, l->entry.n);
	blob(&r, l->body.p, l->body.n);
	return finish_write(&r, f);
}

static int
leaf_next(struct db *db, uint64_t *out, struct fault *f)
{
	struct run r = run(db, S_LEAF_NEXT);
	uint64_t next = 0;
	int rc;

	if (row(&r) && sqlite3_column_type(r.s, 0) == SQLITE_INTEGER)
		next = (uint64_t)sqlite3_column_int64(r.s, 0) + 1;
	rc = finish(&r, f);
	if (rc == 0)
		*out = next;
	return rc;
}

/* Hands over rows until there are no more, or each does not want them. */
static int
leaf_rows(struct run *r, db_leaf_fn *each, void *arg, struct fault *f)
{
	int rc = 0, bad;

	while (rc == 0 && row(r)) {
		struct db_leaf l = {
			.index = (uint64_t)sqlite3_column_int64(r->s, 0),
			.type = (uint8_t)sqlite3_column_int(r->s, 1),
		};

		exact(r, 2, l.subject, ID_LEN);
		l.entry = column(r, 3);
		l.body = column(r, 4);
		if (r->rc == SQLITE_ROW)
			rc = each(arg, &l);
	}
	bad = finish(r, f);
	if (bad != 0)
		return bad;
	return rc != 0 ? fault_set(f, rc, "entries: %s", fault_text(rc)) : 0;
}

static int
leaf_each(struct db *db, uint64_t from, size_t max, db_leaf_fn *each,
    void *arg, struct fault *f)
{
	struct run r = run(db, S_LEAF_EACH);

	integer(&r, (int64_t)from);
	integer(&r, (int64_t)max);
	return leaf_rows(&r, each, arg, f);
}

static int
leaf_of(struct db *db, const struct db_leaf_of *of, db_leaf_fn *each,
    void *arg, struct fault *f)
{
	struct run r = run(db, S_LEAF_OF);

	blob(&r, of->subject[0], ID_LEN);
	blob(&r, of->subject[1], ID_LEN);
	integer(&r, (int64_t)of->from);
	integer(&r, (int64_t)of->max);
	return leaf_rows(&r, each, arg, f);
}

static int
leaf_find(struct db *db, const struct db_leaf *like, struct bytes open,
    db_leaf_fn *each, void *arg, struct fault *f)
{
	struct run r = run(db, S_LEAF_FIND);

	blob(&r, like->subject, ID_LEN);
	integer(&r, like->type);
	blob(&r, like->body.p, like->body.n);
	integer(&r, LEAF_HEAD_LEN + 1);
	blob(&r, open.p, open.n);
	return leaf_rows(&r, each, arg, f);
}

static int
log_key_add(struct db *db, const uint8_t space[static ID_LEN],
    const struct leaf_log_key *key, struct fault *f)
{
	struct run r = run(db, S_KEY_ADD);

	blob(&r, space, ID_LEN);
	blob(&r, key->b, sizeof(key->b));
	return finish_write(&r, f);
}

static int
log_key_get(struct db *db, const uint8_t space[static ID_LEN],
    struct leaf_log_key *out, struct fault *f)
{
	struct run r = run(db, S_KEY_GET);
	bool found;

	blob(&r, space, ID_LEN);
	found = row(&r);
	if (found)
		exact(&r, 0, out->b, sizeof(out->b));
	return finish_one(&r, found, f);
}

static int
space_first(struct db *db, const uint8_t account[static ID_LEN],
    uint8_t out[static ID_LEN], struct fault *f)
{
	struct run r = run(db, S_SPACE_FIRST);
	bool found;

	blob(&r, account, ID_LEN);
	found = row(&r);
	if (found)
		exact(&r, 0, out, ID_LEN);
	return finish_one(&r, found, f);
}

static int
own_set(struct db *db, const char *name, struct bytes value, struct fault *f)
{
	struct run r = run(db, S_OWN_SET);

	text(&r, name);
	blob(&r, value.p, value.n);
	return finish_write(&r, f);
}

static int
own_get(struct db *db, const char *name, void *out, size_t n, struct fault *f)
{
	struct run r = run(db, S_OWN_GET);
	bool found;

	text(&r, name);
	found = row(&r);
	if (found)
		exact(&r, 0, out, n);
	return finish_one(&r, found, f);
}

void
db_sqlite_log(struct db *db)
{
	db->leaf_add = leaf_add;
	db->leaf_next = leaf_next;
	db->leaf_each = leaf_each;
	db->leaf_of = leaf_of;
	db->leaf_find = leaf_find;
	db->log_key_add = log_key_add;
	db->log_key_get = log_key_get;
	db->space_first = space_first;
	db->own_set = own_set;
	db->own_get = own_get;
}
