// SPDX-License-Identifier: Apache-2.0
/* A file system that takes all that is written, and tells at the end that it
 * has no room for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/engine/restore.h"
#include "lib/cm.h"
#include "lib/mkspace.h"

#define FULL 12345 /* the size of the file that it has no room for */

static atomic_bool full;

/* In the place of the C library's. */
int
close(int fd)
{
	struct stat st;
	bool fails = atomic_load(&full) && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size == FULL &&
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
	int rc = (int)syscall(SYS_close, fd);

	if (!fails)
		return rc;
	errno = ENOSPC;
	return -1;
}

static void
a_file_that_could_not_be_closed_is_none(void **state)
{
	static const uint8_t content[FULL];
	struct mkspace *m = *state;
	struct space *sp;
	struct restore_options o = { 0 };
	struct restore_result res;
	struct fault f;
	char path[128];
	struct stat st;
	int rc;

	mkspace_file(m, "f", bytes_of(content, FULL), 0, NULL);
	mkspace_commit(m, "");
	sp = mkspace_open(m);
	o.commit = &sp->commit;
	o.dir = open(m->out, O_RDONLY | O_DIRECTORY);
	(void)snprintf(path, sizeof(path), "%s/f", m->out);
	atomic_store(&full, true);
	rc = restore_run(sp, &o, &res, &f);
	atomic_store(&full, false);
	assert_int_equal(rc, FAULT_SPACE);
	assert_int_equal(lstat(path, &st), -1);
	assert_int_equal(restore_run(sp, &o, &res, &f), 0);
	assert_int_equal(lstat(path, &st), 0);
	close(o.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_file_that_could_not_be_closed_is_none, mkspace_setup,
		    mkspace_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
