// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "authority/front_calls.h"
#include "base/fault.h"
#include "crypt/secret.h"

#define MS 60000

static int pair[2];
static struct link ledger;

/* Who asked, and what became of it. */
struct who {
	atomic_int ended;
	int rc;
	char text[32];
};

static struct who who[2 * FRONT_CALLS_MAX];
static atomic_uint ended;

static void
on_done(void *arg, int rc, struct buf *answer)
{
	struct who *w = arg;

	w->rc = rc;
	(void)snprintf(w->text, sizeof(w->text), "%.*s", (int)answer->n,
	    (const char *)answer->p);
	w->ended++;
	ended++;
}

static int
set_up(void **state)
{
	(void)state;
	memset(who, 0, sizeof(who));
	ended = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		return 1;
	ledger = link_init(pair[1], pair[1], LINK_SOCKET_MAX);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return close(pair[0]) != 0 || close(pair[1]) != 0;
}

static struct front_calls *
begin(int ms)
{
	struct front_calls *c = front_calls_new(link_init(pair[0], pair[0],
	    LINK_SOCKET_MAX), ms, on_done);

	assert_non_null(c);
	return c;
}

static int
put(struct front_calls *c, size_t i)
{
	struct buf ask defer(buf_wipe) = buf_init(100);
	char text[32];
	int n = snprintf(text, sizeof(text), "ask %zu", i);

	assert_int_equal(buf_append(&ask, text, (size_t)n), 0);
	return front_calls_put(c, &ask, &who[i]);
}

static void
take_one(uint64_t *call, struct buf *ask)
{
	while (link_take(&ledger, call, ask) != 0)
		(void)usleep(100);
}

static void
wait_ended(unsigned n)
{
	for (int ms = 0; ended < n && ms < MS; ms++)
		(void)usleep(1000);
	assert_int_equal(ended, n);
}

static void
answers_come_in_any_order(void **state)
{
	enum { N = 40 };
	struct front_calls *c = begin(MS);
	uint64_t call[N];
	char text[N][32];

	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_int_equal(put(c, i), 0);
	for (size_t i = 0; i < N; i++) {
		struct buf ask defer(buf_wipe) = buf_init(100);

		take_one(&call[i], &ask);
		(void)snprintf(text[i], sizeof(text[i]), "%.*s", (int)ask.n,
		    (const char *)ask.p);
	}
	for (size_t i = N; i-- > 0;)
		assert_int_equal(link_answer(&ledger, call[i],
		    bytes_of(text[i], strlen(text[i]))), 0);
	wait_ended(N);
	/* Late, and of no call. */
	assert_int_equal(link_answer(&ledger, call[0], bytes_of("", 0)), 0);
	front_calls_free(c);
	for (size_t i = 0; i < N; i++) {
		char want[32];

		(void)snprintf(want, sizeof(want), "ask %zu", i);
		assert_int_equal(who[i].rc, 0);
		assert_int_equal(who[i].ended, 1);
		assert_string_equal(who[i].text, want);
	}
}

static void
takes_so_many_and_no_more(void **state)
{
	struct front_calls *c = begin(MS);

	(void)state;
	for (size_t i = 0; i < FRONT_CALLS_MAX; i++)
		assert_int_equal(put(c, i), 0);
	assert_int_equal(put(c, FRONT_CALLS_MAX), FAULT_LIMIT);
	for (size_t i = 0; i < FRONT_CALLS_MAX; i++) {
		struct buf ask defer(buf_wipe) = buf_init(100);
		uint64_t call;

		take_one(&call, &ask);
		assert_int_equal(link_answer(&ledger, call, buf_bytes(&ask)),
		    0);
	}
	wait_ended(FRONT_CALLS_MAX);
	assert_int_equal(put(c, FRONT_CALLS_MAX), 0);
	front_calls_end(c);
	assert_int_equal(who[FRONT_CALLS_MAX].rc, FAULT_AUTHORITY);
	assert_int_equal(put(c, FRONT_CALLS_MAX + 1), FAULT_LIMIT);
	front_calls_free(c);
}

static void
hears_of_a_loss_at_once(void **state)
{
	struct front_calls *c = begin(MS);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(put(c, i), 0);
	for (size_t i = 0; i < 10; i++) {
		struct buf ask defer(buf_wipe) = buf_init(100);
		uint64_t call;

		take_one(&call, &ask);
	}
	link_lost(pair[1]);
	wait_ended(10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(who[i].rc, FAULT_AUTHORITY);
	front_calls_free(c);
}

static void
waits_so_long_and_no_longer(void **state)
{
	struct front_calls *c = begin(1);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(put(c, i), 0);
	wait_ended(10);
	assert_int_equal(put(c, 10), 0);
	wait_ended(11);
	assert_int_equal(who[10].rc, FAULT_AUTHORITY);
	front_calls_free(c);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest t[] = {
		CASE(answers_come_in_any_order),
		CASE(takes_so_many_and_no_more),
		CASE(hears_of_a_loss_at_once),
		CASE(waits_so_long_and_no_longer),
	};

	if (secret_init() != 0)
		return 1;
	return cmocka_run_group_tests(t, NULL, NULL);
}
