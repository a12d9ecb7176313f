// SPDX-License-Identifier: Apache-2.0
/* client/DESIGN.md, Log. */
#include "client/logpin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "client/file.h"
#include "client/state.h"
#include "crypt/hash.h"
#include "tlog/trust.h"

#define LOGS_FILE "logs"
#define KEY_FILE "log.key"
#define TRUST_FILE "trust"
#define ASKED_FILE "asked"
#define BODY_MAX (32u * 1024 * 1024) /* a thousand logs and more */
#define ASKED_MAX (1u << 30) /* 33 million requests */
#define ASKED_LABEL "skerry asked v1"
/* i64 created ‖ nonce ‖ first 8 bytes of SHA-256(label ‖ all before) */
#define RECORD_LEN (8 + HTTPSIG_NONCE_LEN + 8)

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* The pinned checkpoints. */

static bool
get_pin(struct rd *r, struct logpin *p)
{
	size_t origin = rd_u8(r), n;
	struct bytes note;

	rd_require(r, origin >= 1);
	rd_copy(r, p->origin, origin);
	p->size = rd_u64(r);
	rd_copy(r, p->root.b, MERKLE_LEN);
	n = rd_u32(r);
	rd_require(r, n <= LOGPIN_NOTE_MAX && p->size >= 1 &&
	    p->size <= MERKLE_SIZE_MAX);
	note = rd_take(r, n);
	rd_require(r, strlen(p->origin) == origin);
	p->note = (struct buf){ .p = (uint8_t *)(uintptr_t)note.p,
		.n = note.n };
	return !r->failed;
}

/* note of each pin is borrowed from body. */
int
logpin_parse(struct bytes body, int (*each)(void *arg, const struct logpin *p),
    void *arg)
{
	struct rd r = rd_from(body.p, body.n);

	while (r.left != 0 && !r.failed) {
		struct logpin p = { 0 };
		int rc;

		if (!get_pin(&r, &p))
			return FAULT_MALFORMED;
		rc = each(arg, &p);
		if (rc != 0)
			return rc;
	}
	return rd_finish(&r);
}

static int
put_pin(const struct logpin *p, struct buf *out)
{
	struct wr w = wr_to(out);
	size_t n = strlen(p->origin);

	wr_u8(&w, (uint8_t)n);
	wr_copy(&w, p->origin, n);
	wr_u64(&w, p->size);
	wr_copy(&w, p->root.b, MERKLE_LEN);
	wr_u32(&w, (uint32_t)p->note.n);
	wr_copy(&w, p->note.p, p->note.n);
	return wr_finish(&w);
}

struct pick {
	struct logpin *found; /* the one with the same origin */
	struct buf *others;   /* the rest goes here, or NULL */
};

static int
pick(void *arg, const struct logpin *p)
{
	struct pick *k = arg;

	if (strcmp(p->origin, k->found->origin) != 0)
		return k->others == NULL ? 0 : put_pin(p, k->others);
	if (k->found->size != 0)
		return FAULT_MALFORMED; /* twice */
	k->found->size = p->size;
	k->found->root = p->root;
	k->found->note = buf_init(LOGPIN_NOTE_MAX);
	return buf_append(&k->found->note, p->note.p, p->note.n);
}

static int
load(const struct state *st, struct pick *k, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(BODY_MAX);
	int rc = file_load(st->fd, LOGS_FILE, FILE_LOGS, &b, f);

	if (rc == FAULT_NOT_FOUND)
		return 0;
	if (rc != 0)
		return fault_add(f, rc, "%s", st->dir);
	rc = logpin_parse(buf_bytes(&b), pick, k);
	if (rc == FAULT_MALFORMED)
		return fault_set(f, FAULT_CONFIG, "%s: " LOGS_FILE
		    ": damaged", st->dir);
	return rc == 0 ? 0 : fault_add(f, rc, "%s: " LOGS_FILE, st->dir);
}

int
logpin_get(const struct state *st, const char *origin, struct logpin *out,
    struct fault *f)
{
	struct logpin p = { .note = buf_init(LOGPIN_NOTE_MAX) };
	struct pick k = { .found = &p };
	size_t n = strlen(origin);
	int rc;

	if (n >= sizeof(p.origin))
		return fault_set(f, FAULT_LIMIT, "%s: too long", origin);
	memcpy(p.origin, origin, n + 1);
	rc = load(st, &k, f);
	if (rc != 0)
		logpin_wipe(&p);
	else
		*out = p;
	return rc;
}

void
logpin_wipe(struct logpin *p)
{
	buf_wipe(&p->note);
}

int
logpin_set(const struct state *st, const struct logpin *p,
    struct logpin *now, struct fault *f)
{
	struct buf body defer(buf_wipe) = buf_init(BODY_MAX);
	struct logpin old = { .note = buf_init(LOGPIN_NOTE_MAX) };
	struct pick k = { .found = &old, .others = &body };
	int lock defer(close_fd) = -1;
	int rc = state_lock(st, &lock, f);

	memcpy(old.origin, p->origin, sizeof(old.origin));
	if (rc == 0)
		rc = load(st, &k, f);
	if (rc == 0 && old.size < p->size) {
		rc = put_pin(p, &body);
		if (rc == 0)
			rc = file_save(st->fd, LOGS_FILE, FILE_LOGS,
			    buf_bytes(&body), f);
		if (rc != 0)
			rc = fault_add(f, rc, "%s: " LOGS_FILE, st->dir);
	}
	if (rc == 0 && now != NULL && old.size >= p->size) {
		*now = old;
		return 0;
	}
	logpin_wipe(&old);
	if (rc == 0 && now != NULL) {
		*now = *p;
		now->note = buf_init(LOGPIN_NOTE_MAX);
		rc = buf_append(&now->note, p->note.p, p->note.n);
	}
	return rc;
}

/* The log key. */

int
logpin_key(const struct state *st, struct leaf_log_key *out, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(256);
	int rc;

	if (faccessat(st->fd, KEY_FILE, F_OK, 0) != 0 && errno == ENOENT)
		return FAULT_NOT_FOUND;
	rc = file_load(st->fd, KEY_FILE, FILE_LOG_KEY, &b, f);
	if (rc == 0 && b.n != sizeof(out->b))
		rc = fault_set(f, FAULT_CONFIG, KEY_FILE ": damaged");
	if (rc != 0)
		return fault_add(f, rc, "%s", st->dir);
	memcpy(out->b, b.p, sizeof(out->b));
	return 0;
}

int
logpin_set_key(const struct state *st, const struct leaf_log_key *key,
    struct fault *f)
{
	int rc = file_save(st->fd, KEY_FILE, FILE_LOG_KEY,
	    bytes_of(key->b, sizeof(key->b)), f);

	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

/* The trust file. */

int
logpin_trust(const struct state *st, struct buf *out, struct fault *f)
{
	int rc = file_load(st->fd, TRUST_FILE, FILE_TRUST, out, f);

	if (rc == FAULT_NOT_FOUND)
		return 0;
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

int
logpin_set_trust(const struct state *st, struct bytes file, struct fault *f)
{
	struct trust *t = NULL;
	unsigned line = 0;
	int rc;

	if (file.n == 0) {
		rc = file_remove(st->fd, TRUST_FILE, f);
		return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
	}
	rc = trust_parse(file, &t, &line);
	free(t);
	if (rc != 0)
		return fault_set(f, rc, "trust file, line %u: %s", line,
		    fault_text(rc));
	rc = file_save(st->fd, TRUST_FILE, FILE_TRUST, file, f);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", st->dir);
}

/* The requests that were sent. */

static void
record_check(struct bytes record, uint8_t out[static 8])
{
	const struct bytes part[] = {
		bytes_of(ASKED_LABEL, strlen(ASKED_LABEL)), record };
	uint8_t h[HASH_LEN];

	hash_sha256(part, ARRAY_LEN(part), h);
	memcpy(out, h, 8);
}

static bool
record_holds(const uint8_t *p)
{
	uint8_t check[8];

	record_check(bytes_of(p, RECORD_LEN - 8), check);
	return memcmp(check, p + RECORD_LEN - 8, 8) == 0;
}

static int
by_nonce(const void *a, const void *b)
{
	return memcmp(a, b, HTTPSIG_NONCE_LEN);
}

/* What a crash left at the end, of one record at most, was never sent: it was
 * not durable.  Nothing else is an accident of writing. */
int
logpin_asked_parse(struct bytes file, struct logpin_asked *out, size_t *good)
{
	size_t n = file.n / RECORD_LEN, whole = 0;
	uint8_t (*nonce)[HTTPSIG_NONCE_LEN] = malloc(n * HTTPSIG_NONCE_LEN + 1);

	if (nonce == NULL)
		return FAULT_MEMORY;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = file.p + i * RECORD_LEN;

		if (!record_holds(p))
			continue;
		if (whole != i) {
			free(nonce);
			return FAULT_CONFIG;
		}
		memcpy(nonce[whole++], p + 8, HTTPSIG_NONCE_LEN);
	}
	if (file.n - whole * RECORD_LEN > RECORD_LEN) {
		free(nonce);
		return FAULT_CONFIG;
	}
	qsort(nonce, whole, HTTPSIG_NONCE_LEN, by_nonce);
	*out = (struct logpin_asked){ .nonce = nonce, .n = whole };
	*good = whole * RECORD_LEN;
	return 0;
}

static int
asked_fail(const struct state *st, struct fault *f)
{
	int err = errno;

	return fault_sys(f, fault_from_errno(err), err, "%s: " ASKED_FILE,
	    st->dir);
}

/* Where the next record goes: after the last whole one. */
static int
asked_end(const struct state *st, int fd, off_t *out, struct fault *f)
{
	uint8_t last[RECORD_LEN];
	struct stat sb;
	off_t at;

	if (fstat(fd, &sb) != 0)
		return asked_fail(st, f);
	if ((sb.st_mode & 077) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: " ASKED_FILE
		    ": others may read it", st->dir);
	for (at = sb.st_size / RECORD_LEN * RECORD_LEN;
	    at > 0 && sb.st_size - at <= RECORD_LEN; at -= RECORD_LEN) {
		if (pread(fd, last, sizeof(last), at - RECORD_LEN) !=
		    RECORD_LEN)
			return asked_fail(st, f);
		if (record_holds(last))
			break;
	}
	if (sb.st_size - at > RECORD_LEN)
		return fault_set(f, FAULT_CONFIG, "%s: " ASKED_FILE
		    ": damaged", st->dir);
	if (at != sb.st_size && ftruncate(fd, at) != 0)
		return asked_fail(st, f);
	*out = at;
	return 0;
}

int
logpin_ask(const struct state *st, const struct httpsig *params,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(RECORD_LEN);
	struct wr w = wr_to(&b);
	uint8_t check[8];
	int lock defer(close_fd) = -1;
	int fd defer(close_fd) = -1;
	off_t at = 0;
	int rc = state_lock(st, &lock, f);

	if (rc != 0)
		return rc;
	wr_u64(&w, (uint64_t)params->created);
	wr_copy(&w, params->nonce, HTTPSIG_NONCE_LEN);
	if (wr_finish(&w) == 0)
		record_check(buf_bytes(&b), check);
	wr_copy(&w, check, sizeof(check));
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_add(f, rc, ASKED_FILE);
	fd = openat(st->fd, ASKED_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return asked_fail(st, f);
	rc = asked_end(st, fd, &at, f);
	errno = ENOSPC; /* of a write that is short */
	if (rc == 0 && (pwrite(fd, b.p, b.n, at) != (ssize_t)b.n ||
			   fdatasync(fd) != 0 ||
			   (at == 0 && fsync(st->fd) != 0)))
		rc = asked_fail(st, f);
	return rc;
}

int
logpin_asked(const struct state *st, struct logpin_asked *out,
    struct fault *f)
{
	int lock defer(close_fd) = -1;
	struct buf b defer(buf_wipe) = buf_init(ASKED_MAX);
	size_t good;
	int rc = state_lock(st, &lock, f);

	if (rc == 0)
		rc = file_check_mode(st->fd, ASKED_FILE, f);
	if (rc == 0)
		rc = file_read(st->fd, ASKED_FILE, &b, f);
	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return fault_add(f, rc, "%s", st->dir);
	rc = logpin_asked_parse(buf_bytes(&b), out, &good);
	return rc == 0 ? 0 : fault_set(f, rc, "%s: " ASKED_FILE ": %s",
	    st->dir, rc == FAULT_CONFIG ? "damaged" : fault_text(rc));
}

bool
logpin_was_asked(const struct logpin_asked *a,
    const uint8_t nonce[static HTTPSIG_NONCE_LEN])
{
	return a->n != 0 && bsearch(nonce, a->nonce, a->n, HTTPSIG_NONCE_LEN,
	    by_nonce) != NULL;
}
