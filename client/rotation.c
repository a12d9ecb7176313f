// SPDX-License-Identifier: Apache-2.0
#include "client/rotation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/epoch.h"
#include "net/text.h"

static void
show_ends(struct cli *cli, const struct epoch_ends *ends)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ends->n; i++) {
		const struct epoch_ended *e = &ends->end[i];
		char hash[TEXT_HEX_SIZE(HASH_LEN)];

		text_hex(e->receipt.blobs, HASH_LEN, hash, sizeof(hash));
		cli_print(cli, "receipt: %s destroyed epoch %u "
		    "(keyslots %.16s…)\n", e->holder, e->epoch, hash);
		(void)json_array_append_new(list,
		    json_pack("{s:I,s:s,s:s,s:I}", "epoch",
		        (json_int_t)e->epoch, "holder", e->holder, "keyslots",
		        hash, "time", (json_int_t)e->receipt.time));
	}
	(void)json_object_set_new(cli->out, "receipts", list);
}

static void
show(struct cli *cli, const struct rewrite *w)
{
	cli_set_int(cli, "commit", (int64_t)w->number);
	cli_set_int(cli, "epoch", w->epoch);
	cli_set_int(cli, "commits", (int64_t)w->commits);
	cli_set_int(cli, "nodes", (int64_t)w->nodes);
	cli_set_int(cli, "objects", (int64_t)w->objects);
	cli_set_int(cli, "sent", (int64_t)w->sent);
	cli_set_int(cli, "conflicts", (int64_t)w->conflicts);
	cli_print(cli, "commit %" PRIu64 ": epoch %u; %" PRIu64 " commits and %"
	    PRIu64 " tree nodes sealed anew, %.1f MiB, no chunk moved\n",
	    w->number, w->epoch, w->commits, w->nodes,
	    (double)w->sent / 1048576);
}

static int
rotate(struct cli *cli, struct session *ses, const char *verb,
    struct rewrite *w, struct epoch_ends *ends)
{
	int rc = 0;

	if (!ses->has_head)
		return fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "nothing was stored yet");
	/* What was begun and not finished, by whomever: its key was not this
	 * run's, so nothing may be written under it. */
	rc = epoch_end(ses, true, ends, &cli->fault);
	if (rc == 0)
		rc = session_refresh(ses, &cli->fault);
	if (rc == 0)
		rc = epoch_begin(ses, &w->epoch, &cli->fault);
	if (rc != 0)
		return rc;
	w->ses = ses;
	w->progress = progress_new(verb, cli->quiet || cli->json);
	rc = rewrite_run(w, &cli->fault);
	progress_free(w->progress);
	if (rc == FAULT_NOT_FOUND || rc == FAULT_INTERRUPTED) {
		struct fault scrap = { 0 };

		ses->last_epoch = w->epoch;
		(void)!epoch_end(ses, true, NULL, &scrap);
	}
	if (rc != 0)
		return rc;
	show(cli, w);
	rc = epoch_end(ses, false, ends, &cli->fault);
	/* The agent, too, forgets the old keys. */
	return rc == 0 ? session_refresh(ses, &cli->fault) : rc;
}

int
rotation_run(struct cli *cli, struct state *st, const char *verb,
    struct rewrite *w)
{
	struct epoch_ends *ends = calloc(1, sizeof(*ends));
	struct session *ses = NULL;
	int rc;

	if (ends == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc == 0)
		rc = rotate(cli, ses, verb, w, ends);
	show_ends(cli, ends);
	free(ends);
	if (ses != NULL)
		cli_session_done(cli, ses);
	return rc;
}
