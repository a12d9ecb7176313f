// SPDX-License-Identifier: Apache-2.0
/* Who may read what was restored: access lists; and what its owner may not. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client/engine/restore.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "object/attrs.h"

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

/* u::rwx u:4242:rwx g::--- m::rwx o::--- */
static const uint8_t acl[] = { 2, 0, 0, 0,
	1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 7, 0, 0x92, 0x10, 0, 0,
	4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };

static int
run(struct mkspace *m)
{
	struct space *sp = mkspace_open(m);
	int dir = open(m->out, O_RDONLY | O_DIRECTORY), rc;
	struct restore_options o = { .commit = &sp->commit, .dir = dir };
	struct restore_result res;
	struct fault f;

	assert_true(dir >= 0);
	rc = restore_run(sp, &o, &res, &f);
	close(dir);
	return rc;
}

static const char *
out_path(const struct mkspace *m, const char *path)
{
	static char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", m->out, path);
	return full;
}

static mode_t
mode_of(const struct mkspace *m, const char *path)
{
	struct stat st;

	assert_int_equal(lstat(out_path(m, path), &st), 0);
	return st.st_mode & 07777;
}

/* Bytes of a list, or -1. */
static ssize_t
list_of(const struct mkspace *m, const char *path, const char *which)
{
	return getxattr(out_path(m, path), which, NULL, 0);
}

/* Not every file system has them.  cmocka's skip() is a failure in TAP. */
static bool
has_lists(const struct mkspace *m)
{
	if (setxattr(m->out, DEFAULT, acl, sizeof(acl), 0) != 0)
		return false;
	assert_int_equal(removexattr(m->out, DEFAULT), 0);
	return true;
}

static void
add_file(struct mkspace *m, const char *path, struct bytes list)
{
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	struct buf attrs = buf_init(INLINE_MAX);
	struct attrs_item item = { bytes_of(ACCESS, strlen(ACCESS)), list };

	assert_int_equal(attrs_encode(&item, 1, &attrs), 0);
	e.mode = 0670;
	e.attrs = buf_bytes(&attrs);
	mkspace_file(m, path, bytes_of("x", 1), 0, &e);
	buf_wipe(&attrs);
}

static void
what_a_list_gives_is_not_the_groups(void **state)
{
	struct mkspace *m = *state;

	if (!has_lists(m))
		return;
	add_file(m, "bad", bytes_of("x", 1));
	add_file(m, "good", bytes_of(acl, sizeof(acl)));
	mkspace_commit(m, "");
	assert_int_equal(run(m), FAULT_PARTIAL);
	assert_int_equal(mode_of(m, "bad"), 0600);
	assert_int_equal(mode_of(m, "good"), 0670);
	assert_int_equal(list_of(m, "good", ACCESS), sizeof(acl));
}

static void
what_is_new_inherits_nothing(void **state)
{
	static const char *const fresh[] = { "d/f", "d/fifo", "d/sub" };
	struct mkspace *m = *state;
	struct tree_entry e = mkspace_plain(ENTRY_FIFO);

	if (!has_lists(m))
		return;
	mkspace_folder(m, "d");
	mkspace_text(m, "d/f", "x");
	mkspace_add(m, "d/fifo", &e);
	mkspace_folder(m, "d/sub");
	mkspace_commit(m, "");
	assert_int_equal(mkdir(out_path(m, "d"), 0700), 0);
	assert_int_equal(setxattr(out_path(m, "d"), DEFAULT, acl, sizeof(acl),
	    0), 0);
	assert_int_equal(run(m), 0);
	for (size_t i = 0; i < ARRAY_LEN(fresh); i++) {
		assert_int_equal(list_of(m, fresh[i], ACCESS), -1);
		assert_int_equal(list_of(m, fresh[i], DEFAULT), -1);
	}
	assert_int_equal(list_of(m, "d", DEFAULT), sizeof(acl));
}

/* A folder that its owner may not read is one that he may get again. */
static void
modes_bar_no_owner(void **state)
{
	struct mkspace *m = *state;
	struct tree_entry e = mkspace_plain(ENTRY_FOLDER);

	e.mode = 0;
	mkspace_folder(m, "d");
	mkspace_add(m, "d/sub", &e);
	mkspace_text(m, "d/sub/f", "x");
	mkspace_commit(m, "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(m), 0);
		assert_int_equal(mode_of(m, "d/sub"), 0);
	}
	assert_int_equal(chmod(out_path(m, "d/sub"), 0700), 0);
	assert_int_equal(access(out_path(m, "d/sub/f"), F_OK), 0);
}

static int
user_setup(void **state)
{
	/* In some namespaces there is nobody else to be. */
	if (geteuid() == 0)
		(void)!seteuid(65534);
	return mkspace_setup(state);
}

static int
user_teardown(void **state)
{
	return seteuid(getuid()) != 0 ? -1 : mkspace_teardown(state);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, mkspace_setup,mkspace_teardown)
	const struct CMUnitTest tests[] = {
		T(what_a_list_gives_is_not_the_groups),
		T(what_is_new_inherits_nothing),
		cmocka_unit_test_setup_teardown(modes_bar_no_owner, user_setup,
		    user_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
