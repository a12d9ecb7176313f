// SPDX-License-Identifier: Apache-2.0
/*
 * Two ways into the capability: the input as a token, and the input as the
 * payload of a token that is signed.  What is accepted must come out the same
 * after it is issued again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/paseto.h"
#include "crypt/sign.h"
#include "net/capability.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sign_key key = { { 1 } };
static struct sign_pub pub;

static void
check_round_trip(const struct capability *c)
{
	struct buf t defer(buf_wipe) = buf_init(4096);
	struct capability again;

	assert(c->verbs != 0 && c->verbs < 16);
	assert(memchr(c->depot, '\0', sizeof(c->depot)) != NULL);
	assert(capability_issue(&key, c, &t) == 0);
	assert(capability_verify(&pub, buf_bytes(&t), &again) == 0);
	assert(strcmp(again.depot, c->depot) == 0);
	assert(memcmp(again.prefix, c->prefix, ID_LEN) == 0);
	assert(again.verbs == c->verbs && again.quota == c->quota);
	assert(again.nbf == c->nbf && again.exp == c->exp);
}

/* The key is known, so that a corpus can hold tokens that verify. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sign_public(&key, &pub);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf t defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	struct capability c;

	if (capability_verify(&pub, bytes_of(data, size), &c) == 0)
		check_round_trip(&c);
	if (size < 4096 &&
	    paseto_sign(&key, bytes_of(data, size), &t) == 0 &&
	    capability_verify(&pub, buf_bytes(&t), &c) == 0)
		check_round_trip(&c);
	return 0;
}
