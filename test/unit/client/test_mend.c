// SPDX-License-Identifier: Apache-2.0
/* A put after a check that found parts of the tree, the index or the history
 * lost; with what the cache has, and without.  And rotations beside that. */
#include "client/engine/mend.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/engine/check.h"
#include "client/engine/put.h"
#include "client/engine/rewrite.h"
#include "client/state.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "object/cursor.h"
#include "object/key.h"
#include "store/store_fault.h"

#define FILES 1600

struct bed {
	struct mkspace *m;
	struct state st;
	char src[128], cache[128], lost[160];
	struct put put;
	struct session_epoch epoch[2];
	struct space_key key; /* of the second */
	struct check_result res;
	struct fault f;
	char warned[512];
};

int
session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	(void)expect;
	(void)f;
	s->has_head = true;
	memcpy(s->head, head, STORE_HEAD_LEN);
	return 0;
}

static void
on_warn(void *arg, struct bytes key, const char *text)
{
	struct bed *b = arg;

	(void)key;
	(void)snprintf(b->warned, sizeof(b->warned), "%s", text);
}

static void
file_at(struct bed *b, const char *top, int i, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s/%05d-%060d", b->src, top, i,
	    i);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "%s %s %d", text, top, i) > 0);
	assert_int_equal(fclose(f), 0);
}

static void
file_gone(struct bed *b, const char *top, int i)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s/%05d-%060d", b->src, top, i,
	    i);
	assert_int_equal(unlink(path), 0);
}

static int
setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	char path[160];

	assert_non_null(b);
	b->m = mkspace_new();
	(void)snprintf(b->src, sizeof(b->src), "%s/src", b->m->dir);
	(void)snprintf(b->cache, sizeof(b->cache), "%s/cache", b->m->dir);
	(void)snprintf(b->lost, sizeof(b->lost), "%s/lost", b->cache);
	assert_int_equal(mkdir(b->src, 0755), 0);
	assert_int_equal(mkdir(b->cache, 0700), 0);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%c", b->src, 'a' + i);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (int i = 0; i < FILES; i++)
		file_at(b, "b", i, "first");
	file_at(b, "a", 1, "first");
	file_at(b, "c", 1, "first");
	b->st.fd = open(b->m->dir, O_RDONLY | O_DIRECTORY);
	b->m->ses.state = &b->st;
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *b = *state;

	fake_seen_head = NULL;
	b->m->ses.state = NULL;
	close(b->st.fd);
	mkspace_free(b->m);
	free(b);
	return 0;
}

/* Puts folders of src, each of one letter. */
static int
put(struct bed *b, const char *tops, bool repair)
{
	struct put_source source[3];
	char path[3][160];
	size_t n = strlen(tops);

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path[i], sizeof(path[i]), "%s/%c", b->src,
		    tops[i]);
		source[i] = (struct put_source){ .path = path[i],
			.key = bytes_of(&tops[i], 1) };
	}
	b->put = (struct put){ .ses = &b->m->ses, .source = source,
		.sources = n, .message = "", .repair = repair,
		.warn = on_warn, .warn_arg = b };
	b->f = (struct fault){ 0 };
	b->warned[0] = '\0';
	return put_run(&b->put, &b->f);
}

static int
check(struct bed *b, bool history)
{
	const struct check_options all = { .percent = 100,
		.history = history };

	b->f = (struct fault){ 0 };
	return check_run(mkspace_open(b->m), &all, &b->res, &b->f);
}

/* All of the cache but what is known to be lost. */
static int
forget(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	if (at->level > 0 && strcmp(path + at->base, "lost") != 0)
		assert_int_equal(kind == FTW_DP ? rmdir(path) : unlink(path),
		    0);
	return 0;
}

static void
empty_cache(struct bed *b)
{
	assert_int_equal(nftw(b->cache, forget, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Alters the sealing at a place. */
static void
harm(struct bed *b, const struct place *p)
{
	mkspace_flip(b->m, p->object, p->offset + 3);
}

/* The place of the leaf that has the key of the path, in the head's tree. */
static struct place
leaf_of(struct bed *b, const char *path)
{
	struct space *sp = mkspace_open(b->m);
	struct reader *r defer(reader_freep) = NULL;
	struct cursor *c defer(cursor_freep) = NULL;
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct cursor_node node, at = { 0 };

	assert_int_equal(key_from_path(bytes_of(path, strlen(path)), &key), 0);
	assert_int_equal(reader_new(sp, &r, &b->f), 0);
	assert_int_equal(cursor_new(&sp->commit.root, CURSOR_LEVEL_ANY,
	    reader_nodes(r), &c), 0);
	assert_int_equal(cursor_seek(c, bytes_of(NULL, 0)), 1);
	do {
		assert_int_equal(cursor_entry(c, NULL, NULL), 0);
		if (cursor_at_node(c, 0, &node))
			at = node;
	} while (cursor_next(c) == 1 &&
	    bytes_cmp(cursor_key(c), buf_bytes(&key)) <= 0);
	assert_true(at.child.entries != 0);
	return at.child.ref.place;
}

static struct place
block_of(struct bed *b)
{
	struct space *sp = mkspace_open(b->m);

	return segment_block_place(
	    &sp->commit.segment[sp->commit.segments - 1], 2);
}

/* Puts the cache away, as it is, and gets it back. */
static void
swap_cache(struct bed *b)
{
	char away[160];

	(void)snprintf(away, sizeof(away), "%s.away", b->cache);
	(void)mkdir(away, 0700);
	assert_int_equal(renameat2(AT_FDCWD, b->cache, AT_FDCWD, away,
	    RENAME_EXCHANGE), 0);
}

/* Into a second epoch. */
static int
rewrite(struct bed *b, struct rewrite *w)
{
	memset(b->key.b, 2, sizeof(b->key.b));
	b->epoch[0] = b->m->epoch;
	b->epoch[1] = (struct session_epoch){ .epoch = 2, .key = &b->key };
	b->m->ses.epochs = b->epoch;
	b->m->ses.nepochs = 2;
	b->f = (struct fault){ 0 };
	b->warned[0] = '\0';
	w->ses = &b->m->ses;
	w->epoch = 2;
	w->message = "";
	w->warn = on_warn;
	w->warn_arg = b;
	return rewrite_run(w, &b->f);
}

static void
what_the_cache_has_is_stored_again(void **state)
{
	struct bed *b = *state;
	struct place leaf, root, block, commit;

	assert_int_equal(put(b, "abc", false), 0);
	file_at(b, "a", 2, "second");
	assert_int_equal(put(b, "abc", false), 0);
	leaf = leaf_of(b, "b/00600");
	root = b->m->space->commit.root.place;
	commit = b->m->space->commit.parent.place;
	block = block_of(b);
	harm(b, &leaf);
	harm(b, &root);
	harm(b, &block);
	harm(b, &commit);
	assert_int_equal(check(b, true), FAULT_TAMPERED);
	assert_int_equal(put(b, "a", false), 0);
	assert_true(b->put.changed);
	assert_string_equal(b->warned, "");
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 6);
	empty_cache(b);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(check(b, true), FAULT_TAMPERED); /* an old root */
	assert_int_equal(b->res.commits, 3);
	assert_int_equal(put(b, "abc", false), 0);
	assert_false(b->put.changed);
}

/* All that is at the depot is gone: one check finds it, one put stores it. */
static void
all_that_is_lost_is_found_at_once(void **state)
{
	struct bed *b = *state;
	struct space *sp;

	assert_int_equal(put(b, "abc", false), 0);
	file_at(b, "a", 2, "second");
	assert_int_equal(put(b, "abc", false), 0);
	sp = mkspace_open(b->m);
	mkspace_remove(b->m, sp->head.commit.place.object);
	mkspace_remove(b->m, sp->commit.parent.place.object);
	assert_int_equal(check(b, true), FAULT_MISSING);
	assert_int_equal(b->res.chunks, 0);
	assert_true(b->res.bad_chunks >= FILES);
	assert_true(b->res.bad_paths >= FILES + 6);
	assert_int_equal(put(b, "abc", false), 0);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 6);
	assert_true(b->res.chunks >= FILES);
}

/* Between two leaves of one folder that is put: all is known to be of it. */
static void
what_the_put_has_is_stored_again(void **state)
{
	struct bed *b = *state;
	struct place leaf;

	assert_int_equal(put(b, "abc", false), 0);
	leaf = leaf_of(b, "b/00600");
	harm(b, &leaf);
	empty_cache(b);
	assert_int_equal(put(b, "b", false), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "check"));
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	empty_cache(b);
	assert_int_equal(put(b, "b", false), 0);
	assert_true(b->put.changed);
	assert_string_equal(b->warned, "");
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 5);
}

/* The last leaf has c, too. */
static void
what_it_has_not_wants_a_word(void **state)
{
	struct bed *b = *state;
	struct place leaf;

	assert_int_equal(put(b, "abc", false), 0);
	file_at(b, "c", 2, "second");
	assert_int_equal(put(b, "c", false), 0);
	leaf = leaf_of(b, "c");
	harm(b, &leaf);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	empty_cache(b);
	assert_int_equal(put(b, "c", false), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "--repair"));
	assert_int_equal(b->m->ses.has_head, true);
	assert_int_equal(mkspace_open(b->m)->head.number, 2);
	assert_int_equal(put(b, "b", true), 0);
	assert_string_equal(b->warned,
	    "was lost from here on: taken from commit 1");
	assert_int_equal(check(b, false), 0);
	/* The second file of c came later. */
	assert_int_equal(b->res.entries, FILES + 5);
	assert_int_equal(put(b, "c", false), 0);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 6);
}

static void
a_lost_root_is_a_gap_from_end_to_end(void **state)
{
	struct bed *b = *state;
	struct place root;

	assert_int_equal(put(b, "ac", false), 0);
	assert_int_equal(put(b, "b", false), 0);
	root = mkspace_open(b->m)->commit.root.place;
	harm(b, &root);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	empty_cache(b);
	assert_int_equal(put(b, "ab", false), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "all entries of the tree"));
	assert_int_equal(put(b, "ab", true), 0);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 5);
	/* And where no commit has it. */
	root = mkspace_open(b->m)->commit.root.place;
	harm(b, &root);
	root = mkspace_open(b->m)->commit.parent.place;
	harm(b, &root);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	empty_cache(b);
	assert_int_equal(put(b, "ab", true), 0);
	assert_non_null(strstr(b->warned, "in no commit"));
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 3);
}

static void
a_lost_block_stops_no_put(void **state)
{
	struct bed *b = *state;
	struct place block;

	assert_int_equal(put(b, "abc", false), 0);
	block = block_of(b);
	harm(b, &block);
	empty_cache(b);
	/* Nobody knows of it: all that is read anew is stored again. */
	for (int i = 0; i < FILES; i++)
		file_at(b, "b", i, "second");
	assert_int_equal(put(b, "b", false), 0);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	empty_cache(b);
	assert_int_equal(put(b, "abc", false), 0);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	/* The block, and no path. */
	assert_int_equal(b->res.bad_paths, 0);
	assert_int_equal(b->res.findings, 1);
	assert_int_equal(put(b, "a", true), 0);
	assert_non_null(strstr(b->warned, "given up (1)"));
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 5);
}

/* Nothing else has what it had. */
static void
a_lost_block_is_given_up_if_the_user_says_so(void **state)
{
	struct bed *b = *state;
	struct place block;

	assert_int_equal(put(b, "abc", false), 0);
	block = block_of(b);
	harm(b, &block);
	empty_cache(b);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	assert_int_equal(put(b, "a", true), 0);
	assert_true(b->put.changed);
	assert_int_equal(check(b, false), FAULT_MISSING);
	assert_int_equal(b->res.bad_objects, 0);
	assert_in_range(b->res.bad_paths, 1, FILES + 2);
	assert_int_equal(put(b, "abc", false), 0);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(put(b, "abc", true), 0);
	assert_false(b->put.changed);
}

static void
a_lost_index_is_given_up_as_a_whole(void **state)
{
	struct bed *b = *state;
	struct place block;

	assert_int_equal(put(b, "ac", false), 0);
	block = segment_block_place(&mkspace_open(b->m)->commit.segment[0],
	    0);
	harm(b, &block);
	empty_cache(b);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	/* A folder without files: nothing comes to the index. */
	file_gone(b, "a", 1);
	assert_int_equal(put(b, "a", true), 0);
	assert_int_equal(mkspace_open(b->m)->commit.segments, 0);
	assert_int_equal(check(b, false), FAULT_MISSING);
	assert_int_equal(put(b, "ac", false), 0);
	assert_int_equal(check(b, false), 0);
}

/* Three commits; a leaf of all, a block of the index, and the first commit are
 * lost, with no copy. */
static void
lose_parts(struct bed *b)
{
	struct place leaf, block, commit;

	for (int i = 0; i < 3; i++) {
		file_at(b, "a", 2 + i, "more");
		assert_int_equal(put(b, i == 0 ? "abc" : "a", false), 0);
		if (i == 0)
			commit = mkspace_open(b->m)->head.commit.place;
	}
	leaf = leaf_of(b, "b/00600");
	block = block_of(b);
	harm(b, &leaf);
	harm(b, &block);
	harm(b, &commit);
	swap_cache(b);
}

/* What is there gets the new key; what is lost stays named, and a device with
 * copies stores it again. */
static void
a_rotation_goes_round_what_is_lost(void **state)
{
	struct bed *b = *state;
	struct rewrite w = { 0 };
	uint64_t bad;

	lose_parts(b);
	assert_int_equal(check(b, true), FAULT_TAMPERED);
	bad = b->res.bad_paths;
	assert_int_equal(rewrite(b, &w), 0);
	assert_int_equal(w.lost, 3);
	assert_int_equal(w.why, FAULT_TAMPERED);
	assert_int_equal(w.commits, 3);
	assert_string_not_equal(b->warned, "");
	assert_int_equal(mkspace_open(b->m)->head.epoch, 2);
	assert_int_equal(b->m->space->head.number, 4);
	/* The old key is of no use now. */
	b->m->ses.epochs = b->epoch + 1;
	b->m->ses.nepochs = 1;
	empty_cache(b);
	assert_int_equal(check(b, true), FAULT_TAMPERED);
	assert_int_equal(b->res.commits, 3);
	assert_true(b->res.bad_paths > 0 && b->res.bad_paths <= bad);
	swap_cache(b);
	assert_int_equal(check(b, true), FAULT_TAMPERED);
	assert_int_equal(b->res.commits, 3);
	assert_int_equal(put(b, "a", false), 0);
	assert_true(b->put.changed);
	empty_cache(b);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 8);
	/* In the history the leaf stays lost. */
	assert_int_equal(check(b, true), FAULT_TAMPERED);
	assert_int_equal(b->res.commits, 5);
}

/* Nobody knows whether it has what is to be taken out. */
static void
nothing_is_shredded_beside_what_is_lost(void **state)
{
	const struct bytes key = { (const uint8_t *)"c", 1 };
	struct rewrite w = { .key = &key, .nkeys = 1 };
	struct bed *b = *state;
	struct place leaf;

	assert_int_equal(put(b, "abc", false), 0);
	leaf = leaf_of(b, "b/00600");
	harm(b, &leaf);
	swap_cache(b);
	assert_int_equal(rewrite(b, &w), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "nothing was shredded"));
	assert_non_null(strstr(b->f.text, "--repair"));
	assert_int_equal(mkspace_open(b->m)->head.number, 1);
	swap_cache(b);
	assert_int_equal(rewrite(b, &w), 0);
	assert_int_equal(check(b, true), 0);
}

/* Nothing of it can be reached any more, also with copies of what was lost. */
static void
a_shred_gives_up_what_is_lost_if_the_user_says_so(void **state)
{
	const struct bytes key = { (const uint8_t *)"c", 1 };
	struct rewrite w = { .key = &key, .nkeys = 1, .repair = true };
	struct bed *b = *state;
	uint64_t left;

	lose_parts(b);
	assert_int_equal(rewrite(b, &w), 0);
	/* The leaf is in two commits. */
	assert_int_equal(w.lost, 4);
	assert_int_equal(w.why, FAULT_TAMPERED);
	/* c with its file, of each; and the leaf. */
	assert_int_equal(w.removed, 4);
	assert_true(w.given_up > 4 && w.given_up % 2 == 0);
	assert_true(w.dropped > 1);
	b->m->ses.epochs = b->epoch + 1;
	b->m->ses.nepochs = 1;
	/* Paths whose chunks the block had, and nothing else. */
	swap_cache(b);
	assert_int_equal(check(b, true), FAULT_MISSING);
	assert_int_equal(b->res.bad_objects, 0);
	assert_int_equal(b->res.commits, 3);
	assert_int_equal(check(b, false), FAULT_MISSING);
	left = b->res.entries;
	assert_in_range(left, FILES / 2, FILES + 5);
	assert_int_equal(put(b, "ab", false), 0);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 6);
}

static void
a_shred_takes_what_may_be_in_what_is_lost(void **state)
{
	char name[80] = "b/";
	const struct bytes key = { (const uint8_t *)name, 0 };
	struct rewrite w = { .nkeys = 1, .repair = true };
	struct bed *b = *state;
	struct place leaf, root;
	struct bytes one = key;
	uint64_t left;

	assert_int_equal(put(b, "abc", false), 0);
	leaf = leaf_of(b, "b/00600");
	harm(b, &leaf);
	empty_cache(b);
	(void)snprintf(name, sizeof(name), "b%c%05d-%060d", '\0', 600, 600);
	one.n = 2 + 5 + 1 + 60;
	w.key = &one;
	assert_int_equal(rewrite(b, &w), 0);
	assert_int_equal(w.lost, 1);
	assert_int_equal(w.removed, 0);
	assert_int_equal(check(b, true), 0);
	assert_int_equal(b->res.entries + w.given_up, FILES + 5);
	/* The root as well: nothing is left of that commit. */
	root = mkspace_open(b->m)->commit.root.place;
	harm(b, &root);
	empty_cache(b);
	w.epoch = 0;
	b->m->epoch = b->epoch[1];
	left = b->res.entries;
	assert_int_equal(rewrite(b, &w), 0);
	assert_int_equal(w.given_up, 2 * left); /* of two commits */
	assert_int_equal(check(b, true), 0);
	assert_int_equal(b->res.entries, 0);
}

/* The head's commit is lost, and no cache has it. */
static void
lose_head(struct bed *b)
{
	struct place p = mkspace_open(b->m)->head.commit.place;

	harm(b, &p);
	empty_cache(b);
}

static void
a_lost_head_gives_way_to_the_one_seen_before(void **state)
{
	struct bed *b = *state;
	uint8_t seen[STORE_HEAD_LEN];

	assert_int_equal(put(b, "abc", false), 0);
	memcpy(seen, b->m->ses.head, sizeof(seen));
	for (int i = 0; i < 3; i++) {
		file_at(b, "a", 2 + i, "later");
		assert_int_equal(put(b, "a", false), 0);
	}
	lose_head(b);
	fake_seen_head = seen;
	assert_int_equal(put(b, "c", false), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "put --repair goes on from there"));
	assert_int_equal(put(b, "c", true), 0);
	assert_non_null(strstr(b->warned, "goes on from commit 1,"));
	assert_int_equal(b->put.number, 5);
	assert_int_equal(check(b, true), 0);
	assert_int_equal(b->m->space->head.number, 5);
	assert_int_equal(b->res.commits, 5);
	assert_int_equal(b->res.entries, FILES + 5);
	assert_int_equal(put(b, "a", false), 0);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 8);
}

static void
with_none_before_the_space_begins_anew(void **state)
{
	struct bed *b = *state;
	struct space *sp;
	struct reader *r defer(reader_freep) = NULL;
	struct commit up defer(commit_wipe) = { 0 };

	assert_int_equal(put(b, "ac", false), 0);
	assert_int_equal(put(b, "b", false), 0);
	lose_head(b);
	/* It is the one that was seen. */
	fake_seen_head = b->m->ses.head;
	assert_int_equal(put(b, "b", false), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "put --repair begins anew"));
	assert_int_equal(put(b, "b", true), 0);
	assert_non_null(strstr(b->warned, "given up"));
	assert_int_equal(check(b, true), 0);
	assert_int_equal(b->res.commits, 2);
	assert_int_equal(b->res.entries, FILES + 1);
	sp = mkspace_open(b->m);
	assert_int_equal(sp->head.number, 3);
	assert_int_equal(reader_new(sp, &r, &b->f), 0);
	assert_int_equal(reader_commit(r, &sp->commit.parent, &up, &b->f), 0);
	assert_int_equal(up.number, 2);
	assert_int_equal(up.entries, 0);
	assert_false(up.has_parent);
	assert_memory_equal(up.message, "(lost)", 6);
}

/* What was shredded does not come back, and the dedup key is gone. */
static void
nothing_is_taken_from_an_epoch_before(void **state)
{
	struct bed *b = *state;
	struct rewrite w = { 0 };
	uint8_t seen[STORE_HEAD_LEN];

	assert_int_equal(put(b, "abc", false), 0);
	memcpy(seen, b->m->ses.head, sizeof(seen));
	assert_int_equal(rewrite(b, &w), 0);
	lose_head(b);
	fake_seen_head = seen;
	assert_int_equal(put(b, "abc", true), FAULT_TAMPERED);
	assert_null(strstr(b->f.text, "--repair"));
	fake_seen_head = NULL;
	assert_int_equal(put(b, "abc", true), FAULT_TAMPERED);
	assert_non_null(strstr(b->f.text, "another account"));
}

/* At its one put in each way, then at its gets, the first and later ones.  What
 * was lost is so, no more is, and the one that comes through has all again. */
static void
a_repair_that_is_broken_off_loses_nothing(void **state)
{
	struct bed *b = *state;
	struct store_fault_plan plan = { 0 };
	struct store *real = b->m->store, *faulty;
	struct place leaf, block;
	uint64_t bad;
	unsigned n = 0;
	int rc;

	assert_int_equal(real->ops->dup(real, &real, &b->f), 0);
	assert_int_equal(store_fault_open(real, &plan, &faulty, &b->f), 0);
	assert_int_equal(put(b, "abc", false), 0);
	leaf = leaf_of(b, "b/00600");
	block = block_of(b);
	harm(b, &leaf);
	harm(b, &block);
	empty_cache(b);
	assert_int_equal(check(b, false), FAULT_TAMPERED);
	bad = b->res.bad_objects;
	do {
		empty_cache(b);
		memset(&plan, 0, sizeof(plan));
		plan.put_at = n <= STORE_FAULT_TEAR;
		plan.get_at = (1u << n) >> (STORE_FAULT_TEAR + 1);
		plan.from_there_on = true;
		plan.how = n <= STORE_FAULT_TEAR ? n : STORE_FAULT_REFUSE;
		b->m->ses.store = faulty;
		rc = put(b, "abc", true);
		b->m->ses.store = b->m->store;
		assert_true(rc == 0 || rc == FAULT_DEPOT);
		if (rc == 0)
			break;
		n++;
		assert_int_equal(check(b, false), FAULT_TAMPERED);
		assert_int_equal(b->res.bad_objects, bad);
		assert_int_equal(b->m->space->head.number, 1);
	} while (n < 30);
	assert_true(n > STORE_FAULT_TEAR + 2);
	empty_cache(b);
	assert_int_equal(check(b, false), 0);
	assert_int_equal(b->res.entries, FILES + 5);
	store_close(faulty);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_the_cache_has_is_stored_again),
		TEST(all_that_is_lost_is_found_at_once),
		TEST(what_the_put_has_is_stored_again),
		TEST(what_it_has_not_wants_a_word),
		TEST(a_lost_root_is_a_gap_from_end_to_end),
		TEST(a_lost_block_stops_no_put),
		TEST(a_lost_block_is_given_up_if_the_user_says_so),
		TEST(a_lost_index_is_given_up_as_a_whole),
		TEST(a_rotation_goes_round_what_is_lost),
		TEST(nothing_is_shredded_beside_what_is_lost),
		TEST(a_shred_gives_up_what_is_lost_if_the_user_says_so),
		TEST(a_shred_takes_what_may_be_in_what_is_lost),
		TEST(a_lost_head_gives_way_to_the_one_seen_before),
		TEST(with_none_before_the_space_begins_anew),
		TEST(nothing_is_taken_from_an_epoch_before),
		TEST(a_repair_that_is_broken_off_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
