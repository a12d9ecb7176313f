// SPDX-License-Identifier: Apache-2.0
#include "authority/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authority/keymsg.h"
#include "authority/role.h"
#include "base/logline.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "object/chain.h"
#include "tlog/checkpoint.h"

#define CLOCK_SKEW 30 /* a batch takes so long at most, s */

/* A guarded allocation takes longer than an X25519, so there is one for the
 * life of the process. */
struct keys_room {
	struct keymsg m;
	struct space_key key, secret;
	struct wrap_key epoch;
};

static void
space_aad(struct wr *w, const struct keymsg_space *of)
{
	wr_copy(w, of->account, ID_LEN);
	wr_copy(w, of->space, ID_LEN);
	wr_u32(w, of->epoch);
}

/* [custody] A share's index is bound to it, behind everything else. */
static void
index_aad(struct wr *w, const struct keymsg_space *of)
{
	if (of->index != 0)
		wr_u8(w, of->index);
}

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

/* aad of a keyslot at rest: spec/10-names.md. */
static int
slot_aad(const struct keymsg_space *of, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_copy(&w, "skerry keyslot v1", strlen("skerry keyslot v1"));
	space_aad(&w, of);
	if (of->index == 0)
		wr_copy(&w, "authority", strlen("authority"));
	else
		wr_copy(&w, "share", strlen("share"));
	index_aad(&w, of);
	return wr_finish(&w);
}

/* [custody] Wraps the epoch's secret itself under the root key. */
static int
secret_aad(const struct keymsg_space *of, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_copy(&w, "skerry epoch v1", strlen("skerry epoch v1"));
	space_aad(&w, of);
	return wr_finish(&w);
}

static int
secret_make(struct keys *k, const struct keymsg_space *of, struct buf *out)
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	uint8_t wrapped[WRAP_LEN];
	int rc = secret_aad(of, &aad);

	secret_random(k->room->secret.b, sizeof(k->room->secret.b));
	if (rc == 0)
		rc = k->store->wrap(k->store, buf_bytes(&aad),
		    &k->room->secret, wrapped);
	if (rc == 0)
		rc = buf_append(out, wrapped, sizeof(wrapped));
	return rc;
}

/* The key that comes of the secret, into the room. */
static int
epoch_key(struct keys *k, const struct keymsg_space *of,
    const struct keymsg_secret *s)
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	struct keys_room *r = k->room;
	int rc = secret_aad(of, &aad);

	if (rc == 0)
		rc = k->store->unwrap(k->store, buf_bytes(&aad), s->wrapped,
		    &r->secret);
	if (rc == 0)
		rc = kdf_hkdf(bytes_of(r->secret.b, sizeof(r->secret.b)),
		    bytes_of(NULL, 0), "skerry/1 epoch", r->epoch.b,
		    sizeof(r->epoch.b));
	return rc;
}

static int
slot_wrap(struct keys *k, const struct keymsg_space *of,
    const struct keymsg_secret *under, uint8_t out[static WRAP_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	int rc = slot_aad(of, &aad);

	if (rc == 0 && !under->has)
		return k->store->wrap(k->store, buf_bytes(&aad),
		    &k->room->key, out);
	if (rc == 0)
		rc = epoch_key(k, of, under);
	if (rc == 0)
		rc = wrap_seal(&k->room->epoch, buf_bytes(&aad),
		    &k->room->key, out);
	return rc;
}

static int
slot_unwrap(struct keys *k, const struct keymsg_space *of,
    const struct keymsg_secret *under, const uint8_t in[static WRAP_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	int rc = slot_aad(of, &aad);

	if (rc == 0 && !under->has)
		return k->store->unwrap(k->store, buf_bytes(&aad), in,
		    &k->room->key);
	if (rc == 0)
		rc = epoch_key(k, of, under);
	if (rc == 0)
		rc = wrap_open(&k->room->epoch, buf_bytes(&aad), in,
		    &k->room->key);
	return rc;
}

static int
admit(struct keys *k, const struct keymsg_admit *m, struct buf *out)
{
	struct buf sent defer(buf_wipe) = buf_init(256);
	struct wr w = wr_to(&sent);
	uint8_t wrapped[WRAP_LEN];
	int rc;

	space_aad(&w, &m->of);
	index_aad(&w, &m->of);
	rc = wr_finish(&w);
	if (rc == 0)
		rc = k->store->intake(k->store, text("skerry admit v1"),
		    buf_bytes(&sent), m->blob, &k->room->key);
	if (rc == 0)
		rc = slot_wrap(k, &m->of, &m->under, wrapped);
	if (rc == 0)
		rc = buf_append(out, wrapped, sizeof(wrapped));
	return rc;
}

/* [tlog] the entry says just this release, and is in the tree signed last. */
static int
is_logged(const struct keys *k, const struct keymsg_release *m,
    const uint8_t device[static ID_LEN])
{
	struct buf body defer(buf_wipe) = buf_init(LEAF_BODY_MAX);
	struct body_release b = { .epoch = m->of.epoch,
		.created = m->created };
	const struct keymsg_logged *l = &m->logged;
	struct merkle_hash hash;
	struct leaf leaf;
	int rc;

	if (!k->resumed)
		return FAULT_NOT_FOUND;
	memcpy(b.account, m->of.account, ID_LEN);
	memcpy(b.space, m->of.space, ID_LEN);
	memcpy(b.device, device, ID_LEN);
	memcpy(b.nonce, m->nonce, sizeof(b.nonce));
	memcpy(b.digest, m->digest, sizeof(b.digest));
	memcpy(b.signature, m->signature, sizeof(b.signature));
	(void)snprintf(b.host, sizeof(b.host), "%s", k->host);
	rc = body_release_write(&b, &body);
	if (rc == 0)
		rc = leaf_decode(l->entry, &leaf);
	if (rc == 0 && leaf.type != LEAF_RELEASE)
		rc = FAULT_DENIED;
	if (rc == 0)
		rc = leaf_open(&leaf, &l->key, buf_bytes(&body));
	if (rc != 0)
		return rc;
	merkle_leaf(l->entry, &hash);
	return merkle_check_inclusion(&l->path, l->index, k->tree.size, &hash,
	    &k->tree.root);
}

static int
release(struct keys *k, const struct keymsg_release *m, struct buf *out)
{
	struct space_key *key = &k->room->key;
	struct buf aad defer(buf_wipe) = buf_init(256);
	struct wr w = wr_to(&aad);
	uint8_t device[ID_LEN], sealed[KEYSTORE_SEALED_LEN];
	int rc;

	chain_device_id(&m->sign, &m->box, device);
	rc = is_logged(k, m, device);
	if (rc != 0)
		return rc;
	space_aad(&w, &m->of);
	wr_copy(&w, device, ID_LEN);
	index_aad(&w, &m->of);
	rc = wr_finish(&w);
	if (rc == 0)
		rc = slot_unwrap(k, &m->of, &m->under, m->wrapped);
	if (rc == 0)
		rc = hpke_seal(&m->box, text("skerry release v1"),
		    buf_bytes(&aad), bytes_of(key->b, sizeof(key->b)), sealed);
	if (rc == 0)
		rc = buf_append(out, sealed, sizeof(sealed));
	return rc;
}

/* [custody] What is covered or uncovered is opaque here: HPKE to somebody
 * else's key. */
static int
cover(struct keys *k, bool on, const struct keymsg_cover *m, struct buf *out)
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	uint8_t done[KEYMSG_BLOB_MAX + WRAP_OVERHEAD];
	const struct bytes in = bytes_of(m->blob, m->n);
	struct wr w = wr_to(&aad);
	int rc;

	if (!m->under.has || (!on && m->n <= WRAP_OVERHEAD))
		return FAULT_MALFORMED;
	wr_copy(&w, "skerry cover v1", strlen("skerry cover v1"));
	space_aad(&w, &m->of);
	wr_u8(&w, m->kind);
	rc = wr_finish(&w);
	if (rc == 0)
		rc = epoch_key(k, &m->of, &m->under);
	if (rc == 0)
		rc = on ? wrap_bytes_seal(&k->room->epoch, buf_bytes(&aad), in,
		              done) :
			  wrap_bytes_open(&k->room->epoch, buf_bytes(&aad), in,
		              done);
	if (rc == 0)
		rc = buf_append(out, done, on ? m->n + WRAP_OVERHEAD :
		                                m->n - WRAP_OVERHEAD);
	return rc;
}

static int
timely(int64_t now)
{
	int64_t off = (int64_t)time(NULL) - now;

	return off > CLOCK_SKEW || off < -CLOCK_SKEW ? FAULT_CLOCK : 0;
}

static int
receipt(struct keys *k, const struct receipt *r, struct buf *out)
{
	struct buf b defer(buf_wipe) = buf_init(256);
	uint8_t sig[SIGN_LEN];
	int rc = timely(r->time);

	if (rc == 0)
		rc = receipt_signed(r, &b);
	if (rc == 0)
		rc = k->store->sign(k->store, buf_bytes(&b), sig);
	if (rc == 0)
		rc = buf_append(out, b.p + sizeof(RECEIPT_LABEL),
		    RECEIPT_SIGNED_LEN);
	if (rc == 0)
		rc = buf_append(out, sig, sizeof(sig));
	return rc;
}

/* [depot] a writer's capability cannot delete; the ledger cannot ask for one
 * that does, or for another time. */
static int
capability(struct keys *k, const struct keymsg_capability *m, struct buf *out)
{
	struct capability c = { .verbs = CAPABILITY_GET | CAPABILITY_PUT |
		    CAPABILITY_LIST,
		.nbf = m->now, .exp = m->now + k->lease };
	int rc = timely(m->now);

	if (rc != 0)
		return rc;
	memcpy(c.depot, m->depot, sizeof(c.depot));
	memcpy(c.prefix, m->prefix, ID_LEN);
	return k->store->capability(k->store, &c, out);
}

static int
tree_put(const struct keymsg_tree *t, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_u64(&w, t->size);
	wr_copy(&w, t->root.b, MERKLE_LEN);
	return wr_finish(&w);
}

/* The last tree, from a checkpoint of one's own.  Once it is known nobody is
 * asked again. */
static int
resume(struct keys *k, struct bytes data, struct buf *out)
{
	struct checkpoint c = { .size = 0 };
	struct note n;
	int rc = 0;

	if (k->resumed)
		return tree_put(&k->tree, out);
	merkle_empty(&c.root);
	if (data.n != 0) {
		rc = note_parse(data, &n);
		if (rc == 0 && note_verify(&n, &k->log) != 0)
			rc = FAULT_TRUST;
		if (rc == 0)
			rc = checkpoint_parse(n.text, &c);
		if (rc == 0 && bytes_cmp(c.origin, text(k->log.name)) != 0)
			rc = FAULT_TRUST;
	}
	if (rc != 0)
		return rc;
	k->tree.size = c.size;
	k->tree.root = c.root;
	k->resumed = true;
	return tree_put(&k->tree, out);
}

/* [tlog] one tree of each size, and each a continuation of the one before. */
static int
sign_tree(struct keys *k, const struct keymsg_sign *m, struct buf *out)
{
	struct buf body defer(buf_wipe) = buf_init(CHECKPOINT_TEXT_MAX);
	struct checkpoint c = { .size = m->tree.size, .root = m->tree.root,
		.origin = text(k->log.name) };
	int rc;

	if (!k->resumed)
		return FAULT_NOT_FOUND;
	if (m->old != k->tree.size || m->tree.size < k->tree.size)
		return FAULT_ROLLBACK;
	rc = merkle_check_consistency(&m->proof, m->old, m->tree.size,
	    &k->tree.root, &m->tree.root);
	if (rc == 0)
		rc = checkpoint_format(&c, &body);
	if (rc == 0)
		rc = k->store->note(k->store, buf_bytes(&body), &k->log, out);
	if (rc == 0)
		k->tree = m->tree;
	return rc;
}

int
keys_log(struct keys *k, const char *host)
{
	char origin[BODY_HOST_MAX + 5];
	int n = snprintf(origin, sizeof(origin), "%s/log", host);

	if (n < 0 || n > BODY_HOST_MAX)
		return FAULT_LIMIT;
	k->host = strdup(host);
	if (k->host == NULL)
		return FAULT_MEMORY;
	return k->store->log_key(k->store, text(origin), &k->log);
}

static int
act(struct keys *k, unsigned role, struct bytes ask, struct buf *out)
{
	struct keymsg *m = &k->room->m;
	int rc = keymsg_read(ask, m);

	if (rc == 0)
		rc = permit_ask(&k->permit, role, m->request);
	if (rc != 0)
		return rc;
	switch (m->request) {
	case PERMIT_ADMIT:
		return admit(k, &m->u.admit, out);
	case PERMIT_RELEASE:
		return release(k, &m->u.release, out);
	case PERMIT_CAPABILITY:
		return capability(k, &m->u.capability, out);
	case PERMIT_RESUME:
		return resume(k, m->u.note, out);
	case PERMIT_SIGN:
		return sign_tree(k, &m->u.sign, out);
	case PERMIT_SECRET:
		return secret_make(k, &m->u.secret, out);
	case PERMIT_COVER:
		return cover(k, true, &m->u.cover, out);
	case PERMIT_UNCOVER:
		return cover(k, false, &m->u.cover, out);
	case PERMIT_RECEIPT:
		return receipt(k, &m->u.receipt.r, out);
	default:
		return FAULT_DENIED;
	}
}

int
keys_answer(struct keys *k, unsigned role, struct bytes ask, struct buf *out)
{
	struct buf data defer(buf_wipe) = buf_init(out->max - 1);
	uint8_t code;
	int rc;

	if (k->room == NULL)
		k->room = secret_new(sizeof(*k->room));
	if (k->room == NULL)
		return FAULT_MEMORY;
	code = (uint8_t)fault_exit(act(k, role, ask, &data));
	secret_wipe(k->room, sizeof(*k->room));
	rc = buf_append(out, &code, 1);
	if (rc == 0 && code == 0)
		rc = buf_append(out, data.p, data.n);
	return rc;
}

/* What does not fit into the answer is a limit, of that request alone. */
int
keys_answer_all(struct keys *k, unsigned role, struct bytes packet,
    struct buf *out)
{
	const uint8_t limit = (uint8_t)fault_exit(FAULT_LIMIT);
	const uint8_t malformed = (uint8_t)fault_exit(FAULT_MALFORMED);
	int rc = 0;

	do {
		struct buf one defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
		struct bytes ask;

		if (keymsg_next(&packet, &ask) != 0)
			return keymsg_add(out, bytes_of(&malformed, 1));
		rc = keys_answer(k, role, ask, &one);
		if (rc == 0 && keymsg_add(out, buf_bytes(&one)) != 0)
			rc = keymsg_add(out, bytes_of(&limit, 1));
	} while (rc == 0 && packet.n != 0);
	return rc;
}

void
keys_wipe(struct keys *k)
{
	keystore_close(k->store);
	secret_free(k->room);
	free(k->host);
	*k = (struct keys){ 0 };
}

/* What the boot message says of the keystore; the texts are its own. */
struct keys_boot {
	struct buf b; /* keyfile and passphrase, until they are used */
	struct keystore_config cfg;
	struct role_reach reach;
	char *host, *kind, *module, *label, *key, *path[ROLE_PATHS_MAX];
	uint8_t id[64];
};

static void
boot_wipe(struct keys_boot *t)
{
	buf_wipe(&t->b);
	free(t->host);
	free(t->kind);
	free(t->module);
	free(t->label);
	free(t->key);
	for (size_t i = 0; i < t->reach.n; i++)
		free(t->path[i]);
}

static void
token_read(struct rd *r, struct keys_boot *t)
{
	struct keystore_token *k = &t->cfg.token;
	struct bytes id;
	uint32_t n;

	k->module = t->module = role_boot_text(r);
	t->label = role_boot_text(r);
	k->label = t->label != NULL && t->label[0] != '\0' ? t->label : NULL;
	k->slot = (int64_t)rd_u64(r);
	k->key = t->key = role_boot_text(r);
	id = role_boot_field(r);
	rd_require(r, id.n <= sizeof(t->id));
	if (!r->failed && id.n != 0)
		memcpy(t->id, id.p, id.n);
	k->id = bytes_of(t->id, id.n);
	k->key_wrap = rd_u8(r) != 0;
	k->token_iv = rd_u8(r) != 0;
	t->reach.sockets = rd_u8(r) != 0;
	t->reach.tcp = rd_u8(r) != 0;
	n = rd_u32(r);
	rd_require(r, n <= ROLE_PATHS_MAX);
	for (uint32_t i = 0; !r->failed && i < n; i++) {
		t->path[i] = role_boot_text(r);
		rd_require(r, t->path[i] != NULL);
		t->reach.n = i + 1;
	}
	t->reach.path = (const char *const *)t->path;
}

static int
boot_read(struct keys *k, struct keys_boot *t, struct fault *f)
{
	struct rd r;
	int rc = role_boot_read(&t->b, f);

	if (rc != 0)
		return rc;
	r = rd_from(t->b.p, t->b.n);
	k->lease = rd_u32(&r);
	t->host = role_boot_text(&r);
	t->cfg.kind = t->kind = role_boot_text(&r);
	t->cfg.keyfile = role_boot_field(&r);
	t->cfg.passphrase = role_boot_field(&r);
	token_read(&r, t);
	rc = rd_finish(&r);
	if (rc != 0 || t->host == NULL || t->kind == NULL ||
	    t->module == NULL || t->label == NULL || t->key == NULL)
		return fault_set(f, FAULT_INTERNAL, "keys: boot message");
	t->reach.module = t->module[0] != '\0';
	rc = permit_ask(&k->permit, PERMIT_PARENT, PERMIT_BOOT);
	return rc != 0 ? fault_set(f, rc, "keys: boot") : 0;
}

/* [authority] the keyfile comes once, from the parent.  A token's module is
 * loaded before the confinement and runs in it from its first call on, so what
 * it lacks there shows at the start and not when a token comes back. */
static int
start(struct keys *k, struct keys_boot *t, struct fault *f)
{
	int rc = boot_read(k, t, f);

	if (rc == 0)
		rc = keystore_load(&t->cfg, f);
	if (rc == 0)
		rc = role_confine_to(ROLE_KEYS, &t->reach, f);
	if (rc == 0)
		rc = keystore_open(&t->cfg, &k->store, f);
	buf_wipe(&t->b);
	if (rc == 0) {
		rc = keys_log(k, t->host);
		if (rc != 0)
			(void)fault_set(f, rc, "keys: log key");
	}
	if (rc == 0)
		rc = role_ready(f);
	return rc;
}

/* Says once that the token is gone, and once that it is back. */
static void
tell_trouble(const struct keys *k, bool *gone)
{
	const char *why = keystore_trouble(k->store);
	struct logline l;

	if ((why != NULL) == *gone)
		return;
	*gone = why != NULL;
	l = logline_begin(why != NULL ? LOGLINE_ERROR : LOGLINE_INFO,
	    why != NULL ? "keystore-lost" : "keystore-back");
	if (why != NULL)
		logline_str(&l, "text", why);
	logline_end(&l);
}

int
keys_main(struct fault *f)
{
	const struct link l = link_init(ROLE_FD_KEYS_READ, ROLE_FD_KEYS_WRITE,
	    LINK_PIPE_MAX);
	struct keys_boot t defer(boot_wipe) = { .b = buf_init(ROLE_BOOT_MAX) };
	struct keys k = { 0 };
	bool gone = false;
	int rc = start(&k, &t, f);

	while (rc == 0) {
		struct buf ask defer(buf_wipe) = buf_init(LINK_PIPE_MAX);
		struct buf out defer(buf_wipe) = buf_init(LINK_PIPE_MAX - 8);
		uint64_t call;

		rc = role_wait(l.rfd, -1, f);
		if (rc == 0)
			rc = link_take(&l, &call, &ask);
		if (rc == FAULT_NOT_FOUND) {
			rc = 0;
			continue;
		}
		if (rc == 0)
			rc = keys_answer_all(&k, PERMIT_LEDGER,
			    buf_bytes(&ask), &out);
		tell_trouble(&k, &gone);
		if (rc == 0)
			rc = link_answer(&l, call, buf_bytes(&out));
		if (rc != 0)
			(void)fault_set(f, rc, "keys: %s", fault_text(rc));
	}
	keys_wipe(&k);
	return rc == FAULT_INTERRUPTED ? 0 : rc;
}
