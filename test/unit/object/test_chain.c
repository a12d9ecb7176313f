// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "object/chain.h"

struct device {
	struct sign_key key;
	struct sign_pub sign;
	struct box_pub box;
	uint8_t id[ID_LEN];
};

static struct device
device(void)
{
	struct device d;
	struct box_key box;

	sign_new(&d.key, &d.sign);
	sign_box_new(&box, &d.box);
	chain_device_id(&d.sign, &d.box, d.id);
	return d;
}

/* An entry about who, by whom. */
static int
entry(const struct chain *c, enum chain_op op, const struct device *who,
    const struct device *by, uint8_t *out)
{
	struct chain_make m = { .op = op, .sign = who->sign,
		.box = who->box };

	data_fill(1, m.account, ID_LEN);
	memcpy(m.signer, by->id, ID_LEN);
	return chain_make_entry(c, &m, &by->key, out);
}

static int
append(struct chain *c, enum chain_op op, const struct device *who,
    const struct device *by)
{
	uint8_t e[CHAIN_ENTRY_LEN];
	int rc = entry(c, op, who, by, e);

	return rc != 0 ? rc : chain_append(c, bytes_of(e, sizeof(e)));
}

static bool
live(struct chain *c, const struct device *d)
{
	struct sign_pub pub;
	bool ok = chain_lookup(c, d->id, &pub) == 0;

	if (ok)
		assert_memory_equal(pub.b, d->sign.b, 32);
	return ok;
}

static bool
was_live(struct chain *c, const struct device *d)
{
	struct sign_pub pub;

	return chain_lookup_any(c, d->id, &pub) == 0 &&
	    memcmp(pub.b, d->sign.b, 32) == 0;
}

static void
devices_come_and_go(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), b = device(), r = device(), n = device();

	(void)state;
	assert_int_equal(append(&c, CHAIN_ADD, &a, &a), 0);
	assert_int_equal(append(&c, CHAIN_RECOVERY, &r, &a), 0);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &a), 0);
	assert_true(live(&c, &a) && live(&c, &b));
	assert_false(live(&c, &r) || was_live(&c, &r));
	assert_true(chain_find(&c, r.id)->live);
	assert_true(chain_find(&c, r.id)->recovery);
	assert_int_equal(append(&c, CHAIN_REVOKE, &a, &b), 0);
	assert_false(live(&c, &a));
	assert_true(was_live(&c, &a) && was_live(&c, &b));
	assert_false(was_live(&c, &n));
	assert_non_null(chain_find(&c, a.id));
	assert_int_equal(append(&c, CHAIN_REVOKE, &b, &b), 0);
	/* None is left but the recovery key, which lets a new one in. */
	assert_int_equal(append(&c, CHAIN_ADD, &n, &r), 0);
	assert_int_equal(append(&c, CHAIN_REVOKE, &r, &n), 0);
	assert_true(live(&c, &n));
	assert_int_equal(c.n, 7);
	assert_int_equal(c.devices, 4);
	assert_null(chain_find(&c, device().id));
}

static void
refuses_who_may_not_sign(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), b = device(), x = device();

	(void)state;
	assert_int_equal(append(&c, CHAIN_ADD, &a, &b), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_REVOKE, &a, &a), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_RECOVERY, &a, &a), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_ADD, &a, &a), 0);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &b), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &x), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &a), 0);
	assert_int_equal(append(&c, CHAIN_REVOKE, &b, &a), 0);
	assert_int_equal(append(&c, CHAIN_ADD, &x, &b), FAULT_TRUST);
	assert_int_equal(c.n, 3);
}

static void
nobody_is_added_twice_and_none_comes_back(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), b = device();

	(void)state;
	assert_int_equal(append(&c, CHAIN_ADD, &a, &a), 0);
	assert_int_equal(append(&c, CHAIN_REVOKE, &b, &a), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &a), 0);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &a), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_RECOVERY, &b, &a), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_REVOKE, &b, &a), 0);
	assert_int_equal(append(&c, CHAIN_REVOKE, &b, &a), FAULT_TRUST);
	assert_int_equal(append(&c, CHAIN_ADD, &b, &a), FAULT_TRUST);
}

static void
the_first_live_recovery_key_is_in_force(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), r[3] = { device(), device(), device() };

	(void)state;
	assert_int_equal(append(&c, CHAIN_ADD, &a, &a), 0);
	assert_null(chain_recovery(&c));
	assert_false(chain_recovery_changed(&c));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(append(&c, CHAIN_RECOVERY, &r[i], &a), 0);
	assert_memory_equal(chain_recovery(&c)->id, r[0].id, ID_LEN);
	assert_int_equal(append(&c, CHAIN_REVOKE, &r[1], &a), 0);
	assert_memory_equal(chain_recovery(&c)->id, r[0].id, ID_LEN);
	assert_false(chain_recovery_changed(&c));
	assert_int_equal(append(&c, CHAIN_REVOKE, &r[0], &a), 0);
	assert_memory_equal(chain_recovery(&c)->id, r[2].id, ID_LEN);
	assert_true(chain_recovery_changed(&c));
	assert_int_equal(append(&c, CHAIN_REVOKE, &r[2], &a), 0);
	assert_null(chain_recovery(&c));
}

static int
decode(struct bytes in)
{
	struct chain c defer(chain_wipe) = { 0 };

	return chain_append(&c, in);
}

static void
refuses_other_lengths_and_every_altered_byte(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), b = device();
	uint8_t e[CHAIN_ENTRY_LEN];

	(void)state;
	assert_int_equal(entry(&c, CHAIN_ADD, &a, &a, e), 0);
	data_refuses_other_lengths(bytes_of(e, sizeof(e)), decode);
	assert_int_equal(chain_append(&c, bytes_of(e, sizeof(e))), 0);
	/* Not the next one any more. */
	assert_int_equal(chain_append(&c, bytes_of(e, sizeof(e))),
	    FAULT_TRUST);
	assert_int_equal(entry(&c, CHAIN_ADD, &b, &a, e), 0);
	for (size_t i = 0; i < sizeof(e); i++) {
		int rc;

		e[i] ^= 0x20;
		rc = chain_append(&c, bytes_of(e, sizeof(e)));
		assert_int_equal(rc, i == 0 ? FAULT_VERSION
			: i < 4	      ? FAULT_MALFORMED
			: i < 152     ? FAULT_TRUST
				      : FAULT_TAMPERED);
		e[i] ^= 0x20;
	}
	/* Signed for another op. */
	e[1] = CHAIN_RECOVERY;
	assert_int_equal(chain_append(&c, bytes_of(e, sizeof(e))),
	    FAULT_TAMPERED);
	assert_int_equal(c.n, 1);
}

static void
reads_a_whole_chain(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct chain got defer(chain_wipe) = { 0 };
	struct device a = device();
	uint8_t e[5 * CHAIN_ENTRY_LEN];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct device b = device();
		uint8_t *p = e + i * CHAIN_ENTRY_LEN;

		assert_int_equal(
		    entry(&c, CHAIN_ADD, i == 0 ? &a : &b, &a, p), 0);
		assert_int_equal(
		    chain_append(&c, bytes_of(p, CHAIN_ENTRY_LEN)), 0);
	}
	assert_int_equal(chain_append_all(&got, bytes_of(e, sizeof(e) - 1)),
	    FAULT_MALFORMED);
	assert_int_equal(got.n, 4);
	assert_int_equal(chain_append_all(&got,
			     bytes_of(e + 4 * CHAIN_ENTRY_LEN,
				 CHAIN_ENTRY_LEN)), 0);
	assert_memory_equal(got.last, c.last, HASH_LEN);
}

static void
stops_at_the_limit(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), b = device();

	(void)state;
	assert_int_equal(append(&c, CHAIN_ADD, &a, &a), 0);
	c.n = CHAIN_MAX - 1;
	assert_int_equal(append(&c, CHAIN_ADD, &b, &a), 0);
	assert_int_equal(append(&c, CHAIN_REVOKE, &b, &a), FAULT_LIMIT);
}

/* Adds devices by a until there is no room: half of them go again.  How many
 * are live then, and which. */
static size_t
fill(struct chain *c, const struct device *a, struct device *out)
{
	size_t n = 0;

	while (chain_has_room(c, CHAIN_ADD)) {
		struct device d = device();

		assert_int_equal(append(c, CHAIN_ADD, &d, a), 0);
		if (n != 100)
			out[n++] = d;
		else if (chain_has_room(c, CHAIN_REVOKE))
			assert_int_equal(append(c, CHAIN_REVOKE, &d, a), 0);
	}
	return n;
}

/* [devices] */
static void
a_full_chain_still_shuts_out_whoever_is_in(void **state)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct device a = device(), recovery = device(), live[100];
	size_t n;

	(void)state;
	assert_int_equal(append(&c, CHAIN_ADD, &a, &a), 0);
	assert_int_equal(append(&c, CHAIN_RECOVERY, &recovery, &a), 0);
	n = fill(&c, &a, live);
	assert_int_equal(n, 100);
	assert_true(c.n > CHAIN_MAX - 102 - CHAIN_SPARE - 2);
	for (unsigned i = 0; i < CHAIN_SPARE / 2; i++) {
		struct device next = device();

		assert_true(chain_has_room(&c, CHAIN_RECOVERY));
		assert_int_equal(append(&c, CHAIN_RECOVERY, &next, &a), 0);
		assert_int_equal(append(&c, CHAIN_REVOKE, &recovery, &a), 0);
		recovery = next;
	}
	while (chain_has_room(&c, CHAIN_RECOVERY)) {
		struct device more = device();

		assert_int_equal(append(&c, CHAIN_RECOVERY, &more, &a), 0);
		assert_int_equal(append(&c, CHAIN_REVOKE, &more, &a), 0);
	}
	assert_false(chain_has_room(&c, CHAIN_ADD));
	while (n-- > 0)
		assert_int_equal(append(&c, CHAIN_REVOKE, &live[n], &a), 0);
	assert_int_equal(append(&c, CHAIN_REVOKE, &a, &a), 0);
	assert_true(c.n <= CHAIN_MAX);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(devices_come_and_go),
		cmocka_unit_test(refuses_who_may_not_sign),
		cmocka_unit_test(nobody_is_added_twice_and_none_comes_back),
		cmocka_unit_test(the_first_live_recovery_key_is_in_force),
		cmocka_unit_test(refuses_other_lengths_and_every_altered_byte),
		cmocka_unit_test(reads_a_whole_chain),
		cmocka_unit_test(stops_at_the_limit),
		cmocka_unit_test(a_full_chain_still_shuts_out_whoever_is_in),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
