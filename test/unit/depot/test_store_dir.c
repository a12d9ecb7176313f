// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypt/secret.h"
#include "depot/blocks.h"
#include "depot/hex.h"
#include "depot/store_dir.h"
#include "depot/store_dir_impl.h"

#define RACERS 16

struct env {
	char dir[64];
	struct store *s;
	struct fault f;
};

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	(void)snprintf(e->dir, sizeof(e->dir), "/tmp/skerry-store-XXXXXX");
	if (mkdtemp(e->dir) == NULL || store_dir_open(e->dir, &e->s, &e->f))
		return -1;
	*state = e;
	return 0;
}

/* Removes a tree of at most five levels. */
static void
remove_tree(int at, const char *name, int levels)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	struct dirent *e;
	DIR *d;

	if (levels == 0 || fd < 0 || (d = fdopendir(fd)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) != 0)
			remove_tree(dirfd(d), e->d_name, levels - 1);
	}
	(void)closedir(d);
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

static int
teardown(void **state)
{
	struct env *e = *state;

	if (e->s != NULL)
		e->s->ops->close(e->s);
	remove_tree(AT_FDCWD, e->dir, 6);
	free(e);
	return 0;
}

static void
reopen(struct env *e)
{
	e->s->ops->close(e->s);
	e->s = NULL;
	assert_int_equal(store_dir_open(e->dir, &e->s, &e->f), 0);
}

static struct store_name
name_of(uint8_t fan, uint8_t n)
{
	struct store_name name = { .prefix = { 7 }, .id = { fan, n } };

	return name;
}

static int
put(struct store *s, const struct store_name *name, struct bytes body,
    uint64_t quota, enum store_put *out)
{
	struct store_upload *u;
	struct fault f;
	int rc = s->ops->put_begin(s, name, body.n, quota, &u, &f);

	if (rc != 0)
		return rc;
	rc = s->ops->put_write(u, body.p, body.n, &f);
	if (rc != 0) {
		s->ops->put_abort(u);
		return rc;
	}
	return s->ops->put_commit(u, out, &f);
}

static size_t
files_in_tmp(const struct env *e)
{
	char path[128];
	size_t n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/tmp", e->dir);
	d = opendir(path);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n - 2;
}

static void
creates_once_and_answers_a_repeat(void **state)
{
	struct env *e = *state;
	struct store_name n = name_of(1, 2);
	enum store_put how;
	uint64_t size;
	char got[4];
	int fd;

	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	assert_int_equal(how, STORE_CREATED);
	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	assert_int_equal(how, STORE_SAME);
	assert_int_equal(put(e->s, &n, bytes_of("abd", 3), 0, &how),
	    FAULT_EXISTS);
	assert_int_equal(put(e->s, &n, bytes_of("abcd", 4), 0, &how),
	    FAULT_EXISTS);
	assert_int_equal(e->s->ops->get(e->s, &n, &fd, &size, &e->f), 0);
	assert_int_equal(size, 3);
	assert_int_equal(read(fd, got, 4), 3);
	assert_memory_equal(got, "abc", 3);
	(void)close(fd);
	assert_int_equal(files_in_tmp(e), 0);
}

/* More uploads than there are blocks, in pieces that fit no block. */
static void
writes_the_same_with_and_without_a_block(void **state)
{
	enum { PIECE = 16001, LEN = BLOCK_LEN + 3 * PIECE };
	struct env *e = *state;
	struct store_upload *u[BLOCKS_MAX + 1];
	uint8_t *body = malloc(LEN), *got = malloc(LEN);
	enum store_put how;

	assert_true(body != NULL && got != NULL);
	secret_random(body, LEN);
	for (uint8_t i = 0; i < ARRAY_LEN(u); i++) {
		struct store_name n = name_of(1, i);

		assert_int_equal(e->s->ops->put_begin(e->s, &n, LEN, 0, &u[i],
		    &e->f), 0);
		for (size_t at = 0; at < LEN; at += PIECE)
			assert_int_equal(e->s->ops->put_write(u[i], body + at,
			    LEN - at < PIECE ? LEN - at : PIECE, &e->f), 0);
	}
	for (uint8_t i = 0; i < ARRAY_LEN(u); i++) {
		struct store_name n = name_of(1, i);
		uint64_t size;
		int fd;

		assert_int_equal(e->s->ops->put_commit(u[i], &how, &e->f), 0);
		assert_int_equal(e->s->ops->get(e->s, &n, &fd, &size, &e->f),
		    0);
		assert_int_equal(size, LEN);
		assert_int_equal(pread(fd, got, LEN, 0), LEN);
		assert_memory_equal(got, body, LEN);
		(void)close(fd);
		assert_int_equal(put(e->s, &n, bytes_of(body, LEN), 0, &how),
		    0);
		assert_int_equal(how, STORE_SAME);
	}
	body[LEN - 1] ^= 1;
	struct store_name last = name_of(1, BLOCKS_MAX);
	assert_int_equal(put(e->s, &last, bytes_of(body, LEN), 0, &how),
	    FAULT_EXISTS);
	assert_int_equal(files_in_tmp(e), 0);
	free(body);
	free(got);
}

static void
knows_that_the_object_was_removed_meanwhile(void **state)
{
	struct env *e = *state;
	struct store_name n = name_of(1, 2);
	struct store_upload *u;
	enum store_put how;

	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	assert_int_equal(e->s->ops->put_begin(e->s, &n, 3, 0, &u, &e->f), 0);
	assert_int_equal(e->s->ops->put_write(u, "abc", 3, &e->f), 0);
	assert_int_equal(e->s->ops->remove(e->s, &n, &e->f), 0);
	assert_int_equal(e->s->ops->put_commit(u, &how, &e->f), FAULT_MISSING);
}

/* What it was compared with is not what has the name now. */
static void
does_not_take_one_object_for_another(void **state)
{
	struct env *e = *state;
	struct store_name n = name_of(1, 2);
	struct store_upload *u;
	enum store_put how;

	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	assert_int_equal(e->s->ops->put_begin(e->s, &n, 3, 0, &u, &e->f), 0);
	assert_int_equal(e->s->ops->put_write(u, "abc", 3, &e->f), 0);
	assert_int_equal(e->s->ops->remove(e->s, &n, &e->f), 0);
	assert_int_equal(put(e->s, &n, bytes_of("xyz", 3), 0, &how), 0);
	assert_int_equal(e->s->ops->put_commit(u, &how, &e->f), FAULT_MISSING);
}

static void
abort_leaves_nothing(void **state)
{
	struct env *e = *state;
	struct store_name n = name_of(1, 2);
	struct store_upload *u;
	uint64_t size;
	int fd;

	assert_int_equal(e->s->ops->put_begin(e->s, &n, 10, 0, &u, &e->f), 0);
	assert_int_equal(e->s->ops->put_write(u, "12345", 5, &e->f), 0);
	assert_int_equal(files_in_tmp(e), 1);
	assert_int_equal(e->s->ops->put_write(u, "123456", 6, &e->f),
	    FAULT_LIMIT);
	e->s->ops->put_abort(u);
	assert_int_equal(files_in_tmp(e), 0);
	assert_int_equal(e->s->ops->get(e->s, &n, &fd, &size, &e->f),
	    FAULT_NOT_FOUND);
}

static void
start_removes_what_a_crash_left(void **state)
{
	struct env *e = *state;
	struct store_name n = name_of(1, 2);
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/tmp/0000000000000000", e->dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	reopen(e);
	assert_int_equal(files_in_tmp(e), 0);
	enum store_put how;
	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
}

static void
only_one_depot_has_a_folder(void **state)
{
	struct env *e = *state;
	struct store *other;

	assert_int_equal(store_dir_open(e->dir, &other, &e->f),
	    FAULT_CONFLICT);
}

struct racer {
	pthread_t thread;
	struct env *e;
	uint8_t body;
	int rc;
	enum store_put how;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct store_name n = name_of(9, 9);

	r->rc = put(r->e->s, &n, bytes_of(&r->body, 1), 0, &r->how);
	return NULL;
}

static void
of_many_at_once_one_creates(void **state)
{
	struct racer r[RACERS];
	int created = 0, same = 0, exists = 0;

	for (size_t i = 0; i < RACERS; i++) {
		r[i] = (struct racer){ .e = *state, .body = (uint8_t)(i & 1) };
		assert_int_equal(
		    pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(r[i].thread, NULL), 0);
		if (r[i].rc == FAULT_EXISTS)
			exists++;
		else if (r[i].rc == 0 && r[i].how == STORE_SAME)
			same++;
		else if (r[i].rc == 0)
			created++;
	}
	assert_int_equal(created, 1);
	assert_int_equal(same, RACERS / 2 - 1);
	assert_int_equal(exists, RACERS / 2);
	assert_int_equal(files_in_tmp(*state), 0);
}

/* A file or a pipe by the name of an object, made beside the depot. */
static void
plant(const struct env *e, const struct store_name *name, size_t len,
    bool pipe)
{
	struct store_dir_path path;
	char full[256];
	int fd;

	store_dir_path(name, &path);
	(void)snprintf(full, sizeof(full), "%s/v1/%s", e->dir, path.object);
	if (pipe) {
		assert_int_equal(mkfifo(full, 0600), 0);
		return;
	}
	fd = open(full, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	(void)close(fd);
}

static void
what_others_put_there_does_no_harm(void **state)
{
	struct store_name a = name_of(1, 1), b = name_of(1, 2),
			  c = name_of(1, 3);
	struct env *e = *state;
	enum store_put how;
	uint64_t size;
	int fd;

	assert_int_equal(put(e->s, &a, bytes_of("123456", 6), 10, &how), 0);
	/* Deleted, it takes no more off than was ever counted. */
	plant(e, &b, 1000, false);
	assert_int_equal(e->s->ops->remove(e->s, &b, &e->f), 0);
	assert_int_equal(put(e->s, &b, bytes_of("1234", 4), 10, &how), 0);
	/* Nobody waits for who would write to a pipe. */
	plant(e, &c, 0, true);
	assert_int_equal(e->s->ops->get(e->s, &c, &fd, &size, &e->f),
	    FAULT_IO);
	assert_int_equal(put(e->s, &c, bytes_of("1", 1), 0, &how),
	    FAULT_EXISTS);
}

static void
quota_counts_what_is_there_and_under_way(void **state)
{
	struct env *e = *state;
	struct store_name a = name_of(1, 1), b = name_of(2, 2);
	struct store_upload *u;
	enum store_put how;

	assert_int_equal(put(e->s, &a, bytes_of("123456", 6), 10, &how), 0);
	assert_int_equal(put(e->s, &b, bytes_of("12345", 5), 10, &how),
	    FAULT_LIMIT);
	/* A repeat needs no room. */
	assert_int_equal(put(e->s, &a, bytes_of("123456", 6), 3, &how), 0);
	assert_int_equal(how, STORE_SAME);
	/* Counted anew from the disk. */
	reopen(e);
	assert_int_equal(put(e->s, &b, bytes_of("12345", 5), 10, &how),
	    FAULT_LIMIT);
	assert_int_equal(e->s->ops->put_begin(e->s, &b, 4, 10, &u, &e->f), 0);
	struct store_name c = name_of(3, 3);
	assert_int_equal(put(e->s, &c, bytes_of("1", 1), 10, &how),
	    FAULT_LIMIT);
	e->s->ops->put_abort(u);
	assert_int_equal(put(e->s, &c, bytes_of("1", 1), 10, &how), 0);
	assert_int_equal(e->s->ops->remove(e->s, &a, &e->f), 0);
	assert_int_equal(e->s->ops->remove(e->s, &a, &e->f), 0);
	assert_int_equal(put(e->s, &b, bytes_of("123456789", 9), 10, &how), 0);
}

static void
lists_in_pages_in_order(void **state)
{
	struct env *e = *state;
	struct store_item items[STORE_LIST_MAX];
	uint8_t last[ID_LEN];
	const uint8_t *after = NULL;
	size_t n, seen = 0;
	enum store_put how;
	bool more = true;

	assert_int_equal(e->s->ops->list(e->s, (uint8_t[ID_LEN]){ 7 }, NULL,
	    10, items, &n, &more, &e->f), 0);
	assert_int_equal(n, 0);
	assert_false(more);
	for (unsigned i = 0; i < 60; i++) {
		struct store_name name = name_of((uint8_t)(i % 3 * 100),
		    (uint8_t)(i * 7));

		assert_int_equal(put(e->s, &name, bytes_of("1234567", i % 7), 0,
		    &how), 0);
	}
	do {
		assert_int_equal(e->s->ops->list(e->s, (uint8_t[ID_LEN]){ 7 },
		    after, 10, items, &n, &more, &e->f), 0);
		assert_int_equal(n, 10);
		for (size_t i = 0; i < n; i++) {
			if (seen + i > 0)
				assert_true(
				    memcmp(items[i].id, last, ID_LEN) > 0);
			memcpy(last, items[i].id, ID_LEN);
		}
		after = last;
		seen += n;
	} while (more);
	assert_int_equal(seen, 60);
}

static void
head_moves_forward_only(void **state)
{
	struct env *e = *state;
	uint8_t prefix[ID_LEN] = { 7 };
	uint8_t head[STORE_HEAD_LEN] = { 1 }, got[STORE_HEAD_LEN];
	const struct store_ops *ops = e->s->ops;

	assert_int_equal(ops->head_get(e->s, prefix, got, &e->f),
	    FAULT_NOT_FOUND);
	head[15] = 5;
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f), 0);
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f), 0);
	head[283] = 1; /* same number, other bytes */
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f),
	    FAULT_CONFLICT);
	head[15] = 4;
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f),
	    FAULT_CONFLICT);
	head[8] = 0x80; /* the number is 64 bits, unsigned */
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f), 0);
	assert_int_equal(ops->head_get(e->s, prefix, got, &e->f), 0);
	assert_memory_equal(got, head, sizeof(got));
	head[0] = 2;
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f),
	    FAULT_VERSION);
	head[0] = 1;
	head[2] = 1;
	head[8] = 0x90;
	assert_int_equal(ops->head_put(e->s, prefix, head, &e->f),
	    FAULT_MALFORMED);
	assert_int_equal(files_in_tmp(e), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
makes_folders_again_that_others_removed(void **state)
{
	struct env *e = *state;
	const struct store_name n = name_of(1, 2);
	uint8_t head[STORE_HEAD_LEN] = { 1 };
	struct store_dir_path path;
	enum store_put how;
	int v1;

	store_dir_path(&n, &path);
	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	v1 = store_dir_of(e->s)->v1;
	assert_int_equal(e->s->ops->remove(e->s, &n, &e->f), 0);
	assert_int_equal(unlinkat(v1, path.fan, AT_REMOVEDIR), 0);
	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	assert_int_equal(how, STORE_CREATED);
	assert_int_equal(e->s->ops->remove(e->s, &n, &e->f), 0);
	assert_int_equal(unlinkat(v1, path.fan, AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(v1, path.prefix, AT_REMOVEDIR), 0);
	assert_int_equal(put(e->s, &n, bytes_of("abc", 3), 0, &how), 0);
	assert_int_equal(e->s->ops->remove(e->s, &n, &e->f), 0);
	assert_int_equal(unlinkat(v1, path.fan, AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(v1, path.prefix, AT_REMOVEDIR), 0);
	assert_int_equal(e->s->ops->head_put(e->s, n.prefix, head, &e->f), 0);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(creates_once_and_answers_a_repeat),
		T(writes_the_same_with_and_without_a_block),
		T(knows_that_the_object_was_removed_meanwhile),
		T(does_not_take_one_object_for_another),
		T(abort_leaves_nothing),
		T(start_removes_what_a_crash_left),
		T(only_one_depot_has_a_folder),
		T(of_many_at_once_one_creates),
		T(quota_counts_what_is_there_and_under_way),
		T(what_others_put_there_does_no_harm),
		T(lists_in_pages_in_order),
		T(head_moves_forward_only),
		T(makes_folders_again_that_others_removed),
	};

	if (secret_init() != 0)
		return 1;
	return cmocka_run_group_tests(t, NULL, NULL);
}
