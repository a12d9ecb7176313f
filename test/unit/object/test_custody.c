// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "object/custody.h"

struct world {
	struct sign_key key[2], operator_key, ghost;
	struct sign_pub sign[2], operator;
	struct box_pub box[2];
	uint8_t id[2][ID_LEN], space[ID_LEN];
	struct chain chain;
	struct custody_who who;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct chain_make m = { .op = CHAIN_ADD };
	uint8_t e[CHAIN_ENTRY_LEN];
	struct sign_pub scrap;
	struct box_key box;

	for (int i = 0; i < 2; i++) {
		sign_new(&w->key[i], &w->sign[i]);
		sign_box_new(&box, &w->box[i]);
		chain_device_id(&w->sign[i], &w->box[i], w->id[i]);
		m.sign = w->sign[i];
		m.box = w->box[i];
		memcpy(m.signer, w->id[0], ID_LEN);
		if (chain_make_entry(&w->chain, &m, &w->key[0], e) != 0 ||
		    chain_append(&w->chain, bytes_of(e, sizeof(e))) != 0)
			return -1;
	}
	sign_new(&w->operator_key, &w->operator);
	sign_new(&w->ghost, &scrap);
	data_fill(7, w->space, ID_LEN);
	w->who = (struct custody_who){ .chain = &w->chain,
		.policy = &w->operator, .delay = 1000 };
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	chain_wipe(&w->chain);
	free(w);
	return 0;
}

static struct custody
set(const struct world *w, enum custody_mode mode, uint8_t k, uint8_t n)
{
	struct custody c = { .mode = mode, .k = k, .n = n, .serial = 1,
		.epoch = 1, .time = 100, .effective = 100,
		.kind = CUSTODY_DEVICE };

	memcpy(c.space, w->space, ID_LEN);
	memcpy(c.signer, w->id[0], ID_LEN);
	for (uint8_t i = 0; i < n && i < CUSTODY_HOLDERS_MAX; i++) {
		c.holder[i].signing.b[0] = (uint8_t)(i + 1);
		c.holder[i].jurisdiction[0] = 'c';
		c.holder[i].jurisdiction[1] = (char)('a' + i);
	}
	return c;
}

static struct custody
after(const struct world *w, const struct custody *prev)
{
	struct custody c = set(w, CUSTODY_SEALED, 1, 1);

	c.serial = prev->serial + 1;
	custody_hash(prev, c.prev);
	return c;
}

static void
comes_back_as_it_was(void **state)
{
	struct world *w = *state;
	struct custody c = set(w, CUSTODY_SPLIT, 2, 16), d;
	bool live = false;

	assert_int_equal(custody_sign(&c, &w->key[0]), 0);
	assert_int_equal(c.len, CUSTODY_MAX);
	assert_int_equal(custody_decode(bytes_of(c.raw, c.len), &d), 0);
	assert_true(custody_same(&c, &d));
	assert_int_equal(d.k, 2);
	assert_string_equal(d.holder[15].jurisdiction, "cp");
	assert_int_equal(custody_check(&d, &w->who, &live), 0);
	assert_true(live);
	assert_int_equal(custody_find(&d, &c.holder[3].signing), 3);
	assert_int_equal(custody_find(&d, &w->operator), -1);
}

static void
refuses_any_flipped_bit(void **state)
{
	struct world *w = *state;
	struct custody c = set(w, CUSTODY_SPLIT, 2, 3), d;
	bool live;

	assert_int_equal(custody_sign(&c, &w->key[0]), 0);
	for (size_t i = 0; i < c.len * 8; i++) {
		uint8_t raw[CUSTODY_MAX];

		memcpy(raw, c.raw, c.len);
		raw[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_true(custody_decode(bytes_of(raw, c.len), &d) != 0 ||
		    custody_check(&d, &w->who, &live) != 0);
	}
	for (size_t n = 0; n < c.len; n++)
		assert_int_not_equal(custody_decode(bytes_of(c.raw, n), &d),
		    0);
}

static void
refuses_what_is_no_custody(void **state)
{
	struct world *w = *state;
	struct custody c;

	c = set(w, CUSTODY_STANDARD, 1, 2);
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_SPLIT, 1, 3);
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_SPLIT, 4, 3);
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_SPLIT, 2, 17);
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_SPLIT, 2, 3);
	memcpy(c.holder[2].jurisdiction, c.holder[0].jurisdiction, 2);
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_SPLIT, 2, 3);
	c.holder[2].signing = c.holder[0].signing;
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_STANDARD, 1, 1);
	c.holder[0].jurisdiction[0] = 'C';
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_STANDARD, 1, 1);
	c.effective++;
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_STANDARD, 1, 1);
	c.kind = CUSTODY_OPERATOR;
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
	c = set(w, CUSTODY_STANDARD, 1, 1);
	c.serial = 2;
	assert_int_equal(custody_sign(&c, &w->key[0]), FAULT_USAGE);
}

static void
only_devices_and_the_announced_may(void **state)
{
	struct world *w = *state;
	struct custody c = set(w, CUSTODY_STANDARD, 1, 1), d;
	struct chain_make m = { .op = CHAIN_REVOKE };
	uint8_t e[CHAIN_ENTRY_LEN];
	bool live = true;

	assert_int_equal(custody_sign(&c, &w->ghost), 0);
	assert_int_equal(custody_check(&c, &w->who, &live), FAULT_TAMPERED);
	c = set(w, CUSTODY_STANDARD, 1, 1);
	c.signer[0] ^= 1;
	assert_int_equal(custody_sign(&c, &w->ghost), 0);
	assert_int_equal(custody_check(&c, &w->who, &live), FAULT_TRUST);

	c = set(w, CUSTODY_STANDARD, 1, 1);
	assert_int_equal(custody_sign(&c, &w->key[0]), 0);
	d = after(w, &c);
	d.kind = CUSTODY_OPERATOR;
	memset(d.signer, 0, ID_LEN);
	d.effective = d.time + 999;
	assert_int_equal(custody_sign(&d, &w->operator_key), 0);
	assert_int_equal(custody_check(&d, &w->who, &live), FAULT_TRUST);
	d.effective = d.time + 1000;
	assert_int_equal(custody_sign(&d, &w->operator_key), 0);
	assert_int_equal(custody_check(&d, &w->who, &live), 0);
	assert_int_equal(custody_sign(&d, &w->ghost), 0);
	assert_int_equal(custody_check(&d, &w->who, &live), FAULT_TAMPERED);

	d = after(w, &c);
	memcpy(d.signer, w->id[1], ID_LEN);
	assert_int_equal(custody_sign(&d, &w->key[1]), 0);
	m.sign = w->sign[1];
	m.box = w->box[1];
	memcpy(m.signer, w->id[0], ID_LEN);
	assert_int_equal(chain_make_entry(&w->chain, &m, &w->key[0], e), 0);
	assert_int_equal(chain_append(&w->chain, bytes_of(e, sizeof(e))), 0);
	assert_int_equal(custody_check(&d, &w->who, &live), 0);
	assert_false(live);
}

static void
one_follows_another(void **state)
{
	struct world *w = *state;
	struct custody a = set(w, CUSTODY_STANDARD, 1, 1), b, c;

	assert_int_equal(custody_sign(&a, &w->key[0]), 0);
	b = after(w, &a);
	assert_int_equal(custody_sign(&b, &w->key[0]), 0);
	assert_int_equal(custody_follows(NULL, &a, w->space), 0);
	assert_int_equal(custody_follows(NULL, &b, w->space), FAULT_TRUST);
	assert_int_equal(custody_follows(&a, &b, w->space), 0);
	assert_int_equal(custody_follows(&a, &a, w->space), FAULT_TRUST);
	assert_int_equal(custody_follows(&b, &a, w->space), FAULT_TRUST);
	assert_int_equal(custody_follows(&a, &b, w->id[0]), FAULT_TRUST);
	c = after(w, &b);
	c.epoch = 7;
	assert_int_equal(custody_sign(&c, &w->key[0]), 0);
	assert_int_equal(custody_follows(&b, &c, w->space), 0);
	assert_int_equal(custody_follows(&a, &c, w->space), FAULT_TRUST);
	a = after(w, &c);
	assert_int_equal(custody_sign(&a, &w->key[0]), 0);
	assert_int_equal(custody_follows(&c, &a, w->space), FAULT_TRUST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back_as_it_was, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(refuses_any_flipped_bit, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_custody,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    only_devices_and_the_announced_may, setup, teardown),
		cmocka_unit_test_setup_teardown(one_follows_another, setup,
		    teardown),
	};

	if (secret_init() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
