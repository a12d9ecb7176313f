// SPDX-License-Identifier: Apache-2.0
/* What a release of a key cannot do without: microseconds of one core each. */
#include <stdio.h>
#include <time.h>

#include "crypt/hpke.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "tlog/merkle.h"

#define TIMES 4000

static double
cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
tell(const char *what, double begin, int times)
{
	(void)printf("%-44s %6.2f\n", what, 1e6 * (cpu() - begin) / times);
}

int
main(void)
{
	static const uint8_t msg[350], aad[52];
	uint8_t sig[SIGN_LEN], sealed[32 + HPKE_OVERHEAD];
	struct merkle_hash h = { { 0 } };
	struct sign_key key;
	struct sign_pub pub;
	struct box_key box;
	struct box_pub to;
	double begin;
	int rc = secret_init();

	sign_new(&key, &pub);
	sign_box_new(&box, &to);
	begin = cpu();
	for (int i = 0; i < TIMES; i++)
		sign_make(&key, bytes_of(msg, sizeof(msg)), sig);
	tell("Ed25519: sign (a capability)", begin, TIMES);
	begin = cpu();
	for (int i = 0; rc == 0 && i < TIMES; i++)
		rc = sign_check(&pub, bytes_of(msg, sizeof(msg)), sig);
	tell("Ed25519: check (the device's request)", begin, TIMES);
	begin = cpu();
	for (int i = 0; rc == 0 && i < TIMES; i++)
		rc = hpke_seal(&to, bytes_of("skerry release v1", 17),
		    bytes_of(aad, sizeof(aad)), bytes_of(msg, 32), sealed);
	tell("HPKE: seal (the key; two of X25519)", begin, TIMES);
	begin = cpu();
	for (int i = 0; i < 100 * TIMES; i++)
		merkle_node(&h, &h, &h);
	tell("SHA-256: a node of the tree", begin, 100 * TIMES);
	return rc != 0;
}
