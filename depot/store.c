// SPDX-License-Identifier: Apache-2.0
#include "depot/store.h"

#include "base/rd.h"

int
store_head_number(const uint8_t head[static STORE_HEAD_LEN], uint64_t *out)
{
	struct rd r = rd_from(head, 16);
	uint8_t version = rd_u8(&r);
	uint8_t zero[3];
	uint64_t number;

	if (version != 1)
		return FAULT_VERSION;
	rd_copy(&r, zero, sizeof(zero));
	rd_require(&r, (zero[0] | zero[1] | zero[2]) == 0);
	(void)rd_u32(&r); /* epoch */
	number = rd_u64(&r);
	if (rd_finish(&r) != 0)
		return FAULT_MALFORMED;
	*out = number;
	return 0;
}
