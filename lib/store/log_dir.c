// SPDX-License-Identifier: Apache-2.0
/*
 * The order of an append: entries and tiles are synced and named, then their
 * folders, and only then the checkpoint that covers them has its name, and its
 * signature leaves.  spec/60-log.md, Order.
 */
#include "store/log_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/stage.h"
#include "tlog/checkpoint.h"

#define BUNDLE_MAX (TILE_WIDTH * (TILE_ENTRY_MAX + 2))
#define PATH_LEN STAGE_PATH_MAX

/* Which files a walk over entries writes. */
enum write {
	WRITE_NONE,
	WRITE_TILES,
	WRITE_ALL,
};

struct log_dir {
	struct log log;
	int fd, lock;
	struct note_key key;
	struct log_signer signer;

	bool loaded;          /* what follows is that of `signed` */
	bool at_hand;         /* right has the partial tiles of edge */
	uint64_t public_size;
	struct merkle_edge edge;
	struct merkle_hash right[TILE_LEVELS][TILE_WIDTH]; /* partial tiles */
	struct buf bundle;    /* entries of the partial one */
	struct buf note;      /* `signed` */
	enum write write;
	struct stage stage;
};

static struct log_dir *
of(struct log *l)
{
	return (struct log_dir *)l;
}

static void
path_of(const struct tile_id *id, char out[static PATH_LEN])
{
	memcpy(out, "log/", 4);
	(void)tile_path(id, out + 4);
}

/* The file, which may have no name yet; of a partial one, the full one that
 * replaced it: a prefix is the same. */
static int
read_tile(struct log_dir *l, const struct tile_id *id, struct buf *out,
    unsigned *width, struct fault *f)
{
	struct tile_id full = *id;
	char path[PATH_LEN];
	int rc;

	path_of(id, path);
	rc = stage_peek(&l->stage, path, out, f);
	if (rc == FAULT_NOT_FOUND)
		rc = stage_read(l->fd, path, out, f);
	*width = id->width;
	if (rc != FAULT_NOT_FOUND || id->width == TILE_WIDTH)
		return rc;
	full.width = *width = TILE_WIDTH;
	path_of(&full, path);
	return stage_read(l->fd, path, out, f);
}

static int
read_hashes(struct log_dir *l, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	struct buf data defer(buf_wipe) = buf_init(TILE_WIDTH * MERKLE_LEN);
	struct merkle_hash hash[TILE_WIDTH];
	struct fault f = { 0 };
	unsigned width;
	int rc = read_tile(l, id, &data, &width, &f);

	if (rc == 0)
		rc = tile_parse(buf_bytes(&data), width, hash);
	if (rc == 0)
		memcpy(out, hash, id->width * sizeof(*hash));
	return rc;
}

/* The tiles at the right edge are at hand; those of a smaller tree begin as
 * they do. */
static int
tile_get(void *ctx, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	struct log_dir *l = ctx;

	if (!l->at_hand || id->level >= TILE_LEVELS ||
	    id->width > tile_width(id->level, id->index, l->edge.size) ||
	    id->index != (l->edge.size >> TILE_HEIGHT * id->level) / TILE_WIDTH)
		return read_hashes(l, id, out);
	memcpy(out, l->right[id->level], id->width * sizeof(*out));
	return 0;
}

static struct tile_source
log_dir_tiles(struct log *log)
{
	return (struct tile_source){ .get = tile_get, .ctx = of(log) };
}

static void
tile_tree_freep(struct tile_tree **t)
{
	free(*t);
}

/* The edge of the tree of size leaves, from tiles. */
static int
edge_of(struct log_dir *l, uint64_t size, struct merkle_edge *out)
{
	struct tile_tree *t defer(tile_tree_freep) = malloc(sizeof(*t));
	struct merkle_source s;

	if (t == NULL)
		return FAULT_MEMORY;
	tile_tree_init(t, log_dir_tiles(&l->log), size);
	s = tile_tree_source(t);
	return merkle_edge_load(&s, size, out);
}

static int
put_hashes(struct log_dir *l, unsigned level, uint64_t index, unsigned width,
    struct fault *f)
{
	const struct tile_id id = { .level = level, .index = index,
		.width = width };
	char path[PATH_LEN];

	path_of(&id, path);
	return stage_put(&l->stage, path,
	    bytes_of(l->right[level], width * MERKLE_LEN), f);
}

static int
put_bundle(struct log_dir *l, uint64_t index, unsigned width, struct fault *f)
{
	const struct tile_id id = { .level = TILE_ENTRIES, .index = index,
		.width = width };
	char path[PATH_LEN];

	if (l->write != WRITE_ALL)
		return 0;
	path_of(&id, path);
	return stage_put(&l->stage, path, buf_bytes(&l->bundle), f);
}

/* Tiles that the leaf before l->edge.size made full, and their files. */
static int
complete(struct log_dir *l, struct fault *f)
{
	uint64_t n = l->edge.size;
	int rc = 0;

	if (n % TILE_WIDTH != 0)
		return 0;
	rc = put_bundle(l, n / TILE_WIDTH - 1, TILE_WIDTH, f);
	l->bundle.n = 0;
	for (unsigned level = 0; rc == 0 && n % TILE_WIDTH == 0; level++) {
		struct merkle_hash h;

		n /= TILE_WIDTH;
		if (l->write != WRITE_NONE)
			rc = put_hashes(l, level, n - 1, TILE_WIDTH, f);
		tile_fold(l->right[level], TILE_HEIGHT, &h);
		if (level + 1 < TILE_LEVELS)
			l->right[level + 1][(n - 1) % TILE_WIDTH] = h;
	}
	/* A rebuild passes through many tiles. */
	if (rc == 0 && l->stage.n > STAGE_MAX / 2 && l->write == WRITE_TILES)
		rc = stage_commit(&l->stage, f);
	return rc;
}

static int
add(struct log_dir *l, struct bytes entry, struct fault *f)
{
	struct merkle_hash leaf;
	int rc = tile_entry_add(&l->bundle, entry);

	merkle_leaf(entry, &leaf);
	l->right[0][l->edge.size % TILE_WIDTH] = leaf;
	if (rc == 0)
		rc = merkle_append(&l->edge, &leaf);
	if (rc != 0)
		return fault_set(f, rc, "entry: %s", fault_text(rc));
	return complete(l, f);
}

/* Partial tiles that differ from those of the tree of old leaves. */
static int
put_partial(struct log_dir *l, uint64_t old, struct fault *f)
{
	uint64_t n = l->edge.size;
	int rc = 0;

	if (n % TILE_WIDTH != 0)
		rc = put_bundle(l, n / TILE_WIDTH, n % TILE_WIDTH, f);
	for (unsigned level = 0; rc == 0 && level < TILE_LEVELS; level++) {
		if (n % TILE_WIDTH != 0 && (n != old ||
		    l->write == WRITE_TILES))
			rc = put_hashes(l, level, n / TILE_WIDTH,
			    n % TILE_WIDTH, f);
		n /= TILE_WIDTH;
		old /= TILE_WIDTH;
	}
	return rc;
}

/* Partial files are of no use once the full one is durable. */
static void
drop_partial(struct log_dir *l, unsigned level, uint64_t index)
{
	struct tile_id id = { .level = level, .index = index, .width = 1 };
	char path[PATH_LEN];
	struct dirent *e;
	DIR *d;
	int fd;

	path_of(&id, path);
	*strrchr(path, '/') = '\0';
	fd = openat(l->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(fd, e->d_name, 0);
	(void)closedir(d);
	(void)unlinkat(l->fd, path, AT_REMOVEDIR);
}

static void
drop_partials(struct log_dir *l, uint64_t old)
{
	uint64_t n = l->edge.size;

	for (uint64_t i = old / TILE_WIDTH; i < n / TILE_WIDTH; i++)
		drop_partial(l, TILE_ENTRIES, i);
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		n /= TILE_WIDTH;
		old /= TILE_WIDTH;
		for (uint64_t i = old; i < n; i++)
			drop_partial(l, level, i);
	}
}

/* Signs the tree as it stands and makes that the truth. */
static int
put_signed(struct log_dir *l, struct fault *f)
{
	struct buf text defer(buf_wipe) = buf_init(CHECKPOINT_TEXT_MAX);
	struct buf note defer(buf_wipe) = buf_init(NOTE_MAX);
	struct checkpoint c = { .size = l->edge.size,
		.origin = bytes_of(l->key.name, strlen(l->key.name)) };
	struct note n;
	int rc;

	merkle_root(&l->edge, &c.root);
	rc = checkpoint_format(&c, &text);
	if (rc == 0)
		rc = l->signer.sign(l->signer.ctx, buf_bytes(&text), &note);
	if (rc == 0)
		rc = note_parse(buf_bytes(&note), &n);
	if (rc == 0)
		rc = note_verify(&n, &l->key);
	if (rc != 0)
		return fault_set(f, rc, "checkpoint: %s", fault_text(rc));
	rc = stage_put_last(&l->stage, "signed", buf_bytes(&note), f);
	if (rc == 0)
		rc = stage_commit(&l->stage, f);
	if (rc != 0)
		return rc;
	l->note.n = 0;
	return buf_append(&l->note, note.p, note.n);
}

/* Reads a note that the log signed, NOT_FOUND where there is none. */
static int
read_note(struct log_dir *l, const char *path, struct buf *note,
    struct checkpoint *out, struct fault *f)
{
	struct note n;
	int rc;

	note->n = 0;
	rc = stage_read(l->fd, path, note, f);
	if (rc != 0)
		return rc;
	rc = note_parse(buf_bytes(note), &n);
	if (rc == 0 && note_verify(&n, &l->key) != 0)
		rc = FAULT_TRUST;
	if (rc == 0)
		rc = checkpoint_parse(n.text, out);
	if (rc == 0 && (out->more.n != 0 || bytes_cmp(out->origin,
	        bytes_of(l->key.name, strlen(l->key.name))) != 0))
		rc = FAULT_TRUST;
	return rc == 0 ? 0 :
	    fault_set(f, rc, "%s: not this log's checkpoint", path);
}

/* Tiles and entries at the right edge of c, from files. */
static int
load_edge(struct log_dir *l, const struct checkpoint *c)
{
	struct bytes entry[TILE_WIDTH];
	struct merkle_hash root, leaf;
	struct fault f = { 0 };
	struct tile_id id = { .level = TILE_ENTRIES,
		.index = c->size / TILE_WIDTH, .width = c->size % TILE_WIDTH };
	unsigned width;
	uint64_t n = c->size;
	int rc = edge_of(l, n, &l->edge);

	merkle_root(&l->edge, &root);
	if (rc == 0 && memcmp(root.b, c->root.b, MERKLE_LEN) != 0)
		rc = FAULT_TAMPERED;
	for (unsigned i = 0; rc == 0 && i < TILE_LEVELS; i++) {
		const struct tile_id t = { .level = i, .index = n / TILE_WIDTH,
			.width = n % TILE_WIDTH };

		if (t.width != 0)
			rc = read_hashes(l, &t, l->right[i]);
		n /= TILE_WIDTH;
	}
	l->bundle.n = 0;
	if (rc != 0 || id.width == 0)
		return rc;
	rc = read_tile(l, &id, &l->bundle, &width, &f);
	if (rc == 0)
		rc = tile_entries(buf_bytes(&l->bundle), width, entry);
	for (unsigned i = 0; rc == 0 && i < id.width; i++) {
		merkle_leaf(entry[i], &leaf);
		if (memcmp(leaf.b, l->right[0][i].b, MERKLE_LEN) != 0)
			rc = FAULT_TAMPERED;
	}
	if (rc == 0)
		l->bundle.n = (size_t)(entry[id.width - 1].p - l->bundle.p) +
		    entry[id.width - 1].n;
	return rc;
}

/* Walks over all entries of the files and compares the root. */
static int
walk(struct log_dir *l, const struct checkpoint *c, enum write write,
    struct fault *f)
{
	struct buf data defer(buf_wipe) = buf_init(BUNDLE_MAX);
	struct bytes entry[TILE_WIDTH];
	struct merkle_hash root;
	unsigned width;
	int rc = 0;

	l->write = write;
	l->at_hand = false;
	l->edge.size = 0;
	l->bundle.n = 0;
	while (rc == 0 && l->edge.size < c->size) {
		struct tile_id id = { .level = TILE_ENTRIES,
			.index = l->edge.size / TILE_WIDTH };

		id.width = tile_width(id.level, id.index, c->size);
		data.n = 0;
		rc = read_tile(l, &id, &data, &width, f);
		if (rc == 0 && tile_entries(buf_bytes(&data), width, entry) !=
		    0)
			rc = fault_set(f, FAULT_TAMPERED,
			    "entries %llu: malformed",
			    (unsigned long long)id.index);
		for (unsigned i = 0; rc == 0 && i < id.width; i++)
			rc = add(l, entry[i], f);
	}
	merkle_root(&l->edge, &root);
	if (rc == 0 && memcmp(root.b, c->root.b, MERKLE_LEN) != 0)
		rc = fault_set(f, FAULT_TAMPERED,
		    "the entries are not those of the checkpoint");
	return rc;
}

static int
rebuild(struct log_dir *l, const struct checkpoint *c, struct fault *f)
{
	int rc = walk(l, c, WRITE_NONE, f);

	if (rc == 0)
		rc = walk(l, c, WRITE_TILES, f);
	if (rc == 0)
		rc = put_partial(l, l->edge.size, f);
	if (rc == 0)
		rc = stage_commit(&l->stage, f);
	return rc;
}

/* Full tiles past the end were never covered by a checkpoint; nobody may come
 * to see them, since other bytes will have that name. */
static int
drop_orphans(struct log_dir *l, struct fault *f)
{
	uint64_t n = l->edge.size / TILE_WIDTH;

	for (unsigned i = 0; i <= TILE_LEVELS; i++) {
		struct tile_id id = { .index = n, .width = TILE_WIDTH,
			.level = i == 0 ? TILE_ENTRIES : i - 1 };
		char path[PATH_LEN];
		int rc = 0;

		for (; rc == 0; id.index++) {
			path_of(&id, path);
			rc = unlinkat(l->fd, path, 0);
		}
		if (errno != ENOENT)
			return fd_fault(path, f);
		if (i != 0)
			n /= TILE_WIDTH;
	}
	return 0;
}

static int
load(struct log_dir *l, struct fault *f)
{
	struct buf shown defer(buf_wipe) = buf_init(NOTE_MAX);
	struct checkpoint c = { .size = 0 }, public = { .size = 0 };
	int rc;

	l->at_hand = false;
	stage_abort(&l->stage);
	rc = stage_clean(l->fd, f);
	if (rc == 0) {
		rc = read_note(l, "log/checkpoint", &shown, &public, f);
		rc = rc == FAULT_NOT_FOUND ? 0 : rc;
	}
	if (rc == 0) {
		rc = read_note(l, "signed", &l->note, &c, f);
		if (rc == FAULT_NOT_FOUND && shown.n == 0) {
			merkle_empty(&c.root);
			rc = 0;
		}
	}
	if (rc == 0 && public.size > c.size)
		rc = fault_set(f, FAULT_ROLLBACK,
		    "signed: is older than what was published");
	if (rc != 0)
		return rc;
	memset(&l->edge, 0, sizeof(l->edge));
	rc = load_edge(l, &c);
	if (rc == FAULT_NOT_FOUND || rc == FAULT_MALFORMED ||
	    rc == FAULT_TAMPERED)
		rc = rebuild(l, &c, f);
	else if (rc != 0)
		rc = fault_set(f, rc, "tiles: %s", fault_text(rc));
	if (rc == 0)
		rc = drop_orphans(l, f);
	l->public_size = public.size;
	l->loaded = l->at_hand = rc == 0;
	return rc;
}

static int
log_dir_append(struct log *log, const struct bytes *entry, size_t n,
    uint64_t *first, struct fault *f)
{
	struct log_dir *l = of(log);
	uint64_t old;
	int rc = l->loaded ? 0 : load(l, f);

	if (rc == 0 && (n == 0 || n > LOG_BATCH_MAX))
		rc = fault_set(f, FAULT_LIMIT, "append: %zu entries", n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (entry[i].n > TILE_ENTRY_MAX)
			rc = fault_set(f, FAULT_LIMIT, "entry: %zu bytes",
			    entry[i].n);
	if (rc != 0)
		return rc;
	old = l->edge.size;
	l->loaded = false; /* until all is well */
	l->write = WRITE_ALL;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add(l, entry[i], f);
	if (rc == 0)
		rc = put_partial(l, old, f);
	if (rc == 0)
		rc = put_signed(l, f);
	if (rc != 0)
		return rc;
	l->loaded = true;
	drop_partials(l, old);
	*first = old;
	return 0;
}

static int
log_dir_head(struct log *log, struct log_head *out, struct buf *note,
    struct fault *f)
{
	struct log_dir *l = of(log);
	int rc = l->loaded ? 0 : load(l, f);

	if (rc == 0 && note != NULL)
		rc = buf_append(note, l->note.p, l->note.n);
	if (rc != 0)
		return rc;
	out->size = l->edge.size;
	merkle_root(&l->edge, &out->root);
	return 0;
}

static int
log_dir_publish(struct log *log, struct bytes data, struct fault *f)
{
	struct log_dir *l = of(log);
	struct merkle_edge edge;
	struct merkle_hash root;
	struct checkpoint c;
	struct note n;
	int rc = l->loaded ? 0 : load(l, f);

	if (rc != 0)
		return rc;
	rc = note_parse(data, &n);
	if (rc == 0 && note_verify(&n, &l->key) != 0)
		rc = FAULT_TRUST;
	if (rc == 0)
		rc = checkpoint_parse(n.text, &c);
	if (rc == 0 && c.size < l->public_size)
		rc = FAULT_ROLLBACK;
	if (rc == 0 && c.size > l->edge.size)
		rc = FAULT_TAMPERED;
	if (rc == 0 && c.size == l->edge.size)
		edge = l->edge;
	else if (rc == 0)
		rc = edge_of(l, c.size, &edge);
	if (rc != 0)
		return fault_set(f, rc, "publish: %s", fault_text(rc));
	merkle_root(&edge, &root);
	if (memcmp(root.b, c.root.b, MERKLE_LEN) != 0)
		return fault_set(f, FAULT_TAMPERED, "publish: another root");
	rc = stage_put(&l->stage, "log/checkpoint", data, f);
	if (rc == 0)
		rc = stage_commit(&l->stage, f);
	stage_abort(&l->stage);
	if (rc == 0)
		l->public_size = c.size;
	return rc;
}

static int
log_dir_entry(struct log *log, uint64_t index, struct buf *out,
    struct fault *f)
{
	struct buf data defer(buf_wipe) = buf_init(BUNDLE_MAX);
	struct log_dir *l = of(log);
	struct bytes entry[TILE_WIDTH];
	struct tile_id id = { .level = TILE_ENTRIES,
		.index = index / TILE_WIDTH };
	unsigned width;
	int rc = l->loaded ? 0 : load(l, f);

	if (rc != 0)
		return rc;
	if (index >= l->edge.size)
		return fault_set(f, FAULT_NOT_FOUND, "no such entry");
	id.width = tile_width(id.level, id.index, l->edge.size);
	rc = read_tile(l, &id, &data, &width, f);
	if (rc == 0 && tile_entries(buf_bytes(&data), width, entry) != 0)
		rc = fault_set(f, FAULT_TAMPERED, "entries: malformed");
	if (rc != 0)
		return rc;
	return buf_append(out, entry[index % TILE_WIDTH].p,
	    entry[index % TILE_WIDTH].n);
}

static int
log_dir_check(struct log *log, struct fault *f)
{
	struct log_dir *l = of(log);
	struct checkpoint c;
	int rc = l->loaded ? 0 : load(l, f);

	if (rc != 0)
		return rc;
	c.size = l->edge.size;
	merkle_root(&l->edge, &c.root);
	l->loaded = false; /* the walk uses the same places */
	rc = walk(l, &c, WRITE_NONE, f);
	return rc != 0 ? rc : load(l, f);
}

static void
log_dir_close(struct log *log)
{
	struct log_dir *l = of(log);

	stage_abort(&l->stage);
	if (l->lock >= 0)
		(void)close(l->lock);
	if (l->fd >= 0)
		(void)close(l->fd);
	buf_wipe(&l->bundle);
	buf_wipe(&l->note);
	free(l);
}

static const struct log_ops ops = {
	.append = log_dir_append,
	.head = log_dir_head,
	.publish = log_dir_publish,
	.entry = log_dir_entry,
	.tiles = log_dir_tiles,
	.check = log_dir_check,
	.close = log_dir_close,
};

int
log_dir_open(const char *dir, const struct note_key *key,
    struct log_signer signer, struct log **out, struct fault *f)
{
	struct log_dir *l = calloc(1, sizeof(*l));
	int rc = 0;

	if (l == NULL)
		return fault_set(f, FAULT_MEMORY, "log");
	l->log.ops = &ops;
	l->key = *key;
	l->signer = signer;
	l->bundle = buf_init(BUNDLE_MAX);
	l->note = buf_init(NOTE_MAX);
	l->lock = -1;
	l->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stage_init(&l->stage, l->fd);
	if (l->fd < 0)
		rc = fd_fault(dir, f);
	if (rc == 0) {
		l->lock = openat(l->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC,
		    0600);
		if (l->lock < 0)
			rc = fd_fault("lock", f);
		else if (flock(l->lock, LOCK_EX | LOCK_NB) != 0)
			rc = fault_set(f, FAULT_CONFLICT,
			    "%s: is open elsewhere", dir);
	}
	if (rc == 0)
		rc = load(l, f);
	if (rc != 0) {
		rc = fault_add(f, rc, "%s", dir);
		log_dir_close(&l->log);
		return rc;
	}
	*out = &l->log;
	return 0;
}
