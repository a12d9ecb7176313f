// SPDX-License-Identifier: Apache-2.0
#include "client/engine/stow.h"

#include <stdlib.h>

#include "client/engine/lost.h"
#include "crypt/secret.h"

struct stow {
	struct space *space;
	struct packer *packer;
	struct fresh *fresh;
	struct reader *reader; /* owned */
	uint8_t *sealed;       /* owned; a node or commit */
	size_t cap;
	struct seal_mark mark[STOW_PIECES];
	enum fresh_claim claim[STOW_PIECES];
};

int
stow_new(struct space *sp, struct packer *packer, struct fresh *fresh,
    struct stow **out, struct fault *f)
{
	struct stow *s defer(stow_freep) = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	s->space = sp;
	s->packer = packer;
	s->fresh = fresh;
	rc = reader_new(sp, &s->reader, f);
	if (rc != 0)
		return rc;
	s->reader->bulk = true;
	s->reader->gaps = true;
	*out = take(s);
	return 0;
}

void
stow_free(struct stow *s)
{
	if (s == NULL)
		return;
	reader_free(s->reader);
	free(s->sealed);
	secret_wipe(s->mark, sizeof(s->mark));
	free(s);
}

void
stow_freep(struct stow **s)
{
	stow_free(*s);
}

struct reader *
stow_reader(struct stow *s)
{
	return s->reader;
}

/* One piece that this thread has claimed. */
static int
stow_one(struct stow *s, enum seal_kind kind, struct bytes piece,
    const struct seal_mark *mark, const uint8_t *id, struct fault *f)
{
	struct effort *effort = packer_effort(s->packer);
	struct index_entry e;
	struct packer_room room;
	uint32_t length;
	int rc;

	rc = reader_find(s->reader, id, &e, f);
	/* Where it was lost it is stored anew: a later entry counts. */
	if (rc == 0 && !lost_has(buf_bytes(&s->space->lost), &e.place))
		return 0;
	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	rc = seal_frame(s->reader->seal, effort_now(effort), piece, &length);
	if (rc != 0)
		return fault_set(f, rc, "sealing a chunk: %s", fault_text(rc));
	rc = packer_reserve(s->packer, length, &room, f);
	if (rc != 0)
		return rc;
	effort_sealed(effort, piece.n, length);
	rc = seal_framed(s->reader->seal, kind, piece, mark, room.p, &e);
	if (rc != 0) {
		(void)fault_set(f, rc, "sealing a chunk: %s", fault_text(rc));
		packer_spoil(s->packer, &room, f);
		return rc;
	}
	rc = packer_fill(s->packer, &room, &e, f);
	if (rc == 0)
		rc = fresh_add(s->fresh, &e);
	if (rc == FAULT_MEMORY)
		(void)fault_set(f, rc, "out of memory");
	secret_wipe(&e.key, sizeof(e.key));
	return rc;
}

int
stow_pieces(struct stow *s, enum seal_kind kind, const struct bytes *piece,
    size_t n, uint8_t (*id)[CHUNK_ID_LEN], struct fault *f)
{
	int rc;

	if (n > STOW_PIECES)
		return fault_set(f, FAULT_INTERNAL, "too many pieces");
	rc = seal_ids(s->reader->seal, piece, n, s->mark, id);
	if (rc == 0)
		rc = fresh_claim(s->fresh, (const uint8_t (*)[CHUNK_ID_LEN])id,
		    n, s->claim);
	if (rc != 0)
		return fault_set(f, rc, "naming chunks: %s", fault_text(rc));
	for (size_t i = 0; i < n && rc == 0; i++)
		if (s->claim[i] == FRESH_MINE)
			rc = stow_one(s, kind, piece[i], &s->mark[i], id[i], f);
	return rc;
}

static int
grow(struct stow *s, size_t n)
{
	uint8_t *p;

	if (n <= s->cap)
		return 0;
	p = malloc(n);
	if (p == NULL)
		return FAULT_MEMORY;
	free(s->sealed);
	s->sealed = p;
	s->cap = n;
	return 0;
}

int
stow_ref(struct stow *s, enum seal_kind kind, struct bytes plain,
    struct ref *ref, struct fault *f)
{
	struct place at;
	int rc = grow(s, seal_bound(plain.n));

	if (rc == 0)
		rc = seal_ref(s->reader->seal, kind, plain, s->sealed, ref);
	if (rc != 0)
		return fault_set(f, rc, "sealing the tree: %s", fault_text(rc));
	rc = packer_add(s->packer, bytes_of(s->sealed, ref->place.length), &at,
	    f);
	if (rc != 0)
		return rc;
	ref->place = at;
	cache_put(&s->space->cache, &at, s->sealed);
	return 0;
}

static int
store_node(void *arg, unsigned level, struct bytes node, struct ref *out)
{
	struct stow *s = arg;

	(void)level;
	s->reader->fault = (struct fault){ 0 };
	return stow_ref(s, SEAL_NODE, node, out, &s->reader->fault);
}

struct builder_sink
stow_nodes(struct stow *s)
{
	return (struct builder_sink){ .store = store_node, .arg = s };
}

int
stow_block(void *arg, struct bytes sealed, struct place *out)
{
	struct stow *s = arg;
	int rc;

	s->reader->fault = (struct fault){ 0 };
	rc = packer_add(s->packer, sealed, out, &s->reader->fault);
	if (rc == 0)
		cache_put(&s->space->cache, out, sealed.p);
	return rc;
}
