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

/* Names below the source, in order, a space behind each; the source as '.'. */
static void
walk_names(const char *path, const struct walk_rules *rules, uint64_t excluded,
    const char *want)
{
	struct walk *w = NULL;
	struct walk_item item;
	struct fault f = { 0 };
	char got[512] = "";
	int rc;

	assert_int_equal(walk_open(path, bytes_of(NULL, 0), &w, &f), 0);
	walk_leave_out(w, rules);
	while ((rc = walk_next(w, &item, &f)) == WALK_ITEM) {
		size_t n = strlen(got);

		assert_true(n + item.key.n + 2 < sizeof(got));
		for (size_t i = 0; i < item.key.n; i++)
			got[n++] = item.key.p[i] == 0 ? '/' :
			    (char)item.key.p[i];
		if (item.key.n == 0)
			got[n++] = '.';
		got[n++] = ' ';
		got[n] = '\0';
	}
	assert_int_equal(rc, WALK_END);
	assert_string_equal(got, want);
	assert_int_equal(walk_excluded(w), excluded);
	walk_close(w);
}

static struct exclude *
patterns(const char *const *pattern)
{
	struct exclude *x = exclude_new();
	struct fault f = { 0 };

	for (; *pattern != NULL; pattern++)
		assert_int_equal(exclude_add(x, *pattern, &f), 0);
	exclude_prepare(x);
	return x;
}

static void
leaves_out_what_matches(void **state)
{
	struct scratch *s = *state;
	static const char *const pattern[] = { "b", "/c/d/", "*.o", "x/",
		NULL };
	struct exclude *x = patterns(pattern);
	struct walk_rules rules = { .exclude = x };
	char path[128];

	assert_int_equal(mkdirat(s->dir, "b", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "b/b", 0700), 0);
	scratch_write(s, "b/b/1.o", NULL, 0);
	scratch_write(s, "b/2", NULL, 0);
	assert_int_equal(mkdirat(s->dir, "b/c", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "b/c/d", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "b/c/e", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "b/c/e/x", 0700), 0);
	scratch_write(s, "b/c/e/x/y", NULL, 0);
	scratch_write(s, "b/x", NULL, 0);
	(void)snprintf(path, sizeof(path), "%s/b", s->path);
	walk_names(path, &rules, 3, ". 2 c c/e x ");
	(void)snprintf(path, sizeof(path), "%s/b/b/1.o", s->path);
	walk_names(path, &rules, 0, ". ");
	exclude_free(x);
}

/* Of something in it no key could be made. */
static void
needs_no_key_of_what_matches(void **state)
{
	struct scratch *s = *state;
	static const char *const pattern[] = { "b*", NULL };
	struct exclude *x = patterns(pattern);
	const struct walk_rules rules = { .exclude = x };
	char base[KEY_BYTES_MAX - 4];

	memset(base, 'k', sizeof(base));
	scratch_write(s, "a", NULL, 0);
	scratch_write(s, "bbbb", NULL, 0);
	for (int with = 0; with < 2; with++) {
		struct walk *w = NULL;
		struct walk_item item;
		struct fault f = { 0 };

		assert_int_equal(walk_open(s->path,
		    bytes_of(base, sizeof(base)), &w, &f), 0);
		if (with)
			walk_leave_out(w, &rules);
		assert_int_equal(walk_next(w, &item, &f), WALK_ITEM);
		assert_int_equal(walk_next(w, &item, &f), WALK_ITEM);
		assert_string_equal(item.name, "a");
		assert_int_equal(walk_next(w, &item, &f),
		    with ? WALK_END : WALK_TOO_LONG);
		walk_close(w);
	}
	exclude_free(x);
}

#define SIGNATURE "Signature: 8a477f597d28d172789f06886806bc55"

static void
leaves_of_a_cache_its_tag(void **state)
{
	struct scratch *s = *state;
	const struct walk_rules rules = { .caches = true };
	static const char *const folders[] = { "good", "none", "odd", "short",
		"special" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char name[32];

		assert_int_equal(mkdirat(s->dir, folders[i], 0700), 0);
		for (const char *c = "Az"; *c != '\0'; c++) {
			(void)snprintf(name, sizeof(name), "%s/%c",
			    folders[i], *c);
			scratch_write(s, name, NULL, 0);
		}
		if (i == 0)
			scratch_write(s, "good/CACHEDIR.TAG",
			    (const uint8_t *)SIGNATURE "\n#", 45);
	}
	scratch_write(s, "odd/CACHEDIR.TAG", (const uint8_t *)"s" SIGNATURE,
	    44);
	scratch_write(s, "short/CACHEDIR.TAG", (const uint8_t *)SIGNATURE, 42);
	assert_int_equal(mkfifoat(s->dir, "special/CACHEDIR.TAG", 0600), 0);
	assert_int_equal(symlinkat("../good/CACHEDIR.TAG", s->dir,
	    "none/CACHEDIR.TAG"), 0);
	walk_names(s->path, &rules, 2, ". good good/CACHEDIR.TAG "
	    "none none/A none/CACHEDIR.TAG none/z "
	    "odd odd/A odd/CACHEDIR.TAG odd/z "
	    "short short/A short/CACHEDIR.TAG short/z "
	    "special special/A special/CACHEDIR.TAG special/z ");
	/* Of the source, too. */
	scratch_write(s, EXCLUDE_TAG, (const uint8_t *)SIGNATURE, 43);
	walk_names(s->path, &rules, 5, ". CACHEDIR.TAG ");
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
		TEST(leaves_out_what_matches),
		TEST(needs_no_key_of_what_matches),
		TEST(leaves_of_a_cache_its_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
