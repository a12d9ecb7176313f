// SPDX-License-Identifier: Apache-2.0
#include "client/engine/statcache.h"

#include <dirent.h>
#include <time.h>

#include "test/unit/client/scratch.h"

#define FILE_SIZE 65536u
#define KEYS 12u

static const struct dedup_key dedup = { .b = { 7 } };
static const struct bytes none = { NULL, 0 };
static const struct dedup_key other_dedup = { .b = { 8 } };
static const char *const keys[KEYS] = { "a", "a\1", "a.b", "b", "ba", "bab",
	"c", "d", "daaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"e", "\xfe", "\xff" };

static struct bytes
key_of(size_t i)
{
	return bytes_of(keys[i], strlen(keys[i]));
}

static struct statcache *
opened(struct scratch *s)
{
	return statcache_open(s->dir, "/src", bytes_of("k", 1), none, &dedup);
}

static void
fill(struct scratch *s, bool keep)
{
	struct statcache *c = opened(s);

	assert_non_null(c);
	for (size_t i = 0; i < KEYS; i++)
		statcache_note(c, key_of(i), 100 + i, 200 + i);
	statcache_close(c, keep);
	if (keep)
		statcache_commit(s->dir, "/src", bytes_of("k", 1), &dedup);
}

/* How many of the keys are found; what is found is right. */
static size_t
found(struct statcache *c, size_t step)
{
	size_t n = 0;

	for (size_t i = 0; i < KEYS; i += step) {
		uint64_t st, e;

		if (!statcache_find(c, key_of(i), &st, &e))
			continue;
		assert_int_equal(st, 100 + i);
		assert_int_equal(e, 200 + i);
		n++;
	}
	statcache_close(c, false);
	return n;
}

static void
finds_what_the_last_put_noted(void **state)
{
	assert_int_equal(found(opened(*state), 1), 0);
	fill(*state, true);
	assert_int_equal(found(opened(*state), 1), KEYS);
	assert_int_equal(found(opened(*state), 3), KEYS / 3);
	fill(*state, false);
	assert_int_equal(found(opened(*state), 1), KEYS);
}

static void
counts_when_it_is_committed(void **state)
{
	struct scratch *s = *state;
	struct statcache *c = opened(s);

	statcache_note(c, key_of(0), 100, 200);
	statcache_close(c, true);
	assert_int_equal(found(opened(s), 1), 0);
	/* And what another put has opened since is not there any more. */
	statcache_commit(s->dir, "/src", bytes_of("k", 1), &dedup);
	assert_int_equal(found(opened(s), 1), 0);
	statcache_commit(-1, "/src", bytes_of("k", 1), &dedup);
}

static void
knows_nothing_of_other_sources(void **state)
{
	struct scratch *s = *state;

	fill(s, true);
	assert_int_equal(found(statcache_open(s->dir, "/src2",
	    bytes_of("k", 1), none, &dedup), 1), 0);
	assert_int_equal(found(statcache_open(s->dir, "/src",
	    bytes_of("l", 1), none, &dedup), 1), 0);
	assert_int_equal(found(statcache_open(s->dir, "/src",
	    bytes_of("k", 1), none, &other_dedup), 1), 0);
	assert_null(statcache_open(-1, "/src", bytes_of("k", 1), none, &dedup));
	assert_int_equal(found(NULL, 1), 0);
}

/* So that the files are read, and what was lost is stored again. */
static void
other_losses_are_other_fingerprints(void **state)
{
	struct scratch *s = *state;
	struct stat st = { .st_ino = 1 };
	struct statcache *c = opened(s);
	uint64_t was = statcache_stat(c, &st);

	statcache_close(c, false);
	c = statcache_open(s->dir, "/src", bytes_of("k", 1),
	    bytes_of("lost", 4), &dedup);
	assert_int_not_equal(statcache_stat(c, &st), was);
	statcache_close(c, false);
	c = opened(s);
	assert_int_equal(statcache_stat(c, &st), was);
	statcache_close(c, false);
}

static void
name_of(struct scratch *s, char out[static 256])
{
	DIR *d = opendir(s->path);
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "stat.", 5) == 0) {
			(void)snprintf(out, 256, "%s", e->d_name);
			n++;
		}
	closedir(d);
	assert_int_equal(n, 1); /* and no temporary one */
}

static void
gives_nothing_of_a_torn_file(void **state)
{
	static uint8_t whole[FILE_SIZE];
	char name[256];
	size_t n;

	fill(*state, true);
	name_of(*state, name);
	n = scratch_read(*state, name, whole, sizeof(whole));
	for (size_t cut = 0; cut < n; cut++) {
		scratch_write(*state, name, whole, cut);
		assert_int_equal(found(opened(*state), 1), 0);
	}
	scratch_write(*state, name, whole, n);
	assert_int_equal(found(opened(*state), 1), KEYS);
}

/* Damage may hide files, or give a fingerprint that fits nothing; it must not
 * end the put. */
static void
survives_damage(void **state)
{
	static uint8_t whole[FILE_SIZE];
	char name[256];
	size_t n;

	fill(*state, true);
	name_of(*state, name);
	n = scratch_read(*state, name, whole, sizeof(whole));
	for (size_t at = 0; at < n; at++) {
		struct statcache *c;
		uint64_t st, e;

		for (unsigned bit = 0; bit < 8; bit += 7) {
			whole[at] ^= (uint8_t)(1u << bit);
			scratch_write(*state, name, whole, n);
			whole[at] ^= (uint8_t)(1u << bit);
			c = opened(*state);
			for (size_t i = 0; i < KEYS; i++)
				(void)!statcache_find(c, key_of(i), &st, &e);
			statcache_close(c, false);
		}
	}
	scratch_write(*state, name, (const uint8_t *)"SKSTAT2\0\xff\xff", 10);
	assert_int_equal(found(opened(*state), 1), 0);
}

static void
tells_any_change_of_a_file(void **state)
{
	struct statcache *c = opened(*state);
	struct stat st = { .st_ino = 5, .st_size = 7 }, x = st;
	uint64_t fp = statcache_stat(c, &st);
	unsigned tries = 0;

	assert_int_equal(statcache_stat(c, &x), fp);
	x.st_ino++;
	assert_true(statcache_stat(c, &x) != fp);
	x = st;
	x.st_ctim.tv_nsec++;
	assert_true(statcache_stat(c, &x) != fp);
	x = st;
	x.st_mode ^= 1;
	assert_true(statcache_stat(c, &x) != fp);
	/* Of right now: which it is not where this process is not run then. */
	do
		(void)clock_gettime(CLOCK_REALTIME, &x.st_ctim);
	while (statcache_settled(&x) && ++tries < 100);
	assert_in_range(tries, 0, 99);
	x.st_ctim.tv_sec -= 2;
	assert_true(statcache_settled(&x));
	x.st_ctim.tv_sec += 3600; /* a clock that was set back */
	assert_false(statcache_settled(&x));
	statcache_close(c, false);
}

/* Opening one waits for a process at its other end. */
static void
waits_for_no_fifo(void **state)
{
	struct scratch *s = *state;
	char name[256], temp[280];

	fill(s, true);
	name_of(s, name);
	(void)snprintf(temp, sizeof(temp), "%s.new", name);
	assert_int_equal(unlinkat(s->dir, name, 0), 0);
	assert_int_equal(mkfifoat(s->dir, name, 0600), 0);
	assert_int_equal(mkfifoat(s->dir, temp, 0600), 0);
	assert_int_equal(found(opened(s), 1), 0);
	fill(s, true);
	assert_int_equal(found(opened(s), 1), KEYS);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, \
    scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds_what_the_last_put_noted),
		TEST(counts_when_it_is_committed),
		TEST(knows_nothing_of_other_sources),
		TEST(other_losses_are_other_fingerprints),
		TEST(gives_nothing_of_a_torn_file),
		TEST(survives_damage),
		TEST(waits_for_no_fifo),
		TEST(tells_any_change_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
