// SPDX-License-Identifier: Apache-2.0
#include "object/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "crypt/filler.h"
#include "crypt/secret.h"

#define HUGE_PAGE 2097152u

static unsigned
log2_floor(uint64_t n)
{
	return 63 - (unsigned)__builtin_clzll(n);
}

uint64_t
pack_padme(uint64_t n)
{
	unsigned e, s;
	uint64_t mask;

	if (n < 2)
		return n;
	e = log2_floor(n);
	s = e == 0 ? 0 : log2_floor(e) + 1;
	mask = e > s ? (UINT64_C(1) << (e - s)) - 1 : 0;
	return (n + mask) & ~mask;
}

int
pack_init(struct pack *k)
{
	/* Huge pages where there are any: touching fresh small ones is slow. */
	uint8_t *p = aligned_alloc(HUGE_PAGE, PACK_SIZE);

	if (p == NULL)
		return FAULT_MEMORY;
	(void)madvise(p, PACK_SIZE, MADV_HUGEPAGE);
	*k = (struct pack){ .p = p };
	pack_begin(k);
	return 0;
}

void
pack_wipe(struct pack *k)
{
	free(k->p);
	*k = (struct pack){ 0 };
}

void
pack_begin(struct pack *k)
{
	secret_random(k->id, ID_LEN);
	k->n = 0;
}

struct place
pack_commit(struct pack *k, uint32_t length)
{
	struct place p = { .offset = k->n, .length = length };

	assert(length >= SEAL_OVERHEAD && length <= pack_room(k));
	memcpy(p.object, k->id, ID_LEN);
	k->n += length;
	return p;
}

int
pack_append(struct pack *k, struct bytes sealed, struct place *out)
{
	if (sealed.n > pack_room(k))
		return FAULT_LIMIT;
	memcpy(pack_tail(k), sealed.p, sealed.n);
	*out = pack_commit(k, (uint32_t)sealed.n);
	return 0;
}

struct bytes
pack_finish(struct pack *k, bool last)
{
	uint64_t size = PACK_SIZE;

	if (k->n == 0)
		return bytes_of(NULL, 0);
	if (last) {
		size = pack_padme(k->n);
		size = size < PACK_MIN ? PACK_MIN : size;
	}
	filler_random(pack_tail(k), size - k->n);
	return bytes_of(k->p, size);
}
