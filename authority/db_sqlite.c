// SPDX-License-Identifier: Apache-2.0
/*
 * The embedded database: SQLite in WAL mode with synchronous=FULL, so that a
 * commit survives a power cut.  Statements are prepared once and kept.
 */
#include "authority/db_sqlite.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION 2

static const char schema[] =
    "CREATE TABLE account (id BLOB PRIMARY KEY, request BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE chain (account BLOB NOT NULL REFERENCES account (id),"
    " seq INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (account, seq))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE device (id BLOB PRIMARY KEY,"
    " account BLOB NOT NULL REFERENCES account (id), sign BLOB NOT NULL,"
    " box BLOB NOT NULL, recovery INTEGER NOT NULL, live INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE space (id BLOB PRIMARY KEY,"
    " account BLOB NOT NULL REFERENCES account (id),"
    " prefix BLOB NOT NULL UNIQUE, residency TEXT NOT NULL,"
    " depot TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX space_account ON space (account, id);"
    "CREATE TABLE keyslot (space BLOB NOT NULL REFERENCES space (id),"
    " kind INTEGER NOT NULL, epoch INTEGER NOT NULL, blob BLOB NOT NULL,"
    " PRIMARY KEY (space, kind, epoch)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE head (space BLOB PRIMARY KEY REFERENCES space (id),"
    " number INTEGER NOT NULL, head BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE enrolment (device BLOB PRIMARY KEY, sign BLOB NOT NULL,"
    " box BLOB NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX enrolment_expires ON enrolment (expires);"
    "CREATE TABLE nonce (keyid BLOB NOT NULL, nonce BLOB NOT NULL,"
    " seen INTEGER NOT NULL, PRIMARY KEY (keyid, nonce))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX nonce_seen ON nonce (seen);"
    "PRAGMA user_version = 1;";

#define STATEMENTS(X)                                                          \
	X(BEGIN, "BEGIN IMMEDIATE")                                            \
	X(COMMIT, "COMMIT")                                                    \
	X(MARK, "SAVEPOINT request")                                           \
	X(KEEP, "RELEASE request")                                             \
	X(BACK, "ROLLBACK TO request")                                         \
	X(NONCE_ADD, "INSERT INTO nonce VALUES (?, ?, ?)")                     \
	X(NONCE_FORGET, "DELETE FROM nonce WHERE seen < ?")                    \
	X(ENROLMENT_FORGET, "DELETE FROM enrolment WHERE expires < ?")         \
	X(INVITATION_FORGET, "DELETE FROM invitation WHERE expires < ?")       \
	X(ACCOUNT_ADD, "INSERT INTO account VALUES (?, ?)")                    \
	X(ACCOUNT_GET, "SELECT request FROM account WHERE id = ?")             \
	X(CHAIN_GET, "SELECT entry FROM chain WHERE account = ? AND seq >= ?"  \
	             " ORDER BY seq")                                          \
	X(CHAIN_ADD, "INSERT INTO chain VALUES (?, ?, ?)")                     \
	X(DEVICE_ADD, "INSERT INTO device VALUES (?, ?, ?, ?, ?, ?)")          \
	X(DEVICE_REVOKE, "UPDATE device SET live = 0 WHERE id = ?")            \
	X(DEVICE_GET, "SELECT account, sign, box, recovery, live FROM device"  \
	              " WHERE id = ?")                                         \
	X(SPACE_COUNT, "SELECT count(*) FROM space WHERE account = ?"          \
	               " AND id <> ?")                                         \
	X(SPACE_ADD, "INSERT INTO space VALUES (?, ?, ?, ?, ?)")               \
	X(SPACE_GET, "SELECT id, account, prefix, residency, depot FROM space" \
	             " WHERE id = ?")                                          \
	X(SPACE_LIST, "SELECT id, account, prefix, residency, depot"           \
	              " FROM space WHERE account = ? ORDER BY id")             \
	X(SLOT_ADD, "INSERT INTO keyslot VALUES (?, ?, ?, ?)")                 \
	X(SLOT_SET, "UPDATE keyslot SET blob = ?4 WHERE space = ?1"            \
	            " AND kind = ?2 AND epoch = ?3")                           \
	X(SLOT_LIST, "SELECT epoch, blob FROM keyslot WHERE space = ?"         \
	             " AND kind = ? ORDER BY epoch")                           \
	X(HEAD_GET, "SELECT number, head FROM head WHERE space = ?")           \
	X(HEAD_FIRST, "INSERT INTO head VALUES (?, 1, ?)"                      \
	              " ON CONFLICT DO NOTHING")                               \
	X(HEAD_MOVE, "UPDATE head SET number = ?, head = ?"                    \
	             " WHERE space = ? AND number = ?")                        \
	X(ENROLMENT_COUNT, "SELECT count(*) FROM enrolment")                   \
	X(ENROLMENT_SPARE, "DELETE FROM enrolment WHERE device ="             \
	                   " (SELECT device FROM enrolment WHERE expires < ?"  \
	                   " ORDER BY expires LIMIT 1)")                       \
	X(ENROLMENT_ADD, "INSERT INTO enrolment VALUES (?, ?, ?, ?)"           \
	                 " ON CONFLICT DO NOTHING")                            \
	X(ENROLMENT_GET, "SELECT sign, box, expires FROM enrolment"            \
	                 " WHERE device = ?")

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

struct db_sqlite {
	struct db db; /* first: callbacks get a pointer to it */
	struct sql sql;
};

static struct db_sqlite *
self(struct db *db)
{
	return (struct db_sqlite *)db;
}

struct sql *
db_sqlite(struct db *db)
{
	return &self(db)->sql;
}

static void
name_column(struct sql_run *r, int i, char out[static DB_NAME_MAX + 1])
{
	const unsigned char *p = sqlite3_column_text(r->s, i);
	size_t n = (size_t)sqlite3_column_bytes(r->s, i);

	if (p != NULL && n <= DB_NAME_MAX)
		memcpy(out, p, n + 1);
	else
		r->rc = SQLITE_CORRUPT;
}

static int
db_begin(struct db *db, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_BEGIN]);

	return sql_write(&r, f);
}

static void
db_abort(struct db *db)
{
	if (sqlite3_get_autocommit(self(db)->sql.h) == 0)
		(void)sqlite3_exec(self(db)->sql.h, "ROLLBACK",
		    NULL, NULL, NULL);
}

static int
db_commit(struct db *db, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_COMMIT]);
	int rc = sql_write(&r, f);

	if (rc != 0)
		db_abort(db);
	return rc;
}

static bool
db_active(struct db *db)
{
	return sqlite3_get_autocommit(self(db)->sql.h) == 0;
}

static int
db_mark(struct db *db, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_MARK]);

	return sql_write(&r, f);
}

static int
db_keep(struct db *db, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_KEEP]);

	return sql_write(&r, f);
}

static int
db_back(struct db *db, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_BACK]);
	int rc = sql_write(&r, f);

	return rc != 0 ? rc : db_keep(db, f);
}

static int
nonce_add(struct db *db, const uint8_t keyid[static ID_LEN],
    const uint8_t nonce[static DB_NONCE_LEN], int64_t turn, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_NONCE_ADD]);

	sql_blob(&r, keyid, ID_LEN);
	sql_blob(&r, nonce, DB_NONCE_LEN);
	sql_int(&r, turn);
	return sql_write(&r, f);
}

static int
forget_before(struct db *db, enum statement what, int64_t t, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[what]);

	sql_int(&r, t);
	return sql_write(&r, f);
}

static int
forget(struct db *db, int64_t turn, int64_t expired, struct fault *f)
{
	int rc = forget_before(db, S_NONCE_FORGET, turn, f);

	if (rc == 0)
		rc = forget_before(db, S_ENROLMENT_FORGET, expired, f);
	return rc != 0 ? rc :
			 forget_before(db, S_INVITATION_FORGET, expired, f);
}

static int
account_add(struct db *db, const uint8_t id[static ID_LEN],
    const uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_ACCOUNT_ADD]);

	sql_blob(&r, id, ID_LEN);
	sql_blob(&r, request, DB_HASH_LEN);
	return sql_write(&r, f);
}

static int
account_get(struct db *db, const uint8_t id[static ID_LEN],
    uint8_t request[static DB_HASH_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_ACCOUNT_GET]);

	sql_blob(&r, id, ID_LEN);
	return sql_get(&r, request, DB_HASH_LEN, f);
}

static int
chain_get(struct db *db, const uint8_t account[static ID_LEN], uint32_t seq,
    struct buf *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_CHAIN_GET]);
	uint8_t entry[CHAIN_ENTRY_LEN];
	int rc = 0;

	sql_blob(&r, account, ID_LEN);
	sql_int(&r, seq);
	while (rc == 0 && sql_row(&r)) {
		sql_exact(&r, 0, entry, sizeof(entry));
		if (r.rc == SQLITE_ROW)
			rc = buf_append(out, entry, sizeof(entry));
	}
	if (rc != 0) {
		(void)sql_finish(&r, f);
		return fault_set(f, rc, "database: chain");
	}
	return sql_finish(&r, f);
}

static int
chain_add(struct db *db, const uint8_t account[static ID_LEN], uint32_t seq,
    const uint8_t entry[static CHAIN_ENTRY_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_CHAIN_ADD]);

	sql_blob(&r, account, ID_LEN);
	sql_int(&r, seq);
	sql_blob(&r, entry, CHAIN_ENTRY_LEN);
	return sql_write(&r, f);
}

static int
device_add(struct db *db, const struct db_device *d, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_DEVICE_ADD]);

	sql_blob(&r, d->id, ID_LEN);
	sql_blob(&r, d->account, ID_LEN);
	sql_blob(&r, d->sign.b, sizeof(d->sign.b));
	sql_blob(&r, d->box.b, sizeof(d->box.b));
	sql_int(&r, d->recovery);
	sql_int(&r, d->live);
	return sql_write(&r, f);
}

static int
device_revoke(struct db *db, const uint8_t id[static ID_LEN], struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_DEVICE_REVOKE]);

	sql_blob(&r, id, ID_LEN);
	return sql_write(&r, f);
}

static int
device_get(struct db *db, const uint8_t id[static ID_LEN],
    struct db_device *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_DEVICE_GET]);
	struct db_device d = { 0 };
	bool found;
	int rc;

	sql_blob(&r, id, ID_LEN);
	found = sql_row(&r);
	if (found) {
		memcpy(d.id, id, ID_LEN);
		d.recovery = sqlite3_column_int(r.s, 3) != 0;
		d.live = sqlite3_column_int(r.s, 4) != 0;
		sql_exact(&r, 0, d.account, ID_LEN);
		sql_exact(&r, 1, d.sign.b, sizeof(d.sign.b));
		sql_exact(&r, 2, d.box.b, sizeof(d.box.b));
	}
	rc = sql_one(&r, found, f);
	if (rc == 0)
		*out = d;
	return rc;
}

static int
space_add(struct db *db, const struct db_space *s, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_SPACE_COUNT]);
	int rc;

	sql_blob(&r, s->account, ID_LEN);
	sql_blob(&r, s->id, ID_LEN);
	rc = sql_room(&r, DB_SPACES_MAX, "spaces of an account", f);
	if (rc != 0)
		return rc;
	r = sql_run(db_sqlite(db), sql[S_SPACE_ADD]);
	sql_blob(&r, s->id, ID_LEN);
	sql_blob(&r, s->account, ID_LEN);
	sql_blob(&r, s->prefix, ID_LEN);
	sql_text(&r, s->residency);
	sql_text(&r, s->depot);
	return sql_write(&r, f);
}

static void
space_row(struct sql_run *r, struct db_space *s)
{
	sql_exact(r, 0, s->id, ID_LEN);
	sql_exact(r, 1, s->account, ID_LEN);
	sql_exact(r, 2, s->prefix, ID_LEN);
	name_column(r, 3, s->residency);
	name_column(r, 4, s->depot);
}

static int
space_get(struct db *db, const uint8_t id[static ID_LEN],
    struct db_space *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_SPACE_GET]);
	struct db_space s = { 0 };
	bool found;
	int rc;

	sql_blob(&r, id, ID_LEN);
	found = sql_row(&r);
	if (found)
		space_row(&r, &s);
	rc = sql_one(&r, found, f);
	if (rc == 0)
		*out = s;
	return rc;
}

static int
space_list(struct db *db, const uint8_t account[static ID_LEN],
    struct db_space *out, size_t *n, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_SPACE_LIST]);
	size_t k = 0;
	int rc;

	sql_blob(&r, account, ID_LEN);
	while (sql_more(&r, k, DB_SPACES_MAX))
		space_row(&r, &out[k++]);
	rc = sql_finish(&r, f);
	if (rc == 0)
		*n = k;
	return rc;
}

static int
slot_write(struct db *db, enum statement how, const uint8_t *space,
    enum db_kind kind, const struct db_slot *slot, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[how]);

	sql_blob(&r, space, ID_LEN);
	sql_int(&r, kind);
	sql_int(&r, slot->epoch);
	sql_blob(&r, slot->blob, slot->n);
	return sql_write(&r, f);
}

static int
slot_add(struct db *db, const uint8_t space[static ID_LEN], enum db_kind kind,
    const struct db_slot *slot, struct fault *f)
{
	return slot_write(db, S_SLOT_ADD, space, kind, slot, f);
}

static int
slot_set(struct db *db, const uint8_t space[static ID_LEN], enum db_kind kind,
    const struct db_slot *slot, struct fault *f)
{
	int rc = slot_write(db, S_SLOT_SET, space, kind, slot, f);

	if (rc != 0 || sqlite3_changes(self(db)->sql.h) == 1)
		return rc;
	return fault_set(f, FAULT_NOT_FOUND, "no such keyslot");
}

static int
slot_list(struct db *db, const uint8_t space[static ID_LEN],
    enum db_kind kind, struct db_slot *out, size_t *n, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_SLOT_LIST]);
	size_t k = 0;
	int rc;

	sql_blob(&r, space, ID_LEN);
	sql_int(&r, kind);
	while (sql_more(&r, k, DB_SLOTS_MAX)) {
		out[k].epoch = (uint32_t)sqlite3_column_int64(r.s, 0);
		out[k].n = (size_t)sqlite3_column_bytes(r.s, 1);
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

static int
head_get(struct db *db, const uint8_t space[static ID_LEN],
    struct db_head *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_HEAD_GET]);
	struct db_head h = { 0 };
	int rc;

	sql_blob(&r, space, ID_LEN);
	if (sql_row(&r)) {
		h.number = (uint64_t)sqlite3_column_int64(r.s, 0);
		sql_exact(&r, 1, h.head, HEAD_LEN);
	}
	rc = sql_finish(&r, f);
	if (rc == 0)
		*out = h;
	return rc;
}

static int
head_move(struct db *db, const uint8_t space[static ID_LEN],
    const struct db_head *h, struct fault *f)
{
	struct sql_run r;
	int rc;

	if (h->number < 1 || h->number > INT64_MAX)
		return fault_set(f, FAULT_CONFLICT, "database: head number");
	if (h->number == 1) {
		r = sql_run(db_sqlite(db), sql[S_HEAD_FIRST]);
		sql_blob(&r, space, ID_LEN);
		sql_blob(&r, h->head, HEAD_LEN);
	} else {
		r = sql_run(db_sqlite(db), sql[S_HEAD_MOVE]);
		sql_int(&r, (int64_t)h->number);
		sql_blob(&r, h->head, HEAD_LEN);
		sql_blob(&r, space, ID_LEN);
		sql_int(&r, (int64_t)h->number - 1);
	}
	rc = sql_write(&r, f);
	if (rc != 0)
		return rc;
	if (sqlite3_changes(self(db)->sql.h) == 1)
		return 0;
	return fault_set(f, FAULT_CONFLICT, "the head has moved");
}

static int
enrolment_get(struct db *db, const uint8_t id[static ID_LEN],
    struct db_enrolment *out, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_ENROLMENT_GET]);
	struct db_enrolment e = { 0 };
	bool found;
	int rc;

	sql_blob(&r, id, ID_LEN);
	found = sql_row(&r);
	if (found) {
		memcpy(e.device, id, ID_LEN);
		e.expires = sqlite3_column_int64(r.s, 2);
		sql_exact(&r, 0, e.sign.b, sizeof(e.sign.b));
		sql_exact(&r, 1, e.box.b, sizeof(e.box.b));
	}
	rc = sql_one(&r, found, f);
	if (rc == 0)
		*out = e;
	return rc;
}

/* As for who can fill the list: it is full only while he goes on. */
static int
enrolment_room(struct db *db, int64_t spare, struct fault *f)
{
	struct sql_run r = sql_run(db_sqlite(db), sql[S_ENROLMENT_COUNT]);
	struct fault why = { 0 };
	int rc = sql_room(&r, DB_ENROLMENTS_MAX, "enrolments", &why);

	if (rc == FAULT_LIMIT) {
		r = sql_run(db_sqlite(db), sql[S_ENROLMENT_SPARE]);
		sql_int(&r, spare);
		rc = sql_write(&r, &why);
		if (rc == 0 && sqlite3_changes(self(db)->sql.h) == 0)
			rc = fault_set(&why, FAULT_LIMIT, "%d devices wait to "
			    "be approved, and there is room for no more: try "
			    "again in a quarter of an hour",
			    DB_ENROLMENTS_MAX);
	}
	if (rc != 0)
		*f = why;
	return rc;
}

static int
enrolment_add(struct db *db, const struct db_enrolment *e, int64_t spare,
    struct db_enrolment *out, struct fault *f)
{
	struct fault none = { 0 };
	struct sql_run r;
	int rc = enrolment_get(db, e->device, out, &none);

	/* One that is kept has its place, however many there are. */
	if (rc == 0)
		return 0;
	rc = enrolment_room(db, spare, f);
	if (rc != 0)
		return rc;
	r = sql_run(db_sqlite(db), sql[S_ENROLMENT_ADD]);
	sql_blob(&r, e->device, ID_LEN);
	sql_blob(&r, e->sign.b, sizeof(e->sign.b));
	sql_blob(&r, e->box.b, sizeof(e->box.b));
	sql_int(&r, e->expires);
	rc = sql_write(&r, f);
	if (rc != 0)
		return rc;
	return enrolment_get(db, e->device, out, f);
}

static void
db_close(struct db *db)
{
	struct db_sqlite *d = self(db);

	sql_close(&d->sql);
	free(d);
}

static int
settings(struct db_sqlite *d)
{
	/* Secrets never reach the database, but what is deleted goes. */
	return sqlite3_exec(d->sql.h,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
	    "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
	    NULL, NULL, NULL);
}

/* The schema is made, or brought forward, in one transaction: a crash leaves
 * all of that or nothing. */
static int
migrate(struct db_sqlite *d, struct fault *f)
{
	sqlite3_stmt *s = NULL;
	int version = -1, rc;

	rc = sqlite3_exec(d->sql.h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(d->sql.h, "PRAGMA user_version", -1, &s,
		    NULL);
	if (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		version = sqlite3_column_int(s, 0);
	(void)sqlite3_finalize(s);
	if (rc == SQLITE_OK && version > SCHEMA_VERSION) {
		(void)sqlite3_exec(d->sql.h, "ROLLBACK", NULL, NULL, NULL);
		return fault_set(f, FAULT_VERSION,
		    "database: schema %d is not known to this release",
		    version);
	}
	if (rc == SQLITE_OK && version == 0)
		rc = sqlite3_exec(d->sql.h, schema, NULL, NULL, NULL);
	if (rc == SQLITE_OK && (version == 0 || version == 1))
		rc = sqlite3_exec(d->sql.h, db_sqlite_log_schema, NULL, NULL,
		    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->sql.h, db_sqlite_log_index, NULL, NULL,
		    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->sql.h, db_sqlite_custody_schema, NULL,
		    NULL, NULL);
	if (rc == SQLITE_OK && version <= 1)
		rc = sqlite3_exec(d->sql.h, db_sqlite_epoch_schema, NULL, NULL,
		    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->sql.h, db_sqlite_invitation_schema, NULL,
		    NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->sql.h, db_sqlite_pace_schema, NULL, NULL,
		    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->sql.h, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return sql_failed(&d->sql, rc, f);
	return 0;
}

static const struct db callbacks = {
	.begin = db_begin,
	.commit = db_commit,
	.abort = db_abort,
	.active = db_active,
	.mark = db_mark,
	.keep = db_keep,
	.back = db_back,
	.nonce_add = nonce_add,
	.forget = forget,
	.account_add = account_add,
	.account_get = account_get,
	.chain_get = chain_get,
	.chain_add = chain_add,
	.device_add = device_add,
	.device_revoke = device_revoke,
	.device_get = device_get,
	.space_add = space_add,
	.space_get = space_get,
	.space_list = space_list,
	.slot_add = slot_add,
	.slot_set = slot_set,
	.slot_list = slot_list,
	.head_get = head_get,
	.head_move = head_move,
	.enrolment_add = enrolment_add,
	.enrolment_get = enrolment_get,
	.close = db_close,
};

int
db_sqlite_open(const char *path, struct db **out, struct fault *f)
{
	struct db_sqlite *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL)
		return fault_set(f, FAULT_MEMORY, "database: out of memory");
	d->db = callbacks;
	db_sqlite_custody(&d->db);
	db_sqlite_log(&d->db);
	db_sqlite_epoch(&d->db);
	db_sqlite_invitation(&d->db);
	db_sqlite_pace(&d->db);
	rc = sqlite3_open_v2(path, &d->sql.h, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);
	/* Later it would be a file that is not found. */
	if (rc == SQLITE_OK && sqlite3_db_readonly(d->sql.h, "main") == 1)
		rc = SQLITE_READONLY;
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(d->sql.h, DB_SQLITE_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = settings(d);
	if (rc != SQLITE_OK) {
		rc = sql_failed(&d->sql, rc, f);
		db_close(&d->db);
		return fault_add(f, rc, "open %s", path);
	}
	rc = migrate(d, f);
	for (int i = 0; rc == 0 && i < S_COUNT; i++) {
		struct sql_run r = sql_run(&d->sql, sql[i]);

		rc = sql_finish(&r, f);
	}
	if (rc != 0) {
		db_close(&d->db);
		return fault_add(f, rc, "open %s", path);
	}
	*out = &d->db;
	return 0;
}
