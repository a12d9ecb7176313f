// SPDX-License-Identifier: Apache-2.0
/* What a log sends to a witness: what is accepted is the only text of its
 * fields. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "tlog/submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out defer(buf_wipe) = buf_init(SUBMIT_MAX);
	struct bytes in = bytes_of(data, size);
	static struct submit s;

	if (submit_parse(in, &s) != 0)
		return 0;
	assert(s.proof.n <= MERKLE_PROOF_MAX);
	assert(submit_format(&s, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
	return 0;
}
