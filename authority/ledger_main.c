// SPDX-License-Identifier: Apache-2.0
/* The ledger as a process: boot, and the loop over the front's links. */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "authority/ledger.h"
#include "authority/ledger_secret.h"
#include "authority/role.h"
#include "base/logline.h"
#include "base/rd.h"

struct process {
	struct ledger l;
	char *database, *name, *folder, *epochs;
	struct link pair[ROLE_PAIRS_MAX];
	int fd[ROLE_PAIRS_MAX];
	size_t npairs;
};

static void
process_wipe(struct process *p)
{
	if (p->l.db != NULL)
		p->l.db->close(p->l.db);
	policy_free(p->l.policy);
	free(p->l.jurisdiction);
	free(p->l.host);
	free(p->database);
	free(p->name);
	free(p->folder);
	free(p->epochs);
	if (p->l.vault >= 0)
		(void)close(p->l.vault);
}

/* The policy has to know this authority as what it is. */
static int
policy_check(struct process *p, struct fault *f)
{
	const struct policy_authority *a = policy_find_authority(p->l.policy,
	    p->name);

	if (a == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "policy: it has no authority %s", p->name);
	if (strcmp(a->jurisdiction, p->l.jurisdiction) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "policy: authority %s is in %s, the configuration says %s",
		    p->name, a->jurisdiction, p->l.jurisdiction);
	p->l.signing = a->signing;
	return 0;
}

static int
boot(struct process *p, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(ROLE_BOOT_MAX);
	struct bytes policy, pin;
	struct sign_pub signer;
	struct rd r;
	int rc = role_boot_read(&b, f);

	if (rc != 0)
		return rc;
	r = rd_from(b.p, b.n);
	p->l.lease = rd_u32(&r);
	p->npairs = rd_u32(&r);
	p->name = role_boot_text(&r);
	p->l.jurisdiction = role_boot_text(&r);
	p->l.host = role_boot_text(&r);
	p->database = role_boot_text(&r);
	p->epochs = role_boot_text(&r);
	policy = role_boot_field(&r);
	pin = role_boot_field(&r);
	rd_require(&r, pin.n == 0 || pin.n == sizeof(signer.b));
	rd_require(&r, p->npairs <= ROLE_PAIRS_MAX);
	rc = rd_finish(&r);
	if (rc != 0 || p->name == NULL || p->l.jurisdiction == NULL ||
	    p->l.host == NULL || p->database == NULL || p->epochs == NULL)
		return fault_set(f, FAULT_INTERNAL, "ledger: boot message");
	if (pin.n != 0)
		memcpy(signer.b, pin.p, sizeof(signer.b));
	rc = policy_load(policy, pin.n != 0 ? &signer : NULL, &p->l.policy, f);
	if (rc == 0)
		rc = policy_check(p, f);
	return rc;
}

static int
start(struct process *p, struct fault *f)
{
	const char *dirs[2];
	int rc = boot(p, f);

	if (rc == 0)
		rc = db_sqlite_open(p->database, &p->l.db, f);
	if (rc == 0)
		rc = vault_open(p->epochs, &p->l.vault, f);
	if (rc == 0)
		rc = ledger_secret_resume(&p->l, f);
	if (rc != 0)
		return rc;
	p->folder = strdup(p->database);
	if (p->folder == NULL)
		return fault_set(f, FAULT_MEMORY, "ledger: out of memory");
	dirs[0] = dirname(p->folder);
	dirs[1] = p->epochs;
	rc = role_confine(ROLE_LEDGER, dirs, ARRAY_LEN(dirs), f);
	if (rc != 0)
		return rc;
	p->l.keys = link_init(ROLE_FD_KEYS_READ, ROLE_FD_KEYS_WRITE,
	    LINK_PIPE_MAX);
	for (size_t i = 0; i < p->npairs; i++) {
		p->fd[i] = ROLE_FD_PAIR + (int)i;
		p->pair[i] = link_init(p->fd[i], p->fd[i], LINK_SOCKET_MAX);
	}
	return role_ready(f);
}

/* One request of every link that has one, with one commit for all. */
static int
turn(struct process *p, const bool *ready, struct fault *f)
{
	struct buf in[ROLE_PAIRS_MAX], out[ROLE_PAIRS_MAX];
	struct bytes asked[ROLE_PAIRS_MAX];
	uint64_t call[ROLE_PAIRS_MAX];
	size_t who[ROLE_PAIRS_MAX], n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->npairs; i++) {
		if (!ready[i])
			continue;
		in[n] = buf_init(LINK_SOCKET_MAX);
		rc = link_take(&p->pair[i], &call[n], &in[n]);
		if (rc == 0) {
			who[n] = i;
			asked[n] = buf_bytes(&in[n]);
			out[n] = buf_init(LINK_SOCKET_MAX - 8);
			n++;
		} else if (rc == FAULT_NOT_FOUND) {
			rc = 0;
		}
	}
	if (n > 0)
		ledger_batch(&p->l, asked, n, (int64_t)time(NULL), out);
	for (size_t i = 0; i < n; i++) {
		/* A front that is gone gets no answer, and asks again. */
		if (link_answer(&p->pair[who[i]], call[i],
		        buf_bytes(&out[i])) != 0) {
			struct logline l = logline_begin(LOGLINE_WARN,
			    "answer-dropped");

			logline_end(&l);
		}
		buf_wipe(&in[i]);
		buf_wipe(&out[i]);
	}
	return rc != 0 ? fault_set(f, rc, "ledger: link") : 0;
}

int
ledger_main(struct fault *f)
{
	struct process p defer(process_wipe) = { .l.vault = -1 };
	int rc = start(&p, f);

	while (rc == 0) {
		bool ready[ROLE_PAIRS_MAX] = { false };

		rc = role_wait(p.fd, p.npairs, ready, f);
		if (rc == 0)
			rc = turn(&p, ready, f);
	}
	return rc == FAULT_INTERRUPTED ? 0 : rc;
}
