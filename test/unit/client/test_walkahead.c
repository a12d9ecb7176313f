// SPDX-License-Identifier: Apache-2.0
#include "client/engine/walkahead.h"

#include <dirent.h>

#include "object/limits.h"
#include "test/unit/client/scratch.h"

#define FOLDERS 60
#define FILES 9

static void
make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int
make_folder(int dir, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(dir, name, 0700), 0);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	return fd;
}

/* Folders with files and a folder each, one chain of them, one large. */
static void
grow(int dir)
{
	char name[64];
	int fd, sub;

	for (unsigned i = 0; i < FOLDERS; i++) {
		(void)snprintf(name, sizeof(name), "folder%u", i);
		fd = make_folder(dir, name);
		for (unsigned k = 0; k < FILES; k++) {
			(void)snprintf(name, sizeof(name), "%u\n", k);
			make_file(fd, name);
		}
		sub = make_folder(fd, "5");
		make_file(sub, "deep");
		close(sub);
		close(fd);
	}
	fd = make_folder(dir, "large");
	for (unsigned k = 0; k < 700; k++) {
		(void)snprintf(name, sizeof(name), "f%u", k);
		make_file(fd, name);
	}
	close(fd);
	fd = make_folder(dir, "chain");
	for (unsigned k = 0; k < 50; k++) {
		sub = make_folder(fd, "link");
		close(fd);
		fd = sub;
	}
	close(fd);
}

static struct walk *
begin(const struct scratch *s)
{
	struct walk *w = NULL;
	struct fault f = { 0 };

	assert_int_equal(walk_open(s->path, bytes_of("base", 4), &w, &f), 0);
	return w;
}

static unsigned
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
gives_what_the_walk_gives(void **state)
{
	const struct scratch *s = *state;
	struct walk *one = begin(s), *two = begin(s);
	struct walkahead *a = NULL;
	struct fault f = { 0 };
	unsigned before = descriptors(), items = 0;
	int rc;

	assert_int_equal(walkahead_new(two, NULL, true, &a, &f), 0);
	do {
		struct walk_item x, y;
		struct stat st;

		rc = walk_next(one, &x, &f);
		assert_int_equal(walkahead_next(a, &y, &f), rc);
		if (rc != WALK_ITEM)
			continue;
		items++;
		assert_int_equal(bytes_cmp(x.key, y.key), 0);
		assert_string_equal(x.name, y.name);
		assert_int_equal(x.st.st_ino, y.st.st_ino);
		/* Its folder is open still, however far the walk is. */
		assert_int_equal(fstatat(y.dir, y.name, &st,
				     AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_ino, x.st.st_ino);
		assert_in_range(descriptors(), before, before + 150);
	} while (rc == WALK_ITEM);
	assert_int_equal(rc, WALK_END);
	assert_int_equal(items, 1 + FOLDERS * (FILES + 3) + 701 + 51);
	walkahead_close(a);
	walk_close(one);
	walk_close(two);
}

static void
ends_wherever_it_is(void **state)
{
	const struct scratch *s = *state;
	unsigned before = descriptors();

	for (unsigned n = 0; n < 1500; n += 61) {
		struct walk *w = begin(s);
		struct walkahead *a = NULL;
		struct fault f = { 0 };
		struct walk_item x;

		assert_int_equal(walkahead_new(w, NULL, true, &a, &f), 0);
		for (unsigned i = 0; i < n &&
		    walkahead_next(a, &x, &f) == WALK_ITEM; i++)
			;
		walkahead_close(a);
		walk_close(w);
		assert_int_equal(descriptors(), before);
	}
}

/* What is not there, and in the midst of others a path that is too long. */
static void
tells_each_fault_at_its_place(void **state)
{
	const struct scratch *s = *state;
	char name[251];
	struct walk *w = NULL;
	struct walkahead *a = NULL;
	struct walk_item x;
	struct fault f = { 0 };
	unsigned depth = KEY_BYTES_MAX / 251 + 1, items = 0, faults = 0;
	int fd = dup(s->dir), sub, rc;

	memset(name, 'a', 250);
	name[250] = '\0';
	for (unsigned i = 0; i < depth; i++) {
		sub = make_folder(fd, name);
		close(fd);
		fd = sub;
	}
	close(fd);
	w = begin(s);
	assert_int_equal(walkahead_new(w, NULL, true, &a, &f), 0);
	while ((rc = walkahead_next(a, &x, &f)) != WALK_END) {
		if (rc == WALK_ITEM) {
			items++;
			continue;
		}
		assert_int_equal(rc, WALK_TOO_LONG);
		assert_non_null(strstr(f.text, "too long"));
		assert_true(x.key.n > KEY_BYTES_MAX - 260);
		faults++;
	}
	assert_int_equal(faults, 1);
	assert_true(items > 700 + depth - 2);
	walkahead_close(a);
	walk_close(w);

	w = NULL;
	assert_int_equal(walk_open("/nonexistent-folder-a/b", bytes_of("b", 1),
			     &w, &f), FAULT_NOT_FOUND);
	assert_int_equal(walk_open("/nonexistent", bytes_of("b", 1), &w, &f),
	    0);
	assert_int_equal(walkahead_new(w, NULL, true, &a, &f), 0);
	assert_int_equal(walkahead_next(a, &x, &f), FAULT_NOT_FOUND);
	assert_non_null(strstr(f.text, "nonexistent"));
	walkahead_close(a);
	walk_close(w);
}

static int
set_up(void **state)
{
	int rc = scratch_setup(state);

	if (rc == 0)
		grow(((const struct scratch *)*state)->dir);
	return rc;
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(gives_what_the_walk_gives,
		    set_up, scratch_teardown),
		cmocka_unit_test_setup_teardown(ends_wherever_it_is, set_up,
		    scratch_teardown),
		cmocka_unit_test_setup_teardown(tells_each_fault_at_its_place,
		    set_up, scratch_teardown),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
