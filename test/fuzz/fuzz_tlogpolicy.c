// SPDX-License-Identifier: Apache-2.0
/* A trust file.  All witnesses together meet any quorum, none of them only the
 * empty one. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool all[TRUST_WITNESSES_MAX], none[TRUST_WITNESSES_MAX] = { false };
	struct trust *t;
	unsigned line;

	memset(all, 1, sizeof(all));
	if (trust_parse(bytes_of(data, size), &t, &line) != 0)
		return 0;
	assert(trust_quorum(t, all));
	assert(trust_quorum(t, none) == t->none);
	free(t);
	return 0;
}
