// SPDX-License-Identifier: Apache-2.0
#include "client/engine/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/noun.h"
#include "client/engine/check_impl.h"
#include "client/engine/lost.h"
#include "net/text.h"

#define FIRST_SET 1024u

/* The worse, the higher. */
static int
rank(int code)
{
	switch (code) {
	case FAULT_TAMPERED:
		return 4;
	case FAULT_MISSING:
		return 3;
	case FAULT_MALFORMED:
		return 2;
	default:
		return code == 0 ? 0 : 1;
	}
}

void
check_found(struct check *c, const struct check_finding *x)
{
	pthread_mutex_lock(&c->lock);
	if (rank(x->code) > rank(c->worst))
		c->worst = x->code;
	c->res->findings++;
	if (x->what == CHECK_OBJECT)
		c->res->bad_objects++;
	if (x->what == CHECK_PATH)
		c->res->bad_paths++;
	if (x->what == CHECK_PATHS)
		c->res->bad_paths += x->entries;
	if (c->o->found != NULL)
		c->o->found(c->o->arg, x);
	pthread_mutex_unlock(&c->lock);
}

static size_t
slot_of(const struct check_set *s, const uint8_t *v)
{
	size_t i;

	/* Hashes and random ids: any bits will do. */
	memcpy(&i, v, sizeof(i));
	for (;; i++) {
		static const uint8_t none[HASH_LEN];

		i &= s->cap - 1;
		if (memcmp(s->p[i], none, HASH_LEN) == 0 ||
		    memcmp(s->p[i], v, HASH_LEN) == 0)
			return i;
	}
}

int
check_set_add(struct check_set *s, const uint8_t v[static HASH_LEN])
{
	static const uint8_t none[HASH_LEN];
	size_t i;

	if (2 * s->n >= s->cap) {
		struct check_set b = { .n = s->n,
			.cap = s->cap == 0 ? FIRST_SET : 2 * s->cap };

		b.p = calloc(b.cap, sizeof(*b.p));
		if (b.p == NULL)
			return FAULT_MEMORY;
		for (size_t j = 0; j < s->cap; j++)
			if (memcmp(s->p[j], none, HASH_LEN) != 0)
				memcpy(b.p[slot_of(&b, s->p[j])], s->p[j],
				    HASH_LEN);
		free(s->p);
		*s = b;
	}
	i = slot_of(s, v);
	if (memcmp(s->p[i], v, HASH_LEN) == 0)
		return 0;
	memcpy(s->p[i], v, HASH_LEN);
	s->n++;
	return 1;
}

void
check_set_wipe(struct check_set *s)
{
	free(s->p);
	*s = (struct check_set){ 0 };
}

int
check_object(struct check *c, uint64_t commit, const struct place *p, int code,
    const char *what)
{
	char hex[2 * ID_LEN + 1];
	uint8_t id[HASH_LEN] = { 0 };
	struct fault f;
	int rc;

	/* Not all zero, whatever the object's id. */
	id[HASH_LEN - 1] = 1;
	memcpy(id, p->object, ID_LEN);
	pthread_mutex_lock(&c->lock);
	rc = lost_add(&c->lost, p);
	if (rc == 0)
		rc = check_set_add(&c->objects, id);
	pthread_mutex_unlock(&c->lock);
	if (rc != 1)
		return rc;
	text_hex(p->object, ID_LEN, hex, sizeof(hex));
	(void)fault_set(&f, code, "object %s: %s: %s", hex, what,
	    fault_text(code));
	check_found(c, &(struct check_finding){ .what = CHECK_OBJECT,
	    .code = code, .commit = commit, .object = p->object,
	    .text = f.text });
	return 0;
}

int
check_unknown(struct check *c)
{
	const struct place nowhere = { 0 };
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	if (!c->unknown)
		rc = lost_add(&c->lost, &nowhere);
	c->unknown = true;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int
check_stopped(const struct check *c, struct fault *f)
{
	const atomic_bool *stop = c->space->ses->stop;

	if (stop == NULL || !atomic_load(stop))
		return 0;
	return fault_set(f, FAULT_INTERRUPTED, "interrupted");
}

static int
one_commit(struct check *c, const struct commit *commit, struct fault *f)
{
	int rc;

	c->reader->commit = commit;
	rc = check_index(c, commit, f);
	return rc != 0 ? rc : check_tree(c, commit, false, f);
}

/* A copy of what the depot has not got any more, so that the way goes on; 1
 * where there is none. */
static int
load_copy(struct check *c, const struct ref *ref, uint64_t number,
    struct commit *out)
{
	struct fault scrap = { 0 };
	int rc;

	c->space->cache.dir = c->cache;
	rc = reader_commit(c->reader, ref, out, &scrap);
	c->space->cache.dir = -1;
	if (rc == 0 && out->number == number)
		return 0;
	commit_wipe(out);
	return 1;
}

static void
say_cut(struct check *c, uint64_t number)
{
	if (!c->cut && number > 1)
		check_found(c, &(struct check_finding){ .what = CHECK_OTHER,
		    .code = FAULT_MISSING, .commit = number, .text =
		    "the way to the commits before it is lost with it" });
	c->cut = true;
}

/* Loads a commit from the depot, or, where it is bad there, which is reported,
 * from the cache; 1 where that has no copy. */
static int
load(struct check *c, const struct ref *ref, uint64_t number,
    struct commit *out, struct fault *f)
{
	int rc = reader_commit(c->reader, ref, out, f);

	if (rc == 0 && out->number != number) {
		commit_wipe(out);
		rc = FAULT_MALFORMED;
	}
	if (rc == 0)
		c->res->commits++;
	if (rc == 0 || !fetch_is_local(rc))
		return rc;
	*f = (struct fault){ 0 };
	rc = check_object(c, number, &ref->place, rc, "a commit");
	return rc != 0 ? rc : load_copy(c, ref, number, out);
}

/* The commits before the head's, one after another, each given to step. */
static int
each_parent(struct check *c,
    int (*step)(struct check *c, const struct commit *commit, struct fault *f),
    struct fault *f)
{
	struct ref ref = c->space->commit.parent;
	bool more = c->space->commit.has_parent;
	uint64_t number = c->space->commit.number;
	int rc = 0;

	while (more && rc == 0) {
		struct commit one defer(commit_wipe) = { 0 };

		rc = load(c, &ref, --number, &one, f);
		if (rc == 1)
			say_cut(c, number);
		if (rc != 0)
			return rc == 1 ? 0 : rc;
		c->reader->commit = &one;
		rc = step(c, &one, f);
		c->reader->commit = &c->space->commit;
		more = one.has_parent;
		ref = one.parent;
	}
	return rc;
}

static int
name_affected(struct check *c, const struct commit *commit, struct fault *f)
{
	int rc = check_index(c, commit, f);

	return rc != 0 ? rc : check_tree(c, commit, true, f);
}

static int
run(struct check *c, struct fault *f)
{
	const struct commit *head = &c->space->commit;
	struct commit again defer(commit_wipe) = { 0 };
	uint64_t commits;
	int rc;

	rc = load(c, &c->space->head.commit, head->number, &again, f);
	if (rc >= 0)
		rc = one_commit(c, head, f);
	if (rc == 0 && c->o->history)
		rc = each_parent(c, one_commit, f);
	commits = c->res->commits;
	c->reader->commit = head;
	if (rc == 0)
		rc = check_chunks(c, head, f);
	if (rc != 0 || c->res->bad_chunks == 0)
		return rc;
	check_set_wipe(&c->nodes);
	rc = name_affected(c, head, f);
	if (rc == 0 && c->o->history)
		rc = each_parent(c, name_affected, f);
	c->res->commits = commits;
	return rc;
}

int
check_run(struct space *sp, const struct check_options *o,
    struct check_result *out, struct fault *f)
{
	struct check c = { .space = sp, .o = o, .res = out,
		.cache = sp->cache.dir };
	int rc;

	*out = (struct check_result){ 0 };
	if (!sp->has_head)
		return 0;
	c.list = buf_init((size_t)1 << 30);
	c.attrs = buf_init(XATTR_MAX);
	c.lost = buf_init(LOST_MAX);
	c.hidden = buf_init(SIZE_MAX / 2);
	pthread_mutex_init(&c.lock, NULL);
	/* What the cache has says nothing about the depot. */
	sp->cache.dir = -1;
	rc = fetch_reader(sp, &sp->commit, &c.reader, f);
	if (rc == 0)
		rc = run(&c, f);
	sp->cache.dir = c.cache;
	if (rc == 0)
		lost_note(c.cache, buf_bytes(&c.lost), o->percent >= 100);
	reader_free(c.reader);
	free(c.entry);
	free(c.bad);
	free(c.segment);
	check_set_wipe(&c.nodes);
	check_set_wipe(&c.objects);
	buf_wipe(&c.list);
	buf_wipe(&c.attrs);
	buf_wipe(&c.lost);
	buf_wipe(&c.hidden);
	pthread_mutex_destroy(&c.lock);
	if (rc != 0 || c.worst == 0)
		return rc;
	return fault_set(f, c.worst, "%llu bad %s, %llu %s affected",
	    (unsigned long long)out->bad_objects,
	    noun_for(out->bad_objects, "object", "objects"),
	    (unsigned long long)out->bad_paths,
	    noun_for(out->bad_paths, "path", "paths"));
}
