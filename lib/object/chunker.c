// SPDX-License-Identifier: Apache-2.0
/*
 * The windows of a batch of positions are AES-128 blocks that one call
 * encrypts; then the batch is scanned for the first cut.  crypt/window.h does
 * the same by vectors, where the processor has them.
 */
#include "object/chunker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/kdf.h"
#include "crypt/prp.h"
#include "crypt/secret.h"
#include "crypt/window.h"

#define BATCH 1024u /* positions in one call of the cipher */

static_assert(CHUNK_MIN >= WINDOW_SPAN, "the first window is in the chunk");

struct chunker {
	struct window *vectors; /* owned; NULL: portable */
	const char *name;       /* of the search */
	struct prp *prp;
	/* Of the bytes that are looked at, every fourth. */
	uint8_t plane[WINDOW_STRIDE][BATCH / WINDOW_STRIDE + PRP_BLOCK];
	uint8_t plain[BATCH][PRP_BLOCK]; /* windows */
	uint8_t coded[BATCH][PRP_BLOCK];
};

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
		return window_new(k, key, &c->vectors);
	}
	return 0;
}

int
chunker_new(const struct dedup_key *key, struct chunker **out)
{
	struct chunker *c defer(chunker_freep) = secret_new(sizeof(*c));
	uint8_t secret[PRP_KEY_LEN];
	int rc;

	if (c == NULL)
		return FAULT_MEMORY;
	rc = kdf_hkdf(bytes_of(key->b, sizeof(key->b)), bytes_of(NULL, 0),
	    "skerry/1 chunker", secret, sizeof(secret));
	if (rc == 0)
		rc = prp_new(secret, &c->prp);
	if (rc == 0)
		rc = new_vectors(c, secret);
	secret_wipe(secret, sizeof(secret));
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

/* The windows of n positions from p on, into c->plain. */
static void
collect(struct chunker *c, const uint8_t *p, size_t n)
{
	const uint8_t *q = p - WINDOW_SPAN;

	for (size_t i = 0; i < n + WINDOW_SPAN - 1; i++)
		c->plane[i % WINDOW_STRIDE][i / WINDOW_STRIDE] = q[i];
	for (size_t i = 0; i < n; i++)
		memcpy(c->plain[i],
		    &c->plane[i % WINDOW_STRIDE][i / WINDOW_STRIDE], PRP_BLOCK);
}

/* First of n positions from p on where cut() holds; n if none. */
static size_t
scan(struct chunker *c, const uint8_t *p, size_t n)
{
	collect(c, p, n);
	/* Does not fail with a good context; if it did, a chunk is longer. */
	if (prp_blocks(c->prp, c->plain[0], n, c->coded[0]) != 0)
		return n;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *b = c->coded[i];

		if ((b[0] | b[1]) == 0 || (b[2] | b[3]) == 0)
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
