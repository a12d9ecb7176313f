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
static const struct outbox_what what = { .type = LEAF_RELEASE,
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
	assert_int_equal(leaf.type, LEAF_RELEASE);
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

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(adds_an_entry_that_opens,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_last_one, setup,
		    teardown),
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
