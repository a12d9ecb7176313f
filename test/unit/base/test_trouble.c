// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/trouble.h"

static int64_t now;
static int log_pipe[2], real;

/* In place of the library's. */
int64_t
clock_ms(void)
{
	return now;
}

/* What was logged since, without the time; "" for nothing. */
static const char *
said(void)
{
	static char text[8 * LOGLINE_MAX];
	ssize_t n = read(log_pipe[0], text, sizeof(text) - 1);
	char *s;

	text[n > 0 ? n : 0] = '\0';
	s = strstr(text, "\"level\"");
	return s != NULL ? s : text;
}

static int
catch_log(void **state)
{
	(void)state;
	now = 1000;
	real = dup(2);
	return real < 0 || pipe2(log_pipe, O_NONBLOCK) != 0 ||
	    dup2(log_pipe[1], 2) < 0;
}

/* Whatever goes on ends. */
static int
let_go(void **state)
{
	(void)state;
	now += 1000000;
	trouble_tick();
	(void)dup2(real, 2);
	(void)close(real);
	(void)close(log_pipe[0]);
	return close(log_pipe[1]);
}

static void
fails(int code, const char *text)
{
	struct fault f = { 0 };

	(void)fault_set(&f, code, "%s", text);
	trouble_fault("store", &f);
}

static void
says_when_it_begins_goes_on_and_is_over(void **state)
{
	(void)state;
	fails(FAULT_SPACE, "full");
	assert_string_equal(said(), "\"level\":\"error\",\"event\":\"store\","
	    "\"code\":\"SPACE\",\"text\":\"full\"}\n");
	for (int i = 0; i < 59; i++) {
		now += 1000;
		fails(FAULT_SPACE, "full");
		trouble_tick();
	}
	assert_string_equal(said(), "");
	now += 1000;
	fails(FAULT_SPACE, "again");
	assert_string_equal(said(), "\"level\":\"error\",\"event\":\"store\","
	    "\"times\":60,\"code\":\"SPACE\",\"text\":\"again\"}\n");
	now += 59999;
	trouble_tick();
	assert_string_equal(said(), "");
	now++;
	trouble_tick();
	assert_string_equal(said(), "\"level\":\"info\",\"event\":\"store\","
	    "\"times\":61,\"code\":\"SPACE\",\"over\":true}\n");
	trouble_tick();
	assert_string_equal(said(), "");
	fails(FAULT_SPACE, "anew");
	assert_non_null(strstr(said(), "anew"));
}

static void
tells_kinds_apart(void **state)
{
	struct trouble a = { .event = "late", .whose = "witness" };
	struct logline l;

	(void)state;
	fails(FAULT_SPACE, "full");
	assert_non_null(strstr(said(), "full"));
	fails(FAULT_IO, "broken");
	assert_non_null(strstr(said(), "broken"));
	for (a.number = 0; a.number < 2; a.number++) {
		assert_true(trouble_begin(&a, LOGLINE_WARN, &l));
		assert_false(trouble_begin(&a, LOGLINE_WARN, &l));
		logline_end(&l);
		assert_non_null(strstr(said(), a.number == 0 ?
			"\"event\":\"late\",\"witness\":0}" :
			"\"event\":\"late\",\"witness\":1}"));
	}
}

/* More kinds than are kept: the oldest makes room, and is said to be over. */
static void
keeps_so_many_kinds(void **state)
{
	struct trouble a = { .event = "late", .whose = "n" };
	struct logline l;

	(void)state;
	for (a.number = 0; a.number < 64; a.number++) {
		now++;
		assert_true(trouble_begin(&a, LOGLINE_WARN, &l));
	}
	assert_string_equal(said(), "");
	assert_true(trouble_begin(&a, LOGLINE_WARN, &l));
	assert_string_equal(said(), "\"level\":\"info\",\"event\":\"late\","
	    "\"n\":0,\"over\":true}\n");
	a.number = 1;
	assert_false(trouble_begin(&a, LOGLINE_WARN, &l));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    says_when_it_begins_goes_on_and_is_over, catch_log,
		    let_go),
		cmocka_unit_test_setup_teardown(tells_kinds_apart, catch_log,
		    let_go),
		cmocka_unit_test_setup_teardown(keeps_so_many_kinds,
		    catch_log, let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
