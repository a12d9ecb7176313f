// SPDX-License-Identifier: Apache-2.0
/* skerry status: what this device knows by itself; asks nobody. */
#include <inttypes.h>

#include "base/noun.h"
#include "client/agent.h"
#include "client/cli.h"
#include "client/code.h"
#include "client/custodian.h"
#include "client/engine/space.h"
#include "client/show.h"
#include "crypt/secret.h"
#include "net/text.h"

static const char *
stage_text(enum state_stage stage)
{
	switch (stage) {
	case STATE_INIT:
		return "init unfinished";
	case STATE_ENROL:
		return "waits for approval";
	case STATE_READY:
		return "ready";
	case STATE_REVOKED:
		return "revoked";
	default:
		return "unknown";
	}
}

static void
show_id(struct cli *cli, const char *name, const uint8_t id[static ID_LEN])
{
	char hex[TEXT_HEX_SIZE(ID_LEN)];

	text_hex(id, ID_LEN, hex, sizeof(hex));
	cli_set_text(cli, name, hex);
	cli_print(cli, "%-10s %s\n", name, hex);
}

static void
show_text(struct cli *cli, const char *name, const char *value)
{
	cli_set_text(cli, name, value);
	cli_print(cli, "%-10s %s\n", name, value);
}

static int
show_lease(struct cli *cli, const struct state *st)
{
	struct lease *lease defer(secret_freep) = secret_new(sizeof(*lease));
	struct fault none = { 0 };
	uint32_t left = 0;

	if (lease == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	if (agent_get(st, lease, &none) == 0)
		left = lease->seconds;
	cli_set_int(cli, "lease", left);
	if (left == 0)
		cli_print(cli, "%-10s none\n", "lease");
	else
		cli_print(cli, "%-10s %u:%02u:%02u left\n", "lease",
		    left / 3600, left / 60 % 60, left % 60);
	return 0;
}

/* The commit last seen, as far as lease and cache have it. */
static void
show_commit(struct cli *cli, struct state *st)
{
	struct session *ses = NULL;
	struct space *sp = NULL;
	struct fault scrap = { 0 };
	const struct commit *c;
	char time[SHOW_TIME_SIZE];
	int rc = session_open(st, SESSION_LOCAL, cli->stop, &ses, &scrap);

	if (rc == 0)
		rc = space_open(ses, &sp, &scrap);
	if (rc == 0) {
		c = &sp->commit;
		show_time(c->time_sec, 0, false, time);
		cli_set_text(cli, "time", time);
		cli_set_id(cli, "by", c->device);
		cli_set_int(cli, "entries", (int64_t)c->entries);
		cli_set_int(cli, "bytes", (int64_t)c->bytes);
		cli_print(cli, "%-10s %s, %" PRIu64 " %s, %" PRIu64 " %s: ",
		    "commit", time, c->entries,
		    noun_for(c->entries, "entry", "entries"), c->bytes,
		    noun_for(c->bytes, "byte", "bytes"));
		if (!cli->json)
			show_name(stdout, bytes_of(c->message, c->message_len),
			    true);
		cli_print(cli, "\n");
	} else if (st->head.known) {
		cli_print(cli, "%-10s not known without a lease (skerry ls "
		    "gets one)\n", "commit");
	}
	space_close(sp);
	if (ses != NULL)
		cli_session_done(cli, ses);
}

/* What this device holds the authority to. */
static int
show_pins(struct cli *cli, const struct state *st)
{
	struct custodian c;
	int rc = custodian_load(st, &c, &cli->fault);

	if (rc != 0)
		return rc;
	cli_set_int(cli, "policy", (int64_t)st->policy->serial);
	cli_set_int(cli, "devices", st->chain.n);
	cli_print(cli, "%-10s policy %" PRIu64 ", %u %s of the device chain",
	    "pinned", st->policy->serial, st->chain.n,
	    noun_for(st->chain.n, "entry", "entries"));
	if (!c.known) {
		cli_print(cli, "\n%-10s none pinned yet\n", "custody");
		return 0;
	}
	cli_set_text(cli, "custody", custody_mode_text(c.set.mode));
	cli_set_int(cli, "custody_set", c.set.serial);
	cli_set_int(cli, "holders", c.set.n);
	cli_set_int(cli, "threshold", c.set.k);
	cli_print(cli, ", custody set %u\n%-10s %s", c.set.serial, "custody",
	    custody_mode_text(c.set.mode));
	if (c.set.mode == CUSTODY_SPLIT)
		cli_print(cli, ", %u of %u", c.set.k, c.set.n);
	cli_print(cli, "%s\n", c.announced ? "; a change is announced" : "");
	return 0;
}

/* What a recovery new that was broken off has left to do. */
static void
show_recovery(struct cli *cli, struct state *st)
{
	uint32_t epoch;
	bool owed = state_owed(st, &epoch);
	bool begun = !owed && state_has_pending(st, STATE_OF_RECOVERY);

	cli_set_bool(cli, "recovery_begun", begun);
	if (begun)
		cli_print(cli, "%-10s a new code was begun: run skerry "
		    "recovery new\n", "recovery");
	else if (owed && st->head.epoch <= epoch)
		cli_print(cli, "%-10s the space still has the key that the "
		    "code before the last opened: run skerry rotate\n",
		    "recovery");
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_OPTIONS, { 0 } };
	struct state *st defer(state_closep) = NULL;
	int rc;

	if (cli_getopt(cli, argc, argv, "", options) != -1)
		return FAULT_USAGE;
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	rc = cli_state(cli, &st);
	if (rc != 0)
		return rc;
	show_text(cli, "state", stage_text(st->binding.stage));
	show_id(cli, "device", st->device);
	show_text(cli, "authority", st->binding.authority);
	if (st->binding.stage == STATE_ENROL) {
		char code[CODE_SIZE];

		code_text(st->device, code);
		show_text(cli, "code", code);
		return 0;
	}
	show_id(cli, "account", st->binding.account);
	show_id(cli, "space", st->binding.space);
	show_text(cli, "residency", st->binding.residency);
	show_text(cli, "depot", st->binding.depot);
	cli_set_int(cli, "head", (int64_t)st->head.number);
	cli_set_int(cli, "epoch", st->head.epoch);
	if (st->head.known)
		cli_print(cli, "%-10s %" PRIu64 ", epoch %u (last seen)\n",
		    "head", st->head.number, st->head.epoch);
	else
		cli_print(cli, "%-10s none seen yet\n", "head");
	if (st->binding.stage == STATE_READY)
		show_commit(cli, st);
	show_recovery(cli, st);
	rc = show_pins(cli, st);
	return rc != 0 ? rc : show_lease(cli, st);
}

const struct command cmd_status = {
	.name = "status",
	.run = run,
	.args = "",
	.help = "show the space as last seen, what is pinned, the lease; asks "
	    "nobody",
};
