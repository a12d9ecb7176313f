// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/engine/restore.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "store/store_fault.h"

/* Restores z over what is there. */
static int
run(struct mkspace *m)
{
	struct space *sp = mkspace_open(m);
	const struct bytes key = bytes_of("z", 1);
	int dir = open(m->out, O_RDONLY | O_DIRECTORY), rc;
	struct restore_options o = { .commit = &sp->commit, .dir = dir,
		.key = &key, .n = 1, .overwrite = true };
	struct restore_result res;
	struct fault f;

	assert_true(dir >= 0);
	rc = restore_run(sp, &o, &res, &f);
	close(dir);
	return rc;
}

/* So much that the index alone fills the tail, and nodes are outside. */
static void
fill(struct mkspace *m)
{
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	char path[32];

	for (int i = 0; i < 1500; i++) {
		(void)snprintf(path, sizeof(path), "f%04d", i);
		mkspace_text(m, path, path);
	}
	e.link = 42;
	mkspace_folder(m, "z");
	mkspace_file(m, "z/a", bytes_of("same", 4), 0, &e);
	mkspace_file(m, "z/b", bytes_of("same", 4), 0, &e);
	mkspace_commit(m, "");
}

/* Whichever call it is that goes wrong once. */
static void
a_failure_is_never_silent(void **state)
{
	static const struct timespec early[2] = { { .tv_sec = 1 },
		{ .tv_sec = 1 } };
	struct mkspace *m = *state;
	struct store_fault_plan plan = { 0 };
	struct store *faulty, *inner;
	char z[4096];
	struct stat st;
	struct fault f;

	fill(m);
	(void)snprintf(z, sizeof(z), "%s/z", m->out);
	assert_int_equal(run(m), 0);
	assert_int_equal(m->store->ops->dup(m->store, &inner, &f), 0);
	assert_int_equal(store_fault_open(inner, &plan, &faulty, &f), 0);
	store_close(m->store);
	m->store = faulty;
	m->ses.store = faulty;
	(void)mkspace_open(m);
	plan.get_at = atomic_load(&plan.gets);
	do {
		assert_int_equal(utimensat(AT_FDCWD, z, early, 0), 0);
		plan.get_at++;
		atomic_store(&plan.gets, 0);
		if (run(m) == 0) {
			assert_int_equal(lstat(z, &st), 0);
			assert_int_equal(st.st_mtim.tv_sec, 1000000000);
		}
	} while (atomic_load(&plan.gets) >= plan.get_at);
	assert_true(plan.get_at > 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failure_is_never_silent,
		    mkspace_setup, mkspace_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
