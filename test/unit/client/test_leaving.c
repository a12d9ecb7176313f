// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/holders.h"

#include "client/custodian.h"
#include "client/file.h"
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

/* Notes that all three were left, for next. */
static void
note(struct holders *x, const struct custody *next)
{
	assert_int_equal(leaving_note(&x->ses, &x->set, next, &x->f), 0);
	assert_string_equal(x->log, "");
}

static void
pin(struct holders *x, const struct custody *next)
{
	struct custodian c;

	assert_int_equal(custodian_pin(x->st, next, &c, &x->f), 0);
}

/* One more command that settles; its report is the caller's to free. */
static struct leaving_report *
settle(struct holders *x, int want)
{
	struct leaving_report *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	holders_forget(x);
	assert_int_equal(leaving_settle(&x->ses, r, &x->f), want);
	return r;
}

/* How many are noted. */
static size_t
noted(const struct holders *x)
{
	struct buf b defer(buf_wipe) = buf_init(100000);
	struct fault f = { 0 };
	struct leavings l;
	size_t n;

	if (!holders_has(x, "leaving"))
		return 0;
	assert_int_equal(file_load(x->st->fd, "leaving", FILE_LEAVING, &b,
	    &f), 0);
	assert_int_equal(leaving_parse(buf_bytes(&b), &l), 0);
	n = l.n;
	leaving_wipe(&l);
	return n;
}

static void
asks_everybody_who_was_left_until_each_has_shown_it(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report *r;

	note(x, &next);
	pin(x, &next);
	r = settle(x, 0);
	assert_string_equal(x->log, "ac bc cc");
	assert_int_equal(r->nreceipts, 9);
	assert_int_equal(r->ndoubts, 0);
	assert_true(holders_has(x, "receipt-1-a-left-2"));
	assert_true(holders_has(x, "receipt-3-c-left-2"));
	assert_int_equal(noted(x), 0);
	free(r);
	free(settle(x, 0));
	assert_string_equal(x->log, "");
}

static void
asks_nobody_before_the_set_is_in_force(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);

	note(x, &next);
	free(settle(x, 0));
	assert_string_equal(x->log, "");
	assert_int_equal(noted(x), HOLDERS);
}

static void
forgets_a_set_whose_place_another_took(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct custody other = next;
	const struct sign_key key = { { 3 } };

	other.time = other.effective = 6;
	assert_int_equal(custody_sign(&other, &key), 0);
	note(x, &next);
	/* This device tries again; then another's set came first. */
	note(x, &next);
	assert_int_equal(noted(x), HOLDERS);
	pin(x, &other);
	free(settle(x, 0));
	assert_string_equal(x->log, "");
	assert_int_equal(noted(x), 0);
}

static void
takes_none_of_receipts_of_which_one_does_not_hold(void **state)
{
	static const enum holder_lie lie[] = { HOLDER_OTHER_KEY,
		HOLDER_OTHER_KIND, HOLDER_OTHER_SPACE, HOLDER_FLIPPED };
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report *r;

	note(x, &next);
	pin(x, &next);
	for (size_t i = 0; i < ARRAY_LEN(lie); i++) {
		x->h[1].lie = lie[i];
		r = settle(x, FAULT_TRUST);
		assert_int_equal(r->ndoubts, 1);
		assert_string_equal(r->doubt[0].holder, "b");
		assert_int_equal(r->doubt[0].n, 3);
		assert_non_null(strstr(x->f.text, "b, in bb, destroyed"));
		assert_false(holders_has(x, "receipt-1-b-left-2"));
		assert_int_equal(noted(x), 1);
		free(r);
	}
	assert_true(holders_has(x, "receipt-1-c-left-2"));
	x->h[1].lie = HOLDER_HONEST;
	free(settle(x, 0));
	assert_string_equal(x->log, "bc");
	assert_int_equal(noted(x), 0);
}

static void
goes_on_with_those_who_were_away(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report *r;

	note(x, &next);
	pin(x, &next);
	x->h[0].silent = true;
	x->h[2].rc = FAULT_AUTHORITY;
	r = settle(x, FAULT_PARTIAL);
	assert_string_equal(x->log, "ac bc cc");
	assert_int_equal(r->nreceipts, 3);
	assert_int_equal(r->ndoubts, 2);
	assert_string_equal(r->doubt[0].why, "it gave no receipt");
	assert_string_equal(r->doubt[1].why, "authority c: away");
	assert_non_null(strstr(x->f.text, ", and others"));
	free(r);

	x->h[0].silent = false;
	x->h[2].rc = 0;
	r = settle(x, 0);
	assert_string_equal(x->log, "ac cc");
	assert_int_equal(r->nreceipts, 6);
	assert_int_equal(noted(x), 0);
	free(r);
}

static void
is_made_known_to_a_holder_that_does_not_know_the_device(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);

	note(x, &next);
	pin(x, &next);
	x->h[1].stranger = true;
	free(settle(x, 0));
	assert_string_equal(x->log, "ac bc bp bc cc");
}

static void
is_not_made_known_to_the_home(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);

	note(x, &next);
	pin(x, &next);
	x->h[0].stranger = true;
	free(settle(x, FAULT_PARTIAL));
	assert_string_equal(x->log, "ac bc cc");
	assert_int_equal(noted(x), 1);
}

/* A later custody ended what it held, and whoever made that was told. */
static void
says_once_where_another_device_was_told(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report *r;

	note(x, &next);
	pin(x, &next);
	x->h[2].rc = FAULT_CONFLICT;
	r = settle(x, FAULT_PARTIAL);
	assert_int_equal(r->ndoubts, 1);
	free(r);
	free(settle(x, 0));
	assert_string_equal(x->log, "");
}

static void
ends_the_command_on_what_is_no_doubt_about_a_holder(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);

	note(x, &next);
	pin(x, &next);
	x->h[0].rc = FAULT_INTERRUPTED;
	free(settle(x, FAULT_INTERRUPTED));
	assert_string_equal(x->log, "ac");
	assert_int_equal(noted(x), HOLDERS);
}

static void
keeps_receipts_that_no_report_has_room_for(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report *r = calloc(1, sizeof(*r));

	note(x, &next);
	pin(x, &next);
	r->nreceipts = ARRAY_LEN(r->receipt) - 1;
	assert_int_equal(leaving_settle(&x->ses, r, &x->f), 0);
	assert_int_equal(r->nreceipts, ARRAY_LEN(r->receipt));
	assert_int_equal(r->more, 8);
	assert_int_equal(r->ndoubts, 0);
	assert_true(holders_has(x, "receipt-3-c-left-2"));
	assert_int_equal(noted(x), 0);
	free(r);
}

/* For good; but not while what it may have kept opens the space. */
static void
gives_up_on_one_that_is_gone(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report r;

	note(x, &next);
	assert_int_equal(leaving_forget(&x->ses, "c", &r, &x->f),
	    FAULT_NOT_FOUND); /* nor is the set in force */
	pin(x, &next);
	x->h[2].rc = FAULT_AUTHORITY;
	free(settle(x, FAULT_PARTIAL));
	assert_int_equal(noted(x), 1);
	holders_forget(x);
	assert_int_equal(leaving_forget(&x->ses, "c", &r, &x->f), FAULT_DENIED);
	assert_int_equal(noted(x), 1);
	x->ses.nepochs = 0;
	assert_int_equal(leaving_forget(&x->ses, "b", &r, &x->f),
	    FAULT_NOT_FOUND);
	assert_int_equal(leaving_forget(&x->ses, "c", &r, &x->f), 0);
	assert_int_equal(r.ndoubts, 1);
	assert_string_equal(r.doubt[0].holder, "c");
	assert_int_equal(r.doubt[0].n, 3);
	assert_int_equal(noted(x), 0);
	assert_string_equal(x->log, "");
	free(settle(x, 0));
	assert_string_equal(x->log, "");
}

/* One that is in no policy any more has its key for a name. */
static void
gives_up_on_one_without_a_name(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving_report *r, done;

	note(x, &next);
	pin(x, &next);
	x->peer[2].signing.b[0] ^= 1;
	r = settle(x, FAULT_PARTIAL);
	assert_int_equal(r->ndoubts, 1);
	assert_int_equal(strlen(r->doubt[0].holder), 44);
	x->ses.nepochs = 0;
	assert_int_equal(leaving_forget(&x->ses, r->doubt[0].holder, &done,
	    &x->f), 0);
	assert_int_equal(noted(x), 0);
	free(r);
}

static void
notes_no_more_than_it_can_keep(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);
	struct leaving one[LEAVING_MAX - HOLDERS + 1];
	const struct leavings l = { .n = ARRAY_LEN(one), .one = one };
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(one); i++)
		one[i] = (struct leaving){ .old = x->set, .set = next,
			.sure = true, .n = 1, .epoch = { 1 } };
	format(&l, &b);
	assert_int_equal(file_save(x->st->fd, "leaving", FILE_LEAVING,
	    buf_bytes(&b), &x->f), 0);
	buf_wipe(&b);
	assert_int_equal(leaving_note(&x->ses, &x->set, &next, &x->f),
	    FAULT_LIMIT);
	assert_int_equal(noted(x), ARRAY_LEN(one));
}

static void
repairs_no_damaged_file(void **state)
{
	struct holders *x = *state;
	const struct custody next = holders_next(x);

	assert_int_equal(file_save(x->st->fd, "leaving", FILE_LEAVING,
	    bytes_of("\1", 1), &x->f), 0);
	assert_int_equal(leaving_note(&x->ses, &x->set, &next, &x->f),
	    FAULT_CONFIG);
	free(settle(x, FAULT_CONFIG));
	assert_string_equal(x->log, "");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, holders_setup, holders_teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(gives_back_what_was_noted),
		cmocka_unit_test(refuses_truncation_and_what_follows),
		cmocka_unit_test(refuses_a_holder_or_a_set_that_cannot_be),
		TEST(asks_everybody_who_was_left_until_each_has_shown_it),
		TEST(asks_nobody_before_the_set_is_in_force),
		TEST(forgets_a_set_whose_place_another_took),
		TEST(takes_none_of_receipts_of_which_one_does_not_hold),
		TEST(goes_on_with_those_who_were_away),
		TEST(is_made_known_to_a_holder_that_does_not_know_the_device),
		TEST(is_not_made_known_to_the_home),
		TEST(says_once_where_another_device_was_told),
		TEST(ends_the_command_on_what_is_no_doubt_about_a_holder),
		TEST(keeps_receipts_that_no_report_has_room_for),
		TEST(gives_up_on_one_that_is_gone),
		TEST(gives_up_on_one_without_a_name),
		TEST(notes_no_more_than_it_can_keep),
		TEST(repairs_no_damaged_file),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
