// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "object/head.h"

struct world {
	struct bulk *b;
	struct space_key key;
	struct sign_key sign;
	struct sign_pub pub;
	struct head h;
	bool revoked;
	uint8_t out[HEAD_LEN];
};

static int
find(void *arg, const uint8_t device[static ID_LEN], struct sign_pub *out)
{
	const struct world *w = arg;

	if (w->revoked || memcmp(device, w->h.device, ID_LEN) != 0)
		return FAULT_TRUST;
	*out = w->pub;
	return 0;
}

static struct world
make(void)
{
	struct world w = { .b = bulk_new(BULK_BEST) };

	data_fill(1, &w.key, sizeof(w.key));
	sign_new(&w.sign, &w.pub);
	data_fill(2, &w.h, sizeof(w.h));
	w.h.epoch = 3;
	w.h.number = 9;
	w.h.commit = data_ref(4);
	head_new_salt(&w.h);
	assert_int_equal(head_seal(w.b, &w.key, &w.sign, &w.h, w.out), 0);
	return w;
}

static int
reopen(struct world *w, size_t n, struct head *out)
{
	const struct head_lookup who = { find, w };
	uint8_t *in = cm_exact(w->out, n);
	int rc = head_open(w->b, &w->key, w->h.space, who, bytes_of(in, n),
	    out);

	free(in);
	return rc;
}

static void
opens_to_what_was_sealed(void **state)
{
	struct world w = make();
	struct head got;
	uint8_t again[HEAD_LEN];
	uint32_t epoch;
	uint64_t number;

	(void)state;
	assert_int_equal(reopen(&w, HEAD_LEN, &got), 0);
	assert_int_equal(got.number, 9);
	assert_memory_equal(got.commit.hash, w.h.commit.hash, HASH_LEN);
	assert_int_equal(head_seal(w.b, &w.key, &w.sign, &got, again), 0);
	assert_memory_equal(again, w.out, HEAD_LEN);
	assert_int_equal(head_clear(bytes_of(w.out, HEAD_LEN), &epoch,
			     &number), 0);
	assert_int_equal(epoch, 3);
	assert_int_equal(number, 9);
	bulk_free(w.b);
}

static void
refuses_every_other_length(void **state)
{
	struct world w = make();
	const struct head_lookup who = { find, &w };
	uint8_t more[HEAD_LEN + 1] = { 0 };
	uint32_t epoch;
	uint64_t number;
	struct head got;

	(void)state;
	for (size_t n = 0; n < HEAD_LEN; n++) {
		uint8_t *p = cm_exact(w.out, n);

		assert_int_equal(reopen(&w, n, &got), FAULT_MALFORMED);
		assert_int_equal(head_clear(bytes_of(p, n), &epoch, &number),
		    FAULT_MALFORMED);
		free(p);
	}
	memcpy(more, w.out, HEAD_LEN);
	assert_int_equal(head_open(w.b, &w.key, w.h.space, who,
			     bytes_of(more, sizeof(more)), &got),
	    FAULT_MALFORMED);
	bulk_free(w.b);
}

static void
refuses_every_altered_byte(void **state)
{
	struct world w = make();
	struct head got;

	(void)state;
	for (size_t i = 0; i < HEAD_LEN; i++) {
		int want = i == 0 ? FAULT_VERSION
		    : i < 4       ? FAULT_MALFORMED
				  : FAULT_TAMPERED;

		w.out[i] ^= 0x10;
		assert_int_equal(reopen(&w, HEAD_LEN, &got), want);
		w.out[i] ^= 0x10;
	}
	memset(w.out + 8, 0, 8);
	assert_int_equal(reopen(&w, HEAD_LEN, &got), FAULT_MALFORMED);
	bulk_free(w.b);
}

static void
refuses_who_may_not_sign(void **state)
{
	struct world w = make();
	struct sign_pub other;
	struct sign_key key;
	struct head got;

	(void)state;
	w.revoked = true;
	assert_int_equal(reopen(&w, HEAD_LEN, &got), FAULT_TRUST);
	w.revoked = false;
	w.h.space[3] ^= 1;
	assert_int_equal(reopen(&w, HEAD_LEN, &got), FAULT_TRUST);
	w.h.space[3] ^= 1;
	w.key.b[0] ^= 1;
	assert_int_equal(reopen(&w, HEAD_LEN, &got), FAULT_TAMPERED);
	w.key.b[0] ^= 1;
	/* Another key under the name of this device. */
	sign_new(&key, &other);
	assert_int_equal(head_seal(w.b, &w.key, &key, &w.h, w.out), 0);
	assert_int_equal(reopen(&w, HEAD_LEN, &got), FAULT_TAMPERED);
	bulk_free(w.b);
}

static void
only_the_first_has_none_before_it(void **state)
{
	struct world w = make();
	struct head got;

	(void)state;
	w.h.number = 1;
	memset(w.h.prev, 0, HASH_LEN);
	assert_int_equal(head_seal(w.b, &w.key, &w.sign, &w.h, w.out), 0);
	assert_int_equal(reopen(&w, HEAD_LEN, &got), 0);
	head_hash(bytes_of(w.out, HEAD_LEN), w.h.prev);
	w.h.number = 2;
	assert_int_equal(head_seal(w.b, &w.key, &w.sign, &w.h, w.out), 0);
	assert_int_equal(reopen(&w, HEAD_LEN, &got), 0);
	assert_memory_equal(got.prev, w.h.prev, HASH_LEN);
	bulk_free(w.b);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(opens_to_what_was_sealed),
		cmocka_unit_test(refuses_every_other_length),
		cmocka_unit_test(refuses_every_altered_byte),
		cmocka_unit_test(refuses_who_may_not_sign),
		cmocka_unit_test(only_the_first_has_none_before_it),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
