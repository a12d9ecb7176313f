// SPDX-License-Identifier: Apache-2.0
/* Chunks of one file that follow each other are written together, and those
 * that are wanted more than once, by others too, are not of them; by a kernel
 * that takes less than it is given. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/engine/restore.h"
#include "crypt/secret.h"
#include "lib/cm.h"
#include "lib/mkspace.h"

#define PIECE 5000
#define PIECES 10 /* of a file */

static atomic_uint calls;

/* In the place of the C library's: up to 7,001 bytes, which are at most two
 * pieces. */
ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	uint8_t b[7001];
	size_t have = 0;

	(void)atomic_fetch_add(&calls, 1);
	for (int i = 0; i < n; i++) {
		size_t k = sizeof(b) - have;

		k = v[i].iov_len < k ? v[i].iov_len : k;
		memcpy(b + have, v[i].iov_base, k);
		have += k;
	}
	return pwrite(fd, b, have, at);
}

static void
expect_file(struct mkspace *m, const char *name, const uint8_t *want)
{
	uint8_t got[PIECES * PIECE + 1];
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", m->out, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got)), PIECES * PIECE);
	assert_memory_equal(got, want, PIECES * PIECE);
	close(fd);
}

static void
restores_runs_and_repeated_pieces(void **state)
{
	static const uint8_t order[][PIECES] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 },
		{ 10, 10, 11, 12, 12, 12, 13, 14, 10, 15 },
		{ 16, 17, 1, 2, 18, 19, 20, 20, 3, 21 },
		{ 25, 24, 23, 22, 26, 27, 28, 29, 30, 31 },
	};
	static uint8_t file[ARRAY_LEN(order)][PIECES * PIECE];
	static uint8_t piece[32][PIECE];
	static const char *name[] = { "a", "b", "c", "d" };
	struct mkspace *m = *state;
	struct restore_options o = { 0 };
	struct restore_result res;
	struct space *sp;
	struct fault f;

	secret_random(piece, sizeof(piece));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		for (size_t k = 0; k < PIECES; k++)
			memcpy(file[i] + k * PIECE, piece[order[i][k]], PIECE);
		mkspace_file(m, name[i], bytes_of(file[i], sizeof(file[i])),
		    PIECE, NULL);
	}
	mkspace_commit(m, "");
	sp = mkspace_open(m);
	o.commit = &sp->commit;
	o.dir = open(m->out, O_RDONLY | O_DIRECTORY);
	assert_int_equal(restore_run(sp, &o, &res, &f), 0);
	assert_int_equal(res.entries, ARRAY_LEN(order));
	assert_in_range(atomic_load(&calls), ARRAY_LEN(order) * 8,
	    ARRAY_LEN(order) * PIECES - 1);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		expect_file(m, name[i], file[i]);
	close(o.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    restores_runs_and_repeated_pieces, mkspace_setup,
		    mkspace_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
