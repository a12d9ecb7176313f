// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/secret.h"

static void
starts_twice_and_forbids_dumps(void **state)
{
	struct rlimit core;

	(void)state;
	assert_int_equal(secret_init(), 0);
	assert_int_equal(secret_init(), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
}

static void
gives_zeroed_memory(void **state)
{
	const size_t len[] = { 1, 32, 96, 4096, 10000 };

	(void)state;
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		uint8_t *p = secret_new(len[i]);

		assert_non_null(p);
		for (size_t k = 0; k < len[i]; k++)
			assert_int_equal(p[k], 0);
		memset(p, 7, len[i]);
		secret_free(p);
	}
	secret_free(NULL);
}

static void
frees_at_the_end_of_a_scope(void **state)
{
	uint8_t *p defer(secret_freep) = secret_new(32);
	uint8_t *none defer(secret_freep) = NULL;

	(void)state;
	(void)none;
	assert_non_null(p);
	p[31] = 1;
}

static void
a_byte_too_far_ends_the_process(void **state)
{
	volatile uint8_t *p = secret_new(32);
	int status;
	pid_t pid;

	(void)state;
	assert_non_null((const void *)p);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		(void)signal(SIGSEGV, SIG_DFL);
		p[32] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	secret_free((void *)p);
}

static void
wipes_and_compares(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	secret_random(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(b); i++) {
		b[i] ^= 0x80;
		assert_false(secret_equal(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
	assert_true(secret_equal(a, b, 0));
	secret_wipe(a, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], 0);
	secret_wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(starts_twice_and_forbids_dumps),
		cmocka_unit_test(gives_zeroed_memory),
		cmocka_unit_test(frees_at_the_end_of_a_scope),
		cmocka_unit_test(a_byte_too_far_ends_the_process),
		cmocka_unit_test(wipes_and_compares),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
