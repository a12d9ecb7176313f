// SPDX-License-Identifier: Apache-2.0
/* How an epoch begins and ends at three holders: [custody], Epochs. */
#include "test/unit/client/holders.h"

#include "client/epoch.h"
#include "client/release.h"
#include "crypt/hpke.h"
#include "crypt/shamir.h"

#define ADMIT "skerry admit v1"
#define RELEASE "skerry release v1"

/* Opens a slot as whoever it is for. */
static int
open_slot(const struct holders *x, const struct authority_slot *s,
    const struct box_key *key, uint8_t out[static KEY_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(RELEASE_AAD_MAX);
	bool device = s->kind == ANSWER_DEVICE;
	const char *info = device ? RELEASE : ADMIT;

	assert_int_equal(release_aad(&x->st->binding, s->epoch,
	    device ? s->device : NULL, s->index, &aad), 0);
	return hpke_open(key, bytes_of(info, strlen(info)), buf_bytes(&aad),
	    bytes_of(s->sealed, sizeof(s->sealed)), out);
}

/* The key that shares of two holders give. */
static void
join(const struct holders *x, size_t i, size_t k, struct space_key *out)
{
	const struct holder *h[] = { &x->h[i], &x->h[k] };
	struct key_share share[2];
	uint8_t index[2];

	for (size_t n = 0; n < 2; n++) {
		assert_int_equal(h[n]->n, 1);
		assert_int_equal(h[n]->slot[0].kind, ANSWER_SHARE);
		index[n] = h[n]->slot[0].index;
		assert_int_equal(open_slot(x, &h[n]->slot[0], &h[n]->box,
		    share[n].b), 0);
	}
	assert_int_equal(shamir_join(index, share, 2, out), 0);
}

static void
assert_shares_of(const struct holders *x, uint32_t epoch)
{
	const struct space_key *key = session_key(&x->ses, epoch);
	struct space_key got;

	assert_non_null(key);
	for (size_t i = 0; i < HOLDERS; i++) {
		assert_int_equal(x->h[i].slot[0].epoch, epoch);
		join(x, i, (i + 1) % HOLDERS, &got);
		assert_memory_equal(&got, key, sizeof(got));
	}
}

static void
begins_at_the_home_last(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_int_equal(epoch, 4);
	assert_string_equal(x->log, "b+4 c+4 a+4");
	assert_shares_of(x, 4);
	assert_true(x->h[0].recovery);
	assert_false(x->h[1].recovery || x->h[2].recovery);
}

/* Somebody's try got as far as c: all have the number after it, and the shares
 * of one key. */
static void
passes_a_number_that_is_taken(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	x->h[2].latest = 6;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_int_equal(epoch, 7);
	assert_string_equal(x->log, "b+4 c+4 b+7 c+7 a+7");
	assert_shares_of(x, 7);
	assert_null(session_key(&x->ses, 4));
}

static void
does_not_try_for_ever(void **state)
{
	struct holders *x = *state;
	uint32_t epoch = 99;

	x->h[1].stubborn = true;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), FAULT_CONFLICT);
	assert_string_equal(x->log,
	    "b+4 b+5 b+6 b+7 b+8 b+9 b+10 b+11");
	assert_int_equal(epoch, 99);
	assert_int_equal(x->added, 0);
}

/* As of a custody that was changed meanwhile. */
static void
does_not_try_again_where_no_number_is_in_the_way(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	x->h[2].rc = FAULT_CONFLICT;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), FAULT_CONFLICT);
	assert_string_equal(x->log, "b+4 c+4 cc");
	assert_int_equal(x->added, 0);
}

/* A move was broken off before who holds now was told. */
static void
tells_a_holder_that_it_is_one(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	x->h[2].untold = true;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_string_equal(x->log, "b+4 c+4 cc c+4 a+4");
	assert_shares_of(x, 4);
	assert_int_equal(x->f.code, 0);
}

static void
uses_no_key_that_one_holder_did_not_take(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	x->h[2].rc = FAULT_AUTHORITY;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f),
	    FAULT_AUTHORITY);
	assert_string_equal(x->log, "b+4 c+4");
	assert_int_equal(x->added, 0);

	/* The next run: its number is taken at b alone. */
	x->h[2].rc = 0;
	holders_forget(x);
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_string_equal(x->log, "b+4 b+5 c+5 a+5");
	assert_shares_of(x, 5);
}

static void
sends_nothing_without_a_recovery_key(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	x->device[3].live = false;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), FAULT_TRUST);
	assert_string_equal(x->log, "");
}

/* Of a chain in which another was revoked, as the home has to be told. */
static void
names_the_recovery_key_once_it_has_changed(void **state)
{
	struct holders *x = *state;
	uint32_t epoch;

	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_false(x->h[0].named);
	x->device[2].recovery = true;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_true(x->h[0].named);
	assert_memory_equal(x->h[0].recovery_for, x->device[3].id, ID_LEN);
}

static void
sends_nothing_to_a_holder_the_policy_has_elsewhere(void **state)
{
	struct holders *x = *state;
	char there[] = "dd";
	uint32_t epoch;

	x->peer[1].jurisdiction = there;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), FAULT_CONFIG);
	assert_string_equal(x->log, "");
}

static void
gives_a_sealed_key_to_live_devices_alone(void **state)
{
	struct holders *x = *state;
	const struct holder *home = &x->h[0];
	uint8_t key[KEY_LEN];
	uint32_t epoch;

	holders_set(x, CUSTODY_SEALED, 1);
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), 0);
	assert_string_equal(x->log, "a+4");
	assert_int_equal(home->n, 2);
	for (size_t i = 0; i < home->n; i++) {
		assert_memory_equal(home->slot[i].device, x->device[i].id,
		    ID_LEN);
		assert_int_equal(open_slot(x, &home->slot[i], &x->box[i], key),
		    0);
		assert_memory_equal(key, session_key(&x->ses, 4), KEY_LEN);
		assert_int_not_equal(open_slot(x, &home->slot[i], &home->box,
		    key), 0);
	}
}

static void
ends_an_old_epoch_at_the_home_last(void **state)
{
	struct epoch_ends *ends = calloc(1, sizeof(*ends));
	struct holders *x = *state;

	assert_true(epoch_stale(&x->ses));
	assert_false(epoch_abandoned(&x->ses));
	assert_int_equal(epoch_end(&x->ses, true, ends, &x->f), 0);
	assert_string_equal(x->log, "c-1 b-1 a-1 c-2 b-2 a-2");
	assert_int_equal(ends->n, 6);
	assert_string_equal(ends->end[5].holder, "a");
	assert_int_equal(ends->end[5].epoch, 2);
	assert_true(holders_has(x, "receipt-1-c"));
	assert_true(holders_has(x, "receipt-2-a"));
	free(ends);
}

static void
ends_an_abandoned_one_at_the_home_first(void **state)
{
	struct holders *x = *state;

	x->ses.first_epoch = 3;
	x->ses.last_epoch = 5;
	assert_false(epoch_stale(&x->ses));
	assert_true(epoch_abandoned(&x->ses));
	assert_int_equal(epoch_end(&x->ses, false, NULL, &x->f), 0);
	assert_string_equal(x->log, "");
	assert_int_equal(epoch_end(&x->ses, true, NULL, &x->f), 0);
	assert_string_equal(x->log, "a-4 b-4 c-4 a-5 b-5 c-5");
}

/* A head was moved into it: then it is no abandoned one. */
static void
ends_nowhere_what_the_home_keeps(void **state)
{
	struct holders *x = *state;

	x->ses.first_epoch = 3;
	x->ses.last_epoch = 4;
	x->h[0].refuse = 4;
	assert_int_equal(epoch_end(&x->ses, true, NULL, &x->f),
	    FAULT_CONFLICT);
	assert_string_equal(x->log, "a-4");
}

static void
refuses_receipts_that_do_not_hold(void **state)
{
	static const enum holder_lie lie[] = { HOLDER_OTHER_KEY,
		HOLDER_OTHER_KIND, HOLDER_OTHER_EPOCH, HOLDER_OTHER_SPACE,
		HOLDER_FLIPPED };
	struct holders *x = *state;

	for (size_t i = 0; i < ARRAY_LEN(lie); i++) {
		holders_forget(x);
		x->h[1].lie = lie[i];
		assert_int_equal(epoch_end(&x->ses, false, NULL, &x->f),
		    FAULT_TRUST);
		assert_non_null(strstr(x->f.text, "holder b"));
		/* The home has it still, so that a session tells of it. */
		assert_string_equal(x->log, "c-1 b-1");
		assert_false(holders_has(x, "receipt-1-b"));
	}
}

static void
goes_on_where_one_was_away(void **state)
{
	struct epoch_ends *ends = calloc(1, sizeof(*ends));
	struct holders *x = *state;

	x->ses.first_epoch = 2;
	x->h[1].rc = FAULT_AUTHORITY;
	assert_int_equal(epoch_end(&x->ses, false, ends, &x->f),
	    FAULT_PARTIAL);
	assert_non_null(strstr(x->f.text, "epoch 2"));
	assert_non_null(strstr(x->f.text, "in bb"));
	assert_string_equal(x->log, "c-2 b-2");
	assert_int_equal(ends->n, 1);

	/* c has nothing any more, which is no error and no receipt. */
	holders_forget(x);
	x->h[1].rc = 0;
	x->h[2].gone = 2;
	assert_int_equal(epoch_end(&x->ses, false, ends, &x->f), 0);
	assert_string_equal(x->log, "c-2 b-2 a-2");
	assert_int_equal(x->f.code, 0);
	assert_int_equal(ends->n, 3);
	assert_true(holders_has(x, "receipt-2-c"));
	free(ends);
}

/* [custody] Whoever was let in before the head moved has the old keys alone. */
/* [custody] */
static void
says_where_a_sealed_epoch_has_no_room(void **state)
{
	struct holders *x = *state;
	struct chain few = x->chain, many = { .devices = 257 };
	uint32_t epoch;

	many.device = calloc(many.devices, sizeof(*many.device));
	assert_non_null(many.device);
	for (uint32_t i = 0; i < many.devices; i++)
		many.device[i].live = true;
	holders_set(x, CUSTODY_SEALED, 1);
	x->chain = many;
	assert_int_equal(epoch_begin(&x->ses, &epoch, &x->f), FAULT_LIMIT);
	assert_non_null(strstr(x->f.text, "revoke devices"));
	assert_string_equal(x->log, "");
	assert_int_equal(release_room(&many, 0, 1, &x->f), FAULT_LIMIT);
	many.device[0].live = false;
	assert_int_equal(release_room(&many, 0, 1, &x->f), 0);
	assert_int_equal(release_room(&many, 1, 1, &x->f), FAULT_LIMIT);
	assert_int_equal(release_room(&many, 0, 2, &x->f), FAULT_LIMIT);
	many.device[1].recovery = true;
	assert_int_equal(release_room(&many, 1, 1, &x->f), 0);
	x->chain = few;
	free(many.device);
}

static void
lets_all_into_a_sealed_epoch_before_the_last_ends(void **state)
{
	struct holders *x = *state;
	uint8_t key[KEY_LEN];

	holders_set(x, CUSTODY_SEALED, 1);
	x->ses.first_epoch = 2;
	assert_int_equal(epoch_end(&x->ses, false, NULL, &x->f), 0);
	assert_string_equal(x->log, "ak a-2");
	assert_int_equal(x->h[0].n, 2);
	assert_int_equal(x->h[0].slot[1].epoch, 3);
	assert_int_equal(open_slot(x, &x->h[0].slot[1], &x->box[1], key), 0);
	assert_memory_equal(key, &x->key[2], KEY_LEN);

	/* Where they were not let in, nothing is ended. */
	holders_forget(x);
	x->h[0].rc = FAULT_AUTHORITY;
	assert_int_equal(epoch_end(&x->ses, false, NULL, &x->f),
	    FAULT_AUTHORITY);
	assert_string_equal(x->log, "ak");
}

static void
knows_no_epoch_of_a_space_without_a_head(void **state)
{
	struct holders *x = *state;

	x->ses.has_head = false;
	x->ses.last_epoch = 5;
	assert_false(epoch_stale(&x->ses));
	assert_false(epoch_abandoned(&x->ses));
	x->ses.has_head = true;
	/* Under a lease it is not known what there is. */
	x->ses.first_epoch = x->ses.last_epoch = 0;
	assert_false(epoch_stale(&x->ses));
	assert_false(epoch_abandoned(&x->ses));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, holders_setup, holders_teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		TEST(begins_at_the_home_last),
		TEST(passes_a_number_that_is_taken),
		TEST(does_not_try_for_ever),
		TEST(does_not_try_again_where_no_number_is_in_the_way),
		TEST(tells_a_holder_that_it_is_one),
		TEST(uses_no_key_that_one_holder_did_not_take),
		TEST(sends_nothing_without_a_recovery_key),
		TEST(names_the_recovery_key_once_it_has_changed),
		TEST(sends_nothing_to_a_holder_the_policy_has_elsewhere),
		TEST(gives_a_sealed_key_to_live_devices_alone),
		TEST(ends_an_old_epoch_at_the_home_last),
		TEST(ends_an_abandoned_one_at_the_home_first),
		TEST(ends_nowhere_what_the_home_keeps),
		TEST(refuses_receipts_that_do_not_hold),
		TEST(goes_on_where_one_was_away),
		TEST(says_where_a_sealed_epoch_has_no_room),
		TEST(lets_all_into_a_sealed_epoch_before_the_last_ends),
		TEST(knows_no_epoch_of_a_space_without_a_head),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
