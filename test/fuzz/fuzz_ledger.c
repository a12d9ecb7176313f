// SPDX-License-Identifier: Apache-2.0
/*
 * Whole requests at the ledger, with the keys role beside it and a log in
 * memory.  The first byte says which path, the second who signs and whether an
 * account wants an invitation; the rest is the body, which is signed well, or,
 * for a path that there is not, the bytes that a front would send.  Whatever
 * comes: an answer of the form that is promised, never INTERNAL, and nothing
 * sealed without a proof beside it.
 */
#include <assert.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "authority/keymsg.h"
#include "authority/keys.h"
#include "authority/keystore_file.h"
#include "authority/ledger.h"
#include "authority/vault.h"
#include "base/wr.h"
#include "crypt/hpke.h"
#include "crypt/invitation.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/text.h"
#include "object/chain.h"
#include "object/custody.h"
#include "store/log_dir.h"
#include "tlog/checkpoint.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000
#define DEMANDS 40 /* more than a page of them */
#define HOST "a.example"
#define ORIGIN HOST "/log"
#define POLICY                                                               \
	"{\"v\":1,\"serial\":7,\"issued\":5,\"authorities\":[{\"name\":"     \
	"\"a\",\"jurisdiction\":\"ch\",\"url\":\"https://a.example\","       \
	"\"ca\":\"PEM\",\"intake\":\"%s\",\"signing\":\"%s\",\"log\":"       \
	"\"%.*s\"}],"                                                        \
	"\"depots\":[{\"name\":\"d\",\"jurisdiction\":\"es\",\"url\":"       \
	"\"https://d.example\",\"ca\":\"PEM\"}],\"residencies\":[{\"name\":" \
	"\"r\",\"jurisdiction\":\"es\",\"depots\":[\"d\"],\"keys\":"         \
	"[\"ch\"]}]}"

static const char *const paths[] = {
	"/v1/accounts", "/v1/session", "/v1/head", "/v1/enrolments",
	"/v1/enrolments/lookup", "/v1/devices", "/v1/account", "/v1/recovery",
	"/v1/epochs", "/v1/epochs/destroy", "/v1/custody", "/v1/keyslots",
	"/v1/entries", "/v1/holders", REQUEST_PUBLISHED,
	"/v1/custody/sets",
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
static struct keys keys = { .lease = 3600 };
static struct keystore_public public;
static char dir[] = "/dev/shm/skerry-fuzz-XXXXXX";

/* A log that forgets as fast as it learns.  Of one tile: a request makes a few
 * entries, and there are two and those of DEMANDS before them. */
static struct memory_log {
	struct log log;
	struct log_signer signer;
	struct merkle_hash leaf[TILE_WIDTH];
	struct merkle_edge edge;
	struct buf note;
} memory;

/* All that a request changes and no transaction undoes, as it was before. */
static struct {
	struct merkle_edge edge;
	struct buf note;
	struct ledger_log log;
	struct keymsg_tree signed_last;
} before;

/* Keys compare with their own time what the ledger says. */
time_t
time(time_t *out)
{
	if (out != NULL)
		*out = NOW;
	return NOW;
}

static int
memory_append(struct log *l, const struct bytes *entry, size_t n,
    uint64_t *first, struct fault *f)
{
	struct buf text defer(buf_wipe) = buf_init(CHECKPOINT_TEXT_MAX);
	struct checkpoint c = { .origin = bytes_of(ORIGIN, strlen(ORIGIN)) };
	int rc;

	(void)l;
	*first = memory.edge.size;
	assert(n <= TILE_WIDTH - *first);
	for (size_t i = 0; i < n; i++) {
		merkle_leaf(entry[i], &memory.leaf[*first + i]);
		assert(merkle_append(&memory.edge, &memory.leaf[*first + i]) ==
		    0);
	}
	c.size = memory.edge.size;
	merkle_root(&memory.edge, &c.root);
	assert(checkpoint_format(&c, &text) == 0);
	memory.note.n = 0;
	rc = memory.signer.sign(memory.signer.ctx, buf_bytes(&text),
	    &memory.note);
	return rc == 0 ? 0 : fault_set(f, rc, "signing");
}

static int
memory_head(struct log *l, struct log_head *out, struct buf *note,
    struct fault *f)
{
	(void)l;
	(void)f;
	out->size = memory.edge.size;
	merkle_root(&memory.edge, &out->root);
	return buf_append(note, memory.note.p, memory.note.n);
}

static int
memory_publish(struct log *l, struct bytes note, struct fault *f)
{
	(void)l;
	(void)note;
	(void)f;
	return 0;
}

static int
memory_tile(void *ctx, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	(void)ctx;
	assert(id->level == 0 && id->index == 0);
	memcpy(out, memory.leaf, id->width * sizeof(*out));
	return 0;
}

static struct tile_source
memory_tiles(struct log *l)
{
	(void)l;
	return (struct tile_source){ .get = memory_tile };
}

static const struct log_ops memory_ops = { .append = memory_append,
	.head = memory_head, .publish = memory_publish,
	.tiles = memory_tiles };

/* Stands for that of log_dir.c. */
int
log_dir_open(const char *path, const struct note_key *key,
    struct log_signer signer, struct log **out, struct fault *f)
{
	(void)path;
	(void)key;
	(void)f;
	memory.log.ops = &memory_ops;
	memory.signer = signer;
	memory.note = buf_init(NOTE_MAX);
	*out = &memory.log;
	return 0;
}

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

/* A space key as the keys role keeps it. */
static void
admit(const struct db_space *s, struct db_slot *out)
{
	struct buf aad defer(buf_wipe) = buf_init(64);
	struct wr w = wr_to(&aad);
	struct keymsg_admit m = { .of.epoch = out->epoch };

	memcpy(m.of.account, s->account, ID_LEN);
	memcpy(m.of.space, s->id, ID_LEN);
	wr_copy(&w, s->account, ID_LEN);
	wr_copy(&w, s->id, ID_LEN);
	wr_u32(&w, out->epoch);
	assert(wr_finish(&w) == 0);
	assert(hpke_seal(&public.intake, bytes_of("skerry admit v1", 15),
	    buf_bytes(&aad), bytes_of((uint8_t[KEY_LEN]){ 5 }, KEY_LEN),
	    m.blob) == 0);
	assert(keymsg_admit(&ledger.keys, &m, out->blob) == 0);
}

/* A space in sealed custody, which has a head: what is kept of its keys is
 * opaque, so that a corpus can hold it. */
static void
make_sealed(struct db *db)
{
	static const uint8_t hash[DB_HASH_LEN];
	const struct db_space s = { .id = { 5 }, .account = { 1 },
		.prefix = { 6 }, .residency = "r", .depot = "d" };
	const struct leaf_log_key log = { { 7 } };
	struct custody set = { .mode = CUSTODY_SEALED, .k = 1, .n = 1,
		.serial = 1, .epoch = 1, .space = { 5 }, .time = 1,
		.effective = 1, .holder[0] = { .signing = public.signing,
		    .jurisdiction = "ch" }, .kind = CUSTODY_DEVICE };
	struct db_head head = { .number = 1, .head = { 1, [7] = 1, [15] = 1 } };
	struct fault f = { 0 };

	assert(db->space_add(db, &s, &f) == 0);
	assert(db->log_key_add(db, s.id, &log, &f) == 0);
	assert(db->epoch_add(db, s.id, 1, hash, &f) == 0);
	assert(db->head_move(db, s.id, &head, &f) == 0);
	memcpy(set.signer, party[0].device.id, ID_LEN);
	assert(custody_sign(&set, &party[0].key) == 0);
	assert(db->custody_add(db, &set, false, &f) == 0);
}

/* The entry of the account's enrolment, with its first space. */
static void
log_account(struct db *db, const uint8_t *space,
    const struct leaf_log_key *key, const uint8_t *entry)
{
	uint8_t body[OUTBOX_CHAIN_LEN];
	const struct outbox_what what = { .type = LEAF_ENROLMENT,
		.subject = { 1 }, .time = 1,
		.body = bytes_of(body, sizeof(body)) };
	struct outbox_item item;
	struct fault f = { 0 };

	outbox_chain(account, space, entry, body);
	assert(outbox_add(db, &what, key, &item, &f) == 0);
	outbox_wipe(&item);
}

/* The code is zeros. */
static void
make_invitation(struct db *db)
{
	const struct db_invitation i = { .uses = 1, .expires = NOW + 1 };
	const struct invitation code = { { 0 } };
	uint8_t hash[DB_HASH_LEN];
	struct fault f = { 0 };

	invitation_hash(&code, hash);
	assert(db->invitation_add(db, &i, hash, &f) == 0);
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
	struct demand demand = { .state = DEMAND_ENTERED, .id = { 5 },
		.jurisdiction = "cn" };
	struct outbox_item item;
	struct custody set = { .mode = CUSTODY_STANDARD, .k = 1, .n = 1,
		.serial = 1, .epoch = 1, .space = { 2 }, .time = 1,
		.effective = 1, .holder[0] = { .signing = public.signing,
		    .jurisdiction = "ch" }, .kind = CUSTODY_DEVICE };
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
	admit(&s, &slot);
	assert(db->slot_add(db, s.id, DB_AUTHORITY, &slot, &f) == 0);
	assert(db->slot_add(db, s.id, DB_RECOVERY, &slot, &f) == 0);
	assert(db->epoch_add(db, s.id, 1, hash, &f) == 0);
	for (int i = 0; i < DEMANDS; i++) {
		demand.until = i % 2 == 0 ? 0 : NOW + 1;
		assert(outbox_demand(db, &demand, bytes_of("Give.", 5), NOW,
		    &item, &f) == 0);
		outbox_wipe(&item);
	}
	memcpy(set.signer, party[0].device.id, ID_LEN);
	assert(custody_sign(&set, &party[0].key) == 0);
	assert(db->custody_add(db, &set, false, &f) == 0);
	log_account(db, s.id, &log, e);
	make_sealed(db);
	make_invitation(db);
	assert(db->commit(db, &f) == 0);
}

static void *
run_keys(void *arg)
{
	const struct link *l = arg;
	struct pollfd p = { .fd = l->rfd, .events = POLLIN };

	while (poll(&p, 1, -1) == 1) {
		struct buf ask defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
		struct buf out defer(buf_wipe) = buf_init(LINK_PIPE_MAX - 8);
		uint64_t call;

		assert(link_take(l, &call, &ask) == 0);
		assert(keys_answer_all(&keys, PERMIT_LEDGER, buf_bytes(&ask),
		    &out) == 0);
		assert(link_answer(l, call, buf_bytes(&out)) == 0);
	}
	return NULL;
}

/* The keys role, as a thread. */
static void
start_keys(void)
{
	static const struct keystore_file_cost cheap = { 1, 8192 };
	static struct link theirs;
	static uint8_t file[KEYSTORE_FILE_LEN];
	struct keystore_config c = { .kind = "file",
		.keyfile = bytes_of(file, sizeof(file)),
		.passphrase = bytes_of("p", 1) };
	struct fault f = { 0 };
	pthread_t thread;
	int fd[2];

	assert(keystore_file_make(c.passphrase, &cheap, file, &public) == 0);
	assert(keystore_open(&c, &keys.store, &f) == 0);
	assert(keys_log(&keys, HOST) == 0);
	assert(permit_ask(&keys.permit, PERMIT_PARENT, PERMIT_BOOT) == 0);
	assert(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) == 0);
	theirs = link_init(fd[0], fd[0], LINK_PIPE_MAX);
	ledger.keys.link = link_init(fd[1], fd[1], LINK_PIPE_MAX);
	assert(pthread_create(&thread, NULL, run_keys, &theirs) == 0);
}

static void
make_policy(struct buf *file)
{
	struct buf log defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	char text[2048], intake[TEXT_B64_SIZE(32)], sign[TEXT_B64_SIZE(32)];
	struct fault f = { 0 };
	int n;

	assert(note_key_format(&keys.log, &log) == 0);
	text_b64(public.intake.b, 32, intake, sizeof(intake));
	text_b64(public.signing.b, 32, sign, sizeof(sign));
	n = snprintf(text, sizeof(text), POLICY, intake, sign, (int)log.n,
	    (const char *)log.p);
	assert(policy_sign(bytes_of(text, (size_t)n), &party[0].key, file,
	    &f) == 0);
	assert(policy_load(buf_bytes(file), NULL, &ledger.policy, &f) == 0);
}

/* The log, with the account and the policy. */
static void
start_log(struct bytes policy)
{
	struct ledger_log *g = &ledger.log;
	struct fault f = { 0 };
	int shown_rc;

	g->db = ledger.db;
	g->keys = &ledger.keys;
	g->key = ledger.policy->authorities[0].log;
	g->cosign.trust = ledger.policy->trust;
	assert(ledger_log_open(g, dir, &f) == 0);
	assert(ledger_log_policy(&ledger, policy, NOW, &f) == 0);
	assert(ledger_log_follow(g, &shown_rc, &f) == 0 && shown_rc == 0);
	assert(g->shown_size == 2 + DEMANDS);
	before.edge = memory.edge;
	before.note = buf_init(NOTE_MAX);
	assert(buf_append(&before.note, memory.note.p, memory.note.n) == 0);
	before.log = *g;
	before.signed_last = keys.tree;
}

/* The folder of all that is kept: of epochs, and of the database, which is open
 * and gone with the process. */
static void
empty_folder(void)
{
	DIR *d = fdopendir(dup(ledger.vault));
	const struct dirent *e;

	assert(d != NULL);
	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			assert(unlinkat(ledger.vault, e->d_name, 0) == 0);
	(void)closedir(d);
}

static void
remove_dir(void)
{
	(void)rmdir(dir);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct buf policy defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	static char jurisdiction[] = "ch", host[] = HOST;
	struct fault f = { 0 };
	char path[64];

	(void)argc;
	(void)argv;
	assert(secret_init() == 0 && mkdtemp(dir) != NULL);
	(void)atexit(remove_dir);
	for (unsigned i = 0; i < WHO; i++)
		make_party(i);
	start_keys();
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	assert(db_sqlite_open(path, &ledger.db, &f) == 0);
	make_account(ledger.db);
	make_policy(&policy);
	ledger.signing = public.signing;
	ledger.jurisdiction = jurisdiction;
	ledger.host = host;
	ledger.lease = 60;
	pace_start(&ledger.pace, NULL, NOW, 0);
	start_log(buf_bytes(&policy));
	assert(vault_open(dir, &ledger.vault, &f) == 0);
	empty_folder();
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

static bool
has(struct bytes json, const char *text)
{
	return memmem(json.p, json.n, text, strlen(text)) != NULL;
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
	/* [tlog] append, then release */
	if (has(a.json, "\"sealed\":\""))
		assert(a.status == 200 && has(a.json, "\"proofs\":[\""));
}

static void
restore(struct buf *to, const struct buf *from)
{
	to->n = 0;
	assert(buf_append(to, from->p, from->n) == 0);
}

/* As it was before the request. */
static void
forget(void)
{
	struct ledger_log *g = &ledger.log;
	const struct buf note = g->note, shown = g->shown;

	ledger.db->abort(ledger.db);
	ledger.ndoomed = 0;
	memory.edge = before.edge;
	restore(&memory.note, &before.note);
	keys.tree = before.signed_last;
	*g = before.log;
	g->note = note;
	g->shown = shown;
	restore(&g->note, &before.note);
	restore(&g->shown, &before.note);
	empty_folder();
}

/* As in a batch, but that nothing is kept. */
static void
ask(struct bytes in)
{
	const struct ledger_sink sink = { .answer = on_answer };
	static struct ledger_batch b;
	struct fault f = { 0 };
	int shown_rc;

	b.now = NOW;
	b.n = 1;
	assert(ledger.db->begin(ledger.db, &f) == 0);
	assert(ledger_answer(&ledger, in, NOW, &b.reply[0]) == 0);
	assert(ledger_log_follow(&ledger.log, &shown_rc, &f) == 0);
	assert(shown_rc == 0);
	ledger_complete(&ledger, &b, &sink);
	forget();
	assert(b.reply[0].answered);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in defer(buf_wipe) = buf_init(1u << 20);

	if (size < 2 || size > 2 + REQUEST_BODY_MAX)
		return 0;
	ledger.by_invitation = data[1] / WHO % 2 == 1;
	if (data[0] < ARRAY_LEN(paths)) {
		sign_request(paths[data[0]], data[1] % WHO,
		    bytes_of(data + 2, size - 2), &in);
		ask(buf_bytes(&in));
	} else {
		ask(bytes_of(data + 2, size - 2));
	}
	return 0;
}
