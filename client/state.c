// SPDX-License-Identifier: Apache-2.0
/* client/DESIGN.md, State on disk. */
#include "client/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/rd.h"
#include "base/wr.h"
#include "client/file.h"
#include "client/path.h"
#include "crypt/hash.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/text.h"

#define DEVICE_FILE "device.key"
#define BINDING_FILE "binding"
#define POLICY_FILE "policy"
#define CHAIN_FILE "chain"
#define HEAD_FILE "head"
#define LOCK_FILE "lock"         /* held while a file is replaced */
#define SETUP_FILE "setup.lock"  /* held by init, enrol, recovery */
#define BODY_MAX (1024 * 1024)

/* Puts the folder in front of a file's name. */
static int
in_folder(const struct state *st, int rc, struct fault *f)
{
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

static int
join(const char *a, const char *b, char **out, struct fault *f)
{
	if (asprintf(out, "%s/%s", a, b) < 0) {
		*out = NULL;
		return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	return 0;
}

static int
absolute(const char *path, char **out, struct fault *f)
{
	char cwd[PATH_MAX];

	if (path[0] == '/') {
		*out = strdup(path);
		return *out != NULL ? 0 :
				      fault_set(f, FAULT_MEMORY,
					  "out of memory");
	}
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return fd_fault("current folder", f);
	return join(cwd, path, out, f);
}

int
state_home(const char *home, char **out, struct fault *f)
{
	const char *v = home != NULL ? home : getenv("SKERRY_HOME");

	if (v != NULL && v[0] != '\0')
		return absolute(v, out, f);
	v = getenv("XDG_DATA_HOME");
	if (v != NULL && v[0] == '/')
		return join(v, "skerry", out, f);
	v = getenv("HOME");
	if (v != NULL && v[0] == '/')
		return join(v, ".local/share/skerry", out, f);
	return fault_set(f, FAULT_CONFIG,
	    "no folder for the state: neither --home nor SKERRY_HOME nor HOME");
}

/* A lock that goes with its descriptor. */
static int
lock_open(const struct state *st, const char *name, int how, int *out,
    struct fault *f)
{
	int fd defer(fd_close) = openat(st->fd, name,
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc;

	/* Who cannot write may still read, and waits for who can. */
	if (fd < 0 && errno == EROFS)
		fd = openat(st->fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return in_folder(st, fd_fault(name, f), f);
	do
		rc = flock(fd, how);
	while (rc != 0 && errno == EINTR && (how & LOCK_NB) == 0);
	if (rc != 0 && errno == EWOULDBLOCK)
		return fault_set(f, FAULT_CONFLICT,
		    "%s: another command that sets it up, moves the "
		    "custody or makes a recovery code is under way", st->dir);
	if (rc != 0)
		return in_folder(st, fd_fault(name, f), f);
	*out = fd;
	fd = -1;
	return 0;
}

int
state_setup(struct state *st, struct fault *f)
{
	return lock_open(st, SETUP_FILE, LOCK_EX | LOCK_NB, &st->lock_fd, f);
}

int
state_lock(const struct state *st, int *out, struct fault *f)
{
	return lock_open(st, LOCK_FILE, LOCK_EX, out, f);
}

static int
dir_open(const char *dir, struct state **out, struct fault *f)
{
	struct state *st defer(state_closep) = calloc(1, sizeof(*st));
	struct stat sb;

	if (st == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	st->fd = -1;
	st->lock_fd = -1;
	st->dir = strdup(dir);
	st->sign = secret_new(sizeof(*st->sign));
	st->box = secret_new(sizeof(*st->box));
	if (st->dir == NULL || st->sign == NULL || st->box == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	st->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->fd < 0 && errno == ENOENT)
		return fault_set(f, FAULT_CONFIG,
		    "%s: no space here yet: run skerry init or skerry enrol",
		    dir);
	if (st->fd < 0 || fstat(st->fd, &sb) != 0)
		return fd_fault(dir, f);
	if ((sb.st_mode & 077) != 0 || sb.st_uid != geteuid())
		return fault_set(f, FAULT_CONFIG,
		    "%s: must have mode 0700 and be owned by the user", dir);
	*out = take(st);
	return 0;
}

void
state_close(struct state *st)
{
	if (st == NULL)
		return;
	fd_close(&st->fd);
	fd_close(&st->lock_fd);
	secret_free(st->sign);
	secret_free(st->box);
	policy_free(st->policy);
	chain_wipe(&st->chain);
	free(st->dir);
	free(st);
}

void
state_closep(struct state **st)
{
	state_close(*st);
}

/* The device's keys. */

static void
derive_device(struct state *st)
{
	sign_public(st->sign, &st->sign_pub);
	sign_box_public(st->box, &st->box_pub);
	chain_device_id(&st->sign_pub, &st->box_pub, st->device);
}

static int
load_device(struct state *st, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(256);
	struct rd r;
	int rc = file_load(st->fd, DEVICE_FILE, FILE_DEVICE, &b, f);

	if (rc != 0)
		return in_folder(st, rc, f);
	r = rd_from(b.p, b.n);
	rd_copy(&r, st->sign->seed, sizeof(st->sign->seed));
	rd_copy(&r, st->box->b, sizeof(st->box->b));
	if (rd_finish(&r) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: " DEVICE_FILE
		    ": damaged", st->dir);
	derive_device(st);
	return 0;
}

static int
make_device(struct state *st, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(256);
	struct wr w = wr_to(&b);
	int rc;

	sign_new(st->sign, &st->sign_pub);
	sign_box_new(st->box, &st->box_pub);
	wr_copy(&w, st->sign->seed, sizeof(st->sign->seed));
	wr_copy(&w, st->box->b, sizeof(st->box->b));
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_add(f, rc, "%s", DEVICE_FILE);
	rc = file_save(st->fd, DEVICE_FILE, FILE_DEVICE, buf_bytes(&b), f);
	if (rc != 0)
		return in_folder(st, rc, f);
	derive_device(st);
	return 0;
}

/* The binding. */

static void
put_name(struct wr *w, const char *s)
{
	size_t n = strlen(s);

	wr_u8(w, (uint8_t)n);
	wr_copy(w, s, n);
}

static void
get_name(struct rd *r, char out[static STATE_NAME_MAX + 1])
{
	size_t n = rd_u8(r);

	rd_require(r, n <= STATE_NAME_MAX);
	if (r->failed)
		return;
	rd_copy(r, out, n);
	out[n] = '\0';
	rd_require(r, strlen(out) == n);
}

static int
load_binding(struct state *st, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(1024);
	struct state_binding got = { 0 };
	struct rd r;
	int rc = file_load(st->fd, BINDING_FILE, FILE_BINDING, &b, f);

	if (rc != 0)
		return in_folder(st, rc, f);
	r = rd_from(b.p, b.n);
	got.stage = rd_u8(&r);
	rd_require(&r, got.stage >= STATE_INIT && got.stage <= STATE_REVOKED);
	rd_copy(&r, got.account, ID_LEN);
	rd_copy(&r, got.space, ID_LEN);
	get_name(&r, got.authority);
	get_name(&r, got.residency);
	get_name(&r, got.depot);
	if (rd_finish(&r) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: " BINDING_FILE
		    ": damaged", st->dir);
	st->binding = got;
	return 0;
}

int
state_set_binding(struct state *st, const struct state_binding *b,
    struct fault *f)
{
	struct buf body defer(buf_wipe) = buf_init(1024);
	struct wr w = wr_to(&body);
	int lock defer(fd_close) = -1;
	int rc;

	wr_u8(&w, (uint8_t)b->stage);
	wr_copy(&w, b->account, ID_LEN);
	wr_copy(&w, b->space, ID_LEN);
	put_name(&w, b->authority);
	put_name(&w, b->residency);
	put_name(&w, b->depot);
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_add(f, rc, BINDING_FILE);
	rc = lock_open(st, LOCK_FILE, LOCK_EX, &lock, f);
	if (rc == 0)
		rc = in_folder(st, file_save(st->fd, BINDING_FILE,
			FILE_BINDING, buf_bytes(&body), f), f);
	if (rc == 0)
		st->binding = *b;
	return rc;
}

int
state_unbind(struct state *st, struct fault *f)
{
	int lock defer(fd_close) = -1;
	int rc = lock_open(st, LOCK_FILE, LOCK_EX, &lock, f);

	if (rc == 0)
		rc = in_folder(st, file_remove(st->fd, BINDING_FILE, f), f);
	if (rc == 0)
		st->binding = (struct state_binding){ 0 };
	return rc;
}

int
state_require_ready(const struct state *st, struct fault *f)
{
	switch (st->binding.stage) {
	case STATE_READY:
		return 0;
	case STATE_INIT:
		return fault_set(f, FAULT_CONFIG,
		    "%s: init did not finish: run skerry init again", st->dir);
	case STATE_ENROL:
		return fault_set(f, FAULT_CONFIG,
		    "%s: not approved yet: run skerry enrol again", st->dir);
	case STATE_REVOKED:
		return fault_set(f, FAULT_DENIED,
		    "%s: this device was revoked", st->dir);
	default:
		return fault_set(f, FAULT_CONFIG,
		    "%s: no space here yet: run skerry init or skerry enrol",
		    st->dir);
	}
}

/* The policy. */

static int
parse_policy(const struct state *st, struct bytes body, struct policy **out,
    struct fault *f)
{
	struct sign_pub pinned;
	struct rd r = rd_from(body.p, body.n);
	int rc;

	rd_copy(&r, pinned.b, sizeof(pinned.b));
	if (r.failed)
		return fault_set(f, FAULT_CONFIG, "%s: " POLICY_FILE
		    ": damaged", st->dir);
	rc = policy_load(rd_take(&r, r.left), &pinned, out, f);
	if (rc == 0 || rc == FAULT_MEMORY)
		return rc;
	(void)fault_add(f, rc, "%s: " POLICY_FILE, st->dir);
	f->code = FAULT_CONFIG;
	return FAULT_CONFIG;
}

static int
load_policy(struct state *st, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc = file_load(st->fd, POLICY_FILE, FILE_POLICY, &b, f);

	if (rc != 0)
		return in_folder(st, rc, f);
	policy_free(st->policy);
	st->policy = NULL;
	return parse_policy(st, buf_bytes(&b), &st->policy, f);
}

static int
pin_policy(struct state *st, struct bytes file, const struct sign_pub *key,
    struct fault *f)
{
	struct buf body defer(buf_wipe) = buf_init(BODY_MAX);
	struct policy *p defer(policy_freep) = NULL;
	int rc = policy_load(file, key, &p, f);

	if (rc != 0)
		return rc;
	if (st->policy != NULL && p->serial < st->policy->serial)
		return fault_set(f, FAULT_ROLLBACK,
		    "policy: serial %llu is below the pinned %llu",
		    (unsigned long long)p->serial,
		    (unsigned long long)st->policy->serial);
	rc = buf_append(&body, p->signer.b, sizeof(p->signer.b));
	if (rc == 0)
		rc = buf_append(&body, file.p, file.n);
	if (rc != 0)
		return fault_add(f, rc, POLICY_FILE);
	rc = file_save(st->fd, POLICY_FILE, FILE_POLICY, buf_bytes(&body), f);
	if (rc != 0)
		return in_folder(st, rc, f);
	policy_free(st->policy);
	st->policy = take(p);
	return 0;
}

int
state_set_policy(struct state *st, struct bytes file, struct fault *f)
{
	struct sign_pub pinned = st->policy->signer;
	int lock defer(fd_close) = -1;
	int rc = lock_open(st, LOCK_FILE, LOCK_EX, &lock, f);

	if (rc == 0)
		rc = load_policy(st, f);
	if (rc != 0)
		return rc;
	return pin_policy(st, file, &pinned, f);
}

int
state_policy_bytes(const struct state *st, struct buf *out, struct fault *f)
{
	return in_folder(st, file_load(st->fd, POLICY_FILE, FILE_POLICY, out,
	    f), f);
}

/* The chain. */

static int
load_chain(const struct state *st, struct buf *raw, struct chain *out,
    struct fault *f)
{
	struct chain c defer(chain_wipe) = { 0 };
	int rc = file_load(st->fd, CHAIN_FILE, FILE_CHAIN, raw, f);

	if (rc == FAULT_NOT_FOUND)
		rc = 0;
	if (rc != 0)
		return in_folder(st, rc, f);
	rc = chain_append_all(&c, buf_bytes(raw));
	if (rc == FAULT_MEMORY)
		return fault_set(f, rc, "out of memory");
	if (rc != 0 || (c.n != 0 && st->binding.stage == STATE_READY &&
			   memcmp(c.account, st->binding.account, ID_LEN) != 0))
		return fault_set(f, FAULT_CONFIG, "%s: " CHAIN_FILE
		    ": damaged", st->dir);
	*out = c;
	c = (struct chain){ 0 };
	return 0;
}

static void
set_root(struct state *st, const struct buf *raw)
{
	const struct bytes first = bytes_of(raw->p, CHAIN_ENTRY_LEN);

	if (raw->n >= CHAIN_ENTRY_LEN)
		hash_sha256(&first, 1, st->root);
}

static int
add_entry(struct chain *c, struct buf *raw, uint32_t seq, struct bytes entry,
    struct fault *f)
{
	int rc;

	if (seq < c->n) {
		if (memcmp(raw->p + (size_t)seq * CHAIN_ENTRY_LEN, entry.p,
			CHAIN_ENTRY_LEN) != 0)
			return fault_set(f, FAULT_TRUST,
			    "device chain: entry %u is not the one that was "
			    "seen before", seq);
		return 0;
	}
	rc = chain_append(c, entry);
	if (rc == 0)
		rc = buf_append(raw, entry.p, entry.n);
	return rc == 0 ? 0 : fault_add(f, rc, "device chain: entry %u", seq);
}

int
state_add_chain(struct state *st, uint32_t seen, struct bytes entries,
    struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(BODY_MAX);
	struct chain c defer(chain_wipe) = { 0 };
	struct chain old;
	int lock defer(fd_close) = -1;
	uint32_t before;
	int rc = lock_open(st, LOCK_FILE, LOCK_EX, &lock, f);

	if (rc == 0)
		rc = load_chain(st, &raw, &c, f);
	if (rc != 0)
		return rc;
	if (entries.n % CHAIN_ENTRY_LEN != 0 || seen > c.n)
		return fault_set(f, FAULT_MALFORMED,
		    "device chain: not whole, or with a gap");
	before = c.n;
	for (size_t at = 0; rc == 0 && at < entries.n; at += CHAIN_ENTRY_LEN)
		rc = add_entry(&c, &raw,
		    seen + (uint32_t)(at / CHAIN_ENTRY_LEN),
		    bytes_of(entries.p + at, CHAIN_ENTRY_LEN), f);
	if (rc == 0 && c.n > before)
		rc = in_folder(st, file_save(st->fd, CHAIN_FILE, FILE_CHAIN,
			buf_bytes(&raw), f), f);
	if (rc != 0)
		return rc;
	set_root(st, &raw);
	old = st->chain;
	st->chain = c;
	c = old;
	return 0;
}

int
state_chain_bytes(const struct state *st, struct buf *out, struct fault *f)
{
	return in_folder(st, file_load(st->fd, CHAIN_FILE, FILE_CHAIN, out, f),
	    f);
}

/* The head last seen. */

static int
load_head(struct state *st, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(1024);
	struct state_head h = { .known = true };
	struct rd r;
	int rc = file_load(st->fd, HEAD_FILE, FILE_HEAD, &b, f);

	if (rc == FAULT_NOT_FOUND) {
		st->head = (struct state_head){ 0 };
		return 0;
	}
	if (rc != 0)
		return in_folder(st, rc, f);
	r = rd_from(b.p, b.n);
	h.number = rd_u64(&r);
	h.epoch = rd_u32(&r);
	rd_copy(&r, h.bytes, sizeof(h.bytes));
	rd_require(&r, h.number >= 1);
	if (rd_finish(&r) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: " HEAD_FILE
		    ": damaged", st->dir);
	st->head = h;
	return 0;
}

int
state_set_head(struct state *st, const struct state_head *head,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(1024);
	struct wr w = wr_to(&b);
	int lock defer(fd_close) = -1;
	int rc = lock_open(st, LOCK_FILE, LOCK_EX, &lock, f);

	if (rc == 0)
		rc = load_head(st, f);
	if (rc != 0)
		return rc;
	if (st->head.known && st->head.number >= head->number)
		return 0;
	wr_u64(&w, head->number);
	wr_u32(&w, head->epoch);
	wr_copy(&w, head->bytes, sizeof(head->bytes));
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_add(f, rc, HEAD_FILE);
	rc = in_folder(st, file_save(st->fd, HEAD_FILE, FILE_HEAD,
		buf_bytes(&b), f), f);
	if (rc == 0) {
		st->head = *head;
		st->head.known = true;
	}
	return rc;
}

/* What an unfinished init needs. */

static const struct {
	const char *name;
	enum file_kind kind;
} unfinished[] = {
	[STATE_OF_INIT] = { "pending", FILE_PENDING },
	[STATE_OF_RECOVERY] = { "recovery", FILE_RECOVERY },
};

int
state_set_pending(struct state *st, enum state_pending of, struct bytes data,
    struct fault *f)
{
	return in_folder(st, file_save(st->fd, unfinished[of].name,
		unfinished[of].kind, data, f), f);
}

int
state_get_pending(struct state *st, enum state_pending of, struct buf *out,
    struct fault *f)
{
	return in_folder(st, file_load(st->fd, unfinished[of].name,
		unfinished[of].kind, out, f), f);
}

bool
state_has_pending(const struct state *st, enum state_pending of)
{
	return faccessat(st->fd, unfinished[of].name, F_OK, 0) == 0;
}

bool
state_owed(struct state *st, uint32_t *epoch)
{
	struct buf b defer(buf_wipe) = buf_init(STATE_PENDING_MAX);
	struct fault scrap = { 0 };
	struct rd r;

	if (state_get_pending(st, STATE_OF_RECOVERY, &b, &scrap) != 0)
		return false;
	r = rd_from(b.p, b.n);
	*epoch = rd_u32(&r);
	return rd_finish(&r) == 0;
}

int
state_drop_pending(struct state *st, enum state_pending of, struct fault *f)
{
	return in_folder(st, file_remove(st->fd, unfinished[of].name, f), f);
}

/* All of it. */

int
state_open(const char *dir, struct state **out, struct fault *f)
{
	struct state *st defer(state_closep) = NULL;
	struct buf raw defer(buf_wipe) = buf_init(BODY_MAX);
	int lock defer(fd_close) = -1;
	int rc = dir_open(dir, &st, f);

	if (rc != 0)
		return rc;
	if (faccessat(st->fd, DEVICE_FILE, F_OK, 0) != 0 ||
	    faccessat(st->fd, BINDING_FILE, F_OK, 0) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: no space here yet: run skerry init or skerry enrol",
		    dir);
	rc = lock_open(st, LOCK_FILE, LOCK_SH, &lock, f);
	if (rc == 0)
		rc = load_device(st, f);
	if (rc == 0)
		rc = load_binding(st, f);
	if (rc == 0)
		rc = load_policy(st, f);
	if (rc == 0)
		rc = load_chain(st, &raw, &st->chain, f);
	set_root(st, &raw);
	if (rc == 0)
		rc = load_head(st, f);
	if (rc == FAULT_NOT_FOUND) {
		f->code = FAULT_CONFIG;
		rc = FAULT_CONFIG;
	}
	if (rc == 0)
		*out = take(st);
	return rc;
}

/* A missing file is fine where the folder is being set up. */
static int
or_missing(int rc)
{
	return rc == FAULT_NOT_FOUND ? 0 : rc;
}

static int
begin_policy(struct state *st, struct bytes policy, const struct sign_pub *key,
    struct fault *f)
{
	struct sign_pub pinned;
	int rc = or_missing(load_policy(st, f));

	if (rc != 0)
		return rc;
	if (st->policy == NULL)
		return pin_policy(st, policy, key, f);
	pinned = st->policy->signer;
	if (key != NULL && memcmp(key->b, pinned.b, sizeof(pinned.b)) != 0)
		return fault_set(f, FAULT_TRUST,
		    "%s: another policy key is pinned here", st->dir);
	return pin_policy(st, policy, &pinned, f);
}

int
state_begin(const char *dir, struct bytes policy, const struct sign_pub *key,
    struct state **out, struct fault *f)
{
	struct state *st defer(state_closep) = NULL;
	struct buf raw defer(buf_wipe) = buf_init(BODY_MAX);
	struct policy *p defer(policy_freep) = NULL;
	int rc;

	/* Nothing is made where the policy is no good. */
	rc = policy_load(policy, key, &p, f);
	if (rc == 0)
		rc = path_make(dir, 0700, f);
	if (rc == 0)
		rc = dir_open(dir, &st, f);
	if (rc == 0)
		rc = state_setup(st, f);
	if (rc == 0)
		rc = begin_policy(st, policy, key, f);
	if (rc != 0)
		return rc;
	rc = load_device(st, f);
	if (rc == FAULT_NOT_FOUND)
		rc = make_device(st, f);
	if (rc == 0)
		rc = or_missing(load_binding(st, f));
	if (rc == 0)
		rc = load_chain(st, &raw, &st->chain, f);
	set_root(st, &raw);
	if (rc == 0)
		rc = load_head(st, f);
	if (rc == 0)
		*out = take(st);
	return rc;
}

int
state_authority(const struct state *st, const struct policy_authority **out,
    struct fault *f)
{
	const struct policy_authority *a = policy_find_authority(st->policy,
	    st->binding.authority);

	if (a == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "policy: it has no authority %s any more",
		    st->binding.authority);
	*out = a;
	return 0;
}

int
state_depot(const struct state *st, const struct policy_depot **out,
    struct fault *f)
{
	const struct policy_residency *r = policy_find_residency(st->policy,
	    st->binding.residency);
	const struct policy_depot *d = policy_find_depot(st->policy,
	    st->binding.depot);

	if (r == NULL || d == NULL || !policy_allows(r, d->name))
		return fault_set(f, FAULT_CONFIG,
		    "policy: residency %s does not allow depot %s any more",
		    st->binding.residency, st->binding.depot);
	*out = d;
	return 0;
}

static int
cache_home(const struct state *st, char **out, struct fault *f)
{
	const char *v = getenv("XDG_CACHE_HOME");

	if (v != NULL && v[0] == '/')
		return join(v, "skerry", out, f);
	v = getenv("HOME");
	if (v != NULL && v[0] == '/')
		return join(v, ".cache/skerry", out, f);
	return join(st->dir, "cache", out, f);
}

static void
free_text(char **p)
{
	free(*p);
}

int
state_cache_dir(const struct state *st, struct fault *f)
{
	char space[TEXT_HEX_SIZE(ID_LEN)], device[TEXT_HEX_SIZE(4)];
	char name[TEXT_HEX_SIZE(ID_LEN) + TEXT_HEX_SIZE(4) + 1];
	char *home defer(free_text) = NULL;
	char *path defer(free_text) = NULL;
	int rc = cache_home(st, &home, f);
	int fd;

	text_hex(st->binding.space, ID_LEN, space, sizeof(space));
	text_hex(st->device, 4, device, sizeof(device));
	(void)snprintf(name, sizeof(name), "%s-%s", space, device);
	if (rc == 0)
		rc = join(home, name, &path, f);
	if (rc == 0)
		rc = path_make(path, 0700, f);
	if (rc != 0)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : fd_fault(path, f);
}
