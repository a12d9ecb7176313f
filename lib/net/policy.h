// SPDX-License-Identifier: Apache-2.0
/* The operator's signed policy: spec/50-authority.md, Policy. */
#ifndef SKERRY_NET_POLICY_H
#define SKERRY_NET_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"
#include "tlog/trust.h"

#define POLICY_FILE_MAX 262144 /* bytes */

struct policy_authority {
	char *name, *jurisdiction, *url, *ca; /* ca: PEM */
	struct box_pub intake;
	struct sign_pub signing;
	struct note_key log; /* of its transparency log */
};

struct policy_depot {
	char *name, *jurisdiction, *url, *ca;
};

struct policy_residency {
	char *name, *jurisdiction;
	char **depots; /* names */
	size_t ndepots;
	char **keys; /* jurisdictions */
	size_t nkeys;
};

struct policy {
	uint64_t serial;
	int64_t issued;
	int64_t custody_delay; /* seconds, from announcement to effect */
	struct policy_authority *authorities;
	size_t nauthorities;
	struct policy_depot *depots;
	size_t ndepots;
	struct policy_residency *residencies;
	size_t nresidencies;
	struct sign_pub signer;
	/* Whom to believe of logs: the member "trust", or, without it, the logs
	 * of the authorities and no witness. */
	struct trust *trust;
};

/* Loads a signed policy (two lines: key, token) and checks the rules of
 * residency; the fault names the rule and the residency that breaks it.
 * signer: the pinned key, or NULL to take the one in the file's first line.
 * FAULT_MALFORMED, FAULT_TAMPERED, FAULT_TRUST (other signer), FAULT_VERSION,
 * FAULT_LIMIT, FAULT_CONFIG (rule broken).  *out is to be freed. */
int policy_load(struct bytes file, const struct sign_pub *signer,
    struct policy **out, struct fault *f) must_check;

/* Checks an unsigned JSON policy by the same rules and signs it; appends the
 * file to out. */
int policy_sign(struct bytes json, const struct sign_key *key,
    struct buf *out, struct fault *f) must_check;

void policy_free(struct policy *p);
void policy_freep(struct policy **p);

/* The names of the authorities, with commas between, for messages; cut to
 * size. */
void policy_authority_names(const struct policy *p, char *out, size_t size);

/* NULL if there is none with this signing key. */
const struct policy_authority *policy_find_signing(const struct policy *p,
    const struct sign_pub *signing);

/* NULL if there is none of that name. */
const struct policy_authority *policy_find_authority(const struct policy *p,
    const char *name);
const struct policy_depot *policy_find_depot(const struct policy *p,
    const char *name);
const struct policy_residency *policy_find_residency(const struct policy *p,
    const char *name);

/* Whether residency allows the depot. */
bool policy_allows(const struct policy_residency *r, const char *depot);

/* Whether an authority, a depot or a residency may be called so: names become
 * file names, header values and JSON members elsewhere. */
bool policy_name_ok(const char *s);

/* Whether residency allows keys in the jurisdiction. */
bool policy_keys_in(const struct policy_residency *r,
    const char *jurisdiction);

#endif
