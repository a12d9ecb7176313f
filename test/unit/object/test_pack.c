// SPDX-License-Identifier: Apache-2.0
/* Packs, and the places and refs into them. */
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "object/pack.h"
#include "object/ref.h"

static void
rounds_up_by_at_most_an_eighth(void **state)
{
	static const uint64_t want[][2] = { { 0, 0 }, { 1, 1 }, { 2, 2 },
		{ 3, 3 }, { 8, 8 }, { 9, 10 }, { 100, 104 }, { 1000, 1024 },
		{ 65536, 65536 }, { 65537, 67584 }, { 16777215, PACK_SIZE },
		{ 16777216, PACK_SIZE } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(pack_padme(want[i][0]), want[i][1]);
	for (uint64_t n = 1; n <= PACK_SIZE; n += 997) {
		assert_in_range(pack_padme(n), n, n + n / 8 + 1);
		assert_in_range(pack_padme(n), 1, PACK_SIZE);
	}
}

static void
takes_sealings_until_it_is_full(void **state)
{
	struct pack k;
	struct place p;
	uint8_t *big = data_new(1, 1 << 20), id[ID_LEN];
	struct bytes whole;

	(void)state;
	assert_int_equal(pack_init(&k), 0);
	assert_int_equal(pack_finish(&k, true).n, 0);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(
		    pack_append(&k, bytes_of(big, 1 << 20), &p), 0);
		assert_int_equal(p.offset, i << 20);
		assert_memory_equal(p.object, k.id, ID_LEN);
		assert_true(place_valid(&p));
	}
	assert_int_equal(pack_room(&k), 0);
	assert_int_equal(pack_append(&k, bytes_of(big, 17), &p), FAULT_LIMIT);
	whole = pack_finish(&k, true);
	assert_int_equal(whole.n, PACK_SIZE);
	assert_memory_equal(whole.p + (15 << 20), big, 1 << 20);
	memcpy(id, k.id, ID_LEN);
	pack_begin(&k);
	assert_int_equal(pack_room(&k), PACK_SIZE);
	assert_memory_not_equal(id, k.id, ID_LEN);
	free(big);
	pack_wipe(&k);
}

static void
fills_up_with_noise(void **state)
{
	struct pack k;
	struct place p;
	struct bytes out;
	size_t ones = 0;

	(void)state;
	assert_int_equal(pack_init(&k), 0);
	memset(pack_tail(&k), 0, 17);
	p = pack_commit(&k, 17);
	assert_int_equal(p.length, 17);
	out = pack_finish(&k, true);
	assert_int_equal(out.n, PACK_MIN);
	out = pack_finish(&k, false);
	assert_int_equal(out.n, PACK_SIZE);
	for (size_t i = 17; i < out.n; i++)
		ones += (size_t)__builtin_popcount(out.p[i]);
	assert_in_range(ones, out.n * 39 / 10, out.n * 41 / 10);
	pack_begin(&k);
	memset(pack_tail(&k), 0, 20000);
	(void)pack_commit(&k, 20000);
	assert_int_equal(pack_finish(&k, true).n, pack_padme(20000));
	pack_wipe(&k);
}

static int
decode(struct bytes in)
{
	struct ref r;

	return ref_decode(in, &r);
}

static int
recode(const struct ref *r)
{
	uint8_t out[REF_LEN];

	ref_encode(r, out);
	return decode(bytes_of(out, REF_LEN));
}

static void
refs_come_back_as_they_were(void **state)
{
	struct ref r = data_ref(5), got;
	uint8_t out[REF_LEN], again[REF_LEN];

	(void)state;
	ref_encode(&r, out);
	data_refuses_other_lengths(bytes_of(out, REF_LEN), decode);
	assert_int_equal(ref_decode(bytes_of(out, REF_LEN), &got), 0);
	ref_encode(&got, again);
	assert_memory_equal(out, again, REF_LEN);
}

static void
refuses_places_outside_of_a_pack(void **state)
{
	struct ref r = data_ref(6);

	(void)state;
	r.plain_len = 1000;
	r.place.length = 16;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
	r.place.length = 17;
	r.place.offset = PACK_SIZE - 17;
	assert_int_equal(recode(&r), 0);
	r.place.offset++;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
	r.place.offset = UINT32_MAX;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
	r.place.offset = 0;
	r.place.length = 1017;
	assert_int_equal(recode(&r), 0);
	r.place.length = 1018;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
	r.place.length = UINT32_MAX;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
	r.place.length = 17;
	r.plain_len = 0;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
	r.plain_len = COMMIT_MAX;
	assert_int_equal(recode(&r), 0);
	r.plain_len++;
	assert_int_equal(recode(&r), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(rounds_up_by_at_most_an_eighth),
		cmocka_unit_test(takes_sealings_until_it_is_full),
		cmocka_unit_test(fills_up_with_noise),
		cmocka_unit_test(refs_come_back_as_they_were),
		cmocka_unit_test(refuses_places_outside_of_a_pack),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
