// SPDX-License-Identifier: Apache-2.0
/* An opened entry has one form, and so has each body; evidence does no harm. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "client/logbody.h"
#include "client/logjudge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
proof(struct bytes in)
{
	struct buf again defer(buf_wipe) = buf_init(PROOF_MAX);
	struct logopen o, p;
	int rc;

	if (logopen_read(in, &o) != 0)
		return;
	rc = logopen_format(&o, &again);
	assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	logopen_wipe(&o);
	if (logopen_parse(in, &p) == 0)
		logopen_wipe(&p);
}

static void
body(struct bytes in)
{
	struct sign_pub none = { { 0 } };
	struct logbody b;

	for (int type = LEAF_ENROLMENT; type <= LEAF_SHRED; type++) {
		if (logbody_parse((enum leaf_type)type, in, &b) != 0)
			continue;
		assert(b.type == (enum leaf_type)type);
		if (type == LEAF_RELEASE)
			assert(b.epoch != 0 && strlen(b.host) >= 1 &&
			    logbody_asked(&b, &none) != 0);
	}
}

static void
evidence(struct bytes in)
{
	static struct logjudge_evidence e;
	struct fault f = { 0 };

	if (logjudge_evidence(in, NULL, &e, &f) == 0)
		assert(e.text[0] != '\0' && e.vkey[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes in = bytes_of(data, size);

	proof(in);
	body(in);
	evidence(in);
	return 0;
}
