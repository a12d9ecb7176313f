// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sqlite3.h>

#include "authority/db.h"
#include "base/fault.h"

static char dir[] = "/tmp/skerry-db-XXXXXX";
static char path[64];
static const uint8_t account[ID_LEN] = { 1 }, space[ID_LEN] = { 2 };
static const uint8_t request[DB_HASH_LEN] = { 3 };

static struct db *
opened(void)
{
	struct db *db = NULL;
	struct fault f = { 0 };

	assert_int_equal(db_sqlite_open(path, &db, &f), 0);
	return db;
}

static void
begin(struct db *db)
{
	struct fault f = { 0 };

	assert_int_equal(db->begin(db, &f), 0);
}

static void
commit(struct db *db)
{
	struct fault f = { 0 };

	assert_int_equal(db->commit(db, &f), 0);
}

static int
setup(void **state)
{
	struct db_space s = { .residency = "es", .depot = "madrid" };
	struct db *db;
	struct fault f = { 0 };

	(void)unlink(path);
	db = opened();
	memcpy(s.id, space, ID_LEN);
	memcpy(s.account, account, ID_LEN);
	begin(db);
	assert_int_equal(db->account_add(db, account, request, &f), 0);
	assert_int_equal(db->space_add(db, &s, &f), 0);
	commit(db);
	*state = db;
	return 0;
}

static int
teardown(void **state)
{
	struct db *db = *state;

	db->close(db);
	return unlink(path);
}

static void
keeps_what_was_committed(void **state)
{
	struct db *db = *state, *other = opened();
	uint8_t got[DB_HASH_LEN];
	struct db_space s;
	struct fault f = { 0 };

	begin(other);
	assert_int_equal(other->account_get(other, account, got, &f), 0);
	assert_memory_equal(got, request, sizeof(got));
	assert_int_equal(other->account_get(other, space, got, &f),
	    FAULT_NOT_FOUND);
	assert_int_equal(other->space_get(other, space, &s, &f), 0);
	assert_string_equal(s.depot, "madrid");
	commit(other);
	other->close(other);
	begin(db);
	assert_int_equal(db->account_add(db, account, request, &f),
	    FAULT_EXISTS);
	commit(db);
}

static void
undoes_to_the_mark(void **state)
{
	static const uint8_t a[ID_LEN] = { 7 }, b[ID_LEN] = { 8 };
	uint8_t got[DB_HASH_LEN];
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	assert_int_equal(db->account_add(db, a, request, &f), 0);
	assert_int_equal(db->mark(db, &f), 0);
	assert_int_equal(db->account_add(db, b, request, &f), 0);
	assert_int_equal(db->back(db, &f), 0);
	assert_true(db->active(db));
	commit(db);
	begin(db);
	assert_int_equal(db->account_get(db, a, got, &f), 0);
	assert_int_equal(db->account_get(db, b, got, &f), FAULT_NOT_FOUND);
	db->abort(db);
	assert_false(db->active(db));
}

static void
refuses_orphans(void **state)
{
	static const uint8_t nobody[ID_LEN] = { 9 };
	const struct db_slot slot = { .epoch = 1 };
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	assert_int_not_equal(db->slot_add(db, nobody, DB_RECOVERY, &slot, &f),
	    0);
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f), 0);
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f),
	    FAULT_EXISTS);
	commit(db);
}

static void
puts_a_keyslot_in_the_place_of_another(void **state)
{
	struct db_slot slot = { .epoch = 1, .n = 2, .blob = { 1 } };
	struct db_slot got[DB_SLOTS_MAX];
	struct db *db = *state;
	struct fault f = { 0 };
	size_t n;

	begin(db);
	assert_int_equal(db->slot_set(db, space, DB_RECOVERY, &slot, &f),
	    FAULT_NOT_FOUND);
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f), 0);
	slot.blob[0] = 2;
	assert_int_equal(db->slot_set(db, space, DB_AUTHORITY, &slot, &f),
	    FAULT_NOT_FOUND);
	assert_int_equal(db->slot_set(db, space, DB_RECOVERY, &slot, &f), 0);
	assert_int_equal(db->slot_list(db, space, DB_RECOVERY, got, &n, &f),
	    0);
	assert_int_equal(n, 1);
	assert_memory_equal(got[0].blob, slot.blob, slot.n);
	db->abort(db);
}

static void
remembers_nonces_until_told_to_forget(void **state)
{
	static const uint8_t nonce[DB_NONCE_LEN] = { 5 };
	struct db *db = *state;
	struct fault f = { 0 };
	int64_t last = -1;

	begin(db);
	assert_int_equal(db->nonce_add(db, account, nonce, 1000, &f), 0);
	assert_int_equal(db->nonce_add(db, account, nonce, 1001, &f),
	    FAULT_EXISTS);
	assert_int_equal(db->nonce_add(db, space, nonce, 1001, &f), 0);
	assert_int_equal(db->forget(db, 1000, 0, &f), 0);
	assert_int_equal(db->nonce_add(db, account, nonce, 1002, &f),
	    FAULT_EXISTS);
	assert_int_equal(db->forget(db, 1001, 0, &f), 0);
	assert_int_equal(db->nonce_add(db, account, nonce, 1003, &f), 0);
	commit(db);
	assert_int_equal(db->nonce_last(db, &last, &f), 0);
	assert_int_equal(last, 1003);
}

static void
keeps_how_the_clock_went(void **state)
{
	struct pace_kept k = { 1, INT64_MAX, 2, 3 }, got;
	struct db *db = *state;
	struct fault f = { 0 };

	assert_int_equal(db->pace_get(db, &got, &f), FAULT_NOT_FOUND);
	assert_int_equal(db->pace_set(db, &k, &f), 0);
	assert_int_equal(db->pace_get(db, &got, &f), 0);
	assert_memory_equal(&got, &k, sizeof(k));
}

static void
keeps_the_older_enrolment(void **state)
{
	struct db_enrolment e = { .device = { 4 }, .expires = 50 }, got;
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	assert_int_equal(db->enrolment_add(db, &e, 0, &got, &f), 0);
	e.expires = 60;
	assert_int_equal(db->enrolment_add(db, &e, 0, &got, &f), 0);
	assert_true(got.expires == 50);
	assert_int_equal(db->forget(db, 0, 51, &f), 0);
	assert_int_equal(db->enrolment_get(db, e.device, &got, &f),
	    FAULT_NOT_FOUND);
	commit(db);
}

static void
a_full_list_of_enrolments_keeps_those_that_are_there(void **state)
{
	struct db_enrolment e = { .device = { 4 }, .expires = 50 }, got;
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	for (uint32_t i = 0; i < DB_ENROLMENTS_MAX; i++) {
		memcpy(e.device + 4, &i, sizeof(i));
		assert_int_equal(db->enrolment_add(db, &e, 0, &got, &f), 0);
	}
	e.expires = 60;
	assert_int_equal(db->enrolment_add(db, &e, 0, &got, &f), 0);
	assert_true(got.expires == 50);
	e.device[0]++;
	assert_int_equal(db->enrolment_add(db, &e, 0, &got, &f), FAULT_LIMIT);
	assert_non_null(strstr(f.text, "65536 devices"));
	/* One that is older than that makes room, and no other. */
	assert_int_equal(db->enrolment_add(db, &e, 50, &got, &f), FAULT_LIMIT);
	assert_int_equal(db->enrolment_add(db, &e, 51, &got, &f), 0);
	assert_int_equal(db->enrolment_get(db, e.device, &got, &f), 0);
	e.device[0]++;
	assert_int_equal(db->enrolment_add(db, &e, 50, &got, &f), FAULT_LIMIT);
	assert_int_equal(db->forget(db, 0, 51, &f), 0);
	assert_int_equal(db->enrolment_add(db, &e, 0, &got, &f), 0);
	commit(db);
}

static void
moves_a_head_by_one_only(void **state)
{
	struct db_head h = { .number = 2 }, got;
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	assert_int_equal(db->head_get(db, space, &got, &f), 0);
	assert_int_equal(got.number, 0);
	assert_int_equal(db->head_move(db, space, &h, &f), FAULT_CONFLICT);
	h.number = 1;
	assert_int_equal(db->head_move(db, space, &h, &f), 0);
	assert_int_equal(db->head_move(db, space, &h, &f), FAULT_CONFLICT);
	h.number = 3;
	assert_int_equal(db->head_move(db, space, &h, &f), FAULT_CONFLICT);
	h.number = 2;
	h.head[0] = 9;
	assert_int_equal(db->head_move(db, space, &h, &f), 0);
	assert_int_equal(db->head_get(db, space, &got, &f), 0);
	assert_int_equal(got.number, 2);
	assert_int_equal(got.head[0], 9);
	commit(db);
}

static void
refuses_a_newer_schema(void **state)
{
	struct db *none = NULL;
	struct fault f = { 0 };
	sqlite3 *h;

	(void)state;
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "PRAGMA user_version = 3", NULL,
	    NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	assert_int_equal(db_sqlite_open(path, &none, &f), FAULT_VERSION);
	assert_null(none);
}

/* Schema 1 had no epochs: those that have keyslots are them. */
static void
takes_up_an_older_schema(void **state)
{
	struct db_slot slot = { .epoch = 1, .n = 60, .blob = { 6 } };
	struct db *db = *state, *other;
	uint8_t got[DB_HASH_LEN];
	struct db_slot list[DB_SLOTS_MAX];
	struct fault f = { 0 };
	uint32_t last = 0;
	size_t n = 0;
	sqlite3 *h;

	begin(db);
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f), 0);
	commit(db);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "DROP TABLE epoch; DROP TABLE receipt;"
	    "DROP TABLE leaf; DROP TABLE log_key; DROP TABLE own;"
	    "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	other = opened();
	begin(other);
	assert_int_equal(other->epoch_last(other, space, &last, &f), 0);
	assert_int_equal(last, 1);
	assert_int_equal(other->epoch_get(other, space, 1, got, &f), 0);
	assert_int_equal(other->slot_list(other, space, DB_RECOVERY, list, &n,
	    &f), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].n, 60);
	assert_int_equal(list[0].blob[0], 6);
	commit(other);
	other->close(other);
	other = opened(); /* and again, as it is now */
	other->close(other);
}

/* One of before requests were entered has no index of them; one of before that
 * was kept apart, none of what is not a release. */
static void
takes_up_one_without_the_indexes(void **state)
{
	const struct db_leaf leaf = { .type = LEAF_REQUEST,
		.entry = { (const uint8_t *)"e", 1 },
		.body = { (const uint8_t *)"b", 1 } };
	struct db *db = *state, *other;
	struct fault f = { 0 };
	sqlite3 *h;

	begin(db);
	assert_int_equal(db->leaf_add(db, &leaf, &f), 0);
	commit(db);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "DROP INDEX leaf_request;"
	    "DROP INDEX leaf_told", NULL, NULL, NULL), SQLITE_OK);
	other = opened();
	other->close(other);
	assert_int_equal(sqlite3_exec(h, "SELECT number FROM leaf INDEXED BY "
	    "leaf_request WHERE type = 7; SELECT number FROM leaf INDEXED BY "
	    "leaf_told WHERE subject = x'00' AND type <> 5", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

/* One of before there were invitations is as one that has none. */
static void
takes_up_one_without_invitations(void **state)
{
	const struct db_invitation in = { .id = { 7 }, .uses = 1,
		.expires = 100 };
	const uint8_t hash[DB_HASH_LEN] = { 8 };
	struct db *other;
	struct fault f = { 0 };
	sqlite3 *h;

	(void)state;
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "DROP TABLE invitation", NULL, NULL,
	    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	other = opened();
	begin(other);
	assert_int_equal(other->invitation_use(other, hash, 1, &f),
	    FAULT_NOT_FOUND);
	assert_int_equal(other->invitation_add(other, &in, hash, &f), 0);
	commit(other);
	other->close(other);
}

static int
add_uses(void *arg, const struct db_invitation *i)
{
	int64_t *sum = arg;

	*sum += i->uses;
	return 0;
}

static int64_t
uses_left(struct db *db, int64_t now)
{
	struct fault f = { 0 };
	int64_t sum = 0;

	assert_int_equal(db->invitation_each(db, now, add_uses, &sum, &f), 0);
	return sum;
}

static void
an_invitation_has_its_uses_and_no_more(void **state)
{
	const struct db_invitation two = { .id = { 7 }, .uses = 2,
		.expires = 100 }, one = { .id = { 8 }, .uses = 1,
		.expires = 50 };
	const uint8_t a[DB_HASH_LEN] = { 1 }, b[DB_HASH_LEN] = { 2 };
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	assert_int_equal(db->invitation_add(db, &two, a, &f), 0);
	assert_int_equal(db->invitation_add(db, &one, a, &f), FAULT_EXISTS);
	assert_int_equal(db->invitation_add(db, &two, b, &f), FAULT_EXISTS);
	assert_int_equal(db->invitation_add(db, &one, b, &f), 0);
	commit(db);
	begin(db);
	assert_int_equal(db->mark(db, &f), 0);
	assert_int_equal(db->invitation_use(db, a, 1, &f), 0);
	assert_true(uses_left(db, 1) == 2);
	assert_int_equal(db->back(db, &f), 0);
	assert_true(uses_left(db, 1) == 3);
	assert_int_equal(db->invitation_use(db, a, 1, &f), 0);
	assert_int_equal(db->invitation_use(db, a, 1, &f), 0);
	assert_int_equal(db->invitation_use(db, a, 1, &f), FAULT_NOT_FOUND);
	assert_int_equal(db->invitation_drop(db, two.id, &f),
	    FAULT_NOT_FOUND);
	assert_true(uses_left(db, 1) == 1);
	commit(db);
}

static void
an_invitation_ends(void **state)
{
	const struct db_invitation i = { .id = { 7 }, .uses = 2,
		.expires = 100 };
	const uint8_t hash[DB_HASH_LEN] = { 1 };
	struct db *db = *state;
	struct fault f = { 0 };

	begin(db);
	assert_int_equal(db->invitation_add(db, &i, hash, &f), 0);
	assert_int_equal(db->invitation_use(db, hash, 100, &f),
	    FAULT_NOT_FOUND);
	assert_true(uses_left(db, 100) == 0);
	assert_int_equal(db->invitation_use(db, hash, 99, &f), 0);
	assert_int_equal(db->forget(db, 0, 100, &f), 0);
	assert_true(uses_left(db, 99) == 1);
	assert_int_equal(db->forget(db, 0, 101, &f), 0);
	assert_true(uses_left(db, 99) == 0);
	assert_int_equal(db->invitation_add(db, &i, hash, &f), 0);
	assert_int_equal(db->invitation_drop(db, i.id, &f), 0);
	assert_int_equal(db->invitation_use(db, hash, 1, &f),
	    FAULT_NOT_FOUND);
	commit(db);
}

static bool
ends(struct db *db, uint32_t epoch)
{
	struct fault f = { 0 };
	bool is;

	assert_int_equal(db->receipt_ends(db, space, epoch, &is, &f), 0);
	return is;
}

static void
drops_an_epoch_whole(void **state)
{
	const struct db_share share = { .epoch = 1, .index = 2 };
	const struct db_device_slot device = { .epoch = 1, .n = 5 };
	struct db_slot slot = { .epoch = 1, .n = DB_BLOB_MAX };
	uint8_t receipt[RECEIPT_LEN] = { 4 }, got[RECEIPT_LEN];
	struct buf blobs defer(buf_wipe) = buf_init(DB_BLOBS_MAX);
	struct db *db = *state;
	struct fault f = { 0 };
	uint32_t last;

	begin(db);
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f), 0);
	assert_int_equal(db->slot_add(db, space, DB_AUTHORITY, &slot, &f), 0);
	assert_int_equal(db->share_add(db, space, &share, &f), 0);
	assert_int_equal(db->device_slot_add(db, space, &device, &f), 0);
	slot.epoch = 2;
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f), 0);
	assert_int_equal(db->epoch_blobs(db, space, 1, &blobs, &f), 0);
	assert_int_equal(blobs.n, 2 * DB_BLOB_MAX + WRAP_LEN + 5);
	assert_int_equal(db->epoch_drop(db, space, 1, &f), 0);
	buf_wipe(&blobs);
	assert_int_equal(db->epoch_blobs(db, space, 1, &blobs, &f), 0);
	assert_int_equal(blobs.n, 0);
	assert_int_equal(db->epoch_blobs(db, space, 2, &blobs, &f), 0);
	assert_int_equal(blobs.n, DB_BLOB_MAX);
	assert_int_equal(db->receipt_get(db, space, 1, got, &f),
	    FAULT_NOT_FOUND);
	assert_int_equal(db->receipt_add(db, space, 1, receipt, &f), 0);
	assert_int_equal(db->receipt_add(db, space, 1, receipt, &f),
	    FAULT_EXISTS);
	assert_int_equal(db->receipt_get(db, space, 1, got, &f), 0);
	assert_memory_equal(got, receipt, sizeof(got));
	assert_true(ends(db, 1));
	assert_false(ends(db, 2));
	assert_int_equal(db->epoch_last(db, space, &last, &f), 0);
	assert_int_equal(last, 2);
	commit(db);
	assert_int_equal(db->purge(db, true, &f), 0);
}

static struct custody
set_of(uint32_t serial, uint8_t mark)
{
	struct custody c = { .serial = serial, .raw = { mark }, .len = 1 };

	memcpy(c.space, space, ID_LEN);
	return c;
}

static void
set_share(struct db_share *s, const struct custody *set, uint32_t epoch)
{
	uint8_t hash[HASH_LEN];

	*s = (struct db_share){ .epoch = epoch, .serial = set->serial,
		.index = 1, .blob = { (uint8_t)epoch } };
	custody_hash(set, hash);
	memcpy(s->mark, hash, sizeof(s->mark));
}

static void
put_share(struct db *db, const struct custody *set, uint32_t epoch)
{
	struct db_share s;
	struct fault f = { 0 };

	set_share(&s, set, epoch);
	assert_int_equal(db->share_add(db, space, &s, &f), 0);
}

struct seen {
	size_t n, bytes;
	uint32_t epoch[8];
};

static int
see(void *arg, uint32_t epoch, struct bytes blob)
{
	struct seen *s = arg;

	s->epoch[s->n++] = epoch;
	s->bytes += blob.n;
	return 0;
}

static size_t
left_by(struct db *db, const struct custody *set, struct seen *out)
{
	struct fault f = { 0 };

	*out = (struct seen){ 0 };
	assert_int_equal(db->left_each(db, set, see, out, &f), 0);
	return out->n;
}

/* What a set that comes into force may not take: its own shares, those of one
 * that is to come after it, the recovery keyslot. */
static void
ends_what_came_before_a_set_alone(void **state)
{
	const struct custody old = set_of(1, 1), beside = set_of(2, 9),
			     set = set_of(2, 2), next = set_of(3, 3);
	struct db_slot slot = { .epoch = 1, .n = 5 };
	struct db *db = *state;
	struct fault f = { 0 };
	struct seen s;

	begin(db);
	assert_int_equal(db->slot_add(db, space, DB_RECOVERY, &slot, &f), 0);
	put_share(db, &set, 1);
	put_share(db, &next, 1);
	assert_int_equal(left_by(db, &set, &s), 0);
	put_share(db, &old, 2);
	put_share(db, &old, 1);
	put_share(db, &beside, 1);
	assert_int_equal(db->slot_add(db, space, DB_AUTHORITY, &slot, &f), 0);
	assert_int_equal(left_by(db, &set, &s), 4);
	assert_int_equal(s.bytes, 5 + 3 * WRAP_LEN);
	assert_int_equal(s.epoch[2], 1);
	assert_int_equal(s.epoch[3], 2);
	assert_int_equal(db->left_drop(db, &set, &f), 0);
	assert_int_equal(left_by(db, &set, &s), 0);
	assert_int_equal(left_by(db, &next, &s), 1);
	assert_int_equal(left_by(db, &old, &s), 0);
	commit(db);
}

/* What a list has no room for does not come into being. */
static void
refuses_what_no_list_has_room_for(void **state)
{
	struct custody set = { .len = CUSTODY_LEN(1), .serial = 2 };
	struct db_space s = { .residency = "r", .depot = "d" };
	struct db_device_slot device = { .device = { 1 }, .n = 5 };
	struct db_share share = { .serial = 2, .index = 1 };
	const struct db_share_of all = { .space = space, .serial = 2 };
	const struct db_share_of own = { .space = space, .serial = 2,
		.in_force = &set };
	struct db_share got[DB_SLOTS_MAX];
	struct db *db = *state;
	struct fault f = { 0 };
	size_t n;

	memcpy(set.space, space, ID_LEN);
	memcpy(s.account, account, ID_LEN);
	begin(db);
	for (unsigned i = 0; i < DB_SLOTS_MAX; i++) {
		share.epoch = device.epoch = 1 + i / 8;
		share.mark[0] = (uint8_t)(i % 8);
		device.epoch = 1 + i;
		s.id[0] = (uint8_t)i;
		s.id[1] = s.prefix[1] = 77;
		s.prefix[0] = (uint8_t)i;
		assert_int_equal(db->share_add(db, space, &share, &f), 0);
		assert_int_equal(db->device_slot_add(db, space, &device, &f),
		    0);
		if (i != 0) /* there is one already */
			assert_int_equal(db->space_add(db, &s, &f), 0);
	}
	assert_int_equal(db->share_list(db, &all, got, &n, &f), 0);
	assert_int_equal(n, DB_SLOTS_MAX);
	/* In the place of one that is there. */
	assert_int_equal(db->share_add(db, space, &share, &f), 0);
	assert_int_equal(db->device_slot_add(db, space, &device, &f), 0);
	share.epoch = device.epoch = 100;
	s.id[0] = s.prefix[0] = 100;
	assert_int_equal(db->share_add(db, space, &share, &f), FAULT_LIMIT);
	assert_non_null(strstr(f.text, "64 shares"));
	assert_int_equal(db->device_slot_add(db, space, &device, &f),
	    FAULT_LIMIT);
	assert_int_equal(db->space_add(db, &s, &f), FAULT_LIMIT);
	device.device[0] = 2;
	assert_int_equal(db->device_slot_add(db, space, &device, &f), 0);
	share.serial = 3; /* a move away from there */
	assert_int_equal(db->share_add(db, space, &share, &f), 0);
	/* Known to be in force, it is told of by its own. */
	assert_int_equal(db->custody_add(db, &set, false, &f), 0);
	set_share(&share, &set, 7);
	assert_int_equal(db->share_add(db, space, &share, &f), 0);
	assert_int_equal(db->share_list(db, &all, got, &n, &f),
	    FAULT_LIMIT);
	assert_int_equal(db->share_list(db, &own, got, &n, &f), 0);
	assert_int_equal(n, 1);
	assert_int_equal(got[0].epoch, 7);
	commit(db);
}

static void
keeps_receipts_of_what_was_left_by_its_set(void **state)
{
	const struct custody set = set_of(2, 2), other = set_of(2, 9);
	uint8_t receipt[RECEIPT_LEN] = { 4 }, got[DB_LEFT_MAX][RECEIPT_LEN];
	struct db *db = *state;
	struct fault f = { 0 };
	size_t n;

	begin(db);
	assert_int_equal(db->left_add(db, &set, 1, receipt, &f), 0);
	assert_int_equal(db->left_add(db, &set, 1, receipt, &f), 0);
	assert_int_equal(db->left_list(db, &set, got, &n, &f), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(got[0], receipt, sizeof(receipt));
	assert_int_equal(db->left_list(db, &other, got, &n, &f), 0);
	assert_int_equal(n, 0);
	/* The secret is ended at a start only where nothing needs it. */
	assert_true(ends(db, 1));
	assert_false(ends(db, 2));
	put_share(db, &other, 1);
	assert_false(ends(db, 1));
	commit(db);
}

static void
tells_a_path_that_cannot_be(void **state)
{
	struct db *none = NULL;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(db_sqlite_open("/nowhere/x.sqlite", &none, &f),
	    FAULT_IO);
	assert_non_null(strstr(f.text, "/nowhere/x.sqlite"));
	assert_non_null(strstr(f.text, strerror(ENOENT)));
}

static void
names_a_file_that_is_no_database(void **state)
{
	char name[] = "/tmp/skerry-test-XXXXXX", text[4096];
	struct db *none = NULL;
	struct fault f = { 0 };
	int fd = mkstemp(name);

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	(void)close(fd);
	assert_int_equal(db_sqlite_open(name, &none, &f), FAULT_IO);
	assert_non_null(strstr(f.text, name));
	assert_int_equal(unlink(name), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		TEST(keeps_what_was_committed),
		TEST(undoes_to_the_mark),
		TEST(refuses_orphans),
		TEST(puts_a_keyslot_in_the_place_of_another),
		TEST(remembers_nonces_until_told_to_forget),
		TEST(keeps_how_the_clock_went),
		TEST(keeps_the_older_enrolment),
		TEST(a_full_list_of_enrolments_keeps_those_that_are_there),
		TEST(moves_a_head_by_one_only),
		TEST(refuses_a_newer_schema),
		TEST(takes_up_one_without_the_indexes),
		TEST(takes_up_an_older_schema),
		TEST(takes_up_one_without_invitations),
		TEST(an_invitation_has_its_uses_and_no_more),
		TEST(an_invitation_ends),
		TEST(drops_an_epoch_whole),
		TEST(ends_what_came_before_a_set_alone),
		TEST(refuses_what_no_list_has_room_for),
		TEST(keeps_receipts_of_what_was_left_by_its_set),
		cmocka_unit_test(tells_a_path_that_cannot_be),
		cmocka_unit_test(names_a_file_that_is_no_database),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/db.sqlite", dir);
	rc = cmocka_run_group_tests(t, NULL, NULL);
	(void)rmdir(dir);
	return rc;
}
