// SPDX-License-Identifier: Apache-2.0
/*
 * Speed of the way from a file's bytes to sealed packs, on one core, in warm
 * memory: cut, hash and name, seal and check, and all of it.  The best of
 * ROUNDS is shown: what else the machine does only ever slows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "crypt/filler.h"
#include "crypt/secret.h"
#include "object/chunker.h"
#include "object/pack.h"
#include "object/seal.h"

#define DATA ((size_t)128 << 20)
#define PIECES 2048
#define ROUNDS 3

struct bench {
	struct chunker *chunker;
	struct seal *seal;
	struct pack pack;
	uint8_t *data; /* DATA bytes */
	struct bytes piece[PIECES];
	size_t pieces;
	struct seal_mark mark[PIECES];
	uint8_t id[PIECES][CHUNK_ID_LEN];
	uint64_t sealed; /* bytes that came out */
};

typedef int (*step_fn)(struct bench *b);

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
cut(struct bench *b)
{
	b->pieces = 0;
	for (size_t at = 0; at < DATA;) {
		size_t n = chunker_cut(b->chunker, b->data + at, DATA - at);

		if (b->pieces == PIECES)
			return FAULT_LIMIT;
		b->piece[b->pieces++] = bytes_of(b->data + at, n);
		at += n;
	}
	return 0;
}

static int
name(struct bench *b)
{
	return seal_ids(b->seal, b->piece, b->pieces, b->mark, b->id);
}

static int
seal(struct bench *b)
{
	struct index_entry e;

	b->sealed = 0;
	for (size_t i = 0; i < b->pieces; i++) {
		int rc;

		if (pack_room(&b->pack) < seal_bound(b->piece[i].n)) {
			(void)pack_finish(&b->pack, false);
			pack_begin(&b->pack);
		}
		rc = seal_chunk(b->seal, SEAL_DATA, b->piece[i], &b->mark[i],
		    pack_tail(&b->pack), &e);
		if (rc != 0)
			return rc;
		(void)pack_commit(&b->pack, e.place.length);
		b->sealed += e.place.length;
	}
	return 0;
}

static int
all(struct bench *b)
{
	int rc = cut(b);

	if (rc == 0)
		rc = name(b);
	return rc != 0 ? rc : seal(b);
}

/* Prints GB/s of one step. */
static int
measure(struct bench *b, const char *what, step_fn step)
{
	double best = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double t = now();
		int rc = step(b);

		if (rc != 0)
			return rc;
		t = now() - t;
		if (i == 0 || t < best)
			best = t;
	}
	(void)printf("  %-12s %6.2f GB/s\n", what, (double)DATA / best / 1e9);
	return 0;
}

static int
run(struct bench *b, const char *what)
{
	int rc;

	(void)printf("%s, %s\n", what, bulk_name(seal_bulk(b->seal)));
	rc = measure(b, "cut", cut);
	if (rc == 0)
		rc = measure(b, "name", name);
	if (rc == 0)
		rc = measure(b, "seal, check", seal);
	if (rc == 0)
		rc = measure(b, "all", all);
	if (rc == 0)
		(void)printf("  %zu chunks, %.1f%% of the size\n", b->pieces,
		    100.0 * (double)b->sealed / (double)DATA);
	return rc;
}

/* Words of a few letters, as a text has them. */
static void
fill_text(uint8_t *p, size_t n)
{
	static const char *const word[] = { "skerry ", "of ", "the ", "rock ",
		"and ", "seal ", "tide ", "in ", "a ", "northern ", "water ",
		"is ", "small ", "island ", "that ", "where ", "nobody ",
		"lives, ", "boats ", "pass ", "by ", "its ", "light.\n",
		"winter ", "birds ", "storm ", "to ", "long ", "years ",
		"harbour ", "cold ", "grey " };
	size_t at = 0;

	while (at < n) {
		uint8_t r[512];

		secret_random(r, sizeof(r));
		for (size_t i = 0; i < sizeof(r) && at < n; i++) {
			const char *w = word[r[i] % ARRAY_LEN(word)];
			size_t len = strlen(w);

			len = len > n - at ? n - at : len;
			memcpy(p + at, w, len);
			at += len;
		}
	}
}

int
main(void)
{
	static struct bench b;
	const struct dedup_key dedup = { { 1 } };

	b.data = malloc(DATA);
	if (b.data == NULL || secret_init() != 0 ||
	    chunker_new(&dedup, &b.chunker) != 0 ||
	    seal_new(BULK_BEST, &dedup, &b.seal) != 0 ||
	    pack_init(&b.pack) != 0)
		return 1;
	filler_random(b.data, DATA);
	if (run(&b, "incompressible") != 0)
		return 1;
	fill_text(b.data, DATA);
	if (run(&b, "text-like") != 0)
		return 1;
	pack_wipe(&b.pack);
	seal_free(b.seal);
	chunker_free(b.chunker);
	free(b.data);
	return 0;
}
