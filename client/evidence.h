// SPDX-License-Identifier: Apache-2.0
/* Files that prove what an authority showed, to whoever has its public keys:
 * spec/55-custody.md, Evidence. */
#ifndef SKERRY_CLIENT_EVIDENCE_H
#define SKERRY_CLIENT_EVIDENCE_H

#include "base/bytes.h"
#include "base/fault.h"
#include "client/custodian.h"
#include "tlog/merkle.h"

/* All keep a file in the state folder and add its name to the fault's text; a
 * file that cannot be written does not hide the fault. */
void evidence_custody(const struct state *st, const char *authority,
    uint32_t chain_seen, const struct custodian *before,
    const struct answer_custody *shown, struct fault *f);
void evidence_chain(const struct state *st, const char *authority,
    uint32_t seen, struct bytes entries, struct fault *f);

/* What a log showed: spec/60-log.md, Evidence.  Empty members are left out. */
struct evidence_log {
	const char *authority, *vkey, *kind;
	struct bytes note[2]; /* seen first, seen later */
	/* What the later tree has in its first old leaves, by its tiles. */
	const struct merkle_proof *consistency;
	uint64_t old;
	const struct merkle_hash *old_root;
	struct bytes proof[2]; /* tlog-proof files */
};
void evidence_log(const struct state *st, const struct evidence_log *e,
    struct fault *f);

#endif
