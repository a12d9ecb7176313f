// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/attr.h"
#include "client/progress.h"

/* A terminal in the place of standard error; what is drawn comes out of
 * master. */
struct screen {
	int master, before;
	char text[65536];
};

static int
begin(void **state)
{
	struct screen *s = calloc(1, sizeof(*s));
	int slave;

	s->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(s->master >= 0);
	assert_int_equal(grantpt(s->master), 0);
	assert_int_equal(unlockpt(s->master), 0);
	slave = open(ptsname(s->master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	s->before = dup(STDERR_FILENO);
	assert_int_equal(dup2(slave, STDERR_FILENO), STDERR_FILENO);
	(void)close(slave);
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	*state = s;
	return 0;
}

static int
end(void **state)
{
	struct screen *s = *state;

	(void)dup2(s->before, STDERR_FILENO);
	(void)close(s->before);
	(void)close(s->master);
	free(s);
	return 0;
}

/* The next line that is drawn, which is not at once. */
static const char *
next_line(struct screen *s, struct progress *p)
{
	ssize_t n;

	do {
		progress_add(p, 0, 0);
		n = read(s->master, s->text, sizeof(s->text) - 1);
	} while (n <= 0);
	s->text[n] = '\0';
	return s->text;
}

static void
totals_grow_by_what_is_expected(void **state)
{
	struct screen *s = *state;
	struct progress *p = progress_new("get", "entry", "entries", 0);

	assert_non_null(p);
	progress_expect(p, 1, 100);
	progress_expect(p, 1, 200);
	progress_expect(p, 1, 0);
	progress_add(p, 1, 100);
	progress_add(p, 1, 50);
	assert_non_null(strstr(next_line(s, p), "get 150 B of 300 B"));
	assert_non_null(strstr(next_line(s, p), ", 2 of 3 entries"));
	progress_free(p);
}

static void
says_what_is_done_where_nothing_is_expected(void **state)
{
	struct screen *s = *state;
	struct progress *p = progress_new("put", "file", "files", 0);

	assert_non_null(p);
	progress_add(p, 7, 10);
	assert_non_null(strstr(next_line(s, p), ", 7 files"));
	assert_null(strstr(s->text, " of "));
	progress_free(p);
}

/* A walk is not over: what is known so far is no total. */
static void
tells_no_total_that_grows(void **state)
{
	struct screen *s = *state;
	struct progress *p = progress_new("put", "file", "files", 0);

	assert_non_null(p);
	progress_grows(p, true);
	progress_expect(p, 2, 100);
	progress_add(p, 1, 50);
	assert_non_null(strstr(next_line(s, p), "put 50 B, "));
	assert_non_null(strstr(s->text, ", 1 file"));
	assert_null(strstr(s->text, " of "));
	assert_null(strstr(s->text, " ["));
	progress_grows(p, false);
	assert_non_null(strstr(next_line(s, p), "put 50 B of 100 B"));
	assert_non_null(strstr(s->text, ", 1 of 2 files"));
	progress_free(p);
}

/* Half a number is another number. */
static void
leaves_out_what_does_not_fit(void **state)
{
	static const struct {
		unsigned short columns;
		const char *line;
	} want[] = {
		{ 4, "\rput\033[K" },
		{ 10, "\rput 5 B\033[K" },
		{ 17, "\rput 5 B of 9 B\033[K" },
	};
	struct screen *s = *state;
	struct progress *p = progress_new("put", "file", "files", 0);

	assert_non_null(p);
	progress_expect(p, 2, 9);
	progress_add(p, 1, 5);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct winsize w = { .ws_col = want[i].columns };

		assert_int_equal(ioctl(s->master, TIOCSWINSZ, &w), 0);
		(void)next_line(s, p);
		assert_string_equal(next_line(s, p), want[i].line);
	}
	progress_free(p);
}

static void
counts_alone_where_there_are_no_bytes(void **state)
{
	struct screen *s = *state;
	struct progress *p = progress_new("rotate", "commit", "commits", 0);

	assert_non_null(p);
	progress_expect(p, 5, 0);
	progress_add(p, 2, 0);
	assert_string_equal(next_line(s, p),
	    "\rrotate 2 of 5 commits\033[K");
	progress_free(p);
}

static void
draws_nothing_where_a_line_cannot_be_drawn_anew(void **state)
{
	(void)state;
	assert_null(progress_new("put", "file", "files", 1));
	assert_int_equal(setenv("TERM", "dumb", 1), 0);
	assert_null(progress_new("put", "file", "files", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    totals_grow_by_what_is_expected, begin, end),
		cmocka_unit_test_setup_teardown(
		    says_what_is_done_where_nothing_is_expected, begin, end),
		cmocka_unit_test_setup_teardown(tells_no_total_that_grows,
		    begin, end),
		cmocka_unit_test_setup_teardown(leaves_out_what_does_not_fit,
		    begin, end),
		cmocka_unit_test_setup_teardown(
		    counts_alone_where_there_are_no_bytes, begin, end),
		cmocka_unit_test_setup_teardown(
		    draws_nothing_where_a_line_cannot_be_drawn_anew, begin,
		    end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
