// SPDX-License-Identifier: Apache-2.0
#include "client/engine/anew.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/engine/fetch.h"
#include "crypt/secret.h"

#define GIVEN_UP "(lost)"

/* Number and epoch of the head that this device saw before; false: none. */
static bool
seen_before(const struct space *sp, uint64_t *number, uint32_t *epoch)
{
	const uint8_t *seen = session_seen_head(sp->ses);

	return seen != NULL &&
	    head_clear(bytes_of(seen, HEAD_LEN), epoch, number) == 0 &&
	    *number < sp->head.number;
}

int
anew_lost(const struct space *sp, struct fault *f)
{
	unsigned long long number = sp->head.number;
	char rest[160] = "; without one only another account can store "
	    "anything again";
	uint64_t seen;
	uint32_t epoch;

	if (sp->head.epoch == 1)
		(void)snprintf(rest, sizeof(rest), "; without one, put "
		    "--repair begins anew and gives up all before");
	if (seen_before(sp, &seen, &epoch))
		(void)snprintf(rest, sizeof(rest), "; up to commit %llu, which "
		    "was seen here, --commit reads them%s",
		    (unsigned long long)seen, epoch != sp->head.epoch ? "" :
		    ", and put --repair goes on from there");
	return fault_add(f, f->code, "commit %llu, the latest, is lost, and "
	    "with it the way to all before, but for a device that has a copy "
	    "of it: a check and a put there store it again%s", number, rest);
}

/* 1 where there is none that can be read. */
static int
go_back(struct space *sp, struct fault *f)
{
	struct head_lookup who = { .find = chain_lookup_any,
		.arg = sp->ses->chain };
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct reader *r defer(reader_freep) = NULL;
	struct commit c = { 0 };
	struct head h;
	uint64_t number;
	uint32_t epoch;
	int rc;

	if (!seen_before(sp, &number, &epoch) || epoch != sp->head.epoch)
		return 1;
	if (b == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (head_open(b, session_key(sp->ses, epoch), sp->ses->space, who,
	    bytes_of(session_seen_head(sp->ses), HEAD_LEN), &h) != 0)
		return 1;
	rc = reader_new(sp, &r, f);
	if (rc == 0)
		rc = reader_commit(r, &h.commit, &c, f);
	if (rc == 0) {
		sp->commit = c;
		sp->head.commit = h.commit;
	}
	secret_wipe(&h, sizeof(h));
	return fetch_is_lost(rc) ? 1 : rc;
}

int
anew_begin(struct space *sp, struct fault *f)
{
	struct fault why = *f;
	int rc = go_back(sp, f);

	if (rc == 1 && sp->head.epoch == 1 &&
	    space_first_dedup(sp->ses, &sp->commit.dedup) == 0)
		rc = 0;
	if (rc == 1) {
		*f = why;
		return anew_lost(sp, f);
	}
	if (rc != 0)
		return rc;
	*f = (struct fault){ 0 };
	sp->anew = true;
	return 0;
}

static void
say(const struct space *sp,
    void (*warn)(void *arg, struct bytes key, const char *text), void *arg)
{
	unsigned long long number = sp->head.number;
	char text[256];

	if (sp->commit.number == 0)
		(void)snprintf(text, sizeof(text), "commit %llu, the latest, "
		    "is lost, and none before it is known here: all that was "
		    "stored before is given up", number);
	else
		(void)snprintf(text, sizeof(text), "commit %llu, the latest, "
		    "is lost: this goes on from commit %llu, and what came "
		    "after that is given up", number,
		    (unsigned long long)sp->commit.number);
	if (warn != NULL)
		warn(arg, bytes_of(NULL, 0), text);
}

/* What stands for the first commit that was given up. */
static int
stand_in(const struct space *sp, struct commit *c)
{
	const struct commit *was = &sp->commit;
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	c->epoch = sp->head.epoch;
	c->time_sec = now.tv_sec;
	c->time_nsec = (uint32_t)now.tv_nsec;
	memcpy(c->device, sp->ses->device, ID_LEN);
	c->dedup = was->dedup;
	c->has_parent = was->number != 0;
	c->number = c->has_parent ? was->number + 1 : sp->head.number;
	c->parent = sp->head.commit;
	c->has_root = was->has_root;
	c->root = was->root;
	c->entries = was->entries;
	c->bytes = was->bytes;
	c->message_len = (uint16_t)strlen(GIVEN_UP);
	memcpy(c->message, GIVEN_UP, c->message_len);
	return commit_copy_segments(was, c);
}

int
anew_seal(struct space *sp, struct stow *s,
    void (*warn)(void *arg, struct bytes key, const char *text), void *arg,
    struct fault *f)
{
	struct commit c defer(commit_wipe) = { 0 };
	int rc = stand_in(sp, &c);

	for (; rc == 0 && c.number <= sp->head.number; c.number++) {
		struct buf plain defer(buf_wipe) = buf_init(COMMIT_MAX);

		rc = commit_encode(&c, &plain);
		if (rc != 0)
			break;
		rc = stow_ref(s, SEAL_COMMIT, buf_bytes(&plain),
		    &sp->head.commit, f);
		if (rc != 0)
			return rc;
		c.has_parent = true;
		c.parent = sp->head.commit;
	}
	if (rc != 0)
		return fault_set(f, rc, "commit: %s", fault_text(rc));
	say(sp, warn, arg);
	return 0;
}
