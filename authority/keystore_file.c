// SPDX-License-Identifier: Apache-2.0
#include "authority/keystore_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "crypt/bulk.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define VERSION 1
#define SALT_LEN 16
#define CHECK_LEN 16
#define OPS_MAX 64
#define MEM_MIN 8192
#define MEM_MAX (UINT64_C(2) << 30)

const struct keystore_file_cost keystore_file_usual = { 3, 64 << 20 };

_Static_assert(sizeof(struct keystore_root) == 96, "root is packed on disk");

struct keystore_file {
	struct keystore ks; /* first: callbacks get a pointer to it */
	struct keystore_root *root;  /* secret memory */
};

struct clear {
	struct keystore_file_cost cost;
	uint8_t salt[SALT_LEN];
	struct keystore_public pub;
	uint8_t check[CHECK_LEN];
};

/* What the passphrase gives; kept in secret memory. */
struct derived {
	uint8_t s[32];
	struct seal_key key;
	uint8_t check[CHECK_LEN];
};

static int
clear_write(const struct clear *c, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_u8(&w, VERSION);
	wr_copy(&w, "\0\0", 3);
	wr_u64(&w, c->cost.ops);
	wr_u64(&w, c->cost.mem);
	wr_copy(&w, c->salt, SALT_LEN);
	wr_copy(&w, c->pub.intake.b, sizeof(c->pub.intake.b));
	wr_copy(&w, c->pub.signing.b, sizeof(c->pub.signing.b));
	wr_copy(&w, c->check, CHECK_LEN);
	return wr_finish(&w);
}

static int
clear_read(struct bytes file, struct clear *out)
{
	struct rd r = rd_from(file.p, file.n);
	struct clear c;
	int rc;

	if (file.n != KEYSTORE_FILE_LEN)
		return FAULT_MALFORMED;
	if (rd_u8(&r) != VERSION)
		return FAULT_VERSION;
	for (int i = 0; i < 3; i++)
		rd_require(&r, rd_u8(&r) == 0);
	c.cost.ops = rd_u64(&r);
	c.cost.mem = rd_u64(&r);
	rd_require(&r, c.cost.ops >= 1 && c.cost.ops <= OPS_MAX);
	rd_require(&r, c.cost.mem >= MEM_MIN && c.cost.mem <= MEM_MAX);
	rd_copy(&r, c.salt, SALT_LEN);
	rd_copy(&r, c.pub.intake.b, sizeof(c.pub.intake.b));
	rd_copy(&r, c.pub.signing.b, sizeof(c.pub.signing.b));
	rd_copy(&r, c.check, CHECK_LEN);
	(void)rd_take(&r, KEYSTORE_FILE_LEN - KEYSTORE_FILE_CLEAR_LEN);
	rc = rd_finish(&r);
	if (rc != 0)
		return rc;
	*out = c;
	return 0;
}

static int
derive(struct bytes pass, const struct clear *c, struct derived *out)
{
	int rc = kdf_passphrase(pass, c->salt, c->cost.ops, c->cost.mem,
	    out->s);

	if (rc == 0)
		rc = kdf_hkdf(bytes_of(out->s, sizeof(out->s)),
		    bytes_of(NULL, 0), "skerry/1 keyfile", out->key.b,
		    sizeof(out->key.b));
	if (rc == 0)
		rc = kdf_hkdf(bytes_of(out->s, sizeof(out->s)),
		    bytes_of(NULL, 0), "skerry/1 keyfile check", out->check,
		    CHECK_LEN);
	return rc;
}

int
keystore_file_make(struct bytes passphrase,
    const struct keystore_file_cost *cost,
    uint8_t out[static KEYSTORE_FILE_LEN], struct keystore_public *pub)
{
	struct keystore_root *root defer(secret_freep) =
	    secret_new(sizeof(*root));
	struct derived *d defer(secret_freep) = secret_new(sizeof(*d));
	struct bulk *bulk defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct buf file defer(buf_wipe) = buf_init(KEYSTORE_FILE_LEN);
	uint8_t sealed[sizeof(*root) + BULK_TAG_LEN];
	struct clear c = { .cost = *cost };
	int rc;

	if (root == NULL || d == NULL || bulk == NULL)
		return FAULT_MEMORY;
	secret_random(root->wrap.b, sizeof(root->wrap.b));
	sign_box_new(&root->intake, &c.pub.intake);
	sign_new(&root->signing, &c.pub.signing);
	secret_random(c.salt, SALT_LEN);
	rc = derive(passphrase, &c, d);
	if (rc != 0)
		return rc;
	memcpy(c.check, d->check, CHECK_LEN);
	rc = clear_write(&c, &file);
	if (rc == 0)
		rc = bulk_seal(bulk, &d->key, 0, buf_bytes(&file),
		    bytes_of(root, sizeof(*root)), sealed);
	if (rc == 0)
		rc = buf_append(&file, sealed, sizeof(sealed));
	if (rc != 0)
		return rc;
	memcpy(out, file.p, KEYSTORE_FILE_LEN);
	*pub = c.pub;
	return 0;
}

int
keystore_file_public(struct bytes file, struct keystore_public *out)
{
	struct clear c;
	int rc = clear_read(file, &c);

	if (rc != 0)
		return rc;
	*out = c.pub;
	return 0;
}

static struct keystore_root *
root_of(struct keystore *ks)
{
	return ((struct keystore_file *)ks)->root;
}

static int
do_wrap(struct keystore *ks, struct bytes aad, const struct space_key *in,
    uint8_t out[static WRAP_LEN])
{
	return wrap_seal(&root_of(ks)->wrap, aad, in, out);
}

static int
do_unwrap(struct keystore *ks, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out)
{
	return wrap_open(&root_of(ks)->wrap, aad, in, out);
}

static int
do_intake(struct keystore *ks, struct bytes info, struct bytes aad,
    const uint8_t in[static KEYSTORE_SEALED_LEN], struct space_key *out)
{
	return hpke_open(&root_of(ks)->intake, info, aad,
	    bytes_of(in, KEYSTORE_SEALED_LEN), out->b);
}

static int
do_capability(struct keystore *ks, const struct capability *cap,
    struct buf *out)
{
	return capability_issue(&root_of(ks)->signing, cap, out);
}

static int
do_note(struct keystore *ks, struct bytes text, const struct note_key *pub,
    struct buf *out)
{
	return keystore_log_note(&root_of(ks)->signing, text, pub,
	    out);
}

static int
do_log_key(struct keystore *ks, struct bytes origin, struct note_key *out)
{
	return keystore_log_key(&root_of(ks)->signing, origin, out);
}

static int
do_sign(struct keystore *ks, struct bytes m, uint8_t out[static SIGN_LEN])
{
	sign_make(&root_of(ks)->signing, m, out);
	return 0;
}

static void
do_close(struct keystore *ks)
{
	secret_free(root_of(ks));
	free(ks);
}

/* The public halves in the clear part are what operators copy into a policy:
 * they are compared with the private ones, which the sealing covers. */
static int
root_open(const struct keystore_config *cfg, struct keystore_root *out)
{
	struct derived *d defer(secret_freep) = secret_new(sizeof(*d));
	struct bulk *bulk defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct keystore_public pub;
	struct clear c;
	int rc = clear_read(cfg->keyfile, &c);

	if (rc != 0)
		return rc;
	if (d == NULL || bulk == NULL)
		return FAULT_MEMORY;
	rc = derive(cfg->passphrase, &c, d);
	if (rc != 0)
		return rc;
	if (!secret_equal(d->check, c.check, CHECK_LEN))
		return FAULT_SECRET;
	rc = bulk_open(bulk, &d->key, 0,
	    bytes_of(cfg->keyfile.p, KEYSTORE_FILE_CLEAR_LEN),
	    bytes_of(cfg->keyfile.p + KEYSTORE_FILE_CLEAR_LEN,
	        cfg->keyfile.n - KEYSTORE_FILE_CLEAR_LEN),
	    (uint8_t *)out);
	if (rc != 0)
		return rc;
	sign_box_public(&out->intake, &pub.intake);
	sign_public(&out->signing, &pub.signing);
	return secret_equal(&pub, &c.pub, sizeof(pub)) ? 0 : FAULT_TAMPERED;
}

int
keystore_file_root(const struct keystore_config *cfg,
    struct keystore_root *out, struct fault *f)
{
	int rc = root_open(cfg, out);

	if (rc == FAULT_MALFORMED && cfg->keyfile.n > 0 &&
	    cfg->keyfile.p[0] == 2)
		return fault_set(f, FAULT_CONFIG, "keyfile: its root key is "
		    "in a token; \"keystore: pkcs11\" is wanted");
	return rc != 0 ? fault_set(f, rc, "keyfile: %s", fault_text(rc)) : 0;
}

int
keystore_file_open(const struct keystore_config *cfg, struct keystore **out,
    struct fault *f)
{
	struct keystore_root *root defer(secret_freep) =
	    secret_new(sizeof(*root));
	struct keystore_file *k;
	int rc;

	if (root == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = keystore_file_root(cfg, root, f);
	if (rc != 0)
		return rc;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	k->ks = (struct keystore){ .wrap = do_wrap, .unwrap = do_unwrap,
		.intake = do_intake, .capability = do_capability,
		.note = do_note, .log_key = do_log_key, .sign = do_sign,
		.close = do_close };
	k->root = take(root);
	*out = &k->ks;
	return 0;
}
