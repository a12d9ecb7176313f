// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/site.h"

#include "client/auditaccept.h"

static const uint8_t ids[3][AUDITACCEPT_ID_LEN] = { { 3 }, { 1 }, { 2 } };

static void
keeps_what_was_accepted(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct auditaccept a = { 0 }, b = { 0 };
	struct fault f = { 0 };

	assert_int_equal(auditaccept_load(st, AUDITACCEPT_ACCEPTED,
	    &a, &f), 0);
	assert_int_equal(a.n, 0);
	assert_null(auditaccept_find(&a, ids[0]));
	assert_int_equal(auditaccept_keep(st, AUDITACCEPT_ACCEPTED,
	    ids, 2, 5, &f), 0);
	assert_int_equal(auditaccept_keep(st, AUDITACCEPT_ACCEPTED,
	    ids, 3, 9, &f), 0);
	assert_int_equal(auditaccept_load(st, AUDITACCEPT_ACCEPTED,
	    &b, &f), 0);
	assert_int_equal(b.n, 3);
	assert_int_equal(auditaccept_find(&b, ids[1])->time, 5);
	assert_int_equal(auditaccept_find(&b, ids[2])->time, 9);
	assert_null(auditaccept_find(&b, (const uint8_t[8]){ 4 }));
	auditaccept_wipe(&a);
	assert_int_equal(auditaccept_load(st, AUDITACCEPT_TOLD, &a, &f), 0);
	assert_int_equal(a.n, 0);
	auditaccept_wipe(&a);
	auditaccept_wipe(&b);
	state_close(st);
}

static void
refuses_another_length_and_another_order(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(100);
	struct auditaccept a = { 0 }, got;

	(void)state;
	assert_int_equal(auditaccept_add(&a, ids, 3, 5), 0);
	assert_int_equal(auditaccept_format(&a, &b), 0);
	for (size_t n = 0; n <= b.n; n++) {
		uint8_t *p = cm_exact(b.p, n);
		int rc = auditaccept_parse(bytes_of(p, n), &got);

		assert_int_equal(rc, n % 16 == 0 ? 0 : FAULT_MALFORMED);
		if (rc == 0)
			auditaccept_wipe(&got);
		free(p);
	}
	b.p[0] = 3; /* as the last one: an id once, and in order */
	assert_int_equal(auditaccept_parse(buf_bytes(&b), &got),
	    FAULT_MALFORMED);
	b.p[0] = 1;
	b.p[8] = 0x80; /* a time before all times */
	assert_int_equal(auditaccept_parse(buf_bytes(&b), &got),
	    FAULT_MALFORMED);
	auditaccept_wipe(&a);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(keeps_what_was_accepted,
		    site_setup, site_teardown),
		cmocka_unit_test(refuses_another_length_and_another_order),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
