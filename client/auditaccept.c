// SPDX-License-Identifier: Apache-2.0
#include "client/auditaccept.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/file.h"
#include "client/state.h"
#include "crypt/hash.h"

#define ONE_LEN (AUDITACCEPT_ID_LEN + 8)
#define BODY_MAX (AUDITACCEPT_MAX * ONE_LEN)

static const struct {
	const char *name;
	enum file_kind kind;
} files[] = {
	[AUDITACCEPT_ACCEPTED] = { "accepted", FILE_ACCEPTED },
	[AUDITACCEPT_TOLD] = { "told", FILE_TOLD },
};

void
auditaccept_id(const char *origin, const char *what, struct bytes of,
    uint8_t out[static AUDITACCEPT_ID_LEN])
{
	const struct bytes part[] = { bytes_of(origin, strlen(origin) + 1),
		bytes_of(what, strlen(what) + 1), of };
	uint8_t hash[HASH_LEN];

	hash_sha256(part, ARRAY_LEN(part), hash);
	memcpy(out, hash, AUDITACCEPT_ID_LEN);
}

void
auditaccept_wipe(struct auditaccept *a)
{
	free(a->one);
	*a = (struct auditaccept){ 0 };
}

int
auditaccept_parse(struct bytes body, struct auditaccept *out)
{
	struct rd r = rd_from(body.p, body.n);
	struct auditaccept a = { .n = body.n / ONE_LEN };
	int rc;

	if (body.n % ONE_LEN != 0 || a.n > AUDITACCEPT_MAX)
		return FAULT_MALFORMED;
	a.one = calloc(a.n + 1, sizeof(*a.one));
	if (a.one == NULL)
		return FAULT_MEMORY;
	for (size_t i = 0; i < a.n; i++) {
		rd_copy(&r, a.one[i].id, AUDITACCEPT_ID_LEN);
		a.one[i].time = (int64_t)rd_u64(&r);
		rd_require(&r, a.one[i].time >= 0 && (i == 0 ||
			memcmp(a.one[i - 1].id, a.one[i].id,
			    AUDITACCEPT_ID_LEN) < 0));
	}
	rc = rd_finish(&r);
	if (rc != 0)
		auditaccept_wipe(&a);
	else
		*out = a;
	return rc;
}

int
auditaccept_format(const struct auditaccept *a, struct buf *out)
{
	struct wr w = wr_to(out);

	for (size_t i = 0; i < a->n; i++) {
		wr_copy(&w, a->one[i].id, AUDITACCEPT_ID_LEN);
		wr_u64(&w, (uint64_t)a->one[i].time);
	}
	return wr_finish(&w);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct auditaccept_one *)a)->id,
	    ((const struct auditaccept_one *)b)->id, AUDITACCEPT_ID_LEN);
}

const struct auditaccept_one *
auditaccept_find(const struct auditaccept *a,
    const uint8_t id[static AUDITACCEPT_ID_LEN])
{
	struct auditaccept_one like = { 0 };

	memcpy(like.id, id, sizeof(like.id));
	return a->n == 0 ? NULL :
			   bsearch(&like, a->one, a->n, sizeof(like), by_id);
}

int
auditaccept_add(struct auditaccept *a,
    const uint8_t (*id)[AUDITACCEPT_ID_LEN], size_t n, int64_t now)
{
	struct auditaccept_one *more = reallocarray(a->one, a->n + n + 1,
	    sizeof(*more));

	if (more == NULL)
		return FAULT_MEMORY;
	a->one = more;
	for (size_t i = 0; i < n; i++) {
		if (auditaccept_find(a, id[i]) != NULL)
			continue;
		if (a->n == AUDITACCEPT_MAX)
			return FAULT_LIMIT;
		memcpy(a->one[a->n].id, id[i], AUDITACCEPT_ID_LEN);
		a->one[a->n++].time = now;
		qsort(a->one, a->n, sizeof(*a->one), by_id);
	}
	return 0;
}

int
auditaccept_load(const struct state *st, enum auditaccept_file file,
    struct auditaccept *out, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc = file_load(st->fd, files[file].name, files[file].kind, &b, f);

	if (rc == FAULT_NOT_FOUND)
		rc = 0;
	if (rc == 0)
		rc = auditaccept_parse(buf_bytes(&b), out);
	if (rc == FAULT_MALFORMED)
		return fault_set(f, FAULT_CONFIG, "%s: %s: damaged", st->dir,
		    files[file].name);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int
auditaccept_keep(const struct state *st, enum auditaccept_file file,
    const uint8_t (*id)[AUDITACCEPT_ID_LEN], size_t n, int64_t now,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	struct auditaccept a defer(auditaccept_wipe) = { 0 };
	int lock defer(close_fd) = -1;
	int rc = state_lock(st, &lock, f);

	if (rc == 0)
		rc = auditaccept_load(st, file, &a, f);
	if (rc != 0)
		return rc;
	rc = auditaccept_add(&a, id, n, now);
	if (rc == 0)
		rc = auditaccept_format(&a, &b);
	if (rc == 0)
		rc = file_save(st->fd, files[file].name, files[file].kind,
		    buf_bytes(&b), f);
	return rc == 0 ? 0 : fault_add(f, rc, "%s: %s", st->dir,
	    files[file].name);
}
