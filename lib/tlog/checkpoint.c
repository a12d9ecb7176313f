// SPDX-License-Identifier: Apache-2.0
#include "tlog/checkpoint.h"

#include "base/fault.h"
#include "tlog/line.h"

int
checkpoint_parse(struct bytes text, struct checkpoint *out)
{
	struct bytes left = text, size, root, line;
	struct checkpoint c;

	if (text.n > CHECKPOINT_TEXT_MAX)
		return FAULT_LIMIT;
	if (line_next(&left, &c.origin) != 0 || c.origin.n == 0 ||
	    line_next(&left, &size) != 0 || line_u64(size, &c.size) != 0 ||
	    line_next(&left, &root) != 0 ||
	    line_b64_parse(root, c.root.b, MERKLE_LEN) != 0)
		return FAULT_MALFORMED;
	if (c.size > MERKLE_SIZE_MAX)
		return FAULT_LIMIT;
	c.more = left;
	while (left.n != 0)
		if (line_next(&left, &line) != 0 || line.n == 0)
			return FAULT_MALFORMED;
	*out = c;
	return 0;
}

int
checkpoint_format(const struct checkpoint *c, struct buf *out)
{
	char size[LINE_U64_MAX];
	int rc = buf_append(out, c->origin.p, c->origin.n);

	(void)line_u64_format(c->size, size);
	if (rc == 0)
		rc = line_put(out, "\n");
	if (rc == 0)
		rc = line_put(out, size);
	if (rc == 0)
		rc = line_put(out, "\n");
	if (rc == 0)
		rc = line_b64(bytes_of(c->root.b, MERKLE_LEN), out);
	if (rc == 0)
		rc = line_put(out, "\n");
	return rc != 0 ? rc : buf_append(out, c->more.p, c->more.n);
}
