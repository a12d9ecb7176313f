// SPDX-License-Identifier: Apache-2.0
/* Made-up data that is the same in every run, and checks that every decoder
 * must pass. */
#ifndef SKERRY_TEST_OBJECT_DATA_H
#define SKERRY_TEST_OBJECT_DATA_H

#include "test/lib/cm.h"

#include "base/bytes.h"
#include "base/fault.h"
#include "object/index.h"
#include "object/ref.h"

/* splitmix64: the next of a sequence. */
static inline uint64_t
data_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline void
data_fill(uint64_t seed, void *out, size_t n)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0) {
			uint64_t v = data_next(&seed);

			for (size_t j = 0; j < 8 && i + j < n; j++)
				p[i + j] = (uint8_t)(v >> (8 * j));
		}
	}
}

/* n bytes on the heap. */
static inline uint8_t *
data_new(uint64_t seed, size_t n)
{
	uint8_t *p = malloc(n == 0 ? 1 : n);

	assert_non_null(p);
	data_fill(seed, p, n);
	return p;
}

/* The same, of few words, as text is. */
static inline uint8_t *
data_text(uint64_t seed, size_t n)
{
	static const char word[] = "the sea and a skerry in it, ";
	uint8_t *p = data_new(seed, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)word[(p[i / 7] + i) % (sizeof(word) - 1)];
	return p;
}

static inline struct ref
data_ref(uint64_t seed)
{
	struct ref r;

	data_fill(seed, r.place.object, ID_LEN);
	r.place.offset = (uint32_t)(seed % 1000000);
	r.place.length = 117;
	r.plain_len = 100 + (uint32_t)(seed % 1000);
	data_fill(seed + 1, r.key.b, KEY_LEN);
	data_fill(seed + 2, r.hash, HASH_LEN);
	return r;
}

static inline struct index_entry
data_entry(uint64_t seed)
{
	struct index_entry e;
	struct ref r = data_ref(seed);

	data_fill(seed + 3, e.id, CHUNK_ID_LEN);
	e.place = r.place;
	e.plain_len = r.plain_len;
	e.kind = (uint8_t)(1 + seed % 3);
	e.key = r.key;
	return e;
}

/* A decoder refuses every strict prefix of good, and one byte more. */
static inline void
data_refuses_other_lengths(struct bytes good, int (*decode)(struct bytes))
{
	uint8_t *more = malloc(good.n + 1);

	assert_non_null(more);
	assert_int_equal(decode(good), 0);
	for (size_t n = 0; n < good.n; n++) {
		uint8_t *p = cm_exact(good.p, n);

		assert_int_not_equal(decode(bytes_of(p, n)), 0);
		free(p);
	}
	memcpy(more, good.p, good.n);
	more[good.n] = 0;
	assert_int_not_equal(decode(bytes_of(more, good.n + 1)), 0);
	free(more);
}

#endif
