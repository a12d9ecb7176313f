// SPDX-License-Identifier: Apache-2.0
#include "test/lib/tlspair.h"

#include <fcntl.h>
#include <pthread.h>

#include "depot/outlet.h"

#define ROUNDS 50
#define BODY_LEN 90000

/* The outlet is at [1]. */
struct env {
	struct tlspair pair;
	struct outlet *out;
};

static void *
shake_hands(void *arg)
{
	struct env *e = arg;

	assert_int_equal(gnutls_handshake(e->pair.tls[0]), 0);
	return NULL;
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	pthread_t client;

	tlspair_open(&e->pair);
	e->out = outlet_new(e->pair.tls[1], e->pair.fd[1]);
	assert_non_null(e->out);
	assert_int_equal(pthread_create(&client, NULL, shake_hands, e), 0);
	assert_int_equal(gnutls_handshake(e->pair.tls[1]), 0);
	assert_int_equal(pthread_join(client, NULL), 0);
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	outlet_free(e->out);
	tlspair_close(&e->pair);
	free(e);
	return 0;
}

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void
send_text(struct env *e, const char *text)
{
	assert_int_equal(gnutls_record_send(e->pair.tls[1], text,
	    strlen(text)), strlen(text));
}

/* What is there on the wire, not taken. */
static ssize_t
waiting(struct env *e)
{
	static char wire[65536];

	return recv(e->pair.fd[0], wire, sizeof(wire),
	    MSG_DONTWAIT | MSG_PEEK);
}

/* Nothing is on the wire but what session tickets there are. */
static void
drop_tickets(struct env *e)
{
	char c;

	(void)fcntl(e->pair.fd[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(gnutls_record_recv(e->pair.tls[0], &c, 1),
	    GNUTLS_E_AGAIN);
	(void)fcntl(e->pair.fd[0], F_SETFL, 0);
}

static void
holds_one_record_for_the_next(void **state)
{
	struct env *e = *state;
	char got[16] = "";

	drop_tickets(e);
	outlet_join(e->out);
	send_text(e, "head");
	assert_int_equal(waiting(e), -1);
	send_text(e, "body");
	assert_int_equal(gnutls_record_recv(e->pair.tls[0], got, 4), 4);
	assert_int_equal(gnutls_record_recv(e->pair.tls[0], got + 4, 4), 4);
	assert_string_equal(got, "headbody");
	send_text(e, "next");
	assert_true(waiting(e) > 0);
}

static void
does_not_hold_what_is_long(void **state)
{
	static const char text[2000];
	struct env *e = *state;

	drop_tickets(e);
	outlet_join(e->out);
	assert_int_equal(gnutls_record_send(e->pair.tls[1], text,
	    sizeof(text)), sizeof(text));
	assert_true(waiting(e) > 2000);
}

/* Takes a byte now, many then, so that the other side is full at any point. */
static void *
receive_all(void *arg)
{
	static uint8_t got[ROUNDS * (BODY_LEN + 300)];
	struct env *e = arg;
	size_t n = 0;

	while (n < sizeof(got)) {
		size_t want = n % 3 == 0 ? 1 : n % 9973 + 1;
		ssize_t k = gnutls_record_recv(e->pair.tls[0], got + n,
		    want < sizeof(got) - n ? want : sizeof(got) - n);

		assert_true(k > 0);
		n += (size_t)k;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], byte_at(i));
	return NULL;
}

/* A full socket is waited for, as the server does. */
static void
send_bytes(struct env *e, size_t *at, size_t n)
{
	static uint8_t text[BODY_LEN];

	for (size_t i = 0; i < n; i++)
		text[i] = byte_at(*at + i);
	for (size_t done = 0; done < n;) {
		ssize_t k = gnutls_record_send(e->pair.tls[1], text + done,
		    n - done);

		if (k == GNUTLS_E_AGAIN)
			continue;
		assert_true(k > 0);
		done += (size_t)k;
	}
	*at += n;
}

static void
loses_nothing_where_the_socket_is_full(void **state)
{
	struct env *e = *state;
	pthread_t client;
	int small = 4096;
	size_t at = 0;

	assert_int_equal(setsockopt(e->pair.fd[1], SOL_SOCKET, SO_SNDBUF,
	    &small, sizeof(small)), 0);
	(void)fcntl(e->pair.fd[1], F_SETFL, O_NONBLOCK);
	assert_int_equal(pthread_create(&client, NULL, receive_all, e), 0);
	for (int i = 0; i < ROUNDS; i++) {
		outlet_join(e->out);
		send_bytes(e, &at, 300);
		send_bytes(e, &at, BODY_LEN);
	}
	assert_int_equal(pthread_join(client, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(holds_one_record_for_the_next,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(does_not_hold_what_is_long,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    loses_nothing_where_the_socket_is_full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
