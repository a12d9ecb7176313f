// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions at several holders at once, and space keys from what they answered:
 * whole ones, or from k shares.  spec/55-custody.md, Splitting.
 */
#ifndef SKERRY_CLIENT_GATHER_H
#define SKERRY_CLIENT_GATHER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "client/answer.h"
#include "client/lease.h"
#include "net/http.h"
#include "object/custody.h"

struct authority;
struct state;

/* What one holder said; answer is good where rc is 0. */
struct gather_one {
	int rc;
	struct fault f;
	struct answer_session answer;
};

struct gather {
	const struct state *st;
	const struct custody *set; /* whose holders are asked */
	struct http_wire *wire;
	const atomic_bool *stop;
	struct gather_one one[CUSTODY_HOLDERS_MAX]; /* as in the set */
};

/* Asks every holder from number first on, all at the same time; outcomes are
 * in one[].  Once the threshold has answered the others have five seconds more,
 * and are FAULT_AUTHORITY then.  FAULT_MEMORY. */
int gather_ask(struct gather *g, int first, struct fault *f) must_check;

/* Brings the device chain of a space that it knows to another holder. */
int gather_push(const struct state *st, const struct custody *set,
    struct authority *to, const char *capability, struct fault *f) must_check;

void gather_wipe(struct gather *g);
void gather_freep(struct gather **g);

/*
 * The keys of every epoch into out, which is secret memory.  fits says whether
 * a key is that of an epoch (it may not know: true).  FAULT_AUTHORITY where too
 * few holders answered, naming why; FAULT_TAMPERED where no k shares fit;
 * FAULT_DENIED where no keyslot is for this device.
 */
struct gather_check {
	bool (*fits)(void *arg, uint32_t epoch, const struct space_key *key);
	void *arg;
};
int gather_keys(const struct gather *g, struct gather_check check,
    struct lease *out, struct fault *f) must_check;

#endif
