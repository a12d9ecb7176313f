// SPDX-License-Identifier: Apache-2.0
#include "lib/mkspace.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "lib/cm.h"
#include "net/text.h"
#include "object/head.h"
#include "object/segwrite.h"
#include "store/store_dir.h"

#define MTIME 1000000000

/* Where nodes and chunks end depends on the keys, so they are the same in each
 * run, and others for each space of a run: a failure can be repeated. */
static void
key_of_test(void *key, size_t n)
{
	static unsigned char count;

	memset(key, ++count, n);
}

struct mkspace *
mkspace_new(void)
{
	struct mkspace *m = calloc(1, sizeof(*m));
	struct box_key box;
	struct box_pub box_pub;
	struct fault f = { 0 };

	assert_non_null(m);
	assert_int_equal(secret_init(), 0);
	(void)snprintf(m->dir, sizeof(m->dir), "/tmp/skerry-test-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	(void)snprintf(m->depot, sizeof(m->depot), "%s/depot", m->dir);
	(void)snprintf(m->out, sizeof(m->out), "%s/out", m->dir);
	assert_int_equal(mkdir(m->out, 0755), 0);
	secret_random(m->prefix, ID_LEN);
	assert_int_equal(store_dir_open(m->depot, m->prefix, &m->store, &f),
	    0);
	key_of_test(&m->dedup, sizeof(m->dedup));
	assert_int_equal(seal_new(BULK_BEST, &m->dedup, &m->seal), 0);
	assert_int_equal(pack_init(&m->pack), 0);

	m->key = secret_new(sizeof(*m->key));
	key_of_test(m->key, sizeof(*m->key));
	m->sign = secret_new(sizeof(*m->sign));
	sign_new(m->sign, &m->sign_pub);
	sign_box_new(&box, &box_pub);
	m->device = (struct chain_device){ .sign = m->sign_pub,
		.box = box_pub, .live = true };
	chain_device_id(&m->sign_pub, &box_pub, m->device.id);
	m->chain = (struct chain){ .n = 1, .devices = 1,
		.device = &m->device };
	m->epoch = (struct session_epoch){ .epoch = 1, .key = m->key };
	m->ses = (struct session){ .sign = m->sign, .chain = &m->chain,
		.epochs = &m->epoch, .nepochs = 1, .store = m->store,
		.stop = &m->stop };
	secret_random(m->ses.space, ID_LEN);
	memcpy(m->ses.device, m->device.id, ID_LEN);
	return m;
}

static void
forget_entries(struct mkspace *m)
{
	for (size_t i = 0; i < m->nentries; i++) {
		free(m->entry[i].key);
		free(m->entry[i].entry);
	}
	m->nentries = 0;
}

/* Deeper than nftw() can go, and read-only in places. */
static void
remove_all(char *dir)
{
	char cmd[] = "chmod -R u+rwx -- \"$0\"; rm -rf -- \"$0\"";
	char sh[] = "sh", c[] = "-c";
	char *argv[] = { sh, c, cmd, dir, NULL };
	int status;
	pid_t pid;

	assert_int_equal(posix_spawnp(&pid, sh, NULL, NULL, argv, environ),
	    0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

void
mkspace_free(struct mkspace *m)
{
	if (m == NULL)
		return;
	space_close(m->space);
	store_close(m->store);
	seal_free(m->seal);
	pack_wipe(&m->pack);
	forget_entries(m);
	free(m->entry);
	free(m->index);
	commit_wipe(&m->commit);
	secret_free(m->key);
	secret_free(m->sign);
	remove_all(m->dir);
	free(m);
}

int
mkspace_setup(void **state)
{
	*state = mkspace_new();
	return 0;
}

int
mkspace_teardown(void **state)
{
	mkspace_free(*state);
	return 0;
}

static void
upload(struct mkspace *m, bool last)
{
	struct fault f = { 0 };
	struct bytes b = pack_finish(&m->pack, last);

	if (b.n != 0)
		assert_int_equal(m->store->ops->put(m->store, m->pack.id, b,
		    &f), 0);
	pack_begin(&m->pack);
}

void
mkspace_cut(struct mkspace *m)
{
	upload(m, true);
}

const uint8_t *
mkspace_object(const struct mkspace *m)
{
	return m->pack.id;
}

static void
need_room(struct mkspace *m, size_t n)
{
	if (pack_room(&m->pack) < n)
		upload(m, false);
}

void
mkspace_chunk(struct mkspace *m, enum seal_kind kind, struct bytes plain,
    uint8_t id[static CHUNK_ID_LEN])
{
	uint8_t ids[1][CHUNK_ID_LEN];
	struct seal_mark mark;
	struct index_entry e;

	assert_int_equal(seal_ids(m->seal, &plain, 1, &mark, ids), 0);
	memcpy(id, ids[0], CHUNK_ID_LEN);
	for (size_t i = 0; i < m->nindex; i++)
		if (memcmp(m->index[i].id, id, CHUNK_ID_LEN) == 0)
			return;
	need_room(m, seal_bound(plain.n));
	assert_int_equal(seal_chunk(m->seal, kind, plain, &mark,
	    pack_tail(&m->pack), &e), 0);
	e.place = pack_commit(&m->pack, e.place.length);
	if (m->nindex == m->index_cap) {
		m->index_cap = 2 * m->index_cap + 64;
		m->index = realloc(m->index,
		    m->index_cap * sizeof(*m->index));
		assert_non_null(m->index);
	}
	m->index[m->nindex++] = e;
}

void
mkspace_add(struct mkspace *m, const char *path, const struct tree_entry *e)
{
	struct buf b = buf_init(ENTRY_LEN_MAX);
	struct mkspace_entry *x;

	assert_int_equal(entry_encode(e, &b), 0);
	if (m->nentries == m->entries_cap) {
		m->entries_cap = 2 * m->entries_cap + 64;
		m->entry = realloc(m->entry,
		    m->entries_cap * sizeof(*m->entry));
		assert_non_null(m->entry);
	}
	x = &m->entry[m->nentries++];
	x->key_len = strlen(path);
	x->key = cm_exact(path, x->key_len);
	for (size_t i = 0; i < x->key_len; i++)
		if (x->key[i] == '/')
			x->key[i] = 0;
	x->entry = b.p;
	x->entry_len = b.n;
	x->size = e->type == ENTRY_FILE ? e->size : 0;
}

struct tree_entry
mkspace_plain(enum entry_type type)
{
	return (struct tree_entry){ .type = type,
		.mode = type == ENTRY_FOLDER ? 0755 : 0644,
		.uid = getuid(), .gid = getgid(), .mtime_sec = MTIME };
}

void
mkspace_folder(struct mkspace *m, const char *path)
{
	struct tree_entry e = mkspace_plain(ENTRY_FOLDER);

	mkspace_add(m, path, &e);
}

void
mkspace_symlink(struct mkspace *m, const char *path, const char *target)
{
	struct tree_entry e = mkspace_plain(ENTRY_SYMLINK);

	e.mode = 0777;
	e.target = bytes_of(target, strlen(target));
	mkspace_add(m, path, &e);
}

void
mkspace_file(struct mkspace *m, const char *path, struct bytes data,
    size_t piece, const struct tree_entry *e)
{
	struct tree_entry x = e != NULL ? *e : mkspace_plain(ENTRY_FILE);
	struct list_builder l = list_build((size_t)1 << 24);
	uint8_t id[CHUNK_ID_LEN];
	struct buf up = buf_init((size_t)1 << 24);
	struct bytes list;

	if (piece == 0)
		piece = data.n < CHUNK_MAX ? data.n : CHUNK_MAX;
	x.size = data.n;
	for (size_t i = 0; i < data.n; i += piece) {
		size_t n = data.n - i < piece ? data.n - i : piece;

		mkspace_chunk(m, SEAL_DATA, bytes_of(data.p + i, n), id);
		assert_int_equal(list_add_data(&l, id, (uint32_t)n), 0);
	}
	assert_int_equal(list_finish(&l, &list), 0);
	if (list.n > INLINE_MAX) {
		struct list_builder m2 = list_build(INLINE_MAX);

		assert_true(list.n <= CHUNK_MAX);
		mkspace_chunk(m, SEAL_LIST, list, id);
		assert_int_equal(list_add_data(&m2, id, (uint32_t)list.n), 0);
		assert_int_equal(list_finish(&m2, &list), 0);
		assert_int_equal(buf_append(&up, list.p, list.n), 0);
		list = buf_bytes(&up);
		x.level = 1;
		list_builder_wipe(&m2);
	}
	x.list = list;
	mkspace_add(m, path, &x);
	list_builder_wipe(&l);
	buf_wipe(&up);
}

void
mkspace_text(struct mkspace *m, const char *path, const char *text)
{
	mkspace_file(m, path, bytes_of(text, strlen(text)), 0, NULL);
}

struct ref
mkspace_node(struct mkspace *m, struct bytes node)
{
	struct ref ref;

	need_room(m, seal_bound(node.n));
	assert_int_equal(seal_ref(m->seal, SEAL_NODE, node,
	    pack_tail(&m->pack), &ref), 0);
	ref.place = pack_commit(&m->pack, ref.place.length);
	return ref;
}

static int
store_node(void *arg, unsigned level, struct bytes node, struct ref *out)
{
	(void)level;
	*out = mkspace_node(arg, node);
	return 0;
}

static int
store_block(void *arg, struct bytes sealed, struct place *out)
{
	struct mkspace *m = arg;

	need_room(m, sealed.n);
	return pack_append(&m->pack, sealed, out);
}

static void
finish_commit(struct mkspace *m, struct commit *c)
{
	struct buf b = buf_init(COMMIT_MAX);
	struct head h = { .epoch = 1, .number = c->number };
	struct bulk *bulk = seal_bulk(m->seal);
	struct segment seg;

	if (m->nindex != 0) {
		struct segwrite_sink sink = { store_block, m };

		assert_int_equal(segwrite_array(m->seal, m->index, m->nindex,
		    sink, &seg), 0);
		assert_int_equal(commit_add_segment(c, &seg), 0);
		m->nindex = 0;
	}
	assert_int_equal(commit_encode(c, &b), 0);
	need_room(m, seal_bound(b.n));
	assert_int_equal(seal_ref(m->seal, SEAL_COMMIT, buf_bytes(&b),
	    pack_tail(&m->pack), &h.commit), 0);
	h.commit.place = pack_commit(&m->pack, h.commit.place.length);
	upload(m, true);
	memcpy(h.space, m->ses.space, ID_LEN);
	memcpy(h.device, m->device.id, ID_LEN);
	if (h.number > 1)
		head_hash(bytes_of(m->ses.head, HEAD_LEN), h.prev);
	head_new_salt(&h);
	assert_int_equal(head_seal(bulk, m->key, m->sign, &h, m->ses.head),
	    0);
	m->ses.has_head = true;
	buf_wipe(&b);
	forget_entries(m);
	/* A later commit goes on from here. */
	c->has_parent = true;
	c->parent = h.commit;
	m->commit = *c;
}

static struct commit
next_commit(struct mkspace *m)
{
	struct commit c = m->commit;

	m->commit = (struct commit){ 0 };
	c.epoch = 1;
	c.number++;
	c.time_sec = MTIME + (int64_t)c.number;
	memcpy(c.device, m->device.id, ID_LEN);
	c.dedup = m->dedup;
	return c;
}

static int
by_key(const void *a, const void *b)
{
	const struct mkspace_entry *x = a, *y = b;

	return bytes_cmp(bytes_of(x->key, x->key_len),
	    bytes_of(y->key, y->key_len));
}

void
mkspace_commit(struct mkspace *m, const char *message)
{
	struct commit c = next_commit(m);
	struct builder_sink sink = { store_node, m };
	struct builder *b;
	struct builder_tree tree;

	if (m->nentries > 1)
		qsort(m->entry, m->nentries, sizeof(*m->entry), by_key);
	assert_int_equal(builder_new(&m->dedup, sink, &b), 0);
	for (size_t i = 0; i < m->nentries; i++) {
		struct mkspace_entry *x = &m->entry[i];

		assert_int_equal(builder_add(b, bytes_of(x->key, x->key_len),
		    bytes_of(x->entry, x->entry_len)), 0);
	}
	assert_int_equal(builder_finish(b, NULL, &tree), 0);
	builder_free(b);
	c.has_root = tree.has_root;
	c.root = tree.root;
	c.entries = tree.entries;
	c.bytes = tree.bytes;
	c.message_len = (uint16_t)strlen(message);
	memcpy(c.message, message, c.message_len);
	finish_commit(m, &c);
}

void
mkspace_commit_root(struct mkspace *m, const struct ref *root,
    uint64_t entries, uint64_t bytes)
{
	struct commit c = next_commit(m);

	c.has_root = true;
	c.root = *root;
	c.entries = entries;
	c.bytes = bytes;
	c.message_len = 0;
	finish_commit(m, &c);
}

struct space *
mkspace_open(struct mkspace *m)
{
	struct fault f = { 0 };

	space_close(m->space);
	m->space = NULL;
	if (space_open(&m->ses, &m->space, &f) != 0)
		fail_msg("space: %s", f.text);
	return m->space;
}

static void
object_path(struct mkspace *m, const uint8_t object[static ID_LEN],
    char out[static 256])
{
	char prefix[2 * ID_LEN + 1], first[3], id[2 * ID_LEN + 1];

	text_hex(m->prefix, ID_LEN, prefix, sizeof(prefix));
	text_hex(object, 1, first, sizeof(first));
	text_hex(object, ID_LEN, id, sizeof(id));
	(void)snprintf(out, 256, "%s/v1/%s/%s/%s", m->depot, prefix, first,
	    id);
}

void
mkspace_flip(struct mkspace *m, const uint8_t object[static ID_LEN],
    uint64_t at)
{
	char path[256];
	uint8_t byte;
	int fd;

	object_path(m, object, path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

void
mkspace_truncate(struct mkspace *m, const uint8_t object[static ID_LEN],
    uint64_t size)
{
	char path[256];

	object_path(m, object, path);
	assert_int_equal(truncate(path, (off_t)size), 0);
}

void
mkspace_remove(struct mkspace *m, const uint8_t object[static ID_LEN])
{
	char path[256];

	object_path(m, object, path);
	assert_int_equal(unlink(path), 0);
}
