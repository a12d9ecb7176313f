// SPDX-License-Identifier: Apache-2.0
#include "authority/ledger_log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/logline.h"
#include "store/log_dir.h"
#include "tlog/checkpoint.h"

#define START_MS 50000 /* keys open their file meanwhile */
#define AGAIN_MS 1000
#define ROWS_MAX 4096 /* of one append */
#define ROWS_BYTES (ROWS_MAX * (size_t)LEAF_MAX)

int
ledger_log_resume(struct ledger_log *g, int wait_ms, struct fault *f)
{
	int rc = keymsg_resume(g->keys, buf_bytes(&g->note), wait_ms,
	    &g->last);

	return rc == 0 ? 0 :
	    fault_set(f, rc, "log: %s", keymsg_text(rc));
}

/* [tlog] keys signs a tree that continues the one before, and wants to be
 * shown that it does. */
static int
sign(void *ctx, struct bytes text, struct buf *note)
{
	struct ledger_log *g = ctx;
	struct fault scrap = { 0 };
	struct checkpoint c;
	int rc = checkpoint_parse(text, &c);

	for (int i = 0; rc == 0; i++) {
		struct keymsg_sign m = { .old = g->last.size,
			.tree = { .size = c.size, .root = c.root } };
		struct merkle_source s;

		if (m.old > c.size)
			return FAULT_ROLLBACK;
		tile_tree_init(g->tree, g->log->ops->tiles(g->log), c.size);
		s = tile_tree_source(g->tree);
		rc = merkle_prove_consistency(&s, m.old, c.size, &m.proof);
		if (rc == 0)
			rc = keymsg_sign(g->keys, &m, note);
		if (rc == 0)
			g->last = m.tree;
		/* Keys were started anew, or an answer of theirs was lost. */
		if (i > 0 || (rc != FAULT_NOT_FOUND && rc != FAULT_ROLLBACK))
			return rc;
		rc = ledger_log_resume(g, KEYMSG_WAIT_MS, &scrap);
	}
	return rc;
}

struct rows {
	uint64_t next;
	struct buf all;
	size_t n, len[ROWS_MAX];
};

static int
on_row(void *arg, const struct db_leaf *l)
{
	struct rows *r = arg;

	if (l->index != r->next || r->n == ROWS_MAX)
		return FAULT_INTERNAL;
	r->next++;
	r->len[r->n++] = l->entry.n;
	return buf_append(&r->all, l->entry.p, l->entry.n);
}

static void
rows_freep(struct rows **r)
{
	if (*r != NULL)
		buf_wipe(&(*r)->all);
	free(*r);
}

static int
head(struct ledger_log *g, struct fault *f)
{
	g->note.n = 0;
	return g->log->ops->head(g->log, &g->head, &g->note, f);
}

static int
append(struct ledger_log *g, const struct rows *r, struct fault *f)
{
	struct bytes *entry = calloc(r->n, sizeof(*entry));
	uint64_t first = 0;
	size_t at = 0;
	int rc;

	if (entry == NULL)
		return fault_set(f, FAULT_MEMORY, "log: out of memory");
	for (size_t i = 0; i < r->n; i++) {
		entry[i] = bytes_of(r->all.p + at, r->len[i]);
		at += r->len[i];
	}
	rc = g->log->ops->append(g->log, entry, r->n, &first, f);
	free(entry);
	if (rc == 0 && first != r->next - r->n)
		rc = fault_set(f, FAULT_INTERNAL, "log: another index");
	if (rc == 0)
		rc = head(g, f);
	if (rc == 0) {
		g->numbers.appends++;
		g->numbers.size = g->head.size;
	}
	return rc;
}

/* One append of what the database has and the log has not. */
static int
append_rows(struct ledger_log *g, bool *more, struct fault *f)
{
	struct rows *r defer(rows_freep) = malloc(sizeof(*r));
	int rc;

	if (r == NULL)
		return fault_set(f, FAULT_MEMORY, "log: out of memory");
	r->n = 0;
	r->next = g->head.size;
	r->all = buf_init(ROWS_BYTES);
	rc = g->db->leaf_each(g->db, r->next, ROWS_MAX, on_row, r, f);
	*more = r->n == ROWS_MAX;
	return rc == 0 && r->n != 0 ? append(g, r, f) : rc;
}

/* [tlog] cosigned, then shown. */
static int
show(struct ledger_log *g, struct fault *f)
{
	struct buf note defer(buf_wipe) = buf_init(NOTE_MAX);
	int rc = cosign_collect(&g->cosign, g->log, buf_bytes(&g->note), &note,
	    f);

	if (rc == 0)
		rc = g->log->ops->publish(g->log, buf_bytes(&note), f);
	if (rc != 0)
		return rc;
	g->shown.n = 0;
	rc = buf_append(&g->shown, note.p, note.n);
	if (rc != 0)
		return fault_set(f, rc, "log: checkpoint");
	g->shown_size = g->head.size;
	g->numbers.shown = (int64_t)time(NULL);
	return 0;
}

static void
tell(const struct ledger_log *g, const char *event)
{
	struct logline l = logline_begin(LOGLINE_ERROR, event);

	logline_fault(&l, &g->down);
	logline_u64(&l, "size", g->head.size);
	logline_end(&l);
}

static int
try_show(struct ledger_log *g)
{
	bool was_down = g->down.code != 0;

	if (g->shown_size == g->head.size && g->shown.n != 0)
		return 0;
	if (was_down && clock_ms() < g->again)
		return g->down.code;
	g->down = (struct fault){ 0 };
	if (show(g, &g->down) != 0) {
		g->again = clock_ms() + AGAIN_MS;
		if (!was_down)
			tell(g, "log-not-shown");
	} else if (was_down) {
		struct logline l = logline_begin(LOGLINE_INFO, "log-shown");

		logline_u64(&l, "size", g->head.size);
		logline_end(&l);
	}
	return g->down.code;
}

int
ledger_log_follow(struct ledger_log *g, int *shown_rc, struct fault *f)
{
	bool more = true;
	int rc = 0;

	*shown_rc = 0;
	if (g->log == NULL)
		return 0;
	while (rc == 0 && more)
		rc = append_rows(g, &more, f);
	if (rc == 0 && g->head.size != 0)
		*shown_rc = try_show(g);
	return rc;
}

/* The entry of the row is that of the log. */
static int
on_last(void *arg, const struct db_leaf *l)
{
	const struct buf *entry = arg;

	return bytes_cmp(l->entry, buf_bytes(entry)) == 0 ? 0 :
	                                                    FAULT_ROLLBACK;
}

/* [tlog] whoever restored an old database would sign other entries under the
 * indexes of those that are public. */
static int
check_database(struct ledger_log *g, struct fault *f)
{
	struct buf entry defer(buf_wipe) = buf_init(TILE_ENTRY_MAX);
	uint64_t next, size = g->head.size > g->last.size ? g->head.size :
	                                                    g->last.size;
	int rc = g->db->leaf_next(g->db, &next, f);

	if (rc == 0 && next < size)
		return fault_set(f, FAULT_ROLLBACK, "the database is older "
		    "than the log: it has %llu entries, the log %llu",
		    (unsigned long long)next, (unsigned long long)size);
	if (rc != 0 || g->head.size == 0)
		return rc;
	rc = g->log->ops->entry(g->log, g->head.size - 1, &entry, f);
	if (rc == 0)
		rc = g->db->leaf_each(g->db, g->head.size - 1, 1, on_last,
		    &entry, f);
	return rc != FAULT_ROLLBACK ? rc : fault_set(f, rc, "the database is "
	    "not that of the log: entry %llu differs",
	    (unsigned long long)g->head.size - 1);
}

int
ledger_log_open(struct ledger_log *g, const char *dir, struct fault *f)
{
	const struct log_signer signer = { .sign = sign, .ctx = g };
	int rc;

	g->note = buf_init(NOTE_MAX);
	g->shown = buf_init(NOTE_MAX);
	g->tree = malloc(sizeof(*g->tree));
	if (g->tree == NULL)
		return fault_set(f, FAULT_MEMORY, "log: out of memory");
	rc = log_dir_open(dir, &g->key, signer, &g->log, f);
	if (rc == 0)
		rc = head(g, f);
	if (rc == 0)
		rc = ledger_log_resume(g, START_MS, f);
	if (rc == 0)
		rc = check_database(g, f);
	g->numbers.size = g->head.size;
	return rc;
}

void
ledger_log_close(struct ledger_log *g)
{
	if (g->log != NULL)
		g->log->ops->close(g->log);
	g->log = NULL;
	buf_wipe(&g->note);
	buf_wipe(&g->shown);
	free(g->tree);
	g->tree = NULL;
}
