// SPDX-License-Identifier: Apache-2.0
/*
 * Speed of the way from a file's bytes to sealed packs, in CPU time of one
 * core, in warm memory: cut (by each search that this processor has), sum, hash
 * and name, seal and check, and all of it, slab by slab as a worker of the
 * client does it, each slab being copied there first, as from a file, which is
 * not counted.  The best of ROUNDS is shown: what else the machine does only
 * ever slows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fault.h"
#include "crypt/filler.h"
#include "crypt/hash.h"
#include "crypt/secret.h"
#include "object/chunker.h"
#include "object/pack.h"
#include "object/seal.h"

#define DATA ((size_t)128 << 20)
#define SLAB ((size_t)4 << 20) /* what one worker of the client takes */
#define MAPPED (DATA + SLAB + CHUNK_MAX)
#define PIECES 2048
#define ROUNDS 5

struct bench {
	struct chunker *chunker; /* the one in use */
	struct seal *seal;
	struct pack pack;
	uint8_t *data;  /* DATA bytes */
	uint8_t *slab;  /* SLAB + CHUNK_MAX bytes */
	double copying; /* seconds of a step that are not counted */
	struct bytes piece[PIECES];
	size_t pieces;
	size_t chunks; /* pieces in all slabs */
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

/* Cuts p[0..n) until want bytes or a little more are in pieces. */
static int
cut_some(struct bench *b, const uint8_t *p, size_t n, size_t want)
{
	size_t at = 0;

	b->pieces = 0;
	while (at < want && at < n) {
		size_t len = chunker_cut(b->chunker, p + at, n - at);

		if (b->pieces == PIECES)
			return FAULT_LIMIT;
		b->piece[b->pieces++] = bytes_of(p + at, len);
		at += len;
	}
	return 0;
}

static int
cut(struct bench *b)
{
	return cut_some(b, b->data, DATA, DATA);
}

static int
sum(struct bench *b)
{
	for (size_t i = 0; i < b->pieces; i++)
		b->mark[i].sum = hash_crc64(0, b->piece[i].p, b->piece[i].n);
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
	uint64_t sealed = 0;

	b->chunks = 0;
	for (size_t at = 0; at < DATA;) {
		size_t n = DATA - at < SLAB + CHUNK_MAX ? DATA - at :
							  SLAB + CHUNK_MAX;
		double t = now();
		int rc;

		memcpy(b->slab, b->data + at, n);
		b->copying += now() - t;
		rc = cut_some(b, b->slab, n, SLAB);
		if (rc == 0)
			rc = name(b);
		if (rc == 0)
			rc = seal(b);
		if (rc != 0)
			return rc;
		sealed += b->sealed;
		b->chunks += b->pieces;
		for (size_t i = 0; i < b->pieces; i++)
			at += b->piece[i].n;
	}
	b->sealed = sealed;
	return 0;
}

/* Prints GB/s of one step. */
static int
measure(struct bench *b, const char *what, step_fn step)
{
	double best = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double t = now();
		int rc;

		b->copying = 0;
		rc = step(b);
		if (rc != 0)
			return rc;
		t = now() - t - b->copying;
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

	(void)printf("%s, %s, %s\n", what, bulk_name(seal_bulk(b->seal)),
	    chunker_name(b->chunker));
	rc = measure(b, "cut", cut);
	if (rc == 0)
		rc = measure(b, "sum", sum);
	if (rc == 0)
		rc = measure(b, "sum, name", name);
	if (rc == 0)
		rc = measure(b, "seal, check", seal);
	if (rc == 0)
		rc = measure(b, "all", all);
	if (rc == 0)
		(void)printf("  %zu chunks, %.1f%% of the size\n", b->chunks,
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

/* By the search of this name, where there is one. */
static int
run_search(struct bench *b, const struct dedup_key *dedup, const char *name)
{
	int rc = 1;

	if (setenv("SKERRY_CHUNKER", name, 1) != 0 ||
	    chunker_new(dedup, &b->chunker) != 0)
		return 1;
	if (strcmp(chunker_name(b->chunker), name) != 0) {
		rc = 0;
		goto out;
	}
	filler_random(b->data, DATA);
	if (run(b, "incompressible") != 0)
		goto out;
	fill_text(b->data, DATA);
	rc = run(b, "text-like");
out:
	chunker_free(b->chunker);
	return rc;
}

int
main(void)
{
	static const char *const search[] = { "avx512", "avx2", "portable" };
	static struct bench b;
	const struct dedup_key dedup = { { 1 } };
	int rc = 0;

	b.data = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b.data == MAP_FAILED || secret_init() != 0 ||
	    seal_new(BULK_BEST, &dedup, &b.seal) != 0 ||
	    pack_init(&b.pack) != 0)
		return 1;
	/* As the client's slabs have it. */
	(void)madvise(b.data, MAPPED, MADV_HUGEPAGE);
	b.slab = b.data + DATA;
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(search); i++)
		rc = run_search(&b, &dedup, search[i]);
	pack_wipe(&b.pack);
	seal_free(b.seal);
	(void)munmap(b.data, MAPPED);
	return rc == 0 ? 0 : 1;
}
