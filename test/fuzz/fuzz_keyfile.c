// SPDX-License-Identifier: Apache-2.0
/* The public half of a keyfile, which is read before it is authenticated. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "authority/keystore_file.h"
#include "base/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keystore_public pub;
	int rc = keystore_file_public(bytes_of(data, size), &pub);

	assert(rc == 0 || rc == FAULT_MALFORMED || rc == FAULT_VERSION);
	assert(rc != 0 || size == KEYSTORE_FILE_LEN);
	return 0;
}
