// SPDX-License-Identifier: Apache-2.0
/*
 * Writes the frozen vectors: gen_vectors DIRECTORY.  The same bytes in every
 * run, for its random bytes are not.  To be run again only when a format gets
 * a new version.
 */
#include "test/unit/object/vector.h"

#include <stdio.h>
#include <sys/stat.h>

#include <jansson.h>
#include <sodium.h>

#include "base/fault.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "object/builder.h"
#include "object/chunker.h"
#include "object/list.h"
#include "object/pack.h"
#include "object/seal.h"
#include "object/treehash.h"

static uint64_t random_state = 1;

static const char *
random_name(void)
{
	return "the same in every run";
}

static uint32_t
random_word(void)
{
	return (uint32_t)data_next(&random_state);
}

static void
random_bytes(void *out, size_t n)
{
	data_fill(data_next(&random_state), out, n);
}

static struct randombytes_implementation not_random = {
	.implementation_name = random_name,
	.random = random_word,
	.buf = random_bytes,
};

static const char *root;

static json_t *
hex(const void *p, size_t n)
{
	char *text = malloc(2 * n + 1);
	json_t *j;

	assert_non_null(text);
	sodium_bin2hex(text, 2 * n + 1, p, n);
	j = json_string(text);
	free(text);
	return j;
}

/* Takes over j. */
static void
save(const char *dir, const char *name, json_t *j)
{
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", root, dir);
	(void)mkdir(path, 0777);
	(void)snprintf(path, sizeof(path), "%s/%s/%s.json", root, dir, name);
	assert_int_equal(json_dump_file(j, path, JSON_INDENT(1)), 0);
	json_decref(j);
}

/* Cases of one format. */
struct file {
	const char *format;
	json_t *cases;
};

static struct file
begin(const char *format)
{
	return (struct file){ format, json_array() };
}

static void
end(struct file *f, const char *dir, const char *name)
{
	save(dir, name, json_pack("{s:s, s:o}", "format", f->format, "cases",
	    f->cases));
}

/* A case whose result must be want. */
static void
add(struct file *f, const char *name, const void *p, size_t n, int want)
{
	struct buf out defer(buf_wipe) = buf_init(COMMIT_MAX);
	int rc = vector_recode(f->format, bytes_of(p, n), &out);

	if (rc != want)
		(void)fprintf(stderr, "%s, %s: %s\n", f->format, name,
		    fault_name(rc));
	assert_int_equal(rc, want);
	if (rc == 0) {
		assert_int_equal(out.n, n);
		assert_memory_equal(out.p, p, n);
	}
	json_array_append_new(f->cases, json_pack("{s:s, s:o, s:s}", "name",
	    name, "bytes", hex(p, n), "result", fault_name(want)));
}

/* A good case, and what is bad about it when it is longer or shorter. */
static void
good(struct file *f, const char *name, const void *p, size_t n)
{
	uint8_t *more = calloc(1, n + 1);
	char text[128];

	memcpy(more, p, n);
	more[n] = 1; /* in a chain, the version of an entry */
	add(f, name, p, n, 0);
	(void)snprintf(text, sizeof(text), "%s, a byte too few", name);
	add(f, text, p, n - 1, FAULT_MALFORMED);
	(void)snprintf(text, sizeof(text), "%s, a byte too many", name);
	add(f, text, more, n + 1, FAULT_MALFORMED);
	free(more);
}

/* A case with other bytes at one place. */
static void
poke(struct file *f, const char *name, struct bytes in, size_t at,
    const char *with, int want)
{
	uint8_t *p = malloc(in.n), b[64];
	size_t n;

	memcpy(p, in.p, in.n);
	assert_int_equal(sodium_hex2bin(b, sizeof(b), with, strlen(with), NULL,
			     &n, NULL), 0);
	assert_in_range(at + n, 1, in.n);
	memcpy(p + at, b, n);
	add(f, name, p, in.n, want);
	free(p);
}

static void
names(void)
{
	static const char *const label[] = { "skerry/1 tree",
		"skerry/1 link", "skerry/1 chunker", "skerry/1 head",
		"skerry/1 journal" };
	static const size_t len[] = { 16, 16, 16, 32, 32 };
	struct dedup_key dedup;
	struct seal *s = NULL;
	struct seal_key key;
	uint8_t hash[HASH_LEN], id[CHUNK_ID_LEN], r[32 * 32], salt[32];
	uint8_t out[32];
	json_t *j = json_array();

	data_fill(VECTOR_DEDUP, &dedup, sizeof(dedup));
	data_fill(5, hash, sizeof(hash));
	data_fill(6, salt, sizeof(salt));
	for (size_t i = 0; i < ARRAY_LEN(label); i++) {
		struct bytes with = bytes_of(salt, i < 3 ? 0 : sizeof(salt));

		assert_int_equal(kdf_hkdf(bytes_of(dedup.b, KEY_LEN), with,
				     label[i], out, len[i]), 0);
		json_array_append_new(j, json_pack("{s:s, s:o, s:o, s:o}",
		    "label", label[i], "ikm", hex(dedup.b, KEY_LEN), "salt",
		    hex(with.p, with.n), "out", hex(out, len[i])));
	}
	assert_int_equal(seal_new(BULK_BEST, &dedup, &s), 0);
	seal_id(s, hash, id);
	/* As many as one call asks for; the last are used first. */
	random_state = 77;
	secret_random(r, sizeof(r));
	random_state = 77;
	seal_fresh_key(s, hash, 0x123456789abcdef0, &key);
	save("names", "derive", json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}",
	    "hkdf", j, "dedup", hex(dedup.b, KEY_LEN), "hash",
	    hex(hash, HASH_LEN), "chunk id", hex(id, sizeof(id)), "r",
	    hex(r + sizeof(r) - 32, 32), "sum", "123456789abcdef0", "seal key",
	    hex(key.b, KEY_LEN)));
	seal_free(s);
}

static void
sealings(void)
{
	struct dedup_key dedup;
	struct seal *s = NULL;
	json_t *j = json_array();
	uint8_t out[3000 + SEAL_OVERHEAD], id[1][CHUNK_ID_LEN];
	struct seal_mark mark;
	uint8_t text[INDEX_ENTRY_LEN], place[REF_LEN];

	data_fill(VECTOR_DEDUP, &dedup, sizeof(dedup));
	assert_int_equal(seal_new(BULK_BEST, &dedup, &s), 0);
	for (unsigned kind = SEAL_DATA; kind <= SEAL_COMMIT; kind++) {
		uint8_t *p = kind % 2 == 0 ? data_text(kind, 3000)
					   : data_new(kind, 30);
		struct bytes m = bytes_of(p, kind % 2 == 0 ? 3000 : 30);
		struct index_entry e;
		struct ref r;
		bool chunk = kind <= SEAL_ATTRS;

		assert_int_equal(seal_ids(s, &m, 1, &mark, id), 0);
		if (chunk) {
			assert_int_equal(seal_chunk(s, kind, m, &mark, out,
					     &e), 0);
			memset(e.place.object, 0, ID_LEN);
			index_entry_encode(&e, text);
		} else {
			assert_int_equal(seal_ref(s, kind, m, out, &r), 0);
			ref_encode(&r, place);
		}
		json_array_append_new(j,
		    json_pack("{s:i, s:o, s:o, s:o}", "kind", (int)kind,
			chunk ? "index entry" : "ref",
			chunk ? hex(text, sizeof(text))
			      : hex(place, sizeof(place)),
			"plain", hex(m.p, m.n), "sealed",
			hex(out, chunk ? e.place.length : r.place.length)));
		free(p);
	}
	save("names", "sealing", json_pack("{s:o, s:o}", "dedup",
	    hex(dedup.b, KEY_LEN), "cases", j));
	seal_free(s);
}

static void
hashes(void)
{
	static const size_t len[] = { 0, 1, 32767, 32768, 32769, 65536,
		131072, 1000000, CHUNK_MAX };
	struct bulk *b = bulk_new(BULK_BEST);
	struct treehash *t = treehash_new(b);
	uint8_t *p = malloc(CHUNK_MAX), out[HASH_LEN];
	json_t *j = json_array();

	for (size_t i = 0; i < CHUNK_MAX; i++)
		p[i] = (uint8_t)(i % 251);
	for (size_t i = 0; i < ARRAY_LEN(len); i++) {
		assert_int_equal(treehash_one(t, bytes_of(p, len[i]), out), 0);
		json_array_append_new(j, json_pack("{s:I, s:o}", "length",
		    (json_int_t)len[i], "treehash", hex(out, HASH_LEN)));
	}
	save("treehash", "treehash", json_pack("{s:s, s:o}", "message",
	    "byte i is i mod 251", "cases", j));
	free(p);
	treehash_free(t);
	bulk_free(b);
}

static void
cuts(void)
{
	enum { N = 6000000 };
	struct dedup_key dedup;
	struct chunker *c = NULL;
	uint8_t *p = data_new(7, N);
	json_t *j = json_array();

	data_fill(VECTOR_DEDUP, &dedup, sizeof(dedup));
	assert_int_equal(chunker_new(&dedup, &c), 0);
	for (size_t at = 0; at < N;) {
		size_t n = chunker_cut(c, p + at, N - at);

		json_array_append_new(j, json_integer((json_int_t)n));
		at += n;
	}
	save("chunker", "cuts", json_pack("{s:o, s:s, s:i, s:i, s:o}", "dedup",
	    hex(dedup.b, KEY_LEN), "data",
	    "splitmix64 from the seed, each word little-endian", "seed", 7,
	    "length", N, "chunks", j));
	free(p);
	chunker_free(c);
}

static void
packs(void)
{
	static const uint64_t n[] = { 1, 2, 3, 4, 9, 100, 1000, 16385, 65537,
		1000000, 16777215, 16777216 };
	struct file f = begin("ref");
	struct ref r = data_ref(3);
	uint8_t b[REF_LEN];
	struct bytes in = bytes_of(b, sizeof(b));
	json_t *j = json_array();

	r.place.length = 117;
	r.plain_len = 100;
	ref_encode(&r, b);
	good(&f, "a ref", b, sizeof(b));
	poke(&f, "length 16", in, 20, "00000010", FAULT_MALFORMED);
	poke(&f, "length 17", in, 20, "00000011", 0);
	poke(&f, "longer than the content", in, 20, "00000076",
	    FAULT_MALFORMED);
	poke(&f, "at the end of a pack", in, 16, "00ffff8b", 0);
	poke(&f, "past the end of a pack", in, 16, "00ffff8c",
	    FAULT_MALFORMED);
	poke(&f, "offset that wraps", in, 16, "ffffffff", FAULT_MALFORMED);
	poke(&f, "no content", in, 24, "00000000", FAULT_MALFORMED);
	poke(&f, "content over COMMIT_MAX", in, 24, "00800001",
	    FAULT_MALFORMED);
	end(&f, "pack", "ref");
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		json_array_append_new(j, json_pack("{s:I, s:I}", "n",
		    (json_int_t)n[i], "padme", (json_int_t)pack_padme(n[i])));
	save("pack", "padme", json_pack("{s:o}", "cases", j));
}

static void
indexes(void)
{
	struct file f = begin("index entry"), g = begin("index block");
	struct index_entry e[3] = { data_entry(1), data_entry(4),
		data_entry(7) };
	uint8_t b[3 * INDEX_ENTRY_LEN], t[INDEX_ENTRY_LEN];
	struct bytes one = bytes_of(b, INDEX_ENTRY_LEN);

	for (size_t i = 0; i < 3; i++) {
		e[i].kind = SEAL_DATA;
		e[i].place.length = 117;
	}
	index_sort(e, 3);
	for (size_t i = 0; i < 3; i++)
		index_entry_encode(&e[i], b + i * INDEX_ENTRY_LEN);
	good(&f, "an entry", b, INDEX_ENTRY_LEN);
	poke(&f, "kind 0", one, 60, "00", FAULT_MALFORMED);
	poke(&f, "kind 3", one, 60, "03", 0);
	poke(&f, "kind 4", one, 60, "04", FAULT_MALFORMED);
	poke(&f, "reserved byte", one, 61, "01", FAULT_MALFORMED);
	poke(&f, "no content", one, 56, "00000000", FAULT_MALFORMED);
	poke(&f, "CHUNK_MAX", one, 56, "00200000", 0);
	poke(&f, "over CHUNK_MAX", one, 56, "00200001", FAULT_MALFORMED);
	end(&f, "index", "entry");
	good(&g, "a block of three", b, sizeof(b));
	add(&g, "an empty block", b, 0, FAULT_MALFORMED);
	memcpy(t, b, sizeof(t));
	memcpy(b, b + INDEX_ENTRY_LEN, INDEX_ENTRY_LEN);
	add(&g, "an id twice", b, sizeof(b), FAULT_MALFORMED);
	memcpy(b + INDEX_ENTRY_LEN, t, sizeof(t));
	add(&g, "ids that descend", b, sizeof(b), FAULT_MALFORMED);
	end(&g, "index", "block");
}

static void
segments(void)
{
	struct file f = begin("segment");
	struct segment_run run[2] = { { .offset = 5, .count = 2 },
		{ .offset = 7, .count = 1 } };
	uint32_t first[2] = { 0, 2 };
	uint64_t fence[3] = { 1, 5, 5 };
	struct segment s = { .entries = 1030, .blocks = 3, .runs = 2,
		.run = run, .first = first, .fence = fence };
	struct buf b defer(buf_wipe) = buf_init(1000);
	struct wr w = wr_to(&b);
	struct bytes in;

	data_fill(1, s.key.b, KEY_LEN);
	data_fill(2, run[0].object, ID_LEN);
	data_fill(3, run[1].object, ID_LEN);
	segment_write(&w, &s);
	in = buf_bytes(&b);
	good(&f, "a segment of two runs", b.p, b.n);
	poke(&f, "no entries", in, 32, "0000000000000000", FAULT_MALFORMED);
	poke(&f, "entries for more blocks", in, 32, "0000000000000601",
	    FAULT_MALFORMED);
	poke(&f, "entries without end", in, 32, "ffffffffffffffff",
	    FAULT_MALFORMED);
	poke(&f, "no runs", in, 40, "00000000", FAULT_MALFORMED);
	poke(&f, "a run of none", in, 64, "00000000", FAULT_MALFORMED);
	poke(&f, "a run of too many", in, 64, "00000004", FAULT_MALFORMED);
	poke(&f, "a run past the pack", in, 60, "00ffffff", FAULT_MALFORMED);
	poke(&f, "fences that descend", in, 108, "0000000000000004",
	    FAULT_MALFORMED);
	run[1] = run[0];
	run[1].count = 1;
	run[1].offset = 5 + 2 * INDEX_SEALED_LEN;
	b.n = 0;
	w = wr_to(&b);
	segment_write(&w, &s);
	add(&f, "two runs that are one", b.p, b.n, FAULT_MALFORMED);
	end(&f, "index", "segment");
}

static void
entries(void)
{
	struct file f = begin("tree entry"), g = begin("key");
	struct buf b defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	uint8_t *big = malloc(KEY_BYTES_MAX + 2);
	char name[32];

	for (unsigned i = 0; i < 14; i++) {
		vector_make_entry(i, &b);
		(void)snprintf(name, sizeof(name), "type %u, no. %u",
		    1 + i % 7, i);
		good(&f, name, b.p, b.n);
	}
	vector_make_entry(3, &b);
	poke(&f, "type 0", buf_bytes(&b), 0, "00", FAULT_MALFORMED);
	poke(&f, "type 8", buf_bytes(&b), 0, "08", FAULT_MALFORMED);
	poke(&f, "flag 8", buf_bytes(&b), 1, "0c", FAULT_MALFORMED);
	poke(&f, "mode over 12 bits", buf_bytes(&b), 2, "1000",
	    FAULT_MALFORMED);
	poke(&f, "a second of nanoseconds", buf_bytes(&b), 20, "3b9aca00",
	    FAULT_MALFORMED);
	poke(&f, "link id 0", buf_bytes(&b), 24, "0000000000000000",
	    FAULT_MALFORMED);
	vector_make_entry(0, &b);
	poke(&f, "size that is not the list's", buf_bytes(&b), 24,
	    "000000000000000a", FAULT_MALFORMED);
	poke(&f, "level 1 with a hole", buf_bytes(&b), 32, "01",
	    FAULT_MALFORMED);
	poke(&f, "a hole of none", buf_bytes(&b), 38, "0000000000000000",
	    FAULT_MALFORMED);
	vector_make_entry(2, &b);
	poke(&f, "attributes too short for a chunk", buf_bytes(&b), 56,
	    "00001000", FAULT_MALFORMED);
	poke(&f, "zero in a target", buf_bytes(&b), b.n - 2, "00",
	    FAULT_MALFORMED);
	end(&f, "tree", "entry");

	add(&g, "one name", "a", 1, 0);
	add(&g, "two names", "a\0b", 3, 0);
	add(&g, "three dots", "...", 3, 0);
	add(&g, "the empty key", "", 0, FAULT_MALFORMED);
	add(&g, "a dot", ".", 1, FAULT_MALFORMED);
	add(&g, "two dots", "a\0..", 4, FAULT_MALFORMED);
	add(&g, "a slash", "a/b", 3, FAULT_MALFORMED);
	add(&g, "an empty name", "a\0\0b", 4, FAULT_MALFORMED);
	add(&g, "a zero at the end", "a\0", 2, FAULT_MALFORMED);
	memset(big, 'x', KEY_BYTES_MAX + 2);
	add(&g, "a name of 255", big, 255, 0);
	add(&g, "a name of 256", big, 256, FAULT_MALFORMED);
	end(&g, "tree", "key");
	free(big);
}

static void
nodes(void)
{
	static const char *const key[] = { "a", "a\0b", "abc", "abd", "b" };
	static const size_t len[] = { 1, 3, 3, 3, 1 };
	struct buf b defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);

	for (unsigned level = 0; level < 2; level++) {
		struct file f = begin(level == 0 ? "leaf" : "inner node");
		struct node_writer w defer(node_writer_wipe) = { 0 };

		assert_int_equal(node_start(&w, level), 0);
		for (unsigned i = 0; i < 5; i++) {
			struct bytes k = bytes_of(key[i], len[i]);
			struct node_child c = { .entries = 3, .bytes = i,
				.ref = data_ref(i) };

			vector_make_entry(i + 1, &b);
			assert_int_equal(level == 0
				? node_add_entry(&w, k, buf_bytes(&b), 0)
				: node_add_child(&w, k, &c), 0);
		}
		good(&f, "five items", w.b.p, w.b.n);
		poke(&f, "version 2", buf_bytes(&w.b), 0, "02", FAULT_VERSION);
		poke(&f, "another level", buf_bytes(&w.b), 1, "02",
		    FAULT_MALFORMED);
		poke(&f, "reserved byte", buf_bytes(&w.b), 3, "01",
		    FAULT_MALFORMED);
		poke(&f, "an item too few", buf_bytes(&w.b), 4, "00000004",
		    FAULT_MALFORMED);
		poke(&f, "an item too many", buf_bytes(&w.b), 4, "00000006",
		    FAULT_MALFORMED);
		poke(&f, "no items", buf_bytes(&w.b), 4, "00000000",
		    FAULT_MALFORMED);
		poke(&f, "shared in the first", buf_bytes(&w.b), 8, "0001",
		    FAULT_MALFORMED);
		poke(&f, "a bad name", buf_bytes(&w.b), 12, "2f",
		    FAULT_MALFORMED);
		end(&f, "tree", level == 0 ? "leaf" : "inner");
	}
}

/* Nodes by level, of a tree of 20,000 entries. */
static int
count_node(void *arg, unsigned level, struct bytes node, struct ref *out)
{
	struct treehash *t = ((void **)arg)[0];
	json_t *list = ((void **)arg)[1];

	*out = data_ref(1);
	out->plain_len = (uint32_t)node.n;
	assert_int_equal(treehash_one(t, node, out->hash), 0);
	json_array_append_new(list, json_pack("{s:i, s:I, s:o}", "level",
	    (int)level, "length", (json_int_t)node.n, "treehash",
	    hex(out->hash, HASH_LEN)));
	return 0;
}

static void
shape(void)
{
	struct bulk *bulk = bulk_new(BULK_BEST);
	struct treehash *t = treehash_new(bulk);
	json_t *list = json_array();
	void *arg[2] = { t, list };
	const struct builder_sink sink = { count_node, arg };
	struct builder *b = NULL;
	struct builder_tree tree;
	struct dedup_key dedup;
	struct buf e defer(buf_wipe) = buf_init(ENTRY_LEN_MAX);
	char key[32];

	data_fill(VECTOR_DEDUP, &dedup, sizeof(dedup));
	assert_int_equal(builder_new(&dedup, sink, &b), 0);
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(key, sizeof(key), "name%05u", i);
		vector_make_entry(i, &e);
		assert_int_equal(builder_add(b, bytes_of(key, strlen(key)),
				     buf_bytes(&e)), 0);
	}
	assert_int_equal(builder_finish(b, NULL, &tree), 0);
	save("tree", "shape", json_pack("{s:o, s:i, s:i, s:I, s:o}", "dedup",
	    hex(dedup.b, KEY_LEN), "entries", 20000, "level", (int)tree.level,
	    "bytes", (json_int_t)tree.bytes, "nodes", list));
	builder_free(b);
	treehash_free(t);
	bulk_free(bulk);
}

static void
commits(void)
{
	struct file f = begin("commit");
	struct commit c = { .epoch = 2, .number = 7, .time_sec = 1700000000,
		.time_nsec = 5, .has_parent = true, .has_root = true,
		.parent = data_ref(1), .root = data_ref(2), .entries = 10,
		.bytes = 1000, .message_len = 6, .message = "h\xc3\xa9llo" };
	struct segment_run run = { .count = 1 };
	uint32_t first = 0;
	uint64_t fence = 77;
	struct segment s = { .entries = 3, .blocks = 1, .runs = 1, .run = &run,
		.first = &first, .fence = &fence };
	struct buf b defer(buf_wipe) = buf_init(COMMIT_MAX);

	data_fill(3, c.device, ID_LEN);
	data_fill(4, c.dedup.b, KEY_LEN);
	c.segment = &s;
	c.segments = 1;
	assert_int_equal(commit_encode(&c, &b), 0);
	good(&f, "all that there can be", b.p, b.n);
	poke(&f, "version 2", buf_bytes(&b), 0, "02", FAULT_VERSION);
	poke(&f, "flag 4", buf_bytes(&b), 1, "07", FAULT_MALFORMED);
	poke(&f, "reserved byte", buf_bytes(&b), 2, "01", FAULT_MALFORMED);
	poke(&f, "number 0", buf_bytes(&b), 8, "0000000000000000",
	    FAULT_MALFORMED);
	poke(&f, "number 1 with a parent", buf_bytes(&b), 8,
	    "0000000000000001", FAULT_MALFORMED);
	poke(&f, "a second of nanoseconds", buf_bytes(&b), 24, "3b9aca00",
	    FAULT_MALFORMED);
	poke(&f, "a root of no entries", buf_bytes(&b), 76 + 184,
	    "0000000000000000", FAULT_MALFORMED);
	poke(&f, "message that is no text", buf_bytes(&b), 76 + 184 + 18,
	    "ff", FAULT_MALFORMED);
	poke(&f, "65 segments", buf_bytes(&b), 76 + 184 + 18 + 6, "0041",
	    FAULT_MALFORMED);
	c = (struct commit){ .number = 1 };
	b.n = 0;
	assert_int_equal(commit_encode(&c, &b), 0);
	good(&f, "the least that there can be", b.p, b.n);
	poke(&f, "entries without a root", buf_bytes(&b), 76,
	    "0000000000000001", FAULT_MALFORMED);
	end(&f, "commit", "commit");
}

static void
heads(void)
{
	struct file f = begin("head");
	struct bulk *bulk = bulk_new(BULK_BEST);
	struct space_key key;
	struct sign_key sign, other;
	struct head h = { .epoch = 1, .number = 1, .commit = data_ref(9) };
	uint8_t b[HEAD_LEN];
	struct bytes in = bytes_of(b, sizeof(b));

	data_fill(VECTOR_SPACE_KEY, &key, sizeof(key));
	data_fill(VECTOR_SIGN, &sign, sizeof(sign));
	data_fill(12345, &other, sizeof(other));
	data_fill(VECTOR_SPACE, h.space, ID_LEN);
	data_fill(VECTOR_DEVICE, h.device, ID_LEN);
	head_new_salt(&h);
	assert_int_equal(head_seal(bulk, &key, &sign, &h, b), 0);
	good(&f, "the first head", b, sizeof(b));
	poke(&f, "version 2", in, 0, "02", FAULT_VERSION);
	poke(&f, "reserved byte", in, 1, "01", FAULT_MALFORMED);
	poke(&f, "number 0", in, 8, "0000000000000000", FAULT_MALFORMED);
	poke(&f, "another number", in, 8, "0000000000000002",
	    FAULT_TAMPERED);
	poke(&f, "another salt", in, 20, "00000000", FAULT_TAMPERED);
	poke(&f, "an altered tag", in, 280, "00000000", FAULT_TAMPERED);
	head_hash(in, h.prev);
	h.number = 2;
	h.epoch = 2;
	assert_int_equal(head_seal(bulk, &key, &sign, &h, b), 0);
	good(&f, "the second head", b, sizeof(b));
	assert_int_equal(head_seal(bulk, &key, &other, &h, b), 0);
	add(&f, "signed by another key", b, sizeof(b), FAULT_TAMPERED);
	h.space[0] ^= 1;
	assert_int_equal(head_seal(bulk, &key, &sign, &h, b), 0);
	add(&f, "of another space", b, sizeof(b), FAULT_TRUST);
	h.space[0] ^= 1;
	h.device[0] ^= 1;
	assert_int_equal(head_seal(bulk, &key, &sign, &h, b), 0);
	add(&f, "by an unknown device", b, sizeof(b), FAULT_TRUST);
	end(&f, "head", "head");
	bulk_free(bulk);
}

static void
chains(void)
{
	static const struct {
		enum chain_op op;
		unsigned who, by;
	} step[] = { { CHAIN_ADD, 0, 0 }, { CHAIN_RECOVERY, 1, 0 },
		{ CHAIN_ADD, 2, 0 }, { CHAIN_REVOKE, 0, 2 },
		{ CHAIN_ADD, 3, 1 } };
	struct file f = begin("chain");
	struct chain c defer(chain_wipe) = { 0 };
	uint8_t b[5 * CHAIN_ENTRY_LEN], t[5 * CHAIN_ENTRY_LEN];
	struct bytes in = bytes_of(b, sizeof(b));

	for (size_t i = 0; i < ARRAY_LEN(step); i++) {
		struct chain_make m = { .op = step[i].op };
		struct sign_key key, by;
		struct sign_pub pub;
		struct box_key box;
		uint8_t *e = b + i * CHAIN_ENTRY_LEN;

		data_fill(20 + step[i].who, &key, sizeof(key));
		data_fill(30 + step[i].who, &box, sizeof(box));
		sign_public(&key, &m.sign);
		sign_box_public(&box, &m.box);
		data_fill(VECTOR_SPACE, m.account, ID_LEN);
		data_fill(20 + step[i].by, &by, sizeof(by));
		data_fill(30 + step[i].by, &box, sizeof(box));
		sign_public(&by, &pub);
		{
			struct box_pub p;

			sign_box_public(&box, &p);
			chain_device_id(&pub, &p, m.signer);
		}
		assert_int_equal(chain_make_entry(&c, &m, &by, e), 0);
		assert_int_equal(
		    chain_append(&c, bytes_of(e, CHAIN_ENTRY_LEN)), 0);
	}
	good(&f, "five entries", b, sizeof(b));
	good(&f, "one entry", b, CHAIN_ENTRY_LEN);
	add(&f, "without the first", b + CHAIN_ENTRY_LEN, CHAIN_ENTRY_LEN,
	    FAULT_TRUST);
	memcpy(t, b, sizeof(b));
	memcpy(t + 2 * CHAIN_ENTRY_LEN, b + 3 * CHAIN_ENTRY_LEN,
	    CHAIN_ENTRY_LEN);
	add(&f, "one left out", t, 3 * CHAIN_ENTRY_LEN, FAULT_TRUST);
	memcpy(t + CHAIN_ENTRY_LEN, b, CHAIN_ENTRY_LEN);
	add(&f, "the first twice", t, 2 * CHAIN_ENTRY_LEN, FAULT_TRUST);
	poke(&f, "version 2", in, 0, "02", FAULT_VERSION);
	poke(&f, "op 4", in, 1, "04", FAULT_MALFORMED);
	poke(&f, "reserved byte", in, 2, "01", FAULT_MALFORMED);
	poke(&f, "an altered signature", in, 200, "0000", FAULT_TAMPERED);
	poke(&f, "another id", in, 56, "0000", FAULT_TRUST);
	poke(&f, "another account", in, CHAIN_ENTRY_LEN + 40, "0000",
	    FAULT_TRUST);
	end(&f, "chain", "chain");
}

static void
sealing_by_lz4(void)
{
	struct dedup_key dedup;
	struct seal *s = NULL;
	uint8_t *p = data_text(6, 3000), out[3000 + SEAL_OVERHEAD];
	struct bytes m = bytes_of(p, 3000);
	uint8_t id[1][CHUNK_ID_LEN], text[INDEX_ENTRY_LEN];
	struct seal_mark mark;
	struct index_entry e;
	uint32_t length;

	data_fill(VECTOR_DEDUP, &dedup, sizeof(dedup));
	assert_int_equal(seal_new(BULK_BEST, &dedup, &s), 0);
	assert_int_equal(seal_ids(s, &m, 1, &mark, id), 0);
	assert_int_equal(seal_frame(s, SEAL_LZ4, m, &length), 0);
	assert_int_equal(seal_framed(s, SEAL_DATA, m, &mark, out, &e), 0);
	memset(e.place.object, 0, ID_LEN);
	index_entry_encode(&e, text);
	save("names", "lz4", json_pack("{s:o, s:[{s:i, s:o, s:o, s:o}]}",
	    "dedup", hex(dedup.b, KEY_LEN), "cases", "kind", SEAL_DATA,
	    "index entry", hex(text, sizeof(text)), "plain", hex(m.p, m.n),
	    "sealed", hex(out, length)));
	seal_free(s);
	free(p);
}

int
main(int argc, char **argv)
{
	if (argc != 2 || randombytes_set_implementation(&not_random) != 0 ||
	    secret_init() != 0)
		return 2;
	root = argv[1];
	(void)mkdir(root, 0777);
	names();
	sealings();
	hashes();
	cuts();
	packs();
	indexes();
	segments();
	entries();
	nodes();
	shape();
	commits();
	heads();
	chains();
	sealing_by_lz4();
	return 0;
}
