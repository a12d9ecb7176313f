// SPDX-License-Identifier: Apache-2.0
#include "client/frame.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/rd.h"

bool
frame_same_user(int fd)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) == 0 &&
	    n == sizeof(c) && c.uid == geteuid();
}

/* Waits for events until the deadline, which is for the whole message: a peer
 * that drips single bytes gets no more time. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline - clock_ms();
		int n = left <= 0 ? 0 : poll(&p, 1, (int)left);

		if (n > 0)
			return 0;
		if (n == 0 || errno != EINTR)
			return FAULT_IO;
	}
}

/* Keys pass through: not to be swapped out, as far as the limit allows. */
static int
reserve(struct buf *b, size_t n)
{
	int rc = buf_reserve(b, n);

	if (rc == 0)
		(void)mlock(b->p, b->cap);
	return rc;
}

int
frame_send(int fd, const struct lease_message *m)
{
	struct buf b defer(buf_wipe) = buf_init(LEASE_FRAME_MAX + 4);
	int64_t deadline = clock_ms() + FRAME_SECONDS * 1000;
	size_t at = 0;
	int rc = reserve(&b, LEASE_FRAME_MAX + 4);

	if (rc == 0)
		rc = lease_encode(m, &b);
	while (rc == 0 && at < b.n) {
		ssize_t n = send(fd, b.p + at, b.n - at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			at += (size_t)n;
		else if (errno == EAGAIN)
			rc = wait_for(fd, POLLOUT, deadline);
		else if (errno != EINTR)
			rc = FAULT_IO;
	}
	return rc;
}

static int
receive(int fd, uint8_t *out, size_t len, int64_t deadline)
{
	while (len > 0) {
		ssize_t n = recv(fd, out, len, MSG_DONTWAIT);
		int rc = 0;

		if (n == 0)
			return FAULT_IO;
		if (n > 0) {
			out += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			rc = wait_for(fd, POLLIN, deadline);
		} else if (errno != EINTR) {
			rc = FAULT_IO;
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
frame_receive(int fd, struct lease_message *out)
{
	struct buf body defer(buf_wipe) = buf_init(LEASE_FRAME_MAX);
	int64_t deadline = clock_ms() + FRAME_SECONDS * 1000;
	uint8_t head[4];
	struct rd r;
	uint32_t n;
	int rc = receive(fd, head, sizeof(head), deadline);

	if (rc != 0)
		return rc;
	r = rd_from(head, sizeof(head));
	n = rd_u32(&r);
	if (n == 0 || n > LEASE_FRAME_MAX)
		return FAULT_MALFORMED;
	rc = reserve(&body, n);
	if (rc != 0)
		return rc;
	rc = receive(fd, body.p, n, deadline);
	if (rc != 0)
		return rc;
	body.n = n;
	return lease_decode(buf_bytes(&body), out);
}
