// SPDX-License-Identifier: Apache-2.0
#include "client/engine/fresh.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/secret.h"

/*
 * Open addressing over the first bytes of the id, which are uniform.  The load
 * stays below 3/4.
 */
struct cell {
	uint8_t id[CHUNK_ID_LEN];
	uint32_t journal; /* number in journaled, + 1; 0: none */
	bool used, claimed;
};

struct array {
	struct index_entry *p;
	size_t n, cap;
};

struct fresh {
	pthread_mutex_t lock;
	struct cell *cell;
	size_t cells, used; /* cells is a power of two */
	struct array entries, journaled;
};

struct fresh *
fresh_new(void)
{
	struct fresh *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->cells = 4096;
	t->cell = calloc(t->cells, sizeof(*t->cell));
	if (t->cell == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

static void
array_wipe(struct array *a)
{
	if (a->p == NULL)
		return;
	secret_wipe(a->p, a->cap * sizeof(*a->p));
	free(a->p);
}

void
fresh_free(struct fresh *t)
{
	if (t == NULL)
		return;
	array_wipe(&t->entries);
	array_wipe(&t->journaled);
	free(t->cell);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

void
fresh_freep(struct fresh **t)
{
	fresh_free(*t);
}

static int
array_add(struct array *a, const struct index_entry *e)
{
	if (a->n == a->cap) {
		size_t cap = a->cap == 0 ? 1024 : 2 * a->cap;
		struct index_entry *p = malloc(cap * sizeof(*p));

		if (p == NULL)
			return FAULT_MEMORY;
		if (a->n != 0)
			memcpy(p, a->p, a->n * sizeof(*p));
		array_wipe(a);
		a->p = p;
		a->cap = cap;
	}
	a->p[a->n++] = *e;
	return 0;
}

static struct cell *
find(struct cell *cell, size_t cells, const uint8_t *id)
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	for (size_t i = h & (cells - 1);; i = (i + 1) & (cells - 1))
		if (!cell[i].used || memcmp(cell[i].id, id, CHUNK_ID_LEN) == 0)
			return &cell[i];
}

static int
grow(struct fresh *t)
{
	size_t cells = 2 * t->cells;
	struct cell *cell = calloc(cells, sizeof(*cell));

	if (cell == NULL)
		return FAULT_MEMORY;
	for (size_t i = 0; i < t->cells; i++)
		if (t->cell[i].used)
			*find(cell, cells, t->cell[i].id) = t->cell[i];
	free(t->cell);
	t->cell = cell;
	t->cells = cells;
	return 0;
}

/* The cell of id, made if it is new.  NULL: no memory. */
static struct cell *
cell_of(struct fresh *t, const uint8_t *id)
{
	struct cell *c;

	if (4 * (t->used + 1) > 3 * t->cells && grow(t) != 0)
		return NULL;
	c = find(t->cell, t->cells, id);
	if (!c->used) {
		memcpy(c->id, id, CHUNK_ID_LEN);
		c->used = true;
		t->used++;
	}
	return c;
}

int
fresh_journaled(struct fresh *t, const struct index_entry *e)
{
	struct cell *c = cell_of(t, e->id);
	int rc;

	if (c == NULL)
		return FAULT_MEMORY;
	if (c->journal != 0)
		return 0;
	rc = array_add(&t->journaled, e);
	if (rc == 0)
		c->journal = (uint32_t)t->journaled.n;
	return rc;
}

static int
claim_one(struct fresh *t, const uint8_t *id, enum fresh_claim *out)
{
	struct cell *c = cell_of(t, id);

	if (c == NULL)
		return FAULT_MEMORY;
	*out = FRESH_TAKEN;
	if (c->claimed)
		return 0;
	c->claimed = true;
	if (c->journal != 0)
		return array_add(&t->entries, &t->journaled.p[c->journal - 1]);
	*out = FRESH_MINE;
	return 0;
}

int
fresh_claim(struct fresh *t, const uint8_t (*id)[CHUNK_ID_LEN], size_t n,
    enum fresh_claim *out)
{
	int rc = 0;

	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = claim_one(t, id[i], &out[i]);
	(void)pthread_mutex_unlock(&t->lock);
	return rc;
}

int
fresh_add(struct fresh *t, const struct index_entry *e)
{
	int rc;

	(void)pthread_mutex_lock(&t->lock);
	rc = array_add(&t->entries, e);
	(void)pthread_mutex_unlock(&t->lock);
	return rc;
}

struct index_entry *
fresh_entries(struct fresh *t, size_t *n)
{
	*n = t->entries.n;
	return t->entries.p;
}
