// SPDX-License-Identifier: Apache-2.0
#include "client/engine/lost.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wr.h"

#define NAME "lost"
#define TEMP "lost.new"
#define ONE (ID_LEN + sizeof(uint32_t))

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, ONE);
}

/* Ascending, each once. */
static bool
valid(const uint8_t *p, size_t n)
{
	for (size_t i = ONE; i < n; i += ONE)
		if (compare(p + i - ONE, p + i) >= 0)
			return false;
	return n % ONE == 0;
}

void
lost_read(int dir, struct buf *out)
{
	int fd = dir < 0 ? -1 : openat(dir, NAME,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	size_t n;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    (uint64_t)st.st_size <= LOST_MAX) {
		n = (size_t)st.st_size;
		if (buf_reserve(out, n) == 0 &&
		    pread(fd, out->p + out->n, n, 0) == (ssize_t)n &&
		    valid(out->p + out->n, n))
			out->n += n;
	}
	close(fd);
}

int
lost_add(struct buf *places, const struct place *place)
{
	struct wr w = wr_to(places);

	wr_copy(&w, place->object, ID_LEN);
	wr_u32(&w, place->offset);
	return wr_finish(&w);
}

bool
lost_has(struct bytes lost, const struct place *place)
{
	struct buf one defer(buf_wipe) = buf_init(ONE);

	return lost.n != 0 && lost_add(&one, place) == 0 &&
	    bsearch(one.p, lost.p, lost.n / ONE, ONE, compare) != NULL;
}

/* Sorts, and takes out what is there twice. */
static void
tidy(struct buf *b)
{
	size_t to = 0;

	qsort(b->p, b->n / ONE, ONE, compare);
	for (size_t i = 0; i < b->n; i += ONE) {
		if (to != 0 && compare(b->p + to - ONE, b->p + i) == 0)
			continue;
		memmove(b->p + to, b->p + i, ONE);
		to += ONE;
	}
	b->n = to;
}

static void
replace(int dir, struct bytes b)
{
	int fd = openat(dir, TEMP,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool whole;

	if (fd < 0)
		return;
	whole = write(fd, b.p, b.n) == (ssize_t)b.n;
	if (close(fd) != 0 || !whole || renameat(dir, TEMP, dir, NAME) != 0)
		(void)unlinkat(dir, TEMP, 0);
}

void
lost_note(int dir, struct bytes places, bool all)
{
	struct buf b defer(buf_wipe) = buf_init(LOST_MAX);

	if (dir < 0)
		return;
	if (!all)
		lost_read(dir, &b);
	if (buf_append(&b, places.p, places.n) != 0)
		return;
	if (b.n == 0) {
		(void)unlinkat(dir, NAME, 0);
		return;
	}
	tidy(&b);
	replace(dir, buf_bytes(&b));
}
