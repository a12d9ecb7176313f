// SPDX-License-Identifier: Apache-2.0
/* Custody sets, shares and device keyslots in the embedded database. */
#include "authority/db_sqlite.h"

#include <string.h>

const char db_sqlite_custody_schema[] =
    "CREATE TABLE IF NOT EXISTS custody (space BLOB NOT NULL,"
    " serial INTEGER NOT NULL, raw BLOB NOT NULL,"
    " PRIMARY KEY (space, serial)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS announced (space BLOB PRIMARY KEY,"
    " raw BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS share (space BLOB NOT NULL,"
    " epoch INTEGER NOT NULL, serial INTEGER NOT NULL, mark BLOB NOT NULL,"
    " number INTEGER NOT NULL, blob BLOB NOT NULL,"
    " PRIMARY KEY (space, epoch, serial, mark)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS device_slot (space BLOB NOT NULL,"
    " epoch INTEGER NOT NULL, device BLOB NOT NULL, blob BLOB NOT NULL,"
    " PRIMARY KEY (space, epoch, device)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS left_receipt (space BLOB NOT NULL,"
    " hash BLOB NOT NULL, epoch INTEGER NOT NULL, receipt BLOB NOT NULL,"
    " PRIMARY KEY (space, hash, epoch, receipt)) STRICT, WITHOUT ROWID;";

/* The statement's one set. */
static int
one_set(struct sql_run *r, struct custody *out, struct fault *f)
{
	bool found = sql_row(r);
	int rc;

	if (found && custody_decode(sql_column(r, 0), out) != 0)
		r->rc = SQLITE_CORRUPT;
	rc = sql_finish(r, f);
	if (rc == 0 && !found)
		return fault_set(f, FAULT_NOT_FOUND, "no custody set");
	return rc;
}

static int
custody_add(struct db *db, const struct custody *c, bool replace,
    struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), replace ?
	    "INSERT OR REPLACE INTO custody VALUES (?, ?, ?)" :
	    "INSERT INTO custody VALUES (?, ?, ?)");

	sql_blob(&r, c->space, ID_LEN);
	sql_int(&r, c->serial);
	sql_blob(&r, c->raw, c->len);
	return sql_write(&r, f);
}

static int
custody_get(struct db *db, const uint8_t space[static ID_LEN],
    struct custody *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT raw FROM custody WHERE space = ?"
	    " ORDER BY serial DESC LIMIT 1");

	sql_blob(&r, space, ID_LEN);
	return one_set(&r, out, f);
}

static int
custody_home(struct db *db, const uint8_t space[static ID_LEN], bool *out,
    struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT 1 FROM custody WHERE space = ? AND serial = 1");
	bool found;
	int rc;

	sql_blob(&r, space, ID_LEN);
	found = sql_row(&r);
	rc = sql_finish(&r, f);
	if (rc == 0)
		*out = found;
	return rc;
}

static int
custody_list(struct db *db, const uint8_t space[static ID_LEN],
    uint32_t after, size_t max, struct buf *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT raw FROM custody WHERE space = ?"
	    " AND serial > ? ORDER BY serial LIMIT ?");
	int rc = 0, bad;

	sql_blob(&r, space, ID_LEN);
	sql_int(&r, after);
	sql_int(&r, (int64_t)max);
	while (rc == 0 && sql_row(&r)) {
		struct bytes b = sql_column(&r, 0);
		const uint8_t len[2] = { (uint8_t)(b.n >> 8), (uint8_t)b.n };

		rc = buf_append(out, len, sizeof(len));
		if (rc == 0)
			rc = buf_append(out, b.p, b.n);
	}
	bad = sql_finish(&r, f);
	return rc != 0 ? fault_set(f, rc, "custody sets") : bad;
}

static int
announced_set(struct db *db, const uint8_t space[static ID_LEN],
    const struct custody *c, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), c == NULL ?
	    "DELETE FROM announced WHERE space = ?" :
	    "INSERT OR REPLACE INTO announced VALUES (?, ?)");

	sql_blob(&r, space, ID_LEN);
	if (c != NULL)
		sql_blob(&r, c->raw, c->len);
	return sql_write(&r, f);
}

static int
announced_get(struct db *db, const uint8_t space[static ID_LEN],
    struct custody *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT raw FROM announced WHERE space = ?");

	sql_blob(&r, space, ID_LEN);
	return one_set(&r, out, f);
}

static void
set_mark(const struct custody *set, uint8_t out[static 8])
{
	uint8_t hash[HASH_LEN];

	custody_hash(set, hash);
	memcpy(out, hash, 8);
}

/* What share_list would then tell of: until a set of that serial is known to be
 * in force, shares of all that were tried with it. */
static int
share_add(struct db *db, const uint8_t space[static ID_LEN],
    const struct db_share *s, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT count(*) FROM share WHERE space = ?1 AND serial = ?2"
	    " AND NOT (epoch = ?3 AND mark = ?4) AND (mark = ?4 OR NOT EXISTS"
	    " (SELECT 1 FROM custody WHERE space = ?1 AND serial = ?2))");
	int rc;

	sql_blob(&r, space, ID_LEN);
	sql_int(&r, s->serial);
	sql_int(&r, s->epoch);
	sql_blob(&r, s->mark, sizeof(s->mark));
	rc = sql_room(&r, DB_SLOTS_MAX, "shares of one "
	    "space, many of moves that were broken off: run skerry rotate", f);
	if (rc != 0)
		return rc;
	r = sql_run(db_sqlite(db),
	    "INSERT OR REPLACE INTO share VALUES (?, ?, ?, ?, ?, ?)");
	sql_blob(&r, space, ID_LEN);
	sql_int(&r, s->epoch);
	sql_int(&r, s->serial);
	sql_blob(&r, s->mark, sizeof(s->mark));
	sql_int(&r, s->index);
	sql_blob(&r, s->blob, WRAP_LEN);
	return sql_write(&r, f);
}

static int
share_list(struct db *db, const struct db_share_of *of, struct db_share *out,
    size_t *n, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), of->in_force == NULL ?
	    "SELECT epoch, number, blob FROM share"
	    " WHERE space = ? AND serial = ? ORDER BY epoch" :
	    "SELECT epoch, number, blob FROM share"
	    " WHERE space = ? AND serial = ? AND mark = ? ORDER BY epoch");
	uint8_t mark[8];
	size_t k = 0;
	int rc;

	sql_blob(&r, of->space, ID_LEN);
	sql_int(&r, of->serial);
	if (of->in_force != NULL) {
		set_mark(of->in_force, mark);
		sql_blob(&r, mark, sizeof(mark));
	}
	while (sql_more(&r, k, DB_SLOTS_MAX)) {
		out[k].epoch = (uint32_t)sqlite3_column_int64(r.s, 0);
		out[k].serial = of->serial;
		out[k].index = (uint8_t)sqlite3_column_int(r.s, 1);
		sql_exact(&r, 2, out[k].blob, WRAP_LEN);
		k++;
	}
	rc = sql_finish(&r, f);
	if (rc == 0)
		*n = k;
	return rc;
}

static int
device_slot_add(struct db *db, const uint8_t space[static ID_LEN],
    const struct db_device_slot *s, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT count(*) FROM device_slot WHERE space = ? AND device = ?"
	    " AND epoch <> ?");
	int rc;

	sql_blob(&r, space, ID_LEN);
	sql_blob(&r, s->device, ID_LEN);
	sql_int(&r, s->epoch);
	rc = sql_room(&r, DB_SLOTS_MAX, "keyslots of a device", f);
	if (rc != 0)
		return rc;
	r = sql_run(db_sqlite(db),
	    "INSERT OR REPLACE INTO device_slot VALUES (?, ?, ?, ?)");
	sql_blob(&r, space, ID_LEN);
	sql_int(&r, s->epoch);
	sql_blob(&r, s->device, ID_LEN);
	sql_blob(&r, s->blob, s->n);
	return sql_write(&r, f);
}

static int
device_slot_list(struct db *db, const uint8_t space[static ID_LEN],
    const uint8_t device[static ID_LEN], struct db_device_slot *out,
    size_t *n, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT epoch, blob FROM device_slot"
	    " WHERE space = ? AND device = ? ORDER BY epoch");
	size_t k = 0;
	int rc;

	sql_blob(&r, space, ID_LEN);
	sql_blob(&r, device, ID_LEN);
	while (sql_more(&r, k, DB_SLOTS_MAX)) {
		out[k].epoch = (uint32_t)sqlite3_column_int64(r.s, 0);
		memcpy(out[k].device, device, ID_LEN);
		out[k].n = sql_column(&r, 1).n;
		if (out[k].n <= DB_BLOB_MAX)
			sql_exact(&r, 1, out[k].blob, out[k].n);
		else
			r.rc = SQLITE_CORRUPT;
		k++;
	}
	rc = sql_finish(&r, f);
	if (rc == 0)
		*n = k;
	return rc;
}

#define LEFT_SHARES                          \
	"share WHERE space = ?1 AND"         \
	" (serial < ?2 OR (serial = ?2 AND" \
	" mark <> substr(?3, 1, 8)))"

/* hash is kept until the statement ends. */
static struct sql_run
left_run(struct db *db, const char *sql, const struct custody *set,
    uint8_t hash[static HASH_LEN])
{
	struct sql_run r = sql_run(db_sqlite(db), sql);

	custody_hash(set, hash);
	sql_blob(&r, set->space, ID_LEN);
	sql_int(&r, set->serial);
	sql_blob(&r, hash, HASH_LEN);
	return r;
}

static int
left_each(struct db *db, const struct custody *set, db_left_fn *each,
    void *arg, struct fault *f)
{
	uint8_t hash[HASH_LEN];
	struct sql_run r = left_run(db, "SELECT epoch, blob FROM ("
	    "SELECT epoch, 1 AS k, x'' AS d, blob FROM keyslot"
	    " WHERE space = ?1 AND kind = 1 UNION ALL "
	    "SELECT epoch, 3, mark, blob FROM " LEFT_SHARES " UNION ALL "
	    "SELECT epoch, 4, device, blob FROM device_slot"
	    " WHERE space = ?1) ORDER BY epoch, k, d", set, hash);
	int rc = 0, bad;

	while (rc == 0 && sql_row(&r))
		rc = each(arg, (uint32_t)sqlite3_column_int64(r.s, 0),
		    sql_column(&r, 1));
	bad = sql_finish(&r, f);
	return rc != 0 ? fault_set(f, rc, "keyslots") : bad;
}

static int
left_drop(struct db *db, const struct custody *set, struct fault *f)
{
	static const char *const from[] = {
		"DELETE FROM " LEFT_SHARES,
		"DELETE FROM keyslot WHERE space = ?1 AND kind = 1",
		"DELETE FROM device_slot WHERE space = ?1",
	};
	uint8_t hash[HASH_LEN];
	struct sql_run r = left_run(db, from[0], set, hash);
	int rc = sql_write(&r, f);

	for (size_t i = 1; rc == 0 && i < ARRAY_LEN(from); i++) {
		r = sql_run(db_sqlite(db), from[i]);
		sql_blob(&r, set->space, ID_LEN);
		rc = sql_write(&r, f);
	}
	return rc;
}

static int
left_add(struct db *db, const struct custody *set, uint32_t epoch,
    const uint8_t in[static RECEIPT_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "INSERT OR IGNORE INTO left_receipt VALUES (?, ?, ?, ?)");
	uint8_t hash[HASH_LEN];

	custody_hash(set, hash);
	sql_blob(&r, set->space, ID_LEN);
	sql_blob(&r, hash, HASH_LEN);
	sql_int(&r, epoch);
	sql_blob(&r, in, RECEIPT_LEN);
	return sql_write(&r, f);
}

static int
left_list(struct db *db, const struct custody *set,
    uint8_t (*out)[RECEIPT_LEN], size_t *n, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT receipt FROM left_receipt WHERE space = ? AND hash = ?"
	    " ORDER BY epoch");
	uint8_t hash[HASH_LEN];
	size_t k = 0;
	int rc;

	custody_hash(set, hash);
	sql_blob(&r, set->space, ID_LEN);
	sql_blob(&r, hash, HASH_LEN);
	while (sql_more(&r, k, DB_LEFT_MAX))
		sql_exact(&r, 0, out[k++], RECEIPT_LEN);
	rc = sql_finish(&r, f);
	if (rc == 0)
		*n = k;
	return rc;
}

static int
device_slot_forget(struct db *db, const uint8_t device[static ID_LEN],
    struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "DELETE FROM device_slot WHERE device = ?");

	sql_blob(&r, device, ID_LEN);
	return sql_write(&r, f);
}

static int
space_each(struct db *db, int (*each)(void *arg,
    const uint8_t space[static ID_LEN]), void *arg, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db),
	    "SELECT id FROM space ORDER BY id");
	int rc = 0, bad;

	while (rc == 0 && sql_row(&r)) {
		uint8_t id[ID_LEN];

		sql_exact(&r, 0, id, ID_LEN);
		if (r.rc == SQLITE_ROW)
			rc = each(arg, id);
	}
	bad = sql_finish(&r, f);
	return rc != 0 ? rc : bad;
}

void
db_sqlite_custody(struct db *db)
{
	db->custody_add = custody_add;
	db->custody_get = custody_get;
	db->custody_home = custody_home;
	db->custody_list = custody_list;
	db->announced_set = announced_set;
	db->announced_get = announced_get;
	db->share_add = share_add;
	db->share_list = share_list;
	db->device_slot_add = device_slot_add;
	db->device_slot_list = device_slot_list;
	db->left_each = left_each;
	db->left_drop = left_drop;
	db->left_add = left_add;
	db->left_list = left_list;
	db->device_slot_forget = device_slot_forget;
	db->space_each = space_each;
}
