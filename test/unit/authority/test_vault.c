// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/vault.h"
#include "base/fault.h"

static char top[] = "/tmp/skerry-vault-XXXXXX";
static char path[64];
static const struct vault_name one = { { 1 }, 1 }, two = { { 1 }, 2 };
static const char one_file[] = "01000000000000000000000000000000-1";

static int
setup(void **state)
{
	static int fd;
	struct fault f = { 0 };

	if (vault_open(path, &fd, &f) != 0)
		return -1;
	*state = &fd;
	return 0;
}

static int
teardown(void **state)
{
	int fd = *(int *)*state;
	struct fault f = { 0 };

	if (vault_destroy(fd, &one, &f) != 0 ||
	    vault_destroy(fd, &two, &f) != 0)
		return -1;
	(void)close(fd);
	return rmdir(path); /* nothing else was left */
}

static void
put(int fd, const struct vault_name *n, uint8_t first)
{
	const uint8_t b[WRAP_LEN] = { first };
	struct fault f = { 0 };

	assert_int_equal(vault_put(fd, n, b, &f), 0);
}

static int
get(int fd, const struct vault_name *n, uint8_t *first)
{
	uint8_t b[WRAP_LEN] = { 0xee };
	struct fault f = { 0 };
	int rc = vault_get(fd, n, b, &f);

	*first = b[0];
	return rc;
}

static void
gives_back_what_was_put_and_replaces_it(void **state)
{
	int fd = *(int *)*state;
	uint8_t got;

	put(fd, &one, 5);
	put(fd, &two, 6);
	assert_int_equal(get(fd, &one, &got), 0);
	assert_int_equal(got, 5);
	put(fd, &one, 7);
	assert_int_equal(get(fd, &one, &got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(get(fd, &two, &got), 0);
	assert_int_equal(got, 6);
}

static void
says_that_there_is_none(void **state)
{
	int fd = *(int *)*state;
	const struct vault_name other = { { 2 }, 1 };
	uint8_t got;

	put(fd, &one, 5);
	assert_int_equal(get(fd, &two, &got), FAULT_NOT_FOUND);
	assert_int_equal(get(fd, &other, &got), FAULT_NOT_FOUND);
	assert_int_equal(got, 0xee); /* untouched */
}

/* A second name for the file still has its bytes: none of them is what was
 * there. */
static void
overwrites_before_it_removes(void **state)
{
	int fd = *(int *)*state, kept;
	const uint8_t secret[WRAP_LEN] = { 9, 9, 9, 9, 9, 9, 9, 9 };
	uint8_t after[WRAP_LEN], got;
	struct fault f = { 0 };

	assert_int_equal(vault_put(fd, &one, secret, &f), 0);
	kept = openat(fd, one_file, O_RDONLY | O_CLOEXEC);
	assert_true(kept >= 0);
	assert_int_equal(vault_destroy(fd, &one, &f), 0);
	assert_int_equal(pread(kept, after, sizeof(after), 0), WRAP_LEN);
	assert_memory_not_equal(after, secret, 8);
	(void)close(kept);
	assert_int_equal(get(fd, &one, &got), FAULT_NOT_FOUND);
	assert_int_equal(vault_destroy(fd, &one, &f), 0); /* again: nothing */
}

static int
on_secret(void *arg, const struct vault_name *n, struct fault *f)
{
	int fd = *(int *)arg;

	assert_memory_equal(n->space, one.space, ID_LEN);
	assert_true(n->epoch == 1 || n->epoch == 2);
	return n->epoch == 1 ? vault_destroy(fd, n, f) : 0;
}

static void
lists_what_there_is(void **state)
{
	int fd = *(int *)*state, other;
	struct fault f = { 0 };
	uint8_t got;

	put(fd, &one, 1);
	put(fd, &two, 2);
	other = openat(fd, "01-1", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(other >= 0);
	(void)close(other);
	assert_int_equal(vault_each(fd, on_secret, &fd, &f), 0);
	assert_int_equal(get(fd, &one, &got), FAULT_NOT_FOUND);
	assert_int_equal(get(fd, &two, &got), 0);
	assert_int_equal(unlinkat(fd, "01-1", 0), 0);
}

static void
refuses_a_file_of_another_length(void **state)
{
	int fd = *(int *)*state;
	uint8_t got;

	for (int by = -1; by <= 1; by += 2) {
		put(fd, &one, 5);
		int file = openat(fd, one_file, O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(file, WRAP_LEN + by), 0);
		(void)close(file);
		assert_int_equal(get(fd, &one, &got), FAULT_IO);
		assert_int_equal(got, 0xee);
	}
}

static void
keeps_others_out(void **state)
{
	int fd = *(int *)*state;
	struct stat st;

	put(fd, &one, 5);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstatat(fd, one_file, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
names_a_folder_that_cannot_be(void **state)
{
	struct fault f = { 0 };
	int fd = -1;

	(void)state;
	assert_int_equal(vault_open("/nowhere/epochs", &fd, &f),
	    FAULT_CONFIG);
	assert_non_null(strstr(f.text, "/nowhere/epochs"));
	assert_int_equal(fd, -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(gives_back_what_was_put_and_replaces_it),
		T(says_that_there_is_none),
		T(overwrites_before_it_removes),
		T(lists_what_there_is),
		T(refuses_a_file_of_another_length),
		T(keeps_others_out),
		cmocka_unit_test(names_a_folder_that_cannot_be),
	};
	int rc;

	if (mkdtemp(top) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/epochs", top);
	rc = cmocka_run_group_tests(t, NULL, NULL);
	(void)rmdir(top);
	return rc;
}
