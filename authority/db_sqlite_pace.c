// SPDX-License-Identifier: Apache-2.0
/* What the embedded database keeps of the clock. */
#include "authority/db_sqlite.h"

const char db_sqlite_pace_schema[] =
    "CREATE TABLE IF NOT EXISTS pace (one INTEGER PRIMARY KEY"
    " CHECK (one = 1), sure INTEGER NOT NULL, wall INTEGER NOT NULL,"
    " steady INTEGER NOT NULL, jumped INTEGER NOT NULL) STRICT;";

static int
pace_get(struct db *db, struct pace_kept *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT sure, wall, steady, jumped FROM pace");
	bool found = sql_row(&r);
	struct pace_kept k = { 0 };

	if (found)
		k = (struct pace_kept){ .sure = sqlite3_column_int64(r.s, 0),
			.wall = sqlite3_column_int64(r.s, 1),
			.steady = sqlite3_column_int64(r.s, 2),
			.jumped = sqlite3_column_int64(r.s, 3) };
	if (found)
		*out = k;
	return sql_one(&r, found, f);
}

static int
pace_set(struct db *db, const struct pace_kept *k, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "INSERT OR REPLACE INTO pace VALUES (1, ?, ?, ?, ?)");

	sql_int(&r, k->sure);
	sql_int(&r, k->wall);
	sql_int(&r, k->steady);
	sql_int(&r, k->jumped);
	return sql_write(&r, f);
}

static int
nonce_last(struct db *db, int64_t *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT seen FROM nonce ORDER BY seen DESC LIMIT 1");
	int64_t last = sql_row(&r) ? sqlite3_column_int64(r.s, 0) : 0;
	int rc = sql_finish(&r, f);

	if (rc == 0)
		*out = last;
	return rc;
}

void
db_sqlite_pace(struct db *db)
{
	db->pace_get = pace_get;
	db->pace_set = pace_set;
	db->nonce_last = nonce_last;
}
