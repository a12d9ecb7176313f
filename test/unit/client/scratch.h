// SPDX-License-Identifier: Apache-2.0
/* A folder for one test, and index entries to put somewhere. */
#ifndef SKERRY_TEST_SCRATCH_H
#define SKERRY_TEST_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cm.h"
#include "object/index.h"
#include "object/seal.h"
#include "test/lib/scrap.h"

struct scratch {
	char path[64];
	int dir;
};

static inline int
scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	(void)snprintf(s->path, sizeof(s->path), "/tmp/skerry-unit-XXXXXX");
	assert_non_null(mkdtemp(s->path));
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY);
	assert_true(s->dir >= 0);
	*state = s;
	return 0;
}

static inline int
scratch_teardown(void **state)
{
	struct scratch *s = *state;

	close(s->dir);
	(void)scrap(s->path);
	free(s);
	return 0;
}

/* The whole of a small file; its length. */
static inline size_t
scratch_read(const struct scratch *s, const char *name, uint8_t *out,
    size_t max)
{
	int fd = openat(s->dir, name, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, out, max);
	assert_true(n >= 0 && (size_t)n < max);
	close(fd);
	return (size_t)n;
}

static inline void
scratch_write(const struct scratch *s, const char *name, const uint8_t *p,
    size_t n)
{
	int fd = openat(s->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	close(fd);
}

static inline struct index_entry
scratch_entry(unsigned n)
{
	struct index_entry e = { .plain_len = 100 + n, .kind = SEAL_DATA };

	memset(e.id, (int)n, sizeof(e.id));
	memset(e.place.object, (int)n + 1, sizeof(e.place.object));
	memset(e.key.b, (int)n + 2, sizeof(e.key.b));
	e.place.offset = 1000 * n;
	e.place.length = 100 + n;
	return e;
}

#endif
