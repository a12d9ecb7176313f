// SPDX-License-Identifier: Apache-2.0
/* A file of trust that is accepted has a quorum that can be met. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool all[TRUST_WITNESSES_MAX];
	struct trust *t = NULL;
	unsigned line = 0;

	if (trust_parse(bytes_of(data, size), &t, &line) != 0)
		return 0;
	memset(all, 1, sizeof(all));
	assert(t->nlogs <= TRUST_LOGS_MAX && t->nnames <= TRUST_NAMES_MAX);
	assert(t->none || t->quorum < t->nnames);
	assert(trust_quorum(t, all));
	free(t);
	return 0;
}
