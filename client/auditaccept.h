// SPDX-License-Identifier: Apache-2.0
/* Alarms that the owner has understood and accepts: they are listed, and alarm
 * no more.  And those that an audit has told: they are new no more. */
#ifndef SKERRY_CLIENT_AUDITACCEPT_H
#define SKERRY_CLIENT_AUDITACCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

#define AUDITACCEPT_ID_LEN 8
#define AUDITACCEPT_MAX 65536

struct state;

enum auditaccept_file {
	AUDITACCEPT_ACCEPTED,
	AUDITACCEPT_TOLD,
};

struct auditaccept {
	size_t n;
	struct auditaccept_one {
		uint8_t id[AUDITACCEPT_ID_LEN];
		int64_t time; /* when it was accepted, or told */
	} *one; /* owned; by id */
};

/* The file's body: every id once.  FAULT_MALFORMED, FAULT_MEMORY; *out is to be
 * wiped. */
int auditaccept_parse(struct bytes body, struct auditaccept *out) must_check;
int auditaccept_format(const struct auditaccept *a, struct buf *out)
	must_check;
void auditaccept_wipe(struct auditaccept *a);

/* By what an alarm of this log is known again: what it is, and of what. */
void auditaccept_id(const char *origin, const char *what, struct bytes of,
    uint8_t out[static AUDITACCEPT_ID_LEN]);

/* NULL: it is not in it. */
const struct auditaccept_one *auditaccept_find(const struct auditaccept *a,
    const uint8_t id[static AUDITACCEPT_ID_LEN]);

/* Adds those that are not there yet.  FAULT_MEMORY, FAULT_LIMIT. */
int auditaccept_add(struct auditaccept *a,
    const uint8_t (*id)[AUDITACCEPT_ID_LEN], size_t n, int64_t now) must_check;

/* What is kept in the state folder; none where there is no file.
 * FAULT_CONFIG. */
int auditaccept_load(const struct state *st, enum auditaccept_file file,
    struct auditaccept *out, struct fault *f) must_check;

/* Adds to what is kept, durably; FAULT_LIMIT, FAULT_CONFIG. */
int auditaccept_keep(const struct state *st, enum auditaccept_file file,
    const uint8_t (*id)[AUDITACCEPT_ID_LEN], size_t n, int64_t now,
    struct fault *f) must_check;

#endif
