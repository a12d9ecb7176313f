// SPDX-License-Identifier: Apache-2.0
/*
 * Hard links (spec/30-tree.md, Entry): the first path of a link is restored as
 * any file.  The others are put off until all content is there, and are then
 * linked to it, or, where that cannot be, restored apart.
 */
#include "client/engine/restore_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SLOTS 1024u

struct later {
	struct restore_link *link;
	size_t strip, key_len; /* the key follows */
};

/* [tree]: only equal entries are linked.  A hash of the entry, which has the
 * link id, tells all of them apart. */
static size_t
slot_of(const struct restore_links *l, const uint8_t hash[static HASH_LEN])
{
	size_t i;

	memcpy(&i, hash, sizeof(i));
	for (i &= l->cap - 1; l->slot[i] != NULL &&
	    memcmp(l->slot[i]->hash, hash, HASH_LEN) != 0;)
		i = (i + 1) & (l->cap - 1);
	return i;
}

static int
grow(struct restore_links *l)
{
	struct restore_links bigger = { .cap = l->cap == 0 ? FIRST_SLOTS :
		                                            2 * l->cap };

	if (2 * l->n < l->cap)
		return 0;
	bigger.slot = calloc(bigger.cap, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return FAULT_MEMORY;
	for (size_t i = 0; i < l->cap; i++) {
		if (l->slot[i] != NULL)
			bigger.slot[slot_of(&bigger, l->slot[i]->hash)] =
			    l->slot[i];
	}
	free(l->slot);
	l->slot = bigger.slot;
	l->cap = bigger.cap;
	return 0;
}

static int
put_off(struct restore *rs, struct restore_link *link, struct bytes key)
{
	struct later later = { link, rs->strip, key.n };
	int rc = buf_append(&rs->links.later, &later, sizeof(later));

	return rc != 0 ? rc : buf_append(&rs->links.later, key.p, key.n);
}

int
restore_link_begin(struct restore *rs, struct bytes key,
    struct bytes raw, struct restore_link **out)
{
	struct restore_links *l = &rs->links;
	struct bytes rel = bytes_of(key.p + rs->strip, key.n - rs->strip);
	uint8_t hash[1][HASH_LEN];
	struct restore_link *link;
	size_t i;
	int rc;

	rc = seal_hash(rs->reader->seal, &raw, 1, hash);
	if (rc == 0)
		rc = grow(l);
	if (rc != 0)
		return rc;
	i = slot_of(l, hash[0]);
	link = l->slot[i];
	if (link != NULL) {
		rc = put_off(rs, link, key);
		return rc != 0 ? rc : 1;
	}
	link = malloc(sizeof(*link) + rel.n);
	if (link == NULL)
		return FAULT_MEMORY;
	memcpy(link->hash, hash[0], HASH_LEN);
	atomic_init(&link->state, RESTORE_LINK_PENDING);
	link->n = rel.n;
	memcpy(link->rel, rel.p, rel.n);
	l->slot[i] = link;
	l->n++;
	*out = link;
	return 0;
}

/* Opens the folder with that key below dir, one name at a time.  -1: errno. */
static int
open_below(int dir, struct bytes rel)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && rel.n != 0) {
		const uint8_t *z = memchr(rel.p, 0, rel.n);
		size_t n = z == NULL ? rel.n : (size_t)(z - rel.p);
		char name[KEY_NAME_MAX + 1];
		int sub;

		memcpy(name, rel.p, n);
		name[n] = '\0';
		sub = openat(fd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = sub;
		n += z != NULL;
		rel = bytes_of(rel.p + n, rel.n - n);
	}
	return fd;
}

/* Where link is, key gets another name.  0 or an errno. */
static int
make_link(struct restore *rs, const struct restore_link *link, int dir,
    struct bytes key)
{
	struct bytes rel = bytes_of(link->rel, link->n);
	char from[KEY_NAME_MAX + 1], to[KEY_NAME_MAX + 1];
	char temp[RESTORE_TEMP_SIZE];
	int fd, err;

	fd = open_below(rs->level[0].d->fd, key_parent(rel));
	if (fd < 0)
		return errno;
	restore_name(rel, from);
	restore_name(key, to);
	restore_temp_name(temp);
	err = linkat(fd, from, dir, temp, 0) == 0 ? 0 : errno;
	close(fd);
	if (err != 0)
		return err;
	err = restore_temp_place(dir, temp, to, rs->o->overwrite);
	/* A rename to another name of the same file leaves both. */
	(void)unlinkat(dir, temp, 0);
	return err;
}

/* The folder that holds key, with its metadata to be set again. */
static struct folder *
open_folder(struct restore *rs, struct bytes key, size_t strip,
    struct fault *f)
{
	struct bytes up = key_parent(key);
	struct tour *t defer(tour_closep) = NULL;
	struct tour_item it;
	struct folder *d;
	struct stat st;
	bool inside = up.n > strip;
	int fd, rc;

	fd = open_below(rs->level[0].d->fd, inside ?
	    bytes_of(up.p + strip, up.n - strip) : bytes_of(NULL, 0));
	d = fd < 0 ? NULL : folder_top(fd);
	if (d == NULL)
		(void)fault_sys(f, fault_from_errno(errno), errno,
		    "cannot be linked");
	if (fd >= 0)
		close(fd);
	if (d == NULL || !inside)
		return d;
	if (!rs->root && fstat(d->fd, &st) == 0)
		(void)fchmod(d->fd, (st.st_mode & 07777) | S_IRWXU);
	rc = tour_open(rs->reader, up, &t, f);
	if (rc == 0)
		rc = tour_next(t, &it, f);
	if (rc == TOUR_ENTRY)
		rc = restore_set_folder(rs, d, true, it.key, it.e, f);
	/* Without its entry, an implied folder stays as it is. */
	if (rc < 0 && !fetch_is_local(rc))
		restore_warn(rs, up, 0, f->text);
	return d;
}

static int
one(struct restore *rs, struct folder *d, const struct later *l,
    struct bytes key, struct fault *f)
{
	struct tour *t defer(tour_closep) = NULL;
	struct tour_item it = { 0 };
	int rc, err;

	rs->strip = l->strip;
	rc = tour_open(rs->reader, key, &t, f);
	if (rc == 0)
		rc = tour_next(t, &it, f);
	if (rc != TOUR_ENTRY || it.e->type == ENTRY_FOLDER) {
		restore_warn(rs, key, 1, f->text);
		return fetch_is_local(rc) || rc >= 0 ? 0 : rc;
	}
	if (restore_found(rs, d->fd, key, it.e) != RESTORE_NOTHING)
		return 0;
	if (atomic_load(&l->link->state) == RESTORE_LINK_DONE) {
		err = make_link(rs, l->link, d->fd, key);
		if (err == 0) {
			restore_count(rs, it.e->size);
			progress_add(rs->o->progress, 0, it.e->size);
			return 0;
		}
		if (err == EEXIST || err == EISDIR) {
			(void)restore_fault(f, err, "cannot be linked");
			restore_warn(rs, key, 1, f->text);
			return 0;
		}
	}
	return it.e->type == ENTRY_FILE ?
	    restore_file_plan(rs, d, key, it.e, NULL, f) :
	    restore_special(rs, d->fd, key, it.e, NULL, f);
}

int
restore_link_finish(struct restore *rs, struct fault *f)
{
	const struct buf *b = &rs->links.later;
	struct folder *d = NULL;
	struct bytes last = bytes_of(NULL, 0);
	size_t last_strip = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n;) {
		struct later l;
		struct bytes key;

		memcpy(&l, b->p + i, sizeof(l));
		key = bytes_of(b->p + i + sizeof(l), l.key_len);
		i += sizeof(l) + l.key_len;
		if (d == NULL || l.strip != last_strip ||
		    bytes_cmp(key_parent(key), last) != 0) {
			struct fault why = { 0 };

			if (d != NULL)
				folder_leave(&rs->folders, d);
			d = open_folder(rs, key, l.strip, &why);
			last = key_parent(key);
			last_strip = l.strip;
			if (d == NULL) {
				restore_warn(rs, key, 1, why.text);
				continue;
			}
		}
		rc = one(rs, d, &l, key, f);
	}
	if (d != NULL)
		folder_leave(&rs->folders, d);
	return rc;
}

void
restore_link_wipe(struct restore_links *l)
{
	for (size_t i = 0; i < l->cap; i++)
		free(l->slot[i]);
	free(l->slot);
	l->slot = NULL;
	l->n = 0;
	l->cap = 0;
	buf_wipe(&l->later);
}
