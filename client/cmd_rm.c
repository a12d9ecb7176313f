// SPDX-License-Identifier: Apache-2.0
/* skerry rm: commits the removal of paths.  Earlier commits keep them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli.h"
#include "client/engine/put.h"
#include "client/path.h"
#include "object/key.h"

struct rmcmd {
	struct cli *cli;
	struct bytes *key; /* each owned */
	size_t n;
};

static void
rmcmd_wipe(struct rmcmd *c)
{
	for (size_t i = 0; i < c->n; i++)
		free((void *)(uintptr_t)c->key[i].p);
	free(c->key);
}

static int
by_key(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int
add_path(struct rmcmd *c, const char *arg)
{
	struct buf key = buf_init(KEY_BYTES_MAX);
	int rc = path_key(arg, &key, &c->cli->fault);

	if (rc == 0 && key.n == 0)
		rc = cli_usage(c->cli, "the whole space cannot be removed");
	if (rc != 0) {
		buf_wipe(&key);
		return rc;
	}
	c->key[c->n++] = buf_bytes(&key);
	return 0;
}

/* Sorted, and without what lies below another. */
static void
tidy(struct rmcmd *c)
{
	size_t n = 0;

	qsort(c->key, c->n, sizeof(*c->key), by_key);
	for (size_t i = 0; i < c->n; i++) {
		if (n > 0 && key_within(c->key[i], c->key[n - 1])) {
			free((void *)(uintptr_t)c->key[i].p);
			continue;
		}
		c->key[n++] = c->key[i];
	}
	c->n = n;
}

static int
remove_all(struct rmcmd *c)
{
	struct state *st defer(state_closep) = NULL;
	struct cli *cli = c->cli;
	struct session *ses = NULL;
	struct put p = { 0 };
	char shown[PATH_SHOW_MAX], message[PATH_SHOW_MAX + 64];
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = cli_session(cli, st, SESSION_WRITE, &ses);
	if (rc != 0)
		return rc;
	path_show(c->key[0], shown);
	(void)snprintf(message, sizeof(message), c->n > 1 ?
	    "rm %s and %zu more" : "rm %s", shown, c->n - 1);
	p.ses = ses;
	p.message = message;
	rc = put_remove(&p, c->key, c->n, &cli->fault);
	cli_session_done(cli, ses);
	if (rc != 0)
		return rc;
	cli_set_int(cli, "commit", (int64_t)p.number);
	cli_set_int(cli, "removed", (int64_t)p.removed);
	cli_print(cli, "commit %" PRIu64 ": removed %" PRIu64
	    " entries; earlier commits keep them\n", p.number, p.removed);
	return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct rmcmd c defer(rmcmd_wipe) = { .cli = cli };
	int rc = 0;

	while (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (cli->help)
		return 0;
	if (optind == argc)
		return cli_usage(cli, "what is to be removed?");
	c.key = calloc((size_t)(argc - optind), sizeof(*c.key));
	if (c.key == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	for (int i = optind; i < argc && rc == 0; i++)
		rc = add_path(&c, argv[i]);
	if (rc != 0)
		return rc;
	tidy(&c);
	return remove_all(&c);
}

const struct command cmd_rm = {
	.name = "rm",
	.run = run,
	.args = "PATH…",
	.help = "remove paths in a new commit; earlier commits keep them",
};
