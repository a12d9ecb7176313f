// SPDX-License-Identifier: Apache-2.0
#include "object/entry.h"

#include <string.h>

#include "base/fault.h"
#include "object/attrs.h"
#include "object/list.h"

enum {
	FLAG_ATTRS = 1,
	FLAG_ATTRS_CHUNK = 2,
	FLAG_LINK = 4,
};

#define NSEC_END 1000000000u

static uint8_t
flags_of(const struct tree_entry *e)
{
	return (uint8_t)((e->attrs.n != 0 ? FLAG_ATTRS : 0) |
	    (e->attrs_chunk_len != 0 ? FLAG_ATTRS_CHUNK : 0) |
	    (e->link != 0 ? FLAG_LINK : 0));
}

/* [tree]: all rules that concern values; the same for both directions. */
static bool
valid(const struct tree_entry *e)
{
	if (e->type < ENTRY_FILE || e->type > ENTRY_BLOCK ||
	    (e->mode & ~0xfff) != 0 || e->mtime_nsec >= NSEC_END)
		return false;
	if (e->attrs.n != 0 &&
	    (e->attrs_chunk_len != 0 || e->attrs.n > INLINE_MAX ||
		!attrs_valid(e->attrs)))
		return false;
	if (e->attrs_chunk_len != 0 &&
	    (e->attrs_chunk_len <= INLINE_MAX ||
		e->attrs_chunk_len > XATTR_MAX))
		return false;
	if (e->type == ENTRY_FILE)
		return e->list.n <= INLINE_MAX &&
		    list_valid(e->list, e->level, e->size);
	if (e->type == ENTRY_SYMLINK)
		return e->target.n >= 1 && e->target.n <= LINK_TARGET_MAX &&
		    memchr(e->target.p, 0, e->target.n) == NULL;
	return true;
}

static void
read_attrs(struct rd *r, uint8_t flags, struct tree_entry *e)
{
	rd_require(r, (flags & ~(FLAG_ATTRS | FLAG_ATTRS_CHUNK | FLAG_LINK)) ==
		0);
	if ((flags & FLAG_LINK) != 0) {
		e->link = rd_u64(r);
		rd_require(r, e->link != 0);
	}
	if ((flags & FLAG_ATTRS) != 0) {
		e->attrs = rd_take(r, rd_u32(r));
		rd_require(r, e->attrs.n != 0);
	}
	if ((flags & FLAG_ATTRS_CHUNK) != 0) {
		rd_copy(r, e->attrs_id, CHUNK_ID_LEN);
		e->attrs_chunk_len = rd_u32(r);
		rd_require(r, e->attrs_chunk_len != 0);
	}
}

void
entry_read(struct rd *r, struct tree_entry *out)
{
	struct tree_entry e = { 0 };
	uint8_t flags;

	e.type = rd_u8(r);
	flags = rd_u8(r);
	e.mode = rd_u16(r);
	e.uid = rd_u32(r);
	e.gid = rd_u32(r);
	e.mtime_sec = (int64_t)rd_u64(r);
	e.mtime_nsec = rd_u32(r);
	read_attrs(r, flags, &e);
	if (e.type == ENTRY_FILE) {
		e.size = rd_u64(r);
		e.level = rd_u8(r);
		e.list = rd_take(r, rd_u32(r));
	} else if (e.type == ENTRY_SYMLINK) {
		e.target = rd_take(r, rd_u16(r));
	} else if (e.type == ENTRY_CHAR || e.type == ENTRY_BLOCK) {
		e.major = rd_u32(r);
		e.minor = rd_u32(r);
	}
	rd_require(r, !r->failed && valid(&e));
	*out = e;
}

int
entry_decode(struct bytes in, struct tree_entry *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct tree_entry e;
	int rc;

	entry_read(&r, &e);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = e;
	return rc;
}

static void
write_body(struct wr *w, const struct tree_entry *e)
{
	if (e->link != 0)
		wr_u64(w, e->link);
	if (e->attrs.n != 0) {
		wr_u32(w, (uint32_t)e->attrs.n);
		wr_copy(w, e->attrs.p, e->attrs.n);
	}
	if (e->attrs_chunk_len != 0) {
		wr_copy(w, e->attrs_id, CHUNK_ID_LEN);
		wr_u32(w, e->attrs_chunk_len);
	}
	if (e->type == ENTRY_FILE) {
		wr_u64(w, e->size);
		wr_u8(w, e->level);
		wr_u32(w, (uint32_t)e->list.n);
		wr_copy(w, e->list.p, e->list.n);
	} else if (e->type == ENTRY_SYMLINK) {
		wr_u16(w, (uint16_t)e->target.n);
		wr_copy(w, e->target.p, e->target.n);
	} else if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK) {
		wr_u32(w, e->major);
		wr_u32(w, e->minor);
	}
}

int
entry_encode(const struct tree_entry *e, struct buf *out)
{
	struct wr w = wr_to(out);
	size_t before = out->n;
	int rc;

	if (!valid(e))
		return FAULT_MALFORMED;
	wr_u8(&w, (uint8_t)e->type);
	wr_u8(&w, flags_of(e));
	wr_u16(&w, e->mode);
	wr_u32(&w, e->uid);
	wr_u32(&w, e->gid);
	wr_u64(&w, (uint64_t)e->mtime_sec);
	wr_u32(&w, e->mtime_nsec);
	write_body(&w, e);
	rc = wr_finish(&w);
	if (rc != 0)
		out->n = before;
	return rc;
}
