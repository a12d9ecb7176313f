// SPDX-License-Identifier: Apache-2.0
#include "depot/outlet.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define HELD_MAX 1024 /* the head of an answer has a third of it */
#define PARTS_MAX 16  /* one is usual: a record */

struct outlet {
	int fd;
	bool join; /* the next record is to be held */
	size_t n;  /* of held */
	uint8_t held[HELD_MAX];
};

static size_t
length(const giovec_t *part, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += part[i].iov_len;
	return sum;
}

static void
hold(struct outlet *out, const giovec_t *part, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(out->held + out->n, part[i].iov_base, part[i].iov_len);
		out->n += part[i].iov_len;
	}
}

/* What is held goes first.  Returns how much of the parts was sent; or -1 and
 * errno. */
static ssize_t
send_all(struct outlet *out, const giovec_t *part, size_t n)
{
	struct iovec all[PARTS_MAX + 1] = { { out->held, out->n } };
	struct msghdr msg = { .msg_iov = all, .msg_iovlen = n + 1 };
	ssize_t sent;

	memcpy(all + 1, part, n * sizeof(*part));
	sent = sendmsg(out->fd, &msg, MSG_NOSIGNAL);
	if (sent < 0)
		return sent;
	if ((size_t)sent > out->n) {
		sent -= (ssize_t)out->n;
		out->n = 0;
		return sent;
	}
	out->n -= (size_t)sent;
	memmove(out->held, out->held + sent, out->n);
	errno = EAGAIN;
	return -1;
}

static ssize_t
push(gnutls_transport_ptr_t arg, const giovec_t *part, int nparts)
{
	size_t n = nparts < PARTS_MAX ? (size_t)nparts : PARTS_MAX;
	struct outlet *out = arg;
	size_t len = length(part, n);

	if (out->join && len <= HELD_MAX - out->n) {
		out->join = false;
		hold(out, part, n);
		return (ssize_t)len;
	}
	out->join = false;
	return send_all(out, part, n);
}

struct outlet *
outlet_new(gnutls_session_t session, int fd)
{
	struct outlet *out = calloc(1, sizeof(*out));
	gnutls_transport_ptr_t in, old;

	if (out == NULL)
		return NULL;
	out->fd = fd;
	gnutls_transport_get_ptr2(session, &in, &old);
	gnutls_transport_set_ptr2(session, in, out);
	gnutls_transport_set_vec_push_function(session, push);
	return out;
}

void
outlet_free(struct outlet *out)
{
	free(out);
}

void
outlet_join(struct outlet *out)
{
	if (out != NULL)
		out->join = true;
}
