// SPDX-License-Identifier: Apache-2.0
/* Paths, ranges, digests: what is read from a request's head. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "depot/digest.h"
#include "depot/path.h"
#include "depot/range.h"

#define P "00112233445566778899aabbccddeeff"
#define O "ffeeddccbbaa99887766554433221100"

static int
parse(const char *target, struct path *out)
{
	uint8_t *q = cm_exact(target, strlen(target));
	int rc = path_parse(bytes_of(q, strlen(target)), out);

	free(q);
	return rc;
}

static void
reads_each_kind_of_path(void **state)
{
	struct path p;

	(void)state;
	assert_int_equal(parse("/healthz", &p), 0);
	assert_int_equal(p.kind, PATH_HEALTHZ);
	assert_int_equal(parse("/v1/" P "/" O, &p), 0);
	assert_int_equal(p.kind, PATH_OBJECT);
	assert_int_equal(p.prefix[15], 0xff);
	assert_int_equal(p.id[0], 0xff);
	assert_int_equal(parse("/v1/" P "/head", &p), 0);
	assert_int_equal(p.kind, PATH_HEAD);
	assert_int_equal(parse("/v1/" P, &p), 0);
	assert_int_equal(p.kind, PATH_LIST);
	assert_int_equal(p.limit, 1000);
	assert_false(p.has_after);
	assert_int_equal(parse("/v1/" P "?limit=7&after=" O, &p), 0);
	assert_int_equal(p.limit, 7);
	assert_true(p.has_after);
	assert_int_equal(p.id[1], 0xee);
}

static void
refuses_every_prefix_of_a_path(void **state)
{
	static const char full[] = "/v1/" P "/" O;
	struct path p;

	(void)state;
	for (size_t n = 0; n < sizeof(full) - 1; n++) {
		uint8_t *q = cm_exact(full, n);
		int rc = path_parse(bytes_of(q, n), &p);

		free(q);
		if (n == strlen("/v1/" P))
			assert_int_equal(rc, 0);
		else
			assert_true(rc == FAULT_MALFORMED ||
			    (n < 4 && rc == FAULT_NOT_FOUND));
	}
	assert_int_equal(parse("/v1/" P "/" O "0", &p), FAULT_MALFORMED);
	assert_int_equal(parse("/v1/" P "/head?", &p), FAULT_MALFORMED);
	assert_int_equal(parse("/v1/" P "?limit=1001", &p), FAULT_MALFORMED);
	assert_int_equal(parse("/v1/" P "?after=" O "&after=" O, &p),
	    FAULT_MALFORMED);
}

static void
cuts_ranges_at_the_end(void **state)
{
	struct range r;

	(void)state;
	assert_int_equal(range_parse("bytes=2-5", 4, &r), RANGE_PART);
	assert_int_equal(r.first, 2);
	assert_int_equal(r.len, 2);
	assert_int_equal(range_parse("bytes=-9", 4, &r), RANGE_PART);
	assert_int_equal(r.first, 0);
	assert_int_equal(r.len, 4);
	assert_int_equal(range_parse("bytes=3-", 4, &r), RANGE_PART);
	assert_int_equal(r.len, 1);
	assert_int_equal(range_parse("bytes=4-", 4, &r), RANGE_OUTSIDE);
	assert_int_equal(range_parse("bytes=0-0", 0, &r), RANGE_OUTSIDE);
	assert_int_equal(range_parse("bytes=-1", 0, &r), RANGE_OUTSIDE);
	assert_int_equal(range_parse("bytes=18446744073709551616-", 4, &r),
	    RANGE_OUTSIDE);
	assert_int_equal(range_parse("bytes=1-0", 4, &r), RANGE_WHOLE);
	assert_int_equal(range_parse("bytes=0-1,2-3", 4, &r), RANGE_WHOLE);
	assert_int_equal(range_parse("bytes", 4, &r), RANGE_WHOLE);
}

static void
refuses_other_forms(const char *good, char last, char unused)
{
	char v[64], again[DIGEST_FIELD_MAX + 1];
	size_t n = strlen(good);
	struct digest d;

	assert_int_equal(digest_parse(good, &d), 0);
	digest_format(&d, again);
	assert_string_equal(again, good);
	for (size_t i = 0; i < n; i++) {
		memcpy(v, good, n + 1);
		v[i] = (char)(v[i] ^ 0x80);
		assert_int_equal(digest_parse(v, &d), FAULT_MALFORMED);
		v[i] = '\0';
		assert_int_equal(digest_parse(v, &d), FAULT_MALFORMED);
	}
	/* The last digit's unused bits. */
	memcpy(v, good, n + 1);
	*strrchr(v, last) = unused;
	assert_int_equal(digest_parse(v, &d), FAULT_MALFORMED);
}

static void
takes_a_digest_in_two_forms_only(void **state)
{
	static const char sha[] =
	    "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
	struct digest d;

	(void)state;
	refuses_other_forms(sha, 'U', 'V');
	refuses_other_forms("crc32c=:4waSgw==:", 'w', 'x');
	assert_int_equal(digest_parse(sha, &d), 0);
	assert_int_equal(d.kind, DIGEST_SHA256);
	assert_int_equal(d.b[0], 0xe3);
	assert_int_equal(digest_parse("crc32c=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NM"
	    "pJWZG3hSuFU=:", &d), FAULT_MALFORMED);
	assert_int_equal(digest_parse("sha-256=:4waSgw==:", &d),
	    FAULT_MALFORMED);
}

/* 123456789 is the example of every list of checksums. */
static void
sums_in_pieces(void **state)
{
	struct digest_sum s defer(digest_sum_wipe) = { 0 };
	struct digest want;

	(void)state;
	assert_int_equal(digest_parse("crc32c=:4waSgw==:", &want), 0);
	assert_int_equal(digest_sum_init(&s, DIGEST_CRC32C), 0);
	digest_sum_add(&s, "1234", 4);
	digest_sum_add(&s, "", 0);
	digest_sum_add(&s, "56789", 5);
	assert_true(digest_sum_is(&s, &want));
	digest_sum_add(&s, "0", 1);
	assert_false(digest_sum_is(&s, &want));
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_each_kind_of_path),
		cmocka_unit_test(refuses_every_prefix_of_a_path),
		cmocka_unit_test(cuts_ranges_at_the_end),
		cmocka_unit_test(takes_a_digest_in_two_forms_only),
		cmocka_unit_test(sums_in_pieces),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
