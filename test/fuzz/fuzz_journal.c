// SPDX-License-Identifier: Apache-2.0
/* A journal's record, as it comes from the disk, and one sealed around the
 * input: what opens takes the bytes that it says, and has valid entries. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "client/engine/journal.h"
#include "crypt/bulk.h"
#include "crypt/kdf.h"

#define HEADER 36u
#define INPUT_MAX 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_entry(void *arg, const struct index_entry *e)
{
	uint8_t again[INDEX_ENTRY_LEN];
	struct index_entry same;

	index_entry_encode(e, again);
	assert(index_entry_decode(bytes_of(again, sizeof(again)), &same) == 0);
	++*(size_t *)arg;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t sealed[HEADER + INPUT_MAX + BULK_TAG_LEN];
	static const struct space_key key = { .b = { 1 } };
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	size_t n = size / INDEX_ENTRY_LEN, entries = 0;
	struct seal_key k;
	long used = journal_record(&key, bytes_of(data, size), on_entry,
	    &entries);

	assert(used == 0); /* nobody guesses the tag */
	if (n == 0 || n * INDEX_ENTRY_LEN > INPUT_MAX)
		return 0;
	memset(sealed, 0, HEADER);
	sealed[2] = (uint8_t)(n >> 8);
	sealed[3] = (uint8_t)n;
	assert(kdf_hkdf(bytes_of(key.b, KEY_LEN), bytes_of(sealed + 4, 32),
	    "skerry/1 journal", k.b, KEY_LEN) == 0);
	memcpy(sealed + HEADER, data, n * INDEX_ENTRY_LEN);
	assert(bulk_seal(b, &k, 0, bytes_of(sealed, 4), bytes_of(sealed +
	    HEADER, n * INDEX_ENTRY_LEN), sealed + HEADER) == 0);
	used = journal_record(&key, bytes_of(sealed, HEADER + n *
	    INDEX_ENTRY_LEN + BULK_TAG_LEN), on_entry, &entries);
	assert(used == 0 || entries == n);
	return 0;
}
