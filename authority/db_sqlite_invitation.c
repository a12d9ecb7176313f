// SPDX-License-Identifier: Apache-2.0
/* Invitations in the embedded database: nothing here names who has one, or
 * which account came of it. */
#include "authority/db_sqlite.h"

const char db_sqlite_invitation_schema[] =
    "CREATE TABLE IF NOT EXISTS invitation (id BLOB PRIMARY KEY,"
    " hash BLOB NOT NULL UNIQUE, uses INTEGER NOT NULL,"
    " expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS invitation_expires"
    " ON invitation (expires);";

static int
invitation_add(struct db *db, const struct db_invitation *i,
    const uint8_t hash[static DB_HASH_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "INSERT INTO invitation VALUES (?, ?, ?, ?)");

	sql_blob(&r, i->id, ID_LEN);
	sql_blob(&r, hash, DB_HASH_LEN);
	sql_int(&r, i->uses);
	sql_int(&r, i->expires);
	return sql_write(&r, f);
}

static int
invitation_use(struct db *db, const uint8_t hash[static DB_HASH_LEN],
    int64_t now, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "UPDATE invitation SET uses = uses - 1"
	    " WHERE hash = ? AND expires > ?");
	int rc;

	sql_blob(&r, hash, DB_HASH_LEN);
	sql_int(&r, now);
	rc = sql_write(&r, f);
	if (rc != 0)
		return rc;
	if (sqlite3_changes(db_sqlite(db)->h) != 1)
		return fault_set(f, FAULT_NOT_FOUND, "no such invitation");
	/* Used up, it is as one that never was. */
	r = sql_run(db_sqlite(db),
	    "DELETE FROM invitation WHERE hash = ? AND uses < 1");
	sql_blob(&r, hash, DB_HASH_LEN);
	return sql_write(&r, f);
}

static int
invitation_drop(struct db *db, const uint8_t id[static ID_LEN],
    struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "DELETE FROM invitation WHERE id = ?");
	int rc;

	sql_blob(&r, id, ID_LEN);
	rc = sql_write(&r, f);
	if (rc != 0 || sqlite3_changes(db_sqlite(db)->h) == 1)
		return rc;
	return fault_set(f, FAULT_NOT_FOUND, "no invitation has this id");
}

static int
invitation_each(struct db *db, int64_t now, db_invitation_fn *each, void *arg,
    struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT id, uses, expires FROM invitation WHERE expires > ?"
	    " ORDER BY expires, id");
	int rc = 0, bad;

	sql_int(&r, now);
	while (rc == 0 && sql_row(&r)) {
		struct db_invitation i = {
			.uses = sqlite3_column_int64(r.s, 1),
			.expires = sqlite3_column_int64(r.s, 2),
		};

		sql_exact(&r, 0, i.id, ID_LEN);
		if (r.rc == SQLITE_ROW)
			rc = each(arg, &i);
	}
	bad = sql_finish(&r, f);
	if (bad != 0)
		return bad;
	return rc != 0 ? fault_set(f, rc, "invitations: %s", fault_text(rc)) :
			 0;
}

void
db_sqlite_invitation(struct db *db)
{
	db->invitation_add = invitation_add;
	db->invitation_use = invitation_use;
	db->invitation_drop = invitation_drop;
	db->invitation_each = invitation_each;
}
