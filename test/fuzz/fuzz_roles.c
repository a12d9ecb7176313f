// SPDX-License-Identifier: Apache-2.0
/* What the authority's roles say to each other: a role that was taken over
 * must not take over the next. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "authority/keymsg.h"
#include "authority/permit.h"
#include "authority/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
request(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(1u << 20);
	struct request q;

	if (request_read(in, &q) != 0)
		return;
	assert(strlen(q.path) <= REQUEST_PATH_MAX);
	assert(q.body.n <= REQUEST_BODY_MAX);
	assert(request_write(&q, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

static void
answer(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(in.n + 64);
	struct request_answer a;

	if (request_answer_read(in, &a) != 0)
		return;
	assert(request_answer_write(&a, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

/* Many to a packet: what is taken, put together again, is the packet. */
static void
packet(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(in.n);
	struct bytes left = in, one;
	struct keymsg m;

	while (keymsg_next(&left, &one) == 0) {
		assert(keymsg_add(&out, one) == 0);
		if (keymsg_read(one, &m) == 0)
			assert(m.request >= PERMIT_ADMIT &&
			    m.request <= PERMIT_SIGN);
	}
	assert(out.n + left.n == in.n);
	assert(bytes_cmp(buf_bytes(&out), bytes_of(in.p, out.n)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct keymsg m;

	request(in);
	answer(in);
	packet(in);
	if (keymsg_read(in, &m) == 0)
		assert(m.request >= PERMIT_ADMIT &&
		    m.request <= PERMIT_SIGN);
	return 0;
}
