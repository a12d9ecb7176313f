// SPDX-License-Identifier: Apache-2.0
#include "authority/keystore_pkcs11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority/pkcs11.h"
#include "base/clock.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "crypt/sign.h"

#define VERSION 2
#define IV_LEN 12
#define TAG_LEN 16
#define BIND_LEN 16
#define MARK "KWP1" /* leads a slot made by key wrap */
#define MARK_LEN 4
#define AGAIN_MS 500 /* between two looks for a token that was not there */

/* What key wrap wraps, which has no associated data of its own. */
struct bound {
	struct space_key key;
	uint8_t bind[BIND_LEN];
};

struct secrets {
	struct keystore_root root; /* without the root key */
	struct bound bound;
	struct space_key probed;
	size_t pin_len;
	uint8_t pin[PKCS11_PIN_MAX];
};

struct keystore_pkcs11 {
	struct keystore ks; /* first: callbacks get a pointer to it */
	struct keystore_token token;
	struct pkcs11 p;
	CK_OBJECT_HANDLE key;
	struct secrets *secrets; /* secret memory */
	bool up;        /* the session is good, as far as is known */
	bool denied;    /* the PIN was refused: not tried again */
	int64_t looked; /* ms, when a token was looked for in vain */
	uint8_t probe[WRAP_LEN]; /* what this key surely opens */
	char trouble[FAULT_TEXT_MAX]; /* "" if none */
};

static const struct bytes probe_aad = { (const uint8_t *)"probe", 5 };

static struct keystore_pkcs11 *
self_of(struct keystore *ks)
{
	return (struct keystore_pkcs11 *)ks;
}

/* [names] a nonce that the token has not written is refused: it would be the
 * same each time. */
static CK_RV
gcm_wrap(struct keystore_pkcs11 *k, struct bytes aad,
    const struct space_key *in, uint8_t out[static WRAP_LEN])
{
	static const uint8_t zero[IV_LEN];
	uint8_t slot[WRAP_LEN] = { 0 };
	CK_GCM_PARAMS g = { slot, IV_LEN, 8 * IV_LEN, (CK_BYTE *)aad.p, aad.n,
		8 * TAG_LEN };
	CK_MECHANISM m = { CKM_AES_GCM, &g, sizeof(g) };
	CK_ULONG n = WRAP_LEN - IV_LEN;
	CK_RV rv;

	if (!k->token.token_iv)
		secret_random(slot, IV_LEN);
	rv = k->p.fn->C_EncryptInit(k->p.session, &m, k->key);
	if (rv == CKR_OK)
		rv = k->p.fn->C_Encrypt(k->p.session, (CK_BYTE *)in->b,
		    KEY_LEN, slot + IV_LEN, &n);
	if (rv == CKR_OK && (n != WRAP_LEN - IV_LEN ||
	    memcmp(slot, zero, IV_LEN) == 0))
		rv = CKR_MECHANISM_PARAM_INVALID;
	if (rv == CKR_OK)
		memcpy(out, slot, WRAP_LEN);
	return rv;
}

static CK_RV
gcm_unwrap(struct keystore_pkcs11 *k, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out)
{
	CK_GCM_PARAMS g = { (CK_BYTE *)in, IV_LEN, 8 * IV_LEN,
		(CK_BYTE *)aad.p, aad.n, 8 * TAG_LEN };
	CK_MECHANISM m = { CKM_AES_GCM, &g, sizeof(g) };
	uint8_t plain[WRAP_LEN]; /* room for modules that ask for more */
	CK_ULONG n = sizeof(plain);
	CK_RV rv = k->p.fn->C_DecryptInit(k->p.session, &m, k->key);

	if (rv == CKR_OK)
		rv = k->p.fn->C_Decrypt(k->p.session, (CK_BYTE *)in + IV_LEN,
		    WRAP_LEN - IV_LEN, plain, &n);
	if (rv == CKR_OK && n != KEY_LEN)
		rv = CKR_ENCRYPTED_DATA_INVALID;
	if (rv == CKR_OK)
		memcpy(out->b, plain, KEY_LEN);
	secret_wipe(plain, sizeof(plain));
	return rv;
}

/* [names] the space key itself keys the hash of what it belongs to. */
static int
bind_of(const struct space_key *key, struct bytes aad,
    uint8_t out[static BIND_LEN])
{
	return kdf_hkdf(bytes_of(key->b, KEY_LEN), aad,
	    "skerry/1 keyslot bind", out, BIND_LEN);
}

/* C_WrapKey wraps objects only: one that lives for this call. */
static CK_RV
kwp_wrap(struct keystore_pkcs11 *k, struct bytes aad,
    const struct space_key *in, uint8_t out[static WRAP_LEN])
{
	struct bound *b = &k->secrets->bound;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE a[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &no, sizeof(no) },
		{ CKA_SENSITIVE, &no, sizeof(no) },
		{ CKA_EXTRACTABLE, &yes, sizeof(yes) },
		{ CKA_VALUE, b, sizeof(*b) },
	};
	CK_MECHANISM m = { CKM_AES_KEY_WRAP_PAD, NULL, 0 };
	uint8_t slot[WRAP_LEN] = MARK;
	CK_ULONG n = WRAP_LEN - MARK_LEN;
	CK_OBJECT_HANDLE object;
	CK_RV rv;

	b->key = *in;
	if (bind_of(in, aad, b->bind) != 0)
		return CKR_HOST_MEMORY;
	rv = k->p.fn->C_CreateObject(k->p.session, a, ARRAY_LEN(a), &object);
	secret_wipe(b, sizeof(*b));
	if (rv != CKR_OK)
		return rv;
	rv = k->p.fn->C_WrapKey(k->p.session, &m, k->key, object,
	    slot + MARK_LEN, &n);
	(void)k->p.fn->C_DestroyObject(k->p.session, object);
	if (rv == CKR_OK && n != WRAP_LEN - MARK_LEN)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		memcpy(out, slot, WRAP_LEN);
	return rv;
}

static CK_RV
kwp_read(struct keystore_pkcs11 *k, struct bytes aad,
    CK_OBJECT_HANDLE object, struct space_key *out)
{
	struct bound *b = &k->secrets->bound;
	CK_ATTRIBUTE v = { CKA_VALUE, b, sizeof(*b) };
	uint8_t bind[BIND_LEN];
	CK_RV rv = k->p.fn->C_GetAttributeValue(k->p.session, object, &v, 1);

	if (rv == CKR_OK && v.ulValueLen != sizeof(*b))
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK && bind_of(&b->key, aad, bind) != 0)
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK && !secret_equal(bind, b->bind, BIND_LEN))
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv == CKR_OK)
		*out = b->key;
	secret_wipe(b, sizeof(*b));
	return rv;
}

static CK_RV
kwp_unwrap(struct keystore_pkcs11 *k, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE a[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &no, sizeof(no) },
		{ CKA_SENSITIVE, &no, sizeof(no) },
		{ CKA_EXTRACTABLE, &yes, sizeof(yes) },
	};
	CK_MECHANISM m = { CKM_AES_KEY_WRAP_PAD, NULL, 0 };
	CK_OBJECT_HANDLE object;
	CK_RV rv;

	if (memcmp(in, MARK, MARK_LEN) != 0)
		return CKR_WRAPPED_KEY_INVALID;
	rv = k->p.fn->C_UnwrapKey(k->p.session, &m, k->key,
	    (CK_BYTE *)in + MARK_LEN, WRAP_LEN - MARK_LEN, a, ARRAY_LEN(a),
	    &object);
	if (rv != CKR_OK)
		return rv;
	rv = kwp_read(k, aad, object, out);
	(void)k->p.fn->C_DestroyObject(k->p.session, object);
	return rv;
}

static CK_RV
wrap_once(struct keystore_pkcs11 *k, struct bytes aad,
    const struct space_key *in, uint8_t out[static WRAP_LEN])
{
	return k->token.key_wrap ? kwp_wrap(k, aad, in, out) :
	                           gcm_wrap(k, aad, in, out);
}

static CK_RV
unwrap_once(struct keystore_pkcs11 *k, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out)
{
	return k->token.key_wrap ? kwp_unwrap(k, aad, in, out) :
	                           gcm_unwrap(k, aad, in, out);
}

static void
down(struct keystore_pkcs11 *k, const char *what, CK_RV rv)
{
	k->up = false;
	(void)snprintf(k->trouble, sizeof(k->trouble), "token: %s: %s (0x%lx)",
	    what, pkcs11_name(rv), rv);
}

static struct bytes
pin_of(const struct keystore_pkcs11 *k)
{
	return bytes_of(k->secrets->pin, k->secrets->pin_len);
}

/* Modules may know only the slots that were there when they started, so they
 * are started anew.  A PIN that was refused once is not tried again, as that
 * would lock the token. */
static int
up(struct keystore_pkcs11 *k, struct fault *f)
{
	int64_t now = clock_ms();
	int rc;

	if (k->denied || (k->looked != 0 && now - k->looked < AGAIN_MS))
		return fault_set(f, FAULT_AUTHORITY, "%s", k->trouble);
	pkcs11_close(&k->p);
	k->up = false;
	rc = pkcs11_open(&k->p, &k->token, pin_of(k), false, f);
	if (rc == 0)
		rc = pkcs11_key(&k->p, &k->token, &k->key, f);
	if (rc == 0) {
		k->up = true;
		k->looked = 0;
		k->trouble[0] = '\0';
		return 0;
	}
	k->denied = rc == FAULT_SECRET;
	k->looked = now;
	k->up = false;
	(void)snprintf(k->trouble, sizeof(k->trouble), "%s", f->text);
	return rc;
}

static bool
probe_opens(struct keystore_pkcs11 *k)
{
	return k->up && unwrap_once(k, probe_aad, k->probe,
	    &k->secrets->probed) == CKR_OK;
}

/* A module's code for data that was altered may be one for a broken device as
 * well.  What the token wrapped itself tells one from the other.  True: try
 * once more. */
static bool
mend(struct keystore_pkcs11 *k, CK_RV rv)
{
	struct fault f = { 0 };

	if (probe_opens(k))
		return false;
	if (k->up)
		down(k, "lost", rv);
	return up(k, &f) == 0;
}

static int
do_wrap(struct keystore *ks, struct bytes aad, const struct space_key *in,
    uint8_t out[static WRAP_LEN])
{
	struct keystore_pkcs11 *k = self_of(ks);
	CK_RV rv = k->up ? wrap_once(k, aad, in, out) :
	                   CKR_SESSION_HANDLE_INVALID;

	if (rv != CKR_OK && mend(k, rv))
		rv = wrap_once(k, aad, in, out);
	if (rv == CKR_OK)
		return 0;
	if (k->up)
		down(k, "wrap", rv);
	return FAULT_AUTHORITY;
}

static int
do_unwrap(struct keystore *ks, struct bytes aad,
    const uint8_t in[static WRAP_LEN], struct space_key *out)
{
	struct keystore_pkcs11 *k = self_of(ks);
	CK_RV rv = k->up ? unwrap_once(k, aad, in, out) :
	                   CKR_SESSION_HANDLE_INVALID;

	if (rv != CKR_OK && mend(k, rv))
		rv = unwrap_once(k, aad, in, out);
	if (rv == CKR_OK)
		return 0;
	if (probe_opens(k))
		return FAULT_SECRET;
	if (k->up)
		down(k, "unwrap", rv);
	return FAULT_AUTHORITY;
}

static int
do_intake(struct keystore *ks, struct bytes info, struct bytes aad,
    const uint8_t in[static KEYSTORE_SEALED_LEN], struct space_key *out)
{
	return hpke_open(&self_of(ks)->secrets->root.intake, info, aad,
	    bytes_of(in, KEYSTORE_SEALED_LEN), out->b);
}

static int
do_capability(struct keystore *ks, const struct capability *cap,
    struct buf *out)
{
	return capability_issue(&self_of(ks)->secrets->root.signing, cap, out);
}

static int
do_note(struct keystore *ks, struct bytes text, const struct note_key *pub,
    struct buf *out)
{
	return keystore_log_note(&self_of(ks)->secrets->root.signing, text, pub,
	    out);
}

static int
do_log_key(struct keystore *ks, struct bytes origin, struct note_key *out)
{
	return keystore_log_key(&self_of(ks)->secrets->root.signing, origin,
	    out);
}

static int
do_sign(struct keystore *ks, struct bytes m, uint8_t out[static SIGN_LEN])
{
	sign_make(&self_of(ks)->secrets->root.signing, m, out);
	return 0;
}

static const char *
do_trouble(const struct keystore *ks)
{
	const struct keystore_pkcs11 *k = (const struct keystore_pkcs11 *)ks;

	return k->trouble[0] != '\0' ? k->trouble : NULL;
}

static void
do_close(struct keystore *ks)
{
	struct keystore_pkcs11 *k = self_of(ks);

	pkcs11_close(&k->p);
	secret_free(k->secrets);
	free(k);
}

/* aad of a key in the keyfile. */
static int
file_aad(const uint8_t clear[static KEYSTORE_PKCS11_CLEAR_LEN],
    const char *name, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_copy(&w, "skerry keyfile v2", strlen("skerry keyfile v2"));
	wr_copy(&w, clear, KEYSTORE_PKCS11_CLEAR_LEN);
	wr_copy(&w, name, strlen(name));
	return wr_finish(&w);
}

static int
file_put(struct keystore_pkcs11 *k, uint8_t *file, const char *name,
    const uint8_t key[static KEY_LEN], uint8_t out[static WRAP_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	struct space_key *s defer(secret_freep) = secret_new(sizeof(*s));
	int rc = file_aad(file, name, &aad);

	if (rc != 0 || s == NULL)
		return FAULT_MEMORY;
	memcpy(s->b, key, KEY_LEN);
	return do_wrap(&k->ks, buf_bytes(&aad), s, out);
}

static int
file_get(struct keystore_pkcs11 *k, const uint8_t *file, const char *name,
    const uint8_t in[static WRAP_LEN], uint8_t key[static KEY_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(256);
	struct space_key *s defer(secret_freep) = secret_new(sizeof(*s));
	int rc = file_aad(file, name, &aad);

	if (rc != 0 || s == NULL)
		return FAULT_MEMORY;
	rc = do_unwrap(&k->ks, buf_bytes(&aad), in, s);
	if (rc == 0)
		memcpy(key, s->b, KEY_LEN);
	return rc;
}

static int
file_write(struct keystore_pkcs11 *k,
    uint8_t out[static KEYSTORE_PKCS11_LEN], struct fault *f)
{
	struct keystore_root *root = &k->secrets->root;
	uint8_t file[KEYSTORE_PKCS11_LEN] = { VERSION };
	struct keystore_public pub;
	int rc;

	sign_box_public(&root->intake, &pub.intake);
	sign_public(&root->signing, &pub.signing);
	memcpy(file + 4, pub.intake.b, 32);
	memcpy(file + 36, pub.signing.b, 32);
	rc = file_put(k, file, "intake", root->intake.b,
	    file + KEYSTORE_PKCS11_CLEAR_LEN);
	if (rc == 0)
		rc = file_put(k, file, "signing", root->signing.seed,
		    file + KEYSTORE_PKCS11_CLEAR_LEN + WRAP_LEN);
	if (rc != 0)
		return fault_set(f, rc, "%s", k->trouble[0] != '\0' ?
		    k->trouble : fault_text(rc));
	memcpy(out, file, sizeof(file));
	return 0;
}

int
keystore_pkcs11_public(struct bytes file, struct keystore_public *out)
{
	struct rd r = rd_from(file.p, file.n);
	struct keystore_public pub;
	int rc;

	if (rd_u8(&r) != VERSION)
		return FAULT_VERSION;
	for (int i = 0; i < 3; i++)
		rd_require(&r, rd_u8(&r) == 0);
	rd_copy(&r, pub.intake.b, sizeof(pub.intake.b));
	rd_copy(&r, pub.signing.b, sizeof(pub.signing.b));
	(void)rd_take(&r, KEYSTORE_PKCS11_LEN - KEYSTORE_PKCS11_CLEAR_LEN);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = pub;
	return rc;
}

static void
free_ks(struct keystore_pkcs11 **k)
{
	if (*k != NULL)
		do_close(&(*k)->ks);
}

static int
new_ks(const struct keystore_token *t, struct bytes pin,
    struct keystore_pkcs11 **out, struct fault *f)
{
	struct keystore_pkcs11 *k defer(free_ks) = calloc(1, sizeof(*k));

	if (pin.n > PKCS11_PIN_MAX)
		return fault_set(f, FAULT_SECRET, "token: the PIN is too long");
	if (k == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	k->secrets = secret_new(sizeof(*k->secrets));
	if (k->secrets == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	k->ks = (struct keystore){ .wrap = do_wrap, .unwrap = do_unwrap,
		.intake = do_intake, .capability = do_capability,
		.note = do_note, .log_key = do_log_key, .sign = do_sign,
		.trouble = do_trouble, .close = do_close };
	k->token = *t;
	if (pin.n != 0)
		memcpy(k->secrets->pin, pin.p, pin.n);
	k->secrets->pin_len = pin.n;
	*out = take(k);
	return 0;
}

/* Wraps what mend() opens later, and shows that the mechanism works. */
static int
probe(struct keystore_pkcs11 *k, struct fault *f)
{
	CK_RV rv = wrap_once(k, probe_aad, &k->secrets->probed, k->probe);

	k->up = true;
	if (rv == CKR_OK)
		rv = unwrap_once(k, probe_aad, k->probe,
		    &k->secrets->probed);
	if (rv == CKR_OK)
		return 0;
	if (rv == CKR_MECHANISM_PARAM_INVALID && k->token.token_iv)
		return fault_set(f, FAULT_CONFIG, "token: it does not make "
		    "the nonce itself: \"iv: token\" is not for this one");
	return fault_set(f, FAULT_CONFIG, "token: the root key cannot be used "
	    "by %s: %s (0x%lx)", k->token.key_wrap ? "aes-key-wrap-pad" :
	    "aes-gcm", pkcs11_name(rv), rv);
}

/* Takes the key of that name if it is there, and is this one where root has
 * one; else makes it. */
static int
settle(struct keystore_pkcs11 *k, const struct keystore_root *root,
    struct fault *f)
{
	struct space_key opened = { 0 };
	int rc = pkcs11_open(&k->p, &k->token, pin_of(k), true, f);

	if (rc == 0)
		rc = pkcs11_key(&k->p, &k->token, &k->key, f);
	if (rc == 0 && root == NULL)
		return fault_set(f, FAULT_EXISTS, "token: it has a key %s "
		    "already", k->token.key);
	if (rc == FAULT_NOT_FOUND)
		rc = pkcs11_key_make(&k->p, &k->token,
		    root != NULL ? &root->wrap : NULL, &k->key, f);
	if (rc == 0)
		rc = probe(k, f);
	if (rc == 0 && root != NULL &&
	    wrap_open(&root->wrap, probe_aad, k->probe, &opened) != 0)
		return fault_set(f, FAULT_EXISTS, "token: it has another key "
		    "%s", k->token.key);
	return rc;
}

int
keystore_pkcs11_make(const struct keystore_token *t, struct bytes pin,
    uint8_t out[static KEYSTORE_PKCS11_LEN], struct keystore_public *pub,
    struct fault *f)
{
	struct keystore_pkcs11 *k defer(free_ks) = NULL;
	int rc = new_ks(t, pin, &k, f);

	if (rc == 0)
		rc = settle(k, NULL, f);
	if (rc != 0)
		return rc;
	sign_box_new(&k->secrets->root.intake, &pub->intake);
	sign_new(&k->secrets->root.signing, &pub->signing);
	return file_write(k, out, f);
}

int
keystore_pkcs11_adopt(const struct keystore_token *t, struct bytes pin,
    const struct keystore_root *root, uint8_t out[static KEYSTORE_PKCS11_LEN],
    struct fault *f)
{
	struct keystore_pkcs11 *k defer(free_ks) = NULL;
	int rc;

	/* What is wrapped already is AES-GCM, and a key does one thing. */
	if (t->key_wrap)
		return fault_set(f, FAULT_USAGE, "a keyfile's root key is for "
		    "aes-gcm; it cannot go on under aes-key-wrap-pad");
	rc = new_ks(t, pin, &k, f);
	if (rc == 0)
		rc = settle(k, root, f);
	if (rc != 0)
		return rc;
	k->secrets->root.intake = root->intake;
	k->secrets->root.signing = root->signing;
	return file_write(k, out, f);
}

int
keystore_pkcs11_load(const struct keystore_config *cfg, struct fault *f)
{
	CK_FUNCTION_LIST *fn;

	return pkcs11_load(cfg->token.module, &fn, f);
}

static int
root_open(struct keystore_pkcs11 *k, struct bytes file, struct fault *f)
{
	struct keystore_root *root = &k->secrets->root;
	struct keystore_public want, pub;
	int rc = keystore_pkcs11_public(file, &want);

	if (rc == FAULT_VERSION && file.n == KEYSTORE_FILE_LEN)
		return fault_set(f, FAULT_CONFIG, "keyfile: it is opened by "
		    "a passphrase; see skerry-authority migrate");
	if (rc == 0)
		rc = file_get(k, file.p, "intake",
		    file.p + KEYSTORE_PKCS11_CLEAR_LEN, root->intake.b);
	if (rc == 0)
		rc = file_get(k, file.p, "signing",
		    file.p + KEYSTORE_PKCS11_CLEAR_LEN + WRAP_LEN,
		    root->signing.seed);
	if (rc == FAULT_SECRET)
		return fault_set(f, FAULT_TAMPERED, "keyfile: the token's key "
		    "%s does not open it", k->token.key);
	if (rc != 0)
		return fault_set(f, rc, "keyfile: %s", fault_text(rc));
	sign_box_public(&root->intake, &pub.intake);
	sign_public(&root->signing, &pub.signing);
	if (!secret_equal(&pub, &want, sizeof(pub)))
		return fault_set(f, FAULT_TAMPERED, "keyfile: %s",
		    fault_text(FAULT_TAMPERED));
	return 0;
}

int
keystore_pkcs11_open(const struct keystore_config *cfg, struct keystore **out,
    struct fault *f)
{
	struct keystore_pkcs11 *k defer(free_ks) = NULL;
	int rc = new_ks(&cfg->token, cfg->passphrase, &k, f);

	if (rc == 0)
		rc = up(k, f);
	if (rc == FAULT_NOT_FOUND)
		rc = fault_set(f, FAULT_CONFIG, "%s", k->trouble);
	if (rc == 0)
		rc = probe(k, f);
	if (rc == 0)
		rc = root_open(k, cfg->keyfile, f);
	if (rc != 0)
		return rc;
	*out = &take(k)->ks;
	return 0;
}
