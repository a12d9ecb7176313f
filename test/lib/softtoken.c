// SPDX-License-Identifier: Apache-2.0
#include "test/lib/softtoken.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/pkcs11.h"
#include "test/lib/scrap.h"

static bool
token_make(CK_FUNCTION_LIST *fn)
{
	CK_UTF8CHAR label[32], pin[] = SOFTTOKEN_PIN;
	CK_SESSION_HANDLE s;
	CK_SLOT_ID slot;
	CK_ULONG n = 1;

	memset(label, ' ', sizeof(label));
	memcpy(label, SOFTTOKEN_LABEL, strlen(SOFTTOKEN_LABEL));
	if (fn->C_Initialize(NULL) != CKR_OK ||
	    fn->C_GetSlotList(CK_TRUE, &slot, &n) != CKR_OK ||
	    fn->C_InitToken(slot, pin, strlen(SOFTTOKEN_PIN), label) !=
	        CKR_OK ||
	    fn->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
	        NULL, &s) != CKR_OK ||
	    fn->C_Login(s, CKU_SO, pin, strlen(SOFTTOKEN_PIN)) != CKR_OK ||
	    fn->C_InitPIN(s, pin, strlen(SOFTTOKEN_PIN)) != CKR_OK)
		return false;
	return fn->C_Finalize(NULL) == CKR_OK;
}

bool
softtoken_make(char dir[static 64])
{
	CK_FUNCTION_LIST *fn;
	struct fault f;
	char path[128];
	FILE *out;

	if (access(SOFTTOKEN_MODULE, R_OK) != 0)
		return false;
	(void)snprintf(dir, 64, "/tmp/skerry-token-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return false;
	(void)snprintf(path, sizeof(path), "%s/tokens", dir);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/conf", dir);
	out = fopen(path, "w");
	if (out == NULL)
		return false;
	(void)fprintf(out, "directories.tokendir = %s/tokens\n"
	    "objectstore.backend = file\nlog.level = ERROR\n", dir);
	(void)fclose(out);
	(void)setenv("SOFTHSM2_CONF", path, 1);
	return pkcs11_load(SOFTTOKEN_MODULE, &fn, &f) == 0 && token_make(fn);
}

void
softtoken_remove(const char *dir)
{
	(void)scrap(dir);
}
