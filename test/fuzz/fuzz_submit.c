// SPDX-License-Identifier: Apache-2.0
/* A request to a witness has one form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again defer(buf_wipe) = buf_init(SUBMIT_MAX);
	const struct bytes in = bytes_of(data, size);
	struct submit s;
	int rc;

	if (submit_parse(in, &s) == 0) {
		rc = submit_format(&s, &again);
		assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	}
	return 0;
}
