// SPDX-License-Identifier: Apache-2.0
/* What a device keeps of logs, and of who was left: a damaged file does no
 * harm, and what is taken has one form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "client/auditaccept.h"
#include "client/audititem.h"
#include "client/leaving.h"
#include "client/logpin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
one(void *arg, const struct logpin *p)
{
	size_t *total = arg;

	assert(p->size >= 1 && p->size <= MERKLE_SIZE_MAX);
	assert(p->note.n <= LOGPIN_NOTE_MAX);
	assert(strlen(p->origin) >= 1);
	*total += 1 + strlen(p->origin) + 8 + MERKLE_LEN + 4 + p->note.n;
	return 0;
}

static void
items(struct bytes in)
{
	struct buf again defer(buf_wipe) = buf_init(in.n + 1);
	struct audititems a;
	int rc;

	if (audititem_parse(in, &a) != 0)
		return;
	rc = audititem_format(&a, &again);
	assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	audititem_wipe(&a);
}

static void
accepted(struct bytes in)
{
	struct buf again defer(buf_wipe) = buf_init(in.n + 1);
	struct auditaccept a;
	int rc;

	if (auditaccept_parse(in, &a) != 0)
		return;
	rc = auditaccept_format(&a, &again);
	assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	for (size_t i = 0; i < a.n; i++)
		assert(auditaccept_find(&a, a.one[i].id) == &a.one[i]);
	auditaccept_wipe(&a);
}

static void
left(struct bytes in)
{
	struct buf again defer(buf_wipe) = buf_init(in.n + 1);
	struct leavings l;
	int rc;

	if (leaving_parse(in, &l) != 0)
		return;
	rc = leaving_format(&l, &again);
	assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	leaving_wipe(&l);
}

static void
asked(struct bytes in)
{
	struct logpin_asked a;
	size_t good;

	if (logpin_asked_parse(in, &a, &good) != 0)
		return;
	assert(good <= in.n && in.n - good <= 32 && a.n == good / 32);
	for (size_t i = 0; i < a.n; i++)
		assert(logpin_was_asked(&a, a.nonce[i]));
	free(a.nonce);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes in = bytes_of(data, size);
	size_t total = 0;

	if (logpin_parse(in, one, &total) == 0)
		assert(total == size);
	items(in);
	accepted(in);
	left(in);
	asked(in);
	return 0;
}
