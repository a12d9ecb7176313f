// SPDX-License-Identifier: Apache-2.0
#include "object/treehash.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* Leaves gathered for one call; no message has more. */
#define GROUP 2048u
#define LABEL "skerry treehash v1"
#define LABEL_LEN (sizeof(LABEL) - 1)
#define PREFIX_LEN (LABEL_LEN + 8)

static_assert(GROUP >= TREEHASH_LEAVES_MAX, "a message fits in a group");
static_assert(PREFIX_LEN + HASH_LEN * TREEHASH_LEAVES_MAX <= BULK_MSG_MAX,
    "a root message fits in one bulk message");

struct treehash {
	struct bulk *bulk;
	struct bytes leaf[GROUP];
	uint8_t digest[GROUP][HASH_LEN];
	struct bytes root[GROUP];
	uint8_t text[GROUP * (PREFIX_LEN + HASH_LEN)]; /* of the roots */
};

struct treehash *
treehash_new(struct bulk *b)
{
	struct treehash *t = malloc(sizeof(*t));

	if (t != NULL)
		t->bulk = b;
	return t;
}

void
treehash_free(struct treehash *t)
{
	free(t);
}

void
treehash_freep(struct treehash **t)
{
	treehash_free(*t);
	*t = NULL;
}

static size_t
leaves_of(size_t n)
{
	return n == 0 ? 1 : n / TREEHASH_LEAF + (n % TREEHASH_LEAF != 0);
}

/* Appends the leaves of msg to t->leaf from position at on. */
static size_t
gather(struct treehash *t, size_t at, struct bytes msg)
{
	size_t off = 0;

	do {
		size_t n = msg.n - off;

		n = n > TREEHASH_LEAF ? TREEHASH_LEAF : n;
		t->leaf[at++] = bytes_of(msg.n == 0 ? NULL : msg.p + off, n);
		off += n;
	} while (off < msg.n);
	return at;
}

/* Hashes the first n messages, whose leaves fit in one group. */
static int
group(struct treehash *t, const struct bytes *msg, size_t n,
    uint8_t (*out)[HASH_LEN])
{
	uint8_t *p = t->text;
	size_t leaves = 0, at = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		leaves = gather(t, leaves, msg[i]);
	rc = bulk_sha256(t->bulk, t->leaf, leaves, t->digest);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		size_t k = leaves_of(msg[i].n);
		uint64_t len = htobe64(msg[i].n);

		t->root[i] = bytes_of(p, PREFIX_LEN + k * HASH_LEN);
		memcpy(p, LABEL, LABEL_LEN);
		memcpy(p + LABEL_LEN, &len, 8);
		memcpy(p + PREFIX_LEN, t->digest[at], k * HASH_LEN);
		p += t->root[i].n;
		at += k;
	}
	return bulk_sha256(t->bulk, t->root, n, out);
}

int
treehash_many(struct treehash *t, const struct bytes *msg, size_t n,
    uint8_t (*out)[HASH_LEN])
{
	for (size_t i = 0; i < n; i++) {
		if (leaves_of(msg[i].n) > TREEHASH_LEAVES_MAX)
			return FAULT_LIMIT;
	}
	for (size_t i = 0; i < n;) {
		size_t k = 0, leaves = 0;
		int rc;

		while (i + k < n && leaves + leaves_of(msg[i + k].n) <= GROUP)
			leaves += leaves_of(msg[i + k++].n);
		rc = group(t, msg + i, k, out + i);
		if (rc != 0)
			return rc;
		i += k;
	}
	return 0;
}

int
treehash_one(struct treehash *t, struct bytes msg,
    uint8_t out[static HASH_LEN])
{
	uint8_t hash[1][HASH_LEN];
	int rc = treehash_many(t, &msg, 1, hash);

	if (rc == 0)
		memcpy(out, hash[0], HASH_LEN);
	return rc;
}
