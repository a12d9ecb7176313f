// SPDX-License-Identifier: Apache-2.0
#include "tlog/submit.h"

#include "base/fault.h"
#include "tlog/line.h"

int
submit_parse(struct bytes body, struct submit *out)
{
	struct bytes left = body, line;
	struct submit s = { .old = 0 };

	if (body.n > SUBMIT_MAX)
		return FAULT_LIMIT;
	if (line_next(&left, &line) != 0 || !line_skip(&line, "old ") ||
	    line_u64(line, &s.old) != 0)
		return FAULT_MALFORMED;
	for (;; s.proof.n++) {
		if (line_next(&left, &line) != 0)
			return FAULT_MALFORMED;
		if (line.n == 0)
			break;
		if (s.proof.n == MERKLE_PROOF_MAX)
			return FAULT_LIMIT;
		if (line_b64_parse(line, s.proof.hash[s.proof.n].b,
		        MERKLE_LEN) != 0)
			return FAULT_MALFORMED;
	}
	if (left.n == 0)
		return FAULT_MALFORMED;
	s.checkpoint = left;
	*out = s;
	return 0;
}

int
submit_format(const struct submit *s, struct buf *out)
{
	char old[LINE_U64_MAX];
	int rc = line_put(out, "old ");

	(void)line_u64_format(s->old, old);
	if (rc == 0)
		rc = line_put(out, old);
	if (rc == 0)
		rc = line_put(out, "\n");
	for (size_t i = 0; rc == 0 && i < s->proof.n; i++) {
		rc = line_b64(bytes_of(s->proof.hash[i].b, MERKLE_LEN), out);
		if (rc == 0)
			rc = line_put(out, "\n");
	}
	if (rc == 0)
		rc = line_put(out, "\n");
	return rc != 0 ? rc :
	    buf_append(out, s->checkpoint.p, s->checkpoint.n);
}
