// SPDX-License-Identifier: Apache-2.0
#include "client/engine/packer.h"

#include <pthread.h>
#include <unistd.h>

#include "client/engine/journal.h"
#include "object/pack.h"
#include "store/store_dir.h"
#include "store/store_fault.h"
#include "test/unit/client/scratch.h"

#define PIECE ((size_t)1 << 20)

static const uint8_t prefix[ID_LEN] = { 9 };
static const struct space_key key = { .b = { 1 } };

struct bed {
	struct scratch *s;
	struct store_fault_plan plan;
	struct store *real, *store;
	struct journal *journal;
	struct packer_stats stats;
	struct packer *packer;
};

static struct store *
open_store(struct scratch *s)
{
	char depot[128];
	struct store *st;
	struct fault f;

	(void)snprintf(depot, sizeof(depot), "%s/depot", s->path);
	assert_int_equal(store_dir_open(depot, prefix, &st, &f), 0);
	return st;
}

static void
begin(struct bed *b, void **state)
{
	struct fault f;

	b->s = *state;
	b->real = open_store(b->s);
	assert_int_equal(store_fault_open(open_store(b->s), &b->plan,
	    &b->store, &f), 0);
	assert_int_equal(journal_open(b->s->dir, &key, &b->journal, &f), 0);
	assert_int_equal(packer_new(b->store, b->journal, &b->stats,
	    EFFORT_AUTO, &b->packer, &f), 0);
}

static void
end(struct bed *b)
{
	packer_free(b->packer);
	journal_close(b->journal);
	store_close(b->store);
	store_close(b->real);
}

/* Every byte of piece i is i; its entry says so in the id. */
static int
add_to(struct packer *p, unsigned i, struct fault *f)
{
	struct index_entry e = scratch_entry(i);
	struct packer_room room;
	int rc;

	e.plain_len = PIECE;
	e.place.length = PIECE;
	rc = packer_reserve(p, PIECE, &room, f);
	if (rc != 0)
		return rc;
	memset(room.p, (int)i, PIECE);
	rc = packer_fill(p, &room, &e, f);
	assert_memory_equal(&e.place, &room.place, sizeof(e.place));
	return rc;
}

static int
add(struct bed *b, unsigned i, struct fault *f)
{
	return add_to(b->packer, i, f);
}

struct found {
	struct bed *b;
	unsigned n;
	bool seen[256];
};

/* What the journal has lies at the depot. */
static int
on_entry(void *arg, const struct index_entry *e)
{
	struct found *x = arg;
	struct fault f = { 0 };
	uint8_t *p = malloc(e->place.length);

	assert_int_equal(x->b->real->ops->get(x->b->real, e->place.object,
	    e->place.offset, e->place.length, p, &f), 0);
	for (size_t i = 0; i < e->place.length; i++)
		if (p[i] != e->id[0])
			fail_msg("byte %zu of %u", i, e->id[0]);
	free(p);
	assert_false(x->seen[e->id[0]]);
	x->seen[e->id[0]] = true;
	x->n++;
	return 0;
}

static struct found
journaled(struct bed *b)
{
	struct found x = { .b = b };

	assert_int_equal(journal_read(b->journal, on_entry, &x), 0);
	return x;
}

static void
stores_and_notes_everything(void **state)
{
	struct bed b = { .s = NULL };
	struct fault f = { 0 };

	begin(&b, state);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(add(&b, i, &f), 0);
	assert_int_equal(packer_flush(b.packer, &f), 0);
	assert_int_equal(journaled(&b).n, 40);
	assert_int_equal(atomic_load(&b.stats.objects), 3);
	/* Two full ones, and a last that is as long as it must be. */
	assert_true(atomic_load(&b.stats.bytes) < 3 * (uint64_t)PACK_SIZE);
	assert_int_equal(packer_flush(b.packer, &f), 0);
	assert_int_equal(atomic_load(&b.stats.objects), 3);
	end(&b);
}

static void
fails_at(void **state, unsigned put, enum store_fault_how how, bool on)
{
	struct bed b = { .plan = { .put_at = put, .how = how,
		.from_there_on = on } };
	struct fault f = { 0 };
	struct found x;
	unsigned i;
	int rc = 0;

	begin(&b, state);
	for (i = 0; i < 200 && rc == 0; i++)
		rc = add(&b, i, &f);
	assert_int_equal(rc, FAULT_DEPOT);
	assert_true(f.text[0] != '\0');
	/* The first failure stays. */
	f = (struct fault){ 0 };
	assert_int_equal(add(&b, i, &f), FAULT_DEPOT);
	f = (struct fault){ 0 };
	assert_int_equal(packer_flush(b.packer, &f), FAULT_DEPOT);
	assert_int_equal(f.code, FAULT_DEPOT);
	/* 15 pieces and a filler are in a pack, or 16. */
	x = journaled(&b);
	assert_true(x.n >= 15 * atomic_load(&b.stats.objects));
	assert_true(x.n <= 16 * atomic_load(&b.stats.objects));
	assert_true(atomic_load(&b.stats.objects) + 1 >= put);
	end(&b);
}

static void
keeps_the_first_failure(void **state)
{
	fails_at(state, 1, STORE_FAULT_REFUSE, true);
}

static void
accepts_nothing_after_one_failure(void **state)
{
	fails_at(state, 2, STORE_FAULT_REFUSE, false);
}

static void
notes_nothing_whose_answer_was_lost(void **state)
{
	fails_at(state, 3, STORE_FAULT_LOSE, true);
}

static void
notes_nothing_that_was_torn(void **state)
{
	fails_at(state, 2, STORE_FAULT_TEAR, true);
}

static void
fails_at_the_last_pack(void **state)
{
	struct bed b = { .plan = { .put_at = 1, .code = FAULT_SPACE } };
	struct fault f = { 0 };

	begin(&b, state);
	assert_int_equal(add(&b, 1, &f), 0);
	assert_int_equal(packer_flush(b.packer, &f), FAULT_SPACE);
	assert_int_equal(packer_flush(b.packer, &f), FAULT_SPACE);
	assert_int_equal(journaled(&b).n, 0);
	end(&b);
}

struct adder {
	struct packer *packer;
	unsigned first;
	int rc;
};

static void *
adds(void *arg)
{
	struct adder *a = arg;
	struct fault f;

	for (unsigned i = a->first; i < a->first + 16 && a->rc == 0; i++)
		a->rc = add_to(a->packer, i, &f);
	return NULL;
}

static void
takes_from_many_threads(void **state)
{
	struct bed b = { .s = NULL };
	struct adder a[4];
	pthread_t t[4];
	struct fault f = { 0 };

	begin(&b, state);
	for (unsigned i = 0; i < 4; i++) {
		a[i] = (struct adder){ .packer = b.packer, .first = 16 * i };
		assert_int_equal(pthread_create(&t[i], NULL, adds, &a[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		(void)pthread_join(t[i], NULL);
		assert_int_equal(a[i].rc, 0);
	}
	assert_int_equal(packer_flush(b.packer, &f), 0);
	assert_int_equal(journaled(&b).n, 64);
	end(&b);
}

/* The first pack is closed, and the second is sent before it. */
static void
sends_no_pack_before_its_room_is_filled(void **state)
{
	struct bed b = { .s = NULL };
	struct packer_room room;
	struct fault f = { 0 };
	uint8_t byte;

	begin(&b, state);
	assert_int_equal(packer_reserve(b.packer, PIECE, &room, &f), 0);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(add(&b, i, &f), 0);
	while (atomic_load(&b.stats.objects) == 0)
		(void)usleep(1000);
	assert_int_not_equal(b.real->ops->get(b.real, room.place.object, 0, 1,
				 &byte, &f), 0);
	memset(room.p, 0, PIECE);
	assert_int_equal(packer_fill(b.packer, &room, NULL, &f), 0);
	assert_int_equal(packer_flush(b.packer, &f), 0);
	assert_int_equal(atomic_load(&b.stats.objects), 3);
	assert_int_equal(journaled(&b).n, 40);
	end(&b);
}

static void
fails_with_what_could_not_be_filled(void **state)
{
	struct bed b = { .s = NULL };
	struct packer_room room;
	struct fault f = { 0 };

	begin(&b, state);
	assert_int_equal(packer_reserve(b.packer, PIECE, &room, &f), 0);
	(void)fault_set(&f, FAULT_INTERNAL, "a bit flipped");
	packer_spoil(b.packer, &room, &f);
	f = (struct fault){ 0 };
	assert_int_equal(add(&b, 1, &f), FAULT_INTERNAL);
	assert_string_equal(f.text, "a bit flipped");
	assert_int_equal(packer_flush(b.packer, &f), FAULT_INTERNAL);
	assert_int_equal(atomic_load(&b.stats.objects), 0);
	end(&b);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, \
    scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(stores_and_notes_everything),
		TEST(keeps_the_first_failure),
		TEST(accepts_nothing_after_one_failure),
		TEST(notes_nothing_whose_answer_was_lost),
		TEST(notes_nothing_that_was_torn),
		TEST(fails_at_the_last_pack),
		TEST(takes_from_many_threads),
		TEST(sends_no_pack_before_its_room_is_filled),
		TEST(fails_with_what_could_not_be_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
