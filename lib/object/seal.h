// SPDX-License-Identifier: Apache-2.0
/*
 * Sealing and opening of chunks, nodes and commits (spec/10-names.md, Sealing):
 * codec, fresh hedged key, AEAD, and after each sealing an opening with a
 * compare (doc/why/002-verify.md).  A struct seal holds scratch and belongs to
 * one thread.
 *
 * To store pieces: seal_ids() for a batch, look each id up, and seal_chunk()
 * only what is new, straight into a pack.
 */
#ifndef SKERRY_OBJECT_SEAL_H
#define SKERRY_OBJECT_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/bulk.h"
#include "crypt/keys.h"
#include "object/index.h"
#include "object/limits.h"
#include "object/ref.h"

enum seal_kind {
	SEAL_DATA = 1,
	SEAL_LIST = 2,
	SEAL_ATTRS = 3,
	SEAL_NODE = 4,
	SEAL_COMMIT = 5,
	SEAL_BLOCK = 6,
};

/* What compresses a piece: from the fastest to what makes it shortest. */
enum seal_effort {
	SEAL_LZ4,
	SEAL_ZSTD_1,
	SEAL_ZSTD_3,
	SEAL_ZSTD_6,
};

#define SEAL_USUAL SEAL_ZSTD_1

/* What a piece was when it was named. */
struct seal_mark {
	uint8_t hash[HASH_LEN];
	uint64_t sum; /* CRC-64 */
};

struct seal;

/* dedup is copied; NULL where only nodes and commits are opened.  Sets *out.
 * FAULT_MEMORY, FAULT_INTERNAL. */
int seal_new(enum bulk_kind kind, const struct dedup_key *dedup,
    struct seal **out) must_check;
void seal_free(struct seal *s);
void seal_freep(struct seal **s);

/* The backend within; borrowed. */
struct bulk *seal_bulk(struct seal *s);

/* Most bytes that a sealing of plain_len bytes takes: the room that seal_chunk
 * and seal_ref want. */
static inline size_t
seal_bound(size_t plain_len)
{
	return plain_len + SEAL_OVERHEAD;
}

/* Treehash of each of n messages: treehash_many(). */
int seal_hash(struct seal *s, const struct bytes *msg, size_t n,
    uint8_t (*hash)[HASH_LEN]) must_check;

/* Chunk id of a treehash. */
void seal_id(const struct seal *s, const uint8_t hash[static HASH_LEN],
    uint8_t id[static CHUNK_ID_LEN]);

/* Mark and chunk id of each of n pieces; mark has room for n too. */
int seal_ids(struct seal *s, const struct bytes *piece, size_t n,
    struct seal_mark *mark, uint8_t (*id)[CHUNK_ID_LEN]) must_check;

/* A fresh key for one sealing of content with this treehash, in a form that has
 * this sum (CRC-64). */
void seal_fresh_key(struct seal *s, const uint8_t hash[static HASH_LEN],
    uint64_t sum, struct seal_key *out);

/*
 * Seals one piece of kind 1, 2 or 3, which this seal gave mark, with the usual
 * effort to out, which has seal_bound(plain.n) bytes of room.  Fills all of *e
 * but place.object and place.offset.  FAULT_INTERNAL where what was sealed does
 * not open to the content that was marked (a bit flipped); FAULT_LIMIT for an
 * empty or too long piece.
 */
int seal_chunk(struct seal *s, enum seal_kind kind, struct bytes plain,
    const struct seal_mark *mark, uint8_t *out,
    struct index_entry *e) must_check;

/* seal_chunk() in two steps, for who makes room when the length is known: that
 * of what seal_framed(), called next and with the same plain, writes to out.
 * FAULT_MEMORY. */
int seal_frame(struct seal *s, enum seal_effort effort, struct bytes plain,
    uint32_t *length) must_check;
int seal_framed(struct seal *s, enum seal_kind kind, struct bytes plain,
    const struct seal_mark *mark, uint8_t *out,
    struct index_entry *e) must_check;

/* The same for a node or commit; hashes it; fills all of *ref but place.object
 * and place.offset. */
int seal_ref(struct seal *s, enum seal_kind kind, struct bytes plain,
    uint8_t *out, struct ref *ref) must_check;

/*
 * Opens one piece into out[0..e->plain_len).  sealed.n must be
 * e->place.length.  FAULT_TAMPERED where the AEAD or the id does not hold,
 * FAULT_MALFORMED for a bad frame; out may then hold anything.
 */
int seal_open_chunk(struct seal *s, const struct index_entry *e,
    struct bytes sealed, uint8_t *out) must_check;

/* One of several chunks that are opened together. */
struct seal_opening {
	const struct index_entry *e;
	struct bytes sealed;  /* of e->place.length bytes */
	uint8_t *out;         /* room for SEAL_OUT(e->plain_len) */
	struct bytes content; /* the result, within out; if rc is 0 */
	int rc;               /* as of seal_open_chunk */
};

#define SEAL_OUT(plain_len) ((size_t)(plain_len) + 1)
#define SEAL_OPENINGS 32u

/* Opens n chunks, at most SEAL_OPENINGS: their leaves are hashed together, and
 * what was not compressed is not copied. */
void seal_open_chunks(struct seal *s, struct seal_opening *x, size_t n);

/* The same for a node or commit, out[0..ref->plain_len). */
int seal_open_ref(struct seal *s, enum seal_kind kind, const struct ref *ref,
    struct bytes sealed, uint8_t *out) must_check;

#endif
