// SPDX-License-Identifier: Apache-2.0
/*
 * The frozen vectors in vectors/: what gen_vectors.c writes and test_vectors.c
 * reads.  A case is bytes in hex and the result that decoding them must have;
 * bytes that decode are encoded again and must come out the same.
 */
#ifndef SKERRY_TEST_OBJECT_VECTOR_H
#define SKERRY_TEST_OBJECT_VECTOR_H

#include "base/bytes.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/sign.h"
#include "object/chain.h"
#include "object/commit.h"
#include "object/custody.h"
#include "object/entry.h"
#include "object/head.h"
#include "object/index.h"
#include "object/key.h"
#include "object/node.h"
#include "object/ref.h"
#include "object/segment.h"
#include "test/unit/object/data.h"

/* Known to both: all keys and ids of the vectors are data_fill of a seed. */
enum vector_seed {
	VECTOR_DEDUP = 1000,
	VECTOR_SPACE_KEY,
	VECTOR_SPACE,
	VECTOR_SIGN,
	VECTOR_DEVICE,
};

static inline int
vector_find(void *arg, const uint8_t device[static ID_LEN],
    struct sign_pub *out)
{
	uint8_t want[ID_LEN];
	struct sign_key key;

	(void)arg;
	data_fill(VECTOR_DEVICE, want, ID_LEN);
	if (memcmp(want, device, ID_LEN) != 0)
		return FAULT_TRUST;
	data_fill(VECTOR_SIGN, &key, sizeof(key));
	sign_public(&key, out);
	return 0;
}

static inline int
vector_head(struct bytes in, struct buf *out)
{
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_BEST);
	const struct head_lookup who = { vector_find, NULL };
	uint8_t space[ID_LEN], bytes[HEAD_LEN];
	struct space_key key;
	struct sign_key sign;
	struct head h;
	int rc;

	data_fill(VECTOR_SPACE_KEY, &key, sizeof(key));
	data_fill(VECTOR_SPACE, space, ID_LEN);
	data_fill(VECTOR_SIGN, &sign, sizeof(sign));
	rc = head_open(b, &key, space, who, in, &h);
	if (rc == 0)
		rc = head_seal(b, &key, &sign, &h, bytes);
	return rc != 0 ? rc : buf_append(out, bytes, HEAD_LEN);
}

static inline int
vector_node(struct bytes in, unsigned level, struct buf *out)
{
	struct node_iter it defer(node_iter_wipe) = { 0 };
	struct node_writer w defer(node_writer_wipe) = { 0 };
	int rc = node_begin(&it, in, level);

	if (rc == 0)
		rc = node_start(&w, level);
	if (rc != 0)
		return rc;
	while ((rc = node_next(&it)) == 1) {
		struct bytes key = buf_bytes(&it.key);

		rc = level == 0 ? node_add_entry(&w, key, it.raw,
				      it.entry.size)
				: node_add_child(&w, key, &it.child);
		if (rc != 0)
			return rc;
	}
	return rc != 0 ? rc : buf_append(out, w.b.p, w.b.n);
}

static inline int
vector_segment(struct bytes in, struct buf *out)
{
	struct segment s defer(segment_wipe) = { 0 };
	struct rd r = rd_from(in.p, in.n);
	struct wr w = wr_to(out);
	int rc = segment_read(&r, &s);

	if (rc == 0)
		rc = rd_finish(&r);
	if (rc != 0)
		return rc;
	segment_write(&w, &s);
	return wr_finish(&w);
}

static inline int
vector_commit(struct bytes in, struct buf *out)
{
	struct commit c defer(commit_wipe) = { 0 };
	int rc = commit_decode(in, &c);

	return rc != 0 ? rc : commit_encode(&c, out);
}

static inline int
vector_entry(struct bytes in, struct buf *out)
{
	struct tree_entry e;
	int rc = entry_decode(in, &e);

	return rc != 0 ? rc : entry_encode(&e, out);
}

static inline int
vector_chain(struct bytes in, struct buf *out)
{
	struct chain c defer(chain_wipe) = { 0 };
	int rc = chain_append_all(&c, in);

	return rc != 0 ? rc : buf_append(out, in.p, in.n);
}

/* Decodes in as format says and appends what encoding it again gives. */
static inline int
vector_recode(const char *format, struct bytes in, struct buf *out)
{
	if (strcmp(format, "ref") == 0) {
		struct ref r;
		uint8_t b[REF_LEN];
		int rc = ref_decode(in, &r);

		if (rc == 0)
			ref_encode(&r, b);
		return rc != 0 ? rc : buf_append(out, b, sizeof(b));
	}
	if (strcmp(format, "index entry") == 0) {
		struct index_entry e;
		uint8_t b[INDEX_ENTRY_LEN];
		int rc = index_entry_decode(in, &e);

		if (rc == 0)
			index_entry_encode(&e, b);
		return rc != 0 ? rc : buf_append(out, b, sizeof(b));
	}
	if (strcmp(format, "index block") == 0) {
		int rc = index_block_check(in);

		return rc != 0 ? rc : buf_append(out, in.p, in.n);
	}
	if (strcmp(format, "key") == 0)
		return key_valid(in) ? buf_append(out, in.p, in.n)
				     : FAULT_MALFORMED;
	if (strcmp(format, "segment") == 0)
		return vector_segment(in, out);
	if (strcmp(format, "tree entry") == 0)
		return vector_entry(in, out);
	if (strcmp(format, "leaf") == 0)
		return vector_node(in, 0, out);
	if (strcmp(format, "inner node") == 0)
		return vector_node(in, 1, out);
	if (strcmp(format, "commit") == 0)
		return vector_commit(in, out);
	if (strcmp(format, "head") == 0)
		return vector_head(in, out);
	if (strcmp(format, "custody") == 0) {
		struct custody c;
		int rc = custody_decode(in, &c);

		return rc != 0 ? rc : buf_append(out, c.raw, c.len);
	}
	if (strcmp(format, "chain") == 0)
		return vector_chain(in, out);
	return FAULT_INTERNAL;
}

/* An entry of each type, with all that it can have, by turns. */
static inline void
vector_make_entry(unsigned i, struct buf *out)
{
	static const uint8_t hole[] = { 1, 0, 0, 0, 0, 0, 0, 0, 9 };
	struct tree_entry e = { .type = 1 + i % 7, .mode = 0640, .uid = i,
		.gid = 100, .mtime_sec = (int64_t)i - 3, .mtime_nsec = i,
		.major = 8, .minor = i, .target = bytes_of("../there", 8) };

	if (e.type == ENTRY_FILE) {
		e.list = bytes_of(hole, sizeof(hole));
		e.size = 9;
	}
	if (i % 2 == 1)
		e.link = i;
	if (i % 3 == 1)
		e.attrs = bytes_of("\1a\0\0\0\1x\1b\0\0\0\0", 13);
	if (i % 3 == 2)
		e.attrs_chunk_len = INLINE_MAX + 1;
	out->n = 0;
	assert_int_equal(entry_encode(&e, out), 0);
}

#endif
