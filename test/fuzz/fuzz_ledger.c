// SPDX-License-Identifier: Apache-2.0
/*
 * Whole requests at the ledger.  The first byte says which path, the second who
 * signs; the rest is the body, which is signed well, or, for a path that there
 * is not, the bytes that a front would send.  Whatever comes: an answer of the
 * form that is promised, and never INTERNAL.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority/keymsg.h"
#include "authority/ledger.h"
#include "authority/vault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/text.h"
#include "object/chain.h"
#include "object/custody.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000
#define HOST "a.example"
#define KEY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define LOG                                                                  \
	"a.example/log+019349de+"                                            \
	"AeOwxEKY/BwUmvv0yJlvuSQnrkHkZJuTTKSVmRt4UrhV"
#define POLICY                                                               \
	"{\"v\":1,\"serial\":7,\"issued\":5,\"authorities\":[{\"name\":"     \
	"\"a\",\"jurisdiction\":\"ch\",\"url\":\"https://a.example\","       \
	"\"ca\":\"PEM\",\"intake\":\"" KEY "\",\"signing\":\"" KEY "\","     \
	"\"log\":\"" LOG "\"}],"                                             \
	"\"depots\":[{\"name\":\"d\",\"jurisdiction\":\"es\",\"url\":"       \
	"\"https://d.example\",\"ca\":\"PEM\"}],\"residencies\":[{\"name\":" \
	"\"r\",\"jurisdiction\":\"es\",\"depots\":[\"d\"],\"keys\":"         \
	"[\"ch\"]}]}"

static const char *const paths[] = {
	"/v1/accounts", "/v1/session", "/v1/head", "/v1/enrolments",
	"/v1/enrolments/lookup", "/v1/devices", "/v1/account", "/v1/recovery",
	"/v1/epochs", "/v1/epochs/destroy", "/v1/custody", "/v1/keyslots",
	"/v1/entries", "/v1/holders",
};

enum who {
	MEMBER,   /* a live device */
	RECOVERY, /* the recovery key */
	STRANGER, /* of no account yet */
	WHO
};

/* The keys are known, so that a corpus can hold bodies with them. */
static struct {
	struct sign_key key;
	struct db_device device;
} party[WHO];

static const uint8_t account[ID_LEN] = { 1 };
static struct ledger ledger;

static void
make_party(enum who who)
{
	struct box_key box = { { (uint8_t)(who + 1) } };
	struct db_device *d = &party[who].device;

	party[who].key.seed[0] = (uint8_t)(who + 1);
	sign_public(&party[who].key, &d->sign);
	sign_box_public(&box, &d->box);
	chain_device_id(&d->sign, &d->box, d->id);
	memcpy(d->account, account, ID_LEN);
	d->recovery = who == RECOVERY;
	d->live = true;
}

/* An account with a device, a recovery key, a space, a keyslot. */
static void
make_account(struct db *db)
{
	static const uint8_t hash[DB_HASH_LEN];
	struct chain c defer(chain_wipe) = { 0 };
	struct db_space s = { .id = { 2 }, .account = { 1 },
		.prefix = { 3 }, .residency = "r", .depot = "d" };
	struct db_slot slot = { .epoch = 1, .n = WRAP_LEN };
	const struct leaf_log_key log = { { 4 } };
	struct custody set = { .mode = CUSTODY_STANDARD, .k = 1, .n = 1,
		.serial = 1, .epoch = 1, .space = { 2 }, .time = 1,
		.effective = 1, .holder[0].jurisdiction = "ch",
		.kind = CUSTODY_DEVICE };
	uint8_t e[CHAIN_ENTRY_LEN];
	struct fault f = { 0 };

	assert(db->begin(db, &f) == 0);
	assert(db->account_add(db, account, hash, &f) == 0);
	for (uint32_t i = 0; i < STRANGER; i++) {
		struct chain_make m = { .op = i == 0 ? CHAIN_ADD :
			CHAIN_RECOVERY, .sign = party[i].device.sign,
			.box = party[i].device.box };

		memcpy(m.account, account, ID_LEN);
		memcpy(m.signer, party[0].device.id, ID_LEN);
		assert(chain_make_entry(&c, &m, &party[0].key, e) == 0);
		assert(chain_append(&c, bytes_of(e, sizeof(e))) == 0);
		assert(db->chain_add(db, account, i, e, &f) == 0);
		assert(db->device_add(db, &party[i].device, &f) == 0);
	}
	assert(db->space_add(db, &s, &f) == 0);
	assert(db->log_key_add(db, s.id, &log, &f) == 0);
	assert(db->slot_add(db, s.id, DB_AUTHORITY, &slot, &f) == 0);
	assert(db->slot_add(db, s.id, DB_RECOVERY, &slot, &f) == 0);
	assert(db->epoch_add(db, s.id, 1, hash, &f) == 0);
	memcpy(set.signer, party[0].device.id, ID_LEN);
	assert(custody_sign(&set, &party[0].key) == 0);
	assert(db->custody_add(db, &set, false, &f) == 0);
	assert(db->commit(db, &f) == 0);
}

/* The link to a keys role that is gone. */
static void
no_keys_role(void)
{
	int from[2], to[2];

	(void)signal(SIGPIPE, SIG_IGN);
	assert(pipe(from) == 0 && pipe(to) == 0);
	(void)close(from[1]);
	(void)close(to[0]);
	ledger.keys = link_init(from[0], to[1], LINK_PIPE_MAX);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char dir[] = "/tmp/skerry-fuzz-XXXXXX";
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	static char jurisdiction[] = "ch", host[] = HOST;
	struct fault f = { 0 };
	char path[64];

	(void)argc;
	(void)argv;
	assert(secret_init() == 0 && mkdtemp(dir) != NULL);
	for (unsigned i = 0; i < WHO; i++)
		make_party(i);
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	assert(db_sqlite_open(path, &ledger.db, &f) == 0);
	make_account(ledger.db);
	(void)unlink(path); /* open, and gone with the process */
	(void)snprintf(path, sizeof(path), "%s/epochs", dir);
	assert(vault_open(path, &ledger.vault, &f) == 0);
	(void)rmdir(path); /* likewise */
	assert(policy_sign(bytes_of(POLICY, strlen(POLICY)), &party[0].key,
	    &file, &f) == 0);
	assert(policy_load(buf_bytes(&file), NULL, &ledger.policy, &f) == 0);
	ledger.jurisdiction = jurisdiction;
	ledger.host = host;
	ledger.lease = 60;
	no_keys_role();
	return 0;
}

/* What the front would send. */
static void
sign_request(const char *path, enum who who, struct bytes body,
    struct buf *out)
{
	struct httpsig s = { .created = NOW };
	struct request q = { .body = body };

	memcpy(s.keyid, party[who].device.id, ID_LEN);
	(void)snprintf(q.path, sizeof(q.path), "%s", path);
	assert(httpsig_sign(&party[who].key, &s, HOST, path, body,
	    &q.sig) == 0);
	assert(request_write(&q, out) == 0);
}

static void
on_answer(void *ctx, size_t i, struct bytes answer)
{
	struct request_answer a;

	(void)ctx;
	(void)i;
	assert(request_answer_read(answer, &a) == 0);
	assert(a.status != 500);
	assert(a.json.n >= 2 && a.json.p[0] == '{' &&
	    a.json.p[a.json.n - 1] == '}');
}

/* As in a batch, but that nothing is kept. */
static void
ask(struct bytes in)
{
	const struct ledger_sink sink = { .answer = on_answer };
	static struct ledger_batch b;
	struct fault f = { 0 };

	b.now = NOW;
	b.n = 1;
	assert(ledger.db->begin(ledger.db, &f) == 0);
	assert(ledger_answer(&ledger, in, NOW, &b.reply[0]) == 0);
	ledger.db->abort(ledger.db);
	ledger.ndoomed = 0;
	ledger_complete(&ledger, &b, &sink);
	assert(b.reply[0].answered);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in defer(buf_wipe) = buf_init(1u << 20);

	if (size < 2 || size > 2 + REQUEST_BODY_MAX)
		return 0;
	if (data[0] < ARRAY_LEN(paths)) {
		sign_request(paths[data[0]], data[1] % WHO,
		    bytes_of(data + 2, size - 2), &in);
		ask(buf_bytes(&in));
	} else {
		ask(bytes_of(data + 2, size - 2));
	}
	return 0;
}
