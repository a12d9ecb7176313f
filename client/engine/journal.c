// SPDX-License-Identifier: Apache-2.0
#include "client/engine/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "crypt/bulk.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"

#define SALT_LEN 32u
#define HEADER_LEN (4u + SALT_LEN)
/* Entries of one record: a pack of the smallest chunks. */
#define RECORD_MAX 1048576u
#define FILE_MAX (1u << 30)

struct journal {
	int fd;
	const struct space_key *key; /* borrowed */
	pthread_mutex_t lock;
	bool torn; /* what lies behind end is no whole record */
	off_t end;
};

/* With all that is in it, as far as it goes. */
static void
throw_away(int dir, const char *name)
{
	const struct dirent *e;
	DIR *d;
	int fd;

	if (unlinkat(dir, name, 0) == 0)
		return;
	fd = openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			throw_away(fd, e->d_name);
	if (d != NULL)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(dir, name, AT_REMOVEDIR);
}

/* -1: errno says why. */
static int
open_file(int dir)
{
	int fd = openat(dir, "journal",
	    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	(void)close(fd);
	errno = EISDIR;
	return -1;
}

int
journal_open(int dir, const struct space_key *key, struct journal **out,
    struct fault *f)
{
	struct journal *j defer(journal_closep) = calloc(1, sizeof(*j));

	*out = NULL;
	if (j == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	j->key = key;
	(void)pthread_mutex_init(&j->lock, NULL);
	j->fd = open_file(dir);
	/* What is no file of ours makes room for one: it is a cache. */
	if (j->fd < 0 && (errno == EISDIR || errno == ELOOP ||
	    errno == ENXIO || errno == EACCES)) {
		throw_away(dir, "journal");
		j->fd = open_file(dir);
	}
	if (j->fd < 0 && (errno == EROFS || errno == ENOSPC ||
	    errno == EDQUOT || errno == EACCES || errno == EPERM))
		return 0;
	if (j->fd < 0)
		return fault_sys(f, fault_from_errno(errno), errno,
		    "the cache folder's journal");
	if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
		return fault_set(f, FAULT_CONFLICT,
		    "another command is storing to this space from here");
	*out = take(j);
	return 0;
}

static int
record_key(const struct space_key *key, const uint8_t *salt,
    struct seal_key *out)
{
	return kdf_hkdf(bytes_of(key->b, KEY_LEN), bytes_of(salt, SALT_LEN),
	    "skerry/1 journal", out->b, KEY_LEN);
}

/* Opens body in place (its caller's copy) and hands out the entries. */
static int
open_body(const struct seal_key *k, const uint8_t *count, uint8_t *body,
    size_t n, int (*each)(void *arg, const struct index_entry *e), void *arg,
    int *opened)
{
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct index_entry e;
	int rc;

	*opened = 0;
	if (b == NULL)
		return FAULT_MEMORY;
	if (bulk_open(b, k, 0, bytes_of(count, 4),
	    bytes_of(body, n * INDEX_ENTRY_LEN + BULK_TAG_LEN), body) != 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (index_entry_decode(bytes_of(body + i * INDEX_ENTRY_LEN,
		    INDEX_ENTRY_LEN), &e) != 0)
			return 0;
		rc = each(arg, &e);
		if (rc != 0)
			return rc;
	}
	*opened = 1;
	return 0;
}

long
journal_record(const struct space_key *key, struct bytes in,
    int (*each)(void *arg, const struct index_entry *e), void *arg)
{
	struct rd r = rd_from(in.p, in.n);
	uint32_t n = rd_u32(&r);
	struct bytes salt = rd_take(&r, SALT_LEN), body;
	struct seal_key k;
	uint8_t *copy;
	int rc, opened;

	if (r.failed || n == 0 || n > RECORD_MAX)
		return 0;
	body = rd_take(&r, (size_t)n * INDEX_ENTRY_LEN + BULK_TAG_LEN);
	if (r.failed)
		return 0;
	copy = malloc(body.n);
	if (copy == NULL)
		return FAULT_MEMORY;
	memcpy(copy, body.p, body.n);
	rc = record_key(key, salt.p, &k);
	if (rc == 0)
		rc = open_body(&k, in.p, copy, n, each, arg, &opened);
	secret_wipe(&k, sizeof(k));
	secret_wipe(copy, body.n);
	free(copy);
	if (rc != 0)
		return rc;
	return opened ? (long)(HEADER_LEN + body.n) : 0;
}

int
journal_read(struct journal *j,
    int (*each)(void *arg, const struct index_entry *e), void *arg)
{
	struct stat st;
	uint8_t *p;
	size_t at = 0, n;
	long used = 0;

	if (fstat(j->fd, &st) != 0 || st.st_size <= 0 ||
	    st.st_size > (off_t)FILE_MAX)
		return 0;
	n = (size_t)st.st_size;
	p = malloc(n);
	if (p == NULL)
		return FAULT_MEMORY;
	if (pread(j->fd, p, n, 0) == (ssize_t)n)
		while (at < n && (used = journal_record(j->key,
		    bytes_of(p + at, n - at), each, arg)) > 0)
			at += (size_t)used;
	free(p);
	if (used < 0)
		return (int)used;
	/* What follows a torn record must be found by the next reader. */
	if (at < n && ftruncate(j->fd, (off_t)at) != 0)
		return 0;
	return 0;
}

/* A record that a full disk tore would hide those after it: it is taken back,
 * and where that fails, before the next one. */
static void
append(struct journal *j, const uint8_t *p, size_t n)
{
	struct stat st;

	if (j->torn && ftruncate(j->fd, j->end) != 0)
		return;
	j->torn = false;
	if (fstat(j->fd, &st) != 0)
		return;
	j->end = st.st_size;
	if (write(j->fd, p, n) != (ssize_t)n)
		j->torn = ftruncate(j->fd, j->end) != 0;
}

void
journal_add(struct journal *j, const struct index_entry *e, size_t n)
{
	size_t len = HEADER_LEN + n * INDEX_ENTRY_LEN + BULK_TAG_LEN;
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct buf out defer(buf_wipe) = buf_init(len);
	struct wr w = wr_to(&out);
	uint8_t salt[SALT_LEN], plain[INDEX_ENTRY_LEN];
	struct seal_key k;

	secret_random(salt, sizeof(salt));
	wr_u32(&w, (uint32_t)n);
	wr_copy(&w, salt, sizeof(salt));
	for (size_t i = 0; i < n; i++) {
		index_entry_encode(&e[i], plain);
		wr_copy(&w, plain, sizeof(plain));
	}
	secret_wipe(plain, sizeof(plain));
	if (b == NULL || wr_finish(&w) != 0 ||
	    buf_reserve(&out, BULK_TAG_LEN) != 0 ||
	    record_key(j->key, salt, &k) != 0)
		return;
	if (bulk_seal(b, &k, 0, bytes_of(out.p, 4),
	    bytes_of(out.p + HEADER_LEN, n * INDEX_ENTRY_LEN),
	    out.p + HEADER_LEN) == 0) {
		(void)pthread_mutex_lock(&j->lock);
		append(j, out.p, len);
		(void)pthread_mutex_unlock(&j->lock);
	}
	secret_wipe(&k, sizeof(k));
}

void
journal_clear(struct journal *j)
{
	if (ftruncate(j->fd, 0) == 0)
		j->torn = false;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	(void)pthread_mutex_destroy(&j->lock);
	free(j);
}

void
journal_closep(struct journal **j)
{
	journal_close(*j);
}
