// SPDX-License-Identifier: Apache-2.0
/* Shares of a move that was broken off, at two of three holders: [custody],
 * Moving.  The session's head is of epoch 3. */
#include "test/unit/client/holders.h"

#include <stdlib.h>

#include "client/file.h"
#include "client/given.h"

/* Given to b and c; then the custody is the home's alone. */
static void
give(struct holders *x)
{
	assert_int_equal(given_note(&x->ses, &x->set, &x->f), 0);
	assert_true(holders_has(x, "given"));
	holders_set(x, CUSTODY_STANDARD, 1);
}

static size_t
settle(struct holders *x, int want)
{
	size_t left = 99;

	assert_int_equal(given_settle(&x->ses, NULL, &left, &x->f), want);
	return left;
}

static void
ends_what_has_ended_and_keeps_the_rest_in_mind(void **state)
{
	struct holders *x = *state;

	give(x);
	assert_int_equal(settle(x, 0), 2);
	assert_string_equal(x->log, "b-1 c-1 b-2 c-2");
	assert_true(holders_has(x, "receipt-1-b"));
	assert_true(holders_has(x, "receipt-2-c"));
	holders_forget(x);
	assert_int_equal(settle(x, 0), 2);
	assert_string_equal(x->log, "");
}

static void
has_nothing_of_who_holds_destroyed(void **state)
{
	struct holders *x = *state;

	assert_int_equal(given_note(&x->ses, &x->set, &x->f), 0);
	assert_int_equal(settle(x, 0), 0);
	assert_string_equal(x->log, "");
	assert_false(holders_has(x, "given"));
}

static void
asks_again_who_was_away(void **state)
{
	struct holders *x = *state;

	give(x);
	x->h[1].rc = FAULT_AUTHORITY;
	x->h[2].rc = FAULT_DENIED; /* it was never given any */
	assert_int_equal(settle(x, FAULT_PARTIAL), 2);
	assert_non_null(strstr(x->f.text, "b, in bb"));
	x->h[1].rc = 0;
	holders_forget(x);
	assert_int_equal(settle(x, 0), 2);
	assert_string_equal(x->log, "b-1 b-2");
}

static void
believes_no_receipt_that_does_not_hold(void **state)
{
	struct holders *x = *state;

	give(x);
	x->h[1].lie = HOLDER_FLIPPED;
	(void)settle(x, FAULT_TRUST);
	assert_false(holders_has(x, "receipt-1-b"));
	x->h[1].lie = HOLDER_HONEST;
	assert_int_equal(settle(x, 0), 2);
	assert_true(holders_has(x, "receipt-1-b"));
}

static void
notes_once_and_no_more_than_it_can_keep(void **state)
{
	struct givens *g = calloc(1, sizeof(*g));
	struct buf b defer(buf_wipe) = buf_init(65536);
	struct holders *x = *state;

	assert_non_null(g);
	give(x);
	holders_set(x, CUSTODY_SPLIT, HOLDERS);
	give(x);
	assert_int_equal(file_load(x->st->fd, "given", FILE_GIVEN, &b, &x->f),
	    0);
	assert_int_equal(given_parse(buf_bytes(&b), g), 0);
	assert_int_equal(g->n, 6);
	for (; g->n < GIVEN_MAX; g->n++)
		g->one[g->n].epoch = (uint32_t)g->n;
	b.n = 0;
	assert_int_equal(given_format(g, &b), 0);
	assert_int_equal(file_save(x->st->fd, "given", FILE_GIVEN,
	    buf_bytes(&b), &x->f), 0);
	holders_set(x, CUSTODY_SPLIT, HOLDERS);
	x->epoch[2].epoch = 9;
	assert_int_equal(given_note(&x->ses, &x->set, &x->f), FAULT_LIMIT);
	free(g);
}

static void
reads_only_whole_files(void **state)
{
	struct givens *g = calloc(1, sizeof(*g));
	uint8_t body[36 * (GIVEN_MAX + 1)] = { 0 };

	(void)state;
	assert_non_null(g);
	assert_int_equal(given_parse(bytes_of(body, 72), g), 0);
	assert_int_equal(g->n, 2);
	for (size_t n = 1; n < 72; n++)
		assert_int_equal(given_parse(bytes_of(body, n), g),
		    n == 36 ? 0 : FAULT_MALFORMED);
	assert_int_equal(given_parse(bytes_of(body, sizeof(body)), g),
	    FAULT_LIMIT);
	free(g);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, holders_setup, \
    holders_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_what_has_ended_and_keeps_the_rest_in_mind),
		TEST(has_nothing_of_who_holds_destroyed),
		TEST(asks_again_who_was_away),
		TEST(believes_no_receipt_that_does_not_hold),
		TEST(notes_once_and_no_more_than_it_can_keep),
		TEST(reads_only_whole_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
