// SPDX-License-Identifier: Apache-2.0
/*
 * custody announce: an operator-side change of custody, which every device is
 * shown and can refuse until it takes effect.  spec/55-custody.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/db.h"
#include "authority/outbox.h"
#include "authority/policykey.h"
#include "crypt/secret.h"
#include "net/policy.h"
#include "net/text.h"
#include "object/custody.h"

struct announce {
	const char *config, *key, *mode, *holders, *threshold, *space, *all;
	struct policy *policy;
	struct sign_key *sign;
	struct db *db;
	struct custody form; /* mode, k, n, holders */
	struct fault *f;
	unsigned done;
};

static void
wipe(struct announce *a)
{
	policy_free(a->policy);
	secret_free(a->sign);
	if (a->db != NULL)
		a->db->close(a->db);
}

static int
read_mode(struct announce *a, struct fault *f)
{
	struct custody *c = &a->form;
	unsigned long k;
	char *end;

	for (enum custody_mode m = CUSTODY_STANDARD; m <= CUSTODY_SEALED; m++)
		if (strcmp(a->mode, custody_mode_text(m)) == 0)
			c->mode = m;
	if (c->mode == 0)
		return fault_set(f, FAULT_USAGE,
		    "--mode is standard, split or sealed");
	c->k = 1;
	if (a->threshold == NULL)
		return 0;
	k = strtoul(a->threshold, &end, 10);
	if (a->threshold[0] < '0' || a->threshold[0] > '9' || *end != '\0' ||
	    k > CUSTODY_HOLDERS_MAX)
		return fault_set(f, FAULT_USAGE, "--threshold %s: a number "
		    "from 2 to %d is wanted", a->threshold,
		    CUSTODY_HOLDERS_MAX);
	c->k = (uint8_t)k;
	return 0;
}

static int
read_holders(struct announce *a, struct fault *f)
{
	char *list = strdup(a->holders), *at = list, *name;
	int rc = list == NULL ? fault_set(f, FAULT_MEMORY, "out of memory") :
				0;

	while (rc == 0 && (name = strsep(&at, ",")) != NULL) {
		const struct policy_authority *p = policy_find_authority(
		    a->policy, name);
		struct custody_holder *h = &a->form.holder[a->form.n];

		if (p == NULL || a->form.n == CUSTODY_HOLDERS_MAX) {
			rc = fault_set(f, FAULT_USAGE,
			    "policy: it has no authority %s", name);
			break;
		}
		h->signing = p->signing;
		memcpy(h->jurisdiction, p->jurisdiction, 3);
		a->form.n++;
	}
	free(list);
	return rc;
}

/* The service, which writes the log, finds the entry in the database. */
static int
log_it(struct announce *a, const struct custody *c)
{
	struct outbox_item i;
	struct db_space s;
	int rc = a->db->space_get(a->db, c->space, &s, a->f);

	if (rc == 0)
		rc = outbox_custody(a->db, s.account, c, c->time, &i, a->f);
	if (rc == 0)
		outbox_wipe(&i);
	return rc;
}

static int
one(void *arg, const uint8_t space[static ID_LEN])
{
	struct announce *a = arg;
	struct custody c = a->form, current;
	bool home;
	int rc = a->db->custody_home(a->db, space, &home, a->f);

	/* [custody] Devices are shown what their home announces, no other. */
	if (rc == 0 && !home)
		return a->space == NULL ? 0 : fault_set(a->f, FAULT_NOT_FOUND,
		    "space %s: it was not made here: its home announces",
		    a->space);
	if (rc == 0)
		rc = a->db->custody_get(a->db, space, &current, a->f);
	if (rc != 0)
		return rc;
	c.serial = current.serial + 1;
	c.epoch = current.epoch;
	c.kind = CUSTODY_OPERATOR;
	c.time = (int64_t)time(NULL);
	c.effective = c.time + a->policy->custody_delay;
	memcpy(c.space, space, ID_LEN);
	custody_hash(&current, c.prev);
	rc = custody_sign(&c, a->sign);
	if (rc != 0)
		return fault_set(a->f, rc, "not a custody: see the rules of "
		    "holders and threshold in skerry-authority(1)");
	rc = a->db->announced_set(a->db, space, &c, a->f);
	if (rc == 0)
		rc = log_it(a, &c);
	a->done += rc == 0;
	return rc;
}

static int
announce_all(struct announce *a, struct fault *f)
{
	uint8_t id[ID_LEN];
	int rc = a->db->begin(a->db, f);

	if (rc != 0)
		return rc;
	if (a->space == NULL)
		rc = a->db->space_each(a->db, one, a, f);
	else if (text_hex_parse(a->space, strlen(a->space), id, ID_LEN) != 0)
		rc = fault_set(f, FAULT_USAGE, "--space is 32 hex digits");
	else
		rc = one(a, id);
	if (rc == 0)
		rc = a->db->commit(a->db, f);
	else
		a->db->abort(a->db);
	return rc;
}

static int
open_all(struct announce *a, struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct config *c defer(config_freep) = NULL;
	struct sign_pub pub;
	int rc = config_load(a->config, &c, f);

	a->sign = secret_new(sizeof(*a->sign));
	if (a->sign == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (rc == 0)
		rc = config_read(c->policy, &file, f);
	if (rc == 0)
		rc = policykey_read(a->key, a->sign, f);
	if (rc != 0)
		return rc;
	sign_public(a->sign, &pub);
	rc = policy_load(buf_bytes(&file), &pub, &a->policy, f);
	return rc != 0 ? rc : db_sqlite_open(c->database, &a->db, f);
}

int
cmd_custody_announce(int argc, char **argv, struct fault *f)
{
	struct announce a defer(wipe) = { .f = f };
	const struct cmd_option o[] = { { "config", &a.config, true },
		{ "key", &a.key, true }, { "mode", &a.mode, true },
		{ "holders", &a.holders, true },
		{ "threshold", &a.threshold, false },
		{ "space", &a.space, false } };
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), &a.all, f);

	if (rc == 0 && (a.space == NULL) == (a.all == NULL ||
	    strcmp(a.all, "all") != 0))
		rc = fault_set(f, FAULT_USAGE,
		    "either --space ID or the word all is wanted");
	if (rc == 0)
		rc = read_mode(&a, f);
	if (rc == 0)
		rc = open_all(&a, f);
	if (rc == 0)
		rc = read_holders(&a, f);
	if (rc == 0)
		rc = announce_all(&a, f);
	if (rc == 0 && (printf("{\n  \"announced\": %u\n}\n", a.done) < 0 ||
	    fflush(stdout) != 0))
		rc = fault_set(f, FAULT_IO, "cannot write to stdout; it is "
		    "announced to %u all the same", a.done);
	return rc;
}
