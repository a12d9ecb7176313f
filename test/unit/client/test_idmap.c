// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <string.h>

#include "client/engine/idmap.h"
#include "crypt/hash.h"
#include "crypt/secret.h"

static void
key_of(uint64_t n, uint8_t out[static IDMAP_KEY_LEN])
{
	const struct bytes in = bytes_of(&n, sizeof(n));

	hash_sha256(&in, 1, out);
}

static void
finds_all_that_was_added_and_nothing_else(void **state)
{
	struct idmap m = idmap_init(sizeof(uint64_t));
	uint8_t key[IDMAP_KEY_LEN];

	(void)state;
	key_of(0, key);
	assert_null(idmap_find(&m, key));
	for (uint64_t i = 0; i < 20000; i++) {
		static const uint64_t zero;
		void *at;

		key_of(i, key);
		at = idmap_add(&m, key);
		assert_memory_equal(at, &zero, sizeof(zero));
		memcpy(at, &i, sizeof(i));
	}
	assert_int_equal(m.n, 20000);
	for (uint64_t i = 0; i < 20000; i++) {
		key_of(i, key);
		assert_memory_equal(idmap_find(&m, key), &i, sizeof(i));
	}
	for (uint64_t i = 20000; i < 40000; i++) {
		key_of(i, key);
		assert_null(idmap_find(&m, key));
	}
	idmap_wipe(&m);
	assert_int_equal(m.n, 0);
}

static void
gives_the_value_that_is_there_when_added_again(void **state)
{
	struct idmap m = idmap_init(1);
	uint8_t key[IDMAP_KEY_LEN] = { 7 };
	uint8_t *at = idmap_add(&m, key);

	(void)state;
	*at = 9;
	assert_int_equal(*(uint8_t *)idmap_add(&m, key), 9);
	assert_int_equal(m.n, 1);
	idmap_wipe(&m);
}

/* Keys are compared whole, and their first bytes place them. */
static void
keeps_keys_apart_that_begin_alike(void **state)
{
	struct idmap m = idmap_init(1);
	uint8_t key[IDMAP_KEY_LEN] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		key[31] = (uint8_t)i;
		*(uint8_t *)idmap_add(&m, key) = (uint8_t)(i ^ 1);
	}
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t *at;

		key[31] = (uint8_t)i;
		at = idmap_find(&m, key);
		if (i < 200)
			assert_int_equal(*at, i ^ 1);
		else
			assert_null(at);
	}
	idmap_wipe(&m);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(finds_all_that_was_added_and_nothing_else),
		cmocka_unit_test(
		    gives_the_value_that_is_there_when_added_again),
		cmocka_unit_test(keeps_keys_apart_that_begin_alike),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
