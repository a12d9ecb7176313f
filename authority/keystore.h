// SPDX-License-Identifier: Apache-2.0
/*
 * Where the authority's long-lived keys are.  One struct of callbacks, so that
 * an encrypted keyfile and a PKCS#11 token look alike: no key crosses this
 * line, only what is done with it.  spec/10-names.md, Other wrapped keys.
 */
#ifndef SKERRY_AUTHORITY_KEYSTORE_H
#define SKERRY_AUTHORITY_KEYSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/hpke.h"
#include "crypt/keys.h"
#include "crypt/wrap.h"
#include "net/capability.h"
#include "tlog/note.h"

#define KEYSTORE_SEALED_LEN (KEY_LEN + HPKE_OVERHEAD)

struct keystore {
	/* Wraps a space key under the root key.  FAULT_INTERNAL. */
	int (*wrap)(struct keystore *ks, struct bytes aad,
	    const struct space_key *in, uint8_t out[static WRAP_LEN]);

	/* The reverse.  FAULT_SECRET where key or aad is another. */
	int (*unwrap)(struct keystore *ks, struct bytes aad,
	    const uint8_t in[static WRAP_LEN], struct space_key *out);

	/* Opens what was sealed to the intake key.  FAULT_TAMPERED,
	 * FAULT_MALFORMED. */
	int (*intake)(struct keystore *ks, struct bytes info,
	    struct bytes aad, const uint8_t in[static KEYSTORE_SEALED_LEN],
	    struct space_key *out);

	/* Signs a capability; appends the token. */
	int (*capability)(struct keystore *ks, const struct capability *cap,
	    struct buf *out);

	/* Signs the text of a checkpoint: appends the note, by the key whose
	 * public half log_key() has told for that origin. */
	int (*note)(struct keystore *ks, struct bytes text,
	    const struct note_key *pub, struct buf *out);

	/* The verifier key of the log with this origin. */
	int (*log_key)(struct keystore *ks, struct bytes origin,
	    struct note_key *out);

	/* Signs m, which the keys role has built, label and all. */
	int (*sign)(struct keystore *ks, struct bytes m,
	    uint8_t out[static SIGN_LEN]);

	/* Why wrap and unwrap answer FAULT_AUTHORITY at present, in one line;
	 * NULL: they do not.  May be NULL itself. */
	const char *(*trouble)(const struct keystore *ks);

	void (*close)(struct keystore *ks);
};

/* Which token, and which key in it.  The caller's, as long as the keystore is
 * open. */
struct keystore_token {
	const char *module; /* path of the PKCS#11 module */
	const char *label;  /* the token's; NULL: by slot */
	int64_t slot;
	const char *key;    /* the root key's label */
	struct bytes id;    /* its CKA_ID as well, where not empty */
	bool key_wrap;      /* CKM_AES_KEY_WRAP_PAD, not CKM_AES_GCM */
	bool token_iv;      /* the token makes the nonce of CKM_AES_GCM */
};

struct keystore_config {
	const char *kind;        /* "file", "pkcs11" */
	struct bytes keyfile;    /* its bytes, still sealed */
	struct bytes passphrase; /* or PIN; wiped by the caller */
	struct keystore_token token; /* "pkcs11" */
};

/* What may be told to everybody. */
struct keystore_public {
	struct box_pub intake;
	struct sign_pub signing;
};

/* Reads what keystore_open() wants of the file system, so that it can come
 * after a confinement.  FAULT_CONFIG. */
int keystore_load(const struct keystore_config *cfg, struct fault *f)
	must_check;

/* Opens a keystore; *out is to be closed.  FAULT_SECRET (wrong passphrase or
 * PIN), FAULT_TAMPERED, FAULT_VERSION, FAULT_MALFORMED, FAULT_CONFIG (kind not
 * known), FAULT_AUTHORITY (no token), FAULT_MEMORY. */
int keystore_open(const struct keystore_config *cfg, struct keystore **out,
    struct fault *f) must_check;

/* What may be told to everybody, without passphrase or PIN; see
 * keystore_file_public(). */
int keystore_read_public(struct bytes keyfile, struct keystore_public *out)
	must_check;

/* The log's key pair, derived from the signing seed: spec/60-log.md, Notes.
 * For the keystores. */
int keystore_log_note(const struct sign_key *signing, struct bytes text,
    const struct note_key *pub, struct buf *out) must_check;
int keystore_log_key(const struct sign_key *signing, struct bytes origin,
    struct note_key *out) must_check;

const char *keystore_trouble(const struct keystore *ks);

void keystore_close(struct keystore *ks);
void keystore_closep(struct keystore **ks);

#endif
