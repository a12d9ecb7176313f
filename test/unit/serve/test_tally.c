// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include "base/fault.h"
#include "serve/tally.h"

static const char *const names[] = { "/a", "other" };
static const struct tally_kinds kinds = { "path", names, 2 };

/* What is exposed of it. */
static const char *
text_of(struct tally *t, struct buf *b)
{
	struct expose e = { .server = "test", .out = b };

	tally_expose(t, &kinds, &e);
	assert_int_equal(e.rc, 0);
	assert_int_equal(buf_append(b, "", 1), 0);
	return (const char *)b->p;
}

static void
counts_by_kind_and_status(void **state)
{
	static struct tally t;
	struct buf b defer(buf_wipe) = buf_init(65536);
	uint64_t first = tally_begin(&t), second = tally_begin(&t);
	const char *s;

	(void)state;
	(void)tally_begin(&t);
	tally_end(&t, 0, 200, first);
	tally_end(&t, 1, 299, second);
	s = text_of(&t, &b);
	assert_non_null(strstr(s, "# TYPE skerry_test_requests_total counter\n"
	    "skerry_test_requests_total{path=\"/a\",status=\"200\"} 1\n"
	    "skerry_test_requests_total{path=\"other\",status=\"0\"} 1\n#"));
	assert_non_null(strstr(s, "\nskerry_test_requests_in_flight 1\n"));
	assert_non_null(strstr(s, "\nskerry_test_request_seconds_count 2\n"));
	assert_non_null(strstr(s,
	    "\nskerry_test_cut_total{why=\"idle\"} 0\n"));
}

/* Each bucket has those before it, too. */
static void
puts_times_into_buckets(void **state)
{
	static struct tally t;
	struct buf b defer(buf_wipe) = buf_init(65536);
	const char *s;

	(void)state;
	tally_end(&t, 0, 200, tally_begin(&t) - UINT64_C(3000000));
	tally_end(&t, 0, 200, tally_begin(&t) - UINT64_C(1200000000000));
	s = text_of(&t, &b);
	assert_non_null(strstr(s, "_bucket{le=\"0.0025\"} 0\n"));
	assert_non_null(strstr(s, "_bucket{le=\"10\"} 1\n"));
	assert_non_null(strstr(s, "_bucket{le=\"+Inf\"} 2\n"));
}

static void
keeps_the_first_failure(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(64);
	struct expose e = { .server = "test", .out = &b };

	(void)state;
	expose_sample(&e, "%300s", "x");
	assert_int_equal(e.rc, FAULT_LIMIT);
	assert_int_equal(b.n, 0);
	expose_gauge(&e, "x", "y", 1);
	assert_int_equal(b.n, 0);
	e.rc = 0;
	expose_gauge(&e, "long", "a help that is longer than there is room", 1);
	assert_int_equal(e.rc, FAULT_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(counts_by_kind_and_status),
		cmocka_unit_test(puts_times_into_buckets),
		cmocka_unit_test(keeps_the_first_failure),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
