// SPDX-License-Identifier: Apache-2.0
#include "test/lib/hex.h"

#include "base/fault.h"
#include "tlog/merkle.h"

#define TREES 300

static struct merkle_hash leaf[TREES];

/* RFC 6962 section 2.1 as it is written, to compare with. */
static void
mth(uint64_t lo, uint64_t hi, struct merkle_hash *out)
{
	struct merkle_hash l, r;
	uint64_t k = 1;

	if (hi == lo) {
		merkle_empty(out);
		return;
	}
	if (hi - lo == 1) {
		*out = leaf[lo];
		return;
	}
	while (k * 2 < hi - lo)
		k *= 2;
	mth(lo, lo + k, &l);
	mth(lo + k, hi, &r);
	merkle_node(&l, &r, out);
}

static struct merkle_hash nodes[10][TREES];

static int
get(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	uint64_t size = *(uint64_t *)ctx;

	assert_true(level < 10 && (index + 1) << level <= size);
	*out = nodes[level][index];
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < TREES; i++)
		merkle_leaf(bytes_of(&i, sizeof(i)), &leaf[i]);
	memcpy(nodes[0], leaf, sizeof(leaf));
	for (unsigned l = 1; l < 10; l++)
		for (uint64_t i = 0; (i + 1) << l <= TREES; i++)
			merkle_node(&nodes[l - 1][2 * i],
			    &nodes[l - 1][2 * i + 1], &nodes[l][i]);
	return 0;
}

/* The roots of the eight entries that implementations of RFC 6962 publish. */
static void
published_roots(void **state)
{
	static const char *const entry[] = { "", "00", "10", "2021", "3031",
		"40414243", "5051525354555657",
		"606162636465666768696a6b6c6d6e6f" };
	static const char *const root[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct merkle_edge e = { .size = 0 };
	struct merkle_hash h;

	(void)state;
	merkle_root(&e, &h);
	hex_equal(h.b, MERKLE_LEN,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < ARRAY_LEN(entry); i++) {
		size_t n;
		uint8_t *p = hex_new(entry[i], &n);

		merkle_leaf(bytes_of(p, n), &h);
		free(p);
		assert_int_equal(merkle_append(&e, &h), 0);
		merkle_root(&e, &h);
		hex_equal(h.b, MERKLE_LEN, root[i]);
	}
}

static void
inclusion_of_every_leaf_of_every_tree(void **state)
{
	struct merkle_edge e = { .size = 0 };

	(void)state;
	for (uint64_t n = 0; n <= TREES; n++) {
		struct merkle_source s = { .get = get, .ctx = &n };
		struct merkle_hash root, want;
		struct merkle_edge loaded;
		struct merkle_proof p;

		merkle_root(&e, &root);
		mth(0, n, &want);
		assert_memory_equal(&root, &want, sizeof(root));
		assert_int_equal(merkle_edge_load(&s, n, &loaded), 0);
		merkle_root(&loaded, &want);
		assert_memory_equal(&root, &want, sizeof(root));
		for (uint64_t i = 0; i < n; i++) {
			assert_int_equal(merkle_prove_inclusion(&s, i, n, &p),
			    0);
			assert_int_equal(merkle_check_inclusion(&p, i, n,
			    &leaf[i], &root), 0);
			assert_int_not_equal(merkle_check_inclusion(&p, i + 1,
			    n, &leaf[i], &root), 0);
			if (i > 0)
				assert_int_not_equal(merkle_check_inclusion(&p,
				    i - 1, n, &leaf[i], &root), 0);
		}
		assert_int_equal(merkle_prove_inclusion(&s, n, n, &p),
		    FAULT_USAGE);
		if (n < TREES)
			assert_int_equal(merkle_append(&e, &leaf[n]), 0);
	}
}

static void
consistency_of_every_two_trees(void **state)
{
	static struct merkle_hash root[TREES + 1];

	(void)state;
	for (uint64_t n = 0; n <= TREES; n++)
		mth(0, n, &root[n]);
	for (uint64_t n = 0; n <= TREES; n++) {
		struct merkle_source s = { .get = get, .ctx = &n };
		struct merkle_proof p;

		for (uint64_t old = 0; old <= n; old++) {
			assert_int_equal(merkle_prove_consistency(&s, old, n,
			    &p), 0);
			assert_int_equal(merkle_check_consistency(&p, old, n,
			    &root[old], &root[n]), 0);
			if (n < TREES)
				assert_int_not_equal(merkle_check_consistency(
				    &p, old, n, &root[old + 1], &root[n]), 0);
			if (old != 0)
				assert_int_not_equal(merkle_check_consistency(
				    &p, old, n, &root[old], &root[n - 1 ==
				    old ? old - 1 : n - 1]), 0);
		}
		assert_int_equal(merkle_prove_consistency(&s, n + 1, n, &p),
		    FAULT_USAGE);
	}
}

static void
refuses_any_changed_proof(void **state)
{
	uint64_t n = 203, old = 77, index = 130;
	struct merkle_source s = { .get = get, .ctx = &n };
	struct merkle_proof in, con, p;
	struct merkle_hash root, old_root;

	(void)state;
	mth(0, n, &root);
	mth(0, old, &old_root);
	assert_int_equal(merkle_prove_inclusion(&s, index, n, &in), 0);
	assert_int_equal(merkle_prove_consistency(&s, old, n, &con), 0);
	for (size_t i = 0; i < in.n * MERKLE_LEN * 8; i++) {
		p = in;
		p.hash[i / 256].b[i / 8 % 32] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(merkle_check_inclusion(&p, index, n,
		    &leaf[index], &root), FAULT_TAMPERED);
	}
	for (size_t i = 0; i < con.n * MERKLE_LEN * 8; i++) {
		p = con;
		p.hash[i / 256].b[i / 8 % 32] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(merkle_check_consistency(&p, old, n,
		    &old_root, &root), FAULT_TAMPERED);
	}
	for (int more = -1; more <= 1; more += 2) {
		p = in;
		p.n += (size_t)more;
		p.hash[in.n] = root;
		assert_int_equal(merkle_check_inclusion(&p, index, n,
		    &leaf[index], &root), FAULT_TAMPERED);
		p = con;
		p.n += (size_t)more;
		p.hash[con.n] = root;
		assert_int_equal(merkle_check_consistency(&p, old, n,
		    &old_root, &root), FAULT_TAMPERED);
	}
	p.n = 0;
	assert_int_equal(merkle_check_consistency(&p, old, n, &old_root, &root),
	    FAULT_TAMPERED);
	assert_int_equal(merkle_check_consistency(&p, n, n, &old_root, &root),
	    FAULT_TAMPERED);
	assert_int_equal(merkle_check_consistency(&p, n + 1, n, &root, &root),
	    FAULT_TAMPERED);
	assert_int_equal(merkle_check_inclusion(&p, 0, 0, &root, &root),
	    FAULT_TAMPERED);
	assert_int_equal(merkle_check_consistency(&p, 0, 0, &root, &root),
	    FAULT_TAMPERED);
	assert_int_equal(merkle_check_inclusion(&p, 0, UINT64_MAX, &root,
	    &root), FAULT_TAMPERED);
}

/* Proofs in the largest tree have as many hashes as there is room for. */
static int
same(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	(void)index;
	*out = ((struct merkle_hash *)ctx)[level];
	return 0;
}

static void
largest_tree(void **state)
{
	static struct merkle_hash h[64];
	struct merkle_source s = { .get = same, .ctx = h };
	const uint64_t n = MERKLE_SIZE_MAX;
	struct merkle_edge e = { .size = 0 }, old;
	struct merkle_hash root, old_root;
	struct merkle_proof p;

	(void)state;
	h[0] = leaf[0];
	for (unsigned i = 1; i < 64; i++)
		merkle_node(&h[i - 1], &h[i - 1], &h[i]);
	assert_int_equal(merkle_edge_load(&s, n, &e), 0);
	merkle_root(&e, &root);
	assert_int_equal(merkle_append(&e, &leaf[0]), FAULT_LIMIT);
	assert_int_equal(merkle_prove_inclusion(&s, n - 1, n, &p), 0);
	assert_int_equal(p.n, 62);
	assert_int_equal(merkle_check_inclusion(&p, n - 1, n, h, &root), 0);
	assert_int_equal(merkle_prove_consistency(&s, n - 1, n, &p), 0);
	assert_int_equal(p.n, MERKLE_PROOF_MAX);
	assert_int_equal(merkle_edge_load(&s, n - 1, &old), 0);
	merkle_root(&old, &old_root);
	assert_int_equal(merkle_check_consistency(&p, n - 1, n, &old_root,
	    &root), 0);
	assert_int_equal(merkle_prove_inclusion(&s, 0, n + 1, &p),
	    FAULT_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(published_roots),
		cmocka_unit_test(inclusion_of_every_leaf_of_every_tree),
		cmocka_unit_test(consistency_of_every_two_trees),
		cmocka_unit_test(refuses_any_changed_proof),
		cmocka_unit_test(largest_tree),
	};

	return cmocka_run_group_tests(t, set_up, NULL);
}
