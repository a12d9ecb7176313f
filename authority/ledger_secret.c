// SPDX-License-Identifier: Apache-2.0
#include "authority/ledger_secret.h"

#include <string.h>

#include "authority/vault.h"
#include "base/logline.h"

static struct vault_name
name_of(const uint8_t space[static ID_LEN], uint32_t epoch)
{
	struct vault_name n = { .epoch = epoch };

	memcpy(n.space, space, ID_LEN);
	return n;
}

/* Epochs from before there were secrets have a row, and no request in it.  Of
 * any other a missing file was destroyed: then the database is an old copy. */
static int
never_had_one(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct fault *f)
{
	static const uint8_t none[DB_HASH_LEN];
	uint8_t request[DB_HASH_LEN] = { 1 };
	int rc = l->db->epoch_get(l->db, space, epoch, request, f);

	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	if (rc == 0 && memcmp(request, none, sizeof(none)) == 0)
		return 0;
	return fault_set(f, FAULT_AUTHORITY, "epoch %u: its secret was "
	    "destroyed, and the database still has its keyslots: it is older",
	    epoch);
}

int
ledger_secret_get(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct keymsg_secret *out, struct fault *f)
{
	const struct vault_name n = name_of(space, epoch);
	struct keymsg_secret s = { .has = true };
	struct fault none = { 0 };
	int rc = vault_get(l->vault, &n, s.wrapped, &none);

	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return fault_set(f, rc, "%s", none.text);
	if (rc == FAULT_NOT_FOUND) {
		s = (struct keymsg_secret){ 0 };
		rc = never_had_one(l, space, epoch, f);
	}
	if (rc == 0)
		*out = s;
	return rc;
}

int
ledger_secret_doom(struct ledger *l, const uint8_t space[static ID_LEN],
    uint32_t epoch, struct fault *f)
{
	if (l->ndoomed == ARRAY_LEN(l->doomed))
		return fault_set(f, FAULT_AUTHORITY, "too many at once");
	l->doomed[l->ndoomed++] = name_of(space, epoch);
	return 0;
}

/* What this batch deletes may come back, if it is not committed. */
static bool
is_going(const struct ledger *l, const struct vault_name *n)
{
	for (size_t i = l->overdue; i < l->ndoomed; i++)
		if (l->doomed[i].epoch == n->epoch &&
		    memcmp(l->doomed[i].space, n->space, ID_LEN) == 0)
			return true;
	return false;
}

/* [custody] Never made anew once there are keyslots under it. */
int
ledger_secret_for(struct ledger *l, const struct db_space *space,
    uint32_t epoch, struct keymsg_secret *out, struct fault *f)
{
	const struct vault_name n = name_of(space->id, epoch);
	struct keymsg_space of = { .epoch = epoch };
	struct keymsg_secret s = { .has = true };
	struct buf blobs defer(buf_wipe) = buf_init(DB_BLOBS_MAX);
	int rc = l->db->epoch_blobs(l->db, space->id, epoch, &blobs, f);

	if (rc != 0)
		return rc;
	if (blobs.n != 0)
		return ledger_secret_get(l, space->id, epoch, out, f);
	if (l->nmade == ARRAY_LEN(l->made))
		return fault_set(f, FAULT_LIMIT, "keyslots: of more than %zu "
		    "epochs", ARRAY_LEN(l->made));
	if (is_going(l, &n))
		return fault_set(f, FAULT_AUTHORITY, "epoch %u: its keyslots "
		    "are being destroyed; try again", epoch);
	memcpy(of.account, space->account, ID_LEN);
	memcpy(of.space, space->id, ID_LEN);
	rc = keymsg_secret(&l->keys, &of, s.wrapped);
	if (rc != 0)
		return fault_set(f, rc, "epoch secret: %s", keymsg_text(rc));
	l->made[l->nmade++] = n;
	rc = vault_put(l->vault, &n, s.wrapped, f);
	if (rc == 0)
		*out = s;
	return rc;
}

static int
prepare(struct ledger *l, const struct db_space *space, enum db_kind kind,
    const struct db_slot *in, struct keymsg_cover *m, struct fault *f)
{
	*m = (struct keymsg_cover){ .of.epoch = in->epoch,
		.kind = (uint8_t)kind, .n = in->n };
	memcpy(m->of.account, space->account, ID_LEN);
	memcpy(m->of.space, space->id, ID_LEN);
	memcpy(m->blob, in->blob, in->n);
	return ledger_secret_get(l, space->id, in->epoch, &m->under, f);
}

int
ledger_secret_cover(struct ledger *l, const struct db_space *space,
    enum db_kind kind, const struct db_slot *in, struct db_slot *out,
    struct fault *f)
{
	struct db_slot s = { .epoch = in->epoch,
		.n = in->n + WRAP_OVERHEAD };
	struct keymsg_cover m;
	int rc = prepare(l, space, kind, in, &m, f);

	if (rc == 0 && s.n > sizeof(s.blob))
		rc = fault_set(f, FAULT_LIMIT, "keyslot: too long");
	if (rc == 0 && !m.under.has) {
		*out = *in;
		return 0;
	}
	if (rc != 0)
		return rc;
	rc = keymsg_cover(&l->keys, &m, s.blob);
	if (rc != 0)
		return fault_set(f, rc, "cover: %s", keymsg_text(rc));
	*out = s;
	return 0;
}

int
ledger_secret_uncover(struct ledger *l, const struct db_space *space,
    enum db_kind kind, const struct db_slot *in, struct db_slot *out,
    struct fault *f)
{
	struct db_slot s = { .epoch = in->epoch };
	struct keymsg_cover m;
	int rc;

	/* Others are as they came: from before there were secrets. */
	if (in->n != DB_SEALED_LEN + WRAP_OVERHEAD) {
		*out = *in;
		return 0;
	}
	rc = prepare(l, space, kind, in, &m, f);
	if (rc != 0)
		return rc;
	rc = keymsg_uncover(&l->keys, &m, s.blob);
	if (rc != 0)
		return fault_set(f, rc, "uncover: %s", keymsg_text(rc));
	s.n = in->n - WRAP_OVERHEAD;
	*out = s;
	return 0;
}

/* [custody] What is committed counts: the request that doomed it may have been
 * undone, and a later one of the batch may have made it anew. */
static int
destroy(struct ledger *l, const struct vault_name *n, struct fault *f)
{
	struct buf blobs defer(buf_wipe) = buf_init(DB_BLOBS_MAX);
	int rc = l->db->epoch_blobs(l->db, n->space, n->epoch, &blobs, f);

	return rc != 0 || blobs.n != 0 ? rc : vault_destroy(l->vault, n, f);
}

void
ledger_secret_undo(struct ledger *l)
{
	struct fault scrap = { 0 };

	while (l->nmade > 0)
		(void)!destroy(l, &l->made[--l->nmade], &scrap);
}

static void
tell(const char *event, const struct fault *f)
{
	struct logline line = logline_begin(f == NULL ? LOGLINE_INFO :
		LOGLINE_ERROR, event);

	if (f != NULL)
		logline_fault(&line, f);
	logline_end(&line);
}

static int
shred(struct ledger *l, bool wait, struct fault *f)
{
	int rc = l->db->purge(l->db, wait, f);

	for (size_t i = 0; rc == 0 && i < l->ndoomed; i++)
		rc = destroy(l, &l->doomed[i], f);
	if (rc == 0)
		l->ndoomed = l->overdue = 0;
	return rc;
}

/* Nobody waits for long, and for one reader of the database once. */
int
ledger_secret_shred(struct ledger *l, struct fault *f)
{
	struct fault why = { 0 };
	int rc = l->ndoomed == l->overdue ? 0 :
					    shred(l, l->overdue == 0, &why);

	if (rc == 0)
		return 0;
	if (l->overdue == 0)
		tell("not-destroyed-yet", &why);
	return fault_set(f, rc == FAULT_IO ? FAULT_AUTHORITY : rc, "what is "
	    "deleted could not be destroyed yet (%.100s), as while the "
	    "database is copied for a backup: it will be as soon as it can",
	    why.text);
}

void
ledger_secret_again(struct ledger *l, int64_t now)
{
	struct fault scrap = { 0 };

	l->overdue = l->ndoomed;
	if (l->ndoomed == 0 || now == l->tried)
		return;
	l->tried = now;
	if (shred(l, false, &scrap) == 0)
		tell("destroyed", NULL);
}

static int
again(void *arg, const struct vault_name *n, struct fault *f)
{
	struct ledger *l = arg;
	bool ended = false;
	int rc = l->db->receipt_ends(l->db, n->space, n->epoch, &ended, f);

	return rc == 0 && ended ? vault_destroy(l->vault, n, f) : rc;
}

/* Of the secrets that there are, which are few: receipts are for ever. */
int
ledger_secret_resume(struct ledger *l, struct fault *f)
{
	int rc = l->db->begin(l->db, f);

	if (rc == 0)
		rc = vault_each(l->vault, again, l, f);
	if (rc == 0)
		return l->db->commit(l->db, f);
	l->db->abort(l->db);
	return fault_add(f, rc, "epoch secrets");
}
