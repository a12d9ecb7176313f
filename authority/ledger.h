// SPDX-License-Identifier: Apache-2.0
/*
 * The role that has the database.  It checks who signed a request before it
 * looks at what is asked, answers, and makes a whole batch of requests durable
 * with one commit before any of them is answered.
 */
#ifndef SKERRY_AUTHORITY_LEDGER_H
#define SKERRY_AUTHORITY_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "authority/config.h"
#include "authority/db.h"
#include "authority/link.h"
#include "authority/request.h"
#include "authority/role.h"
#include "authority/vault.h"
#include "base/attr.h"
#include "base/fault.h"
#include "net/httpsig.h"
#include "net/policy.h"

#define LEDGER_CLOCK_SKEW 300
#define LEDGER_NONCE_SECONDS 600
#define LEDGER_ENROLMENT_SECONDS 86400

struct ledger {
	struct db *db;
	struct link keys;
	struct policy *policy;
	struct sign_pub signing; /* this authority's, by the policy */
	char *jurisdiction; /* where this authority is */
	char *host;         /* "@authority" of every request */
	uint32_t lease;     /* seconds */
	int vault;          /* folder of epoch secrets */
	struct vault_name doomed[ROLE_PAIRS_MAX * DB_EPOCHS_MAX]; /* by this
	                                  * transaction */
	size_t ndoomed;
	int64_t forgot;     /* when old nonces were last dropped */
};

/* A request whose sender is known. */
struct ledger_call {
	const struct request *q;
	struct httpsig sig;
	struct db_device sender; /* id and keys alone if it is not enrolled */
	const json_t *body;      /* an object */
	int64_t now;
};

/*
 * Handlers, one per path.  *out gets the answer; with FAULT_CONFLICT it may get
 * members to add to the error.  What a handler wrote is undone if it fails.
 */
typedef int ledger_handler(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f);

ledger_handler ledger_account_create, ledger_account_list, ledger_session,
    ledger_head, ledger_enrol, ledger_enrol_lookup, ledger_device,
    ledger_recovery, ledger_custody, ledger_custody_slots, ledger_holder,
    ledger_epoch, ledger_epoch_destroy;

/* For requests whose key is in the body: the keys of who has to have signed. */
typedef int ledger_sender(const json_t *body, struct db_device *out);

ledger_sender ledger_account_sender, ledger_enrol_sender,
    ledger_holder_sender;

/* Brings an account's chain and devices from old (what is stored, and the
 * beginning of whole, else FAULT_CONFLICT) to whole.  FAULT_TRUST and the like
 * of chain_append. */
int ledger_device_follow(struct ledger *l,
    const uint8_t account[static ID_LEN], struct bytes old,
    struct bytes whole, struct fault *f) must_check;

/* The space, if it is one of the sender's account: else FAULT_DENIED, so that
 * nobody learns which spaces there are. */
int ledger_space(struct ledger *l, const struct ledger_call *c,
    const uint8_t id[static ID_LEN], struct db_space *out,
    struct fault *f) must_check;

/* Whether this authority is where the residency's keys may be. */
bool ledger_serves(const struct ledger *l, const struct policy_residency *r);

/* base64, or null where there is none; NULL when out of memory. */
json_t *ledger_head_json(const struct db_head *h) must_check;

/* Appends the answer to one request of the front, inside a transaction. */
int ledger_answer(struct ledger *l, struct bytes in, int64_t now,
    struct buf *out) must_check;

/* Begins, answers n requests, commits; where that fails, none was done and all
 * answers say so. */
void ledger_batch(struct ledger *l, const struct bytes *in, size_t n,
    int64_t now, struct buf *out);

/* The process.  Returns a FAULT_*. */
int ledger_main(struct fault *f) must_check;

#endif
