// SPDX-License-Identifier: Apache-2.0
/* put_run on spaces made by hand; an authority that takes every head. */
#include "client/engine/put.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/engine/check.h"
#include "client/engine/restore.h"
#include "client/state.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "store/store_fault.h"

struct bed {
	struct mkspace *m;
	char src[128];
	int dir;
	struct put put;
	struct fault f;
	char warned[512];
};

static bool refuses; /* the authority */

int
session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	(void)expect;
	if (refuses)
		return fault_set(f, FAULT_AUTHORITY, "refused");
	s->has_head = true;
	memcpy(s->head, head, STORE_HEAD_LEN);
	return 0;
}

static void
on_warn(void *arg, struct bytes key, const char *text)
{
	struct bed *b = arg;

	(void)snprintf(b->warned, sizeof(b->warned), "%.*s: %s", (int)key.n,
	    (const char *)key.p, text);
}

static int
setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->m = mkspace_new();
	(void)snprintf(b->src, sizeof(b->src), "%s/src", b->m->dir);
	assert_int_equal(mkdir(b->src, 0755), 0);
	b->dir = open(b->src, O_RDONLY | O_DIRECTORY);
	assert_true(b->dir >= 0);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *b = *state;

	close(b->dir);
	mkspace_free(b->m);
	free(b);
	return 0;
}

static int
put(struct bed *b)
{
	struct put_source source = { .path = b->src,
		.key = bytes_of("src", 3) };

	b->put = (struct put){ .ses = &b->m->ses, .source = &source,
		.sources = 1, .message = "", .warn = on_warn, .warn_arg = b };
	b->f = (struct fault){ 0 };
	b->warned[0] = '\0';
	return put_run(&b->put, &b->f);
}

/* Restores all; opens name of it. */
static int
fetched(struct bed *b, const char *name, struct stat *st)
{
	struct space *sp = mkspace_open(b->m);
	int dir = open(b->m->out, O_RDONLY | O_DIRECTORY), fd;
	struct restore_options o = { .commit = &sp->commit, .dir = dir,
		.overwrite = true, .threads = 2 };
	struct restore_result res;
	char path[256];

	assert_int_equal(restore_run(sp, &o, &res, &b->f), 0);
	(void)snprintf(path, sizeof(path), "src/%s", name);
	fd = openat(dir, path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, st), 0);
	close(dir);
	return fd;
}

static void
assert_same(struct bed *b, const char *name)
{
	struct stat st, mine;
	int got = fetched(b, name, &st), fd = openat(b->dir, name, O_RDONLY);
	uint8_t x[65536], y[65536];
	ssize_t n;

	assert_int_equal(fstat(fd, &mine), 0);
	assert_int_equal(st.st_size, mine.st_size);
	while ((n = read(fd, x, sizeof(x))) > 0) {
		assert_int_equal(read(got, y, (size_t)n), n);
		assert_memory_equal(x, y, (size_t)n);
	}
	assert_int_equal(n, 0);
	if (mine.st_blocks * 512 < mine.st_size)
		assert_true(st.st_blocks <= mine.st_blocks + 64);
	close(fd);
	close(got);
}

static void
write_at(int fd, size_t n, off_t at, unsigned seed)
{
	uint8_t *p = malloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
	assert_int_equal(pwrite(fd, p, n, at), (ssize_t)n);
	free(p);
}

static void
keeps_the_holes_of_sparse_files(void **state)
{
	struct bed *b = *state;
	static const struct {
		const char *name;
		off_t data, end;
		size_t n;
	} file[] = {
		{ "empty", 0, 0, 0 },
		{ "all hole", 0, 5 << 20, 0 },
		{ "hole first", 4 << 20, (4 << 20) + 70000, 70000 },
		{ "hole last", 0, 9 << 20, 300000 },
		{ "hole around", 3 << 20, 20 << 20, 5000000 },
		{ "one byte", (64 << 20) - 1, 64 << 20, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(file); i++) {
		int fd = openat(b->dir, file[i].name, O_WRONLY | O_CREAT,
		    0644);

		if (file[i].n != 0)
			write_at(fd, file[i].n, file[i].data, (unsigned)i);
		assert_int_equal(ftruncate(fd, file[i].end), 0);
		close(fd);
	}
	assert_int_equal(put(b), 0);
	assert_int_equal(b->put.files, ARRAY_LEN(file));
	assert_true(b->put.sent < 8 << 20);
	for (size_t i = 0; i < ARRAY_LEN(file); i++)
		assert_same(b, file[i].name);
}

/* Sizes around those of chunks and slabs. */
static void
stores_files_of_any_size(void **state)
{
	struct bed *b = *state;
	static const size_t edge[] = { 1, CHUNK_MIN, CHUNK_MAX,
		2 * CHUNK_MAX };
	char name[64];

	for (size_t i = 0; i < ARRAY_LEN(edge); i++)
		for (int d = -1; d <= 1; d++) {
			size_t n = edge[i] + (size_t)(d + 1) - 1;
			int fd;

			(void)snprintf(name, sizeof(name), "f%zu", n);
			fd = openat(b->dir, name, O_WRONLY | O_CREAT, 0644);
			if (n != 0)
				write_at(fd, n, 0, (unsigned)n);
			close(fd);
		}
	assert_int_equal(put(b), 0);
	for (size_t i = 0; i < ARRAY_LEN(edge); i++)
		for (int d = -1; d <= 1; d++) {
			(void)snprintf(name, sizeof(name), "f%zu",
			    edge[i] + (size_t)(d + 1) - 1);
			assert_same(b, name);
		}
}

static void
makes_no_commit_of_an_equal_tree(void **state)
{
	struct bed *b = *state;
	int fd = openat(b->dir, "f", O_WRONLY | O_CREAT, 0644);

	write_at(fd, 500000, 0, 1);
	assert_int_equal(put(b), 0);
	assert_true(b->put.changed);
	assert_int_equal(b->put.number, 1);
	/* There is no stat cache here: it reads the file. */
	assert_int_equal(put(b), 0);
	assert_int_equal(b->put.fresh_files, 1);
	assert_false(b->put.changed);
	assert_int_equal(b->put.number, 1);
	assert_int_equal(b->put.objects, 0);
	write_at(fd, 1, 0, 2);
	assert_int_equal(put(b), 0);
	assert_true(b->put.changed);
	assert_int_equal(b->put.number, 2);
	close(fd);
}

/* A put that read it all and made no commit has not seen to it. */
static void
what_was_lost_is_sent_until_there_is_a_commit(void **state)
{
	const struct check_options all = { .percent = 100 };
	struct bed *b = *state;
	struct state st = { .fd = open(b->m->dir, O_RDONLY | O_DIRECTORY) };
	int fd = openat(b->dir, "f", O_WRONLY | O_CREAT, 0644);
	struct check_result res;
	struct space *sp;

	write_at(fd, 500000, 0, 1);
	close(fd);
	assert_int_equal(mkdirat(st.fd, "cache", 0700), 0);
	b->m->ses.state = &st;
	assert_int_equal(put(b), 0);
	sp = mkspace_open(b->m);
	mkspace_flip(b->m, sp->head.commit.place.object, 100);
	assert_int_equal(check_run(sp, &all, &res, &b->f), FAULT_TAMPERED);
	refuses = true;
	assert_int_equal(put(b), FAULT_AUTHORITY);
	assert_int_equal(put(b), FAULT_AUTHORITY);
	refuses = false;
	assert_int_equal(put(b), 0);
	assert_true(b->put.changed);
	assert_int_equal(check_run(mkspace_open(b->m), &all, &res, &b->f), 0);
	assert_int_equal(put(b), 0);
	assert_false(b->put.changed);
	(void)mkspace_open(b->m);
	b->m->ses.state = NULL;
	close(st.fd);
}

struct changer {
	int fd;
	atomic_bool stop;
};

static void *
changes(void *arg)
{
	struct changer *c = arg;

	for (unsigned i = 0; !atomic_load(&c->stop); i++) {
		uint8_t byte = (uint8_t)i;

		assert_int_equal(pwrite(c->fd, &byte, 1, 0), 1);
		if (i % 64 == 0)
			assert_int_equal(ftruncate(c->fd, i % 128 == 0 ?
			    40 << 20 : 41 << 20), 0);
	}
	return NULL;
}

static void
stores_what_it_read_of_a_changing_file(void **state)
{
	struct bed *b = *state;
	struct changer c = { .fd = openat(b->dir, "live", O_RDWR | O_CREAT,
	    0644) };
	struct stat st;
	pthread_t t;
	int fd, rc;

	write_at(c.fd, 41 << 20, 0, 1);
	assert_int_equal(pthread_create(&t, NULL, changes, &c), 0);
	/* On a busy machine the other thread may not run meanwhile. */
	do
		rc = put(b);
	while (rc == 0 && b->put.unsteady == 0);
	atomic_store(&c.stop, true);
	(void)pthread_join(t, NULL);
	assert_int_equal(rc, 0);
	assert_int_equal(b->put.unsteady, 1);
	assert_non_null(strstr(b->warned, "it changed while it was read"));
	fd = fetched(b, "live", &st);
	assert_true(st.st_size >= 40 << 20 && st.st_size <= 41 << 20);
	close(fd);
	close(c.fd);
}

static void
commits_nothing_when_an_upload_fails(void **state)
{
	struct bed *b = *state;
	struct store_fault_plan plan = { .put_at = 2, .from_there_on = true };
	struct store *real = b->m->ses.store, *around, *inner;
	int fd = openat(b->dir, "f", O_WRONLY | O_CREAT, 0644);

	write_at(fd, 200000, 0, 1);
	assert_int_equal(put(b), 0);
	write_at(fd, 60 << 20, 0, 2);
	close(fd);
	assert_int_equal(real->ops->dup(real, &inner, &b->f), 0);
	assert_int_equal(store_fault_open(inner, &plan, &around, &b->f), 0);
	b->m->ses.store = around;
	assert_int_equal(put(b), FAULT_DEPOT);
	assert_false(b->put.number > 1);
	b->m->ses.store = real;
	store_close(around);
	assert_int_equal(put(b), 0);
	assert_int_equal(b->put.number, 2);
	assert_same(b, "f");
}

static void
stops_when_told(void **state)
{
	struct bed *b = *state;
	int fd = openat(b->dir, "f", O_WRONLY | O_CREAT, 0644);

	write_at(fd, 200000, 0, 1);
	close(fd);
	b->m->ses.stop = &b->m->stop;
	atomic_store(&b->m->stop, true);
	assert_int_equal(put(b), FAULT_INTERRUPTED);
	atomic_store(&b->m->stop, false);
	assert_int_equal(put(b), 0);
	assert_int_equal(b->put.number, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_holes_of_sparse_files),
		TEST(stores_files_of_any_size),
		TEST(makes_no_commit_of_an_equal_tree),
		TEST(what_was_lost_is_sent_until_there_is_a_commit),
		TEST(stores_what_it_read_of_a_changing_file),
		TEST(commits_nothing_when_an_upload_fails),
		TEST(stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
