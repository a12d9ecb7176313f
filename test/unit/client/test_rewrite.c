// SPDX-License-Identifier: Apache-2.0
/* A history written into another epoch, on a space made by hand: [custody]. */
#include "test/lib/cm.h"

#include <stdlib.h>
#include <string.h>

#include "client/engine/check.h"
#include "client/engine/rewrite.h"
#include "crypt/secret.h"
#include "object/cursor.h"
#include "store/store_fault.h"
#include "test/lib/mkspace.h"

static int conflicts; /* to come from session_move_head */

int
session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	(void)expect;
	if (conflicts > 0) {
		conflicts--;
		return fault_set(f, FAULT_CONFLICT, "the head has moved");
	}
	s->has_head = true;
	memcpy(s->head, head, STORE_HEAD_LEN);
	return 0;
}

struct bed {
	struct mkspace *m;
	struct session_epoch epoch[2];
	struct space_key key;
	struct fault f;
};

static int
setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->m = mkspace_new();
	mkspace_folder(b->m, "drop");
	mkspace_text(b->m, "drop/same", "in two files");
	mkspace_text(b->m, "drop/secret", "to be shredded");
	mkspace_text(b->m, "keep", "in two files");
	mkspace_commit(b->m, "a drop/secret");
	mkspace_text(b->m, "keep", "in two files");
	mkspace_text(b->m, "later", "only here");
	mkspace_commit(b->m, "second");
	secret_random(b->key.b, sizeof(b->key.b));
	b->epoch[0] = b->m->ses.epochs[0];
	b->epoch[1] = (struct session_epoch){ .epoch = 2, .key = &b->key };
	b->m->ses.epochs = b->epoch;
	b->m->ses.nepochs = 2;
	conflicts = 0;
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *b = *state;

	mkspace_free(b->m);
	free(b);
	return 0;
}

static bool
has(struct bed *b, const char *key)
{
	struct space *sp = mkspace_open(b->m);
	struct reader *r defer(reader_freep) = NULL;
	struct cursor *c defer(cursor_freep) = NULL;
	bool is;

	assert_int_equal(reader_new(sp, &r, &b->f), 0);
	assert_int_equal(cursor_new(&sp->commit.root, CURSOR_LEVEL_ANY,
	    reader_nodes(r), &c), 0);
	is = cursor_seek(c, bytes_of(key, strlen(key))) == 1 &&
	    bytes_cmp(cursor_key(c), bytes_of(key, strlen(key))) == 0;
	return is;
}

static void
moves_the_history_and_no_chunk(void **state)
{
	struct bed *b = *state;
	struct rewrite w = { .ses = &b->m->ses, .epoch = 2,
		.message = "rotate" };
	struct space *sp;

	assert_int_equal(rewrite_run(&w, &b->f), 0);
	assert_int_equal(w.number, 3);
	assert_int_equal(w.commits, 3);
	assert_int_equal(w.conflicts, 0);
	assert_in_range(w.nodes, 2, 8);
	/* The old key is of no use now. */
	b->m->ses.epochs = b->epoch + 1;
	b->m->ses.nepochs = 1;
	sp = mkspace_open(b->m);
	assert_int_equal(sp->head.epoch, 2);
	assert_int_equal(sp->commit.epoch, 2);
	assert_int_equal(sp->commit.number, 3);
	assert_true(sp->commit.has_parent);
	assert_true(has(b, "later"));
	assert_true(has(b, "keep"));
}

static void
takes_paths_out_of_every_commit(void **state)
{
	struct bed *b = *state;
	const struct bytes key[] = { { (const uint8_t *)"drop", 4 } };
	struct rewrite w = { .ses = &b->m->ses, .epoch = 2,
		.message = "shred", .key = key, .nkeys = 1 };

	assert_int_equal(rewrite_run(&w, &b->f), 0);
	assert_int_equal(w.removed, 3);
	assert_int_equal(w.dropped, 1);
	assert_int_equal(w.kept, 1);
	assert_int_equal(w.messages, 1);
	assert_true(has(b, "keep"));
	assert_false(has(b, "drop"));
}

static void
refuses_what_no_commit_has(void **state)
{
	struct bed *b = *state;
	const struct bytes key[] = { { (const uint8_t *)"nowhere", 7 } };
	struct rewrite w = { .ses = &b->m->ses, .epoch = 2,
		.message = "shred", .key = key, .nkeys = 1 };
	uint8_t before[STORE_HEAD_LEN];

	memcpy(before, b->m->ses.head, sizeof(before));
	assert_int_equal(rewrite_run(&w, &b->f), FAULT_NOT_FOUND);
	assert_memory_equal(before, b->m->ses.head, sizeof(before));
}

static void
begins_again_where_the_head_has_moved(void **state)
{
	struct bed *b = *state;
	struct rewrite w = { .ses = &b->m->ses, .epoch = 2,
		.message = "rotate" };

	conflicts = 2;
	assert_int_equal(rewrite_run(&w, &b->f), 0);
	assert_int_equal(w.conflicts, 2);
	assert_int_equal(w.commits, 3);
	assert_true(has(b, "keep"));
}

static void
changes_nothing_when_stopped(void **state)
{
	struct bed *b = *state;
	struct rewrite w = { .ses = &b->m->ses, .epoch = 2,
		.message = "rotate" };
	atomic_bool stop = true;
	uint8_t before[STORE_HEAD_LEN];

	memcpy(before, b->m->ses.head, sizeof(before));
	b->m->ses.stop = &stop;
	assert_int_equal(rewrite_run(&w, &b->f), FAULT_INTERRUPTED);
	assert_memory_equal(before, b->m->ses.head, sizeof(before));
	b->m->ses.stop = NULL;
}

/* Breaks a rewrite off at the n-th put or get, for each n, until one is
 * through; how many were not. */
static unsigned
break_off(struct bed *b, struct rewrite w, bool puts, enum store_fault_how how)
{
	const struct check_options all = { .percent = 100, .history = true };
	struct store_fault_plan plan = { 0 };
	struct store *real = b->m->store, *faulty;
	uint8_t before[STORE_HEAD_LEN];
	unsigned n = 0;
	int rc;

	assert_int_equal(real->ops->dup(real, &real, &b->f), 0);
	assert_int_equal(store_fault_open(real, &plan, &faulty, &b->f), 0);
	memcpy(before, b->m->ses.head, sizeof(before));
	do {
		struct rewrite one = w;
		struct check_result res;

		memset(&plan, 0, sizeof(plan));
		plan.put_at = puts ? n + 1 : 0;
		plan.get_at = puts ? 0 : n + 1;
		plan.from_there_on = true;
		plan.how = how;
		b->m->ses.store = faulty;
		b->f = (struct fault){ 0 };
		rc = rewrite_run(&one, &b->f);
		b->m->ses.store = b->m->store;
		assert_true(rc == 0 || rc == FAULT_DEPOT);
		/* Only what reads all again comes after the head. */
		if (rc != 0 && memcmp(before, b->m->ses.head,
			sizeof(before)) != 0)
			assert_true(!puts && w.nkeys != 0);
		assert_int_equal(check_run(mkspace_open(b->m), &all, &res,
		    &b->f), 0);
		n += rc != 0;
	} while (rc != 0 && memcmp(before, b->m->ses.head,
	    sizeof(before)) == 0);
	assert_int_not_equal(memcmp(before, b->m->ses.head, sizeof(before)),
	    0);
	store_close(faulty);
	return n;
}

static void
a_request_that_fails_leaves_all_as_it_was(void **state)
{
	const struct bytes key[] = { { (const uint8_t *)"drop", 4 } };

	for (unsigned i = 0; i < 8; i++) {
		static const enum store_fault_how how[] = { STORE_FAULT_REFUSE,
			STORE_FAULT_LOSE, STORE_FAULT_TEAR,
			STORE_FAULT_REFUSE };
		struct bed *b = *state;
		struct rewrite w = { .ses = &b->m->ses, .epoch = 2,
			.message = "", .key = key, .nkeys = i / 4,
			.repair = i / 4 == 1 };

		assert_true(break_off(b, w, i % 4 != 3, how[i % 4]) > 0);
		assert_true(has(b, "keep"));
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		TEST(moves_the_history_and_no_chunk),
		TEST(takes_paths_out_of_every_commit),
		TEST(refuses_what_no_commit_has),
		TEST(begins_again_where_the_head_has_moved),
		TEST(changes_nothing_when_stopped),
		TEST(a_request_that_fails_leaves_all_as_it_was),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
