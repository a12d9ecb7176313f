// SPDX-License-Identifier: Apache-2.0
#include "client/engine/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/wr.h"
#include "client/engine/xattrs.h"
#include "crypt/hash.h"
#include "crypt/kdf.h"

/* How often a file that changes is read again. */
#define READ_TRIES 3

int
source_init(struct source *s, const struct dedup_key *dedup)
{
	return kdf_hkdf(bytes_of(dedup->b, KEY_LEN), bytes_of(NULL, 0),
	    "skerry/1 link", s->link_key, sizeof(s->link_key));
}

/* [tree] Hard links: nonzero, the same for all paths of an inode. */
static uint64_t
link_id(const struct source *s, const struct stat *st)
{
	uint8_t in[16];
	uint64_t v;

	for (unsigned i = 0; i < 8; i++) {
		in[i] = (uint8_t)((uint64_t)st->st_dev >> (56 - 8 * i));
		in[8 + i] = (uint8_t)((uint64_t)st->st_ino >> (56 - 8 * i));
	}
	v = hash_sip(s->link_key, bytes_of(in, sizeof(in)));
	return v == 0 ? 1 : v;
}

static enum entry_type
type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return ENTRY_FOLDER;
	case S_IFLNK:
		return ENTRY_SYMLINK;
	case S_IFIFO:
		return ENTRY_FIFO;
	case S_IFSOCK:
		return ENTRY_SOCKET;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	default:
		return ENTRY_FILE;
	}
}

void
source_meta(const struct stat *st, struct tree_entry *e)
{
	memset(e, 0, sizeof(*e));
	e->type = type_of(st->st_mode);
	e->mode = st->st_mode & 07777;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	e->mtime_sec = st->st_mtim.tv_sec;
	e->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK) {
		e->major = major(st->st_rdev);
		e->minor = minor(st->st_rdev);
	}
}

static void
fill_meta(const struct source *s, const struct stat *st, struct tree_entry *e)
{
	source_meta(st, e);
	if (st->st_nlink > 1 && e->type != ENTRY_FOLDER)
		e->link = link_id(s, st);
}

static int
read_target(const struct walk_item *item, struct buf *out, struct fault *f)
{
	ssize_t n;

	if (buf_reserve(out, LINK_TARGET_MAX) != 0)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	n = readlinkat(item->dir, item->name, (char *)out->p,
	    LINK_TARGET_MAX);
	if (n <= 0) {
		(void)fault_sys(f, FAULT_IO, n == 0 ? EINVAL : errno,
		    "reading the link");
		return FAULT_PARTIAL;
	}
	out->n = (size_t)n;
	return 0;
}

/* A record without content. */
static int
add_plain(struct source *s, const struct walk_item *item, uint64_t stat_fp,
    struct fault *f)
{
	struct record *r;
	int rc;

	rc = records_push(s->records, RECORD_ENTRY, item->key, &r, f);
	if (rc != 0)
		return rc;
	r->discard = true; /* until it is whole */
	fill_meta(s, &item->st, &r->entry);
	if (r->entry.type == ENTRY_SYMLINK) {
		rc = read_target(item, &r->target, f);
		if (rc != 0)
			return rc;
	}
	rc = xattrs_read_at(item->dir, item->name, &r->attrs, f);
	if (rc == FAULT_PARTIAL && r->entry.type == ENTRY_FOLDER) {
		/* [tree]: what is in it needs its entry */
		r->attrs.n = 0;
		r->discard = false;
		(void)fault_add(f, f->code, "stored without its attributes");
		return rc;
	}
	if (rc != 0)
		return rc;
	r->discard = false;
	r->note = statcache_settled(&item->st);
	r->stat_fp = stat_fp;
	return 0;
}

/* The slab, with room for one more piece of at least room bytes. */
static int
slab_with_room(struct source *s, size_t room, struct slab **out,
    struct fault *f)
{
	struct slab *slab = pool_slab(s->pool);
	int rc;

	if (slab->n == STOW_PIECES || SLAB_SIZE - slab->used < room) {
		rc = pool_submit(s->pool, f);
		if (rc != 0)
			return rc;
		slab = pool_slab(s->pool);
	}
	*out = slab;
	return 0;
}

static void
add_piece(struct slab *slab, struct record *r, size_t length)
{
	slab->piece[slab->n++] = (struct piece){ .owner = r,
		.offset = (uint32_t)slab->used, .length = length };
	slab->used += length;
}

static int
add_hole(struct source *s, struct record *r, uint64_t length, struct fault *f)
{
	struct slab *slab;
	int rc;

	if (length == 0)
		return 0;
	rc = slab_with_room(s, 0, &slab, f);
	if (rc != 0)
		return rc;
	slab->piece[slab->n++] = (struct piece){ .owner = r, .hole = true,
		.length = length };
	return 0;
}

/* Reads up to want bytes; fewer only at the end.  -1: f says why. */
static ssize_t
read_full(int fd, uint8_t *p, size_t want, off_t at, struct fault *f)
{
	size_t n = 0;

	while (n < want) {
		ssize_t k = pread(fd, p + n, want - n, at + (off_t)n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			(void)fault_sys(f, FAULT_IO, errno, "reading");
			return -1;
		}
		if (k == 0)
			break;
		n += (size_t)k;
	}
	return (ssize_t)n;
}

static bool
stopped(const struct source *s)
{
	return s->stop != NULL && atomic_load(s->stop);
}

/*
 * Reads the bytes from..to of a file into slabs, cut into chunks.  What is left
 * uncut at a slab's end is carried to the next.  A file that ends early (it was
 * truncated) just has fewer bytes: *at is where it ended.
 */
static int
add_extent(struct source *s, int fd, struct record *r, uint64_t from,
    uint64_t to, uint64_t *at, struct fault *f)
{
	bool end = false;

	*at = from;
	while (!end && *at < to) {
		uint64_t left = to - *at;
		struct slab *slab;
		size_t want, used = 0;
		ssize_t n;
		int rc;

		if (stopped(s))
			return fault_set(f, FAULT_INTERRUPTED, "interrupted");
		rc = slab_with_room(s, left < CHUNK_MAX ? left : CHUNK_MAX,
		    &slab, f);
		if (rc != 0)
			return rc;
		want = SLAB_SIZE - slab->used;
		if (want > left)
			want = left;
		n = read_full(fd, slab->p + slab->used, want, (off_t)*at, f);
		if (n < 0)
			return FAULT_PARTIAL;
		end = (size_t)n < want || want == left;
		while (used < (size_t)n && slab->n < STOW_PIECES) {
			size_t have = (size_t)n - used;
			size_t cut;

			cut = chunker_cut(s->chunker, slab->p + slab->used,
			    have);
			if (cut == have && have < CHUNK_MAX && !end)
				break; /* it may go on */
			add_piece(slab, r, cut);
			used += cut;
		}
		/* The rest is read again, from the page cache, not copied. */
		end = end && used == (size_t)n;
		*at += used;
	}
	return 0;
}

/* Reads a sparse file's data and holes. */
static int
add_sparse(struct source *s, int fd, struct record *r, uint64_t size,
    uint64_t *at, struct fault *f)
{
	uint64_t pos = 0, got;
	int rc;

	*at = 0;
	while (pos < size) {
		off_t data = lseek(fd, (off_t)pos, SEEK_DATA);
		off_t hole = data < 0 ? (off_t)size :
		    lseek(fd, data, SEEK_HOLE);

		if (data < 0)
			data = errno == ENXIO ? (off_t)size : (off_t)pos;
		if (hole < 0 || hole > (off_t)size)
			hole = (off_t)size;
		if (data > (off_t)size)
			data = (off_t)size;
		rc = add_hole(s, r, (uint64_t)data - pos, f);
		if (rc != 0)
			return rc;
		pos = *at = (uint64_t)data;
		if (data >= hole)
			continue;
		rc = add_extent(s, fd, r, pos, (uint64_t)hole, &got, f);
		if (rc != 0)
			return rc;
		*at = got;
		if (got < (uint64_t)hole)
			return 0; /* it was truncated */
		pos = got;
	}
	return 0;
}

static bool
same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* As in /proc: there is content, and no size says so. */
static bool
hides_size(int fd, const struct stat *before)
{
	struct stat after;
	char c;

	return before->st_size == 0 && pread(fd, &c, 1, 0) > 0 &&
	    fstat(fd, &after) == 0 && after.st_size == 0;
}

/* Marks the record's end in the stream of slabs. */
static int
add_end(struct source *s, struct record *r, struct fault *f)
{
	struct slab *slab;
	int rc = slab_with_room(s, 0, &slab, f);

	if (rc != 0)
		return rc;
	slab->piece[slab->n++] = (struct piece){ .owner = r, .hole = true,
		.last = true };
	return 0;
}

struct open_file {
	int fd;
	struct stat st; /* as last seen */
};

/* Reads a file into one record.  *steady: it did not change meanwhile. */
static int
read_once(struct source *s, struct open_file *file,
    const struct walk_item *item, uint64_t stat_fp, bool *steady,
    struct record **out, struct fault *f)
{
	const struct stat before = file->st;
	const int fd = file->fd;
	struct record *r;
	uint64_t at = 0, size;
	int rc, rc2;

	rc = records_push(s->records, RECORD_ENTRY, item->key, &r, f);
	if (rc != 0)
		return rc;
	*out = r;
	r->waiting = true;
	fill_meta(s, &before, &r->entry);
	size = (uint64_t)before.st_size;
	rc = xattrs_read_fd(fd, &r->attrs, f);
	if (rc == 0 && before.st_blocks < (before.st_size + 511) / 512)
		rc = add_sparse(s, fd, r, size, &at, f);
	else if (rc == 0)
		rc = add_extent(s, fd, r, 0, size, &at, f);
	if (rc == 0 && hides_size(fd, &before)) {
		(void)fault_set(f, FAULT_IO, "it has content, but no size");
		rc = FAULT_PARTIAL;
	}
	if (rc != 0)
		r->discard = true;
	if (rc != 0 && rc != FAULT_PARTIAL)
		return rc;
	rc2 = add_end(s, r, f);
	if (rc2 != 0)
		return rc2;
	if (rc != 0)
		return rc;
	*steady = fstat(fd, &file->st) == 0 &&
	    same_stat(&before, &file->st) && at == size;
	r->note = *steady && same_stat(&item->st, &file->st) &&
	    statcache_settled(&file->st);
	r->stat_fp = stat_fp;
	return 0;
}

static int
open_source(const struct walk_item *item, struct open_file *out,
    struct fault *f)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(item->dir, item->name, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(item->dir, item->name, flags);
	if (fd < 0)
		return fault_sys(f, fault_from_errno(errno), errno, "opening");
	if (fstat(fd, &out->st) != 0 || !S_ISREG(out->st.st_mode)) {
		close(fd);
		return fault_set(f, FAULT_IO, "it was replaced meanwhile");
	}
	out->fd = fd;
	return 0;
}

static int
add_file(struct source *s, const struct walk_item *item, uint64_t stat_fp,
    bool *unsteady, struct fault *f)
{
	struct open_file file;
	struct record *r = NULL;
	bool steady = false;
	int rc = 0;

	if (open_source(item, &file, f) != 0)
		return FAULT_PARTIAL;
	for (unsigned i = 0; i < READ_TRIES && rc == 0 && !steady; i++) {
		if (r != NULL)
			r->discard = true;
		rc = read_once(s, &file, item, stat_fp, &steady, &r, f);
	}
	close(file.fd);
	*unsteady = rc == 0 && !steady;
	return rc;
}

int
source_add(struct source *s, const struct walk_item *item, uint64_t stat_fp,
    bool *unsteady, struct fault *f)
{
	*unsteady = false;
	if (S_ISREG(item->st.st_mode))
		return add_file(s, item, stat_fp, unsteady, f);
	return add_plain(s, item, stat_fp, f);
}

int
source_done(void *arg, const struct slab *slab)
{
	const struct source *s = arg;
	uint64_t files = 0, bytes = 0;

	for (size_t i = 0; i < slab->n; i++) {
		const struct piece *p = &slab->piece[i];
		struct record *r = p->owner;
		int rc = 0;

		if (p->last) {
			r->waiting = false;
			files += !r->discard;
			continue;
		}
		bytes += r->discard ? 0 : p->length;
		if (p->hole)
			rc = list_add_hole(&r->list, p->length);
		else
			rc = list_add_data(&r->list, p->id,
			    (uint32_t)p->length);
		if (rc != 0)
			return rc;
	}
	progress_add(s->progress, files, bytes);
	return 0;
}
