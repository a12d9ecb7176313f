// SPDX-License-Identifier: Apache-2.0
/* The frozen vectors still are what this code reads, writes and derives.  The
 * environment names their directory: SKERRY_VECTORS. */
#include "test/unit/object/vector.h"

#include <stdio.h>

#include <jansson.h>

#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "crypt/shamir.h"
#include "object/builder.h"
#include "object/chunker.h"
#include "object/pack.h"
#include "object/receipt.h"
#include "object/seal.h"
#include "object/treehash.h"
#include "test/lib/hex.h"

static json_t *
read_file(const char *name)
{
	const char *dir = getenv("SKERRY_VECTORS");
	char path[1024];
	json_error_t err;
	json_t *j;

	assert_non_null(dir);
	(void)snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	j = json_load_file(path, JSON_REJECT_DUPLICATES, &err);
	if (j == NULL)
		fail_msg("%s: %s", path, err.text);
	return j;
}

static const char *
text(const json_t *j, const char *field)
{
	const char *s = json_string_value(json_object_get(j, field));

	assert_non_null(s);
	return s;
}

static json_int_t
number(const json_t *j, const char *field)
{
	assert_true(json_is_integer(json_object_get(j, field)));
	return json_integer_value(json_object_get(j, field));
}

/* Bytes of a field, exactly as many on the heap. */
static struct bytes
field(const json_t *j, const char *name)
{
	size_t n;
	uint8_t *p = hex_new(text(j, name), &n);

	return bytes_of(p, n);
}

static void
drop(struct bytes b)
{
	free((void *)(uintptr_t)b.p);
}

static void
all_formats_decode_and_encode_as_frozen(void **state)
{
	static const char *const name[] = { "pack/ref", "index/entry",
		"index/block", "index/segment", "tree/entry", "tree/key",
		"tree/leaf", "tree/inner", "commit/commit", "head/head",
		"chain/chain", "custody/custody" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		json_t *j = read_file(name[i]), *c;
		size_t k;

		json_array_foreach(json_object_get(j, "cases"), k, c) {
			struct buf out defer(buf_wipe) = buf_init(COMMIT_MAX);
			struct bytes in = field(c, "bytes");
			int rc = vector_recode(text(j, "format"), in, &out);

			if (strcmp(fault_name(rc), text(c, "result")) != 0)
				fail_msg("%s: %s: %s", name[i],
				    text(c, "name"), fault_name(rc));
			if (rc == 0)
				assert_int_equal(
				    bytes_cmp(in, buf_bytes(&out)), 0);
			drop(in);
		}
		assert_in_range(k, 3, 1000);
		json_decref(j);
	}
}

static struct seal *
sealer(const json_t *j)
{
	struct dedup_key dedup;
	struct seal *s = NULL;

	hex_to(text(j, "dedup"), dedup.b, KEY_LEN);
	assert_int_equal(seal_new(BULK_BEST, &dedup, &s), 0);
	return s;
}

static void
names_are_derived_as_frozen(void **state)
{
	json_t *j = read_file("names/derive"), *c;
	struct seal *s = sealer(j);
	uint8_t hash[HASH_LEN], id[CHUNK_ID_LEN], dedup[KEY_LEN], r[32];
	uint8_t out[32], sum[8];
	struct bytes part[] = { bytes_of("key", 3), bytes_of(r, 32),
		bytes_of(hash, HASH_LEN), bytes_of(sum, sizeof(sum)) };
	size_t k;

	(void)state;
	json_array_foreach(json_object_get(j, "hkdf"), k, c) {
		struct bytes ikm = field(c, "ikm"), salt = field(c, "salt");
		size_t n = strlen(text(c, "out")) / 2;

		assert_in_range(n, 1, sizeof(out));
		assert_int_equal(kdf_hkdf(ikm, salt, text(c, "label"), out,
				     n), 0);
		hex_equal(out, n, text(c, "out"));
		drop(ikm);
		drop(salt);
	}
	hex_to(text(j, "hash"), hash, HASH_LEN);
	hex_to(text(j, "dedup"), dedup, KEY_LEN);
	hex_to(text(j, "r"), r, sizeof(r));
	hex_to(text(j, "sum"), sum, sizeof(sum));
	seal_id(s, hash, id);
	hex_equal(id, sizeof(id), text(j, "chunk id"));
	kdf_prf(dedup, part, ARRAY_LEN(part), out);
	hex_equal(out, KEY_LEN, text(j, "seal key"));
	seal_free(s);
	json_decref(j);
}

static void
sealings_of(const char *file)
{
	json_t *j = read_file(file), *c;
	struct seal *s = sealer(j);
	size_t k;

	json_array_foreach(json_object_get(j, "cases"), k, c) {
		struct bytes plain = field(c, "plain");
		struct bytes sealed = field(c, "sealed"), head;
		uint8_t *got = malloc(plain.n);
		enum seal_kind kind = (enum seal_kind)number(c, "kind");
		struct index_entry e;
		struct ref r;

		if (kind <= SEAL_ATTRS) {
			head = field(c, "index entry");
			assert_int_equal(index_entry_decode(head, &e), 0);
			assert_int_equal(seal_open_chunk(s, &e, sealed, got),
			    0);
		} else {
			head = field(c, "ref");
			assert_int_equal(ref_decode(head, &r), 0);
			assert_int_equal(seal_open_ref(s, kind, &r, sealed,
					     got), 0);
		}
		assert_memory_equal(got, plain.p, plain.n);
		free(got);
		drop(head);
		drop(plain);
		drop(sealed);
	}
	seal_free(s);
	json_decref(j);
}

static void
sealings_open_as_frozen(void **state)
{
	(void)state;
	sealings_of("names/sealing");
	sealings_of("names/lz4");
}

static void
treehashes_are_as_frozen(void **state)
{
	json_t *j = read_file("treehash/treehash"), *c;
	struct bulk *b = bulk_new(BULK_BEST);
	struct treehash *t = treehash_new(b);
	uint8_t *p = malloc(CHUNK_MAX), out[HASH_LEN];
	size_t k;

	(void)state;
	for (size_t i = 0; i < CHUNK_MAX; i++)
		p[i] = (uint8_t)(i % 251);
	json_array_foreach(json_object_get(j, "cases"), k, c) {
		struct bytes m = bytes_of(p, (size_t)number(c, "length"));

		assert_in_range(m.n, 0, CHUNK_MAX);
		assert_int_equal(treehash_one(t, m, out), 0);
		hex_equal(out, HASH_LEN, text(c, "treehash"));
	}
	free(p);
	treehash_free(t);
	bulk_free(b);
	json_decref(j);
}

static void
cuts_are_as_frozen(void **state)
{
	json_t *j = read_file("chunker/cuts"), *c;
	size_t n = (size_t)number(j, "length"), at = 0, k;
	uint8_t *p = data_new((uint64_t)number(j, "seed"), n);
	struct dedup_key dedup;
	struct chunker *ch = NULL;

	(void)state;
	hex_to(text(j, "dedup"), dedup.b, KEY_LEN);
	assert_int_equal(chunker_new(&dedup, &ch), 0);
	json_array_foreach(json_object_get(j, "chunks"), k, c) {
		size_t len = chunker_cut(ch, p + at, n - at);

		assert_int_equal(len, json_integer_value(c));
		at += len;
	}
	assert_int_equal(at, n);
	free(p);
	chunker_free(ch);
	json_decref(j);
}

/* Compares each node with the next one in the file. */
struct shape {
	struct treehash *t;
	const json_t *nodes;
	size_t at;
};

static int
compare_node(void *arg, unsigned level, struct bytes node, struct ref *out)
{
	struct shape *s = arg;
	const json_t *c = json_array_get(s->nodes, s->at++);

	assert_non_null(c);
	*out = data_ref(1);
	out->plain_len = (uint32_t)node.n;
	assert_int_equal(treehash_one(s->t, node, out->hash), 0);
	assert_int_equal(level, number(c, "level"));
	assert_int_equal(node.n, number(c, "length"));
	hex_equal(out->hash, HASH_LEN, text(c, "treehash"));
	return 0;
}

static void
the_shape_of_a_tree_is_as_frozen(void **state)
{
	json_t *j = read_file("tree/shape");
	struct bulk *bulk = bulk_new(BULK_BEST);
	struct shape s = { .t = treehash_new(bulk),
		.nodes = json_object_get(j, "nodes") };
	const struct builder_sink sink = { compare_node, &s };
	struct builder *b = NULL;
	struct builder_tree tree;
	struct dedup_key dedup;
	struct buf e defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	char key[32];

	(void)state;
	hex_to(text(j, "dedup"), dedup.b, KEY_LEN);
	assert_int_equal(builder_new(&dedup, sink, &b), 0);
	for (unsigned i = 0; i < (unsigned)number(j, "entries"); i++) {
		(void)snprintf(key, sizeof(key), "name%05u", i);
		vector_make_entry(i, &e);
		assert_int_equal(builder_add(b, bytes_of(key, strlen(key)),
				     buf_bytes(&e)), 0);
	}
	assert_int_equal(builder_finish(b, NULL, &tree), 0);
	assert_int_equal(s.at, json_array_size(s.nodes));
	assert_int_equal(tree.level, number(j, "level"));
	assert_int_equal(tree.bytes, number(j, "bytes"));
	builder_free(b);
	treehash_free(s.t);
	bulk_free(bulk);
	json_decref(j);
}

static void
padding_is_as_frozen(void **state)
{
	json_t *j = read_file("pack/padme"), *c;
	size_t k;

	(void)state;
	json_array_foreach(json_object_get(j, "cases"), k, c)
		assert_int_equal(pack_padme((uint64_t)number(c, "n")),
		    number(c, "padme"));
	json_decref(j);
}

static void
receipts_hold_as_frozen(void **state)
{
	json_t *j = read_file("receipt/receipt"), *c;
	struct sign_pub pub;
	size_t i;

	(void)state;
	hex_to(text(j, "signing"), pub.b, sizeof(pub.b));
	json_array_foreach(json_object_get(j, "cases"), i, c) {
		struct buf again defer(buf_wipe) = buf_init(256);
		struct bytes in = field(c, "bytes");
		struct receipt r;
		int rc = receipt_check(in, &pub, &r);

		if (strcmp(fault_name(rc), text(c, "result")) != 0)
			fail_msg("%s: %s", text(c, "name"), fault_name(rc));
		if (rc == 0) {
			assert_int_equal(receipt_signed(&r, &again), 0);
			assert_memory_equal(again.p + sizeof(RECEIPT_LABEL),
			    in.p, RECEIPT_SIGNED_LEN);
		}
		drop(in);
	}
	assert_in_range(i, 10, 100);
	json_decref(j);
}

static void
shares_are_as_frozen(void **state)
{
	json_t *j = read_file("custody/shares"), *c;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(j, "cases"), i, c) {
		struct key_share coef[SHAMIR_MAX], out[SHAMIR_MAX];
		unsigned k = (unsigned)number(c, "k");
		unsigned n = (unsigned)number(c, "n");
		struct space_key key;
		uint8_t index[SHAMIR_MAX];

		for (unsigned m = 0; m < k; m++)
			hex_to(json_string_value(json_array_get(json_object_get(
			    c, "coefficients"), m)), coef[m].b, KEY_LEN);
		assert_int_equal(shamir_split_by(coef, k, n, out), 0);
		for (unsigned m = 0; m < n; m++) {
			hex_equal(out[m].b, KEY_LEN, json_string_value(
			    json_array_get(json_object_get(c, "shares"), m)));
			index[m] = (uint8_t)(m + 1);
		}
		assert_int_equal(shamir_join(index + n - k, out + n - k, k,
		    &key), 0);
		assert_memory_equal(key.b, coef[0].b, KEY_LEN);
	}
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(all_formats_decode_and_encode_as_frozen),
		cmocka_unit_test(names_are_derived_as_frozen),
		cmocka_unit_test(sealings_open_as_frozen),
		cmocka_unit_test(treehashes_are_as_frozen),
		cmocka_unit_test(cuts_are_as_frozen),
		cmocka_unit_test(the_shape_of_a_tree_is_as_frozen),
		cmocka_unit_test(padding_is_as_frozen),
		cmocka_unit_test(shares_are_as_frozen),
		cmocka_unit_test(receipts_hold_as_frozen),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
