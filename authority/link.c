// SPDX-License-Identifier: Apache-2.0
#include "authority/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/secret.h"

#define WRITE_MS 5000

struct link
link_init(int rfd, int wfd, size_t max)
{
	struct link l = { .rfd = rfd, .wfd = wfd, .max = max };

	secret_random(&l.call, sizeof(l.call));
	return l;
}

static int
wait_for(int fd, short events, int64_t until)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = until - clock_ms();
		int n = poll(&p, 1, left < 0 ? 0 : (int)left);

		if (n > 0)
			return 0;
		if (n == 0 || errno != EINTR)
			return FAULT_AUTHORITY;
	}
}

static int
send_packet(const struct link *l, uint64_t call, struct bytes body)
{
	struct buf b defer(buf_wipe) = buf_init(l->max);
	struct wr w = wr_to(&b);
	int rc;

	wr_u64(&w, call);
	wr_copy(&w, body.p, body.n);
	rc = wr_finish(&w);
	if (rc != 0)
		return rc;
	rc = wait_for(l->wfd, POLLOUT, clock_ms() + WRITE_MS);
	if (rc != 0)
		return rc;
	for (;;) {
		ssize_t n = write(l->wfd, b.p, b.n);

		if (n >= 0)
			return (size_t)n == b.n ? 0 : FAULT_AUTHORITY;
		if (errno != EINTR)
			return FAULT_AUTHORITY;
	}
}

bool
link_ready(const struct link *l)
{
	return wait_for(l->rfd, POLLIN, clock_ms()) == 0;
}

int
link_take(const struct link *l, uint64_t *call, struct buf *body)
{
	struct buf b defer(buf_wipe) = buf_init(l->max);
	struct rd r;
	uint64_t number;
	ssize_t n;
	int size = 0, rc;

	if (!link_ready(l))
		return FAULT_NOT_FOUND;
	/* For a socket the size of the packet, for a pipe at least that. */
	(void)ioctl(l->rfd, FIONREAD, &size);
	if (size < 1 || (size_t)size > l->max)
		size = (int)l->max;
	rc = buf_reserve(&b, (size_t)size);
	if (rc != 0)
		return rc;
	do
		n = read(l->rfd, b.p, (size_t)size);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return FAULT_NOT_FOUND;
	if (n <= 0)
		return FAULT_AUTHORITY;
	b.n = (size_t)n;
	r = rd_from(b.p, b.n);
	number = rd_u64(&r);
	if (r.failed)
		return FAULT_MALFORMED;
	rc = buf_append(body, r.p, r.left);
	if (rc != 0)
		return rc;
	*call = number;
	return 0;
}

int
link_answer(const struct link *l, uint64_t call, struct bytes body)
{
	return send_packet(l, call, body);
}

int
link_offer(const struct link *l, uint64_t call, struct bytes body)
{
	/* A socket that can be written takes a whole packet. */
	if (wait_for(l->wfd, POLLOUT, clock_ms()) != 0)
		return FAULT_SPACE;
	return send_packet(l, call, body);
}

int
link_send(struct link *l, struct bytes ask)
{
	struct buf b defer(buf_wipe) = buf_init(l->max);
	uint64_t call;
	int rc;

	/* Answers that nobody waited for, and old notices of loss. */
	while ((rc = link_take(l, &call, &b)) == 0)
		buf_wipe(&b);
	if (rc != FAULT_NOT_FOUND)
		return rc;
	if (++l->call == LINK_LOST)
		l->call++;
	return send_packet(l, l->call, ask);
}

int
link_more(const struct link *l, struct bytes ask)
{
	return send_packet(l, l->call, ask);
}

int
link_next(struct link *l, int ms, struct buf *answer)
{
	struct buf b defer(buf_wipe) = buf_init(l->max);
	int64_t until = clock_ms() + ms;
	uint64_t call;

	for (;;) {
		int rc = wait_for(l->rfd, POLLIN, until);

		if (rc != 0)
			return rc;
		buf_wipe(&b);
		rc = link_take(l, &call, &b);
		if (rc == FAULT_NOT_FOUND)
			continue;
		if (rc != 0)
			return rc;
		if (call == LINK_LOST)
			return FAULT_AUTHORITY;
		if (call == l->call)
			return buf_append(answer, b.p, b.n);
	}
}

int
link_call(struct link *l, struct bytes ask, int ms, struct buf *answer)
{
	int rc = link_send(l, ask);

	return rc != 0 ? rc : link_next(l, ms, answer);
}

void
link_lost(int fd)
{
	static const uint8_t notice[8] = { LINK_LOST };
	int flags = fcntl(fd, F_GETFL);
	ssize_t n;

	/* A full link means that its reader does not wait. */
	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	n = write(fd, notice, sizeof(notice));
	(void)n;
	(void)fcntl(fd, F_SETFL, flags);
}
