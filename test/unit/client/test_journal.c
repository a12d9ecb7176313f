// SPDX-License-Identifier: Apache-2.0
#include "client/engine/journal.h"

#include <signal.h>
#include <sys/resource.h>

#include "test/unit/client/scratch.h"

#define FILE_SIZE 4096u
#define SEEN_MAX 64u

static const struct space_key key = { .b = { 1, 2, 3 } };
static const struct space_key other = { .b = { 4, 5, 6 } };

struct seen {
	unsigned n[SEEN_MAX];
	size_t count;
};

static int
on_entry(void *arg, const struct index_entry *e)
{
	struct seen *s = arg;
	struct index_entry want = scratch_entry(e->id[0]);
	uint8_t a[INDEX_ENTRY_LEN], b[INDEX_ENTRY_LEN];

	index_entry_encode(e, a);
	index_entry_encode(&want, b);
	assert_memory_equal(a, b, sizeof(a));
	assert_true(s->count < SEEN_MAX);
	s->n[s->count++] = e->id[0];
	return 0;
}

static struct journal *
opened(struct scratch *s, const struct space_key *k)
{
	struct journal *j;
	struct fault f = { 0 };

	assert_int_equal(journal_open(s->dir, k, &j, &f), 0);
	return j;
}

static struct seen
read_all(struct scratch *s, const struct space_key *k)
{
	struct journal *j = opened(s, k);
	struct seen seen = { .count = 0 };

	assert_int_equal(journal_read(j, on_entry, &seen), 0);
	journal_close(j);
	return seen;
}

/* Records of 1, 3 and 2 entries: 1; 2 3 4; 5 6. */
static void
fill(struct scratch *s, size_t end[static 3])
{
	struct journal *j = opened(s, &key);
	unsigned next = 1;
	static const size_t sizes[] = { 1, 3, 2 };
	uint8_t scrap[FILE_SIZE];

	for (size_t i = 0; i < 3; i++) {
		struct index_entry e[3];

		for (size_t k = 0; k < sizes[i]; k++)
			e[k] = scratch_entry(next++);
		journal_add(j, e, sizes[i]);
		end[i] = scratch_read(s, "journal", scrap, sizeof(scrap));
	}
	journal_close(j);
}

static size_t
whole_entries(const size_t end[static 3], size_t n)
{
	return n >= end[2] ? 6 : n >= end[1] ? 4 : n >= end[0] ? 1 : 0;
}

static void
gives_back_what_was_added(void **state)
{
	size_t end[3];
	struct seen s;

	assert_int_equal(read_all(*state, &key).count, 0);
	fill(*state, end);
	s = read_all(*state, &key);
	assert_int_equal(s.count, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(s.n[i], i + 1);
}

static void
takes_the_place_of_what_is_no_file(void **state)
{
	const struct scratch *s = *state;
	size_t end[3];

	fill(*state, end);
	assert_int_equal(renameat(s->dir, "journal", s->dir, "other"), 0);
	assert_int_equal(symlinkat("other", s->dir, "journal"), 0);
	assert_int_equal(read_all(*state, &key).count, 0);
	assert_int_equal(unlinkat(s->dir, "journal", 0), 0);
	assert_int_equal(mkfifoat(s->dir, "journal", 0600), 0);
	assert_int_equal(read_all(*state, &key).count, 0);
	assert_int_equal(unlinkat(s->dir, "journal", 0), 0);
	assert_int_equal(mkdirat(s->dir, "journal", 0700), 0);
	assert_int_equal(mkdirat(s->dir, "journal/in", 0700), 0);
	assert_int_equal(symlinkat("../../other", s->dir, "journal/in/x"), 0);
	fill(*state, end);
	assert_int_equal(read_all(*state, &key).count, 6);
	assert_int_equal(faccessat(s->dir, "other", F_OK, 0), 0);
}

static void
loses_no_whole_record_of_a_torn_file(void **state)
{
	uint8_t whole[FILE_SIZE];
	struct index_entry more = scratch_entry(9);
	size_t end[3], n;

	fill(*state, end);
	n = scratch_read(*state, "journal", whole, sizeof(whole));
	assert_int_equal(n, end[2]);
	for (size_t cut = 0; cut <= n; cut++) {
		struct journal *j;
		struct seen s = { .count = 0 };

		scratch_write(*state, "journal", whole, cut);
		j = opened(*state, &key);
		assert_int_equal(journal_read(j, on_entry, &s), 0);
		assert_int_equal(s.count, whole_entries(end, cut));
		journal_add(j, &more, 1);
		journal_close(j);
		/* What was added after the tear is found. */
		s = read_all(*state, &key);
		assert_int_equal(s.count, whole_entries(end, cut) + 1);
		assert_int_equal(s.n[s.count - 1], 9);
	}
}

/* The disk is full for one record, and then no more. */
static void
what_a_full_disk_tore_hides_nothing(void **state)
{
	static const int expect[] = { 1, 2, 3, 4, 5, 6, 9 };
	struct scratch *s = *state;
	struct rlimit was, small;
	struct index_entry e;
	struct journal *j;
	struct seen seen;
	size_t end[3];

	fill(s, end);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = end[2] + 50;
	j = opened(s, &key);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	e = scratch_entry(8);
	journal_add(j, &e, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	e = scratch_entry(9);
	journal_add(j, &e, 1);
	journal_close(j);
	seen = read_all(s, &key);
	assert_int_equal(seen.count, ARRAY_LEN(expect));
	for (size_t i = 0; i < seen.count; i++)
		assert_int_equal(seen.n[i], expect[i]);
}

static void
stops_at_what_was_altered(void **state)
{
	uint8_t whole[FILE_SIZE];
	size_t end[3], n;

	fill(*state, end);
	n = scratch_read(*state, "journal", whole, sizeof(whole));
	for (size_t at = 0; at < n; at++) {
		struct seen s;

		whole[at] ^= 0x40;
		scratch_write(*state, "journal", whole, n);
		whole[at] ^= 0x40;
		s = read_all(*state, &key);
		assert_int_equal(s.count, at < end[0] ? 0 : at < end[1] ? 1 :
		    4);
	}
}

static void
is_empty_under_another_key_or_when_cleared(void **state)
{
	struct journal *j;
	size_t end[3];

	fill(*state, end);
	assert_int_equal(read_all(*state, &other).count, 0);
	fill(*state, end);
	j = opened(*state, &key);
	journal_clear(j);
	journal_close(j);
	assert_int_equal(read_all(*state, &key).count, 0);
}

static void
belongs_to_one_put_at_a_time(void **state)
{
	struct scratch *s = *state;
	struct journal *j = opened(s, &key), *second;
	struct fault f = { 0 };

	assert_int_equal(journal_open(s->dir, &key, &second, &f),
	    FAULT_CONFLICT);
	journal_close(j);
	journal_close(opened(s, &key));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, \
    scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(gives_back_what_was_added),
		TEST(takes_the_place_of_what_is_no_file),
		TEST(loses_no_whole_record_of_a_torn_file),
		TEST(what_a_full_disk_tore_hides_nothing),
		TEST(stops_at_what_was_altered),
		TEST(is_empty_under_another_key_or_when_cleared),
		TEST(belongs_to_one_put_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
