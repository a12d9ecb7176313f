// SPDX-License-Identifier: Apache-2.0
/* Two processes at one database. */
#include "test/lib/cm.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/db.h"
#include "base/fault.h"

static char dir[] = "/tmp/skerry-db-XXXXXX";
static char path[64];
static const uint8_t account[ID_LEN] = { 1 }, space[ID_LEN] = { 2 };
static const uint8_t request[DB_HASH_LEN] = { 3 };

/* On a slow disk the other may have it for longer than one waits. */
static int
begin_at_last(struct db *db, struct fault *f)
{
	int rc;

	do
		rc = db->begin(db, f);
	while (rc == FAULT_AUTHORITY);
	return rc;
}

/* Moves the head until it is at 200; how many moves were this process's. */
static int
racer(void)
{
	struct db *db;
	struct fault f = { 0 };
	int won = 0;

	if (db_sqlite_open(path, &db, &f) != 0)
		return 255;
	for (;;) {
		struct db_head h, next = { 0 };
		int rc;

		if (begin_at_last(db, &f) != 0)
			return 254;
		if (db->head_get(db, space, &h, &f) != 0)
			return 253;
		/* What this one saw, the other may have moved meanwhile. */
		db->abort(db);
		if (h.number == 200)
			break;
		next.number = h.number + 1;
		if (begin_at_last(db, &f) != 0)
			return 252;
		rc = db->head_move(db, space, &next, &f);
		if (rc == 0)
			won++;
		else if (rc != FAULT_CONFLICT)
			return 251;
		if (db->commit(db, &f) != 0)
			return 250;
	}
	db->close(db);
	return won;
}

static void
gives_each_number_to_one_of_two_processes(void **state)
{
	struct db_space s = { .residency = "es", .depot = "madrid" };
	struct db *db;
	struct fault f = { 0 };
	int total = 0;
	pid_t pid[2];

	(void)state;
	memcpy(s.id, space, ID_LEN);
	memcpy(s.account, account, ID_LEN);
	assert_int_equal(db_sqlite_open(path, &db, &f), 0);
	assert_int_equal(db->begin(db, &f), 0);
	assert_int_equal(db->account_add(db, account, request, &f), 0);
	assert_int_equal(db->space_add(db, &s, &f), 0);
	assert_int_equal(db->commit(db, &f), 0);
	db->close(db);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			_exit(racer());
	}
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) <= 200);
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 200);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(gives_each_number_to_one_of_two_processes),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/db.sqlite", dir);
	rc = cmocka_run_group_tests(t, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(dir);
	return rc;
}
