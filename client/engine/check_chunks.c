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

static int
report(struct check *c, const struct index_entry *e)
{
	pthread_mutex_lock(&c->lock);
	c->res->bad_chunks++;
	pthread_mutex_unlock(&c->lock);
	return check_object(c, c->space->commit.number, &e->place,
	    -(int)c->bad[e - c->entry], "a chunk");
}

/* A bad chunk that was stored again since, which may be good. */
static bool
is_hidden(const struct check *c, const struct index_entry *e)
{
	const struct index_entry *h = check_newest(c, e->id);

	return h != NULL &&
	    memcmp(&h->place, &e->place, sizeof(h->place)) != 0;
}

/* What was stored again and is good there nothing needs where it was. */
static int
report_hidden(struct check *c)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->hidden.n; i += sizeof(uint32_t)) {
		const struct index_entry *h;
		uint32_t at;

		memcpy(&at, c->hidden.p + i, sizeof(at));
		h = check_newest(c, c->entry[at].id);
		if (c->o->percent >= 100 && c->bad[h - c->entry] == 0)
			c->bad[at] = 0;
		else
			rc = report(c, &c->entry[at]);
	}
	return rc;
}

static int
on_bad(struct check *c, uint32_t at, int code)
{
	const struct index_entry *e = &c->entry[at];
	int rc;

	c->bad[at] = (uint8_t)-code;
	if (!is_hidden(c, e))
		return report(c, e);
	pthread_mutex_lock(&c->lock);
	rc = buf_append(&c->hidden, &at, sizeof(at));
	pthread_mutex_unlock(&c->lock);
	return rc;
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
	rc = on_bad(c, (uint32_t)w[0]->at, rc);
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

/* Leaves in order what is to be read, by objects: so many. */
static size_t
sample(struct check *c, uint32_t *order, size_t n)
{
	struct check_result *res = c->res;
	size_t last = 0, kept = 0;

	for (size_t i = 0, j; i < n; i = j) {
		j = object_end(c, order, n, i);
		res->objects++;
		last = i;
		if (!chosen(c->o->percent))
			continue;
		memmove(order + kept, order + i, (j - i) * sizeof(*order));
		kept += j - i;
		res->objects_read++;
	}
	if (kept != 0 || n == 0 || c->o->percent == 0)
		return kept;
	/* A small space is not left unread by chance. */
	memmove(order, order + last, (n - last) * sizeof(*order));
	res->objects_read++;
	return n - last;
}

int
check_chunks(struct check *c, const struct commit *commit, struct fault *f)
{
	struct fetch_sink sink = { .chunks = on_chunks, .arg = c,
		.exact = true };
	struct fetch *ft defer(fetch_freep) = NULL;
	uint32_t *order;
	size_t n;
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
	n = sample(c, order, n);
	for (size_t k = 0; k < n; k++)
		progress_expect(c->o->progress, 1,
		    c->entry[order[k]].plain_len);
	for (size_t k = 0; k < n && rc == 0; k++)
		rc = fetch_add(ft, &c->entry[order[k]], NULL, order[k]);
	free(order);
	ended = fetch_wait(ft, f);
	if (ended != 0 || rc != 0)
		return ended != 0 ? ended : rc;
	rc = report_hidden(c);
	return rc == 0 ? 0 : fault_set(f, rc, "%s", fault_text(rc));
}
