// SPDX-License-Identifier: Apache-2.0
#include "tlog/proof.h"

#include "base/fault.h"
#include "tlog/line.h"

#define FIRST "c2sp.org/tlog-proof@v1"

static int
parse_path(struct bytes *left, struct merkle_proof *out)
{
	struct bytes line;

	for (out->n = 0;; out->n++) {
		if (line_next(left, &line) != 0)
			return FAULT_MALFORMED;
		if (line.n == 0)
			return 0;
		if (out->n == MERKLE_PROOF_MAX)
			return FAULT_LIMIT;
		if (line_b64_parse(line, out->hash[out->n].b, MERKLE_LEN) != 0)
			return FAULT_MALFORMED;
	}
}

int
proof_parse(struct bytes data, struct proof *out)
{
	struct bytes left = data, line;
	struct proof p = { .index = 0 };
	size_t n;
	int rc;

	if (data.n > PROOF_MAX)
		return FAULT_LIMIT;
	if (line_next(&left, &line) != 0)
		return FAULT_MALFORMED;
	if (!line_is(line, FIRST))
		return FAULT_VERSION;
	if (line_next(&left, &line) != 0)
		return FAULT_MALFORMED;
	if (line_skip(&line, "extra ")) {
		if (line_b64_check(line, &n) != 0 || n == 0)
			return FAULT_MALFORMED;
		if (n > PROOF_EXTRA_MAX)
			return FAULT_LIMIT;
		p.extra_b64 = line;
		if (line_next(&left, &line) != 0)
			return FAULT_MALFORMED;
	}
	if (!line_skip(&line, "index ") || line_u64(line, &p.index) != 0)
		return FAULT_MALFORMED;
	rc = parse_path(&left, &p.path);
	if (rc != 0)
		return rc;
	if (left.n == 0)
		return FAULT_MALFORMED;
	p.checkpoint = left;
	*out = p;
	return 0;
}

int
proof_format(const struct proof *p, struct buf *out)
{
	char index[LINE_U64_MAX];
	int rc = line_put(out, FIRST "\n");

	(void)line_u64_format(p->index, index);
	if (rc == 0 && p->extra_b64.n != 0) {
		rc = line_put(out, "extra ");
		if (rc == 0)
			rc = buf_append(out, p->extra_b64.p, p->extra_b64.n);
		if (rc == 0)
			rc = line_put(out, "\n");
	}
	if (rc == 0)
		rc = line_put(out, "index ");
	if (rc == 0)
		rc = line_put(out, index);
	for (size_t i = 0; rc == 0 && i < p->path.n; i++) {
		rc = line_put(out, "\n");
		if (rc == 0)
			rc = line_b64(bytes_of(p->path.hash[i].b, MERKLE_LEN),
			    out);
	}
	if (rc == 0)
		rc = line_put(out, "\n\n");
	return rc != 0 ? rc :
	    buf_append(out, p->checkpoint.p, p->checkpoint.n);
}

int
proof_check(const struct proof *p, const struct trust *trust,
    struct bytes entry, uint64_t *size)
{
	struct merkle_hash leaf;
	struct checkpoint c;
	struct note n;
	int rc = note_parse(p->checkpoint, &n);

	if (rc == 0)
		rc = trust_check(trust, &n, &c);
	if (rc != 0)
		return rc;
	merkle_leaf(entry, &leaf);
	rc = merkle_check_inclusion(&p->path, p->index, c.size, &leaf, &c.root);
	if (rc == 0)
		*size = c.size;
	return rc;
}
