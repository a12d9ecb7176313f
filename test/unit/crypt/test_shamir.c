// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/shamir.h"
#include "test/lib/fixedrandom.h"

/* Multiplication from the definition, to hold the library's field against. */
static uint8_t
times(uint8_t a, uint8_t b)
{
	unsigned r = 0, x = a;

	for (; b != 0; b >>= 1) {
		if (b & 1)
			r ^= x;
		x <<= 1;
		if (x & 0x100)
			x ^= 0x11d;
	}
	return (uint8_t)r;
}

static void
evaluates_as_specified(void **state)
{
	struct key_share coef[5], out[16];

	(void)state;
	secret_random(coef, sizeof(coef));
	assert_int_equal(shamir_split_by(coef, 5, 16, out), 0);
	for (unsigned i = 0; i < 16; i++)
		for (unsigned b = 0; b < KEY_LEN; b++) {
			uint8_t y = 0;

			for (unsigned j = 5; j-- > 0;)
				y = times(y, (uint8_t)(i + 1)) ^ coef[j].b[b];
			assert_int_equal(out[i].b[b], y);
		}
}

/* Any k of them, in any order. */
static void
any_k_shares_join(void **state)
{
	struct space_key key, got;

	(void)state;
	for (unsigned n = 2; n <= 6; n++)
		for (unsigned k = 2; k <= n; k++) {
			struct key_share all[6], some[6];

			secret_random(&key, sizeof(key));
			assert_int_equal(shamir_split(&key, k, n, all), 0);
			for (unsigned set = 0; set < 1u << n; set++) {
				uint8_t index[6];
				unsigned have = 0;

				if ((unsigned)__builtin_popcount(set) != k)
					continue;
				for (unsigned i = n; i-- > 0;)
					if (set >> i & 1) {
						index[have] = (uint8_t)(i + 1);
						some[have++] = all[i];
					}
				assert_int_equal(shamir_join(index, some, k,
				    &got), 0);
				assert_memory_equal(&got, &key, sizeof(key));
			}
		}
}

/* With one share less, every key is still as likely: for any key there is a
 * missing share that gives it. */
static void
fewer_tell_nothing(void **state)
{
	struct space_key key = { { 1 } }, got;
	struct key_share all[3], some[2];
	const uint8_t index[2] = { 1, 2 };
	bool seen[256] = { false };

	(void)state;
	assert_int_equal(shamir_split(&key, 2, 3, all), 0);
	some[0] = all[0];
	for (unsigned v = 0; v < 256; v++) {
		memset(&some[1], (int)v, sizeof(some[1]));
		assert_int_equal(shamir_join(index, some, 2, &got), 0);
		assert_false(seen[got.b[7]]);
		seen[got.b[7]] = true;
	}
}

static void
refuses_wrong_numbers(void **state)
{
	struct space_key key = { { 1 } };
	struct key_share s[17] = { 0 };

	(void)state;
	assert_int_equal(shamir_split(&key, 1, 3, s), FAULT_USAGE);
	assert_int_equal(shamir_split(&key, 4, 3, s), FAULT_USAGE);
	assert_int_equal(shamir_split(&key, 2, 17, s), FAULT_USAGE);
	assert_int_equal(shamir_join((uint8_t[]){ 1, 1 }, s, 2, &key),
	    FAULT_USAGE);
	assert_int_equal(shamir_join((uint8_t[]){ 0, 1 }, s, 2, &key),
	    FAULT_USAGE);
	assert_int_equal(shamir_join((uint8_t[]){ 1, 17 }, s, 2, &key),
	    FAULT_USAGE);
	assert_int_equal(shamir_join((uint8_t[]){ 1 }, s, 1, &key),
	    FAULT_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evaluates_as_specified),
		cmocka_unit_test(any_k_shares_join),
		cmocka_unit_test(fewer_tell_nothing),
		cmocka_unit_test(refuses_wrong_numbers),
	};

	if (secret_init() != 0 || fixedrandom_use() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
