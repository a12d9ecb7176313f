// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "authority/link.h"
#include "authority/request.h"
#include "base/fault.h"
#include "crypt/secret.h"

#define MS 60000 /* longer than any busy machine takes */

static int pair[2];

static void
open_pair(void)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
}

static void
close_pair(void)
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* Answers two calls with late answers of earlier ones in front. */
static void *
peer(void *arg)
{
	struct link l = link_init(pair[1], pair[1], LINK_SOCKET_MAX);

	(void)arg;
	for (int i = 0; i < 2; i++) {
		struct buf b = buf_init(LINK_SOCKET_MAX);
		uint64_t call;

		while (link_take(&l, &call, &b) == FAULT_NOT_FOUND)
			(void)usleep(1000);
		if (link_answer(&l, call - 1, bytes_of("late", 4)) != 0 ||
		    link_answer(&l, call, buf_bytes(&b)) != 0)
			return NULL;
		buf_wipe(&b);
	}
	return NULL;
}

static void
drops_late_answers(void **state)
{
	struct link l;
	pthread_t t;

	(void)state;
	open_pair();
	l = link_init(pair[0], pair[0], LINK_SOCKET_MAX);
	assert_int_equal(pthread_create(&t, NULL, peer, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct buf b = buf_init(LINK_SOCKET_MAX);

		assert_int_equal(link_call(&l, bytes_of("hello", 5), MS, &b),
		    0);
		assert_int_equal(b.n, 5);
		assert_memory_equal(b.p, "hello", 5);
		buf_wipe(&b);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	close_pair();
}

static void
gives_up_in_time(void **state)
{
	struct buf b = buf_init(64);
	struct link l;

	(void)state;
	open_pair();
	l = link_init(pair[0], pair[0], LINK_SOCKET_MAX);
	assert_false(link_ready(&l));
	assert_int_equal(link_call(&l, bytes_of("a", 1), 50, &b),
	    FAULT_AUTHORITY);
	link_lost(pair[1]);
	assert_true(link_ready(&l));
	close_pair();
}

/* When the call is under way. */
static void *
undertaker(void *arg)
{
	struct link l = link_init(pair[1], pair[1], LINK_SOCKET_MAX);
	struct buf b = buf_init(LINK_SOCKET_MAX);
	uint64_t call;

	(void)arg;
	while (link_take(&l, &call, &b) == FAULT_NOT_FOUND)
		(void)usleep(1000);
	buf_wipe(&b);
	link_lost(pair[1]);
	return NULL;
}

static void
hears_of_a_loss_at_once_but_not_of_an_old_one(void **state)
{
	struct buf b = buf_init(64);
	struct link l;
	pthread_t t;

	(void)state;
	open_pair();
	l = link_init(pair[0], pair[0], LINK_SOCKET_MAX);
	assert_int_equal(pthread_create(&t, NULL, undertaker, NULL), 0);
	assert_int_equal(link_call(&l, bytes_of("a", 1), MS, &b),
	    FAULT_AUTHORITY);
	assert_int_equal(pthread_join(t, NULL), 0);

	/* One that comes while nobody waits is no answer to the next call. */
	link_lost(pair[1]);
	assert_int_equal(pthread_create(&t, NULL, peer, NULL), 0);
	for (int i = 0; i < 2; i++) {
		buf_wipe(&b);
		assert_int_equal(link_call(&l, bytes_of("b", 1), MS, &b), 0);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	buf_wipe(&b);
	close_pair();
}

static void
requests_have_one_encoding(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(LINK_SOCKET_MAX);
	struct request q = { .path = "/v1/head", .body = bytes_of("{}", 2) };
	struct request r;

	(void)state;
	strncat(q.sig.digest, "d", 2);
	assert_int_equal(request_write(&q, &b), 0);
	assert_int_equal(request_read(buf_bytes(&b), &r), 0);
	assert_string_equal(r.path, q.path);
	assert_string_equal(r.sig.digest, "d");
	assert_int_equal(r.body.n, 2);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *cut = cm_exact(b.p, n);

		assert_int_equal(request_read(bytes_of(cut, n), &r),
		    FAULT_MALFORMED);
		free(cut);
	}
	assert_int_equal(buf_append(&b, "x", 1), 0);
	assert_int_equal(request_read(buf_bytes(&b), &r), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(drops_late_answers),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(hears_of_a_loss_at_once_but_not_of_an_old_one),
		cmocka_unit_test(requests_have_one_encoding),
	};

	if (secret_init() != 0)
		return 1;
	return cmocka_run_group_tests(t, NULL, NULL);
}
