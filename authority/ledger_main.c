// SPDX-License-Identifier: Apache-2.0
/* The ledger as a process: boot, and the loop over the front's links. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "authority/ledger.h"
#include "authority/ledger_secret.h"
#include "authority/role.h"
#include "base/logline.h"
#include "base/rd.h"

struct process {
	struct ledger l;
	char *database, *name, *folder, *log, *epochs;
	struct buf policy; /* its file */
	struct link pair[ROLE_PAIRS_MAX];
	int fd[ROLE_PAIRS_MAX];
	size_t npairs;
};

static void
process_wipe(struct process *p)
{
	ledger_log_close(&p->l.log);
	buf_wipe(&p->policy);
	if (p->l.db != NULL)
		p->l.db->close(p->l.db);
	policy_free(p->l.policy);
	free(p->l.jurisdiction);
	free(p->l.host);
	free(p->database);
	free(p->name);
	free(p->folder);
	free(p->log);
	free(p->epochs);
	if (p->l.vault >= 0)
		(void)close(p->l.vault);
}

/* The log of the policy is the one that this authority is to keep. */
static int
origin_check(const struct process *p, const struct policy_authority *a,
    struct fault *f)
{
	const char *origin = a->log.name;
	size_t n = strlen(p->l.host);

	if (strncmp(origin, p->l.host, n) != 0 ||
	    strcmp(origin + n, "/log") != 0)
		return fault_set(f, FAULT_CONFIG, "policy: the log of "
		    "authority %s is %s, not %s/log", p->name, origin,
		    p->l.host);
	return 0;
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
	p->l.log.key = a->log;
	p->l.log.cosign.trust = p->l.policy->trust;
	return origin_check(p, a, f);
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
	p->log = role_boot_text(&r);
	p->l.log.cosign.n = rd_u32(&r);
	rd_require(&r, p->l.log.cosign.n <= POSTING_WITNESSES_MAX);
	p->epochs = role_boot_text(&r);
	policy = role_boot_field(&r);
	pin = role_boot_field(&r);
	rd_require(&r, pin.n == 0 || pin.n == sizeof(signer.b));
	rd_require(&r, p->npairs <= ROLE_PAIRS_MAX);
	rc = rd_finish(&r);
	if (rc != 0 || p->name == NULL || p->l.jurisdiction == NULL ||
	    p->l.host == NULL || p->database == NULL || p->log == NULL ||
	    p->epochs == NULL)
		return fault_set(f, FAULT_INTERNAL, "ledger: boot message");
	if (pin.n != 0)
		memcpy(signer.b, pin.p, sizeof(signer.b));
	rc = policy_load(policy, pin.n != 0 ? &signer : NULL, &p->l.policy, f);
	if (rc == 0)
		rc = policy_check(p, f);
	if (rc == 0)
		rc = buf_append(&p->policy, policy.p, policy.n);
	return rc;
}

/* The folders are there before the role gives up making any elsewhere. */
static int
confine(struct process *p, struct fault *f)
{
	const char *path[] = { dirname(p->folder), p->log, p->epochs };
	const struct role_reach reach = { .path = path,
		.n = ARRAY_LEN(path) };

	if (mkdir(p->log, 0755) != 0 && errno != EEXIST)
		return fault_sys(f, FAULT_CONFIG, errno, "make %s", p->log);
	return role_confine_to(ROLE_LEDGER, &reach, f);
}

/* What the log lacks of the database is appended before anything is served.
 * Where that cannot be now, requests are answered so until it can. */
static int
start_log(struct process *p, struct fault *f)
{
	struct ledger_log *g = &p->l.log;
	struct fault later = { 0 };
	int shown_rc, rc;

	g->db = p->l.db;
	g->keys = &p->l.keys;
	g->cosign.courier = link_init(ROLE_FD_COURIER, ROLE_FD_COURIER,
	    LINK_SOCKET_MAX);
	rc = ledger_log_open(g, p->log, f);
	if (rc == 0)
		rc = ledger_log_policy(&p->l, buf_bytes(&p->policy),
		    (int64_t)time(NULL), f);
	if (rc == 0 && ledger_log_follow(g, &shown_rc, &later) != 0) {
		struct logline l = logline_begin(LOGLINE_ERROR,
		    "log-not-appended");

		logline_fault(&l, &later);
		logline_end(&l);
	}
	return rc;
}

static int
start(struct process *p, struct fault *f)
{
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
	rc = confine(p, f);
	if (rc != 0)
		return rc;
	p->l.keys = link_init(ROLE_FD_KEYS_READ, ROLE_FD_KEYS_WRITE,
	    LINK_PIPE_MAX);
	for (size_t i = 0; i < p->npairs; i++) {
		p->fd[i] = ROLE_FD_PAIR + (int)i;
		p->pair[i] = link_init(p->fd[i], p->fd[i], LINK_SOCKET_MAX);
	}
	rc = start_log(p, f);
	return rc != 0 ? rc : role_ready(f);
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
	struct process p defer(process_wipe) = { .l.vault = -1,
		.policy = buf_init(POLICY_FILE_MAX) };
	int rc = start(&p, f);

	while (rc == 0) {
		bool ready[ROLE_PAIRS_MAX] = { false };

		rc = role_wait(p.fd, p.npairs, ready, f);
		if (rc == 0)
			rc = turn(&p, ready, f);
	}
	return rc == FAULT_INTERRUPTED ? 0 : rc;
}
