// SPDX-License-Identifier: Apache-2.0
#include "object/seal.h"

#include <assert.h>
#include <endian.h>
#include <lz4.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/fault.h"
#include "crypt/hash.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"
#include "object/treehash.h"

#define AAD_LEN 34u

/* Content longer than PROBE_FROM is compressed only if PROBE_PARTS samples of
 * PROBE_PART bytes, taken evenly, promise that it shrinks. */
#define PROBE_FROM 65536u
#define PROBE_PARTS 8u
#define PROBE_PART 512u
#define PROBE_LEN (PROBE_PARTS * PROBE_PART)
#define PROBE_GAIN 32u

/* A frame must win one part in GAIN, for opening it costs time. */
#define GAIN 64u

/* Pieces that are hashed in one go. */
#define MARKS 256u

/* One sealing in so many is checked by hashing again, too. */
#define HASH_AGAIN 64u

/* Keys that one call for random bytes is for. */
#define FRESH 32u

struct secrets {
	struct dedup_key dedup;
	uint8_t random[FRESH][32]; /* each used once, the last first */
};

enum codec {
	CODEC_NONE = 0,
	CODEC_ZSTD = 1,
	CODEC_LZ4 = 2,
};

struct seal {
	struct bulk *bulk;
	struct treehash *hash;
	void *lz4; /* LZ4_sizeofState() bytes */
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
	unsigned sealed; /* counts up to HASH_AGAIN */
	bool has_dedup;
	unsigned fresh;          /* of the random bytes: for so many keys */
	struct secrets *secrets; /* secret memory */
	struct bytes body;       /* of the frame that is made; borrowed … */
	struct buf packed;       /* … from here where it is compressed */
	enum codec codec;        /* of it */
	struct buf frame;        /* an opened frame */
	struct buf check;        /* content, when a sealing is checked */
	uint8_t probe[PROBE_LEN];
	uint8_t probed[PROBE_LEN];
};

/* What one sealing is about, apart from its bytes. */
struct subject {
	enum seal_kind kind;
	const uint8_t *id; /* of the AAD; 32 bytes */
	const struct seal_key *key;
	uint32_t plain_len;
};

int
seal_new(enum bulk_kind kind, const struct dedup_key *dedup, struct seal **out)
{
	struct seal *s defer(seal_freep) = calloc(1, sizeof(*s));

	if (s == NULL)
		return FAULT_MEMORY;
	s->packed = buf_init(COMMIT_MAX);
	s->frame = buf_init(COMMIT_MAX + 1);
	s->check = buf_init(COMMIT_MAX);
	s->secrets = secret_new(sizeof(*s->secrets));
	s->lz4 = malloc((size_t)LZ4_sizeofState());
	s->zc = ZSTD_createCCtx();
	s->zd = ZSTD_createDCtx();
	s->bulk = bulk_new(kind);
	if (s->bulk == NULL)
		return FAULT_INTERNAL;
	s->hash = treehash_new(s->bulk);
	if (s->hash == NULL || s->lz4 == NULL || s->zc == NULL ||
	    s->zd == NULL || s->secrets == NULL)
		return FAULT_MEMORY;
	if (dedup != NULL) {
		s->secrets->dedup = *dedup;
		s->has_dedup = true;
	}
	*out = take(s);
	return 0;
}

void
seal_free(struct seal *s)
{
	if (s == NULL)
		return;
	buf_wipe(&s->packed);
	buf_wipe(&s->frame);
	buf_wipe(&s->check);
	secret_free(s->secrets);
	free(s->lz4);
	ZSTD_freeCCtx(s->zc);
	ZSTD_freeDCtx(s->zd);
	treehash_free(s->hash);
	bulk_free(s->bulk);
	secret_wipe(s->probe, sizeof(s->probe));
	secret_wipe(s->probed, sizeof(s->probed));
	free(s);
}

void
seal_freep(struct seal **s)
{
	seal_free(*s);
	*s = NULL;
}

struct bulk *
seal_bulk(struct seal *s)
{
	return s->bulk;
}

int
seal_hash(struct seal *s, const struct bytes *msg, size_t n,
    uint8_t (*hash)[HASH_LEN])
{
	return treehash_many(s->hash, msg, n, hash);
}

void
seal_id(const struct seal *s, const uint8_t hash[static HASH_LEN],
    uint8_t id[static CHUNK_ID_LEN])
{
	const struct bytes part[] = {
		bytes_of("id", 2),
		bytes_of(hash, HASH_LEN),
	};

	assert(s->has_dedup);
	kdf_prf(s->secrets->dedup.b, part, ARRAY_LEN(part), id);
}

/* The sums before the hashes, so that they cover what happens in between. */
static int
set_marks(struct seal *s, const struct bytes *piece, size_t n,
    struct seal_mark *mark)
{
	uint8_t hash[MARKS][HASH_LEN];
	int rc;

	for (size_t i = 0; i < n; i++)
		mark[i].sum = hash_crc64(0, piece[i].p, piece[i].n);
	rc = treehash_many(s->hash, piece, n, hash);
	for (size_t i = 0; rc == 0 && i < n; i++)
		memcpy(mark[i].hash, hash[i], HASH_LEN);
	return rc;
}

int
seal_ids(struct seal *s, const struct bytes *piece, size_t n,
    struct seal_mark *mark, uint8_t (*id)[CHUNK_ID_LEN])
{
	for (size_t i = 0; i < n; i += MARKS) {
		int rc = set_marks(s, piece + i, n - i < MARKS ? n - i : MARKS,
		    mark + i);

		if (rc != 0)
			return rc;
	}
	for (size_t i = 0; i < n; i++)
		seal_id(s, mark[i].hash, id[i]);
	return 0;
}

void
seal_fresh_key(struct seal *s, const uint8_t hash[static HASH_LEN],
    uint64_t sum, struct seal_key *out)
{
	const uint64_t be = htobe64(sum);
	struct secrets *x = s->secrets;
	uint8_t *r;

	assert(s->has_dedup);
	if (s->fresh == 0) {
		secret_random(x->random, sizeof(x->random));
		s->fresh = FRESH;
	}
	r = x->random[--s->fresh];
	kdf_prf(x->dedup.b,
	    (const struct bytes[]){ bytes_of("key", 3), bytes_of(r, 32),
		bytes_of(hash, HASH_LEN), bytes_of(&be, sizeof(be)) },
	    4, out->b);
	secret_wipe(r, 32);
}

/* The key of the frame of what was marked. */
static void
frame_key(struct seal *s, const struct seal_mark *mark, struct seal_key *out)
{
	uint64_t sum = s->codec == CODEC_NONE ? mark->sum :
	    hash_crc64(0, s->body.p, s->body.n);

	seal_fresh_key(s, mark->hash, sum, out);
}

static struct bytes
aad_of(const struct subject *sub, uint8_t out[static AAD_LEN])
{
	out[0] = 1;
	out[1] = (uint8_t)sub->kind;
	memcpy(out + 2, sub->id, 32);
	return bytes_of(out, AAD_LEN);
}

/* Compresses to at most room bytes of out.  The bytes that it took, 0 where
 * they do not suffice. */
static size_t
compress(struct seal *s, enum seal_effort effort, struct bytes in,
    uint8_t *out, size_t room)
{
	static const int level[] = { [SEAL_ZSTD_1] = 1, [SEAL_ZSTD_3] = 3,
		[SEAL_ZSTD_6] = 6 };
	size_t n;

	if (effort == SEAL_LZ4)
		return (size_t)LZ4_compress_fast_extState(s->lz4,
		    (const char *)in.p, (char *)out, (int)in.n, (int)room, 1);
	n = ZSTD_compressCCtx(s->zc, out, room, in.p, in.n, level[effort]);
	return ZSTD_isError(n) ? 0 : n;
}

/*
 * Whether the probe has some bytes more often than others, which all but LZ4
 * make use of.  The squares of their counts come to 16 for each byte of random
 * ones, and a little more; to a tenth above that where their entropy is 7.93
 * bits, the deviation being half a hundredth.
 */
static bool
is_uneven(const struct seal *s)
{
	uint32_t count[4][256] = { 0 };
	uint64_t squares = 0;

	for (size_t i = 0; i < PROBE_LEN; i += 4) {
		for (size_t k = 0; k < 4; k++)
			count[k][s->probe[i + k]]++;
	}
	for (size_t b = 0; b < 256; b++) {
		uint64_t n = (uint64_t)count[0][b] + count[1][b] +
		    count[2][b] + count[3][b];

		squares += n * n;
	}
	return squares > PROBE_LEN * (PROBE_LEN + 255) / 256 * 11 / 10;
}

/* Whether it is worth the time to compress all of plain. */
static bool
promising(struct seal *s, enum seal_effort effort, struct bytes plain)
{
	size_t step;

	if (plain.n <= PROBE_FROM)
		return plain.n > GAIN;
	step = (plain.n - PROBE_PART) / (PROBE_PARTS - 1);
	for (size_t i = 0; i < PROBE_PARTS; i++)
		memcpy(s->probe + i * PROBE_PART, plain.p + i * step,
		    PROBE_PART);
	return (effort != SEAL_LZ4 && is_uneven(s)) ||
	    compress(s, SEAL_LZ4, bytes_of(s->probe, PROBE_LEN), s->probed,
		PROBE_LEN - PROBE_LEN / PROBE_GAIN) != 0;
}

int
seal_frame(struct seal *s, enum seal_effort effort, struct bytes plain,
    uint32_t *length)
{
	s->codec = CODEC_NONE;
	s->body = plain;
	if (promising(s, effort, plain)) {
		size_t room = plain.n - plain.n / GAIN - 1, n;
		int rc;

		s->packed.n = 0;
		rc = buf_reserve(&s->packed, room);
		if (rc != 0)
			return rc;
		n = compress(s, effort, plain, s->packed.p, room);
		if (n != 0) {
			s->codec = effort == SEAL_LZ4 ? CODEC_LZ4 : CODEC_ZSTD;
			s->body = bytes_of(s->packed.p, s->packed.n = n);
		}
	}
	*length = (uint32_t)(s->body.n + SEAL_OVERHEAD);
	return 0;
}

/* Whether body is of exactly len bytes, which go to out. */
static bool
decompress(struct seal *s, uint8_t codec, struct bytes body, size_t len,
    uint8_t *out)
{
	switch (codec) {
	case CODEC_ZSTD:
		return ZSTD_findFrameCompressedSize(body.p, body.n) == body.n &&
		    ZSTD_decompressDCtx(s->zd, out, len, body.p, body.n) == len;
	case CODEC_LZ4:
		return LZ4_decompress_safe((const char *)body.p, (char *)out,
		    (int)body.n, (int)len) == (int)len;
	default:
		return false;
	}
}

/* The content within an opened frame, of exactly len bytes; decompressed to
 * out where it must be.  *content is borrowed from in or out. */
static int
unframe(struct seal *s, struct bytes in, size_t len, uint8_t *out,
    struct bytes *content)
{
	struct bytes body = bytes_of(in.p + 1, in.n - 1);

	/* [names] */
	if (in.p[0] == CODEC_NONE && body.n == len) {
		*content = body;
		return 0;
	}
	if (body.n >= len || !decompress(s, in.p[0], body, len, out))
		return FAULT_MALFORMED;
	*content = bytes_of(out, len);
	return 0;
}

static bool
is_possible(const struct subject *sub, struct bytes sealed)
{
	return sealed.n >= SEAL_OVERHEAD &&
	    sealed.n <= (size_t)sub->plain_len + SEAL_OVERHEAD;
}

/* Opens a sealing and gives its content, in s->frame or in out. */
static int
open_frame(struct seal *s, const struct subject *sub, struct bytes sealed,
    uint8_t *out, struct bytes *content)
{
	uint8_t aad[AAD_LEN];
	int rc;

	if (!is_possible(sub, sealed))
		return FAULT_MALFORMED;
	s->frame.n = 0;
	rc = buf_reserve(&s->frame, sealed.n - BULK_TAG_LEN);
	if (rc != 0)
		return rc;
	rc = bulk_open(s->bulk, sub->key, 0, aad_of(sub, aad), sealed,
	    s->frame.p);
	if (rc != 0)
		return rc;
	s->frame.n = sealed.n - BULK_TAG_LEN;
	return unframe(s, buf_bytes(&s->frame), sub->plain_len, out, content);
}

/* Whether content is what was marked. */
static bool
is_marked(struct seal *s, struct bytes content, const struct seal_mark *mark)
{
	uint8_t hash[HASH_LEN];

	if (hash_crc64(0, content.p, content.n) != mark->sum)
		return false;
	if (s->sealed++ % HASH_AGAIN != 0)
		return true;
	return treehash_one(s->hash, content, hash) == 0 &&
	    memcmp(hash, mark->hash, HASH_LEN) == 0;
}

/* Seals the frame to out.  [names]: whoever seals opens again and compares. */
static int
put(struct seal *s, const struct subject *sub, const struct seal_mark *mark,
    uint8_t *out)
{
	const struct bytes sealed = bytes_of(out, s->body.n + SEAL_OVERHEAD);
	uint8_t aad[AAD_LEN];
	struct bytes content;
	int rc;

	s->check.n = 0;
	rc = buf_reserve(&s->check, sub->plain_len);
	if (rc == 0)
		rc = bulk_seal_prefixed(s->bulk, sub->key, aad_of(sub, aad),
		    (uint8_t)s->codec, s->body, out);
	if (rc != 0)
		return rc;
	if (open_frame(s, sub, sealed, s->check.p, &content) != 0 ||
	    !is_marked(s, content, mark))
		return FAULT_INTERNAL;
	return 0;
}

int
seal_chunk(struct seal *s, enum seal_kind kind, struct bytes plain,
    const struct seal_mark *mark, uint8_t *out, struct index_entry *e)
{
	uint32_t length;
	int rc = seal_frame(s, SEAL_USUAL, plain, &length);

	return rc != 0 ? rc : seal_framed(s, kind, plain, mark, out, e);
}

int
seal_framed(struct seal *s, enum seal_kind kind, struct bytes plain,
    const struct seal_mark *mark, uint8_t *out, struct index_entry *e)
{
	struct index_entry got = { .kind = (uint8_t)kind };
	struct subject sub = { .kind = kind, .id = got.id, .key = &got.key };
	int rc;

	assert(kind >= SEAL_DATA && kind <= SEAL_ATTRS);
	if (plain.n == 0 ||
	    plain.n > (kind == SEAL_ATTRS ? XATTR_MAX : CHUNK_MAX))
		return FAULT_LIMIT;
	got.plain_len = sub.plain_len = (uint32_t)plain.n;
	got.place.length = (uint32_t)(s->body.n + SEAL_OVERHEAD);
	seal_id(s, mark->hash, got.id);
	frame_key(s, mark, &got.key);
	rc = put(s, &sub, mark, out);
	if (rc == 0)
		*e = got;
	return rc;
}

static size_t
ref_max(enum seal_kind kind)
{
	return kind == SEAL_NODE ? NODE_MAX : COMMIT_MAX;
}

int
seal_ref(struct seal *s, enum seal_kind kind, struct bytes plain, uint8_t *out,
    struct ref *ref)
{
	struct ref got = { 0 };
	struct subject sub = { .kind = kind, .id = got.hash, .key = &got.key };
	struct seal_mark mark;
	int rc;

	assert(kind == SEAL_NODE || kind == SEAL_COMMIT);
	if (plain.n == 0 || plain.n > ref_max(kind))
		return FAULT_LIMIT;
	got.plain_len = sub.plain_len = (uint32_t)plain.n;
	rc = set_marks(s, &plain, 1, &mark);
	if (rc == 0)
		rc = seal_frame(s, SEAL_USUAL, plain, &got.place.length);
	if (rc != 0)
		return rc;
	memcpy(got.hash, mark.hash, HASH_LEN);
	frame_key(s, &mark, &got.key);
	rc = put(s, &sub, &mark, out);
	if (rc == 0)
		*ref = got;
	return rc;
}

/* Opens into out and gives the treehash of what came. */
static int
get(struct seal *s, const struct subject *sub, struct bytes sealed,
    uint8_t *out, uint8_t hash[static HASH_LEN])
{
	struct bytes content;
	int rc = open_frame(s, sub, sealed, out, &content);

	if (rc != 0)
		return rc;
	if (content.p != out)
		memcpy(out, content.p, content.n);
	return treehash_one(s->hash, bytes_of(out, content.n), hash);
}

int
seal_open_chunk(struct seal *s, const struct index_entry *e,
    struct bytes sealed, uint8_t *out)
{
	const struct subject sub = { .kind = e->kind, .id = e->id,
		.key = &e->key, .plain_len = e->plain_len };
	uint8_t hash[HASH_LEN], id[CHUNK_ID_LEN];
	int rc;

	if (e->plain_len == 0 || e->plain_len > CHUNK_MAX ||
	    sealed.n != e->place.length)
		return FAULT_MALFORMED;
	rc = get(s, &sub, sealed, out, hash);
	if (rc != 0)
		return rc;
	seal_id(s, hash, id);
	return memcmp(id, e->id, CHUNK_ID_LEN) == 0 ? 0 : FAULT_TAMPERED;
}

/* As open_frame, but content is in x->out; only a frame of the content's own
 * length and a byte is not compressed, and goes there as it is. */
static int
open_to(struct seal *s, struct seal_opening *x)
{
	const struct subject sub = { .kind = x->e->kind, .id = x->e->id,
		.key = &x->e->key, .plain_len = x->e->plain_len };
	size_t n = x->sealed.n - BULK_TAG_LEN;
	uint8_t aad[AAD_LEN];
	int rc;

	if (sub.plain_len == 0 || sub.plain_len > CHUNK_MAX ||
	    x->sealed.n != x->e->place.length || !is_possible(&sub, x->sealed))
		return FAULT_MALFORMED;
	if (n != SEAL_OUT(sub.plain_len))
		return open_frame(s, &sub, x->sealed, x->out, &x->content);
	rc = bulk_open(s->bulk, sub.key, 0, aad_of(&sub, aad), x->sealed,
	    x->out);
	if (rc != 0)
		return rc;
	return unframe(s, bytes_of(x->out, n), sub.plain_len, NULL,
	    &x->content);
}

void
seal_open_chunks(struct seal *s, struct seal_opening *x, size_t n)
{
	struct seal_opening *opened[SEAL_OPENINGS];
	struct bytes content[SEAL_OPENINGS] = { 0 };
	uint8_t hash[SEAL_OPENINGS][HASH_LEN], id[CHUNK_ID_LEN];
	size_t k = 0;
	int rc;

	assert(n <= SEAL_OPENINGS);
	for (size_t i = 0; i < n; i++) {
		x[i].rc = open_to(s, &x[i]);
		if (x[i].rc != 0)
			continue;
		opened[k] = &x[i];
		content[k++] = x[i].content;
	}
	rc = treehash_many(s->hash, content, k, hash);
	for (size_t i = 0; i < k; i++) {
		opened[i]->rc = rc;
		if (rc != 0)
			continue;
		seal_id(s, hash[i], id);
		if (memcmp(id, opened[i]->e->id, CHUNK_ID_LEN) != 0)
			opened[i]->rc = FAULT_TAMPERED;
	}
}

int
seal_open_ref(struct seal *s, enum seal_kind kind, const struct ref *ref,
    struct bytes sealed, uint8_t *out)
{
	const struct subject sub = { .kind = kind, .id = ref->hash,
		.key = &ref->key, .plain_len = ref->plain_len };
	uint8_t hash[HASH_LEN];
	int rc;

	if (ref->plain_len == 0 || ref->plain_len > ref_max(kind) ||
	    sealed.n != ref->place.length)
		return FAULT_MALFORMED;
	rc = get(s, &sub, sealed, out, hash);
	if (rc != 0)
		return rc;
	return memcmp(hash, ref->hash, HASH_LEN) == 0 ? 0 : FAULT_TAMPERED;
}
