// SPDX-License-Identifier: Apache-2.0
#include "object/commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/utf8.h"
#include "crypt/secret.h"

#define VERSION 1
#define NSEC_END 1000000000u

enum {
	FLAG_PARENT = 1,
	FLAG_ROOT = 2,
};

void
commit_wipe(struct commit *c)
{
	commit_drop_segments(c, c->segments);
	secret_wipe(c, sizeof(*c));
}

/* [commit]: all rules that concern values; the same for both directions. */
static bool
valid(const struct commit *c)
{
	if (c->number == 0 || (c->has_parent && c->number < 2) ||
	    c->time_nsec >= NSEC_END)
		return false;
	if (c->has_root && (c->entries == 0 || c->root.plain_len > NODE_MAX))
		return false;
	if (!c->has_root && (c->entries != 0 || c->bytes != 0))
		return false;
	return c->message_len <= MESSAGE_MAX && c->segments <= SEGMENTS_MAX &&
	    memchr(c->message, 0, c->message_len) == NULL &&
	    utf8_valid(c->message, c->message_len);
}

int
commit_encode(const struct commit *c, struct buf *out)
{
	size_t before = out->n, max = out->max;
	struct wr w = wr_to(out);
	int rc;

	if (!valid(c))
		return FAULT_MALFORMED;
	if (out->max - before > COMMIT_MAX)
		out->max = before + COMMIT_MAX;
	wr_u8(&w, VERSION);
	wr_u8(&w, (uint8_t)((c->has_parent ? FLAG_PARENT : 0) |
			(c->has_root ? FLAG_ROOT : 0)));
	wr_u16(&w, 0);
	wr_u32(&w, c->epoch);
	wr_u64(&w, c->number);
	wr_u64(&w, (uint64_t)c->time_sec);
	wr_u32(&w, c->time_nsec);
	wr_copy(&w, c->device, ID_LEN);
	wr_copy(&w, c->dedup.b, KEY_LEN);
	if (c->has_parent)
		ref_write(&w, &c->parent);
	if (c->has_root)
		ref_write(&w, &c->root);
	wr_u64(&w, c->entries);
	wr_u64(&w, c->bytes);
	wr_u16(&w, c->message_len);
	wr_copy(&w, c->message, c->message_len);
	wr_u16(&w, c->segments);
	for (size_t i = 0; i < c->segments; i++)
		segment_write(&w, &c->segment[i]);
	rc = wr_finish(&w);
	out->max = max;
	if (rc != 0)
		out->n = before;
	return rc;
}

static void
read_fields(struct rd *r, struct commit *c)
{
	uint8_t flags = rd_u8(r);

	rd_require(r, (flags & ~(FLAG_PARENT | FLAG_ROOT)) == 0);
	rd_require(r, rd_u16(r) == 0);
	c->has_parent = (flags & FLAG_PARENT) != 0;
	c->has_root = (flags & FLAG_ROOT) != 0;
	c->epoch = rd_u32(r);
	c->number = rd_u64(r);
	c->time_sec = (int64_t)rd_u64(r);
	c->time_nsec = rd_u32(r);
	rd_copy(r, c->device, ID_LEN);
	rd_copy(r, c->dedup.b, KEY_LEN);
	if (c->has_parent)
		ref_read(r, &c->parent);
	if (c->has_root)
		ref_read(r, &c->root);
	c->entries = rd_u64(r);
	c->bytes = rd_u64(r);
	c->message_len = rd_u16(r);
	rd_require(r, c->message_len <= MESSAGE_MAX);
	if (!r->failed)
		rd_copy(r, c->message, c->message_len);
}

static int
read_segments(struct rd *r, struct commit *c)
{
	uint16_t n = rd_u16(r);

	rd_require(r, n <= SEGMENTS_MAX);
	if (r->failed)
		return FAULT_MALFORMED;
	if (n == 0)
		return 0;
	c->segment = calloc(n, sizeof(*c->segment));
	if (c->segment == NULL)
		return FAULT_MEMORY;
	for (; c->segments < n; c->segments++) {
		int rc = segment_read(r, &c->segment[c->segments]);

		if (rc != 0)
			return rc;
	}
	return 0;
}

int
commit_decode(struct bytes in, struct commit *out)
{
	struct commit c defer(commit_wipe) = { 0 };
	struct rd r = rd_from(in.p, in.n);
	int rc;

	if (in.n > COMMIT_MAX)
		return FAULT_LIMIT;
	if (rd_u8(&r) != VERSION && !r.failed)
		return FAULT_VERSION;
	read_fields(&r, &c);
	rc = read_segments(&r, &c);
	if (rc == 0)
		rc = rd_finish(&r);
	if (rc == 0 && !valid(&c))
		rc = FAULT_MALFORMED;
	if (rc != 0)
		return rc;
	*out = c;
	c.segment = NULL;
	c.segments = 0;
	return 0;
}

int
commit_add_segment(struct commit *c, struct segment *seg)
{
	struct segment *p;

	if (c->segments >= SEGMENTS_MAX)
		return FAULT_LIMIT;
	p = reallocarray(c->segment, c->segments + 1u, sizeof(*p));
	if (p == NULL)
		return FAULT_MEMORY;
	c->segment = p;
	memmove(p + 1, p, c->segments * sizeof(*p));
	p[0] = *seg;
	*seg = (struct segment){ 0 };
	c->segments++;
	return 0;
}

int
commit_copy_segments(const struct commit *from, struct commit *to)
{
	for (size_t i = from->segments; i-- > 0;) {
		struct segment s = { 0 };
		int rc = segment_copy(&from->segment[i], &s);

		if (rc == 0)
			rc = commit_add_segment(to, &s);
		segment_wipe(&s);
		if (rc != 0)
			return rc;
	}
	return 0;
}

void
commit_drop_segments(struct commit *c, size_t n)
{
	n = n > c->segments ? c->segments : n;
	for (size_t i = 0; i < n; i++)
		segment_wipe(&c->segment[i]);
	c->segments -= (uint16_t)n;
	if (n != 0)
		memmove(c->segment, c->segment + n,
		    c->segments * sizeof(*c->segment));
	if (c->segments == 0) {
		free(c->segment);
		c->segment = NULL;
	}
}
