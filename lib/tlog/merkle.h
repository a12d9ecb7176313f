// SPDX-License-Identifier: Apache-2.0
/*
 * The Merkle tree of RFC 6962 over SHA-256: growing it, and making and checking
 * inclusion and consistency proofs.  spec/60-log.md, Tree.
 */
#ifndef SKERRY_TLOG_MERKLE_H
#define SKERRY_TLOG_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define MERKLE_LEN 32
#define MERKLE_LEVELS 63
#define MERKLE_SIZE_MAX (UINT64_C(1) << 62) /* leaves */
#define MERKLE_PROOF_MAX 63                 /* hashes, up to that size */

struct merkle_hash {
	uint8_t b[MERKLE_LEN];
};

/* SHA-256(""), SHA-256(0 ‖ entry), SHA-256(1 ‖ left ‖ right). */
void merkle_empty(struct merkle_hash *out);
void merkle_leaf(struct bytes entry, struct merkle_hash *out);
void merkle_node(const struct merkle_hash *left,
    const struct merkle_hash *right, struct merkle_hash *out);

/* The right edge of a tree: the root of the perfect subtree of 2^i leaves is
 * node[i] for each bit i set in size.  {0} is the empty tree. */
struct merkle_edge {
	uint64_t size;
	struct merkle_hash node[MERKLE_LEVELS];
};

/* Adds a leaf.  FAULT_LIMIT at MERKLE_SIZE_MAX. */
int merkle_append(struct merkle_edge *e, const struct merkle_hash *leaf)
	must_check;

void merkle_root(const struct merkle_edge *e, struct merkle_hash *out);

/* Where a tree's nodes come from: get answers with the root of the perfect
 * subtree over leaves [index·2^level, (index+1)·2^level), which is whole in
 * the tree asked about.  Its errors are passed on. */
struct merkle_source {
	int (*get)(void *ctx, unsigned level, uint64_t index,
	    struct merkle_hash *out);
	void *ctx;
};

struct merkle_proof {
	size_t n;
	struct merkle_hash hash[MERKLE_PROOF_MAX];
};

/* The edge of the tree of the first size leaves.  FAULT_LIMIT, the source's. */
int merkle_edge_load(const struct merkle_source *s, uint64_t size,
    struct merkle_edge *out) must_check;

/* That leaf index is in the tree of size leaves.  FAULT_USAGE where it cannot
 * be, FAULT_LIMIT, the source's. */
int merkle_prove_inclusion(const struct merkle_source *s, uint64_t index,
    uint64_t size, struct merkle_proof *out) must_check;

/* That the first old leaves of the tree of size leaves have not changed; empty
 * for old 0 and old == size.  As above. */
int merkle_prove_consistency(const struct merkle_source *s, uint64_t old,
    uint64_t size, struct merkle_proof *out) must_check;

/* 0, or FAULT_TAMPERED for a proof that does not show it. */
int merkle_check_inclusion(const struct merkle_proof *proof, uint64_t index,
    uint64_t size, const struct merkle_hash *leaf,
    const struct merkle_hash *root) must_check;

/* old 0 is consistent with every tree, if its root is the empty one. */
int merkle_check_consistency(const struct merkle_proof *proof, uint64_t old,
    uint64_t size, const struct merkle_hash *old_root,
    const struct merkle_hash *root) must_check;

#endif
