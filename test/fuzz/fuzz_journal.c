// SPDX-License-Identifier: Apache-2.0
/* A record of the journal that opens is as long as it says, and any bytes in
 * its place harm nothing. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "client/engine/journal.h"
#include "object/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(void *arg, const struct index_entry *e)
{
	uint8_t out[INDEX_ENTRY_LEN];
	size_t *n = arg;

	index_entry_encode(e, out);
	(*n)++;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct space_key key = { { 1 } };
	size_t n = 0;
	long took = journal_record(&key, bytes_of(data, size), count, &n);

	assert(took >= 0 && (size_t)took <= size);
	assert(took == 0 || n > 0);
	return 0;
}
