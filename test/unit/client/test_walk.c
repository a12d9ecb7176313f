// SPDX-License-Identifier: Apache-2.0
#include "client/engine/walk.h"

#include "object/key.h"
#include "test/unit/client/scratch.h"

static uint32_t seed;

static unsigned
dice(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Makes a random tree below dir; how many entries. */
static size_t
grow(int dir, unsigned depth)
{
	static const char *const pieces[] = { "a", "b", ".", "\1", "\n",
		"\x7f", "\x80", "\xff", " ", "-", "!", "0" };
	size_t made = 0;

	for (unsigned i = dice(8); i-- > 0;) {
		char name[32] = "";
		size_t n = 0;
		int fd;

		for (unsigned k = 1 + dice(3); k-- > 0;)
			n += (size_t)snprintf(name + n, sizeof(name) - n, "%s",
			    pieces[dice(ARRAY_LEN(pieces))]);
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		switch (depth < 5 ? dice(4) : dice(3)) {
		case 0:
			made += symlinkat("/", dir, name) == 0;
			break;
		case 3:
			if (mkdirat(dir, name, 0700) != 0)
				break;
			fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
			made += 1 + grow(fd, depth + 1);
			close(fd);
			break;
		default:
			fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL,
			    0600);
			made += fd >= 0;
			if (fd >= 0)
				close(fd);
		}
	}
	return made;
}

/* Walks all of path; asserts the order; how many items. */
static size_t
walk_all(const char *path, struct bytes base)
{
	struct walk *w defer(walk_closep) = NULL;
	struct buf prev defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct walk_item item;
	struct fault f = { 0 };
	bool folder = true;
	size_t n = 0;
	int rc;

	assert_int_equal(walk_open(path, base, &w, &f), 0);
	while ((rc = walk_next(w, &item, &f)) == WALK_ITEM) {
		struct stat st;

		if (n++ == 0)
			assert_int_equal(bytes_cmp(item.key, base), 0);
		else
			assert_true(key_follows(buf_bytes(&prev),
			    folder, item.key) || prev.n == 0);
		assert_int_equal(fstatat(item.dir, item.name, &st,
		    AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_ino, item.st.st_ino);
		folder = S_ISDIR(item.st.st_mode);
		prev.n = 0;
		assert_int_equal(buf_append(&prev, item.key.p, item.key.n), 0);
	}
	assert_int_equal(rc, WALK_END);
	return n;
}

static void
walks_in_the_order_of_keys(void **state)
{
	struct scratch *s = *state;

	for (seed = 1; seed < 40 * 7919; seed += 7919) {
		uint32_t keep = seed;
		char name[32], path[128];
		size_t made;
		int dir;

		(void)snprintf(name, sizeof(name), "top%u", seed);
		assert_int_equal(mkdirat(s->dir, name, 0700), 0);
		(void)snprintf(path, sizeof(path), "%s/%s", s->path, name);
		dir = openat(s->dir, name, O_RDONLY | O_DIRECTORY);
		made = grow(dir, 0);
		close(dir);
		assert_int_equal(walk_all(path, bytes_of("x", 1)), made + 1);
		assert_int_equal(walk_all(path, bytes_of(NULL, 0)), made + 1);
		seed = keep;
	}
}

static void
takes_a_file_or_a_link_as_source(void **state)
{
	struct scratch *s = *state;
	char path[128];

	scratch_write(s, "f", (const uint8_t *)"x", 1);
	assert_int_equal(symlinkat("f", s->dir, "l"), 0);
	(void)snprintf(path, sizeof(path), "%s/f", s->path);
	assert_int_equal(walk_all(path, bytes_of("k", 1)), 1);
	(void)snprintf(path, sizeof(path), "%s/l", s->path);
	assert_int_equal(walk_all(path, bytes_of("k", 1)), 1);
	(void)snprintf(path, sizeof(path), "%s/", s->path);
	assert_int_equal(walk_all(path, bytes_of("k", 1)), 3);
}

static void
passes_what_goes_while_it_walks(void **state)
{
	struct scratch *s = *state;
	struct walk *w;
	struct walk_item item;
	struct fault f = { 0 };

	scratch_write(s, "a", NULL, 0);
	scratch_write(s, "b", NULL, 0);
	assert_int_equal(mkdirat(s->dir, "c", 0700), 0);
	scratch_write(s, "d", NULL, 0);
	assert_int_equal(walk_open(s->path, bytes_of(NULL, 0), &w, &f), 0);
	assert_int_equal(walk_next(w, &item, &f), WALK_ITEM);
	assert_int_equal(walk_next(w, &item, &f), WALK_ITEM);
	assert_string_equal(item.name, "a");
	assert_int_equal(unlinkat(s->dir, "b", 0), 0);
	assert_int_equal(walk_next(w, &item, &f), WALK_ITEM);
	assert_string_equal(item.name, "c");
	assert_int_equal(unlinkat(s->dir, "c", AT_REMOVEDIR), 0);
	assert_int_equal(walk_next(w, &item, &f), WALK_UNREADABLE);
	assert_int_equal(walk_next(w, &item, &f), WALK_ITEM);
	assert_string_equal(item.name, "d");
	assert_int_equal(walk_next(w, &item, &f), WALK_END);
	walk_close(w);
	assert_int_equal(walk_open("/nonexistent/x", bytes_of(NULL, 0), &w,
	    &f), FAULT_NOT_FOUND);
}

static void
hides_a_folder(void **state)
{
	struct scratch *s = *state;
	struct walk *w = NULL;
	struct walk_item item;
	struct fault f = { 0 };
	int dir, n = 0, rc;

	assert_int_equal(mkdirat(s->dir, "a", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "a/b", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "a/b/c", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "b", 0700), 0);
	dir = openat(s->dir, "a/b", O_RDONLY | O_DIRECTORY);
	assert_int_equal(walk_open(s->path, bytes_of(NULL, 0), &w, &f), 0);
	walk_hide(w, dir);
	walk_hide(w, -1);
	while ((rc = walk_next(w, &item, &f)) == WALK_ITEM)
		n++;
	assert_int_equal(rc, WALK_END);
	assert_int_equal(n, 3); /* itself, a, b */
	close(dir);
	walk_close(w);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, \
    scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(walks_in_the_order_of_keys),
		TEST(takes_a_file_or_a_link_as_source),
		TEST(passes_what_goes_while_it_walks),
		TEST(hides_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
