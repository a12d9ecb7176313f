// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/watch.h"

#define IDLE 10
#define RATE 100
#define MS 1000
#define THREADS 2u

/* Connections over loopback; the watch has the ends at [1]. */
struct pair {
	int fd[2];
};

static struct watch_count count;
static unsigned last_thread; /* of the last that was added */

static struct watch *
start(unsigned most, unsigned per_address)
{
	const struct watch_rule rule = { .most = most,
		.most_per_address = per_address, .idle_seconds = IDLE,
		.least_rate = RATE };
	struct watch *w;

	memset(&count, 0, sizeof(count));
	w = watch_new(&rule, THREADS, &count);
	assert_non_null(w);
	return w;
}

static struct pair
connect_pair(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *addr = (struct sockaddr *)&in;
	int door = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(in);
	struct pair p;

	p.fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(door, addr, n), 0);
	assert_int_equal(listen(door, 1), 0);
	assert_int_equal(getsockname(door, addr, &n), 0);
	assert_int_equal(connect(p.fd[0], addr, n), 0);
	p.fd[1] = accept(door, NULL, NULL);
	assert_true(p.fd[1] >= 0);
	(void)close(door);
	return p;
}

static struct sockaddr_storage
address(const char *text)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;

	if (strchr(text, ':') != NULL) {
		in6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr),
		    1);
	} else {
		in->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
	return ss;
}

static int
add_from(struct watch *w, int fd, const char *from, uint64_t now)
{
	struct sockaddr_storage ss = address(from);

	return watch_add(w, fd, (struct sockaddr *)&ss, now, &last_thread);
}

/* One connection, of this address, that begins at 0. */
static struct watched *
add(struct watch *w, struct pair *p, const char *from)
{
	*p = connect_pair();
	assert_int_equal(add_from(w, p->fd[1], from, 0), 0);
	return watch_find(w, p->fd[1]);
}

static void
end(struct watch *w, const struct pair *p)
{
	watch_drop(w, p->fd[1]);
	(void)close(p->fd[0]);
	(void)close(p->fd[1]);
}

static bool
is_cut(const struct pair *p)
{
	char c;

	return recv(p->fd[1], &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* By the kernel's count, too, which is a moment later on a busy machine. */
static void
send_all(int fd, size_t n)
{
	static const char zero[RATE * IDLE];
	int left;

	assert_int_equal(send(fd, zero, n, 0), n);
	do {
		(void)usleep(100);
		assert_int_equal(ioctl(fd, SIOCOUTQ, &left), 0);
	} while (left != 0);
}

static void
send_some(const struct pair *p, size_t n)
{
	send_all(p->fd[0], n);
}

static void
cuts_who_begins_nothing(void **state)
{
	struct watch *w = start(9, 9);
	struct pair p;

	(void)state;
	(void)add(w, &p, "127.0.0.1");
	watch_tick(w, IDLE * MS - 1);
	assert_false(is_cut(&p));
	watch_tick(w, IDLE * MS);
	assert_true(is_cut(&p));
	assert_int_equal(count.cuts[WATCH_CUT_IDLE], 1);
	watch_tick(w, 9 * IDLE * MS);
	assert_int_equal(count.cuts[WATCH_CUT_IDLE], 1);
	assert_int_equal(count.connections, 1);
	end(w, &p);
	assert_int_equal(count.connections, 0);
	watch_free(w);
}

static void
each_request_gives_time_for_the_next(void **state)
{
	struct watch *w = start(9, 9);
	struct pair p;
	struct watched *c = add(w, &p, "127.0.0.1");

	(void)state;
	for (unsigned i = 1; i < 9; i++) {
		watch_tick(w, i * (IDLE - 1) * MS);
		assert_false(is_cut(&p));
		watch_note(c, WATCH_MOVING);
		watch_note(c, WATCH_QUIET);
	}
	end(w, &p);
	watch_free(w);
}

static void
wants_the_least_rate_in_each_window(void **state)
{
	struct watch *w = start(9, 9);
	struct pair p;
	struct watched *c = add(w, &p, "127.0.0.1");
	uint64_t now = 0;

	(void)state;
	watch_note(c, WATCH_MOVING);
	watch_tick(w, now);
	for (unsigned i = 0; i < 5; i++) {
		send_some(&p, RATE * IDLE);
		watch_tick(w, now += IDLE * MS);
		assert_int_equal(count.cuts[WATCH_CUT_SLOW], 0);
	}
	send_some(&p, RATE * IDLE - 1);
	watch_tick(w, now += IDLE * MS);
	assert_int_equal(count.cuts[WATCH_CUT_SLOW], 1);
	end(w, &p);
	watch_free(w);
}

/* What this side sends counts when it is taken, and as much. */
static void
counts_what_is_taken(void **state)
{
	struct watch *w = start(9, 9);
	struct pair p;
	struct watched *c = add(w, &p, "127.0.0.1");

	(void)state;
	watch_note(c, WATCH_MOVING);
	watch_tick(w, 0);
	send_all(p.fd[1], RATE * IDLE);
	watch_tick(w, IDLE * MS);
	assert_int_equal(count.cuts[WATCH_CUT_SLOW], 0);
	watch_tick(w, 2 * IDLE * MS);
	assert_int_equal(count.cuts[WATCH_CUT_SLOW], 1);
	end(w, &p);
	watch_free(w);
}

static void
does_not_blame_who_waits(void **state)
{
	struct watch *w = start(9, 9);
	struct pair p;
	struct watched *c = add(w, &p, "127.0.0.1");

	(void)state;
	watch_note(c, WATCH_MOVING);
	watch_note(c, WATCH_OURS);
	for (unsigned i = 0; i < 9; i++)
		watch_tick(w, i * IDLE * MS);
	assert_false(is_cut(&p));
	watch_note(c, WATCH_MOVING);
	watch_tick(w, 10 * IDLE * MS);
	watch_tick(w, 11 * IDLE * MS - 1);
	assert_false(is_cut(&p));
	end(w, &p);
	watch_free(w);
}

/* However much one sends that nobody vouched for. */
static void
strangers_have_one_window(void **state)
{
	struct watch *w = start(9, 9);
	struct pair p;
	struct watched *c = add(w, &p, "127.0.0.1");

	(void)state;
	watch_note(c, WATCH_STRANGER);
	watch_tick(w, 0);
	send_some(&p, RATE * IDLE);
	watch_tick(w, IDLE * MS);
	assert_int_equal(count.cuts[WATCH_CUT_SLOW], 1);
	end(w, &p);
	watch_free(w);
}

static void
counts_addresses(void **state)
{
	static const struct {
		const char *from;
		int rc;
	} rows[] = {
		{ "192.0.2.1", 0 },
		{ "192.0.2.2", 0 },
		{ "::ffff:192.0.2.1", 0 }, /* again */
		{ "192.0.2.1", FAULT_LIMIT },
		{ "::ffff:192.0.2.1", FAULT_LIMIT },
		{ "2001:db8::1", 0 },
		{ "2001:db8::ffff:ffff:ffff:ffff", 0 }, /* same network */
		{ "2001:db8::2", FAULT_LIMIT },
		{ "2001:db8:0:1::1", 0 },
		{ "192.0.2.2", 0 },
		{ "192.0.2.2", FAULT_LIMIT },
	};
	struct watch *w = start(100, 2);

	(void)state;
	for (int i = 0; i < (int)ARRAY_LEN(rows); i++)
		assert_int_equal(add_from(w, 1000 + i, rows[i].from, 0),
		    rows[i].rc);
	assert_int_equal(count.connections, 7);
	assert_int_equal(count.cuts[WATCH_CUT_ADDRESS], 4);
	watch_drop(w, 1000);
	assert_int_equal(add_from(w, 1000, "192.0.2.1", 0), 0);
	for (int i = 0; i < (int)ARRAY_LEN(rows); i++)
		watch_drop(w, 1000 + i);
	assert_int_equal(count.connections, 0);
	watch_free(w);
}

/* Strangers first, then by age; none that is new or at something. */
static void
sheds_in_order(void **state)
{
	static const int order[] = { 3, 2, 0 };
	struct watch *w = start(4, 9);
	struct pair p[4];
	struct watched *c[4];

	(void)state;
	assert_false(watch_full(w));
	for (int i = 0; i < 4; i++)
		c[i] = add(w, &p[i], "127.0.0.1");
	assert_true(watch_full(w));
	assert_false(watch_shed(w, 1999));
	watch_note(c[0], WATCH_MOVING);
	watch_note(c[0], WATCH_QUIET);
	watch_note(c[1], WATCH_MOVING);
	watch_tick(w, 1 * MS);
	watch_note(c[2], WATCH_STRANGER);
	watch_tick(w, 2 * MS);

	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		assert_true(watch_shed(w, 4 * MS));
		assert_true(is_cut(&p[order[i]]));
		/* One at a time. */
		assert_true(watch_shed(w, 4 * MS));
		assert_int_equal(count.cuts[WATCH_CUT_FULL], i + 1);
		end(w, &p[order[i]]);
	}
	assert_false(watch_shed(w, 4 * MS));
	assert_false(is_cut(&p[1]));
	end(w, &p[1]);
	watch_free(w);
}

/* A stranger that is too new to go is waited for: nobody goes for it. */
static void
lets_no_one_go_for_a_new_stranger(void **state)
{
	struct watch *w = start(2, 9);
	struct watched *known;
	struct pair p[2];

	(void)state;
	known = add(w, &p[0], "127.0.0.1");
	watch_note(known, WATCH_MOVING);
	watch_note(known, WATCH_QUIET);
	watch_tick(w, 1);
	p[1] = connect_pair();
	assert_int_equal(add_from(w, p[1].fd[1], "127.0.0.1", 1 * MS), 0);
	assert_false(watch_shed(w, 2 * MS + 1));
	assert_false(is_cut(&p[0]));
	assert_true(watch_shed(w, 3 * MS));
	assert_true(is_cut(&p[1]));
	end(w, &p[1]);
	assert_true(watch_shed(w, 3 * MS));
	assert_true(is_cut(&p[0]));
	end(w, &p[0]);
	watch_free(w);
}

/* Beside one that is at something, all others go to the other thread once
 * those there rest, whose turn it ever were. */
static void
gives_to_the_thread_with_least_to_do(void **state)
{
	struct watch *w = start(9, 9);
	struct watched *busy, *c;
	struct pair p[6];
	unsigned its;

	(void)state;
	busy = add(w, &p[0], "127.0.0.1");
	its = last_thread;
	watch_note(busy, WATCH_MOVING);
	for (unsigned i = 1; i < 4; i++) {
		c = add(w, &p[i], "127.0.0.1");
		assert_int_not_equal(last_thread, its);
		watch_note(c, WATCH_MOVING);
		watch_note(c, WATCH_QUIET);
	}
	/* Who is new counts until it rests, and who goes no longer. */
	(void)add(w, &p[4], "127.0.0.1");
	assert_int_not_equal(last_thread, its);
	end(w, &p[0]);
	(void)add(w, &p[5], "127.0.0.1");
	assert_int_equal(last_thread, its);
	for (unsigned i = 1; i < ARRAY_LEN(p); i++)
		end(w, &p[i]);
	watch_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_who_begins_nothing),
		cmocka_unit_test(each_request_gives_time_for_the_next),
		cmocka_unit_test(wants_the_least_rate_in_each_window),
		cmocka_unit_test(counts_what_is_taken),
		cmocka_unit_test(does_not_blame_who_waits),
		cmocka_unit_test(strangers_have_one_window),
		cmocka_unit_test(counts_addresses),
		cmocka_unit_test(sheds_in_order),
		cmocka_unit_test(lets_no_one_go_for_a_new_stranger),
		cmocka_unit_test(gives_to_the_thread_with_least_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
