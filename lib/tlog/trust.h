// SPDX-License-Identifier: Apache-2.0
/*
 * Whom a reader of logs trusts (c2sp.org/tlog-policy): logs, witnesses, groups
 * of them, and the quorum that must have cosigned a checkpoint.  net/policy.h
 * is another thing: the operator's.  spec/60-log.md, Trust.
 */
#ifndef SKERRY_TLOG_TRUST_H
#define SKERRY_TLOG_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "tlog/checkpoint.h"
#include "tlog/note.h"

#define TRUST_FILE_MAX 65536 /* bytes */
#define TRUST_LOGS_MAX 32
#define TRUST_WITNESSES_MAX 64
#define TRUST_GROUPS_MAX 64
#define TRUST_NAMES_MAX (TRUST_WITNESSES_MAX + TRUST_GROUPS_MAX)
#define TRUST_NAME_MAX 255 /* bytes of a name or URL */

struct trust_party {
	struct note_key key;
	char url[TRUST_NAME_MAX + 1]; /* "" where there is none */
};

/* A witness or a group, as the file names it. */
struct trust_name {
	char name[TRUST_NAME_MAX + 1];
	bool is_group;
	size_t witness;      /* of a witness: its place in witness[] */
	size_t need, have;   /* of a group: threshold, members */
	bool taken;          /* is a member of a group */
	size_t member_of;    /* then: which, a place in name[] */
};

struct trust {
	size_t nlogs, nwitnesses, nnames;
	struct trust_party log[TRUST_LOGS_MAX];
	struct trust_party witness[TRUST_WITNESSES_MAX];
	struct trust_name name[TRUST_NAMES_MAX]; /* in the file's order */
	bool none;     /* "quorum none" */
	size_t quorum; /* else a place in name[] */
};

/* *out is to be freed with free().  *line: where it is wrong, from 1; 0 where
 * something is missing at the end.  FAULT_MALFORMED, FAULT_VERSION (a key of
 * an unknown type), FAULT_LIMIT, FAULT_MEMORY. */
int trust_parse(struct bytes file, struct trust **out, unsigned *line)
	must_check;

/* The checkpoint in a note, if a log of the same origin signed it and the
 * quorum cosigned it.  FAULT_TRUST where a signature that is needed is not
 * there, FAULT_TAMPERED where one of a known key does not verify,
 * FAULT_MALFORMED, FAULT_LIMIT. */
int trust_check(const struct trust *t, const struct note *n,
    struct checkpoint *out) must_check;

/* Whether these witnesses meet the quorum; cosigned[i] is of t->witness[i]. */
bool trust_quorum(const struct trust *t,
    const bool cosigned[static TRUST_WITNESSES_MAX]);

#endif
