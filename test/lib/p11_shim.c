// SPDX-License-Identifier: Apache-2.0
/*
 * A PKCS#11 module in front of SoftHSM that fails when it is told to, as one
 * does whose token is pulled out, and that can make the nonce of AES-GCM
 * itself.  Test programs find its switches by dlsym().
 */
#include <dlfcn.h>
#include <string.h>
#include <sys/random.h>

#include <p11-kit/pkcs11.h>

#include "test/lib/p11_shim.h"

struct p11_shim p11_shim;

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST shim;

static CK_RV
encrypt_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_GCM_PARAMS *g = m->pParameter;

	if (p11_shim.fail != CKR_OK)
		return p11_shim.fail;
	if (p11_shim.makes_iv && m->mechanism == CKM_AES_GCM &&
	    getrandom(g->pIv, g->ulIvLen, 0) != (ssize_t)g->ulIvLen)
		return CKR_GENERAL_ERROR;
	return real->C_EncryptInit(s, m, key);
}

static CK_RV
decrypt_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return p11_shim.fail != CKR_OK ? p11_shim.fail :
	                                 real->C_DecryptInit(s, m, key);
}

static CK_RV
wrap_key(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE with,
    CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *n)
{
	return p11_shim.fail != CKR_OK ? p11_shim.fail :
	    real->C_WrapKey(s, m, with, key, out, n);
}

/* Reading what was unwrapped. */
static CK_RV
get_attribute(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a,
    CK_ULONG n)
{
	return p11_shim.fail != CKR_OK ? p11_shim.fail :
	    real->C_GetAttributeValue(s, object, a, n);
}

static CK_RV
slot_list(CK_BBOOL present, CK_SLOT_ID *slot, CK_ULONG *n)
{
	if (p11_shim.fail != CKR_OK) {
		*n = 0;
		return CKR_OK;
	}
	return real->C_GetSlotList(present, slot, n);
}

static CK_RV
token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);

	info->flags |= p11_shim.flags;
	return rv;
}

static CK_RV
login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG n)
{
	p11_shim.logins++;
	return p11_shim.refuse != CKR_OK ? p11_shim.refuse :
	                                   real->C_Login(s, user, pin, n);
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	void *so = dlopen(P11_SHIM_MODULE, RTLD_NOW | RTLD_LOCAL |
	    RTLD_NODELETE);
	CK_C_GetFunctionList get;

	if (so == NULL)
		return CKR_GENERAL_ERROR;
	get = (CK_C_GetFunctionList)dlsym(so, "C_GetFunctionList");
	if (get == NULL || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	shim = *real;
	shim.C_EncryptInit = encrypt_init;
	shim.C_DecryptInit = decrypt_init;
	shim.C_WrapKey = wrap_key;
	shim.C_GetAttributeValue = get_attribute;
	shim.C_GetSlotList = slot_list;
	shim.C_GetTokenInfo = token_info;
	shim.C_Login = login;
	*out = &shim;
	return CKR_OK;
}
