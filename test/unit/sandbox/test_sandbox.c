// SPDX-License-Identifier: Apache-2.0
/* Each case gives up its rights in a child, which reports by its status. */
#include "test/lib/cm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define ABSENT 77 /* child's status: the kernel or build lacks the feature */

static int
in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char dir[] = "/tmp/skerry-sandbox-XXXXXX";

static int
body_landlock(void)
{
	struct sandbox_path p;
	struct fault f;
	int rc, bad = 0;

	p.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p.access = SANDBOX_READ | SANDBOX_WRITE;
	rc = sandbox_landlock(&p, 1, &f);
	if (rc == FAULT_VERSION)
		return ABSENT;
	if (rc != 0)
		return 2;
	/* Neither takes away what the other leaves. */
	rc = sandbox_no_tcp(&f);
	if (rc != 0 && rc != FAULT_VERSION)
		return 5;
	if (sandbox_check(SANDBOX_NO_OPEN, &f) != 0)
		return 3;
	if (mkdirat(p.fd, "a", 0700) != 0 || mkdirat(p.fd, "b", 0700) != 0 ||
	    openat(p.fd, "a/x", O_CREAT | O_RDWR | O_CLOEXEC, 0600) < 0 ||
	    renameat(p.fd, "a/x", p.fd, "b/x") != 0)
		bad = 4;
	(void)unlinkat(p.fd, "b/x", 0);
	(void)unlinkat(p.fd, "a", AT_REMOVEDIR);
	(void)unlinkat(p.fd, "b", AT_REMOVEDIR);
	return bad;
}

static int
body_no_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct fault f;
	int rc = sandbox_no_tcp(&f);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (rc == FAULT_VERSION)
		return ABSENT;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (rc != 0 || connect(s, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 1;
	return errno == EACCES ? 0 : 2;
}

static int
body_seccomp(void)
{
	static const int calls[] = {
		SCMP_SYS(exit_group), SCMP_SYS(write), SCMP_SYS(close),
	};
	struct fault f;
	int rc = sandbox_seccomp(calls, ARRAY_LEN(calls), &f);

	if (rc == FAULT_VERSION)
		return ABSENT;
	if (rc != 0)
		return 1;
	return sandbox_check(SANDBOX_NO_OPEN | SANDBOX_NO_EXEC |
	    SANDBOX_NO_PTRACE | SANDBOX_NO_SOCKET, &f) == 0 ? 0 : 2;
}

static int
body_open(void)
{
	struct fault f;

	return sandbox_check(SANDBOX_NO_EXEC, &f) == FAULT_INTERNAL &&
	    sandbox_check(SANDBOX_NO_OPEN, &f) == FAULT_INTERNAL &&
	    sandbox_check(SANDBOX_NO_SOCKET, &f) == FAULT_INTERNAL &&
	    sandbox_check(SANDBOX_NO_PTRACE, &f) == FAULT_INTERNAL ? 0 : 1;
}

/* cmocka's skip() would count as a failure in TAP. */
static void
expect_done(int status)
{
	if (status == ABSENT)
		print_message("# this kernel or build has no such feature\n");
	else
		assert_int_equal(status, 0);
}

static void
run(int (*body)(void))
{
	expect_done(in_child(body));
}

static void
landlock_leaves_only_the_folder(void **state)
{
	int status;

	(void)state;
	assert_non_null(mkdtemp(dir));
	status = in_child(body_landlock);
	assert_int_equal(rmdir(dir), 0);
	expect_done(status);
}

static void
no_tcp_refuses_to_connect(void **state)
{
	(void)state;
	run(body_no_tcp);
}

static void
seccomp_leaves_only_the_list(void **state)
{
	(void)state;
	run(body_seccomp);
}

static void
check_tells_when_nothing_is_denied(void **state)
{
	(void)state;
	run(body_open);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(landlock_leaves_only_the_folder),
		cmocka_unit_test(no_tcp_refuses_to_connect),
		cmocka_unit_test(seccomp_leaves_only_the_list),
		cmocka_unit_test(check_tells_when_nothing_is_denied),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
