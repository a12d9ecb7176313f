// SPDX-License-Identifier: Apache-2.0
/*
 * The window digest H is linear, so it rolls: one step multiplies it by x, adds
 * T of the byte that comes in and takes away T·x^64 of the byte that goes out.
 * The digests of a batch of positions are AES-128 blocks that one call
 * encrypts; then the batch is scanned for the first cut.  crypt/window.h does
 * the same by vectors, where the processor has them.
 */
#include "object/chunker.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/kdf.h"
#include "crypt/prp.h"
#include "crypt/secret.h"
#include "crypt/window.h"

#define BATCH 1024u /* positions in one call of the cipher */
#define STREAMS 4u  /* rolled side by side, for the CPU's sake */
#define SECRET_LEN (256u * 8u + PRP_KEY_LEN)

static_assert(CHUNK_MIN >= WINDOW_LEN + WINDOW_PASS, "a pass has room");

struct chunker {
	struct window *vectors;    /* owned; NULL: portable */
	const char *name;          /* of the search */
	uint64_t in[256];  /* T */
	uint64_t out[256]; /* T·x^64 */
	struct prp *prp;
	uint64_t plain[BATCH * 2]; /* H, zero; big-endian */
	uint64_t coded[BATCH * 2];
};

/* h·x in GF(2)[x] / (x^64 + x^4 + x^3 + x + 1). */
static inline uint64_t
times_x(uint64_t h)
{
	return h << 1 ^ (-(h >> 63) & 0x1b);
}

/* The fastest search by vectors that there is, or the one that SKERRY_CHUNKER
 * names; none where that says "portable". */
static int
new_vectors(struct chunker *c, const uint8_t key[static PRP_KEY_LEN])
{
	const char *name = secure_getenv("SKERRY_CHUNKER");

	c->name = "portable";
	for (enum window_kind k = 0; k < WINDOW_KINDS; k++) {
		if ((name != NULL && strcmp(name, window_name(k)) != 0) ||
		    !window_usable(k))
			continue;
		c->name = window_name(k);
		return window_new(k, c->in, key, &c->vectors);
	}
	return 0;
}

int
chunker_new(const struct dedup_key *key, struct chunker **out)
{
	struct chunker *c defer(chunker_freep) = secret_new(sizeof(*c));
	uint8_t *secret defer(secret_freep) = secret_new(SECRET_LEN);
	int rc;

	if (c == NULL || secret == NULL)
		return FAULT_MEMORY;
	rc = kdf_hkdf(bytes_of(key->b, sizeof(key->b)), bytes_of(NULL, 0),
	    "skerry/1 chunker", secret, SECRET_LEN);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < 256; i++) {
		uint64_t t;

		memcpy(&t, secret + 8 * i, 8);
		c->in[i] = be64toh(t);
		c->out[i] = c->in[i];
		for (unsigned j = 0; j < WINDOW_LEN; j++)
			c->out[i] = times_x(c->out[i]);
	}
	rc = prp_new(secret + 256 * 8, &c->prp);
	if (rc == 0)
		rc = new_vectors(c, secret + 256 * 8);
	if (rc != 0)
		return rc;
	*out = take(c);
	return 0;
}

void
chunker_free(struct chunker *c)
{
	if (c != NULL) {
		prp_free(c->prp);
		window_free(c->vectors);
	}
	secret_free(c);
}

void
chunker_freep(struct chunker **c)
{
	chunker_free(*c);
	*c = NULL;
}

const char *
chunker_name(const struct chunker *c)
{
	return c->name;
}

/* H of the window that ends before p. */
static uint64_t
window(const struct chunker *c, const uint8_t *p)
{
	uint64_t h = 0;

	for (const uint8_t *q = p - WINDOW_LEN; q < p; q++)
		h = times_x(h) ^ c->in[*q];
	return h;
}

static inline uint64_t
roll(const struct chunker *c, uint64_t h, const uint8_t *p)
{
	return times_x(h) ^ c->in[*p] ^ c->out[*(p - WINDOW_LEN)];
}

/* The digests of n positions from p on, into c->plain. */
static void
digest(struct chunker *c, const uint8_t *p, size_t n)
{
	size_t part = n / STREAMS;
	uint64_t h[STREAMS];
	uint64_t *o = c->plain;

	if (part > WINDOW_LEN) {
		for (size_t s = 0; s < STREAMS; s++)
			h[s] = window(c, p + s * part);
		for (size_t i = 0; i < part; i++) {
			for (size_t s = 0; s < STREAMS; s++) {
				o[2 * (s * part + i)] = htobe64(h[s]);
				h[s] = roll(c, h[s], p + s * part + i);
			}
		}
	} else {
		part = 0;
	}
	h[0] = window(c, p + STREAMS * part);
	for (size_t i = STREAMS * part; i < n; i++) {
		o[2 * i] = htobe64(h[0]);
		if (i + 1 < n)
			h[0] = roll(c, h[0], p + i);
	}
}

/* First of n positions from p on where cut() holds; n if none. */
static size_t
scan(struct chunker *c, const uint8_t *p, size_t n)
{
	const uint64_t mask = htobe64(WINDOW_MASK);

	digest(c, p, n);
	/* Does not fail with a good context; if it did, a chunk is longer. */
	if (prp_blocks(c->prp, (const uint8_t *)c->plain, n,
		(uint8_t *)c->coded) != 0)
		return n;
	for (size_t i = 0; i < n; i++) {
		if ((c->coded[2 * i] & mask) == 0)
			return i;
	}
	return n;
}

/* Positions are from..to; to if none of from..to-1 cuts. */
static size_t
first_cut(struct chunker *c, const uint8_t *p, size_t from, size_t to)
{
	if (c->vectors != NULL)
		return window_find(c->vectors, p, from, to);
	while (from < to) {
		size_t n = to - from < BATCH ? to - from : BATCH;
		size_t i = scan(c, p + from, n);

		from += i;
		if (i < n)
			break;
	}
	return from;
}

size_t
chunker_cut(struct chunker *c, const uint8_t *p, size_t n)
{
	size_t end = n < CHUNK_MAX ? n : CHUNK_MAX;

	return end <= CHUNK_MIN ? end : first_cut(c, p, CHUNK_MIN, end);
}
