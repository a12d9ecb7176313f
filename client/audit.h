// SPDX-License-Identifier: Apache-2.0
/*
 * One log, read as far as it goes, and what it has of the space judged: by the
 * device chain, the pinned custody and what this device asked for itself.
 * spec/60-log.md, Audit.
 */
#ifndef SKERRY_CLIENT_AUDIT_H
#define SKERRY_CLIENT_AUDIT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/auditaccept.h"
#include "client/audititem.h"
#include "client/custodian.h"
#include "client/logcheck.h"
#include "client/progress.h"

struct authority;

#define AUDIT_ALARMS_MAX 256 /* that are listed; all are counted */

struct audit_alarm {
	uint8_t id[AUDITACCEPT_ID_LEN]; /* the same in every run */
	bool fresh;    /* not told before; its evidence was kept now */
	bool accepted; /* by the owner: no alarm any more */
	char text[FAULT_TEXT_MAX];
};

/* An alarm that the owner has named. */
struct audit_accept {
	uint8_t id[AUDITACCEPT_ID_LEN];
	bool found; /* there is one; set by audit_run */
};

struct audit {
	/* In. */
	struct state *st;
	const struct policy_authority *peer;
	struct http_wire *wire;
	const atomic_bool *stop;
	bool full; /* from the first entry on */
	bool home;
	uint32_t chain_seen; /* entries of the chain that must be logged */
	struct custodian custody; /* whose sets must be logged */
	const struct audititems *revoked; /* the home's entries, or NULL */
	const struct auditaccept *accepted, *told;
	struct audit_accept *accept; /* to be accepted; naccept of them */
	size_t naccept;
	struct progress *progress;
	/* Called once the log's checkpoint was read: brings the chain up to
	 * date, by whoever is asked, if not by who is audited. */
	int (*sync)(void *arg, struct authority *audited, struct fault *f);
	void *sync_arg;
	/* Out. */
	struct audititems items; /* all there are, and the log's requests, which
	                          * are not the space's; wiped by the caller */
	size_t old;              /* of them, known from earlier runs */
	struct audit_alarm *alarm; /* owned; at most AUDIT_ALARMS_MAX that are
	                            * accepted, and as many others */
	size_t nalarms;
	size_t counted[2]; /* all there were; [1]: of them accepted */
	size_t requests, requests_opened; /* entries of them; with their text */
	bool judged; /* all of it; what failed then is keeping what was found */
	/* Of FAULT_LOG and FAULT_TRUST: as of an alarm. */
	uint8_t broken[AUDITACCEPT_ID_LEN];
	bool broken_fresh;
};

/* FAULT_LOG, FAULT_AUTHORITY, FAULT_NOT_FOUND (the log key is not known to this
 * device yet), FAULT_CONFIG.  Alarms are no fault.  What was read is pinned. */
int audit_run(struct audit *a, struct fault *f) must_check;
void audit_wipe(struct audit *a);

/* Appends a proof that opens entry index of this log to whoever has it.
 * FAULT_NOT_FOUND where it is not of this space, FAULT_DENIED where the
 * authority does not give its body. */
int audit_open(struct audit *a, uint64_t index, struct buf *out,
    struct fault *f) must_check;

#endif
