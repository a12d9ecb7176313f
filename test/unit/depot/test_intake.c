// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "depot/intake.h"

#define LEN 3000001
#define KEY "0123456789abcdef0123456789abcdef"

/* Two ends of a TLS session over a pair of sockets; the intake is at [1]. */
struct env {
	int fd[2];
	gnutls_session_t tls[2];
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
	struct blocks *blocks;
	struct intake *in;
	uint8_t *sent;
};

static int
key_of(gnutls_session_t session, const char *name, gnutls_datum_t *key)
{
	(void)session;
	(void)name;
	key->data = gnutls_malloc(32);
	memcpy(key->data, KEY, 32);
	key->size = 32;
	return 0;
}

static void
open_end(struct env *e, int i, unsigned flags, gnutls_credentials_type_t type,
    void *cred)
{
	assert_int_equal(gnutls_init(&e->tls[i], flags), 0);
	assert_int_equal(gnutls_priority_set_direct(e->tls[i],
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+DHE-PSK:+ECDHE-PSK", NULL), 0);
	assert_int_equal(gnutls_credentials_set(e->tls[i], type, cred), 0);
	gnutls_transport_set_int(e->tls[i], e->fd[i]);
}

static void *
send_all(void *arg)
{
	struct env *e = arg;

	assert_int_equal(gnutls_handshake(e->tls[0]), 0);
	for (size_t at = 0; at < LEN;) {
		ssize_t n = gnutls_record_send(e->tls[0], e->sent + at,
		    LEN - at);

		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_int_equal(gnutls_bye(e->tls[0], GNUTLS_SHUT_WR), 0);
	return NULL;
}

static int
setup(void **state)
{
	const gnutls_datum_t key = { (unsigned char *)(uintptr_t)KEY, 32 };
	struct env *e = calloc(1, sizeof(*e));

	e->sent = malloc(LEN);
	for (size_t i = 0; i < LEN; i++)
		e->sent[i] = (uint8_t)(i * 31 + i / 251);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, e->fd), 0);
	assert_int_equal(gnutls_psk_allocate_client_credentials(&e->client),
	    0);
	assert_int_equal(gnutls_psk_set_client_credentials(e->client, "x",
	    &key, GNUTLS_PSK_KEY_RAW), 0);
	assert_int_equal(gnutls_psk_allocate_server_credentials(&e->server),
	    0);
	gnutls_psk_set_server_credentials_function(e->server, key_of);
	open_end(e, 0, GNUTLS_CLIENT, GNUTLS_CRD_PSK, e->client);
	open_end(e, 1, GNUTLS_SERVER, GNUTLS_CRD_PSK, e->server);
	e->blocks = blocks_new();
	e->in = intake_new(e->tls[1], e->fd[1], e->blocks);
	*state = e;
	return e->in == NULL;
}

static int
teardown(void **state)
{
	struct env *e = *state;

	intake_free(e->in);
	for (int i = 0; i < 2; i++) {
		gnutls_deinit(e->tls[i]);
		close(e->fd[i]);
	}
	gnutls_psk_free_client_credentials(e->client);
	gnutls_psk_free_server_credentials(e->server);
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
	assert_int_equal(gnutls_handshake(e->tls[1]), 0);
	while ((k = gnutls_record_recv(e->tls[1], got + n,
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    gives_what_was_sent_and_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_without_a_block, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
