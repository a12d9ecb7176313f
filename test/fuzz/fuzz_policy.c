// SPDX-License-Identifier: Apache-2.0
/* A policy's JSON, and a whole file.  What can be signed must load. */
#include <assert.h>

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/policy.h"

static struct sign_key key;
static struct sign_pub pub;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (secret_init() != 0)
		return 1;
	sign_new(&key, &pub);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p defer(policy_freep) = NULL;
	struct policy *q defer(policy_freep) = NULL;
	struct fault f = { 0 };
	int rc = policy_load(bytes_of(data, size), NULL, &p, &f);

	(void)rc;
	if (policy_sign(bytes_of(data, size), &key, &file, &f) == 0) {
		rc = policy_load(buf_bytes(&file), &pub, &q, &f);
		assert(rc == 0);
	}
	return 0;
}
