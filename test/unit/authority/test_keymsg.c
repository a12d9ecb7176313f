// SPDX-License-Identifier: Apache-2.0
/* Rounds of requests at keys, over pipes as the roles have them. */
#include "test/lib/cm.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "authority/keymsg.h"
#include "authority/permit.h"
#include "base/fault.h"
#include "crypt/secret.h"

#define MANY 500

static int to[2], from[2];
static bool dies; /* the peer, after a packet */

static int
open_pipes(void **state)
{
	(void)state;
	dies = false;
	return pipe2(to, O_DIRECT) != 0 || pipe2(from, O_DIRECT) != 0;
}

static int
close_pipes(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (close(to[i]) != 0 || close(from[i]) != 0)
			return 1;
	return 0;
}

/* Answers with the depot's name; a release, with its epoch; a secret, with
 * nothing but bytes of that. */
static int
answer(struct bytes ask, struct buf *out)
{
	struct buf one defer(buf_wipe) = buf_init(200);
	struct keymsg m;
	uint8_t code = 0;

	if (keymsg_read(ask, &m) != 0)
		return FAULT_MALFORMED;
	if (m.request == PERMIT_RELEASE) {
		if (m.u.release.of.epoch % 7 == 0)
			code = (uint8_t)fault_exit(FAULT_SECRET);
		if (buf_append(&one, &code, 1) != 0 ||
		    buf_append(&one, &m.u.release.of.epoch, 4) != 0)
			return FAULT_MEMORY;
	} else if (m.request == PERMIT_SECRET) {
		uint8_t wrapped[WRAP_LEN];

		memset(wrapped, (int)m.u.secret.epoch, sizeof(wrapped));
		if (buf_append(&one, &code, 1) != 0 ||
		    buf_append(&one, wrapped, sizeof(wrapped)) != 0)
			return FAULT_MEMORY;
	} else if (buf_append(&one, &code, 1) != 0 ||
	    buf_append(&one, m.u.capability.depot,
	        strlen(m.u.capability.depot)) != 0) {
		return FAULT_MEMORY;
	}
	return keymsg_add(out, buf_bytes(&one));
}

static void *
peer(void *arg)
{
	struct link l = link_init(to[0], from[1], LINK_PIPE_MAX);
	size_t left = *(size_t *)arg;

	while (left > 0) {
		struct buf in defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
		struct buf out defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
		struct bytes packet, one;
		uint64_t call;

		if (link_take(&l, &call, &in) != 0) {
			(void)usleep(100);
			continue;
		}
		for (packet = buf_bytes(&in); packet.n > 0 &&
		     keymsg_next(&packet, &one) == 0; left--)
			if (answer(one, &out) != 0)
				return NULL;
		if (link_answer(&l, call, buf_bytes(&out)) != 0 || dies)
			break;
	}
	if (dies)
		link_lost(from[1]);
	return NULL;
}

static void
put(struct keymsg_round *r, uint32_t i)
{
	struct keymsg_capability c = { .now = 1 };
	static const uint8_t entry[100];
	struct keymsg_release m = { .of.epoch = i,
		.logged.entry = bytes_of(entry, sizeof(entry)),
		.logged.path.n = i % (MERKLE_PROOF_MAX + 1) };

	(void)snprintf(c.depot, sizeof(c.depot), "depot-%u", i);
	if (i % 2 == 0)
		keymsg_round_release(r, &m);
	else
		keymsg_round_capability(r, &c);
}

static void
expect(struct keymsg_round *r, uint32_t i)
{
	char depot[20];
	struct bytes data;
	int rc = keymsg_round_get(r, &data);

	if (i % 2 == 0) {
		assert_int_equal(rc, i % 7 == 0 ? FAULT_SECRET : 0);
		if (rc == 0)
			assert_memory_equal(data.p, &i, sizeof(i));
		return;
	}
	assert_int_equal(rc, 0);
	(void)snprintf(depot, sizeof(depot), "depot-%u", i);
	assert_int_equal(data.n, strlen(depot));
	assert_memory_equal(data.p, depot, data.n);
}

static void
many(bool at_once)
{
	size_t n = MANY;
	struct keymsg_line l = { .link = link_init(from[0], to[1],
	    LINK_PIPE_MAX) };
	struct keymsg_round r defer(keymsg_round_wipe) = keymsg_round(&l);
	uint32_t asked = 0;
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, peer, &n), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		while (asked < MANY && (at_once || !keymsg_round_full(&r)))
			put(&r, asked++);
		assert_true(asked > i);
		expect(&r, i);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
}

static void
gets_in_the_order_of_the_asking(void **state)
{
	(void)state;
	many(false);
}

static void
puts_more_than_the_pipes_hold(void **state)
{
	(void)state;
	many(true);
}

/* Something else is asked, which is no part of the round. */
static void
ask_secret(struct keymsg_line *l, uint32_t i)
{
	const struct keymsg_space of = { .epoch = i % 100 };
	uint8_t got[WRAP_LEN], want[WRAP_LEN];

	memset(want, (int)of.epoch, sizeof(want));
	assert_int_equal(keymsg_secret(l, &of, got), 0);
	assert_memory_equal(got, want, sizeof(want));
}

static void
keeps_its_answers_while_something_else_is_asked(void **state)
{
	size_t n = MANY + MANY / 5 + 1;
	struct keymsg_line l = { .link = link_init(from[0], to[1],
	    LINK_PIPE_MAX) };
	uint32_t asked = 0;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, peer, &n), 0);
	{
		struct keymsg_round r defer(keymsg_round_wipe) =
		    keymsg_round(&l);

		for (uint32_t i = 0; i < MANY; i++) {
			/* Now and then only what the pipes hold already. */
			while (asked < MANY && (i % 50 != 0 || asked <= i) &&
			    !keymsg_round_full(&r))
				put(&r, asked++);
			if (i % 5 == 0)
				ask_secret(&l, i);
			expect(&r, i);
		}
	}
	assert_null(l.round);
	ask_secret(&l, 1);
	assert_int_equal(pthread_join(t, NULL), 0);
}

/* The peer, by hand; out gets its answers. */
static uint64_t
take_packet(const struct link *l, struct buf *out)
{
	struct buf in defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct bytes packet, one;
	uint64_t call;

	assert_int_equal(link_take(l, &call, &in), 0);
	for (packet = buf_bytes(&in); packet.n > 0;) {
		assert_int_equal(keymsg_next(&packet, &one), 0);
		if (one.p[0] != PERMIT_RESUME)
			assert_int_equal(answer(one, out), 0);
	}
	return call;
}

static void
takes_no_late_answer_for_another(void **state)
{
	struct keymsg_line l = { .link = link_init(from[0], to[1],
	    LINK_PIPE_MAX) };
	struct link p = link_init(to[0], from[1], LINK_PIPE_MAX);
	struct keymsg_round r defer(keymsg_round_wipe) = keymsg_round(&l);
	struct buf out defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
	struct keymsg_tree tree;
	struct bytes data;
	uint64_t call;

	(void)state;
	for (uint32_t i = 1; i <= KEYMSG_MANY + 1; i++)
		put(&r, i);
	assert_true(keymsg_round_waits(&r));
	call = take_packet(&p, &out);
	assert_int_equal(link_answer(&p, call, buf_bytes(&out)), 0);
	assert_false(keymsg_round_waits(&r));

	/* It is not answered in time. */
	assert_int_equal(keymsg_resume(&l, bytes_of(NULL, 0), 10, &tree),
	    FAULT_AUTHORITY);
	out.n = 0;
	call = take_packet(&p, &out);
	assert_int_equal(keymsg_add(&out, bytes_of("\0late", 5)), 0);
	assert_int_equal(link_answer(&p, call, buf_bytes(&out)), 0);

	/* What came before is there; then nothing. */
	assert_false(keymsg_round_waits(&r));
	for (uint32_t i = 1; i <= KEYMSG_MANY; i++)
		expect(&r, i);
	assert_int_equal(keymsg_round_get(&r, &data), FAULT_AUTHORITY);
}

static void
has_no_answer_from_who_died(void **state)
{
	size_t n = MANY;
	struct keymsg_line l = { .link = link_init(from[0], to[1],
	    LINK_PIPE_MAX) };
	struct keymsg_round r defer(keymsg_round_wipe) = keymsg_round(&l);
	struct bytes data;
	pthread_t t;

	(void)state;
	dies = true;
	assert_int_equal(pthread_create(&t, NULL, peer, &n), 0);
	for (uint32_t i = 1; i < 30; i++)
		put(&r, i);
	for (uint32_t i = 1; i <= KEYMSG_MANY; i++)
		expect(&r, i);
	for (uint32_t i = KEYMSG_MANY + 1; i < 30; i++)
		assert_int_equal(keymsg_round_get(&r, &data), FAULT_AUTHORITY);
	assert_int_equal(pthread_join(t, NULL), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_pipes, \
    close_pipes)

int
main(void)
{
	const struct CMUnitTest t[] = {
		CASE(gets_in_the_order_of_the_asking),
		CASE(puts_more_than_the_pipes_hold),
		CASE(keeps_its_answers_while_something_else_is_asked),
		CASE(takes_no_late_answer_for_another),
		CASE(has_no_answer_from_who_died),
	};

	if (secret_init() != 0)
		return 1;
	return cmocka_run_group_tests(t, NULL, NULL);
}
