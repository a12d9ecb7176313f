// SPDX-License-Identifier: Apache-2.0
/* Epochs, and receipts for those that ended, in the embedded database. */
#include "authority/db_sqlite.h"

#include <string.h>

const char db_sqlite_epoch_schema[] =
    "CREATE TABLE epoch (space BLOB NOT NULL, epoch INTEGER NOT NULL,"
    " request BLOB NOT NULL, PRIMARY KEY (space, epoch))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE receipt (space BLOB NOT NULL, epoch INTEGER NOT NULL,"
    " receipt BLOB NOT NULL, PRIMARY KEY (space, epoch))"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO epoch SELECT space, epoch, zeroblob(32) FROM keyslot"
    " UNION SELECT space, epoch, zeroblob(32) FROM share"
    " UNION SELECT space, epoch, zeroblob(32) FROM device_slot;"
    "PRAGMA user_version = 2;";

/* Every statement here begins with the space, and most go on with the epoch. */
static struct sql_run
run(struct db *db, const char *sql, const uint8_t *space, int64_t epoch)
{
	struct sql_run r = sql_run(db_sqlite(db), sql);

	if (space != NULL)
		sql_blob(&r, space, ID_LEN);
	if (epoch >= 0)
		sql_int(&r, epoch);
	return r;
}

static int
epoch_add(struct db *db, const uint8_t space[static ID_LEN], uint32_t epoch,
    const uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct sql_run r = run(db, "INSERT INTO epoch VALUES (?, ?, ?)", space,
	    epoch);

	sql_blob(&r, request, DB_HASH_LEN);
	return sql_write(&r, f);
}

static int
epoch_get(struct db *db, const uint8_t space[static ID_LEN], uint32_t epoch,
    uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct sql_run r = run(db, "SELECT request FROM epoch WHERE space = ?"
	    " AND epoch = ?", space, epoch);

	return sql_get(&r, request, DB_HASH_LEN, f);
}

static int
epoch_last(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t *last, struct fault *f)
{
	struct sql_run r = run(db, "SELECT max(e) FROM ("
	    "SELECT max(epoch) AS e FROM epoch WHERE space = ?1 UNION ALL "
	    "SELECT max(epoch) FROM keyslot WHERE space = ?1 UNION ALL "
	    "SELECT max(epoch) FROM share WHERE space = ?1)", space, -1);
	uint32_t e = sql_row(&r) ? (uint32_t)sqlite3_column_int64(r.s, 0) : 0;
	int rc = sql_finish(&r, f);

	if (rc == 0)
		*last = e;
	return rc;
}

static int
epoch_blobs(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct buf *out, struct fault *f)
{
	struct sql_run r = run(db, "SELECT blob FROM ("
	    "SELECT kind AS k, x'' AS d, blob FROM keyslot"
	    " WHERE space = ?1 AND epoch = ?2 UNION ALL "
	    "SELECT 3, mark, blob FROM share"
	    " WHERE space = ?1 AND epoch = ?2 UNION ALL "
	    "SELECT 4, device, blob FROM device_slot"
	    " WHERE space = ?1 AND epoch = ?2) ORDER BY k, d", space, epoch);
	int rc = 0, bad;

	while (rc == 0 && sql_row(&r))
		rc = buf_append(out, sqlite3_column_blob(r.s, 0),
		    (size_t)sqlite3_column_bytes(r.s, 0));
	bad = sql_finish(&r, f);
	return rc != 0 ? fault_set(f, rc, "keyslots") : bad;
}

static int
epoch_drop(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct fault *f)
{
	static const char *const from[] = {
		"DELETE FROM keyslot WHERE space = ? AND epoch = ?",
		"DELETE FROM share WHERE space = ? AND epoch = ?",
		"DELETE FROM device_slot WHERE space = ? AND epoch = ?",
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(from); i++) {
		struct sql_run r = run(db, from[i], space, epoch);

		rc = sql_write(&r, f);
	}
	return rc;
}

static int
receipt_add(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, const uint8_t in[static RECEIPT_LEN], struct fault *f)
{
	struct sql_run r = run(db, "INSERT INTO receipt VALUES (?, ?, ?)",
	    space, epoch);

	sql_blob(&r, in, RECEIPT_LEN);
	return sql_write(&r, f);
}

static int
receipt_get(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, uint8_t out[static RECEIPT_LEN], struct fault *f)
{
	struct sql_run r = run(db, "SELECT receipt FROM receipt WHERE space = ?"
	    " AND epoch = ?", space, epoch);

	return sql_get(&r, out, RECEIPT_LEN, f);
}

#define OF_IT " WHERE space = ?1 AND epoch = ?2)"

static int
receipt_ends(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, bool *out, struct fault *f)
{
	struct sql_run r = run(db,
	    "SELECT EXISTS (SELECT 1 FROM receipt" OF_IT " OR ("
	    "EXISTS (SELECT 1 FROM left_receipt" OF_IT
	    " AND NOT EXISTS (SELECT 1 FROM keyslot" OF_IT
	    " AND NOT EXISTS (SELECT 1 FROM share" OF_IT
	    " AND NOT EXISTS (SELECT 1 FROM device_slot" OF_IT ")", space,
	    epoch);
	bool ends = sql_row(&r) && sqlite3_column_int(r.s, 0) != 0;
	int rc = sql_finish(&r, f);

	if (rc == 0)
		*out = ends;
	return rc;
}

static int
purge(struct db *db, bool wait, struct fault *f)
{
	sqlite3 *h = db_sqlite(db)->h;
	int rc;

	(void)sqlite3_busy_timeout(h, wait ? DB_SQLITE_PURGE_MS : 0);
	rc = sqlite3_wal_checkpoint_v2(h, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL);
	(void)sqlite3_busy_timeout(h, DB_SQLITE_BUSY_MS);
	return rc == SQLITE_OK ? 0 : sql_failed(db_sqlite(db), rc, f);
}

void
db_sqlite_epoch(struct db *db)
{
	db->epoch_add = epoch_add;
	db->epoch_get = epoch_get;
	db->epoch_last = epoch_last;
	db->epoch_blobs = epoch_blobs;
	db->epoch_drop = epoch_drop;
	db->receipt_add = receipt_add;
	db->receipt_get = receipt_get;
	db->receipt_ends = receipt_ends;
	db->purge = purge;
}
