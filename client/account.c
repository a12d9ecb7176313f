// SPDX-License-Identifier: Apache-2.0
#include "client/account.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "client/code.h"
#include "client/custodian.h"
#include "client/file.h"
#include "client/gather.h"
#include "client/logpin.h"
#include "crypt/hash.h"
#include "net/text.h"
#include "tlog/trust.h"

#define APPEND_TRIES 8

int
account_read_policy(struct cli *cli, const char *path, struct buf *out)
{
	struct policy *p defer(policy_freep) = NULL;
	int rc = file_read(AT_FDCWD, path, out, &cli->fault);

	if (rc != 0)
		return fault_add(&cli->fault, rc, "policy");
	rc = policy_load(buf_bytes(out), NULL, &p, &cli->fault);
	return rc == 0 ? 0 : fault_add(&cli->fault, rc, "%s", path);
}

int
account_pin_trust(struct cli *cli, const struct state *st, const char *path)
{
	struct buf file defer(buf_wipe) = buf_init(TRUST_FILE_MAX);
	int rc = file_read(AT_FDCWD, path, &file, &cli->fault);

	if (rc != 0)
		return rc;
	rc = logpin_set_trust(st, buf_bytes(&file), &cli->fault);
	return rc == 0 ? 0 : fault_add(&cli->fault, rc, "%s", path);
}

int
account_parse_key(struct cli *cli, const char *text, struct sign_pub *out)
{
	if (text_b64_parse(text, strlen(text), out->b, sizeof(out->b)) != 0)
		return cli_usage(cli, "--policy-key is 32 bytes in base64");
	return 0;
}

int
account_begin(struct cli *cli, const char *policy, const char *key,
    struct state **out)
{
	struct buf text defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct sign_pub pub;
	char *dir = NULL;
	int rc = account_read_policy(cli, policy, &text);

	if (rc == 0 && key != NULL)
		rc = account_parse_key(cli, key, &pub);
	if (rc == 0)
		rc = state_home(cli->home, &dir, &cli->fault);
	if (rc == 0)
		rc = state_begin(dir, buf_bytes(&text),
		    key != NULL ? &pub : NULL, out, &cli->fault);
	free(dir);
	return rc;
}

int
account_open(struct cli *cli, const struct state *st, struct authority **out)
{
	struct authority_config config = {
		.key = st->sign,
		.state = st,
		.wire = &cli->offshore,
		.stop = cli->stop,
	};
	int rc = state_authority(st, &config.peer, &cli->fault);

	if (rc != 0)
		return rc;
	memcpy(config.signer, st->device, ID_LEN);
	return authority_open(&config, out, &cli->fault);
}

void
account_freep(struct answer_account **a)
{
	if (*a != NULL)
		buf_wipe(&(*a)->chain);
	free(*a);
}

int
account_sync(struct cli *cli, struct authority *a, struct state *st)
{
	struct answer_account *got defer(account_freep) =
	    calloc(1, sizeof(*got));
	uint32_t seen = st->chain.n;
	int rc;

	if (got == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	rc = authority_account(a, seen, got, &cli->fault);
	if (rc != 0)
		return rc;
	if (memcmp(got->account, st->binding.account, ID_LEN) != 0)
		return fault_set(&cli->fault, FAULT_TRUST,
		    "authority %s: answers for another account",
		    st->binding.authority);
	return state_add_chain(st, seen, buf_bytes(&got->chain), &cli->fault);
}

int
account_current(struct cli *cli, struct state **st, struct authority **a)
{
	int rc = cli_state(cli, st);

	if (rc == 0)
		rc = state_require_ready(*st, &cli->fault);
	if (rc == 0)
		rc = account_open(cli, *st, a);
	return rc != 0 ? rc : account_sync(cli, *a, *st);
}

/* [custody] The others that hold shares have to know who may ask for them. */
static void
tell_holders(struct cli *cli, const struct state *st)
{
	struct custodian c;
	struct fault f = { 0 };

	if (custodian_load(st, &c, &f) != 0 || !c.known ||
	    c.set.mode != CUSTODY_SPLIT)
		return;
	for (int i = 1; i < c.set.n; i++) {
		struct authority *a defer(authority_closep) = NULL;
		struct authority_config config = { .key = st->sign,
			.state = st,
			.wire = &cli->offshore, .stop = cli->stop };
		int rc = custodian_holder(st, &c.set, i, &config.peer, &f);

		memcpy(config.signer, st->device, ID_LEN);
		if (rc == 0)
			rc = authority_open(&config, &a, &f);
		if (rc == 0)
			rc = gather_push(st, &c.set, a, "", &f);
		if (rc != 0)
			cli_note(cli, "skerry: the holder in %s does not know "
			    "of it yet (%s): the next command that asks it "
			    "will tell it\n", c.set.holder[i].jurisdiction,
			    f.text);
	}
}

int
account_room(struct cli *cli, const struct chain *c, enum chain_op op)
{
	return chain_has_room(c, op) ? 0 : fault_set(&cli->fault, FAULT_LIMIT,
	    "device chain: it has %u entries of at most %u, and the rest is "
	    "kept to revoke devices%s", c->n, CHAIN_MAX,
	    op == CHAIN_ADD ? " and for other recovery codes" : "");
}

/* FAULT_CONFLICT: what others have added is pinned. */
static int
append(struct cli *cli, struct authority *a, struct state *st,
    struct chain_make *make, const struct answer_slot *slot, size_t n)
{
	struct buf newer defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES);
	uint8_t raw[CHAIN_ENTRY_LEN];
	struct authority_entry e = { .account = st->binding.account,
		.seen = st->chain.n, .entry = raw, .slot = slot, .nslots = n,
		.space = st->binding.space };
	int rc, bad;

	memcpy(make->signer, st->device, ID_LEN);
	memcpy(make->account, st->binding.account, ID_LEN);
	rc = account_room(cli, &st->chain, make->op);
	if (rc != 0)
		return rc;
	rc = chain_make_entry(&st->chain, make, st->sign, raw);
	if (rc != 0)
		return fault_add(&cli->fault, rc, "device chain");
	rc = authority_add_entry(a, &e, &newer, &cli->fault);
	if (rc == 0)
		return state_add_chain(st, e.seen,
		    bytes_of(raw, sizeof(raw)), &cli->fault);
	if (rc != FAULT_CONFLICT || newer.n == 0)
		return rc;
	bad = state_add_chain(st, e.seen, buf_bytes(&newer), &cli->fault);
	return bad != 0 ? bad : rc;
}

int
account_append(struct cli *cli, struct authority *a, struct state *st,
    struct chain_make *make)
{
	uint32_t seen;
	int rc, i = 0;

	do {
		seen = st->chain.n;
		rc = append(cli, a, st, make, NULL, 0);
	} while (rc == FAULT_CONFLICT && st->chain.n != seen &&
	    ++i < APPEND_TRIES);
	if (rc == 0)
		tell_holders(cli, st);
	return rc;
}

int
account_append_once(struct cli *cli, struct authority *a, struct state *st,
    struct chain_make *make, const struct answer_slot *slot, size_t n)
{
	int rc = append(cli, a, st, make, slot, n);

	if (rc == 0)
		tell_holders(cli, st);
	return rc;
}

static int
check_space(struct cli *cli, const struct state *st,
    const struct answer_space *s)
{
	const struct policy_authority *a = policy_find_authority(st->policy,
	    st->binding.authority);
	const struct policy_residency *r = policy_find_residency(st->policy,
	    s->residency);
	bool keys_ok = false;

	if (a == NULL || r == NULL || !policy_allows(r, s->depot))
		return fault_set(&cli->fault, FAULT_TRUST,
		    "authority %s: names residency %s and depot %s, which the "
		    "policy does not have together", st->binding.authority,
		    s->residency, s->depot);
	for (size_t i = 0; i < r->nkeys; i++)
		keys_ok |= strcmp(r->keys[i], a->jurisdiction) == 0;
	if (!keys_ok)
		return fault_set(&cli->fault, FAULT_TRUST,
		    "authority %s: keys of residency %s may not be in %s",
		    a->name, r->name, a->jurisdiction);
	return 0;
}

/* Before anything is pinned: another account would stay. */
static int
check_root(struct cli *cli, const struct answer_account *a, const char *check)
{
	const struct bytes first = bytes_of(a->chain.p, CHAIN_ENTRY_LEN);
	uint8_t want[CODE_CHECK_LEN], hash[HASH_LEN];

	if (check == NULL)
		return 0;
	if (code_check_parse(check, want) != 0)
		return cli_usage(cli, "--check has four groups of four");
	if (a->chain.n >= CHAIN_ENTRY_LEN)
		hash_sha256(&first, 1, hash);
	if (a->chain.n < CHAIN_ENTRY_LEN ||
	    memcmp(hash, want, sizeof(want)) != 0)
		return fault_set(&cli->fault, FAULT_TRUST,
		    "this account is not the one of the account check");
	return 0;
}

void
account_show_check(struct cli *cli, const struct state *st)
{
	char text[CODE_CHECK_SIZE];

	code_check_text(st->root, text);
	cli_set_text(cli, "account_check", text);
	cli_print(cli, "check      %s\n", text);
}

int
account_bind(struct cli *cli, struct state *st, const struct answer_account *a,
    const char *check)
{
	struct state_binding b = st->binding;
	const struct chain_device *own;
	int rc;

	if (a->nspaces == 0)
		return fault_set(&cli->fault, FAULT_NOT_FOUND,
		    "authority %s: the account has no space", b.authority);
	rc = check_space(cli, st, &a->space[0]);
	if (rc == 0)
		rc = check_root(cli, a, check);
	if (rc == 0)
		rc = state_add_chain(st, 0, buf_bytes(&a->chain), &cli->fault);
	if (rc != 0)
		return rc;
	own = chain_find(&st->chain, st->device);
	if (own == NULL || !own->live ||
	    memcmp(st->chain.account, a->account, ID_LEN) != 0)
		return fault_set(&cli->fault, FAULT_DENIED,
		    "this device is not in the account's chain");
	b.stage = STATE_READY;
	memcpy(b.account, a->account, ID_LEN);
	memcpy(b.space, a->space[0].space, ID_LEN);
	(void)snprintf(b.residency, sizeof(b.residency), "%s",
	    a->space[0].residency);
	(void)snprintf(b.depot, sizeof(b.depot), "%s", a->space[0].depot);
	return state_set_binding(st, &b, &cli->fault);
}

void
account_show(struct cli *cli, const struct state *st)
{
	const struct state_binding *b = &st->binding;
	char hex[TEXT_HEX_SIZE(ID_LEN)];

	cli_set_id(cli, "account", b->account);
	cli_set_id(cli, "space", b->space);
	cli_set_id(cli, "device", st->device);
	cli_set_text(cli, "authority", b->authority);
	cli_set_text(cli, "residency", b->residency);
	cli_set_text(cli, "depot", b->depot);
	text_hex(b->space, ID_LEN, hex, sizeof(hex));
	cli_print(cli, "space      %s\n", hex);
	text_hex(st->device, ID_LEN, hex, sizeof(hex));
	cli_print(cli, "device     %s\n", hex);
	cli_print(cli, "residency  %s, depot %s\n", b->residency, b->depot);
	cli_print(cli, "authority  %s\n", b->authority);
	account_show_check(cli, st);
}
