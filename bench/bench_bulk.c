// SPDX-License-Identifier: Apache-2.0
/*
 * Speed of each bulk backend on one core, in warm memory: SHA-256 over leaves
 * of 32 KiB, AES-256-GCM over 16 KiB and 1 MiB.  The best of ROUNDS is shown:
 * what else the machine does only ever slows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "crypt/bulk.h"
#include "crypt/secret.h"

#define LEAF 32768
#define LEAVES 64
#define BIG ((size_t)1 << 20)
#define ROUNDS 10
#define PER_ROUND ((size_t)256 << 20) /* bytes */

struct bench {
	struct bulk *bulk;
	uint8_t *in;  /* LEAF * LEAVES bytes */
	uint8_t *out; /* the same, and a tag */
};

typedef int (*step_fn)(struct bench *b, size_t len);

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
hash(struct bench *b, size_t len)
{
	static uint8_t out[LEAVES][BULK_HASH_LEN];
	struct bytes msg[LEAVES];

	for (size_t i = 0; i < LEAVES; i++)
		msg[i] = bytes_of(b->in + i * len, len);
	return bulk_sha256(b->bulk, msg, LEAVES, out);
}

static int
seal(struct bench *b, size_t len)
{
	const struct seal_key key = { { 1 } };

	return bulk_seal(b->bulk, &key, 0, bytes_of("aad", 3),
	    bytes_of(b->in, len), b->out);
}

static int
open_sealed(struct bench *b, size_t len)
{
	const struct seal_key key = { { 1 } };

	return bulk_open(b->bulk, &key, 0, bytes_of("aad", 3),
	    bytes_of(b->out, len + BULK_TAG_LEN), b->in);
}

/* Prints GB/s of step; one call of it works on each bytes. */
static int
measure(struct bench *b, const char *what, step_fn step, size_t len,
    size_t each)
{
	double best = 0;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double t = now(), speed;

		for (size_t done = 0; done < PER_ROUND; done += each)
			if (step(b, len) != 0)
				return FAULT_INTERNAL;
		speed = (double)PER_ROUND / 1e9 / (now() - t);
		best = speed > best ? speed : best;
	}
	printf("%-9s %-28s %6.2f GB/s\n", bulk_name(b->bulk), what, best);
	return 0;
}

static int
run(struct bench *b)
{
	int rc;

	rc = measure(b, "SHA-256, 64 leaves of 32 KiB", hash, LEAF,
	    (size_t)LEAF * LEAVES);
	if (rc == 0)
		rc = measure(b, "AES-256-GCM seal, 16 KiB", seal, 16384, 16384);
	if (rc == 0)
		rc = measure(b, "AES-256-GCM open, 16 KiB", open_sealed, 16384,
		    16384);
	if (rc == 0)
		rc = measure(b, "AES-256-GCM seal, 1 MiB", seal, BIG, BIG);
	if (rc == 0)
		rc = measure(b, "AES-256-GCM open, 1 MiB", open_sealed, BIG,
		    BIG);
	return rc;
}

int
main(void)
{
	const enum bulk_kind kinds[] = { BULK_OPENSSL, BULK_IPSEC_MB };
	struct bench b = { 0 };
	int rc = secret_init();

	b.in = malloc((size_t)LEAF * LEAVES);
	b.out = malloc((size_t)LEAF * LEAVES + BULK_TAG_LEN);
	if (b.in == NULL || b.out == NULL)
		rc = FAULT_MEMORY;
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(kinds); i++) {
		b.bulk = bulk_new(kinds[i]);
		if (b.bulk == NULL)
			continue;
		memset(b.in, 1, (size_t)LEAF * LEAVES);
		memset(b.out, 1, (size_t)LEAF * LEAVES + BULK_TAG_LEN);
		rc = run(&b);
		bulk_free(b.bulk);
	}
	free(b.in);
	free(b.out);
	return fault_exit(rc);
}
