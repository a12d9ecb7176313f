// SPDX-License-Identifier: Apache-2.0
/*
 * The server waits for edges, not levels: it goes on reading a connection
 * until it is told that nothing is there, which is said only when the buffer
 * is empty and the socket, too.  So nothing is left lying in the buffer.
 */
#include "depot/intake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define AT_ONCE (256u << 10) /* of BLOCK_LEN; stays in the processor's cache */

struct intake {
	struct blocks *blocks;
	void (*wait)(void *arg);
	void *arg;
	int fd;
	bool shaken; /* the handshake is done */
	uint8_t *block; /* borrowed; NULL: nothing is in it */
	size_t at, n;   /* what is in it and was not taken */
};

static ssize_t
fill(struct intake *in)
{
	ssize_t n = recv(in->fd, in->block, AT_ONCE, 0);

	if (n > 0) {
		in->at = 0;
		in->n = (size_t)n;
	} else {
		int err = errno;

		blocks_give(in->blocks, in->block);
		in->block = NULL;
		errno = err;
	}
	return n;
}

static ssize_t
take_some(struct intake *in, void *p, size_t n)
{
	if (in->block == NULL) {
		ssize_t got;

		in->block = blocks_take(in->blocks);
		got = in->block == NULL ? recv(in->fd, p, n, 0) : fill(in);
		if (in->block == NULL)
			return got;
	}
	if (n > in->n)
		n = in->n;
	memcpy(p, in->block + in->at, n);
	in->at += n;
	in->n -= n;
	if (in->n == 0) {
		blocks_give(in->blocks, in->block);
		in->block = NULL;
	}
	return (ssize_t)n;
}

/* The client's last message of a handshake is here. */
static int
on_finished(gnutls_session_t session, unsigned type, unsigned when,
    unsigned incoming, const gnutls_datum_t *msg)
{
	gnutls_transport_ptr_t in, out;

	(void)type;
	(void)when;
	(void)msg;
	gnutls_transport_get_ptr2(session, &in, &out);
	if (incoming != 0)
		((struct intake *)in)->shaken = true;
	return 0;
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
	struct intake *in = arg;
	ssize_t got = take_some(in, p, n);

	if (got < 0 && errno == EAGAIN && !in->shaken && in->wait != NULL) {
		in->wait(in->arg);
		errno = EAGAIN;
	}
	return got;
}

/* The socket does not block: pull itself finds out. */
static int
pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
	(void)arg;
	(void)ms;
	return 1;
}

struct intake *
intake_new(gnutls_session_t session, int fd, struct blocks *blocks,
    void (*wait)(void *arg), void *arg)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	in->blocks = blocks;
	in->wait = wait;
	in->arg = arg;
	in->fd = fd;
	gnutls_transport_set_ptr2(session, in,
	    (gnutls_transport_ptr_t)(intptr_t)fd);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED,
	    GNUTLS_HOOK_POST, on_finished);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
	return in;
}

void
intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	blocks_give(in->blocks, in->block);
	free(in);
}
