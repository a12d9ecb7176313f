// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/site.h"

#include "client/leaving.h"

static struct custody
set_of(uint32_t serial, const struct custody *before)
{
	struct custody c = { .mode = CUSTODY_STANDARD, .k = 1, .n = 1,
		.serial = serial, .epoch = 1, .time = 5, .effective = 5,
		.kind = CUSTODY_DEVICE,
		.holder[0] = { .signing = { { 1 } }, .jurisdiction = "ch" } };
	const struct sign_key key = { { 2 } };

	if (before != NULL)
		custody_hash(before, c.prev);
	assert_int_equal(custody_sign(&c, &key), 0);
	return c;
}

static void
format(const struct leavings *l, struct buf *out)
{
	*out = buf_init(100000);
	assert_int_equal(leaving_format(l, out), 0);
}

static void
gives_back_what_was_noted(void **state)
{
	const struct custody old = set_of(1, NULL), set = set_of(2, &old);
	struct leaving one = { .old = old, .set = set, .sure = true, .n = 2,
		.epoch = { 3, 4 } };
	const struct leavings l = { .n = 1, .one = &one };
	struct leavings got;
	struct buf b;

	(void)state;
	format(&l, &b);
	assert_int_equal(leaving_parse(buf_bytes(&b), &got), 0);
	assert_int_equal(got.n, 1);
	assert_true(custody_same(&got.one[0].set, &set));
	assert_true(got.one[0].sure);
	assert_int_equal(got.one[0].epoch[1], 4);
	leaving_wipe(&got);
	buf_wipe(&b);
}

static void
refuses_truncation_and_what_follows(void **state)
{
	const struct custody old = set_of(1, NULL), set = set_of(2, &old);
	struct leaving one = { .old = old, .set = set, .n = 1,
		.epoch = { 1 } };
	const struct leavings l = { .n = 1, .one = &one };
	struct leavings got;
	struct buf b;

	(void)state;
	format(&l, &b);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *p = cm_exact(b.p, n);

		assert_int_equal(leaving_parse(bytes_of(p, n), &got),
		    FAULT_MALFORMED);
		free(p);
	}
	assert_int_equal(buf_append(&b, "", 1), 0);
	assert_int_equal(leaving_parse(buf_bytes(&b), &got),
	    FAULT_MALFORMED);
	buf_wipe(&b);
}

static void
parse_bad(const struct leaving *one)
{
	const struct leavings l = { .n = 1, .one = (struct leaving *)one };
	struct leavings got;
	struct buf b;

	format(&l, &b);
	assert_int_equal(leaving_parse(buf_bytes(&b), &got),
	    FAULT_MALFORMED);
	buf_wipe(&b);
}

static void
refuses_a_holder_or_a_set_that_cannot_be(void **state)
{
	const struct custody old = set_of(1, NULL), set = set_of(2, &old),
			     third = set_of(3, &set);
	const struct leaving good = { .old = old, .set = set, .n = 1,
		.epoch = { 1 } };
	struct leaving x = good;

	(void)state;
	x.index = 1;
	parse_bad(&x);
	x = good;
	x.set = third;
	parse_bad(&x);
	x = good;
	x.n = 0;
	parse_bad(&x);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(gives_back_what_was_noted),
		cmocka_unit_test(refuses_truncation_and_what_follows),
		cmocka_unit_test(refuses_a_holder_or_a_set_that_cannot_be),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
