// SPDX-License-Identifier: Apache-2.0
/* RFC 6962 section 2.1; checking as in RFC 9162 sections 2.1.3 and 2.1.4. */
#include "tlog/merkle.h"

#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/hash.h"

void
merkle_empty(struct merkle_hash *out)
{
	hash_sha256(NULL, 0, out->b);
}

void
merkle_leaf(struct bytes entry, struct merkle_hash *out)
{
	const uint8_t mark = 0;
	const struct bytes part[] = { bytes_of(&mark, 1), entry };

	hash_sha256(part, ARRAY_LEN(part), out->b);
}

void
merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
    struct merkle_hash *out)
{
	const uint8_t mark = 1;
	const struct bytes part[] = { bytes_of(&mark, 1),
		bytes_of(left->b, MERKLE_LEN), bytes_of(right->b, MERKLE_LEN) };

	hash_sha256(part, ARRAY_LEN(part), out->b);
}

static bool
equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, MERKLE_LEN) == 0;
}

int
merkle_append(struct merkle_edge *e, const struct merkle_hash *leaf)
{
	struct merkle_hash h = *leaf;
	unsigned level = 0;

	if (e->size >= MERKLE_SIZE_MAX)
		return FAULT_LIMIT;
	for (; (e->size >> level & 1) != 0; level++)
		merkle_node(&e->node[level], &h, &h);
	e->node[level] = h;
	e->size++;
	return 0;
}

void
merkle_root(const struct merkle_edge *e, struct merkle_hash *out)
{
	struct merkle_hash h;
	bool any = false;

	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		if ((e->size >> level & 1) == 0)
			continue;
		if (any)
			merkle_node(&e->node[level], &h, &h);
		else
			h = e->node[level];
		any = true;
	}
	if (any)
		*out = h;
	else
		merkle_empty(out);
}

/* The subtree over leaves [lo, hi), where lo is a multiple of the smallest
 * power of two that is not below hi - lo. */
static int
span(const struct merkle_source *s, uint64_t lo, uint64_t hi,
    struct merkle_edge *e)
{
	int rc = 0;

	e->size = hi - lo;
	for (unsigned level = MERKLE_LEVELS; rc == 0 && level-- > 0;) {
		if ((e->size >> level & 1) == 0)
			continue;
		rc = s->get(s->ctx, level, lo >> level, &e->node[level]);
		lo += UINT64_C(1) << level;
	}
	return rc;
}

int
merkle_edge_load(const struct merkle_source *s, uint64_t size,
    struct merkle_edge *out)
{
	struct merkle_edge e;
	int rc;

	if (size > MERKLE_SIZE_MAX)
		return FAULT_LIMIT;
	memset(&e, 0, sizeof(e));
	rc = span(s, 0, size, &e);
	if (rc == 0)
		*out = e;
	return rc;
}

static int
push(const struct merkle_source *s, uint64_t lo, uint64_t hi,
    struct merkle_proof *p)
{
	struct merkle_edge e;
	int rc = span(s, lo, hi, &e);

	if (rc != 0)
		return rc;
	if (p->n == MERKLE_PROOF_MAX)
		return FAULT_INTERNAL;
	merkle_root(&e, &p->hash[p->n++]);
	return 0;
}

/* The largest power of two below n; n is at least 2. */
static uint64_t
half(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Proofs are collected from the root down, and read from the leaf up. */
static void
reverse(struct merkle_proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		struct merkle_hash h = p->hash[i];

		p->hash[i] = p->hash[p->n - 1 - i];
		p->hash[p->n - 1 - i] = h;
	}
}

int
merkle_prove_inclusion(const struct merkle_source *s, uint64_t index,
    uint64_t size, struct merkle_proof *out)
{
	struct merkle_proof p = { .n = 0 };
	uint64_t lo = 0, hi = size;
	int rc = 0;

	if (size > MERKLE_SIZE_MAX)
		return FAULT_LIMIT;
	if (index >= size)
		return FAULT_USAGE;
	while (rc == 0 && hi - lo > 1) {
		uint64_t mid = lo + half(hi - lo);

		if (index < mid) {
			rc = push(s, mid, hi, &p);
			hi = mid;
		} else {
			rc = push(s, lo, mid, &p);
			lo = mid;
		}
	}
	if (rc != 0)
		return rc;
	reverse(&p);
	*out = p;
	return 0;
}

int
merkle_prove_consistency(const struct merkle_source *s, uint64_t old,
    uint64_t size, struct merkle_proof *out)
{
	struct merkle_proof p = { .n = 0 };
	uint64_t lo = 0, hi = size;
	int rc = 0;

	if (size > MERKLE_SIZE_MAX)
		return FAULT_LIMIT;
	if (old > size)
		return FAULT_USAGE;
	if (old == 0 || old == size) {
		*out = p;
		return 0;
	}
	while (rc == 0 && old != hi) {
		uint64_t mid = lo + half(hi - lo);

		if (old <= mid) {
			rc = push(s, mid, hi, &p);
			hi = mid;
		} else {
			rc = push(s, lo, mid, &p);
			lo = mid;
		}
	}
	/* At lo 0 it is the old root, which the reader has. */
	if (rc == 0 && lo != 0)
		rc = push(s, lo, hi, &p);
	if (rc != 0)
		return rc;
	reverse(&p);
	*out = p;
	return 0;
}

int
merkle_check_inclusion(const struct merkle_proof *proof, uint64_t index,
    uint64_t size, const struct merkle_hash *leaf,
    const struct merkle_hash *root)
{
	uint64_t fn = index, sn = size - 1;
	struct merkle_hash r = *leaf;

	if (index >= size || size > MERKLE_SIZE_MAX ||
	    proof->n > MERKLE_PROOF_MAX)
		return FAULT_TAMPERED;
	for (size_t i = 0; i < proof->n; i++) {
		if (sn == 0)
			return FAULT_TAMPERED;
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(&proof->hash[i], &r, &r);
			for (; fn != 0 && (fn & 1) == 0; fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(&r, &proof->hash[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && equal(&r, root) ? 0 : FAULT_TAMPERED;
}

/* The cases that need no hash. */
static int
check_trivial(const struct merkle_proof *proof, uint64_t old,
    const struct merkle_hash *old_root, const struct merkle_hash *root)
{
	struct merkle_hash empty;

	merkle_empty(&empty);
	if (proof->n != 0)
		return FAULT_TAMPERED;
	if (old == 0)
		return equal(old_root, &empty) ? 0 : FAULT_TAMPERED;
	return equal(old_root, root) ? 0 : FAULT_TAMPERED;
}

int
merkle_check_consistency(const struct merkle_proof *proof, uint64_t old,
    uint64_t size, const struct merkle_hash *old_root,
    const struct merkle_hash *root)
{
	struct merkle_hash fr, sr, empty;
	uint64_t fn = old - 1, sn = size - 1;
	size_t i = 0;

	if (old > size || size > MERKLE_SIZE_MAX ||
	    proof->n > MERKLE_PROOF_MAX)
		return FAULT_TAMPERED;
	if (size == 0) {
		merkle_empty(&empty);
		if (!equal(root, &empty))
			return FAULT_TAMPERED;
	}
	if (old == 0 || old == size)
		return check_trivial(proof, old, old_root, root);
	if (proof->n == 0)
		return FAULT_TAMPERED;
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	fr = fn == 0 ? *old_root : proof->hash[i++];
	for (sr = fr; i < proof->n; i++) {
		const struct merkle_hash *c = &proof->hash[i];

		if (sn == 0)
			return FAULT_TAMPERED;
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(c, &fr, &fr);
			merkle_node(c, &sr, &sr);
			for (; fn != 0 && (fn & 1) == 0; fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(&sr, c, &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && equal(&fr, old_root) && equal(&sr, root) ? 0 :
	    FAULT_TAMPERED;
}
