// SPDX-License-Identifier: Apache-2.0
#include "client/audititem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/file.h"
#include "client/state.h"
#include "crypt/hash.h"
#include "net/text.h"
#include "tlog/leaf.h"

#define BODY_MAX (1u << 30) /* 12 million entries */
#define NAME_SIZE (6 + TEXT_HEX_SIZE(8))

const char *
audititem_text(enum audit_verdict v)
{
	switch (v) {
#define X(name, number, text) \
	case AUDIT_##name:    \
		return text;
		AUDIT_TABLE(X)
#undef X
	default:
		return "not known";
	}
}

struct audititems
audititem_none(void)
{
	return (struct audititems){ .first = idmap_init(sizeof(size_t)) };
}

static void
key_of(const struct audititem *i, uint8_t out[static IDMAP_KEY_LEN])
{
	const struct bytes part[] = {
		bytes_of(&i->type, sizeof(i->type)),
		bytes_of(&i->epoch, sizeof(i->epoch)),
		bytes_of(i->device, ID_LEN),
		bytes_of(i->nonce, HTTPSIG_NONCE_LEN),
	};

	hash_sha256(part, ARRAY_LEN(part), out);
}

int
audititem_judged(struct audititems *a, size_t i)
{
	const struct audititem *x = &a->item[i];
	uint8_t key[IDMAP_KEY_LEN];
	size_t *at;

	if (x->type != LEAF_RELEASE && x->verdict != AUDIT_GOOD)
		return 0;
	key_of(x, key);
	if (idmap_find(&a->first, key) != NULL)
		return 0;
	at = idmap_add(&a->first, key);
	if (at == NULL)
		return FAULT_MEMORY;
	*at = i;
	return 0;
}

const struct audititem *
audititem_first(const struct audititems *a, const struct audititem *like)
{
	uint8_t key[IDMAP_KEY_LEN];
	const size_t *at;

	key_of(like, key);
	at = idmap_find(&a->first, key);
	return at == NULL ? NULL : &a->item[*at];
}

int
audititem_add(struct audititems *a, const struct audititem *i)
{
	if (a->n == a->cap) {
		size_t cap = a->cap == 0 ? 64 : 2 * a->cap;
		struct audititem *p = realloc(a->item, cap * sizeof(*p));

		if (p == NULL)
			return FAULT_MEMORY;
		a->item = p;
		a->cap = cap;
	}
	a->item[a->n++] = *i;
	return 0;
}

void
audititem_wipe(struct audititems *a)
{
	free(a->item);
	a->item = NULL;
	a->n = a->cap = 0;
	idmap_wipe(&a->first);
}

static void
file_name(const char *origin, char out[static NAME_SIZE])
{
	const struct bytes b = bytes_of(origin, strlen(origin));
	uint8_t h[HASH_LEN];

	hash_sha256(&b, 1, h);
	memcpy(out, "audit-", 6);
	text_hex(h, 8, out + 6, TEXT_HEX_SIZE(8));
}

int
audititem_parse(struct bytes body, struct audititems *out)
{
	struct rd r = rd_from(body.p, body.n);
	struct audititems a = audititem_none();
	size_t n = rd_u8(&r);
	int rc = 0;

	rd_copy(&r, a.origin, n);
	rd_require(&r, n != 0 && strlen(a.origin) == n);
	a.size = rd_u64(&r);
	rd_copy(&r, a.root.b, MERKLE_LEN);
	rd_require(&r, a.size <= MERKLE_SIZE_MAX);
	while (rc == 0 && r.left != 0 && !r.failed) {
		struct audititem i = { .index = rd_u64(&r) };

		i.time = rd_u64(&r);
		i.type = rd_u8(&r);
		i.verdict = rd_u8(&r);
		i.epoch = rd_u32(&r);
		rd_copy(&r, i.device, ID_LEN);
		rd_copy(&r, i.nonce, HTTPSIG_NONCE_LEN);
		rd_copy(&r, i.hash, HASH_LEN);
		rd_require(&r, i.index < a.size && i.type >= LEAF_ENROLMENT &&
			i.type <= LEAF_SHRED && i.verdict <= AUDIT_POLICY &&
			(a.n == 0 || i.index > a.item[a.n - 1].index));
		if (!r.failed)
			rc = audititem_add(&a, &i);
	}
	if (rc == 0)
		rc = rd_finish(&r);
	if (rc != 0)
		audititem_wipe(&a);
	else
		*out = a;
	return rc;
}

int
audititem_format(const struct audititems *a, struct buf *out)
{
	struct wr w = wr_to(out);
	size_t n = strlen(a->origin);

	wr_u8(&w, (uint8_t)n);
	wr_copy(&w, a->origin, n);
	wr_u64(&w, a->size);
	wr_copy(&w, a->root.b, MERKLE_LEN);
	for (size_t k = 0; k < a->n; k++) {
		const struct audititem *i = &a->item[k];

		wr_u64(&w, i->index);
		wr_u64(&w, i->time);
		wr_u8(&w, i->type);
		wr_u8(&w, i->verdict);
		wr_u32(&w, i->epoch);
		wr_copy(&w, i->device, ID_LEN);
		wr_copy(&w, i->nonce, HTTPSIG_NONCE_LEN);
		wr_copy(&w, i->hash, HASH_LEN);
	}
	return wr_finish(&w);
}

bool
audititem_known(const struct state *st, const char *origin)
{
	char name[NAME_SIZE];

	file_name(origin, name);
	return faccessat(st->fd, name, F_OK, 0) == 0;
}

int
audititem_load(const struct state *st, const char *origin,
    struct audititems *out, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	char name[NAME_SIZE];
	int rc;

	file_name(origin, name);
	*out = audititem_none();
	rc = file_load(st->fd, name, FILE_AUDIT, &b, f);
	if (rc == 0)
		rc = audititem_parse(buf_bytes(&b), out);
	if (rc == 0 && strcmp(out->origin, origin) != 0)
		rc = FAULT_MALFORMED;
	if (rc == FAULT_NOT_FOUND)
		rc = 0;
	if (rc == FAULT_MALFORMED) {
		audititem_wipe(out);
		return fault_set(f, FAULT_CONFIG, "%s: %s: damaged", st->dir,
		    name);
	}
	(void)snprintf(out->origin, sizeof(out->origin), "%s", origin);
	return rc == 0 ? 0 : fault_add(f, rc, "%s: %s", st->dir, name);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int
audititem_save(const struct state *st, const struct audititems *a,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int lock defer(close_fd) = -1;
	char name[NAME_SIZE];
	int rc = audititem_format(a, &b);

	file_name(a->origin, name);
	if (rc != 0)
		return fault_add(f, rc, "%s", name);
	rc = state_lock(st, &lock, f);
	if (rc == 0)
		rc = file_save(st->fd, name, FILE_AUDIT, buf_bytes(&b), f);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}
