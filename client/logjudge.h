// SPDX-License-Identifier: Apache-2.0
/*
 * What a file shows to who has no account: an entry that its owner opens, or
 * evidence of a log.  Public keys are all that it takes.  spec/60-log.md,
 * Evidence.
 */
#ifndef SKERRY_CLIENT_LOGJUDGE_H
#define SKERRY_CLIENT_LOGJUDGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/logbody.h"
#include "object/chain.h"
#include "tlog/note.h"
#include "tlog/trust.h"

#define LOGJUDGE_TEXT_MAX 512
#define LOGJUDGE_FILE_MAX (4u * 1024 * 1024)

/* An opened entry. */
struct logjudge_entry {
	uint64_t index, size;
	uint64_t time;
	struct logbody body;
	bool has_device; /* of a release: the chain that was given has it … */
	bool asked;      /* … and it signed the request */
};

/* chain: the account's, or NULL.  FAULT_LOG where the file does not show it,
 * naming why. */
int logjudge_proof(struct bytes file, const struct trust *trust,
    const struct chain *chain, struct logjudge_entry *out,
    struct fault *f) must_check;

struct logjudge_evidence {
	char kind[16];
	char vkey[NOTE_VKEY_MAX + 1]; /* whose log the file says it is of */
	bool proved; /* false: genuine, but rests on the word of its writer */
	char text[LOGJUDGE_TEXT_MAX]; /* what it shows */
};

/* Where key is given, the log must be of it.  FAULT_MALFORMED, FAULT_VERSION,
 * FAULT_LOG where the file shows nothing, FAULT_TRUST for another log. */
int logjudge_evidence(struct bytes file, const struct note_key *key,
    struct logjudge_evidence *out, struct fault *f) must_check;

#endif
