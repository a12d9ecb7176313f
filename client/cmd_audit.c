// SPDX-License-Identifier: Apache-2.0
/* skerry audit: what the logs of all holders have of the space, and what files
 * of others show.  spec/60-log.md, Audit. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/noun.h"
#include "client/account.h"
#include "client/audit.h"
#include "client/cli.h"
#include "client/custodian.h"
#include "client/file.h"
#include "client/hook.h"
#include "client/logjudge.h"
#include "client/progress.h"
#include "client/reading.h"
#include "client/show.h"
#include "net/text.h"

#define WATCH_SECONDS 300
#define SLICE_MS 100

struct args {
	bool full, watch;
	uint64_t seconds;
	const char *hook, *open, *authority, *verify, *trust, *log, *chain,
	    *accept;
};

#define ACCEPT_MAX 256 /* of one command */

/* One look at all logs. */
struct round {
	struct cli *cli;
	struct state *st;
	const struct args *in;
	struct authority *home;
	uint32_t chain_seen;
	struct custodian custody;
	struct audititems home_items;
	json_t *logs, *alarms;
	bool home_away;
	bool first; /* of a watch: known alarms are told once */
	struct auditaccept accepted, told;
	struct buf telling; /* ids of those that are new */
	struct audit_accept accept[ACCEPT_MAX]; /* of this command */
	size_t naccept;
	size_t alarm, fresh, more;
	int rc; /* of logs that could not be audited: LOG before AUTHORITY */
	struct fault fault;
};

static void
hex_or_dash(const uint8_t id[static ID_LEN], char out[static 33])
{
	static const uint8_t none[ID_LEN];

	if (memcmp(id, none, ID_LEN) == 0)
		memcpy(out, "-", 2);
	else
		text_hex(id, ID_LEN, out, TEXT_HEX_SIZE(ID_LEN));
}

/* Those of the space, from one on. */
static size_t
count_own(const struct audititems *items, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < items->n; i++)
		n += items->item[i].type != LEAF_REQUEST;
	return n;
}

static json_t *
show_items(struct round *r, const struct audit *a)
{
	json_t *list = json_array();

	if (count_own(&a->items, a->old) != 0)
		cli_print(r->cli, "%10s  %-20s  %-15s  %-32s  %s\n", "index",
		    "time", "what", "device", "verdict");
	for (size_t i = a->old; i < a->items.n; i++) {
		const struct audititem *x = &a->items.item[i];
		char when[SHOW_TIME_SIZE], device[TEXT_HEX_SIZE(ID_LEN)];
		const char *own = memcmp(x->device, r->st->device, ID_LEN) ==
		    0 ? " (this device)" : "";

		if (x->type == LEAF_REQUEST)
			continue;
		show_time((int64_t)x->time, 0, false, when);
		hex_or_dash(x->device, device);
		(void)json_array_append_new(list, json_pack(
		    "{s:I,s:s,s:s,s:s,s:I,s:b,s:s}", "index",
		    (json_int_t)x->index, "time", when, "what",
		    logbody_what(x->type), "device", device, "epoch",
		    (json_int_t)x->epoch, "good", x->verdict == AUDIT_GOOD,
		    "verdict", audititem_text(x->verdict)));
		cli_print(r->cli, "%10" PRIu64 "  %-20s  %-15s  %-32s  %s%s\n",
		    x->index, when, logbody_what(x->type), device,
		    audititem_text(x->verdict), own);
	}
	return list;
}

static void
tell_alarm(struct round *r, const struct audit_alarm *x, const char *authority)
{
	char id[TEXT_HEX_SIZE(AUDITACCEPT_ID_LEN)];

	if (x->fresh)
		(void)!buf_append(&r->telling, x->id, sizeof(x->id));
	r->fresh += x->fresh;
	if (!x->fresh && !r->first)
		return;
	text_hex(x->id, sizeof(x->id), id, sizeof(id));
	(void)json_array_append_new(r->alarms, json_pack(
	    "{s:s,s:s,s:b,s:b,s:s}", "id", id, "authority", authority, "new",
	    x->fresh, "accepted", x->accepted, "text", x->text));
	if (r->cli->json)
		return;
	if (!x->accepted)
		(void)fprintf(stderr, "skerry: ALARM %s: %s\n", id, x->text);
	else if (r->in->full)
		cli_print(r->cli, "accepted %s: %s\n", id, x->text);
}

static void
tell_alarms(struct round *r, const struct audit *a)
{
	size_t more = a->counted[0] > AUDIT_ALARMS_MAX ?
	    a->counted[0] - AUDIT_ALARMS_MAX : 0;

	r->alarm += a->counted[0];
	r->more += more;
	for (size_t i = 0; i < a->nalarms; i++)
		tell_alarm(r, &a->alarm[i], a->peer->name);
	if (more != 0 && !r->cli->json)
		(void)fprintf(stderr, "skerry: ALARM: and %zu more of "
		    "authority %s, not listed\n", more, a->peer->name);
}

/* From who is audited where the home is away: a chain is signed, and what one
 * keeps back of it makes its own entries alarms. */
static int
sync_chain(void *arg, struct authority *audited, struct fault *f)
{
	struct round *r = arg;
	int rc;

	r->cli->fault = (struct fault){ 0 };
	rc = account_sync(r->cli, r->home_away ? audited : r->home, r->st);
	if (rc != 0)
		*f = r->cli->fault;
	return rc;
}

static void
report(struct round *r, struct audit *a)
{
	size_t own = count_own(&a->items, 0);
	size_t new = count_own(&a->items, a->old);
	json_t *list;

	cli_print(r->cli, "%s: %" PRIu64 " %s, %zu of this space, %zu new",
	    a->peer->name, a->items.size, noun_for(a->items.size, "entry",
	    "entries"), own, new);
	if (a->counted[1] != 0)
		cli_print(r->cli, "; %zu accepted", a->counted[1]);
	cli_print(r->cli, "%s\n", a->counted[0] == 0 ? "; no alarm" : "");
	if (a->requests != 0)
		cli_print(r->cli, "%s: requests in the log: %zu (%zu with "
		    "their text)\n", a->peer->name, a->requests,
		    a->requests_opened);
	list = show_items(r, a);
	(void)json_array_append_new(r->logs, json_pack(
	    "{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "authority", a->peer->name,
	    "origin", a->items.origin, "size", (json_int_t)a->items.size,
	    "own", (json_int_t)own, "new", (json_int_t)new, "requests",
	    (json_int_t)a->requests, "requests_opened",
	    (json_int_t)a->requests_opened, "entries", list));
}

static void
tell_broken(struct round *r, const struct audit *a, const struct fault *f)
{
	if (a->broken_fresh)
		(void)!buf_append(&r->telling, a->broken, sizeof(a->broken));
	r->fresh += a->broken_fresh;
	if ((a->broken_fresh || r->first) && !r->cli->json)
		(void)fprintf(stderr, "skerry: ALARM: %s\n", f->text);
}

/* How much an outcome matters; from TRUST on it is told as an alarm. */
enum { WELL, NOT_AUDITED, UNTRUE, ALARMED, BROKEN };

static int
weight(int rc)
{
	return rc == FAULT_LOG	 ? BROKEN :
	    rc == FAULT_ALARM ? ALARMED :
	    rc == FAULT_TRUST ? UNTRUE :
	    rc != 0		 ? NOT_AUDITED :
				WELL;
}

static void
not_audited(struct round *r, const struct audit *a, int rc,
    const struct fault *f)
{
	json_t *error = json_pack("{s:s,s:s}", "code", fault_name(rc), "text",
	    f->text);

	if (weight(rc) >= UNTRUE) {
		(void)json_object_set_new(error, "new",
		    json_boolean(a->broken_fresh));
		tell_broken(r, a, f);
	} else {
		cli_print(r->cli, "%s: NOT %s: %s\n", a->peer->name,
		    a->judged ? "KEPT" : "AUDITED", f->text);
	}
	if (!a->judged)
		(void)json_array_append_new(r->logs, json_pack("{s:s}",
		    "authority", a->peer->name));
	(void)json_object_set_new(json_array_get(r->logs,
	    json_array_size(r->logs) - 1), "error", error);
	if (weight(rc) > weight(r->rc)) {
		r->rc = rc;
		r->fault = *f;
	}
}

/* This device's, after which nothing is to be had.  What a holder answers, or
 * does not, ends the audit of no other. */
static bool
is_own(int rc)
{
	return rc == FAULT_CONFIG || rc == FAULT_IO || rc == FAULT_MEMORY ||
	    rc == FAULT_INTERRUPTED || rc == FAULT_INTERNAL;
}

static int
audit_one(struct round *r, const struct policy_authority *peer, bool home)
{
	struct audit a defer(audit_wipe) = { .st = r->st, .peer = peer,
		.wire = &r->cli->offshore, .stop = r->cli->stop,
		.full = r->in->full, .home = home,
		.chain_seen = r->chain_seen, .custody = r->custody,
		.revoked = r->home_items.n != 0 ? &r->home_items : NULL,
		.accepted = &r->accepted, .told = &r->told,
		.accept = r->accept, .naccept = r->naccept,
		.sync = sync_chain, .sync_arg = r };
	struct fault f = { 0 };
	int rc;

	a.progress = progress_new("audit", "entry", "entries",
	    r->cli->quiet || r->cli->json);
	rc = audit_run(&a, &f);
	progress_free(a.progress);
	if (a.judged)
		report(r, &a);
	tell_alarms(r, &a); /* even where it was broken off after them */
	/* An alarm matters more than that there is no room for it. */
	if (rc != 0 && (a.judged || !is_own(rc))) {
		not_audited(r, &a, rc, &f);
	} else if (rc != 0) {
		r->cli->fault = f;
		return rc;
	}
	if (home && a.judged && rc != FAULT_LOG) {
		r->home_items = a.items;
		a.items = audititem_none();
	}
	return 0;
}

/* The home, who holds now, and whose log was read before. */
static bool
concerns(const struct round *r, const struct policy_authority *a)
{
	return (r->custody.known &&
		   custody_find(&r->custody.set, &a->signing) >= 0) ||
	    audititem_known(r->st, a->log.name);
}

static int
audit_all(struct round *r)
{
	const struct policy *p = r->st->policy;
	const struct policy_authority *home;
	struct fault scrap = { 0 };
	int rc = state_authority(r->st, &home, &r->cli->fault);

	if (rc == 0)
		rc = account_open(r->cli, r->st, &r->home);
	if (rc == 0)
		rc = custodian_load(r->st, &r->custody, &r->cli->fault);
	if (rc != 0)
		return rc;
	/* What must be in the log is what was known before it is read. */
	r->home_away = account_sync(r->cli, r->home, r->st) != 0;
	r->chain_seen = r->st->chain.n;
	r->cli->fault = scrap;
	rc = audit_one(r, home, true);
	for (size_t i = 0; rc == 0 && i < p->nauthorities; i++)
		if (&p->authorities[i] != home &&
		    concerns(r, &p->authorities[i]))
			rc = audit_one(r, &p->authorities[i], false);
	return rc;
}

/* Alarms are new until they were told, and the hook had them. */
static void
keep_told(struct round *r)
{
	size_t n = r->telling.n / AUDITACCEPT_ID_LEN;
	uint8_t (*id)[AUDITACCEPT_ID_LEN] = (void *)r->telling.p;
	struct fault f = { 0 };

	if (n != 0 && auditaccept_keep(r->st, AUDITACCEPT_TOLD,
		(const uint8_t (*)[AUDITACCEPT_ID_LEN])id, n,
		(int64_t)time(NULL), &f) != 0)
		cli_note(r->cli, "skerry: the alarms will be new again: %s\n",
		    f.text);
}

static void
end_round(struct round *r)
{
	json_t *j = json_pack("{s:O,s:O,s:I}", "logs", r->logs, "alarms",
	    r->alarms, "alarms_not_listed", (json_int_t)r->more);
	char *text = json_dumps(j, JSON_COMPACT);

	if (text != NULL && r->in->hook != NULL &&
	    r->fresh != 0 && !hook_run(r->in->hook, text, r->cli->stop))
		cli_note(r->cli, "skerry: the hook failed\n");
	if (text != NULL && r->in->watch && r->cli->json) {
		(void)printf("%s\n", text);
		(void)fflush(stdout);
	} else {
		(void)json_object_update(r->cli->out, j);
	}
	keep_told(r);
	free(text);
	json_decref(j);
	json_decref(r->logs);
	json_decref(r->alarms);
	authority_close(r->home);
	audititem_wipe(&r->home_items);
	auditaccept_wipe(&r->accepted);
	auditaccept_wipe(&r->told);
	buf_wipe(&r->telling);
}

static int
outcome(struct round *r, int rc)
{
	if (rc != 0 || (r->rc == 0 && r->alarm == 0))
		return rc;
	if (r->rc == FAULT_LOG || (r->rc != 0 && r->alarm == 0)) {
		r->cli->fault = r->fault;
		return r->rc;
	}
	return fault_set(&r->cli->fault, FAULT_ALARM, "%zu %s: see above; "
	    "one that is understood is accepted by skerry audit --accept ID"
	    "%s%s", r->alarm, noun_for(r->alarm, "alarm", "alarms"),
	    r->rc != 0 ? "; besides, " : "", r->rc != 0 ? r->fault.text : "");
}

/* "ID,ID…", each as it was shown. */
static int
read_accept(struct round *r)
{
	const char *p = r->in->accept;
	int rc = 0;

	while (p != NULL && rc == 0) {
		const char *end = strchrnul(p, ',');

		rc = r->naccept == ACCEPT_MAX ? FAULT_LIMIT :
		    text_hex_parse(p, (size_t)(end - p),
			r->accept[r->naccept++].id, AUDITACCEPT_ID_LEN);
		p = *end == ',' ? end + 1 : NULL;
	}
	return rc == 0 ? 0 : cli_usage(r->cli, "--accept wants ids of alarms, "
	    "as they are shown, with a comma between");
}

/* What is named is accepted only if it was seen now. */
static int
accept_alarms(struct round *r)
{
	uint8_t id[ACCEPT_MAX][AUDITACCEPT_ID_LEN];
	char hex[TEXT_HEX_SIZE(AUDITACCEPT_ID_LEN)];
	const uint8_t *missing = NULL;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < r->naccept; i++) {
		if (r->accept[i].found)
			memcpy(id[n++], r->accept[i].id, AUDITACCEPT_ID_LEN);
		else
			missing = r->accept[i].id;
	}
	if (n != 0)
		rc = auditaccept_keep(r->st, AUDITACCEPT_ACCEPTED,
		    (const uint8_t (*)[AUDITACCEPT_ID_LEN])id, n,
		    (int64_t)time(NULL), &r->cli->fault);
	if (rc != 0 || missing == NULL)
		return rc;
	text_hex(missing, AUDITACCEPT_ID_LEN, hex, sizeof(hex));
	return fault_set(&r->cli->fault, FAULT_NOT_FOUND,
	    "no alarm has the id %s", hex);
}

static int
one_round(struct cli *cli, struct state *st, const struct args *in, bool first)
{
	struct round r = { .cli = cli, .st = st, .in = in, .first = first,
		.telling = buf_init(AUDITACCEPT_MAX * AUDITACCEPT_ID_LEN),
		.logs = json_array(), .alarms = json_array() };
	int rc = auditaccept_load(st, AUDITACCEPT_ACCEPTED, &r.accepted,
	    &cli->fault);

	if (rc == 0)
		rc = auditaccept_load(st, AUDITACCEPT_TOLD, &r.told,
		    &cli->fault);
	if (rc == 0)
		rc = read_accept(&r);
	if (rc == 0)
		rc = audit_all(&r);
	if (rc == 0)
		rc = accept_alarms(&r);
	end_round(&r);
	return outcome(&r, rc);
}

/* FAULT_INTERRUPTED where it is time to end. */
static int
wait_for(struct cli *cli, long seconds)
{
	for (long ms = 0; ms < seconds * 1000; ms += SLICE_MS) {
		const struct timespec t = { .tv_nsec = SLICE_MS * 1000000L };

		if (atomic_load(cli->stop))
			return FAULT_INTERRUPTED;
		(void)nanosleep(&t, NULL);
	}
	return atomic_load(cli->stop) ? FAULT_INTERRUPTED : 0;
}

/* What another time may be otherwise, whatever this device does. */
static bool
may_pass(int rc)
{
	return !is_own(rc) && rc != FAULT_SPACE;
}

/* A watch ends by a signal alone, or where it cannot go on; what was the worst
 * that it saw is how it ends. */
static int
watch(struct cli *cli, struct state *st, const struct args *in)
{
	struct args again = *in;
	struct fault worst = { 0 };
	bool first = true;
	int rc;

	do {
		rc = one_round(cli, st, &again, first);
		if (weight(rc) >= UNTRUE && weight(rc) >= weight(worst.code))
			worst = cli->fault;
		if (!may_pass(rc))
			return rc;
		if (rc != 0)
			cli_note(cli, "skerry: %s\n", cli->fault.text);
		(void)fflush(stdout);
		first = false;
		again.full = false;
		again.accept = NULL;
	} while (wait_for(cli, in->seconds) == 0);
	cli->fault = worst;
	return worst.code != 0 ? worst.code :
	    fault_set(&cli->fault, FAULT_INTERRUPTED, "interrupted");
}

static int
audit(struct cli *cli, const struct args *in)
{
	struct state *st defer(state_closep) = NULL;
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = state_require_ready(st, &cli->fault);
	if (rc != 0)
		return rc;
	return in->watch ? watch(cli, st, in) : one_round(cli, st, in, true);
}

/* What an owner gives to an auditor. */

static int
put_out(struct cli *cli, struct bytes b)
{
	if (fwrite(b.p, 1, b.n, stdout) != b.n)
		return fault_set(&cli->fault, FAULT_IO, "standard output");
	return 0;
}

static int
open_entry(struct cli *cli, struct state *st, const struct args *in)
{
	struct audit a defer(audit_wipe) = { .st = st,
		.wire = &cli->offshore, .stop = cli->stop };
	struct buf out defer(buf_wipe) = buf_init(PROOF_MAX);
	const char *name = in->authority != NULL ? in->authority :
						   st->binding.authority;
	char *end;
	uint64_t index;
	int rc;

	errno = 0;
	index = strtoull(in->open, &end, 10);
	if (errno != 0 || *end != '\0' || in->open[0] < '0' ||
	    in->open[0] > '9')
		return cli_usage(cli,
		    "--open wants an index, chain or custody");
	a.peer = policy_find_authority(st->policy, name);
	if (a.peer == NULL)
		return cli_usage(cli, "the policy has no authority %s", name);
	rc = audit_open(&a, index, &out, &cli->fault);
	return rc != 0 ? rc : put_out(cli, buf_bytes(&out));
}

static int
open_what(struct cli *cli, const struct args *in)
{
	struct buf out defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES + 64);
	struct state *st defer(state_closep) = NULL;
	struct custodian c;
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = state_require_ready(st, &cli->fault);
	if (rc != 0)
		return rc;
	if (strcmp(in->open, "chain") == 0) {
		rc = state_chain_bytes(st, &out, &cli->fault);
		return rc != 0 ? rc : put_out(cli, buf_bytes(&out));
	}
	if (strcmp(in->open, "custody") != 0)
		return open_entry(cli, st, in);
	rc = custodian_load(st, &c, &cli->fault);
	if (rc == 0 && !c.known)
		rc = fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "no custody is pinned yet");
	return rc != 0 ? rc : put_out(cli, bytes_of(c.set.raw, c.set.len));
}

/* What an auditor makes of it, without an account. */

static int
read_trust(struct cli *cli, const struct args *in, struct trust **out)
{
	struct buf text defer(buf_wipe) = buf_init(TRUST_FILE_MAX);
	unsigned line = 0;
	int rc;

	if (in->trust != NULL) {
		rc = file_read(AT_FDCWD, in->trust, &text, &cli->fault);
		if (rc != 0)
			return rc;
	} else {
		char one[NOTE_VKEY_MAX + 64];

		(void)snprintf(one, sizeof(one), "log %.340s\nquorum none\n",
		    in->log);
		rc = buf_append(&text, one, strlen(one));
	}
	if (rc == 0)
		rc = trust_parse(buf_bytes(&text), out, &line);
	return rc == 0 ? 0 : fault_set(&cli->fault, rc,
	    "%s, line %u: %s", in->trust != NULL ? in->trust : "--log", line,
	    fault_text(rc));
}

static int
read_chain(struct cli *cli, const char *path, struct chain *out)
{
	struct buf raw defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES);
	int rc = file_read(AT_FDCWD, path, &raw, &cli->fault);

	if (rc == 0 && chain_append_all(out, buf_bytes(&raw)) != 0)
		rc = fault_set(&cli->fault, FAULT_TAMPERED,
		    "%s: not a device chain that holds", path);
	return rc;
}

static int
verify_proof(struct cli *cli, struct bytes file, const struct args *in)
{
	struct chain chain defer(chain_wipe) = { 0 };
	struct logjudge_entry e;
	struct trust *trust = NULL;
	char when[SHOW_TIME_SIZE], device[TEXT_HEX_SIZE(ID_LEN)];
	int rc;

	if (in->trust == NULL && in->log == NULL)
		return cli_usage(cli, "--trust or --log is needed: whose log "
		    "it is to be in");
	rc = read_trust(cli, in, &trust);
	if (rc == 0 && in->chain != NULL)
		rc = read_chain(cli, in->chain, &chain);
	if (rc == 0)
		rc = logjudge_proof(file, trust, in->chain != NULL ? &chain :
			NULL, &e, &cli->fault);
	free(trust);
	if (rc != 0)
		return rc;
	show_time((int64_t)e.time, 0, false, when);
	hex_or_dash(e.body.device, device);
	cli_set_int(cli, "index", (int64_t)e.index);
	cli_set_int(cli, "size", (int64_t)e.size);
	cli_set_text(cli, "time", when);
	cli_set_text(cli, "what", logbody_what(e.body.type));
	cli_set_id(cli, "account", e.body.account);
	cli_set_text(cli, "device", device);
	cli_set_int(cli, "epoch", e.body.epoch);
	cli_print(cli, "entry     %" PRIu64 " of %" PRIu64 ", %s\nwhat      "
	    "%s\ndevice    %s\n", e.index, e.size, when,
	    logbody_what(e.body.type), device);
	if (e.body.type != LEAF_RELEASE)
		return 0;
	cli_set_bool(cli, "asked", e.asked);
	cli_print(cli, "epoch     %u\nasked     %s\n", e.body.epoch,
	    e.asked	    ? "the device signed the request" :
	    !e.has_device   ? "not checked: the device's chain was not given" :
			      "NOT BY THE DEVICE");
	if (e.has_device && !e.asked)
		return fault_set(&cli->fault, FAULT_LOG, "entry %" PRIu64
		    ": the device did not sign the request", e.index);
	return 0;
}

static int
verify_evidence(struct cli *cli, struct bytes file, const struct args *in)
{
	struct logjudge_evidence e;
	struct note_key key;
	int rc;

	if (in->log != NULL && note_key_parse(bytes_of(in->log,
		strlen(in->log)), &key) != 0)
		return cli_usage(cli, "--log is name+id+key");
	rc = logjudge_evidence(file, in->log != NULL ? &key : NULL, &e,
	    &cli->fault);
	if (rc != 0)
		return rc;
	cli_set_text(cli, "kind", e.kind);
	cli_set_text(cli, "log", e.vkey);
	cli_set_bool(cli, "proved", e.proved);
	cli_set_text(cli, "text", e.text);
	cli_print(cli, "log       %s\nkind      %s\nshows     %s\nproved    "
	    "%s\n", e.vkey, e.kind, e.text, e.proved ? "yes" : "no");
	return 0;
}

static int
verify(struct cli *cli, const struct args *in)
{
	static const char first[] = "c2sp.org/tlog-proof@";
	struct buf file defer(buf_wipe) = buf_init(LOGJUDGE_FILE_MAX);
	int rc = file_read(AT_FDCWD, in->verify, &file, &cli->fault);

	if (rc != 0)
		return rc;
	if (file.n > strlen(first) && memcmp(file.p, first, strlen(first)) == 0)
		rc = verify_proof(cli, buf_bytes(&file), in);
	else
		rc = verify_evidence(cli, buf_bytes(&file), in);
	return rc == 0 || rc == FAULT_USAGE ? rc :
	    fault_add(&cli->fault, rc, "%s", in->verify);
}

static const char **
option_at(struct args *in, int c)
{
	return c == 'h'	 ? &in->hook :
	    c == 'o'	 ? &in->open :
	    c == 'a'	 ? &in->authority :
	    c == 'v'	 ? &in->verify :
	    c == 't'	 ? &in->trust :
	    c == 'l'	 ? &in->log :
	    c == 'c'	 ? &in->chain :
	    c == 'y'	 ? &in->accept :
			   NULL;
}

static int
read_seconds(struct cli *cli, const char *text, struct args *in)
{
	int rc = reading_number(cli, "--watch", text, 86400, &in->seconds);

	return rc != 0 || in->seconds != 0 ? rc :
	    cli_usage(cli, "--watch is 1 to 86400 seconds");
}

/* An option of another use would be left aside in silence. */
static int
check_uses(struct cli *cli, const struct args *in)
{
	const bool looks = in->full || in->watch || in->hook || in->accept;

	if (looks + (in->open != NULL) + (in->verify != NULL) > 1)
		return cli_usage(cli, "either an audit, --open or --verify");
	if ((!in->verify && (in->log || in->trust || in->chain)) ||
	    (!in->open && in->authority))
		return cli_usage(cli, "--log, --trust and --chain are for "
		    "--verify, --authority is for --open");
	return in->open && cli->json ?
	    cli_usage(cli, "what --open writes has no JSON") : 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "full", no_argument, NULL, 'f' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "hook", required_argument, NULL, 'h' },
		{ "accept", required_argument, NULL, 'y' },
		{ "open", required_argument, NULL, 'o' },
		{ "authority", required_argument, NULL, 'a' },
		{ "verify", required_argument, NULL, 'v' },
		{ "trust", required_argument, NULL, 't' },
		{ "log", required_argument, NULL, 'l' },
		{ "chain", required_argument, NULL, 'c' },
		{ 0 },
	};
	struct args in = { .seconds = WATCH_SECONDS };
	int c;

	while ((c = cli_getopt(cli, argc, argv, "", options)) != -1) {
		const char **at = option_at(&in, c);

		if (at != NULL) {
			*at = optarg;
		} else if (c == 'f') {
			in.full = true;
		} else if (c == 'w') {
			in.watch = true;
			if (optarg != NULL &&
			    read_seconds(cli, optarg, &in) != 0)
				return FAULT_USAGE;
		} else {
			return FAULT_USAGE;
		}
	}
	if (optind + 1 == argc && in.watch &&
	    read_seconds(cli, argv[optind++], &in) != 0)
		return FAULT_USAGE;
	if (optind != argc)
		return cli_usage(cli, "no operand is wanted");
	if (check_uses(cli, &in) != 0)
		return FAULT_USAGE;
	if (in.verify)
		return verify(cli, &in);
	return in.open != NULL ? open_what(cli, &in) : audit(cli, &in);
}

const struct command cmd_audit = {
	.name = "audit",
	.run = run,
	.args = "[--full] [--watch [SECONDS]] [--hook CMD] [--accept ID,…] | "
		"--open WHAT | --verify FILE",
	.help = "check what the logs have of the space; open, verify entries",
	.options =
	    "  --full             from the first entry on, and show all\n"
	    "  --watch [SECONDS]  go on looking, every 300 seconds\n"
	    "  --hook CMD         at an alarm, run CMD with the JSON on its "
	    "input\n"
	    "  --accept ID,…      alarms that are understood: listed, and no "
	    "alarms any more\n"
	    "  --open WHAT        write what an auditor needs: an entry, by "
	    "its index;\n"
	    "                     chain; custody\n"
	    "  --authority NAME   whose log the index is of; else the home's\n"
	    "  --verify FILE      judge an opened entry, or evidence; needs no "
	    "account\n"
	    "  --log KEY          verifier key of the log that it is to be of\n"
	    "  --trust FILE       or a tlog-policy file: logs, witnesses, "
	    "quorum\n"
	    "  --chain FILE       device chain, to see who asked for a "
	    "release\n",
};
