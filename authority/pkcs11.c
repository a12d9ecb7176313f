// SPDX-License-Identifier: Apache-2.0
#include "authority/pkcs11.h"

#include <dlfcn.h>
#include <string.h>

#include "crypt/secret.h"

#define SLOTS_MAX 64

static const struct {
	CK_RV rv;
	const char *name;
} names[] = {
#define N(x) { x, #x }
	N(CKR_OK), N(CKR_HOST_MEMORY), N(CKR_SLOT_ID_INVALID),
	N(CKR_GENERAL_ERROR), N(CKR_FUNCTION_FAILED), N(CKR_ARGUMENTS_BAD),
	N(CKR_ATTRIBUTE_READ_ONLY), N(CKR_ATTRIBUTE_SENSITIVE),
	N(CKR_ATTRIBUTE_TYPE_INVALID), N(CKR_ATTRIBUTE_VALUE_INVALID),
	N(CKR_DATA_INVALID), N(CKR_DATA_LEN_RANGE), N(CKR_DEVICE_ERROR),
	N(CKR_DEVICE_MEMORY), N(CKR_DEVICE_REMOVED),
	N(CKR_ENCRYPTED_DATA_INVALID), N(CKR_ENCRYPTED_DATA_LEN_RANGE),
	N(CKR_FUNCTION_NOT_SUPPORTED), N(CKR_KEY_HANDLE_INVALID),
	N(CKR_KEY_TYPE_INCONSISTENT), N(CKR_KEY_FUNCTION_NOT_PERMITTED),
	N(CKR_KEY_UNEXTRACTABLE), N(CKR_MECHANISM_INVALID),
	N(CKR_MECHANISM_PARAM_INVALID), N(CKR_OBJECT_HANDLE_INVALID),
	N(CKR_PIN_INCORRECT), N(CKR_PIN_INVALID), N(CKR_PIN_LEN_RANGE),
	N(CKR_PIN_EXPIRED), N(CKR_PIN_LOCKED), N(CKR_SESSION_CLOSED),
	N(CKR_SESSION_COUNT), N(CKR_SESSION_HANDLE_INVALID),
	N(CKR_SESSION_READ_ONLY), N(CKR_TEMPLATE_INCOMPLETE),
	N(CKR_TEMPLATE_INCONSISTENT), N(CKR_TOKEN_NOT_PRESENT),
	N(CKR_TOKEN_NOT_RECOGNIZED), N(CKR_TOKEN_WRITE_PROTECTED),
	N(CKR_USER_NOT_LOGGED_IN), N(CKR_USER_PIN_NOT_INITIALIZED),
	N(CKR_WRAPPED_KEY_INVALID), N(CKR_WRAPPED_KEY_LEN_RANGE),
	N(CKR_WRAPPING_KEY_HANDLE_INVALID), N(CKR_BUFFER_TOO_SMALL),
	N(CKR_CRYPTOKI_NOT_INITIALIZED),
#undef N
};

const char *
pkcs11_name(CK_RV rv)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].rv == rv)
			return names[i].name;
	return "CKR_?";
}

static int
bad(struct fault *f, int code, const char *what, CK_RV rv)
{
	return fault_set(f, code, "token: %s: %s (0x%lx)", what,
	    pkcs11_name(rv), rv);
}

int
pkcs11_load(const char *path, CK_FUNCTION_LIST **out, struct fault *f)
{
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *fn = NULL;

	if (so == NULL)
		return fault_set(f, FAULT_CONFIG, "module: %s", dlerror());
	get = (CK_C_GetFunctionList)dlsym(so, "C_GetFunctionList");
	if (get == NULL || get(&fn) != CKR_OK || fn == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "module: %s is no PKCS#11 module", path);
	*out = fn;
	return 0;
}

/* Labels are padded with blanks, without an end. */
static bool
label_is(const CK_TOKEN_INFO *i, const char *label)
{
	uint8_t padded[sizeof(i->label)];
	size_t n = strlen(label);

	if (n > sizeof(padded))
		return false;
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, n);
	return memcmp(padded, i->label, sizeof(padded)) == 0;
}

static int
slot_find(const struct pkcs11 *p, const struct keystore_token *t,
    CK_SLOT_ID *out, CK_TOKEN_INFO *info, struct fault *f)
{
	CK_SLOT_ID slot[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	CK_TOKEN_INFO i;
	bool found = false;
	CK_RV rv = p->fn->C_GetSlotList(CK_TRUE, slot, &n);

	if (rv != CKR_OK)
		return bad(f, FAULT_AUTHORITY, "list of slots", rv);
	for (CK_ULONG k = 0; k < n; k++) {
		if (t->label == NULL && slot[k] != (CK_SLOT_ID)t->slot)
			continue;
		if (p->fn->C_GetTokenInfo(slot[k], &i) != CKR_OK ||
		    (i.flags & CKF_TOKEN_INITIALIZED) == 0 ||
		    (t->label != NULL && !label_is(&i, t->label)))
			continue;
		if (found)
			return fault_set(f, FAULT_CONFIG, "token: several are "
			    "labelled %s; say which by slot", t->label);
		found = true;
		*out = slot[k];
		*info = i;
	}
	if (found)
		return 0;
	if (t->label != NULL)
		return fault_set(f, FAULT_AUTHORITY,
		    "token: none that is labelled %s is plugged in", t->label);
	return fault_set(f, FAULT_AUTHORITY,
	    "token: there is none in slot %lld", (long long)t->slot);
}

/* A token locks its PIN after a few wrong ones, so a wrong one in the
 * configuration must never use up the last try. */
static int
login(const struct pkcs11 *p, const CK_TOKEN_INFO *i, struct bytes pin,
    struct fault *f)
{
	CK_RV rv;

	if ((i->flags & CKF_LOGIN_REQUIRED) == 0)
		return 0;
	if ((i->flags & CKF_USER_PIN_LOCKED) != 0)
		return fault_set(f, FAULT_SECRET, "token: its PIN is locked");
	if ((i->flags & CKF_USER_PIN_FINAL_TRY) != 0)
		return fault_set(f, FAULT_SECRET, "token: one more wrong PIN "
		    "would lock it; log in once by another tool first");
	rv = p->fn->C_Login(p->session, CKU_USER, (CK_UTF8CHAR *)pin.p, pin.n);
	switch (rv) {
	case CKR_OK:
	case CKR_USER_ALREADY_LOGGED_IN:
		return 0;
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return bad(f, FAULT_SECRET, "wrong PIN", rv);
	case CKR_PIN_LOCKED:
	case CKR_PIN_EXPIRED:
	case CKR_USER_PIN_NOT_INITIALIZED:
		return bad(f, FAULT_SECRET, "PIN cannot be used", rv);
	default:
		return bad(f, FAULT_AUTHORITY, "login", rv);
	}
}

static int
begin(struct pkcs11 *p, const struct keystore_token *t, struct bytes pin,
    bool change, struct fault *f)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_TOKEN_INFO info = { 0 };
	CK_SLOT_ID slot = 0;
	CK_RV rv = p->fn->C_Initialize(&args);
	int rc;

	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return bad(f, FAULT_AUTHORITY, "start of the module", rv);
	p->begun = true;
	rc = slot_find(p, t, &slot, &info, f);
	if (rc != 0)
		return rc;
	rv = p->fn->C_OpenSession(slot, CKF_SERIAL_SESSION |
	    (change ? CKF_RW_SESSION : 0), NULL, NULL, &p->session);
	if (rv != CKR_OK)
		return bad(f, FAULT_AUTHORITY, "open a session", rv);
	p->open = true;
	return login(p, &info, pin, f);
}

int
pkcs11_open(struct pkcs11 *p, const struct keystore_token *t,
    struct bytes pin, bool change, struct fault *f)
{
	int rc;

	*p = (struct pkcs11){ 0 };
	if (pin.n > PKCS11_PIN_MAX)
		return fault_set(f, FAULT_SECRET, "token: the PIN is too long");
	rc = pkcs11_load(t->module, &p->fn, f);
	if (rc == 0)
		rc = begin(p, t, pin, change, f);
	if (rc != 0)
		pkcs11_close(p);
	return rc;
}

void
pkcs11_close(struct pkcs11 *p)
{
	if (p->open)
		(void)p->fn->C_CloseSession(p->session);
	if (p->begun)
		(void)p->fn->C_Finalize(NULL);
	p->open = p->begun = false;
}

static int
key_check(const struct pkcs11 *p, CK_OBJECT_HANDLE key, struct fault *f)
{
	CK_BBOOL leaves = CK_TRUE, hidden = CK_FALSE;
	CK_ULONG len = 0;
	CK_ATTRIBUTE a[] = {
		{ CKA_EXTRACTABLE, &leaves, sizeof(leaves) },
		{ CKA_SENSITIVE, &hidden, sizeof(hidden) },
		{ CKA_VALUE_LEN, &len, sizeof(len) },
	};
	CK_RV rv = p->fn->C_GetAttributeValue(p->session, key, a,
	    ARRAY_LEN(a));

	if (rv != CKR_OK)
		return bad(f, FAULT_AUTHORITY, "attributes of the key", rv);
	if (len != KEY_LEN)
		return fault_set(f, FAULT_CONFIG,
		    "token: the root key is not of 256 bits");
	if (leaves != CK_FALSE || hidden != CK_TRUE)
		return fault_set(f, FAULT_CONFIG, "token: the root key may "
		    "leave it (CKA_EXTRACTABLE, or not CKA_SENSITIVE)");
	return 0;
}

int
pkcs11_key(struct pkcs11 *p, const struct keystore_token *t,
    CK_OBJECT_HANDLE *out, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE a[4] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_LABEL, (void *)t->key, strlen(t->key) },
		{ CKA_ID, (void *)t->id.p, t->id.n },
	};
	CK_OBJECT_HANDLE key[2];
	CK_ULONG n = 0;
	CK_RV rv = p->fn->C_FindObjectsInit(p->session, a,
	    t->id.n != 0 ? 4 : 3);
	int rc;

	if (rv == CKR_OK) {
		rv = p->fn->C_FindObjects(p->session, key, 2, &n);
		(void)p->fn->C_FindObjectsFinal(p->session);
	}
	if (rv != CKR_OK)
		return bad(f, FAULT_AUTHORITY, "look for the key", rv);
	if (n == 0)
		return fault_set(f, FAULT_NOT_FOUND,
		    "token: it has no AES key %s", t->key);
	if (n > 1)
		return fault_set(f, FAULT_CONFIG, "token: it has several AES "
		    "keys %s; say which by id", t->key);
	rc = key_check(p, key[0], f);
	if (rc == 0)
		*out = key[0];
	return rc;
}

/* The key can do what its mechanism wants and nothing more: one that wraps as
 * well as decrypts would undo what it wraps. */
int
pkcs11_key_make(struct pkcs11 *p, const struct keystore_token *t,
    const struct wrap_key *value, CK_OBJECT_HANDLE *out, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BBOOL gcm = t->key_wrap ? CK_FALSE : CK_TRUE;
	CK_BBOOL wrap = t->key_wrap ? CK_TRUE : CK_FALSE;
	CK_ULONG len = KEY_LEN;
	uint8_t id[16];
	CK_MECHANISM generate = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ATTRIBUTE a[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_ENCRYPT, &gcm, sizeof(gcm) },
		{ CKA_DECRYPT, &gcm, sizeof(gcm) },
		{ CKA_WRAP, &wrap, sizeof(wrap) },
		{ CKA_UNWRAP, &wrap, sizeof(wrap) },
		{ CKA_SIGN, &no, sizeof(no) },
		{ CKA_VERIFY, &no, sizeof(no) },
		{ CKA_DERIVE, &no, sizeof(no) },
		{ CKA_LABEL, (void *)t->key, strlen(t->key) },
		{ CKA_ID, (void *)t->id.p, t->id.n },
		{ CKA_VALUE_LEN, &len, sizeof(len) },
	};
	CK_ATTRIBUTE *last = &a[ARRAY_LEN(a) - 1];
	CK_RV rv;

	if (t->id.n == 0) {
		secret_random(id, sizeof(id));
		last[-1] = (CK_ATTRIBUTE){ CKA_ID, id, sizeof(id) };
	}
	if (value != NULL) {
		*last = (CK_ATTRIBUTE){ CKA_VALUE, (void *)value->b, KEY_LEN };
		rv = p->fn->C_CreateObject(p->session, a, ARRAY_LEN(a), out);
	} else {
		rv = p->fn->C_GenerateKey(p->session, &generate, a,
		    ARRAY_LEN(a), out);
	}
	if (rv != CKR_OK)
		return bad(f, FAULT_CONFIG, value != NULL ?
		    "take the key in" : "make a key", rv);
	return key_check(p, *out, f);
}
