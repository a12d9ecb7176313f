// SPDX-License-Identifier: Apache-2.0
/*
 * bench_codec FILE...: what each step of compression, and some beside them,
 * makes of the files, each by itself and cut after PIECE bytes: size, and GB/s
 * both ways, on one core.  The best of ROUNDS is shown: what else the machine
 * does only ever slows it.
 */
#include <lz4.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

#define PIECE ((size_t)300 << 10)
#define PIECES 65536u
#define DATA ((size_t)256 << 20) /* bytes taken, at most */
#define ROUNDS 3

struct bench {
	char *in, *out, *back;
	size_t n[PIECES], packed[PIECES], pieces, size;
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
};

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
take(struct bench *b, const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return -1;
	while (b->pieces < PIECES && b->size + PIECE <= DATA) {
		size_t n = fread(b->in + b->size, 1, PIECE, f);

		if (n == 0)
			break;
		b->n[b->pieces++] = n;
		b->size += n;
	}
	return fclose(f);
}

/* level 0: LZ4.  Bytes that all pieces take; those that grow are left alone,
 * and have packed 0. */
static size_t
compress(struct bench *b, int level)
{
	size_t from = 0, to = 0, kept = 0;

	for (size_t i = 0; i < b->pieces; from += b->n[i++]) {
		size_t n = level == 0 ?
		    (size_t)LZ4_compress_default(b->in + from, b->out + to,
			(int)b->n[i], (int)b->n[i]) :
		    ZSTD_compressCCtx(b->zc, b->out + to, b->n[i],
			b->in + from, b->n[i], level);

		b->packed[i] = ZSTD_isError(n) ? 0 : n;
		kept += b->packed[i] == 0 ? b->n[i] : 0;
		to += b->packed[i];
	}
	return to + kept;
}

static void
decompress(struct bench *b, int level)
{
	size_t at = 0;

	for (size_t i = 0; i < b->pieces; at += b->packed[i++]) {
		if (b->packed[i] == 0)
			continue;
		if (level == 0)
			(void)LZ4_decompress_safe(b->out + at, b->back,
			    (int)b->packed[i], (int)PIECE);
		else
			(void)ZSTD_decompressDCtx(b->zd, b->back, PIECE,
			    b->out + at, b->packed[i]);
	}
}

static void
measure(struct bench *b, int level)
{
	double down = 1e9, up = 1e9;
	size_t size = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double t = now(), mid;

		size = compress(b, level);
		mid = now();
		decompress(b, level);
		down = mid - t < down ? mid - t : down;
		up = now() - mid < up ? now() - mid : up;
	}
	(void)printf("  %-4s %2d  %5.1f %%  %5.2f  %5.2f GB/s\n",
	    level == 0 ? "LZ4" : "zstd", level,
	    100.0 * (double)size / (double)b->size,
	    (double)b->size / down / 1e9, (double)b->size / up / 1e9);
}

int
main(int argc, char **argv)
{
	static const int level[] = { 0, -5, -1, 1, 3, 6, 12 };
	static struct bench b;

	b.in = malloc(DATA);
	b.out = malloc(DATA);
	b.back = malloc(PIECE);
	b.zc = ZSTD_createCCtx();
	b.zd = ZSTD_createDCtx();
	if (b.in == NULL || b.out == NULL || b.back == NULL || b.zc == NULL ||
	    b.zd == NULL)
		return 1;
	for (int i = 1; i < argc; i++)
		(void)take(&b, argv[i]);
	if (b.pieces == 0) {
		(void)fputs("usage: bench_codec FILE...\n", stderr);
		return 2;
	}
	(void)printf("%zu pieces, %.1f MB\n", b.pieces, (double)b.size / 1e6);
	for (size_t i = 0; i < sizeof(level) / sizeof(*level); i++)
		measure(&b, level[i]);
	ZSTD_freeCCtx(b.zc);
	ZSTD_freeDCtx(b.zd);
	free(b.in);
	free(b.out);
	free(b.back);
	return 0;
}
