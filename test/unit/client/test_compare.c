// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "client/engine/compare.h"
#include "client/engine/history.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "object/key.h"

#define FILES 3000

static char told[4096];

static int
each(void *arg, struct bytes key, struct cursor *was, struct cursor *is)
{
	const struct tree_entry *a = NULL, *b = NULL;
	size_t n = strlen(told);

	(void)arg;
	assert_true(was == NULL || cursor_entry(was, NULL, &a) == 0);
	assert_true(is == NULL || cursor_entry(is, NULL, &b) == 0);
	(void)snprintf(told + n, sizeof(told) - n, "%c%.*s ",
	    "+-TMm"[compare_entries(a, b)], (int)key.n, (const char *)key.p);
	return 0;
}

static int
at_the_first(void *arg, struct bytes key, struct cursor *was,
    struct cursor *is)
{
	(void)key;
	(void)was;
	(void)is;
	++*(unsigned *)arg;
	return 7;
}

/* FILES files, of which some are otherwise or not there in the second. */
static void
fill(struct mkspace *m, bool second)
{
	for (unsigned i = 0; i < FILES; i++) {
		struct tree_entry e = mkspace_plain(ENTRY_FILE);
		char name[16];

		(void)snprintf(name, sizeof(name), "f%04u", i);
		if (second && i == 0)
			continue;
		if (second && i == 1500)
			e.mode = 0600;
		mkspace_file(m, name, bytes_of(second && i == 7 ? "new" : "x",
		    second && i == 7 ? 3 : 1), 0, &e);
	}
	if (second)
		mkspace_symlink(m, "last", "f0001");
	else
		mkspace_folder(m, "last");
	if (second)
		mkspace_folder(m, "z");
}

static struct reader *
begin(struct mkspace *m, struct commit *first)
{
	struct reader *r = NULL;
	struct fault f = { 0 };

	fill(m, false);
	mkspace_commit(m, "1");
	fill(m, true);
	mkspace_commit(m, "2");
	assert_int_equal(reader_new(mkspace_open(m), &r, &f), 0);
	assert_int_equal(history_parent(r, r->commit, first, &f), 0);
	return r;
}

static void
compare(struct reader *r, const struct commit *was, const struct commit *is,
    const char *base, const char *want)
{
	const struct compare_sink sink = { each, NULL };
	struct fault f = { 0 };

	told[0] = '\0';
	assert_int_equal(compare_commits(r, was, is, bytes_of(base,
	    strlen(base)), &sink, &f), 0);
	assert_string_equal(told, want);
}

static void
tells_what_differs_and_nothing_else(void **state)
{
	struct commit first defer(commit_wipe) = { 0 };
	struct reader *r defer(reader_freep) = begin(*state, &first);

	compare(r, &first, r->commit, "",
	    "-f0000 Mf0007 mf1500 Tlast +z ");
	compare(r, r->commit, &first, "",
	    "+f0000 Mf0007 mf1500 Tlast -z ");
	compare(r, r->commit, r->commit, "", "");
	compare(r, &first, r->commit, "f0007", "Mf0007 ");
	compare(r, &first, r->commit, "f0008", "");
	compare(r, &first, r->commit, "nothing", "");
	compare(r, NULL, &first, "f0001", "+f0001 ");
}

static void
ends_where_it_is_told_to(void **state)
{
	struct commit first defer(commit_wipe) = { 0 };
	struct mkspace *m = *state;
	struct reader *r defer(reader_freep) = begin(m, &first);
	unsigned n = 0;
	const struct compare_sink sink = { at_the_first, &n };
	struct fault f = { 0 };

	assert_int_equal(compare_commits(r, &first, r->commit,
	    bytes_of(NULL, 0), &sink, &f), 7);
	assert_int_equal(n, 1);
	atomic_store(&m->stop, true);
	m->ses.stop = &m->stop;
	assert_int_equal(compare_commits(r, &first, r->commit,
	    bytes_of(NULL, 0), &sink, &f), FAULT_INTERRUPTED);
	assert_int_equal(n, 1);
}

static void
names_the_tree_where_it_is_lost(void **state)
{
	struct commit first defer(commit_wipe) = { 0 };
	struct mkspace *m = *state;
	struct reader *r defer(reader_freep) = begin(m, &first);
	unsigned n = 0;
	const struct compare_sink sink = { at_the_first, &n };
	struct fault f = { 0 };

	mkspace_remove(m, first.root.place.object);
	assert_int_equal(compare_commits(r, &first, r->commit,
	    bytes_of(NULL, 0), &sink, &f), FAULT_MISSING);
	assert_non_null(strstr(f.text, "tree: "));
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    tells_what_differs_and_nothing_else, mkspace_setup,
		    mkspace_teardown),
		cmocka_unit_test_setup_teardown(ends_where_it_is_told_to,
		    mkspace_setup, mkspace_teardown),
		cmocka_unit_test_setup_teardown(
		    names_the_tree_where_it_is_lost, mkspace_setup,
		    mkspace_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
