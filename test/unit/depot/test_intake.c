// SPDX-License-Identifier: Apache-2.0
#include "test/lib/tlspair.h"

#include <fcntl.h>
#include <pthread.h>

#include "depot/intake.h"

#define LEN 3000001

/* The intake is at [1]. */
struct env {
	struct tlspair pair;
	struct blocks *blocks;
	struct intake *in;
	uint8_t *sent;
	unsigned waited; /* calls of the intake's */
};

static void
on_wait(void *arg)
{
	((struct env *)arg)->waited++;
}

static void *
send_all(void *arg)
{
	struct env *e = arg;

	assert_int_equal(gnutls_handshake(e->pair.tls[0]), 0);
	for (size_t at = 0; at < LEN;) {
		ssize_t n = gnutls_record_send(e->pair.tls[0], e->sent + at,
		    LEN - at);

		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_int_equal(gnutls_bye(e->pair.tls[0], GNUTLS_SHUT_WR), 0);
	return NULL;
}

static int
setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	e->sent = malloc(LEN);
	for (size_t i = 0; i < LEN; i++)
		e->sent[i] = (uint8_t)(i * 31 + i / 251);
	tlspair_open(&e->pair);
	e->blocks = blocks_new();
	e->in = intake_new(e->pair.tls[1], e->pair.fd[1], e->blocks,
	    on_wait, e);
	*state = e;
	return e->in == NULL;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	intake_free(e->in);
	tlspair_close(&e->pair);
	blocks_free(e->blocks);
	free(e->sent);
	free(e);
	return 0;
}

static void
receive_all(struct env *e)
{
	uint8_t *got = malloc(LEN + 1);
	pthread_t sender;
	size_t n = 0;
	ssize_t k;

	assert_int_equal(pthread_create(&sender, NULL, send_all, e), 0);
	assert_int_equal(gnutls_handshake(e->pair.tls[1]), 0);
	while ((k = gnutls_record_recv(e->pair.tls[1], got + n,
		    LEN + 1 - n)) > 0)
		n += (size_t)k;
	assert_int_equal(pthread_join(sender, NULL), 0);
	assert_int_equal(n, LEN);
	assert_memory_equal(got, e->sent, LEN);
	free(got);
}

/* Takes them all, and tells how many there were. */
static size_t
take_blocks(struct env *e, uint8_t *block[static BLOCKS_MAX])
{
	size_t n = 0;

	while (n < BLOCKS_MAX && (block[n] = blocks_take(e->blocks)) != NULL)
		n++;
	return n;
}

static void
gives_what_was_sent_and_holds_nothing(void **state)
{
	struct env *e = *state;
	uint8_t *block[BLOCKS_MAX];

	receive_all(e);
	assert_int_equal(take_blocks(e, block), BLOCKS_MAX);
	for (size_t i = 0; i < BLOCKS_MAX; i++)
		blocks_give(e->blocks, block[i]);
}

static void
goes_on_without_a_block(void **state)
{
	struct env *e = *state;
	uint8_t *block[BLOCKS_MAX];

	assert_int_equal(take_blocks(e, block), BLOCKS_MAX);
	receive_all(e);
	for (size_t i = 0; i < BLOCKS_MAX; i++)
		blocks_give(e->blocks, block[i]);
}

static void *
shake_hands(void *arg)
{
	struct env *e = arg;

	assert_int_equal(gnutls_handshake(e->pair.tls[0]), 0);
	return NULL;
}

static void
tells_when_the_handshake_waits_and_nothing_later(void **state)
{
	struct env *e = *state;
	unsigned waited;
	pthread_t client;
	char c;
	int rc;

	(void)fcntl(e->pair.fd[1], F_SETFL, O_NONBLOCK);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(gnutls_handshake(e->pair.tls[1]),
		    GNUTLS_E_AGAIN);
		assert_int_equal(e->waited, i);
	}
	assert_int_equal(pthread_create(&client, NULL, shake_hands, e), 0);
	do
		rc = gnutls_handshake(e->pair.tls[1]);
	while (rc == GNUTLS_E_AGAIN);
	assert_int_equal(rc, 0);
	assert_int_equal(pthread_join(client, NULL), 0);
	waited = e->waited;
	assert_int_equal(gnutls_record_recv(e->pair.tls[1], &c, 1),
	    GNUTLS_E_AGAIN);
	assert_int_equal(e->waited, waited);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    gives_what_was_sent_and_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_without_a_block, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    tells_when_the_handshake_waits_and_nothing_later, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
