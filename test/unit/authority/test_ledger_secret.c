// SPDX-License-Identifier: Apache-2.0
/* Secrets of epochs beside a real database, without keys: [custody]. */
#include "test/lib/cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "authority/ledger_secret.h"
#include "base/fault.h"

static char top[] = "/tmp/skerry-secret-XXXXXX";
static char database[64], folder[64];
static const uint8_t account[ID_LEN] = { 1 }, space[ID_LEN] = { 2 };
static const uint8_t old[DB_HASH_LEN], request[DB_HASH_LEN] = { 3 };

static int
setup(void **state)
{
	struct db_space s = { .residency = "es", .depot = "madrid" };
	struct ledger *l = calloc(1, sizeof(*l));
	struct fault f = { 0 };

	memcpy(s.id, space, ID_LEN);
	memcpy(s.account, account, ID_LEN);
	if (l == NULL || db_sqlite_open(database, &l->db, &f) != 0 ||
	    vault_open(folder, &l->vault, &f) != 0 ||
	    l->db->begin(l->db, &f) != 0 ||
	    l->db->account_add(l->db, account, request, &f) != 0 ||
	    l->db->space_add(l->db, &s, &f) != 0)
		return -1;
	*state = l;
	return 0; /* in a transaction */
}

static int
teardown(void **state)
{
	struct ledger *l = *state;
	struct vault_name n = { 0 };
	struct fault f = { 0 };

	memcpy(n.space, space, ID_LEN);
	for (n.epoch = 1; n.epoch < 10; n.epoch++)
		if (vault_destroy(l->vault, &n, &f) != 0)
			return -1;
	l->db->abort(l->db);
	l->db->close(l->db);
	(void)close(l->vault);
	free(l);
	(void)unlink(database);
	return rmdir(folder);
}

static void
put_secret(struct ledger *l, uint32_t epoch)
{
	struct vault_name n = { .epoch = epoch };
	const uint8_t b[WRAP_LEN] = { (uint8_t)epoch };
	struct fault f = { 0 };

	memcpy(n.space, space, ID_LEN);
	assert_int_equal(vault_put(l->vault, &n, b, &f), 0);
}

static void
put_epoch(struct ledger *l, uint32_t epoch, bool slot)
{
	const struct db_slot s = { .epoch = epoch, .n = WRAP_LEN };
	struct fault f = { 0 };

	assert_int_equal(l->db->epoch_add(l->db, space, epoch, request, &f),
	    0);
	if (slot)
		assert_int_equal(l->db->slot_add(l->db, space, DB_AUTHORITY,
		    &s, &f), 0);
}

static int
get(struct ledger *l, uint32_t epoch, struct keymsg_secret *out)
{
	struct fault f = { 0 };

	*out = (struct keymsg_secret){ .has = true, .wrapped = { 0xee } };
	return ledger_secret_get(l, space, epoch, out, &f);
}

static bool
is_there(struct ledger *l, uint32_t epoch)
{
	struct vault_name n = { .epoch = epoch };
	uint8_t b[WRAP_LEN];
	struct fault f = { 0 };

	memcpy(n.space, space, ID_LEN);
	return vault_get(l->vault, &n, b, &f) == 0;
}

static void
gives_the_secret_of_an_epoch(void **state)
{
	struct ledger *l = *state;
	struct keymsg_secret s;

	put_epoch(l, 2, true);
	put_secret(l, 2);
	assert_int_equal(get(l, 2, &s), 0);
	assert_true(s.has);
	assert_int_equal(s.wrapped[0], 2);
}

static void
knows_an_epoch_from_before_there_were_any(void **state)
{
	struct ledger *l = *state;
	struct keymsg_secret s;
	struct fault f = { 0 };

	assert_int_equal(l->db->epoch_add(l->db, space, 1, old, &f), 0);
	assert_int_equal(get(l, 1, &s), 0);
	assert_false(s.has);
}

/* An old copy of the database beside today's folder. */
static void
refuses_an_epoch_whose_secret_was_destroyed(void **state)
{
	struct ledger *l = *state;
	struct keymsg_secret s;

	put_epoch(l, 2, true);
	assert_int_equal(get(l, 2, &s), FAULT_AUTHORITY);
	assert_int_equal(s.wrapped[0], 0xee); /* untouched */
	assert_int_equal(get(l, 7, &s), FAULT_AUTHORITY); /* a share's */
}

/* A receipt says that it is gone: so it may not be left out. */
static void
refuses_more_than_it_can_destroy(void **state)
{
	struct ledger *l = *state;
	struct fault f = { 0 };

	l->ndoomed = ARRAY_LEN(l->doomed);
	assert_int_equal(ledger_secret_doom(l, space, 1, &f),
	    FAULT_AUTHORITY);
}

static void
destroys_what_is_doomed_and_nothing_else(void **state)
{
	struct ledger *l = *state;
	struct fault f = { 0 };

	put_secret(l, 1);
	put_secret(l, 2);
	assert_int_equal(l->db->commit(l->db, &f), 0);
	assert_int_equal(ledger_secret_doom(l, space, 1, &f), 0);
	assert_int_equal(ledger_secret_shred(l, &f), 0);
	assert_int_equal(l->ndoomed, 0);
	assert_false(is_there(l, 1));
	assert_true(is_there(l, 2));
	assert_int_equal(ledger_secret_shred(l, &f), 0); /* again */
	assert_true(is_there(l, 2));
}

/* Its request was undone, or another has made it anew. */
static void
spares_what_has_keyslots_in_the_end(void **state)
{
	struct ledger *l = *state;
	struct fault f = { 0 };

	put_epoch(l, 1, true);
	put_secret(l, 1);
	assert_int_equal(l->db->mark(l->db, &f), 0);
	assert_int_equal(l->db->epoch_drop(l->db, space, 1, &f), 0);
	assert_int_equal(ledger_secret_doom(l, space, 1, &f), 0);
	assert_int_equal(l->db->back(l->db, &f), 0);
	assert_int_equal(l->db->commit(l->db, &f), 0);
	assert_int_equal(ledger_secret_shred(l, &f), 0);
	assert_int_equal(l->ndoomed, 0);
	assert_true(is_there(l, 1));
}

/* If the batch fails its keyslots are back, and want the old one. */
static void
makes_none_anew_before_the_old_one_is_gone(void **state)
{
	struct db_space s = { 0 };
	struct ledger *l = *state;
	struct keymsg_secret out;
	struct fault f = { 0 };

	memcpy(s.id, space, ID_LEN);
	put_epoch(l, 1, false);
	put_secret(l, 1);
	assert_int_equal(ledger_secret_doom(l, space, 1, &f), 0);
	assert_int_equal(ledger_secret_for(l, &s, 1, &out, &f),
	    FAULT_AUTHORITY);
	assert_non_null(strstr(f.text, "being destroyed"));
	assert_true(is_there(l, 1));
}

/* Killed between the commit and the file. */
static void
ends_at_a_start_what_has_its_receipt(void **state)
{
	const uint8_t receipt[RECEIPT_LEN] = { 1 };
	struct custody set = { .serial = 2, .raw = { 2 }, .len = 1 };
	struct ledger *l = *state;
	struct fault f = { 0 };

	memcpy(set.space, space, ID_LEN);
	for (uint32_t e = 1; e <= 4; e++) {
		put_epoch(l, e, e == 3 || e == 4);
		put_secret(l, e);
	}
	assert_int_equal(l->db->receipt_add(l->db, space, 1, receipt, &f), 0);
	assert_int_equal(l->db->left_add(l->db, &set, 2, receipt, &f), 0);
	assert_int_equal(l->db->left_add(l->db, &set, 3, receipt, &f), 0);
	assert_int_equal(l->db->commit(l->db, &f), 0);
	assert_int_equal(ledger_secret_resume(l, &f), 0);
	assert_false(is_there(l, 1)); /* an epoch that ended */
	assert_false(is_there(l, 2)); /* of a custody that was left */
	assert_true(is_there(l, 3));  /* which has keyslots of the next */
	assert_true(is_there(l, 4));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(gives_the_secret_of_an_epoch),
		T(knows_an_epoch_from_before_there_were_any),
		T(refuses_an_epoch_whose_secret_was_destroyed),
		T(refuses_more_than_it_can_destroy),
		T(destroys_what_is_doomed_and_nothing_else),
		T(spares_what_has_keyslots_in_the_end),
		T(makes_none_anew_before_the_old_one_is_gone),
		T(ends_at_a_start_what_has_its_receipt),
	};
	int rc;

	if (mkdtemp(top) == NULL)
		return 1;
	(void)snprintf(database, sizeof(database), "%s/db", top);
	(void)snprintf(folder, sizeof(folder), "%s/epochs", top);
	rc = cmocka_run_group_tests(t, NULL, NULL);
	(void)rmdir(top);
	return rc;
}
