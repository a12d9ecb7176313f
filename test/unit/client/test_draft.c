// SPDX-License-Identifier: Apache-2.0
/* A tree with keys taken out, on a space made by hand: [custody], [tree]. */
#include "test/lib/cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine/draft.h"
#include "object/cursor.h"
#include "test/lib/mkspace.h"

#define MANY 400 /* more than a node holds */

struct bed {
	struct mkspace *m;
	struct space *sp;
	struct reader *r;
	struct draft d;
	struct builder_tree tree;
	struct fault f;
};

int
session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	(void)s, (void)expect, (void)head;
	return fault_set(f, FAULT_INTERNAL, "nobody moves a head here");
}

/* Names beside each other, of which one begins as another does. */
static int
setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	char name[32];

	if (b == NULL)
		return -1;
	b->m = mkspace_new();
	mkspace_folder(b->m, "a");
	mkspace_text(b->m, "a/one", "1");
	mkspace_text(b->m, "a/two", "2");
	mkspace_text(b->m, "a.txt", "beside the folder");
	mkspace_text(b->m, "ab", "behind it");
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "many%03d", i);
		mkspace_text(b->m, name, name);
	}
	mkspace_commit(b->m, "all");
	b->sp = mkspace_open(b->m);
	if (reader_new(b->sp, &b->r, &b->f) != 0)
		return -1;
	draft_init(&b->d, b->r);
	b->tree = (struct builder_tree){ .has_root = b->sp->commit.has_root,
		.root = b->sp->commit.root, .entries = MANY + 5,
		.bytes = b->sp->commit.bytes };
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *b = *state;

	draft_wipe(&b->d);
	reader_free(b->r);
	mkspace_free(b->m);
	free(b);
	return 0;
}

static struct bytes
text(const char *t)
{
	return bytes_of(t, strlen(t));
}

static void
take_out(struct bed *b, const struct bytes *key, size_t n)
{
	assert_int_equal(draft_without(&b->d, &b->sp->commit.dedup, key, n,
	    &b->tree, &b->f), 0);
}

/* How many entries the draft has, and whether one of them is key. */
static size_t
count(struct bed *b, const char *key, bool *has)
{
	struct cursor *c defer(cursor_freep) = NULL;
	size_t n = 0;
	int rc;

	*has = false;
	if (!b->tree.has_root)
		return 0;
	assert_int_equal(cursor_new(&b->tree.root, CURSOR_LEVEL_ANY,
	    draft_nodes(&b->d), &c), 0);
	rc = cursor_seek(c, bytes_of(NULL, 0));
	for (; rc >= 0 && !cursor_end(c); rc = cursor_next(c)) {
		*has |= bytes_cmp(cursor_key(c), text(key)) == 0;
		n++;
	}
	assert_true(rc >= 0);
	return n;
}

static void
leaves_a_tree_as_it_is_where_it_has_none(void **state)
{
	struct bed *b = *state;
	const struct builder_tree before = b->tree;
	const struct bytes key[] = { text("aa"), text("nowhere") };

	take_out(b, key, 2);
	assert_memory_equal(&before.root, &b->tree.root, sizeof(before.root));
	assert_int_equal(b->tree.entries, MANY + 5);
}

static void
takes_a_folder_and_all_below_and_nothing_beside(void **state)
{
	struct bed *b = *state;
	const struct bytes key[] = { text("a") };
	bool has;

	take_out(b, key, 1);
	assert_int_equal(b->tree.entries, MANY + 2);
	assert_int_equal(count(b, "a", &has), MANY + 2);
	assert_false(has);
	(void)count(b, "a.txt", &has);
	assert_true(has);
	(void)count(b, "ab", &has);
	assert_true(has);
	(void)count(b, "many000", &has); /* of an old node */
	assert_true(has);
}

static void
takes_several_at_once_from_several_nodes(void **state)
{
	struct bed *b = *state;
	const struct bytes key[] = { text("ab"), text("many000"),
		text("many399") };
	bool has;

	take_out(b, key, 3);
	assert_int_equal(count(b, "many399", &has), MANY + 2);
	assert_false(has);
	(void)count(b, "many398", &has);
	assert_true(has);
}

static void
can_take_everything(void **state)
{
	struct bed *b = *state;
	char name[MANY][32];
	struct bytes key[MANY + 3] = { text("a"), text("a.txt"), text("ab") };
	bool has;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "many%03d", i);
		key[3 + i] = text(name[i]);
	}
	take_out(b, key, MANY + 3);
	assert_false(b->tree.has_root);
	assert_int_equal(b->tree.entries, 0);
	assert_int_equal(count(b, "a", &has), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(leaves_a_tree_as_it_is_where_it_has_none),
		T(takes_a_folder_and_all_below_and_nothing_beside),
		T(takes_several_at_once_from_several_nodes),
		T(can_take_everything),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
