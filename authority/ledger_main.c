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
#include "authority/ledger_time.h"
#include "authority/role.h"
#include "base/trouble.h"
#include "base/rd.h"

#define LOOK_MS 1000

/* A batch, and where its answers go. */
struct intake {
	struct process *p;
	size_t bytes;
	uint64_t call[LEDGER_BATCH_MAX]; /* of the front, for each request */
	struct ledger_batch batch; /* begun once it has a request */
};

struct process {
	struct ledger l;
	char *database, *name, *folder, *log, *epochs;
	struct buf policy; /* its file */
	struct link front;
	struct intake *next, *other; /* the batch that grows, the one before */
	bool rests;                  /* look() waits for a request */
	int rc;                      /* of the front's link */
};

static void
process_wipe(struct process *p)
{
	ledger_log_close(&p->l.log);
	free(p->next);
	free(p->other);
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
	p->name = role_boot_text(&r);
	p->l.jurisdiction = role_boot_text(&r);
	p->l.host = role_boot_text(&r);
	p->database = role_boot_text(&r);
	p->log = role_boot_text(&r);
	p->l.log.cosign.n = rd_u32(&r);
	rd_require(&r, p->l.log.cosign.n <= POSTING_WITNESSES_MAX);
	p->epochs = role_boot_text(&r);
	p->l.by_invitation = rd_u8(&r) != 0;
	policy = role_boot_field(&r);
	pin = role_boot_field(&r);
	rd_require(&r, pin.n == 0 || pin.n == sizeof(signer.b));
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

/* Appends what the log lacks of the database.  Where that cannot be now,
 * requests are answered so until it can. */
static int
follow(struct process *p)
{
	struct fault f = { 0 };
	int shown_rc, rc = ledger_log_follow(&p->l.log, &shown_rc, &f);

	if (rc != 0)
		trouble_fault("log-not-appended", &f);
	return rc;
}

/* Nobody asks: are there rows that the operator's commands have made?  With
 * a log that cannot take or show them, the next request looks again. */
static void
look(struct process *p)
{
	ledger_secret_again(&p->l, (int64_t)time(NULL));
	ledger_time_rest(&p->l);
	if (p->l.log.down.code != 0 || follow(p) != 0)
		p->rests = true;
}

/* What is lacking is appended before anything is served. */
static int
start_log(struct process *p, struct fault *f)
{
	struct ledger_log *g = &p->l.log;
	int rc;

	g->db = p->l.db;
	g->keys = &p->l.keys;
	g->cosign.courier = link_init(ROLE_FD_COURIER, ROLE_FD_COURIER,
	    LINK_SOCKET_MAX);
	rc = ledger_log_open(g, p->log, f);
	if (rc == 0)
		rc = ledger_log_policy(&p->l, buf_bytes(&p->policy),
		    (int64_t)time(NULL), f);
	if (rc == 0)
		(void)follow(p);
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
	if (rc == 0)
		rc = ledger_time_start(&p->l, (int64_t)time(NULL), f);
	if (rc != 0)
		return rc;
	p->folder = strdup(p->database);
	p->next = calloc(1, sizeof(*p->next));
	p->other = calloc(1, sizeof(*p->other));
	if (p->folder == NULL || p->next == NULL || p->other == NULL)
		return fault_set(f, FAULT_MEMORY, "ledger: out of memory");
	rc = confine(p, f);
	if (rc != 0)
		return rc;
	p->next->p = p->other->p = p;
	p->l.keys.link = link_init(ROLE_FD_KEYS_READ, ROLE_FD_KEYS_WRITE,
	    LINK_PIPE_MAX);
	p->front = link_init(ROLE_FD_LINK, ROLE_FD_LINK, LINK_SOCKET_MAX);
	rc = start_log(p, f);
	return rc != 0 ? rc : role_ready(f);
}

static void
on_answer(void *ctx, size_t i, struct bytes answer)
{
	static const struct trouble dropped = { .event = "answer-dropped" };
	const struct intake *t = ctx;
	struct logline l;

	/* A front that is gone gets no answer, and asks again. */
	if (link_answer(&t->p->front, t->call[i], answer) == 0)
		return;
	if (trouble_begin(&dropped, LOGLINE_WARN, &l))
		logline_end(&l);
}

/* Adds a request that is there to the batch that grows.  False: there is none,
 * or no room. */
static bool
take_in(struct process *p)
{
	struct buf in defer(buf_wipe) = buf_init(LINK_SOCKET_MAX);
	struct intake *t = p->next;
	struct ledger_batch *b = &t->batch;

	if (p->rc != 0 || b->n == LEDGER_BATCH_MAX ||
	    t->bytes >= LEDGER_BATCH_BYTES)
		return false;
	p->rc = link_take(&p->front, &t->call[b->n], &in);
	if (p->rc == FAULT_NOT_FOUND) {
		p->rc = 0;
		return false;
	}
	if (p->rc != 0)
		return false;
	if (b->n == 0)
		ledger_batch_begin(&p->l, b, (int64_t)time(NULL));
	ledger_batch_add(&p->l, b, buf_bytes(&in));
	t->bytes += in.n;
	return true;
}

static bool
on_wait(void *ctx)
{
	const struct intake *t = ctx;

	return take_in(t->p);
}

/* All requests that are there, and those that come while they are looked at,
 * with one commit for all.  While keys works for them, the next ones begin. */
static int
turn(struct process *p, struct fault *f)
{
	struct intake *t = p->next;
	const struct ledger_sink sink = { .answer = on_answer,
		.meanwhile = on_wait, .ctx = t };

	while (take_in(p))
		;
	trouble_tick();
	ledger_time_read(&p->l, (int64_t)time(NULL));
	if (t->batch.n == 0) {
		if (!p->rests)
			look(p);
	} else {
		p->next = p->other;
		p->other = t;
		ledger_batch_end(&p->l, &t->batch, &sink);
		t->batch.n = t->bytes = 0;
		p->rests = false;
	}
	return p->rc == 0 ? 0 : fault_set(f, p->rc, "ledger: link");
}

int
ledger_main(struct fault *f)
{
	struct process p defer(process_wipe) = { .l.vault = -1,
		.policy = buf_init(POLICY_FILE_MAX) };
	int rc = start(&p, f);

	while (rc == 0) {
		if (p.next->batch.n == 0)
			rc = role_wait(p.front.rfd, LOOK_MS, f);
		if (rc == 0)
			rc = turn(&p, f);
	}
	return rc == FAULT_INTERRUPTED ? 0 : rc;
}
