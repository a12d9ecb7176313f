// SPDX-License-Identifier: Apache-2.0
/* Entries of the log before the log has them. */
#include "test/lib/cm.h"

#include <stdio.h>
#include <unistd.h>

#include "authority/outbox.h"
#include "base/fault.h"
#include "crypt/secret.h"

static char dir[] = "/tmp/skerry-outbox-XXXXXX";
static char path[64];
static const struct leaf_log_key log_key = { { 1 } };
static const struct outbox_what what = { .type = LEAF_EPOCH,
	.subject = { 2 }, .time = 5, .open = { (const uint8_t *)"o", 1 },
	.body = { (const uint8_t *)"body", 4 } };

static int
setup(void **state)
{
	struct db *db = NULL;
	struct fault f = { 0 };

	assert_int_equal(db_sqlite_open(path, &db, &f), 0);
	assert_int_equal(db->begin(db, &f), 0);
	*state = db;
	return 0;
}

static int
teardown(void **state)
{
	struct db *db = *state;

	db->abort(db);
	db->close(db);
	return unlink(path);
}

static void
adds_an_entry_that_opens(void **state)
{
	struct outbox_item i = { 0 };
	struct fault f = { 0 };
	struct leaf leaf;

	assert_int_equal(outbox_add(*state, &what, &log_key, &i, &f), 0);
	assert_int_equal(i.index, 0);
	assert_int_equal(leaf_decode(buf_bytes(&i.entry), &leaf), 0);
	assert_int_equal(leaf.type, LEAF_EPOCH);
	assert_int_equal(leaf.time, 5);
	assert_int_equal(bytes_cmp(leaf.open, what.open), 0);
	assert_true(leaf_is(&leaf, &i.key));
	assert_int_equal(leaf_open(&leaf, &i.key, what.body), 0);
	outbox_wipe(&i);
}

static void
finds_the_last_one(void **state)
{
	struct outbox_what other = what;
	struct outbox_item i = { 0 };
	struct fault f = { 0 };

	assert_int_equal(outbox_find(*state, &what, &log_key, &i, &f),
	    FAULT_NOT_FOUND);
	for (uint64_t n = 0; n < 3; n++) {
		assert_int_equal(outbox_add(*state, &what, &log_key, &i, &f),
		    0);
		assert_int_equal(i.index, n);
		outbox_wipe(&i);
	}
	assert_int_equal(outbox_find(*state, &what, &log_key, &i, &f), 0);
	assert_int_equal(i.index, 2);
	assert_int_equal(bytes_cmp(buf_bytes(&i.body), what.body), 0);
	outbox_wipe(&i);
	other.open = bytes_of("p", 1);
	assert_int_equal(outbox_find(*state, &other, &log_key, &i, &f),
	    FAULT_NOT_FOUND);
	other = what;
	other.subject[0] = 3;
	assert_int_equal(outbox_find(*state, &other, &log_key, &i, &f),
	    FAULT_NOT_FOUND);
}

/* [tlog] A transaction that is undone leaves no hole. */
static void
undoes_with_the_transaction(void **state)
{
	struct db *db = *state;
	struct outbox_item i = { 0 };
	struct fault f = { 0 };

	assert_int_equal(db->mark(db, &f), 0);
	assert_int_equal(outbox_add(db, &what, &log_key, &i, &f), 0);
	outbox_wipe(&i);
	assert_int_equal(db->back(db, &f), 0);
	assert_int_equal(outbox_add(db, &what, &log_key, &i, &f), 0);
	assert_int_equal(i.index, 0);
	outbox_wipe(&i);
}

struct seen {
	size_t n;
	uint64_t last;
};

static int
on_row(void *arg, const struct db_leaf *l)
{
	struct seen *s = arg;

	s->n++;
	s->last = l->index;
	return 0;
}

static size_t
rows_of(struct db *db, const uint8_t id[static ID_LEN])
{
	const struct db_leaf_of of = { .subject = { { 0 } }, .max = 100 };
	struct db_leaf_of mine = of;
	struct fault f = { 0 };
	struct seen s = { 0 };

	memcpy(mine.subject[0], id, ID_LEN);
	assert_int_equal(db->leaf_of(db, &mine, on_row, &s, &f), 0);
	return s.n;
}

/* [log] And none of them is ever told as an entry of a space. */
static void
keeps_the_states_of_requests(void **state)
{
	struct demand d = { .state = DEMAND_ENTERED, .id = { 2 },
		.jurisdiction = "ch", .until = 99 }, got;
	const struct bytes text = bytes_of("Give.", 5);
	struct outbox_item i = { 0 };
	struct leaf_log_key desk, again;
	struct db *db = *state;
	struct fault f = { 0 };
	struct seen s = { 0 };
	struct leaf leaf;

	assert_int_equal(outbox_demand(db, &d, text, 5, &i, &f), 0);
	assert_int_equal(i.index, 0);
	assert_int_equal(leaf_decode(buf_bytes(&i.entry), &leaf), 0);
	assert_int_equal(leaf.type, LEAF_REQUEST);
	assert_int_equal(leaf_open(&leaf, &i.key, text), 0);
	assert_int_equal(demand_read(leaf.open, &got), 0);
	assert_memory_equal(got.id, d.id, sizeof(d.id));
	assert_int_equal(got.until, d.until);
	assert_int_equal(outbox_desk_key(db, &desk, &f), 0);
	assert_int_equal(outbox_desk_key(db, &again, &f), 0);
	assert_memory_equal(&desk, &again, sizeof(desk));
	leaf_key(&desk, leaf.nonce, &i.key);
	assert_true(leaf_is(&leaf, &i.key));
	outbox_wipe(&i);
	/* Of a space with the same id. */
	assert_int_equal(outbox_add(db, &what, &log_key, &i, &f), 0);
	outbox_wipe(&i);
	d.id[0] = 3;
	assert_int_equal(outbox_demand(db, &d, text, 6, &i, &f), 0);
	outbox_wipe(&i);
	d.state = 9;
	assert_int_equal(outbox_demand(db, &d, text, 6, &i, &f),
	    FAULT_MALFORMED);
	assert_int_equal(db->request_each(db, 0, 100, on_row, &s, &f), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last, 2);
	assert_int_equal(db->request_each(db, 0, 1, on_row, &s, &f), 0);
	assert_int_equal(s.last, 0);
	assert_int_equal(db->request_each(db, 3, 100, on_row, &s, &f), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(db->request_of(db, d.id, on_row, &s, &f), 0);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.last, 2);
	assert_int_equal(rows_of(db, d.id), 0);
	assert_int_equal(rows_of(db, what.subject), 1);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(adds_an_entry_that_opens,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_last_one, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(keeps_the_states_of_requests,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(undoes_with_the_transaction,
		    setup, teardown),
	};
	int rc;

	if (secret_init() != 0 || mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	rc = cmocka_run_group_tests(t, NULL, NULL);
	(void)rmdir(dir);
	return rc;
}
