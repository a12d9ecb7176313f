// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "client/lease.h"
#include "crypt/secret.h"

static struct lease *
sample(void)
{
	struct lease *l = secret_new(sizeof(*l));

	memset(l->account, 1, ID_LEN);
	memset(l->space, 2, ID_LEN);
	memset(l->device, 3, ID_LEN);
	l->seconds = 3600;
	(void)snprintf(l->depot, sizeof(l->depot), "onshore");
	(void)snprintf(l->capability, sizeof(l->capability), "v4.public.x");
	l->nepochs = 2;
	l->epoch[0] = 1;
	l->epoch[1] = 7;
	memset(l->key[1].b, 9, KEY_LEN);
	return l;
}

static struct buf
encoded(void)
{
	struct lease *l = sample();
	const struct lease_message m = { .type = LEASE_PUT, .lease = l };
	struct buf b = buf_init(LEASE_FRAME_MAX + 4);

	assert_int_equal(lease_encode(&m, &b), 0);
	secret_free(l);
	return b;
}

static int
decode(const uint8_t *p, size_t n, struct lease *l)
{
	struct lease_message m = { .lease = l };
	uint8_t *copy = cm_exact(p, n);
	int rc = lease_decode(bytes_of(copy, n), &m);

	free(copy);
	return rc;
}

static void
reads_what_it_wrote(void **state)
{
	struct buf b = encoded();
	struct lease *want = sample(), *got = secret_new(sizeof(*got));

	(void)state;
	assert_int_equal(decode(b.p + 4, b.n - 4, got), 0);
	assert_memory_equal(got, want, sizeof(*want));
	secret_free(want);
	secret_free(got);
	buf_wipe(&b);
}

static void
refuses_every_prefix_and_a_byte_more(void **state)
{
	struct buf b = encoded();
	struct lease *got = secret_new(sizeof(*got));
	static const struct lease none;

	(void)state;
	for (size_t n = 0; n < b.n - 4; n++) {
		assert_int_equal(decode(b.p + 4, n, got), FAULT_MALFORMED);
		assert_memory_equal(got, &none, sizeof(none));
	}
	assert_int_equal(buf_append(&b, "", 1), 0);
	assert_int_equal(decode(b.p + 4, b.n - 4, got), FAULT_MALFORMED);
	secret_free(got);
	buf_wipe(&b);
}

static void
refuses_values_out_of_range(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		int rc;
	} bad[] = {
		{ 0, 2, FAULT_VERSION },
		{ 1, 9, FAULT_MALFORMED },
		{ 1, 0x85, FAULT_MALFORMED },
		{ 1, LEASE_DROP, FAULT_MALFORMED },
		{ 50, 0xff, FAULT_MALFORMED },  /* seconds */
		{ 70, 0, FAULT_MALFORMED },     /* length of the depot's name */
		{ 70, 65, FAULT_MALFORMED },
		{ 71, '\n', FAULT_MALFORMED },  /* in the name */
	};
	struct lease *got = secret_new(sizeof(*got));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf b = encoded();

		b.p[4 + bad[i].at] = bad[i].byte;
		assert_int_equal(decode(b.p + 4, b.n - 4, got), bad[i].rc);
		buf_wipe(&b);
	}
	secret_free(got);
}

static void
refuses_epochs_that_do_not_ascend(void **state)
{
	struct lease *l = sample(), *got = secret_new(sizeof(*got));
	const struct lease_message m = { .type = LEASE_PUT, .lease = l };
	struct buf b = buf_init(LEASE_FRAME_MAX + 4);

	(void)state;
	l->epoch[1] = 1;
	assert_int_equal(lease_encode(&m, &b), 0);
	assert_int_equal(decode(b.p + 4, b.n - 4, got), FAULT_MALFORMED);
	buf_wipe(&b);
	secret_free(l);
	secret_free(got);
}

static void
the_longest_lease_fits_a_frame(void **state)
{
	struct lease *l = sample();
	const struct lease_message m = { .type = LEASE_LEASE, .lease = l };
	struct buf b = buf_init(LEASE_FRAME_MAX + 4);

	(void)state;
	memset(l->depot, 'd', LEASE_DEPOT_MAX);
	memset(l->capability, 'c', LEASE_CAPABILITY_MAX);
	l->nepochs = LEASE_EPOCHS_MAX;
	for (uint32_t i = 0; i < LEASE_EPOCHS_MAX; i++)
		l->epoch[i] = i + 1;
	assert_int_equal(lease_encode(&m, &b), 0);
	assert_int_equal(decode(b.p + 4, b.n - 4, l), 0);
	buf_wipe(&b);
	secret_free(l);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(refuses_every_prefix_and_a_byte_more),
		cmocka_unit_test(refuses_values_out_of_range),
		cmocka_unit_test(refuses_epochs_that_do_not_ascend),
		cmocka_unit_test(the_longest_lease_fits_a_frame),
	};

	return secret_init() != 0 || cmocka_run_group_tests(t, NULL, NULL);
}
