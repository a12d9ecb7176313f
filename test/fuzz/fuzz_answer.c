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
take_log(struct answer_log *l)
{
	assert(l->nproofs <= ANSWER_PROOFS_MAX);
	assert(l->consistency.n <= MERKLE_PROOF_MAX);
	assert(l->has || (l->checkpoint.n == 0 && l->nproofs == 0));
	answer_wipe_log(l);
}

static void
entries(struct bytes in)
{
	struct answer_entries e;

	if (answer_read_entries(in, &e) != 0)
		return;
	for (size_t i = 0; i < e.n; i++) {
		assert(e.entry[i].body.n >= 1);
		assert(e.entry[i].body.n <= LEAF_BODY_MAX);
		assert(i == 0 || e.entry[i].index > e.entry[i - 1].index);
	}
	answer_wipe_entries(&e);
}

static void
requests(struct bytes in)
{
	struct answer_requests r;

	if (answer_read_requests(in, &r) != 0)
		return;
	for (size_t i = 0; i < r.n; i++) {
		assert((r.request[i].until == 0) == (r.request[i].body.n != 0));
		assert(r.request[i].body.n <= LEAF_BODY_MAX);
		assert(i == 0 || r.request[i].index > r.request[i - 1].index);
	}
	assert(!r.more || r.next > r.request[r.n - 1].index);
	answer_wipe_requests(&r);
}

static void
receipts(struct bytes in)
{
	static struct answer_receipts r;
	struct answer_log log;

	if (answer_read_receipts(in, &r, &log) != 0)
		return;
	assert(r.n <= ANSWER_RECEIPTS_MAX);
	take_log(&log);
}

static void
sets(struct bytes in)
{
	struct buf b defer(buf_wipe) = buf_init(ANSWER_SETS_BYTES);

	(void)!answer_read_sets(in, &b);
}

static void
session(struct bytes in)
{
	static struct answer_session s;

	if (answer_read_session(in, &s) != 0)
		return;
	assert(s.nkeys <= LEASE_EPOCHS_MAX);
	assert(s.chain.n % CHAIN_ENTRY_LEN == 0);
	assert(strlen(s.depot) <= STATE_NAME_MAX);
	assert(s.custody.current.n <= CUSTODY_MAX);
	answer_wipe_session(&s);
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
	struct answer_log log;
	uint8_t receipt[RECEIPT_LEN];
	uint64_t v;
	size_t n;

	session(in);
	if (answer_read_account(in, &a) == 0)
		buf_wipe(&a.chain);
	if (answer_read_error(in, &e) == 0) {
		assert(e.code < 0);
		buf_wipe(&e.chain);
	}
	if (answer_read_empty(in, &log) == 0)
		take_log(&log);
	if (answer_read_number(in, "seq", &v, &log) == 0)
		take_log(&log);
	if (answer_read_receipt(in, receipt, &log) == 0)
		take_log(&log);
	receipts(in);
	entries(in);
	requests(in);
	(void)!answer_read_keys(in, &ed, &box);
	sets(in);
	if (answer_read_slots(in, slot, 4, &n) == 0)
		assert(n <= 4);
	return 0;
}
