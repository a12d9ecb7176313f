// SPDX-License-Identifier: Apache-2.0
#include "client/engine/space.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/anew.h"
#include "client/engine/fetch.h"
#include "client/engine/lost.h"
#include "client/engine/reader.h"
#include "client/state.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"

int
space_first_dedup(const struct session *ses, struct dedup_key *out)
{
	const struct space_key *k = session_key(ses, 1);

	if (k == NULL)
		return FAULT_DENIED;
	return kdf_hkdf(bytes_of(k->b, KEY_LEN), bytes_of(NULL, 0),
	    "skerry/1 dedup", out->b, KEY_LEN);
}

/* [tree] Head: the order of checks. */
static int
open_head(struct space *sp, struct bulk *b, struct fault *f)
{
	struct session *ses = sp->ses;
	struct bytes raw = bytes_of(ses->head, HEAD_LEN);
	uint64_t seen, number;
	uint32_t seen_epoch, epoch;
	const struct space_key *key;
	int rc;

	session_last_seen(ses, &seen, &seen_epoch);
	if (!ses->has_head) {
		if (seen == 0)
			return 0;
		return fault_set(f, FAULT_ROLLBACK,
		    "the authority shows an empty space, but this device has "
		    "seen commit %llu of it", (unsigned long long)seen);
	}
	rc = head_clear(raw, &epoch, &number);
	if (rc != 0)
		return fault_add(f, rc, "head");
	if (number < seen || epoch < seen_epoch)
		return fault_set(f, FAULT_ROLLBACK,
		    "%s shows commit %llu as the latest, but this device has "
		    "seen %llu", ses->head_from_mirror ? "the depot" :
		    "the authority", (unsigned long long)number,
		    (unsigned long long)seen);
	key = session_key(ses, epoch);
	if (key == NULL)
		return fault_set(f, FAULT_DENIED,
		    "the key of epoch %u was not released to this device",
		    epoch);
	rc = head_open(b, key, ses->space, session_signers(ses), raw,
	    &sp->head);
	if (rc != 0)
		return fault_add(f, rc, "head %llu",
		    (unsigned long long)number);
	sp->has_head = true;
	return 0;
}

static int
load_head_commit(struct space *sp, bool anew, struct fault *f)
{
	struct reader *r defer(reader_freep) = NULL;
	struct commit c = { 0 };
	int rc;

	rc = reader_new(sp, &r, f);
	if (rc != 0)
		return rc;
	r->head = true;
	rc = reader_commit(r, &sp->head.commit, &c, f);
	if (fetch_is_lost(rc))
		return anew ? anew_begin(sp, f) : anew_lost(sp, f);
	if (rc != 0)
		return fault_add(f, rc, "commit %llu",
		    (unsigned long long)sp->head.number);
	if (c.number != sp->head.number || c.epoch != sp->head.epoch) {
		commit_wipe(&c);
		return fault_set(f, FAULT_TAMPERED,
		    "head and commit do not belong together");
	}
	sp->commit = c;
	return session_saw_head(sp->ses, sp->head.number, sp->head.epoch,
	    sp->ses->head, f);
}

static int
reopen(struct space *sp, bool anew, struct fault *f)
{
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	int rc;

	if (b == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	sp->has_head = sp->anew = false;
	sp->tail.n = 0;
	commit_wipe(&sp->commit);
	memset(&sp->commit, 0, sizeof(sp->commit));
	rc = open_head(sp, b, f);
	if (rc != 0)
		return rc;
	if (sp->has_head)
		return load_head_commit(sp, anew, f);
	rc = space_first_dedup(sp->ses, &sp->commit.dedup);
	if (rc != 0)
		return fault_set(f, rc,
		    "the space's first key was not released");
	return 0;
}

int
space_reopen(struct space *sp, struct fault *f)
{
	return reopen(sp, false, f);
}

/* All that is in the cache is elsewhere, too: where it cannot be had, the
 * command takes longer. */
static int
open_cache(struct space *sp, struct fault *f)
{
	struct session *ses = sp->ses;
	struct fault why = { 0 };
	int rc = ses->state == NULL ? -1 : state_cache_dir(ses->state, &why);

	if (rc == FAULT_MEMORY)
		return fault_set(f, rc, "out of memory");
	sp->cache.dir = rc < 0 ? -1 : rc;
	if (rc < 0)
		ses->no_cache = why;
	return 0;
}

static int
open_space(struct session *ses, bool anew, struct space **out, struct fault *f)
{
	struct space *sp defer(space_closep) = calloc(1, sizeof(*sp));
	int rc;

	if (sp == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	sp->cache.dir = -1;
	sp->ses = ses;
	sp->tail = buf_init(SPACE_TAIL + COMMIT_MAX + SEAL_OVERHEAD);
	sp->lost = buf_init(LOST_MAX);
	(void)pthread_mutex_init(&sp->lock, NULL);
	sp->block = calloc(SPACE_BLOCKS, sizeof(*sp->block));
	if (sp->block == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = open_cache(sp, f);
	if (rc == 0)
		rc = reopen(sp, anew, f);
	if (rc != 0)
		return rc;
	*out = take(sp);
	return 0;
}

int
space_open(struct session *ses, struct space **out, struct fault *f)
{
	return open_space(ses, false, out, f);
}

int
space_open_anew(struct session *ses, struct space **out, struct fault *f)
{
	return open_space(ses, true, out, f);
}

void
space_close(struct space *sp)
{
	if (sp == NULL)
		return;
	if (sp->block != NULL)
		for (size_t i = 0; i < SPACE_BLOCKS; i++)
			if (sp->block[i] != NULL) {
				secret_wipe(sp->block[i],
				    sizeof(*sp->block[i]));
				free(sp->block[i]);
			}
	free(sp->block);
	commit_wipe(&sp->commit);
	buf_wipe(&sp->tail);
	buf_wipe(&sp->lost);
	secret_wipe(&sp->head, sizeof(sp->head));
	cache_trim(&sp->cache, CACHE_MAX);
	if (sp->cache.dir >= 0)
		close(sp->cache.dir);
	(void)pthread_mutex_destroy(&sp->lock);
	free(sp);
}

void
space_closep(struct space **sp)
{
	space_close(*sp);
}
