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
#include "authority/ledger_log.h"
#include "authority/link.h"
#include "authority/outbox.h"
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
#define LEDGER_ENROLMENT_KEPT 900 /* of these, whoever comes besides */
#define LEDGER_BATCH_MAX 512         /* requests */
#define LEDGER_BATCH_BYTES (8 << 20) /* of requests, after which none more */

struct ledger {
	struct db *db;
	struct keymsg_line keys;
	struct policy *policy;
	struct sign_pub signing; /* this authority's, by the policy */
	char *jurisdiction; /* where this authority is */
	char *host;         /* "@authority" of every request */
	uint32_t lease;     /* seconds */
	bool by_invitation; /* a new account wants one */
	int vault;          /* folder of epoch secrets */
	struct vault_name doomed[LEDGER_BATCH_MAX * DB_EPOCHS_MAX]; /* by this
	                                  * transaction */
	size_t ndoomed, overdue; /* overdue: by a batch before it */
	struct vault_name made[DB_SLOTS_MAX]; /* by this request */
	size_t nmade;
	int64_t tried;           /* when those were last tried */
	struct pace pace;   /* of the clock */
	int64_t forgot;     /* when what is old was last dropped */
	int64_t turn;       /* in which nonces are seen, and when, in seconds */
	int64_t turned;     /* that only grow, it began */
	struct ledger_log log;
	bool completing;    /* a batch: until then what is shown stays */
};

/* A key that is released once its entry is shown. */
struct ledger_release {
	size_t item; /* the entry's place in the outbox */
	struct keymsg_release m;
	json_t *to;  /* gets the member "sealed"; owned */
};

/* The entries of one request, and what waits for them. */
struct ledger_outbox {
	bool wanted;   /* the answer has the member "log" */
	uint64_t seen; /* the size that the device knows; 0: not asked */
	struct outbox_item *item;
	struct ledger_release *release;
	size_t items, releases;
	json_t *depot; /* gets the member "capability"; owned, or NULL */
	struct keymsg_capability capability;
};

/* What becomes of a request before its batch is durable. */
struct ledger_reply {
	json_t *json; /* the answer; members to add, where fault is set */
	struct fault fault;
	struct ledger_outbox box;
	bool waits;     /* until the log shows what it tells */
	bool dooms;     /* secrets, which are to be gone before it is sent */
	json_t *proofs; /* of its entries */
	size_t asked;   /* of keys, and not got yet */
	bool again;     /* keys did not know the log when they were asked */
	bool answered;
};

/* Requests that become durable together. */
struct ledger_batch {
	int64_t now;
	size_t n;
	struct ledger_reply reply[LEDGER_BATCH_MAX];
	struct fault fault; /* of all of them */
};

/* Gets the answer to the i-th request, for the front; empty: there is none.
 * While keys works on what a batch waits for, meanwhile may add one request to
 * another batch, or begin that; false where there is none.  It may be NULL. */
struct ledger_sink {
	void (*answer)(void *ctx, size_t i, struct bytes answer);
	bool (*meanwhile)(void *ctx);
	void *ctx;
};

/* A request whose sender is known; but of ledger_requests, which has none. */
struct ledger_call {
	const struct request *q;
	struct httpsig sig;
	struct db_device sender; /* id and keys alone if it is not enrolled */
	const json_t *body;      /* an object; NULL of ledger_requests */
	int64_t now;
	struct ledger_outbox *box;
};

/*
 * Handlers, one per path.  *out gets the answer; with FAULT_CONFLICT it may get
 * members to add to the error.  What a handler wrote is undone if it fails.
 */
typedef int ledger_handler(struct ledger *l, const struct ledger_call *c,
    json_t **out, struct fault *f);

ledger_handler ledger_account_create, ledger_account_list, ledger_session,
    ledger_head, ledger_enrol, ledger_enrol_lookup, ledger_device,
    ledger_recovery, ledger_custody, ledger_custody_sets,
    ledger_custody_slots, ledger_holder, ledger_entries, ledger_epoch,
    ledger_epoch_destroy, ledger_requests;

/* For requests whose key is in the body: the keys of who has to have signed. */
typedef int ledger_sender(const json_t *body, struct db_device *out);

ledger_sender ledger_account_sender, ledger_enrol_sender,
    ledger_holder_sender;

/* Brings an account's chain and devices from old (what is stored, and the
 * beginning of whole, else FAULT_CONFLICT) to whole; slots: as below.
 * FAULT_TRUST and the like of chain_append. */
int ledger_device_follow(struct ledger *l,
    const uint8_t account[static ID_LEN], struct bytes old,
    struct bytes whole, const json_t *slots, struct fault *f) must_check;

/* Puts the keyslots that come with another recovery key; NULL: none came.
 * FAULT_DENIED where they are wanted and not there, or the reverse;
 * FAULT_CONFLICT where they are not those of the live epochs. */
int ledger_recovery_follow(struct ledger *l, const struct chain *before,
    const struct chain *after, const json_t *slots,
    struct fault *f) must_check;

/* The space, if it is one of the sender's account: else FAULT_DENIED, so that
 * nobody learns which spaces there are. */
int ledger_space(struct ledger *l, const struct ledger_call *c,
    const uint8_t id[static ID_LEN], struct db_space *out,
    struct fault *f) must_check;

/* Whether this authority is where the residency's keys may be. */
bool ledger_serves(const struct ledger *l, const struct policy_residency *r);

/* base64, or null where there is none; NULL when out of memory. */
json_t *ledger_head_json(const struct db_head *h) must_check;

/* What an entry of a space, or of the account that was enrolled with it, is
 * blinded with.  FAULT_VERSION where it is from before there was a log. */
int ledger_log_key(struct ledger *l, const uint8_t space[static ID_LEN],
    struct leaf_log_key *out, struct fault *f) must_check;

/* Takes over an entry that has its row: its proof goes into the answer. */
int ledger_log_item(const struct ledger_call *c, struct outbox_item *item,
    struct fault *f) must_check;

/* The entry of what a request does, or did before (again): where the log has
 * none of it, there is none in the answer either. */
int ledger_log_add(struct ledger *l, const struct ledger_call *c,
    const struct outbox_what *what, const struct leaf_log_key *key,
    struct fault *f) must_check;
int ledger_log_again(struct ledger *l, const struct ledger_call *c,
    const struct outbox_what *what, const struct leaf_log_key *key,
    struct fault *f) must_check;

/* Entries of the chain's entries first to n-1 of an account. */
int ledger_log_chain(struct ledger *l, const struct ledger_call *c,
    struct bytes chain, size_t first, struct fault *f) must_check;

/* The one that an entry of the chain had then. */
int ledger_log_chain_again(struct ledger *l, const struct ledger_call *c,
    const uint8_t entry[static CHAIN_ENTRY_LEN], struct fault *f) must_check;

/* The entry of one release, and the release, whose key gets into to. */
int ledger_log_release(struct ledger *l, const struct ledger_call *c,
    struct keymsg_release *m, json_t *to, struct fault *f) must_check;

void ledger_outbox_wipe(struct ledger_outbox *b);

/* Once what they made is shown: proves it, and has keys release what waited for
 * that.  Answers each as soon as it is done. */
void ledger_complete(struct ledger *l, struct ledger_batch *b,
    const struct ledger_sink *sink);

/* Answers one request of the front, inside a transaction; FAULT_MEMORY.  *out
 * is to be completed, which wipes it. */
int ledger_answer(struct ledger *l, struct bytes in, int64_t now,
    struct ledger_reply *out) must_check;

/* Hands out the answer, and wipes the reply. */
void ledger_reply_send(struct ledger *l, struct ledger_batch *b,
    size_t i, const struct ledger_sink *sink);

/* Begins a transaction; answers at most LEDGER_BATCH_MAX requests in it, whose
 * bytes are borrowed for the call; commits, has their entries logged and shown,
 * and completes them.  Where that fails, all answers say so.  now is the time
 * of all of them. */
void ledger_batch_begin(struct ledger *l, struct ledger_batch *b, int64_t now);
void ledger_batch_add(struct ledger *l, struct ledger_batch *b,
    struct bytes in);
void ledger_batch_end(struct ledger *l, struct ledger_batch *b,
    const struct ledger_sink *sink);

/* The entry of the policy, where it is another than the last one: in a
 * transaction of its own. */
int ledger_log_policy(struct ledger *l, struct bytes file, int64_t now,
    struct fault *f) must_check;

/* The process.  Returns a FAULT_*. */
int ledger_main(struct fault *f) must_check;

#endif
