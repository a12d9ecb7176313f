// SPDX-License-Identifier: Apache-2.0
#include "authority/permit.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

static const struct {
	unsigned request, role;
	enum permit_state in, then;
	bool once;
} table[] = {
	{ PERMIT_BOOT, PERMIT_PARENT, PERMIT_STARTING, PERMIT_SERVING, true },
	{ PERMIT_ADMIT, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING, false },
	{ PERMIT_RELEASE, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING,
	    false },
	{ PERMIT_CAPABILITY, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING,
	    false },
	{ PERMIT_RESUME, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING,
	    false },
	{ PERMIT_SIGN, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING, false },
	{ PERMIT_SECRET, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING,
	    false },
	{ PERMIT_COVER, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING, false },
	{ PERMIT_UNCOVER, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING,
	    false },
	{ PERMIT_RECEIPT, PERMIT_LEDGER, PERMIT_SERVING, PERMIT_SERVING,
	    false },
};

int
permit_ask(struct permit *p, unsigned role, unsigned request)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].request != request || table[i].role != role ||
		    table[i].in != p->state)
			continue;
		if (table[i].once && (p->done & 1u << request) != 0)
			return FAULT_DENIED;
		p->done |= 1u << request;
		p->state = table[i].then;
		return 0;
	}
	return FAULT_DENIED;
}
