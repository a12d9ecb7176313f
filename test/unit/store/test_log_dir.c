// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "store/log_dir.h"
#include "test/lib/scrap.h"
#include "tlog/checkpoint.h"

static struct sign_key key;
static struct note_key pub;
static char dir[64];
static int sign_rc; /* what the signer answers with */

static int
sign(void *ctx, struct bytes text, struct buf *note)
{
	(void)ctx;
	return sign_rc != 0 ? sign_rc : note_sign(text, &pub, &key, note);
}

static const struct log_signer signer = { .sign = sign };

static int
new_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/skerry-log-XXXXXX");
	sign_rc = 0;
	return mkdtemp(dir) == NULL;
}

static int
drop_dir(void **state)
{
	(void)state;
	return scrap(dir);
}

static struct log *
open_log(void)
{
	struct fault f = { 0 };
	struct log *l;

	if (log_dir_open(dir, &pub, signer, &l, &f) != 0)
		fail_msg("%s", f.text);
	return l;
}

static int
open_rc(void)
{
	struct fault f = { 0 };
	struct log *l;
	int rc = log_dir_open(dir, &pub, signer, &l, &f);

	if (rc == 0)
		l->ops->close(l);
	return rc;
}

static uint64_t
size_of(struct log *l)
{
	struct fault f = { 0 };
	struct log_head h;

	assert_int_equal(l->ops->head(l, &h, NULL, &f), 0);
	return h.size;
}

static int
append(struct log *l, size_t n)
{
	static uint64_t data[3000];
	static struct bytes entry[3000];
	struct fault f = { 0 };
	uint64_t first, size = size_of(l);
	int rc;

	assert_true(n <= ARRAY_LEN(data));
	for (size_t i = 0; i < n; i++) {
		data[i] = size + i;
		entry[i] = bytes_of(&data[i], sizeof(data[i]));
	}
	rc = l->ops->append(l, entry, n, &first, &f);
	if (rc == 0)
		assert_true(first == size);
	return rc;
}

static bool
exists(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void
drop(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

static void
scribble(const char *name)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "~", 1, 40), 1);
	(void)close(fd);
}

/* All entries and every checkpoint's root, whatever the batches were. */
static void
grows_and_opens_again(void **state)
{
	static const size_t batch[] = { 1, 1, 253, 1, 1, 255, 300, 2900, 44 };
	struct merkle_edge edge = { .size = 0 };
	struct buf e defer(buf_wipe) = buf_init(100);
	struct fault f = { 0 };
	struct log_head h;
	struct log *l = open_log();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(batch); i++) {
		struct merkle_hash leaf, root;

		assert_int_equal(append(l, batch[i]), 0);
		for (size_t j = 0; j < batch[i]; j++) {
			uint64_t v = edge.size;

			merkle_leaf(bytes_of(&v, sizeof(v)), &leaf);
			assert_int_equal(merkle_append(&edge, &leaf), 0);
		}
		merkle_root(&edge, &root);
		if (i % 2 == 0) {
			l->ops->close(l);
			l = open_log();
		}
		assert_int_equal(l->ops->head(l, &h, NULL, &f), 0);
		assert_true(h.size == edge.size);
		assert_memory_equal(&h.root, &root, sizeof(root));
	}
	assert_int_equal(l->ops->check(l, &f), 0);
	for (uint64_t i = 0; i < h.size; i += 101) {
		e.n = 0;
		assert_int_equal(l->ops->entry(l, i, &e, &f), 0);
		assert_int_equal(e.n, sizeof(i));
		assert_memory_equal(e.p, &i, sizeof(i));
	}
	assert_int_equal(l->ops->entry(l, h.size, &e, &f), FAULT_NOT_FOUND);
	l->ops->close(l);
}

/* Signs, and sees that the new tree can be shown to continue the one before. */
static struct {
	struct log *log;
	struct log_head last;
} seen;

static int
sign_proven(void *ctx, struct bytes text, struct buf *note)
{
	static struct tile_tree tree;
	const struct merkle_source s = tile_tree_source(&tree);
	struct merkle_proof p;
	struct checkpoint c;

	assert_int_equal(checkpoint_parse(text, &c), 0);
	tile_tree_init(&tree, seen.log->ops->tiles(seen.log), c.size);
	assert_int_equal(merkle_prove_consistency(&s, seen.last.size, c.size,
	    &p), 0);
	assert_int_equal(merkle_check_consistency(&p, seen.last.size, c.size,
	    &seen.last.root, &c.root), 0);
	return sign(ctx, text, note);
}

static void
the_signer_sees_the_tiles(void **state)
{
	static const size_t batch[] = { 255, 1, 1, 254, 1, 300, 1500, 2900 };
	const struct log_signer s = { .sign = sign_proven };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(log_dir_open(dir, &pub, s, &seen.log, &f), 0);
	for (size_t i = 0; i < ARRAY_LEN(batch); i++) {
		assert_int_equal(seen.log->ops->head(seen.log, &seen.last,
		    NULL, &f), 0);
		assert_int_equal(append(seen.log, batch[i]), 0);
	}
	seen.log->ops->close(seen.log);
}

/* From files and from what is at hand; so, too, after an append that failed. */
static void
has_the_tiles_of_every_tree_so_far(void **state)
{
	static const size_t batch[] = { 1, 254, 1, 300, 1500, 7 };
	static struct tile_tree tree;
	const struct merkle_source s = tile_tree_source(&tree);
	struct merkle_hash root[ARRAY_LEN(batch)], h;
	uint64_t size[ARRAY_LEN(batch)];
	struct merkle_edge edge;
	struct log *l = open_log();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(batch); i++) {
		struct fault f = { 0 };
		struct log_head head;

		assert_int_equal(append(l, batch[i]), 0);
		assert_int_equal(l->ops->head(l, &head, NULL, &f), 0);
		size[i] = head.size;
		root[i] = head.root;
		sign_rc = FAULT_AUTHORITY;
		if (i % 2 == 1)
			assert_int_equal(append(l, 600), FAULT_AUTHORITY);
		sign_rc = 0;
		for (size_t k = 0; k <= i; k++) {
			tile_tree_init(&tree, l->ops->tiles(l), size[k]);
			assert_int_equal(merkle_edge_load(&s, size[k], &edge),
			    0);
			merkle_root(&edge, &h);
			assert_memory_equal(&h, &root[k], sizeof(h));
		}
	}
	l->ops->close(l);
}

static void
has_the_files_that_are_specified(void **state)
{
	struct log *l = open_log();

	(void)state;
	assert_int_equal(append(l, 1), 0);
	assert_true(exists("log/tile/0/000.p/1"));
	assert_true(exists("log/tile/entries/000.p/1"));
	assert_int_equal(append(l, 255), 0);
	assert_true(exists("log/tile/0/000"));
	assert_true(exists("log/tile/entries/000"));
	assert_true(exists("log/tile/1/000.p/1"));
	assert_false(exists("log/tile/0/000.p"));
	assert_false(exists("log/tile/entries/000.p"));
	assert_false(exists("log/tile/0/001.p"));
	assert_false(exists("log/checkpoint"));
	assert_true(exists("signed"));
	l->ops->close(l);
}

static void
a_refused_batch_leaves_nothing(void **state)
{
	struct fault f = { 0 };
	static uint8_t big[TILE_ENTRY_MAX + 1];
	struct bytes entry[] = { bytes_of("x", 1), bytes_of(big, sizeof(big)) };
	struct log *l = open_log();
	uint64_t first;

	(void)state;
	assert_int_equal(append(l, 300), 0);
	assert_int_equal(l->ops->append(l, entry, 2, &first, &f), FAULT_LIMIT);
	assert_int_equal(l->ops->append(l, entry, 0, &first, &f), FAULT_LIMIT);
	sign_rc = FAULT_AUTHORITY;
	assert_int_equal(append(l, 300), FAULT_AUTHORITY);
	sign_rc = 0;
	assert_int_equal(size_of(l), 300);
	assert_false(exists("log/tile/0/001"));
	assert_int_equal(append(l, 10), 0);
	assert_int_equal(l->ops->check(l, &f), 0);
	l->ops->close(l);
	assert_int_equal(open_rc(), 0);
}

static void
makes_lost_tiles_from_entries(void **state)
{
	struct fault f = { 0 };
	struct log *l = open_log();

	(void)state;
	assert_int_equal(append(l, 700), 0);
	l->ops->close(l);
	drop("log/tile/0/002.p/188");
	drop("log/tile/1/000.p/2");
	drop("log/tile/0/000");
	l = open_log();
	assert_true(exists("log/tile/0/002.p/188"));
	assert_true(exists("log/tile/1/000.p/2"));
	assert_true(exists("log/tile/0/000"));
	assert_int_equal(l->ops->check(l, &f), 0);
	l->ops->close(l);
}

static void
notices_what_was_changed(void **state)
{
	struct fault f = { 0 };
	struct log *l = open_log();

	(void)state;
	assert_int_equal(append(l, 700), 0);
	l->ops->close(l);
	scribble("log/tile/0/002.p/188");
	l = open_log(); /* made again */
	assert_int_equal(l->ops->check(l, &f), 0);
	scribble("log/tile/entries/001");
	assert_int_equal(l->ops->check(l, &f), FAULT_TAMPERED);
	l->ops->close(l);
	scribble("log/tile/entries/002.p/188");
	assert_int_equal(open_rc(), FAULT_TAMPERED);
	scribble("signed");
	assert_int_not_equal(open_rc(), 0);
}

static void
publishes_forward_only(void **state)
{
	struct buf one defer(buf_wipe) = buf_init(NOTE_MAX);
	struct buf two defer(buf_wipe) = buf_init(NOTE_MAX);
	struct fault f = { 0 };
	struct log *l = open_log();
	struct log_head h;

	(void)state;
	assert_int_equal(append(l, 300), 0);
	assert_int_equal(l->ops->head(l, &h, &one, &f), 0);
	assert_int_equal(append(l, 300), 0);
	assert_int_equal(l->ops->head(l, &h, &two, &f), 0);
	/* The partial tiles of the first are gone by now. */
	assert_int_equal(l->ops->publish(l, buf_bytes(&one), &f), 0);
	assert_int_equal(l->ops->publish(l, buf_bytes(&one), &f), 0);
	assert_int_equal(l->ops->publish(l, buf_bytes(&two), &f), 0);
	assert_int_equal(l->ops->publish(l, buf_bytes(&one), &f),
	    FAULT_ROLLBACK);
	l->ops->close(l);
	l = open_log();
	assert_int_equal(l->ops->publish(l, buf_bytes(&one), &f),
	    FAULT_ROLLBACK);
	two.p[two.n - 10] ^= 1;
	assert_int_not_equal(l->ops->publish(l, buf_bytes(&two), &f), 0);
	l->ops->close(l);
	drop("signed");
	assert_int_not_equal(open_rc(), 0);
}

static void
has_one_owner(void **state)
{
	struct log *l = open_log();

	(void)state;
	assert_int_equal(open_rc(), FAULT_CONFLICT);
	l->ops->close(l);
	assert_int_equal(open_rc(), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, new_dir, drop_dir)

int
main(void)
{
	const struct CMUnitTest t[] = {
		CASE(grows_and_opens_again),
		CASE(the_signer_sees_the_tiles),
		CASE(has_the_tiles_of_every_tree_so_far),
		CASE(has_the_files_that_are_specified),
		CASE(a_refused_batch_leaves_nothing),
		CASE(makes_lost_tiles_from_entries),
		CASE(notices_what_was_changed),
		CASE(publishes_forward_only),
		CASE(has_one_owner),
	};
	struct sign_pub p;

	if (secret_init() != 0)
		return 1;
	sign_new(&key, &p);
	if (note_key_make(bytes_of("log.example/a", 13), NOTE_ED25519, &p,
	        &pub) != 0)
		return 1;
	return cmocka_run_group_tests(t, NULL, NULL);
}
