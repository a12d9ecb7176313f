// SPDX-License-Identifier: Apache-2.0
/* The CRCs: check values of their definitions, and what they are used for. */
#include "test/lib/cm.h"

#include <stdlib.h>

#include "crypt/hash.h"

static const char digits[] = "123456789";

static void
crcs_have_the_check_values_of_their_definitions(void **state)
{
	(void)state;
	assert_int_equal(hash_crc32c(0, digits, 9), 0xe3069283);
	assert_true(hash_crc64(0, digits, 9) == 0x995dc9bbdf1939fa);
	assert_int_equal(hash_crc32c(0, digits, 0), 0);
	assert_true(hash_crc64(0, digits, 0) == 0);
}

static void
crcs_go_on_where_they_were(void **state)
{
	uint8_t p[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * i);
	for (size_t i = 0; i <= sizeof(p); i += 37) {
		assert_int_equal(hash_crc32c(hash_crc32c(0, p, i), p + i,
				     sizeof(p) - i),
		    hash_crc32c(0, p, sizeof(p)));
		assert_true(hash_crc64(hash_crc64(0, p, i), p + i,
				sizeof(p) - i) == hash_crc64(0, p, sizeof(p)));
	}
}

/* Bursts of 1 to 64 bits, at each place and at each length of the data. */
static void
a_crc64_tells_bursts_of_64_bits(void **state)
{
	uint8_t p[300] = { 7 };

	(void)state;
	for (size_t n = 8; n <= sizeof(p); n += 73) {
		uint64_t was = hash_crc64(0, p, n);

		for (size_t at = 0; at + 8 <= n; at++) {
			for (unsigned len = 1; len <= 8; len++) {
				p[at] ^= 0x80;
				p[at + len - 1] ^= 0x5a;
				assert_true(hash_crc64(0, p, n) != was);
				p[at + len - 1] ^= 0x5a;
				p[at] ^= 0x80;
			}
		}
		assert_true(hash_crc64(0, p, n) == was);
	}
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(
		    crcs_have_the_check_values_of_their_definitions),
		cmocka_unit_test(crcs_go_on_where_they_were),
		cmocka_unit_test(a_crc64_tells_bursts_of_64_bits),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
