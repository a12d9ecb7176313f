// SPDX-License-Identifier: Apache-2.0
/* A proof file has one form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again defer(buf_wipe) = buf_init(PROOF_MAX);
	const struct bytes in = bytes_of(data, size);
	struct proof p;
	int rc;

	if (proof_parse(in, &p) == 0) {
		rc = proof_format(&p, &again);
		assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	}
	return 0;
}
