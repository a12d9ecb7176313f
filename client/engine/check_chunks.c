// SPDX-License-Identifier: Apache-2.0
/* The chunks: those of some objects or of all, each fetched, opened, compared
 * with its id. */
#include "client/engine/check_impl.h"

#include <stdlib.h>
#include <string.h>

#include "crypt/secret.h"

static int
by_place(const void *a, const void *b, void *arg)
{
	const struct check *c = arg;
	const struct place *x = &c->entry[*(const uint32_t *)a].place;
	const struct place *y = &c->entry[*(const uint32_t *)b].place;
	int d = memcmp(x->object, y->object, ID_LEN);

	if (d != 0)
		return d;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* For the fetch: at is the number of the entry. */
static int
on_chunks(void *arg, const struct fetch_want *const *w, struct iovec *data,
    size_t n, int rc, struct fault *f)
{
	struct check *c = arg;
	uint64_t bytes = 0;

	(void)data;
	if (rc == 0) {
		for (size_t i = 0; i < n; i++)
			bytes += w[i]->e.plain_len;
		pthread_mutex_lock(&c->lock);
		c->res->chunks += n;
		c->res->bytes += bytes;
		pthread_mutex_unlock(&c->lock);
		progress_add(c->o->progress, n, bytes);
		return 0;
	}
	if (!fetch_is_local(rc))
		return rc;
	pthread_mutex_lock(&c->lock);
	c->bad[w[0]->at] = (uint8_t)-rc;
	c->res->bad_chunks++;
	pthread_mutex_unlock(&c->lock);
	rc = check_object(c, c->space->commit.number, &w[0]->e.place, rc,
	    "a chunk");
	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}

/* Is this object among those that are read? */
static bool
chosen(unsigned percent)
{
	uint32_t r;

	if (percent >= 100)
		return true;
	secret_random(&r, sizeof(r));
	return r % 100 < percent;
}

/* The entries that count, by place.  What a later entry of the same id hides is
 * of earlier commits. */
static size_t
choose(struct check *c, uint32_t *order)
{
	size_t n = 0;

	for (size_t i = 0; i < c->entries; i++)
		if (c->o->history ||
		    check_find(c, c->entry[i].id) == &c->entry[i])
			order[n++] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), by_place, c);
	return n;
}

/* One object's entries are order[i..j), of n. */
static size_t
object_end(const struct check *c, const uint32_t *order, size_t n, size_t i)
{
	size_t j = i + 1;

	while (j < n && memcmp(c->entry[order[i]].place.object,
	    c->entry[order[j]].place.object, ID_LEN) == 0)
		j++;
	return j;
}

static int
want_object(struct check *c, struct fetch *ft, const uint32_t *order,
    size_t i, size_t j)
{
	int rc = 0;

	c->res->objects_read++;
	for (size_t k = i; k < j; k++)
		progress_expect(c->o->progress, 1,
		    c->entry[order[k]].plain_len);
	for (size_t k = i; k < j && rc == 0; k++)
		rc = fetch_add(ft, &c->entry[order[k]], NULL, order[k]);
	return rc;
}

int
check_chunks(struct check *c, const struct commit *commit, struct fault *f)
{
	struct fetch_sink sink = { .chunks = on_chunks, .arg = c };
	struct fetch *ft defer(fetch_freep) = NULL;
	uint32_t *order;
	size_t last = 0, n;
	int rc, ended;

	if (c->entries == 0)
		return 0;
	if (c->entries > UINT32_MAX)
		return fault_set(f, FAULT_LIMIT, "too many chunks to check");
	order = malloc(c->entries * sizeof(*order));
	if (order == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	n = choose(c, order);
	rc = fetch_new(c->space, commit, sink, 0, &ft, f);
	if (rc != 0) {
		free(order);
		return rc;
	}
	for (size_t i = 0; i < n && rc == 0;) {
		size_t j = object_end(c, order, n, i);

		c->res->objects++;
		if (chosen(c->o->percent))
			rc = want_object(c, ft, order, i, j);
		last = i;
		i = j;
	}
	/* A small space is not left unread by chance. */
	if (rc == 0 && c->res->objects_read == 0 && c->o->percent > 0)
		rc = want_object(c, ft, order, last, n);
	free(order);
	ended = fetch_wait(ft, f);
	return ended != 0 ? ended : rc;
}
