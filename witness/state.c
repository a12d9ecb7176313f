// SPDX-License-Identifier: Apache-2.0
/*
 * One lock a log: comparing with the last checkpoint, making the next durable
 * and remembering it are one step.  spec/60-log.md, Witnesses.
 */
#include "witness/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/hash.h"
#include "store/stage.h"
#include "tlog/checkpoint.h"
#include "tlog/cosig.h"
#include "tlog/line.h"
#include "tlog/submit.h"

#define HEX 65

struct origin {
	pthread_mutex_t lock;
	char name[NOTE_NAME_MAX + 1];
	uint8_t hash[32];
	char file[HEX];
	size_t keys[4]; /* places in state.key; a log that changes its key */
	size_t nkeys;
	uint64_t size;  /* of the last cosigned checkpoint; 0 for none */
	struct merkle_hash root;
	struct buf note; /* it, with its signatures; empty for none */
};

struct state {
	int fd, lock;
	const struct sign_key *sign;
	const struct note_key *pub;
	pthread_mutex_t tmp; /* stage's files have fixed names */
	struct note_key *key;
	struct origin *origin;
	size_t norigins;
};

static void
unlockp(pthread_mutex_t **m)
{
	(void)pthread_mutex_unlock(*m);
}

int
state_fd(const struct state *s)
{
	return s->fd;
}

static struct origin *
find(struct state *s, struct bytes name)
{
	for (size_t i = 0; i < s->norigins; i++)
		if (line_is(name, s->origin[i].name))
			return &s->origin[i];
	return NULL;
}

static int
add_key(struct state *s, size_t at, struct fault *f)
{
	const char *name = s->key[at].name;
	const struct bytes b = bytes_of(name, strlen(name));
	struct origin *o = find(s, b);

	if (o == NULL) {
		o = &s->origin[s->norigins++];
		(void)snprintf(o->name, sizeof(o->name), "%s", name);
		hash_sha256(&b, 1, o->hash);
		for (unsigned i = 0; i < 32; i++)
			(void)snprintf(o->file + 2 * i, 3, "%02x", o->hash[i]);
		o->note = buf_init(NOTE_MAX);
		merkle_empty(&o->root);
		(void)pthread_mutex_init(&o->lock, NULL);
	}
	if (o->nkeys == ARRAY_LEN(o->keys))
		return fault_set(f, FAULT_CONFIG, "logs: %s: too many keys",
		    name);
	o->keys[o->nkeys++] = at;
	return 0;
}

/* 0 where a key of the log signed n and none did so wrongly. */
static int
check_log(const struct state *s, const struct origin *o, const struct note *n)
{
	bool any = false;

	for (size_t i = 0; i < o->nkeys; i++) {
		int rc = note_verify(n, &s->key[o->keys[i]]);

		if (rc != 0 && rc != FAULT_NOT_FOUND)
			return rc;
		any = any || rc == 0;
	}
	return any ? 0 : FAULT_TRUST;
}

static int
load(struct state *s, struct origin *o, struct fault *f)
{
	struct checkpoint c;
	struct note n;
	uint64_t time;
	int rc = stage_read(s->fd, o->file, &o->note, f);

	if (rc == FAULT_NOT_FOUND)
		return 0;
	if (rc != 0)
		return rc;
	rc = note_parse(buf_bytes(&o->note), &n);
	if (rc == 0)
		rc = checkpoint_parse(n.text, &c);
	/* A log's key, or the witness's own, may have been replaced. */
	if (rc == 0 && (!line_is(c.origin, o->name) ||
	    (cosig_verify(&n, s->pub, &time) != 0 &&
	    check_log(s, o, &n) != 0)))
		rc = FAULT_TAMPERED;
	if (rc != 0)
		return fault_set(f, FAULT_TAMPERED,
		    "%s: not a checkpoint of %s", o->file, o->name);
	o->size = c.size;
	o->root = c.root;
	return 0;
}

/* make: the file that says whose folder it is may be missing. */
static int
open_dir(struct state *s, const char *dir, bool make, struct fault *f)
{
	struct stat st;

	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd >= 0)
		s->lock = openat(s->fd, "lock",
		    O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
	if (s->fd < 0 || (s->lock < 0 && (make || errno != ENOENT)))
		return fault_sys(f, FAULT_CONFIG, errno, "state: %s", dir);
	if (fstatat(s->fd, "tmp", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(st.st_mode))
		return fault_sys(f, FAULT_CONFIG, ENOTDIR, "state: %s/tmp",
		    dir);
	return 0;
}

static int
own_dir(struct state *s, const char *dir, struct fault *f)
{
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		return fault_set(f, FAULT_CONFLICT,
		    "state: %s: another process has it", dir);
	return stage_clean(s->fd, f);
}

static int
new(const struct note_key *logs, size_t n, struct state_signer as,
    struct state **out, struct fault *f)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "state");
	s->sign = as.key;
	s->pub = as.pub;
	s->fd = s->lock = -1;
	(void)pthread_mutex_init(&s->tmp, NULL);
	s->key = calloc(n, sizeof(*s->key));
	s->origin = calloc(n, sizeof(*s->origin));
	if (s->key == NULL || s->origin == NULL)
		rc = fault_set(f, FAULT_MEMORY, "state");
	else
		memcpy(s->key, logs, n * sizeof(*logs));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_key(s, i, f);
	if (rc != 0)
		state_close(s);
	else
		*out = s;
	return rc;
}

static int
load_all(struct state *s, const char *dir, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->norigins; i++)
		rc = load(s, &s->origin[i], f);
	return rc != 0 ? fault_add(f, rc, "state: %s", dir) : 0;
}

int
state_check(const char *dir, const struct note_key *logs, size_t n,
    struct state_signer as, struct fault *f)
{
	struct state *s;
	int rc = new(logs, n, as, &s, f);

	if (rc != 0)
		return rc;
	rc = open_dir(s, dir, false, f);
	if (rc == 0)
		rc = load_all(s, dir, f);
	state_close(s);
	return rc;
}

int
state_open(const char *dir, const struct note_key *logs, size_t n,
    struct state_signer as, struct state **out, struct fault *f)
{
	struct state *s;
	int rc = new(logs, n, as, &s, f);

	if (rc != 0)
		return rc;
	rc = open_dir(s, dir, true, f);
	if (rc == 0)
		rc = own_dir(s, dir, f);
	if (rc == 0)
		rc = load_all(s, dir, f);
	if (rc != 0)
		state_close(s);
	else
		*out = s;
	return rc;
}

void
state_close(struct state *s)
{
	for (size_t i = 0; i < s->norigins; i++) {
		buf_wipe(&s->origin[i].note);
		(void)pthread_mutex_destroy(&s->origin[i].lock);
	}
	if (s->lock >= 0)
		(void)close(s->lock);
	if (s->fd >= 0)
		(void)close(s->fd);
	(void)pthread_mutex_destroy(&s->tmp);
	free(s->origin);
	free(s->key);
	free(s);
}

static int
persist(struct state *s, const struct origin *o, struct bytes note,
    struct fault *f)
{
	pthread_mutex_t *held defer(unlockp) = &s->tmp;
	struct stage stage;
	int rc;

	(void)pthread_mutex_lock(held);
	stage_init(&stage, s->fd);
	rc = stage_put(&stage, o->file, note, f);
	if (rc == 0)
		rc = stage_commit(&stage, f);
	stage_abort(&stage);
	return rc;
}

/* The text, the signatures of the log, and line. */
static int
compose(const struct state *s, const struct origin *o, const struct note *n,
    struct bytes line, struct buf *out)
{
	int rc = buf_append(out, n->text.p, n->text.n);

	if (rc == 0)
		rc = line_put(out, "\n");
	for (size_t i = 0; rc == 0 && i < o->nkeys; i++) {
		const struct note_key *key = &s->key[o->keys[i]];
		uint8_t sig[SIGN_LEN];
		size_t at = 0;
		const struct note_sig *found = note_find(n, key, &at);

		if (found != NULL)
			rc = note_sig_bytes(found, sig, sizeof(sig));
		if (rc == 0 && found != NULL)
			rc = note_line(key, bytes_of(sig, sizeof(sig)), out);
	}
	return rc != 0 ? rc : buf_append(out, line.p, line.n);
}

/* Under the origin's lock, all checks done. */
static enum state_answer
cosign(struct state *s, struct origin *o, const struct note *n,
    uint64_t now, struct buf *line, struct fault *f)
{
	struct buf own defer(buf_wipe) = buf_init(NOTE_MAX);
	struct buf note defer(buf_wipe) = buf_init(NOTE_MAX);
	int rc = cosig_make(n->text, now, s->pub, s->sign, &own);

	if (rc == 0)
		rc = compose(s, o, n, buf_bytes(&own), &note);
	if (rc == 0)
		rc = buf_reserve(line, own.n);
	if (rc != 0) {
		(void)fault_set(f, rc, "cosign: %s", fault_text(rc));
		return STATE_FAILED;
	}
	/* [log] persisted before it is answered. */
	if (persist(s, o, buf_bytes(&note), f) != 0)
		return STATE_FAILED;
	buf_wipe(&o->note);
	o->note = note;
	note = buf_init(0);
	rc = buf_append(line, own.p, own.n);
	return rc == 0 ? STATE_COSIGNED : STATE_FAILED;
}

/* As the specification orders them. */
static enum state_answer
judge(const struct origin *o, const struct submit *r,
    const struct checkpoint *c, uint64_t *size)
{
	struct merkle_hash empty;

	if (r->old > c->size)
		return STATE_MALFORMED;
	if (r->old != o->size) {
		*size = o->size;
		return STATE_CONFLICT;
	}
	merkle_empty(&empty);
	if (c->size == 0 && memcmp(&c->root, &empty, sizeof(empty)) != 0)
		return STATE_REFUSED;
	return merkle_check_consistency(&r->proof, r->old, c->size, &o->root,
	    &c->root) == 0 ? STATE_COSIGNED : STATE_REFUSED;
}

enum state_answer
state_add(struct state *s, struct bytes body, uint64_t now, struct buf *line,
    uint64_t *size, struct fault *f)
{
	struct checkpoint c;
	struct submit r;
	struct note n;
	struct origin *o;
	enum state_answer answer;

	if (submit_parse(body, &r) != 0 || note_parse(r.checkpoint, &n) != 0 ||
	    checkpoint_parse(n.text, &c) != 0)
		return STATE_MALFORMED;
	o = find(s, c.origin);
	if (o == NULL)
		return STATE_UNKNOWN;
	if (check_log(s, o, &n) != 0)
		return STATE_UNTRUSTED;
	(void)pthread_mutex_lock(&o->lock);
	answer = judge(o, &r, &c, size);
	if (answer == STATE_COSIGNED)
		answer = cosign(s, o, &n, now, line, f);
	if (answer == STATE_COSIGNED) {
		o->size = c.size;
		o->root = c.root;
	}
	(void)pthread_mutex_unlock(&o->lock);
	return answer;
}

int
state_get(struct state *s, const uint8_t hash[static 32], struct buf *out)
{
	for (size_t i = 0; i < s->norigins; i++) {
		struct origin *o = &s->origin[i];
		int rc;

		if (memcmp(o->hash, hash, sizeof(o->hash)) != 0)
			continue;
		(void)pthread_mutex_lock(&o->lock);
		rc = o->note.n == 0 ? FAULT_NOT_FOUND :
		    buf_append(out, o->note.p, o->note.n);
		(void)pthread_mutex_unlock(&o->lock);
		return rc;
	}
	return FAULT_NOT_FOUND;
}
