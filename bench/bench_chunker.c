// SPDX-License-Identifier: Apache-2.0
/*
 * How chunks are distributed, and how much of one version of a tree is found
 * again in the next: against FastCDC (Xia et al., ATC 2016; gear table, two
 * masks) and against chunks of one size.
 *
 *   bench_chunker FILE [NEXT_VERSION...]
 *
 * Each FILE is one version, as by tar.  The ratio is that of all bytes to those
 * of different chunks.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/bulk.h"
#include "crypt/filler.h"
#include "crypt/secret.h"
#include "object/chunker.h"
#include "object/limits.h"

#define CHUNKS_MAX ((size_t)1 << 20)
#define FILE_LIMIT ((size_t)1 << 30)
#define LEAF 65535u
#define FIXED 229376u /* what the others come to on average */
#define FAST_MIN 65536u
#define FAST_NORMAL 180224u
#define KEYS 6u /* of our own; how versions meet again is chance, too */

/* One chunk is told from another by its hash. */
struct seen {
	uint8_t hash[32];
	size_t n;
};

struct bench {
	struct chunker *chunker;
	struct bulk *bulk;
	uint64_t gear[256];
	struct seen *seen; /* of CHUNKS_MAX */
	size_t chunks, longest;
	double sum, squares;
};

typedef size_t (*cut_fn)(struct bench *b, const uint8_t *p, size_t n);

static size_t
cut_skerry(struct bench *b, const uint8_t *p, size_t n)
{
	return chunker_cut(b->chunker, p, n);
}

static size_t
cut_fixed(struct bench *b, const uint8_t *p, size_t n)
{
	(void)b;
	(void)p;
	return n < FIXED ? n : FIXED;
}

/* A shorter minimum, normalised by two bits either way: as long on average. */
static size_t
cut_fastcdc(struct bench *b, const uint8_t *p, size_t n)
{
	const uint64_t strict = ~UINT64_C(0) << (64 - 20);
	const uint64_t loose = ~UINT64_C(0) << (64 - 16);
	size_t end = n < CHUNK_MAX ? n : CHUNK_MAX;
	uint64_t h = 0;

	for (size_t i = FAST_MIN; i < end; i++) {
		h = (h << 1) + b->gear[p[i]];
		if ((h & (i < FAST_NORMAL ? strict : loose)) == 0)
			return i + 1;
	}
	return end;
}

/* SHA-256 of the SHA-256 of parts that the backend takes. */
static int
digest(struct bench *b, const uint8_t *p, size_t n, uint8_t *out)
{
	static struct bytes part[CHUNK_MAX / LEAF + 1];
	static uint8_t hash[CHUNK_MAX / LEAF + 1][BULK_HASH_LEN];
	size_t parts = 0;
	struct bytes all;
	int rc;

	for (size_t at = 0; at < n; at += LEAF)
		part[parts++] = bytes_of(p + at, n - at < LEAF ? n - at : LEAF);
	rc = bulk_sha256(b->bulk, part, parts, hash);
	all = bytes_of(hash, parts * BULK_HASH_LEN);
	return rc != 0 ? rc
		       : bulk_sha256(b->bulk, &all, 1,
			     (uint8_t (*)[BULK_HASH_LEN])out);
}

static int
add(struct bench *b, const uint8_t *p, size_t n, cut_fn cut)
{
	for (size_t at = 0; at < n;) {
		size_t len = cut(b, p + at, n - at);
		struct seen *s = &b->seen[b->chunks];
		int rc;

		if (++b->chunks == CHUNKS_MAX)
			return FAULT_LIMIT;
		rc = digest(b, p + at, len, s->hash);
		if (rc != 0)
			return rc;
		s->n = len;
		b->sum += (double)len;
		b->squares += (double)len * (double)len;
		b->longest += len == CHUNK_MAX;
		at += len;
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct seen *)NULL)->hash));
}

static void
report(struct bench *b, const char *what)
{
	double mean = b->sum / (double)b->chunks, distinct = 0;

	qsort(b->seen, b->chunks, sizeof(*b->seen), compare);
	for (size_t i = 0; i < b->chunks; i++)
		if (i == 0 || compare(&b->seen[i - 1], &b->seen[i]) != 0)
			distinct += (double)b->seen[i].n;
	(void)printf("  %-10s %7zu %9.0f %9.0f %7.2f%% %8.3f\n", what,
	    b->chunks, mean,
	    sqrt(b->squares / (double)b->chunks - mean * mean),
	    100.0 * (double)b->longest / (double)b->chunks, b->sum / distinct);
}

/* NULL: said why. */
static uint8_t *
load(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(FILE_LIMIT);

	if (f == NULL || p == NULL) {
		perror(path);
		free(p);
		p = NULL;
	} else {
		*n = fread(p, 1, FILE_LIMIT, f);
	}
	if (f != NULL)
		(void)fclose(f);
	return p;
}

static int
run(struct bench *b, const char *what, cut_fn cut, char **path)
{
	b->chunks = b->longest = 0;
	b->sum = b->squares = 0;
	for (; *path != NULL; path++) {
		size_t n = 0;
		uint8_t *p = load(*path, &n);
		int rc = p == NULL ? FAULT_IO : add(b, p, n, cut);

		free(p);
		if (rc != 0)
			return rc;
	}
	if (b->chunks != 0)
		report(b, what);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct bench b;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench_chunker FILE...\n");
		return 2;
	}
	b.seen = calloc(CHUNKS_MAX, sizeof(*b.seen));
	b.bulk = bulk_new(BULK_BEST);
	if (b.seen == NULL || b.bulk == NULL || secret_init() != 0)
		return 1;
	filler_random((uint8_t *)b.gear, sizeof(b.gear));
	(void)printf("  %-10s %7s %9s %9s %8s %8s\n", "", "chunks", "mean",
	    "deviation", "at most", "ratio");
	for (uint8_t i = 0; i < KEYS; i++) {
		const struct dedup_key dedup = { { i } };

		if (chunker_new(&dedup, &b.chunker) != 0 ||
		    run(&b, "skerry", cut_skerry, argv + 1) != 0)
			return 1;
		chunker_free(b.chunker);
	}
	if (run(&b, "fastcdc", cut_fastcdc, argv + 1) != 0 ||
	    run(&b, "fixed", cut_fixed, argv + 1) != 0)
		return 1;
	bulk_free(b.bulk);
	free(b.seen);
	return 0;
}
