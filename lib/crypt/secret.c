// SPDX-License-Identifier: Apache-2.0
/* Secret memory over libsodium's guarded allocations. */
#include "crypt/secret.h"

#include <string.h>

#include <openssl/crypto.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/fault.h"

int
secret_init(void)
{
	const struct rlimit none = { 0, 0 };

	if (sodium_init() < 0 ||
	    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		return FAULT_INTERNAL;
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return FAULT_INTERNAL;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return FAULT_INTERNAL;
	return 0;
}

void *
secret_new(size_t len)
{
	void *p = sodium_malloc(len);

	if (p != NULL)
		memset(p, 0, len);
	return p;
}

void
secret_free(void *p)
{
	sodium_free(p);
}

void
secret_freep(void *pp)
{
	void **p = pp;

	secret_free(*p);
	*p = NULL;
}

void
secret_wipe(void *p, size_t len)
{
	if (len != 0)
		sodium_memzero(p, len);
}

void
secret_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}
