// SPDX-License-Identifier: Apache-2.0
/* No answer of an authority does harm; what is taken is within its limits. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "client/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
session(struct bytes in)
{
	static struct answer_session s;

	if (answer_read_session(in, &s) != 0)
		return;
	assert(s.nkeys >= 1 && s.nkeys <= LEASE_EPOCHS_MAX);
	assert(s.chain.n % CHAIN_ENTRY_LEN == 0);
	assert(strlen(s.depot) <= STATE_NAME_MAX);
	buf_wipe(&s.chain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer_account a;
	struct bytes in = bytes_of(data, size);
	struct answer_error e;
	struct answer_slot slot[4];
	struct sign_pub ed;
	struct box_pub box;
	uint64_t v;
	size_t n;

	session(in);
	if (answer_read_account(in, &a) == 0)
		buf_wipe(&a.chain);
	if (answer_read_error(in, &e) == 0) {
		assert(e.code < 0);
		buf_wipe(&e.chain);
	}
	(void)!answer_read_empty(in);
	(void)!answer_read_number(in, "seq", &v);
	(void)!answer_read_keys(in, &ed, &box);
	if (answer_read_slots(in, slot, 4, &n) == 0)
		assert(n <= 4);
	return 0;
}
