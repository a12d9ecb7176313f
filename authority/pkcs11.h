// SPDX-License-Identifier: Apache-2.0
/*
 * One session with one PKCS#11 token (OASIS PKCS #11 2.40), logged in once and
 * used again for every call.  A module is code of the operator's choice, in
 * this process: what may be reached from it is for the sandbox to say.
 */
#ifndef SKERRY_AUTHORITY_PKCS11_H
#define SKERRY_AUTHORITY_PKCS11_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

#include "authority/keystore.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

#define PKCS11_PIN_MAX 256

struct pkcs11 {
	CK_FUNCTION_LIST *fn;
	CK_SESSION_HANDLE session;
	bool begun, open;
};

/* Loads the module for the life of the process; a second time it opens no
 * file.  FAULT_CONFIG. */
int pkcs11_load(const char *path, CK_FUNCTION_LIST **out, struct fault *f)
	must_check;

/* Finds the token, opens a session, logs in.  change: objects of the token can
 * be made in it.  A login that could be the last one is not tried.
 * FAULT_AUTHORITY (token is not there), FAULT_SECRET (PIN), FAULT_CONFIG. */
int pkcs11_open(struct pkcs11 *p, const struct keystore_token *t,
    struct bytes pin, bool change, struct fault *f) must_check;

/* Ends the session and the module's use; may be called at any time. */
void pkcs11_close(struct pkcs11 *p);

/* Finds the root key and checks that it is an AES-256 key that does not leave
 * the token.  FAULT_NOT_FOUND, FAULT_CONFIG (several, or one that may leave),
 * FAULT_AUTHORITY. */
int pkcs11_key(struct pkcs11 *p, const struct keystore_token *t,
    CK_OBJECT_HANDLE *out, struct fault *f) must_check;

/* Makes the root key in the token, or, where value is not NULL, puts that
 * there; sensitive and not extractable from the start.  Needs change. */
int pkcs11_key_make(struct pkcs11 *p, const struct keystore_token *t,
    const struct wrap_key *value, CK_OBJECT_HANDLE *out, struct fault *f)
	must_check;

/* "CKR_PIN_INCORRECT" and the like; "CKR_?" for one that is not known. */
const char *pkcs11_name(CK_RV rv);

#endif
