// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <unistd.h>

#include "base/wr.h"
#include "client/engine/check.h"
#include "client/path.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "net/text.h"
#include "object/cursor.h"
#include "object/node.h"

static char found[65536];

static void
on_found(void *arg, const struct check_finding *x)
{
	static const char *const what[] = { "object", "path", "paths",
		"other" };
	size_t n = strlen(found);
	char path[PATH_SHOW_MAX];

	(void)arg;
	path_show(x->key, path);
	(void)snprintf(found + n, sizeof(found) - n, "%s %s %llu %s: %s\n",
	    what[x->what], fault_name(x->code),
	    (unsigned long long)x->commit, path, x->text);
}

static int
run(struct mkspace *m, unsigned percent, bool history,
    struct check_result *res)
{
	struct check_options o = { .percent = percent, .history = history,
		.found = on_found };
	struct fault f = { 0 };

	found[0] = '\0';
	return check_run(mkspace_open(m), &o, res, &f);
}

static void
expect(const char *text)
{
	if (strstr(found, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, found);
}

static void
add_some(struct mkspace *m, const char *dir, int n)
{
	char path[64];

	mkspace_folder(m, dir);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%05d", dir, i);
		mkspace_text(m, path, path);
	}
}

static void
finds_nothing_in_a_good_space(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;

	add_some(m, "a", 3000);
	mkspace_commit(m, "one");
	add_some(m, "a", 3000);
	add_some(m, "b", 1000);
	mkspace_commit(m, "two");
	assert_int_equal(run(m, 100, true, &r), 0);
	assert_string_equal(found, "");
	assert_int_equal(r.commits, 2);
	assert_true(r.entries >= 4002);
	assert_int_equal(r.chunks, r.chunks_known);
	assert_int_equal(r.objects, r.objects_read);
	assert_int_equal(run(m, 0, false, &r), 0);
	assert_int_equal(r.chunks, 0);
	assert_int_equal(r.entries, 4002);
	assert_int_equal(run(m, 1, false, &r), 0);
	assert_true(r.objects_read >= 1);
}

static void
an_empty_space_is_good(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;

	assert_int_equal(run(m, 100, true, &r), 0);
	mkspace_commit(m, "");
	assert_int_equal(run(m, 100, true, &r), 0);
}

static void
names_objects_and_paths(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;
	uint8_t bad[ID_LEN], gone[ID_LEN];
	char hex[2 * ID_LEN + 1];

	add_some(m, "a", 10);
	mkspace_cut(m);
	memcpy(bad, mkspace_object(m), ID_LEN);
	mkspace_text(m, "altered", "altered");
	mkspace_text(m, "fine", "beside it");
	mkspace_text(m, "same content", "altered");
	mkspace_cut(m);
	memcpy(gone, mkspace_object(m), ID_LEN);
	mkspace_text(m, "gone", "missing");
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_flip(m, bad, 2);
	assert_int_equal(run(m, 100, false, &r), FAULT_TAMPERED);
	expect("path TAMPERED 1 altered:");
	expect("path TAMPERED 1 same content:");
	assert_int_equal(r.bad_objects, 1);
	assert_int_equal(r.bad_chunks, 1);
	assert_int_equal(r.bad_paths, 2);
	assert_int_equal(r.chunks, r.chunks_known - 1);
	text_hex(bad, ID_LEN, hex, sizeof(hex));
	expect(hex);
	mkspace_remove(m, gone);
	assert_int_equal(run(m, 100, false, &r), FAULT_TAMPERED);
	expect("path MISSING 1 gone:");
	mkspace_flip(m, bad, 2);
	assert_int_equal(run(m, 100, false, &r), FAULT_MISSING);
	assert_int_equal(r.bad_paths, 1);
}

static void
index_and_tree_are_always_read(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;
	struct place p;
	struct space *sp;
	struct ref root;

	add_some(m, "a", 2000);
	mkspace_commit(m, "");
	sp = mkspace_open(m);
	p = segment_block_place(&sp->commit.segment[0], 1);
	root = sp->commit.root;
	mkspace_flip(m, p.object, p.offset + 100);
	assert_int_equal(run(m, 0, false, &r), FAULT_TAMPERED);
	expect("a block of the index");
	assert_int_equal(r.blocks, 4);
	/* What its entries were for cannot be found now. */
	assert_int_equal(r.bad_paths, BLOCK_ENTRIES);
	mkspace_flip(m, p.object, p.offset + 100);
	assert_int_equal(run(m, 0, false, &r), 0);
	mkspace_flip(m, root.place.object, root.place.offset);
	assert_int_equal(run(m, 0, false, &r), FAULT_TAMPERED);
	expect("a node of the tree");
	assert_int_equal(r.bad_paths, 2001);
}

static void
history_is_read_when_asked(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;
	uint8_t bad[ID_LEN];

	memcpy(bad, mkspace_object(m), ID_LEN);
	mkspace_text(m, "old", "only in the first");
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_text(m, "new", "only in the second");
	mkspace_commit(m, "");
	mkspace_remove(m, bad);
	assert_int_equal(run(m, 100, true, &r), FAULT_MISSING);
	expect("path MISSING 1 old:");
	assert_int_equal(r.commits, 2);
}

static void
what_was_stored_again_is_not_lost(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;
	uint8_t first[ID_LEN], second[ID_LEN];

	memcpy(first, mkspace_object(m), ID_LEN);
	mkspace_text(m, "f", "in both");
	mkspace_cut(m);
	mkspace_commit(m, "");
	memcpy(second, mkspace_object(m), ID_LEN);
	mkspace_text(m, "f", "in both");
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_remove(m, first);
	assert_int_equal(run(m, 100, true, &r), 0);
	assert_int_equal(r.bad_chunks, 0);
	mkspace_remove(m, second);
	assert_int_equal(run(m, 100, true, &r), FAULT_MISSING);
	assert_int_equal(r.bad_chunks, 2);
	assert_int_equal(r.bad_objects, 2);
	expect("path MISSING 2 f:");
}

/* An inner node over one leaf of two fifos, with the sums given. */
static struct ref
two_levels(struct mkspace *m, uint64_t entries, uint64_t bytes)
{
	struct node_writer w = { 0 };
	struct node_child child = { .entries = entries, .bytes = bytes };
	struct tree_entry e = mkspace_plain(ENTRY_FIFO);
	struct buf raw = buf_init(ENTRY_LEN_MAX);
	struct ref root;

	assert_int_equal(entry_encode(&e, &raw), 0);
	assert_int_equal(node_start(&w, 0), 0);
	assert_int_equal(node_add_entry(&w, bytes_of("a", 1),
	    buf_bytes(&raw), 0), 0);
	assert_int_equal(node_add_entry(&w, bytes_of("b\0c", 3),
	    buf_bytes(&raw), 0), 0);
	child.ref = mkspace_node(m, buf_bytes(&w.b));
	assert_int_equal(node_start(&w, 1), 0);
	assert_int_equal(node_add_child(&w, bytes_of("a", 1), &child), 0);
	root = mkspace_node(m, buf_bytes(&w.b));
	node_writer_wipe(&w);
	buf_wipe(&raw);
	return root;
}

static void
wrong_sums_and_folders_are_found(void **state)
{
	struct mkspace *m = *state;
	struct check_result r;
	struct ref root = two_levels(m, 3, 0);

	mkspace_commit_root(m, &root, 3, 0);
	assert_int_equal(run(m, 0, false, &r), FAULT_MALFORMED);
	expect("the sums of a node are wrong");
	expect("path MALFORMED 1 b/c: its folder is not in the tree");
	root = two_levels(m, 2, 7);
	mkspace_commit_root(m, &root, 2, 0);
	assert_int_equal(run(m, 0, false, &r), FAULT_MALFORMED);
	expect("the sums of a node are wrong");
	expect("the sums of a commit are wrong");
}

static void
a_chunk_that_no_index_has_is_found(void **state)
{
	struct mkspace *m = *state;
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	struct list_builder l = list_build(INLINE_MAX);
	uint8_t id[CHUNK_ID_LEN] = { 7 };
	struct check_result r;

	assert_int_equal(list_add_data(&l, id, 100), 0);
	assert_int_equal(list_finish(&l, &e.list), 0);
	e.size = 100;
	mkspace_add(m, "nowhere", &e);
	mkspace_text(m, "f", "x");
	mkspace_commit(m, "");
	assert_int_equal(run(m, 0, false, &r), FAULT_MISSING);
	expect("path MISSING 1 nowhere:");
	list_builder_wipe(&l);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, mkspace_setup,mkspace_teardown)
	const struct CMUnitTest tests[] = {
		T(finds_nothing_in_a_good_space),
		T(an_empty_space_is_good),
		T(names_objects_and_paths),
		T(index_and_tree_are_always_read),
		T(history_is_read_when_asked),
		T(what_was_stored_again_is_not_lost),
		T(wrong_sums_and_folders_are_found),
		T(a_chunk_that_no_index_has_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
