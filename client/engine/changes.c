// SPDX-License-Identifier: Apache-2.0
#include "client/engine/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define ARENA_MAX ((size_t)1 << 34)

struct changes
changes_init(void)
{
	return (struct changes){ .arena = buf_init(ARENA_MAX) };
}

void
changes_wipe(struct changes *c)
{
	buf_wipe(&c->arena);
	free(c->p);
	*c = changes_init();
}

int
changes_add(struct changes *c, struct bytes key, struct bytes raw)
{
	struct change one = { .key_len = key.n, .raw_len = raw.n };
	int rc;

	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 64 : 2 * c->cap;
		struct change *p = realloc(c->p, cap * sizeof(*p));

		if (p == NULL)
			return FAULT_MEMORY;
		c->p = p;
		c->cap = cap;
	}
	one.key = c->arena.n;
	rc = buf_append(&c->arena, key.p, key.n);
	if (rc != 0)
		return rc;
	one.raw = c->arena.n;
	rc = buf_append(&c->arena, raw.p, raw.n);
	if (rc != 0)
		return rc;
	c->p[c->n++] = one;
	return 0;
}

struct bytes
changes_key(const struct changes *c, const struct change *one)
{
	return bytes_of(c->arena.p + one->key, one->key_len);
}

struct bytes
changes_raw(const struct changes *c, const struct change *one)
{
	return bytes_of(c->arena.p + one->raw, one->raw_len);
}

static int
by_key(const void *a, const void *b, void *arg)
{
	const struct change *x = a, *y = b;
	int cmp = bytes_cmp(changes_key(arg, x), changes_key(arg, y));

	/* The arena's order is the order of adding. */
	if (cmp == 0)
		return x->key < y->key ? -1 : x->key > y->key;
	return cmp;
}

void
changes_sort(struct changes *c)
{
	size_t n = 0;

	if (c->n == 0)
		return;
	qsort_r(c->p, c->n, sizeof(*c->p), by_key, c);
	for (size_t i = 0; i < c->n; i++) {
		if (n > 0 && bytes_cmp(changes_key(c, &c->p[n - 1]),
		    changes_key(c, &c->p[i])) == 0)
			n--;
		c->p[n++] = c->p[i];
	}
	c->n = n;
}

void
changes_drop(struct changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!c->p[i].dropped)
			c->p[n++] = c->p[i];
	c->n = n;
}

size_t
changes_below(const struct changes *c, struct bytes key)
{
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bytes_cmp(changes_key(c, &c->p[mid]), key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct change *
changes_find(const struct changes *c, struct bytes key)
{
	size_t i = changes_below(c, key);

	if (i == c->n || bytes_cmp(changes_key(c, &c->p[i]), key) != 0)
		return NULL;
	return &c->p[i];
}
