// SPDX-License-Identifier: Apache-2.0
#include "test/lib/hex.h"

#include "base/fault.h"
#include "crypt/secret.h"
#include "tlog/leaf.h"

static const struct dedup_key dedup = { { 1, 2, 3 } };

static struct leaf
make(const struct leaf_log_key *log, struct leaf_key *key)
{
	struct leaf l = { .type = LEAF_RELEASE, .time = 1700000000,
		.nonce = { 9, 8, 7 }, .open = bytes_of("\1", 1) };

	leaf_key(log, l.nonce, key);
	leaf_blind(key, bytes_of("who and what", 12), &l);
	return l;
}

static void
round_trips_and_has_fixed_bytes(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(LEAF_MAX);
	struct leaf_log_key log;
	struct leaf_key key;
	struct leaf l, got;

	(void)state;
	assert_int_equal(leaf_log_key(&dedup, &log), 0);
	l = make(&log, &key);
	assert_int_equal(leaf_encode(&l, &b), 0);
	assert_int_equal(b.n, LEAF_HEAD_LEN + 1);
	hex_equal(b.p, 26, "010500000000" "6553f100"
	    "09080700000000000000000000000000");
	assert_int_equal(leaf_decode(buf_bytes(&b), &got), 0);
	assert_true(leaf_is(&got, &key));
	assert_int_equal(leaf_open(&got, &key, bytes_of("who and what", 12)),
	    0);
}

static void
only_its_keys_recognise_it(void **state)
{
	struct dedup_key other = dedup;
	struct leaf_log_key log, log2;
	struct leaf_key key, key2;
	uint8_t nonce[LEAF_NONCE_LEN] = { 1 };
	struct leaf l;

	(void)state;
	other.b[31] = 1;
	assert_int_equal(leaf_log_key(&dedup, &log), 0);
	assert_int_equal(leaf_log_key(&other, &log2), 0);
	l = make(&log, &key);
	leaf_key(&log2, l.nonce, &key2);
	assert_false(leaf_is(&l, &key2));
	leaf_key(&log, nonce, &key2);
	assert_false(leaf_is(&l, &key2));
	assert_int_equal(leaf_open(&l, &key2, bytes_of("who and what", 12)),
	    FAULT_TAMPERED);
	assert_int_equal(leaf_open(&l, &key, bytes_of("who and whom", 12)),
	    FAULT_TAMPERED);
	assert_int_equal(leaf_open(&l, &key, bytes_of("who and wha", 11)),
	    FAULT_TAMPERED);
}

/* Each bit of an entry is bound: by its form, the tag or the commitment. */
static void
refuses_every_changed_bit(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(LEAF_MAX);
	struct leaf_log_key log;
	struct leaf_key key;
	struct leaf l;

	(void)state;
	assert_int_equal(leaf_log_key(&dedup, &log), 0);
	l = make(&log, &key);
	assert_int_equal(leaf_encode(&l, &b), 0);
	for (size_t i = 0; i < b.n * 8; i++) {
		uint8_t *p = cm_exact(b.p, b.n);

		p[i / 8] ^= (uint8_t)(1 << i % 8);
		if (leaf_decode(bytes_of(p, b.n), &l) == 0) {
			leaf_key(&log, l.nonce, &key);
			assert_int_not_equal(leaf_open(&l, &key,
			    bytes_of("who and what", 12)), 0);
		}
		free(p);
	}
	for (size_t i = 0; i < b.n; i++) {
		uint8_t *p = cm_exact(b.p, i);

		assert_int_equal(leaf_decode(bytes_of(p, i), &l),
		    FAULT_MALFORMED);
		free(p);
	}
}

static void
limits(void **state)
{
	static uint8_t big[LEAF_PUBLIC_MAX + 1];
	struct buf b defer(buf_wipe) = buf_init(LEAF_MAX);
	struct leaf l = { .type = LEAF_SHRED,
		.open = bytes_of(big, sizeof(big)) };

	(void)state;
	assert_int_equal(leaf_encode(&l, &b), FAULT_LIMIT);
	l.open.n--;
	assert_int_equal(leaf_encode(&l, &b), 0);
	assert_int_equal(leaf_decode(buf_bytes(&b), &l), 0);
	b.p[0] = 2;
	assert_int_equal(leaf_decode(buf_bytes(&b), &l), FAULT_VERSION);
	l.type = 10;
	assert_int_equal(leaf_encode(&l, &b), FAULT_MALFORMED);
	l.type = 0;
	assert_int_equal(leaf_encode(&l, &b), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(round_trips_and_has_fixed_bytes),
		cmocka_unit_test(only_its_keys_recognise_it),
		cmocka_unit_test(refuses_every_changed_bit),
		cmocka_unit_test(limits),
	};

	return secret_init() != 0 || cmocka_run_group_tests(t, NULL, NULL);
}
