// SPDX-License-Identifier: Apache-2.0
#include "client/engine/statcache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "crypt/hash.h"
#include "crypt/kdf.h"
#include "net/text.h"
#include "object/limits.h"

#define MAGIC "SKSTAT1"
#define NAME_SIZE 80
#define END 0xffffu

struct statcache {
	int dir; /* borrowed */
	char name[NAME_SIZE], temp[NAME_SIZE];
	uint8_t fp_key[HASH_SIP_KEY_LEN];

	FILE *in; /* NULL at its end */
	struct buf in_key;
	uint64_t in_stat, in_entry;
	bool have; /* in_* hold an item that was not asked past */

	FILE *out; /* NULL: nothing is kept */
	struct buf out_key;
	uint64_t out_sum;
};

static uint64_t
fp(const struct statcache *c, const void *p, size_t n)
{
	return hash_sip(c->fp_key, bytes_of(p, n));
}

uint64_t
statcache_stat(const struct statcache *c, const struct stat *st)
{
	uint64_t v[] = { st->st_dev, st->st_ino, st->st_mode, st->st_nlink,
		st->st_uid, st->st_gid, (uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
		(uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec };

	return c == NULL ? 0 : fp(c, v, sizeof(v));
}

uint64_t
statcache_entry(const struct statcache *c, struct bytes raw)
{
	return c == NULL ? 0 : fp(c, raw.p, raw.n);
}

bool
statcache_settled(const struct stat *st)
{
	struct timespec now;
	int64_t age;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return false;
	/* A coarse kernel clock ticks every 10 ms at worst. */
	age = (now.tv_sec - st->st_ctim.tv_sec) * 1000 +
	    (now.tv_nsec - st->st_ctim.tv_nsec) / 1000000;
	return age > 50;
}

/* Reads the next item of the last put; at anything odd, there are no more. */
static void
advance(struct statcache *c)
{
	uint8_t head[4], tail[16];
	struct rd r;
	uint16_t shared, rest;

	c->have = false;
	if (c->in == NULL || fread(head, 1, 2, c->in) != 2)
		return;
	r = rd_from(head, 2);
	shared = rd_u16(&r);
	if (shared == END || fread(head + 2, 1, 2, c->in) != 2)
		return;
	r = rd_from(head + 2, 2);
	rest = rd_u16(&r);
	if (shared > c->in_key.n)
		return;
	c->in_key.n = shared;
	if (buf_reserve(&c->in_key, rest) != 0 ||
	    (rest != 0 &&
		fread(c->in_key.p + shared, 1, rest, c->in) != rest) ||
	    fread(tail, 1, sizeof(tail), c->in) != sizeof(tail))
		return;
	c->in_key.n += rest;
	r = rd_from(tail, sizeof(tail));
	c->in_stat = rd_u64(&r);
	c->in_entry = rd_u64(&r);
	c->have = true;
}

/* The sum at the end shows that the file was written to its end. */
static bool
whole(FILE *in)
{
	uint8_t b[10];
	struct rd r = rd_from(b, 2);

	if (fseek(in, -(long)sizeof(b), SEEK_END) != 0 ||
	    fread(b, 1, sizeof(b), in) != sizeof(b))
		return false;
	if (rd_u16(&r) != END)
		return false;
	return fseek(in, sizeof(MAGIC), SEEK_SET) == 0;
}

static void
open_last(struct statcache *c)
{
	char magic[sizeof(MAGIC)];
	int fd = openat(c->dir, c->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	c->in = fdopen(fd, "r");
	if (c->in == NULL) {
		close(fd);
		return;
	}
	(void)setvbuf(c->in, NULL, _IOFBF, 1 << 18);
	if (fread(magic, 1, sizeof(magic), c->in) != sizeof(magic) ||
	    memcmp(magic, MAGIC, sizeof(magic)) != 0 || !whole(c->in)) {
		fclose(c->in);
		c->in = NULL;
		return;
	}
	advance(c);
}

static void
open_next(struct statcache *c)
{
	int fd;

	(void)unlinkat(c->dir, c->temp, 0);
	fd = openat(c->dir, c->temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	c->out = fdopen(fd, "w");
	if (c->out == NULL) {
		close(fd);
		return;
	}
	(void)setvbuf(c->out, NULL, _IOFBF, 1 << 18);
	(void)fwrite(MAGIC, 1, sizeof(MAGIC), c->out);
}

/* Names, and the key of the fingerprints. */
static void
derive(struct statcache *c, const char *source, struct bytes key,
    struct bytes lost, const struct dedup_key *dedup)
{
	const struct bytes part[] = { bytes_of(source, strlen(source) + 1),
		key, lost };
	uint8_t h[32];
	char hex[33];

	kdf_prf(dedup->b, part, 2, h);
	text_hex(h, 16, hex, sizeof(hex));
	(void)snprintf(c->name, sizeof(c->name), "stat.%s", hex);
	/* One put at a time has the folder (journal_open): what a crashed one
	 * left is removed. */
	(void)snprintf(c->temp, sizeof(c->temp), "stat.%s.new", hex);
	if (lost.n != 0)
		kdf_prf(dedup->b, part, 3, h);
	memcpy(c->fp_key, h + 16, sizeof(c->fp_key));
}

struct statcache *
statcache_open(int dir, const char *source, struct bytes key,
    struct bytes lost, const struct dedup_key *dedup)
{
	struct statcache *c;

	if (dir < 0 || (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->dir = dir;
	c->in_key = buf_init(KEY_BYTES_MAX);
	c->out_key = buf_init(KEY_BYTES_MAX);
	derive(c, source, key, lost, dedup);
	open_last(c);
	open_next(c);
	return c;
}

bool
statcache_find(struct statcache *c, struct bytes key, uint64_t *stat_out,
    uint64_t *entry_out)
{
	int cmp = -1;

	if (c == NULL)
		return false;
	while (c->have &&
	    (cmp = bytes_cmp(buf_bytes(&c->in_key), key)) < 0)
		advance(c);
	if (!c->have || cmp != 0)
		return false;
	*stat_out = c->in_stat;
	*entry_out = c->in_entry;
	return true;
}

void
statcache_note(struct statcache *c, struct bytes key, uint64_t stat_fp,
    uint64_t entry_fp)
{
	uint8_t head[4], tail[16];
	size_t shared = 0;

	if (c == NULL || c->out == NULL)
		return;
	while (shared < key.n && shared < c->out_key.n &&
	    key.p[shared] == c->out_key.p[shared])
		shared++;
	head[0] = (uint8_t)(shared >> 8);
	head[1] = (uint8_t)shared;
	head[2] = (uint8_t)((key.n - shared) >> 8);
	head[3] = (uint8_t)(key.n - shared);
	for (unsigned i = 0; i < 8; i++) {
		tail[i] = (uint8_t)(stat_fp >> (56 - 8 * i));
		tail[8 + i] = (uint8_t)(entry_fp >> (56 - 8 * i));
	}
	c->out_sum ^= stat_fp ^ entry_fp;
	(void)fwrite(head, 1, sizeof(head), c->out);
	(void)fwrite(key.p + shared, 1, key.n - shared, c->out);
	(void)fwrite(tail, 1, sizeof(tail), c->out);
	c->out_key.n = 0;
	if (buf_append(&c->out_key, key.p, key.n) != 0)
		c->out_key.n = 0;
}

static void
finish_next(struct statcache *c, bool keep)
{
	uint8_t end[10] = { 0xff, 0xff };

	for (unsigned i = 0; i < 8; i++)
		end[2 + i] = (uint8_t)(c->out_sum >> (56 - 8 * i));
	if (fwrite(end, 1, sizeof(end), c->out) != sizeof(end) ||
	    ferror(c->out) != 0)
		keep = false;
	if (fclose(c->out) != 0)
		keep = false;
	if (!keep)
		(void)unlinkat(c->dir, c->temp, 0);
}

void
statcache_close(struct statcache *c, bool keep)
{
	if (c == NULL)
		return;
	if (c->in != NULL)
		fclose(c->in);
	if (c->out != NULL)
		finish_next(c, keep);
	buf_wipe(&c->in_key);
	buf_wipe(&c->out_key);
	free(c);
}

void
statcache_commit(int dir, const char *source, struct bytes key,
    const struct dedup_key *dedup)
{
	struct statcache c;

	derive(&c, source, key, bytes_of(NULL, 0), dedup);
	if (dir >= 0 && renameat(dir, c.temp, dir, c.name) != 0)
		(void)unlinkat(dir, c.temp, 0);
}
