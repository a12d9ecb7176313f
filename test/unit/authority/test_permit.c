// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdbool.h>

#include "authority/permit.h"
#include "base/fault.h"

static void
allows_nothing_before_boot(void **state)
{
	(void)state;
	for (unsigned role = 0; role < 8; role++) {
		for (unsigned q = 0; q < 300; q++) {
			struct permit p = { 0 };
			bool ok = role == PERMIT_PARENT && q == PERMIT_BOOT;

			assert_int_equal(permit_ask(&p, role, q),
			    ok ? 0 : FAULT_DENIED);
			if (!ok)
				assert_int_equal(p.state, PERMIT_STARTING);
		}
	}
}

static void
boots_once(void **state)
{
	struct permit p = { 0 };

	(void)state;
	assert_int_equal(permit_ask(&p, PERMIT_PARENT, PERMIT_BOOT), 0);
	assert_int_equal(p.state, PERMIT_SERVING);
	assert_int_equal(permit_ask(&p, PERMIT_PARENT, PERMIT_BOOT),
	    FAULT_DENIED);
	p.state = PERMIT_STARTING; /* not even then */
	assert_int_equal(permit_ask(&p, PERMIT_PARENT, PERMIT_BOOT),
	    FAULT_DENIED);
}

static void
serves_the_ledger_alone(void **state)
{
	struct permit p = { 0 };

	(void)state;
	assert_int_equal(permit_ask(&p, PERMIT_PARENT, PERMIT_BOOT), 0);
	for (unsigned role = 0; role < 8; role++)
		for (unsigned q = 0; q < 300; q++)
			assert_int_equal(permit_ask(&p, role, q),
			    role == PERMIT_LEDGER && q >= PERMIT_ADMIT &&
			            q <= PERMIT_SIGN ?
			        0 :
			        FAULT_DENIED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(allows_nothing_before_boot),
		cmocka_unit_test(boots_once),
		cmocka_unit_test(serves_the_ledger_alone),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
