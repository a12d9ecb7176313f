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

struct run {
	struct db *db;
	sqlite3_stmt *s;
	int rc;
};

/* Every statement here begins with the space, and most go on with the epoch;
 * each is prepared for one call: none is asked for often. */
static struct run
run(struct db *db, const char *sql, const uint8_t *space, int64_t epoch)
{
	struct run r = { .db = db };

	r.rc = sqlite3_prepare_v2(db_sqlite_handle(db), sql, -1, &r.s, NULL);
	if (r.rc == SQLITE_OK && space != NULL)
		r.rc = sqlite3_bind_blob64(r.s, 1, space, ID_LEN,
		    SQLITE_STATIC);
	if (r.rc == SQLITE_OK && epoch >= 0)
		r.rc = sqlite3_bind_int64(r.s, 2, epoch);
	return r;
}

static void
blob(struct run *r, int i, const void *p, size_t n)
{
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_blob64(r->s, i, p, n, SQLITE_STATIC);
}

static bool
row(struct run *r)
{
	if (r->rc == SQLITE_OK || r->rc == SQLITE_ROW)
		r->rc = sqlite3_step(r->s);
	return r->rc == SQLITE_ROW;
}

static void
column(struct run *r, int i, void *out, size_t n)
{
	const void *p = sqlite3_column_blob(r->s, i);

	if (p != NULL && (size_t)sqlite3_column_bytes(r->s, i) == n)
		memcpy(out, p, n);
	else
		r->rc = SQLITE_CORRUPT;
}

static int
finish(struct run *r, struct fault *f)
{
	int rc = r->rc;

	(void)sqlite3_finalize(r->s);
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return db_sqlite_failed(r->db, rc, f);
}

static int
write_row(struct run *r, struct fault *f)
{
	(void)row(r);
	return finish(r, f);
}

static int
read_row(struct run *r, void *out, size_t n, struct fault *f)
{
	bool found = row(r);
	int rc;

	if (found)
		column(r, 0, out, n);
	rc = finish(r, f);
	if (rc == 0 && !found)
		return fault_set(f, FAULT_NOT_FOUND, "database: no such row");
	return rc;
}

static int
epoch_add(struct db *db, const uint8_t space[static ID_LEN], uint32_t epoch,
    const uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct run r = run(db, "INSERT INTO epoch VALUES (?, ?, ?)", space,
	    epoch);

	blob(&r, 3, request, DB_HASH_LEN);
	return write_row(&r, f);
}

static int
epoch_get(struct db *db, const uint8_t space[static ID_LEN], uint32_t epoch,
    uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct run r = run(db, "SELECT request FROM epoch WHERE space = ?"
	    " AND epoch = ?", space, epoch);

	return read_row(&r, request, DB_HASH_LEN, f);
}

static int
epoch_last(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t *last, struct fault *f)
{
	struct run r = run(db, "SELECT max(e) FROM ("
	    "SELECT max(epoch) AS e FROM epoch WHERE space = ?1 UNION ALL "
	    "SELECT max(epoch) FROM keyslot WHERE space = ?1 UNION ALL "
	    "SELECT max(epoch) FROM share WHERE space = ?1)", space, -1);
	uint32_t e = row(&r) ? (uint32_t)sqlite3_column_int64(r.s, 0) : 0;
	int rc = finish(&r, f);

	if (rc == 0)
		*last = e;
	return rc;
}

static int
epoch_blobs(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct buf *out, struct fault *f)
{
	struct run r = run(db, "SELECT blob FROM ("
	    "SELECT kind AS k, x'' AS d, blob FROM keyslot"
	    " WHERE space = ?1 AND epoch = ?2 UNION ALL "
	    "SELECT 3, mark, blob FROM share"
	    " WHERE space = ?1 AND epoch = ?2 UNION ALL "
	    "SELECT 4, device, blob FROM device_slot"
	    " WHERE space = ?1 AND epoch = ?2) ORDER BY k, d", space, epoch);
	int rc = 0, bad;

	while (rc == 0 && row(&r))
		rc = buf_append(out, sqlite3_column_blob(r.s, 0),
		    (size_t)sqlite3_column_bytes(r.s, 0));
	bad = finish(&r, f);
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
		struct run r = run(db, from[i], space, epoch);

		rc = write_row(&r, f);
	}
	return rc;
}

static int
receipt_add(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, const uint8_t in[static RECEIPT_LEN], struct fault *f)
{
	struct run r = run(db, "INSERT INTO receipt VALUES (?, ?, ?)", space,
	    epoch);

	blob(&r, 3, in, RECEIPT_LEN);
	return write_row(&r, f);
}

static int
receipt_get(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t epoch, uint8_t out[static RECEIPT_LEN], struct fault *f)
{
	struct run r = run(db, "SELECT receipt FROM receipt WHERE space = ?"
	    " AND epoch = ?", space, epoch);

	return read_row(&r, out, RECEIPT_LEN, f);
}

static int
receipt_each(struct db *db, int (*each)(void *arg,
    const uint8_t space[static ID_LEN], uint32_t epoch), void *arg,
    struct fault *f)
{
	struct run r = run(db, "SELECT space, epoch FROM receipt", NULL, -1);
	int rc = 0, bad;

	while (rc == 0 && row(&r)) {
		uint8_t id[ID_LEN];

		column(&r, 0, id, ID_LEN);
		if (r.rc == SQLITE_ROW)
			rc = each(arg, id,
			    (uint32_t)sqlite3_column_int64(r.s, 1));
	}
	bad = finish(&r, f);
	return rc != 0 ? fault_set(f, rc, "receipts") : bad;
}

static int
purge(struct db *db, struct fault *f)
{
	int rc = sqlite3_wal_checkpoint_v2(db_sqlite_handle(db), NULL,
	    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_sqlite_failed(db, rc, f);
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
	db->receipt_each = receipt_each;
	db->purge = purge;
}
