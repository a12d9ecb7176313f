// SPDX-License-Identifier: Apache-2.0
/* Two ends of a TLS session, by a key that both have, over a pair of sockets;
 * the server is at [1]. */
#ifndef SKERRY_TEST_TLSPAIR_H
#define SKERRY_TEST_TLSPAIR_H

#include "test/lib/cm.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define TLSPAIR_KEY "0123456789abcdef0123456789abcdef"

struct tlspair {
	int fd[2];
	gnutls_session_t tls[2];
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
};

static int
tlspair_key_of(gnutls_session_t session, const char *name, gnutls_datum_t *key)
{
	(void)session;
	(void)name;
	key->data = gnutls_malloc(32);
	memcpy(key->data, TLSPAIR_KEY, 32);
	key->size = 32;
	return 0;
}

static void
tlspair_open_end(struct tlspair *p, int i, unsigned flags, void *cred)
{
	assert_int_equal(gnutls_init(&p->tls[i], flags), 0);
	assert_int_equal(gnutls_priority_set_direct(p->tls[i],
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+DHE-PSK:+ECDHE-PSK", NULL), 0);
	assert_int_equal(gnutls_credentials_set(p->tls[i], GNUTLS_CRD_PSK,
	    cred), 0);
	gnutls_transport_set_int(p->tls[i], p->fd[i]);
}

static void
tlspair_open(struct tlspair *p)
{
	const gnutls_datum_t key = {
		(unsigned char *)(uintptr_t)TLSPAIR_KEY, 32 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p->fd), 0);
	assert_int_equal(gnutls_psk_allocate_client_credentials(&p->client),
	    0);
	assert_int_equal(gnutls_psk_set_client_credentials(p->client, "x",
	    &key, GNUTLS_PSK_KEY_RAW), 0);
	assert_int_equal(gnutls_psk_allocate_server_credentials(&p->server),
	    0);
	gnutls_psk_set_server_credentials_function(p->server, tlspair_key_of);
	tlspair_open_end(p, 0, GNUTLS_CLIENT, p->client);
	tlspair_open_end(p, 1, GNUTLS_SERVER, p->server);
}

static void
tlspair_close(struct tlspair *p)
{
	for (int i = 0; i < 2; i++) {
		gnutls_deinit(p->tls[i]);
		(void)close(p->fd[i]);
	}
	gnutls_psk_free_client_credentials(p->client);
	gnutls_psk_free_server_credentials(p->server);
}

#endif
