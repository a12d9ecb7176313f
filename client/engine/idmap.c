// SPDX-License-Identifier: Apache-2.0
#include "client/engine/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "crypt/secret.h"

#define FIRST_CAP 256u

struct idmap
idmap_init(size_t len)
{
	return (struct idmap){ .len = len };
}

void
idmap_wipe(struct idmap *m)
{
	if (m->p != NULL)
		secret_wipe(m->p, m->cap * (IDMAP_KEY_LEN + m->len));
	free(m->p);
	free(m->used);
	*m = (struct idmap){ .len = m->len };
}

static uint8_t *
at(const struct idmap *m, size_t i)
{
	return m->p + i * (IDMAP_KEY_LEN + m->len);
}

/* Where the key is, or the free place where it would be. */
static size_t
place_of(const struct idmap *m, const uint8_t *key)
{
	uint64_t h;
	size_t i;

	memcpy(&h, key, sizeof(h));
	for (i = (size_t)h & (m->cap - 1); m->used[i];
	    i = (i + 1) & (m->cap - 1))
		if (memcmp(at(m, i), key, IDMAP_KEY_LEN) == 0)
			break;
	return i;
}

void *
idmap_find(const struct idmap *m, const uint8_t key[static 32])
{
	size_t i;

	if (m->n == 0)
		return NULL;
	i = place_of(m, key);
	return m->used[i] ? at(m, i) + IDMAP_KEY_LEN : NULL;
}

static int
grow(struct idmap *m)
{
	struct idmap big = { .len = m->len,
		.cap = m->cap == 0 ? FIRST_CAP : 2 * m->cap };

	big.used = calloc(big.cap, 1);
	big.p = calloc(big.cap, IDMAP_KEY_LEN + m->len);
	if (big.used == NULL || big.p == NULL) {
		free(big.used);
		free(big.p);
		return -1;
	}
	for (size_t i = 0; i < m->cap; i++) {
		size_t to;

		if (!m->used[i])
			continue;
		to = place_of(&big, at(m, i));
		big.used[to] = 1;
		memcpy(at(&big, to), at(m, i), IDMAP_KEY_LEN + m->len);
	}
	big.n = m->n;
	idmap_wipe(m);
	*m = big;
	return 0;
}

void *
idmap_add(struct idmap *m, const uint8_t key[static 32])
{
	size_t i;

	if (4 * m->n >= 3 * m->cap && grow(m) != 0)
		return NULL;
	i = place_of(m, key);
	if (!m->used[i]) {
		m->used[i] = 1;
		memcpy(at(m, i), key, IDMAP_KEY_LEN);
		m->n++;
	}
	return at(m, i) + IDMAP_KEY_LEN;
}
