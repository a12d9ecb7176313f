// SPDX-License-Identifier: Apache-2.0
/* A message of the agent that is accepted is written as it was read. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "client/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lease storage;
	struct lease_message m = { .lease = &storage };
	struct buf again defer(buf_wipe) = buf_init(LEASE_FRAME_MAX + 4);
	int rc = lease_decode(bytes_of(data, size), &m);

	assert(rc == 0 || rc == FAULT_MALFORMED || rc == FAULT_VERSION);
	if (rc != 0)
		return 0;
	assert(lease_encode(&m, &again) == 0);
	assert(again.n == size + 4);
	assert(memcmp(again.p + 4, data, size) == 0);
	return 0;
}
