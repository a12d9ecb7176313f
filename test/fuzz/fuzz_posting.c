// SPDX-License-Identifier: Apache-2.0
/* What the ledger and the courier say to each other of witnesses. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "authority/posting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
posting(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(1u << 20);
	struct posting p;

	if (posting_read(in, &p) != 0)
		return;
	assert(p.n >= 1 && p.n <= POSTING_WITNESSES_MAX);
	assert(posting_write(&p, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

static void
answer(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(1u << 20);
	struct posting_answer a;

	if (posting_answer_read(in, &a) != 0)
		return;
	assert(a.witness < POSTING_WITNESSES_MAX);
	assert(a.text.n <= POSTING_TEXT_MAX);
	assert(posting_answer_write(&a, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	posting(bytes_of(data, size));
	answer(bytes_of(data, size));
	return 0;
}
