// SPDX-License-Identifier: Apache-2.0
/* What is left of a tree of which nodes are lost: all of it, and paths. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/engine/history.h"
#include "client/engine/listing.h"
#include "client/engine/restore.h"
#include "client/engine/stream.h"
#include "client/path.h"
#include "crypt/secret.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "lib/warned.h"
#include "object/cursor.h"
#include "object/key.h"
#include "store/store_fault.h"

#define FILES 2000

static uint64_t listed;

struct run {
	const char *path[2]; /* NULL: no more; none: everything */
	uint64_t commit;     /* 0: the head's */
	struct restore_result res;
	struct fault f;
};

static int
run(struct mkspace *m, struct run *x)
{
	struct space *sp = mkspace_open(m);
	struct buf b[2] = { buf_init(KEY_BYTES_MAX), buf_init(KEY_BYTES_MAX) };
	int dir = open(m->out, O_RDONLY | O_DIRECTORY), rc;
	struct bytes key[2];
	struct reader *r defer(reader_freep) = NULL;
	struct commit c defer(commit_wipe) = { 0 };
	struct restore_options o = { .commit = &c, .dir = dir, .key = key,
		.warn = on_warn };

	assert_true(dir >= 0);
	assert_int_equal(reader_new(sp, &r, &x->f), 0);
	assert_int_equal(history_commit(r, x->commit != 0 ? x->commit :
	    sp->head.number, &c, &x->f), 0);
	for (; o.n < 2 && x->path[o.n] != NULL; o.n++) {
		assert_int_equal(key_from_path(bytes_of(x->path[o.n],
		    strlen(x->path[o.n])), &b[o.n]), 0);
		key[o.n] = buf_bytes(&b[o.n]);
	}
	warned[0] = '\0';
	x->f = (struct fault){ 0 };
	rc = restore_run(sp, &o, &x->res, &x->f);
	close(dir);
	buf_wipe(&b[0]);
	buf_wipe(&b[1]);
	return rc;
}

static bool
is_there(const struct mkspace *m, const char *path)
{
	char full[512];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s/%s", m->out, path);
	return lstat(full, &st) == 0;
}

/* The name of file i of a folder, long enough for several leaves. */
static const char *
file(const char *folder, int i)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%05d-%060d", folder, i, i);
	return path;
}

/* a, b with many files, c; each folder's first file is 0. */
static void
fill(struct mkspace *m)
{
	mkspace_folder(m, "a");
	mkspace_text(m, file("a", 0), "same");
	mkspace_folder(m, "b");
	for (int i = 0; i < FILES; i++)
		mkspace_text(m, file("b", i), "same");
	mkspace_folder(m, "c");
	mkspace_text(m, file("c", 0), "same");
	mkspace_commit(m, "");
}

/* Alters the leaf that the path's entry is in; how many entries that has. */
static uint64_t
lose_leaf(struct mkspace *m, const char *path)
{
	struct space *sp = mkspace_open(m);
	struct reader *r defer(reader_freep) = NULL;
	struct cursor *c defer(cursor_freep) = NULL;
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct cursor_node node, at = { 0 };
	struct fault f = { 0 };

	assert_int_equal(key_from_path(bytes_of(path, strlen(path)), &key), 0);
	assert_int_equal(reader_new(sp, &r, &f), 0);
	assert_int_equal(cursor_new(&sp->commit.root, CURSOR_LEVEL_ANY,
	    reader_nodes(r), &c), 0);
	assert_int_equal(cursor_seek(c, bytes_of(NULL, 0)), 1);
	do {
		if (cursor_at_node(c, 0, &node))
			at = node;
		assert_int_equal(cursor_entry(c, NULL, NULL), 0);
	} while (cursor_next(c) == 1 &&
	    bytes_cmp(cursor_key(c), buf_bytes(&key)) <= 0);
	assert_true(at.child.entries > 3);
	mkspace_flip(m, at.child.ref.place.object,
	    at.child.ref.place.offset + 20);
	return at.child.entries;
}

static void
lost_nodes_cost_their_entries(void **state)
{
	struct mkspace *m = *state;
	struct run r = { 0 };
	uint64_t n;

	fill(m);
	n = lose_leaf(m, file("b", FILES / 2));
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	assert_int_equal(r.res.failed, n);
	assert_int_equal(r.res.entries, FILES + 5 - n);
	assert_non_null(strstr(warned, "object "));
	assert_true(is_there(m, file("a", 0)));
	assert_true(is_there(m, file("b", 0)));
	assert_false(is_there(m, file("b", FILES / 2)));
	assert_true(is_there(m, file("b", FILES - 1)));
	assert_true(is_there(m, file("c", 0)));
}

/* The first leaf has a, b and the first files of that. */
static void
a_folder_without_its_entry_is_read_all_the_same(void **state)
{
	struct mkspace *m = *state;
	struct run r = { .path = { "b" } };
	uint64_t n;

	fill(m);
	n = lose_leaf(m, "b");
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	/* Of the leaf it is not known how much was below it. */
	assert_int_equal(r.res.failed, 1);
	assert_int_equal(r.res.entries, FILES + 3 - n);
	assert_non_null(strstr(warned, "b: a node of the tree: object "));
	assert_false(is_there(m, file("b", 0)));
	assert_true(is_there(m, file("b", FILES - 1)));
	assert_false(is_there(m, "a"));
	assert_false(is_there(m, "c"));
}

static void
a_lost_path_ends_it_where_nothing_else_is_wanted(void **state)
{
	struct mkspace *m = *state;
	struct run r = { 0 };
	char path[128];

	fill(m);
	(void)lose_leaf(m, "a");
	(void)snprintf(path, sizeof(path), "%s", file("b", 1));
	/* The first key of the leaf, and one within it. */
	r.path[0] = "a";
	assert_int_equal(run(m, &r), FAULT_TAMPERED);
	assert_non_null(strstr(r.f.text, "a: a node of the tree: object "));
	r.path[1] = path;
	assert_int_equal(run(m, &r), FAULT_TAMPERED);
	assert_string_equal(warned, "");
	r.path[0] = "c";
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	assert_int_equal(r.res.failed, 1);
	assert_int_equal(r.res.entries, 2);
	assert_true(is_there(m, file("c", 0)));
	assert_non_null(strstr(warned, ": a node of the tree: object "));
	r.path[1] = "d";
	assert_int_equal(run(m, &r), FAULT_NOT_FOUND);
}

static int
on_entry(void *arg, struct bytes name, const struct tree_entry *e)
{
	(void)arg;
	(void)name;
	(void)e;
	listed++;
	return 0;
}

static void
on_lost(void *arg, struct bytes key, const struct fault *why)
{
	on_warn(arg, key, why->text);
}

static void
a_folder_without_its_entry_is_listed(void **state)
{
	struct mkspace *m = *state;
	struct listing_sink sink = { on_entry, on_lost, NULL };
	struct reader *r defer(reader_freep) = NULL;
	struct fault f = { 0 };
	uint64_t n;

	fill(m);
	n = lose_leaf(m, "b");
	warned[0] = '\0';
	assert_int_equal(reader_new(mkspace_open(m), &r, &f), 0);
	assert_int_equal(listing_run(r, bytes_of("b", 1), false, &sink, &f),
	    FAULT_PARTIAL);
	assert_int_equal(listed, FILES + 3 - n);
	assert_non_null(strstr(warned, "b: a node of the tree: object "));
	assert_int_equal(listing_run(r, bytes_of("a", 1), false, &sink, &f),
	    FAULT_TAMPERED);
}

static void
what_cannot_be_read_is_no_file(void **state)
{
	const struct stream_sink sink = { 0 };
	struct mkspace *m = *state;
	struct space *sp;
	struct fault f = { 0 };

	fill(m);
	(void)lose_leaf(m, "b");
	sp = mkspace_open(m);
	assert_int_equal(stream_run(sp, &sp->commit, bytes_of("b", 1), &sink,
	    &f), FAULT_TAMPERED);
	assert_non_null(strstr(f.text, "a node of the tree: object "));
}

static void
empty(struct mkspace *m)
{
	char full[512];

	for (int i = 0; i < 2; i++) {
		(void)snprintf(full, sizeof(full), "%s/%s", m->out,
		    i == 0 ? "long" : "short");
		assert_int_equal(unlink(full), 0);
	}
}

/* A file whose content list is a chunk of its own, and another that is one
 * chunk. */
static void
add_files(struct mkspace *m, const uint8_t *data, size_t n)
{
	mkspace_file(m, "long", bytes_of(data, n), n / 200, NULL);
	mkspace_text(m, "short", "the same again");
}

static void
expect_file(struct mkspace *m, const char *path, const uint8_t *data, size_t n)
{
	char full[512];
	uint8_t *got = malloc(n + 1);
	int fd;

	(void)snprintf(full, sizeof(full), "%s/%s", m->out, path);
	fd = open(full, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, n + 1), n);
	assert_memory_equal(got, data, n);
	assert_int_equal(close(fd), 0);
	free(got);
}

static void
what_was_stored_again_is_read_in_earlier_commits(void **state)
{
	static uint8_t data[400000];
	struct mkspace *m = *state;
	struct run r = { .commit = 1 };
	uint8_t first[ID_LEN], second[ID_LEN];

	secret_random(data, sizeof(data));
	memcpy(first, mkspace_object(m), ID_LEN);
	add_files(m, data, sizeof(data));
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_text(m, "other", "between them");
	mkspace_commit(m, "");
	memcpy(second, mkspace_object(m), ID_LEN);
	add_files(m, data, sizeof(data));
	mkspace_cut(m);
	mkspace_commit(m, "");

	mkspace_flip(m, first, 40);
	assert_int_equal(run(m, &r), 0);
	mkspace_remove(m, first);
	empty(m);
	assert_int_equal(run(m, &r), 0);
	assert_int_equal(r.res.entries, 2);
	expect_file(m, "long", data, sizeof(data));
	/* Of the two one is enough, and none is not. */
	r.commit = 3;
	mkspace_remove(m, second);
	empty(m);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	assert_int_equal(r.res.failed, 2);
	r.commit = 1;
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	assert_int_equal(r.res.failed, 2);
}

static void
what_was_stored_before_is_read_too(void **state)
{
	static uint8_t data[400000];
	struct mkspace *m = *state;
	struct run r = { 0 };
	uint8_t last[ID_LEN];

	secret_random(data, sizeof(data));
	add_files(m, data, sizeof(data));
	mkspace_commit(m, "");
	memcpy(last, mkspace_object(m), ID_LEN);
	add_files(m, data, sizeof(data));
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_remove(m, last);
	assert_int_equal(run(m, &r), 0);
	expect_file(m, "long", data, sizeof(data));
}

static void
a_lost_block_of_an_earlier_index_is_passed(void **state)
{
	struct mkspace *m = *state;
	struct run r = { .commit = 1 };
	struct place p;

	mkspace_text(m, "short", "the same again");
	mkspace_commit(m, "");
	p = segment_block_place(&mkspace_open(m)->commit.segment[0], 0);
	mkspace_flip(m, p.object, p.offset);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	mkspace_text(m, "short", "the same again");
	mkspace_commit(m, "");
	assert_int_equal(run(m, &r), 0);
	assert_int_equal(r.res.entries, 1);
}

/* The index in runs, as for all that is in a folder. */
static void
what_lies_before_a_cut_in_the_index_is_found(void **state)
{
	struct mkspace *m = *state;
	struct store_fault_plan plan = { 0 };
	struct store *real = m->store;
	struct run r = { 0 };
	struct commit *c;
	struct fault f;
	struct place p;
	struct ref root;

	mkspace_folder(m, "b");
	for (int i = 0; i < FILES; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", i);
		mkspace_text(m, file("b", i), text);
	}
	mkspace_commit(m, "");
	c = &mkspace_open(m)->commit;
	root = c->root;
	p = segment_block_place(&c->segment[0], 3);
	/* Another object with a commit of the same. */
	mkspace_commit_root(m, &root, c->entries, c->bytes);
	mkspace_truncate(m, p.object, p.offset);
	assert_int_equal(real->ops->dup(real, &real, &f), 0);
	assert_int_equal(store_fault_open(real, &plan, &real, &f), 0);
	store_close(m->store);
	m->store = real;
	m->ses.store = real;
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	assert_int_equal(r.res.failed, FILES - 3 * BLOCK_ENTRIES);
	assert_int_equal(r.res.entries, 1 + 3 * BLOCK_ENTRIES);
	/* Each lost block is asked for once, and not for each file. */
	assert_true(atomic_load(&plan.gets) < 60);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, mkspace_setup,mkspace_teardown)
	const struct CMUnitTest tests[] = {
		T(lost_nodes_cost_their_entries),
		T(a_folder_without_its_entry_is_read_all_the_same),
		T(a_lost_path_ends_it_where_nothing_else_is_wanted),
		T(a_folder_without_its_entry_is_listed),
		T(what_cannot_be_read_is_no_file),
		T(what_was_stored_again_is_read_in_earlier_commits),
		T(what_was_stored_before_is_read_too),
		T(a_lost_block_of_an_earlier_index_is_passed),
		T(what_lies_before_a_cut_in_the_index_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
