// SPDX-License-Identifier: Apache-2.0
#include "client/engine/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "net/text.h"

/* "ab/<object, hex>.<offset, hex>": two hex digits of fan-out. */
#define NAME_SIZE 64
#define SIZE_NAME "size"

static void
name_of(const struct place *place, char out[static NAME_SIZE])
{
	char hex[2 * ID_LEN + 1];

	text_hex(place->object, ID_LEN, hex, sizeof(hex));
	(void)snprintf(out, NAME_SIZE, "%.2s/%s.%08x", hex, hex,
	    place->offset);
}

bool
cache_get(const struct cache *c, const struct place *place, uint8_t *out)
{
	char name[NAME_SIZE];
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (c->dir < 0)
		return false;
	name_of(place, name);
	fd = openat(c->dir, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)place->length)
		n = pread(fd, out, place->length, 0);
	close(fd);
	return n == (ssize_t)place->length;
}

bool
cache_has(const struct cache *c, const struct place *place)
{
	char name[NAME_SIZE];

	if (c->dir < 0)
		return false;
	name_of(place, name);
	return faccessat(c->dir, name, F_OK, 0) == 0;
}

/* A new file of this name, in place of what is there; -1: not to be had. */
static int
create(const struct cache *c, const char *name)
{
	int fd = -1;

	for (unsigned i = 0; i < 3 && fd < 0; i++) {
		char fan[3];

		fd = openat(c->dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno == EEXIST) {
			(void)unlinkat(c->dir, name, 0);
		} else if (fd < 0 && errno == ENOENT) {
			(void)snprintf(fan, sizeof(fan), "%.2s", name);
			(void)mkdirat(c->dir, fan, 0700);
		}
	}
	return fd;
}

void
cache_put(struct cache *c, const struct place *place,
    const uint8_t *sealed)
{
	char name[NAME_SIZE];
	ssize_t n;
	int fd;

	if (c->dir < 0)
		return;
	name_of(place, name);
	fd = create(c, name);
	if (fd < 0)
		return;
	/* What is cut off here has another length, and is not read. */
	n = write(fd, sealed, place->length);
	close(fd);
	if (n == (ssize_t)place->length)
		atomic_fetch_add(&c->added, place->length);
	else
		(void)unlinkat(c->dir, name, 0);
}

void
cache_drop(const struct cache *c, const struct place *place)
{
	char name[NAME_SIZE];

	if (c->dir < 0)
		return;
	name_of(place, name);
	(void)unlinkat(c->dir, name, 0);
}

struct aged {
	struct timespec used;
	uint64_t size;
	char name[NAME_SIZE];
};

struct aged_list {
	struct aged *p;
	size_t n, cap;
	uint64_t bytes;
};

static int
older_first(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return 0;
}

static void
scan_fan(const struct cache *c, const char *fan, struct aged_list *l)
{
	int fd = openat(c->dir, fan, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strlen(e->d_name) != 2 * ID_LEN + 9 ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (l->n == l->cap) {
			size_t cap = l->cap == 0 ? 1024 : 2 * l->cap;
			struct aged *p = realloc(l->p, cap * sizeof(*p));

			if (p == NULL)
				break;
			l->p = p;
			l->cap = cap;
		}
		l->p[l->n].used = st.st_atim;
		l->p[l->n].size = (uint64_t)st.st_size;
		(void)snprintf(l->p[l->n].name, NAME_SIZE, "%.2s/%.60s", fan,
		    e->d_name);
		l->n++;
		l->bytes += (uint64_t)st.st_size;
	}
	closedir(d);
}

/* false: it is not known. */
static bool
read_size(const struct cache *c, uint64_t *out)
{
	uint8_t b[9];
	int fd = openat(c->dir, SIZE_NAME,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof(b));
	struct rd r = rd_from(b, sizeof(uint64_t));

	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)sizeof(uint64_t))
		return false;
	*out = rd_u64(&r);
	return true;
}

/* A failure leaves it unknown, or as it was. */
static void
write_size(const struct cache *c, uint64_t size)
{
	struct buf b defer(buf_wipe) = buf_init(sizeof(size));
	struct wr w = wr_to(&b);
	int fd;

	wr_u64(&w, size);
	fd = openat(c->dir, SIZE_NAME, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || wr_finish(&w) != 0 ||
	    pwrite(fd, b.p, b.n, 0) != (ssize_t)b.n)
		(void)unlinkat(c->dir, SIZE_NAME, 0);
	if (fd >= 0)
		close(fd);
}

/* Looks at every file; removes the longest unused while there are more than
 * max bytes, until no more than target are left.  How many that are. */
static uint64_t
trim(const struct cache *c, uint64_t max, uint64_t target)
{
	struct aged_list l = { 0 };

	for (unsigned i = 0; i < 256; i++) {
		char fan[3];

		(void)snprintf(fan, sizeof(fan), "%02x", i);
		scan_fan(c, fan, &l);
	}
	if (l.bytes > max)
		qsort(l.p, l.n, sizeof(*l.p), older_first);
	else
		target = max;
	for (size_t i = 0; i < l.n && l.bytes > target; i++) {
		(void)unlinkat(c->dir, l.p[i].name, 0);
		l.bytes -= l.p[i].size;
	}
	free(l.p);
	return l.bytes;
}

void
cache_trim(struct cache *c, uint64_t max)
{
	uint64_t size, added = atomic_exchange(&c->added, 0);

	if (c->dir < 0 || added == 0)
		return;
	if (!read_size(c, &size) || size > max || added > max - size)
		write_size(c, trim(c, max, max - max / 4));
	else
		write_size(c, size + added);
}
