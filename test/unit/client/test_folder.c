// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/engine/folder.h"

struct env {
	char dir[64];
	struct folders fs;
	struct folder *first, *second; /* below the same one */
	unsigned done, open;
	bool bar; /* nobody goes through what is done */
};

/* Lets the second go while the first is being finished. */
static void
on_done(void *arg, struct folder *d)
{
	struct env *e = arg;
	struct stat st;

	e->done++;
	e->open += d->fd >= 0 && fstat(d->fd, &st) == 0 &&
	    st.st_ino == d->ino;
	if (e->bar && d->up != NULL && d->fd >= 0)
		assert_int_equal(fchmod(d->fd, 0), 0);
	if (d == e->first)
		folder_leave(&e->fs, e->second);
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	(void)snprintf(e->dir, sizeof(e->dir), "/tmp/skerry-folder-XXXXXX");
	if (mkdtemp(e->dir) == NULL)
		return -1;
	e->fs = (struct folders){ .done = on_done, .arg = e };
	(void)pthread_mutex_init(&e->fs.lock, NULL);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	(void)pthread_mutex_destroy(&e->fs.lock);
	(void)rmdir(e->dir);
	free(e);
	return 0;
}

static struct folder *
make(struct env *e, struct folder *up, const char *name)
{
	struct folder *d;

	assert_int_equal(mkdirat(up->fd, name, 0700), 0);
	d = folder_enter(&e->fs, up, name);
	assert_non_null(d);
	return d;
}

static void
two_that_end_at_once_leave_the_one_above_open(void **state)
{
	struct env *e = *state;
	int fd = open(e->dir, O_RDONLY | O_DIRECTORY);
	struct folder *top = folder_top(fd), *up;

	assert_non_null(top);
	up = make(e, top, "up");
	e->first = make(e, up, "1");
	e->second = make(e, up, "2");
	/* The walk is out of both, and only the two are in use. */
	folder_leave(&e->fs, up);
	folder_leave(&e->fs, top);
	folder_leave(&e->fs, e->first);
	assert_int_equal(e->done, 4);
	assert_int_equal(e->open, 4);
	assert_int_equal(unlinkat(fd, "up/1", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(fd, "up/2", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(fd, "up", AT_REMOVEDIR), 0);
	(void)close(fd);
}

/* As where root's folders are restored by another. */
static void
what_is_done_bars_no_way_up(void **state)
{
	struct env *e = *state;
	int fd = open(e->dir, O_RDONLY | O_DIRECTORY);
	struct folder *top, *up, *sub;

	assert_int_equal(fchmod(fd, 0777), 0);
	/* In some namespaces there is nobody else to be. */
	if (geteuid() == 0 && seteuid(65534) != 0) {
		(void)close(fd);
		return;
	}
	top = folder_top(fd);
	e->bar = true;
	up = make(e, top, "up");
	sub = make(e, up, "sub");
	folder_leave(&e->fs, up);
	folder_leave(&e->fs, top);
	folder_leave(&e->fs, sub);
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(e->done, 3);
	assert_int_equal(e->open, 3);
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_int_equal(fchmodat(fd, "up", 0700, 0), 0);
	assert_int_equal(unlinkat(fd, "up/sub", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(fd, "up", AT_REMOVEDIR), 0);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(
		    two_that_end_at_once_leave_the_one_above_open, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(what_is_done_bars_no_way_up,
		    setup, teardown),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
