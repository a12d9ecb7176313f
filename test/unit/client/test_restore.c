// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client/engine/restore.h"
#include "client/path.h"
#include "crypt/secret.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "lib/warned.h"
#include "net/text.h"
#include "object/attrs.h"
#include "object/key.h"
#include "store/store_fault.h"

struct run {
	bool overwrite;
	const char *path; /* NULL: everything */
	struct restore_result res;
	struct fault f;
};

static int
run(struct mkspace *m, struct run *r)
{
	struct space *sp = mkspace_open(m);
	struct buf b = buf_init(KEY_BYTES_MAX);
	struct bytes key;
	int dir = open(m->out, O_RDONLY | O_DIRECTORY), rc;
	struct restore_options o = { .commit = &sp->commit, .dir = dir,
		.overwrite = r->overwrite, .warn = on_warn, .threads = 3 };

	assert_true(dir >= 0);
	warned[0] = '\0';
	r->f = (struct fault){ 0 };
	if (r->path != NULL) {
		assert_int_equal(key_from_path(bytes_of(r->path,
		    strlen(r->path)), &b), 0);
		key = buf_bytes(&b);
		o.key = &key;
		o.n = 1;
	}
	rc = restore_run(sp, &o, &r->res, &r->f);
	close(dir);
	buf_wipe(&b);
	return rc;
}

static void
run_well(struct mkspace *m, struct run *r)
{
	int rc = run(m, r);

	if (rc != 0)
		fail_msg("%s\n%s", r->f.text, warned);
}

static void
expect_warning(const char *text)
{
	if (strstr(warned, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, warned);
}

static const char *
out_path(const struct mkspace *m, const char *path)
{
	static char full[8192];

	(void)snprintf(full, sizeof(full), "%s/%s", m->out, path);
	return full;
}

static void
expect_file(const struct mkspace *m, const char *path, struct bytes want)
{
	int fd = open(out_path(m, path), O_RDONLY | O_NOFOLLOW);
	uint8_t *p = malloc(want.n + 1);

	if (fd < 0)
		fail_msg("%s is not there\n%s", path, warned);
	assert_int_equal(read(fd, p, want.n + 1), want.n);
	assert_memory_equal(p, want.p, want.n);
	close(fd);
	free(p);
}

static void
expect_text(const struct mkspace *m, const char *path, const char *text)
{
	expect_file(m, path, bytes_of(text, strlen(text)));
}

static bool
is_there(const struct mkspace *m, const char *path)
{
	struct stat st;

	return lstat(out_path(m, path), &st) == 0;
}

/* Names in a folder of the target, but "." and "..". */
static size_t
count_names(const struct mkspace *m, const char *path)
{
	DIR *d = opendir(out_path(m, path));
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static struct bytes
noise(size_t n)
{
	uint8_t *p = malloc(n);

	secret_random(p, n);
	return bytes_of(p, n);
}

static void
restores_names_and_content(void **state)
{
	struct mkspace *m = *state;
	struct bytes big = noise(3000000);
	struct run r = { 0 };

	mkspace_text(m, "\xff\xfe bad utf-8", "one");
	mkspace_text(m, "new\nline \x1b[31m", "two");
	mkspace_folder(m, "a");
	mkspace_folder(m, "a/b");
	mkspace_text(m, "a/b/-rf", "three");
	mkspace_text(m, "a/empty", "");
	mkspace_folder(m, "a.b"); /* sorts after everything below a */
	mkspace_text(m, "a.b/c", "four");
	mkspace_file(m, "big", big, 150000, NULL);
	mkspace_file(m, "big again", big, 150000, NULL);
	mkspace_symlink(m, "link", "/nowhere/at all");
	mkspace_commit(m, "first");
	run_well(m, &r);
	expect_text(m, "\xff\xfe bad utf-8", "one");
	expect_text(m, "new\nline \x1b[31m", "two");
	expect_text(m, "a/b/-rf", "three");
	expect_text(m, "a/empty", "");
	expect_text(m, "a.b/c", "four");
	expect_file(m, "big", big);
	expect_file(m, "big again", big);
	assert_int_equal(r.res.entries, 11);
	assert_int_equal(count_names(m, ""), 7);
	free((void *)(uintptr_t)big.p);
}

static void
restores_one_path_under_its_last_name(void **state)
{
	struct mkspace *m = *state;
	struct run r = { .path = "a/b" };

	mkspace_folder(m, "a");
	mkspace_folder(m, "a/b");
	mkspace_text(m, "a/b/c", "x");
	mkspace_text(m, "a/bb", "y");
	mkspace_commit(m, "");
	run_well(m, &r);
	expect_text(m, "b/c", "x");
	assert_int_equal(count_names(m, ""), 1);
	r.path = "a/bb";
	run_well(m, &r);
	expect_text(m, "bb", "y");
	r.path = "a/nothing";
	assert_int_equal(run(m, &r), FAULT_NOT_FOUND);
}

static void
restores_metadata(void **state)
{
	struct mkspace *m = *state;
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	struct buf attrs = buf_init(INLINE_MAX);
	struct attrs_item item = { bytes_of("user.test", 9),
		bytes_of("v\0w", 3) };
	struct run r = { 0 };
	struct stat st;
	char value[8];

	assert_int_equal(attrs_encode(&item, 1, &attrs), 0);
	e.mode = 04751;
	e.mtime_sec = -5;
	e.mtime_nsec = 123456789;
	e.attrs = buf_bytes(&attrs);
	mkspace_file(m, "f", bytes_of("x", 1), 0, &e);
	e = mkspace_plain(ENTRY_FOLDER);
	e.mode = 0555;
	e.mtime_sec = 77;
	mkspace_add(m, "ro", &e);
	mkspace_text(m, "ro/inside", "y");
	e = mkspace_plain(ENTRY_FIFO);
	mkspace_add(m, "fifo", &e);
	e = mkspace_plain(ENTRY_SOCKET);
	mkspace_add(m, "sock", &e);
	mkspace_commit(m, "");
	run_well(m, &r);
	assert_int_equal(lstat(out_path(m, "f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 04751 : 0751);
	assert_int_equal(st.st_mtim.tv_sec, -5);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(getxattr(out_path(m, "f"), "user.test", value, 8), 3);
	assert_int_equal(lstat(out_path(m, "ro"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(st.st_mtim.tv_sec, 77);
	expect_text(m, "ro/inside", "y");
	assert_int_equal(lstat(out_path(m, "fifo"), &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(lstat(out_path(m, "sock"), &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	buf_wipe(&attrs);
}

static void
restores_holes(void **state)
{
	struct mkspace *m = *state;
	struct list_builder l = list_build(INLINE_MAX);
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	uint8_t id[CHUNK_ID_LEN], byte = 1;
	struct run r = { 0 };
	struct stat st;
	int fd;

	mkspace_chunk(m, SEAL_DATA, bytes_of("abc", 3), id);
	assert_int_equal(list_add_hole(&l, 1000000000), 0);
	assert_int_equal(list_add_data(&l, id, 3), 0);
	assert_int_equal(list_add_hole(&l, 4096), 0);
	assert_int_equal(list_finish(&l, &e.list), 0);
	e.size = l.size;
	mkspace_add(m, "s", &e);
	mkspace_commit(m, "");
	run_well(m, &r);
	assert_int_equal(lstat(out_path(m, "s"), &st), 0);
	assert_int_equal(st.st_size, 1000004099);
	assert_true(st.st_blocks < 100);
	fd = open(out_path(m, "s"), O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, 1000000001), 1);
	assert_int_equal(byte, 'b');
	close(fd);
	list_builder_wipe(&l);
}

static void
restores_deep_paths(void **state)
{
	struct mkspace *m = *state;
	static char path[24100];
	struct run r = { 0 };
	size_t n = 0;
	int fd;

	/* 120 levels of 200 bytes: far past PATH_MAX. */
	for (int i = 0; i < 120; i++) {
		if (n != 0)
			path[n++] = '/';
		memset(path + n, 'd', 199);
		n += 199;
		path[n] = '\0';
		mkspace_folder(m, path);
	}
	memcpy(path + n, "/file", 6);
	mkspace_text(m, path, "deep");
	path[199] = '\0';
	memcpy(path + 199, "/z", 3);
	mkspace_text(m, path, "on the way back");
	mkspace_commit(m, "");
	run_well(m, &r);
	assert_int_equal(r.res.entries, 122);
	fd = open(m->out, O_RDONLY | O_DIRECTORY);
	memset(path, 'd', 199);
	path[199] = '\0';
	for (int i = 0; i < 120; i++) {
		int sub = openat(fd, path, O_RDONLY | O_DIRECTORY);
		struct stat st;

		assert_true(sub >= 0);
		close(fd);
		fd = sub;
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mtim.tv_sec, 1000000000);
		assert_int_equal(st.st_mode & 0777, 0755);
		if (i == 0)
			assert_int_equal(faccessat(fd, "z", F_OK, 0), 0);
	}
	assert_int_equal(faccessat(fd, "file", F_OK, 0), 0);
	close(fd);
}

static void
links_equal_entries_only(void **state)
{
	struct mkspace *m = *state;
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	struct run r = { 0 };
	struct stat a, b, c, d;

	e.link = 42;
	mkspace_folder(m, "z");
	mkspace_file(m, "a", bytes_of("same", 4), 0, &e);
	mkspace_file(m, "z/b", bytes_of("same", 4), 0, &e);
	mkspace_file(m, "z/c", bytes_of("diff", 4), 0, &e);
	e.link = 43;
	mkspace_file(m, "d", bytes_of("same", 4), 0, &e);
	e = mkspace_plain(ENTRY_SYMLINK);
	e.link = 44;
	e.target = bytes_of("a", 1);
	mkspace_add(m, "s", &e);
	mkspace_add(m, "z/s", &e);
	mkspace_commit(m, "");
	run_well(m, &r);
	assert_int_equal(lstat(out_path(m, "a"), &a), 0);
	assert_int_equal(lstat(out_path(m, "z/b"), &b), 0);
	assert_int_equal(lstat(out_path(m, "z/c"), &c), 0);
	assert_int_equal(lstat(out_path(m, "d"), &d), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_not_equal(a.st_ino, c.st_ino);
	assert_int_not_equal(a.st_ino, d.st_ino);
	expect_text(m, "z/c", "diff");
	assert_int_equal(lstat(out_path(m, "z"), &a), 0);
	assert_int_equal(a.st_mtim.tv_sec, 1000000000);
	r.overwrite = true;
	run_well(m, &r);
	assert_int_equal(lstat(out_path(m, "a"), &a), 0);
	assert_int_equal(a.st_nlink, 2);
	assert_int_equal(lstat(out_path(m, "z/s"), &a), 0);
	assert_true(S_ISLNK(a.st_mode));
	assert_int_equal(a.st_nlink, 2);
	assert_int_equal(count_names(m, "z"), 3);
}

static void
keeps_what_is_there_unless_told(void **state)
{
	struct mkspace *m = *state;
	struct run r = { 0 };
	int fd;

	mkspace_text(m, "f", "new");
	mkspace_text(m, "g", "new");
	mkspace_folder(m, "h");
	mkspace_text(m, "h/i", "new");
	mkspace_commit(m, "");
	fd = open(out_path(m, "f"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "old", 3), 3);
	close(fd);
	assert_int_equal(symlink("/tmp", out_path(m, "h")), 0);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	expect_text(m, "f", "old");
	expect_text(m, "g", "new");
	assert_int_equal(r.res.failed, 3);
	expect_warning("f: ");
	expect_warning("h: ");
	r.overwrite = true;
	run_well(m, &r);
	expect_text(m, "f", "new");
	expect_text(m, "h/i", "new");
	assert_int_equal(count_names(m, ""), 3);
}

/* As a restore that was broken off does. */
static void
what_is_there_already_costs_nothing(void **state)
{
	struct mkspace *m = *state;
	struct tree_entry e = mkspace_plain(ENTRY_FILE);
	struct run r = { 0 };
	struct stat was, is;
	int fd;

	e.link = 42;
	mkspace_file(m, "a", bytes_of("same", 4), 0, &e);
	mkspace_file(m, "b", bytes_of("same", 4), 0, &e);
	mkspace_text(m, "f", "text");
	mkspace_text(m, "g", "text");
	mkspace_symlink(m, "l", "there");
	mkspace_commit(m, "");
	run_well(m, &r);
	assert_int_equal(r.res.kept, 0);
	assert_int_equal(lstat(out_path(m, "a"), &was), 0);
	run_well(m, &r);
	assert_int_equal(r.res.kept, 5);
	assert_int_equal(r.res.entries, 0);
	assert_int_equal(r.res.requests, 0);
	assert_int_equal(lstat(out_path(m, "a"), &is), 0);
	assert_int_equal(was.st_ino, is.st_ino);
	/* One of another time, one that is missing, another link. */
	fd = open(out_path(m, "f"), O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "TEXT", 4), 4);
	close(fd);
	assert_int_equal(unlink(out_path(m, "b")), 0);
	assert_int_equal(unlink(out_path(m, "l")), 0);
	assert_int_equal(symlink("where", out_path(m, "l")), 0);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	expect_warning("f: ");
	expect_warning("l: ");
	assert_int_equal(r.res.failed, 2);
	assert_int_equal(r.res.kept, 2);
	assert_int_equal(r.res.entries, 1);
	assert_int_equal(r.res.requests, 0);
	assert_int_equal(lstat(out_path(m, "b"), &is), 0);
	assert_int_equal(was.st_ino, is.st_ino);
	expect_text(m, "f", "TEXT");
	r.overwrite = true;
	run_well(m, &r);
	assert_int_equal(r.res.kept, 0);
	assert_int_equal(r.res.entries, 5);
	expect_text(m, "f", "text");
}

static void
removes_leftovers(void **state)
{
	struct mkspace *m = *state;
	struct run r = { .overwrite = true };
	const char *left = ".skerry-part-0123456789abcdef";
	char path[128];
	int fd;

	mkspace_folder(m, "d");
	mkspace_text(m, "d/f", "x");
	mkspace_commit(m, "");
	run_well(m, &r);
	(void)snprintf(path, sizeof(path), "d/%s", left);
	fd = open(out_path(m, path), O_WRONLY | O_CREAT, 0);
	close(fd);
	fd = open(out_path(m, left), O_WRONLY | O_CREAT, 0600);
	close(fd);
	fd = open(out_path(m, ".skerry-part-mine"), O_WRONLY | O_CREAT, 0600);
	close(fd);
	run_well(m, &r);
	assert_int_equal(count_names(m, "d"), 1);
	assert_int_equal(count_names(m, ""), 2);
}

static void
one_bad_object_costs_one_file(void **state)
{
	struct mkspace *m = *state;
	uint8_t bad[ID_LEN], gone[ID_LEN];
	char hex[2 * ID_LEN + 1];
	struct run r = { 0 };

	mkspace_text(m, "a", "good");
	mkspace_cut(m);
	memcpy(bad, mkspace_object(m), ID_LEN);
	mkspace_folder(m, "d");
	mkspace_text(m, "d/bad", "altered");
	mkspace_text(m, "d/beside", "in the same object");
	mkspace_cut(m);
	memcpy(gone, mkspace_object(m), ID_LEN);
	mkspace_text(m, "d/gone", "missing");
	mkspace_cut(m);
	mkspace_text(m, "e", "good too");
	mkspace_commit(m, "");
	mkspace_flip(m, bad, 3);
	mkspace_remove(m, gone);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	assert_int_equal(r.res.failed, 2);
	assert_int_equal(r.res.entries, 4);
	expect_warning("d/bad: object ");
	text_hex(bad, ID_LEN, hex, sizeof(hex));
	expect_warning(hex);
	text_hex(gone, ID_LEN, hex, sizeof(hex));
	expect_warning(hex);
	expect_text(m, "a", "good");
	expect_text(m, "d/beside", "in the same object");
	expect_text(m, "e", "good too");
	assert_int_equal(count_names(m, "d"), 1);
}

static void
what_lies_before_a_cut_is_restored(void **state)
{
	struct mkspace *m = *state;
	struct bytes one = noise(20000), two = noise(20000);
	struct run r = { 0 };
	uint8_t cut[ID_LEN];

	memcpy(cut, mkspace_object(m), ID_LEN);
	mkspace_file(m, "one", one, 0, NULL);
	mkspace_file(m, "two", two, 0, NULL);
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_truncate(m, cut, 30000);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	expect_file(m, "one", one);
	expect_warning("two: object ");
	assert_int_equal(r.res.failed, 1);
	assert_int_equal(count_names(m, ""), 1);
	free((void *)(uintptr_t)one.p);
	free((void *)(uintptr_t)two.p);
}

static void
a_depot_that_is_down_ends_it(void **state)
{
	struct mkspace *m = *state;
	struct store_fault_plan plan = { .get_at = 5, .from_there_on = true };
	struct store *faulty, *inner;
	struct run r = { 0 };
	struct fault f;
	char path[32];

	for (int i = 0; i < 50; i++) {
		(void)snprintf(path, sizeof(path), "f%d", i);
		mkspace_text(m, path, path);
		mkspace_cut(m);
	}
	mkspace_commit(m, "");
	assert_int_equal(m->store->ops->dup(m->store, &inner, &f), 0);
	assert_int_equal(store_fault_open(inner, &plan, &faulty, &f), 0);
	store_close(m->store);
	m->store = faulty;
	m->ses.store = faulty;
	assert_int_equal(run(m, &r), FAULT_DEPOT);
	assert_int_equal(r.f.code, FAULT_DEPOT);
	assert_true(r.res.entries < 50);
	assert_string_equal(warned, "");
	/* No part is left, under any name. */
	assert_int_equal(count_names(m, ""), r.res.entries);
}

/* A leaf by hand: names with zero bytes as slashes, no sharing of prefixes
 * other than the format's own. */
static void
leaf(struct buf *b, const char *const *path, const enum entry_type *type,
    size_t n)
{
	struct wr w = wr_to(b);
	char last[64] = "";

	wr_u8(&w, 1);
	wr_u8(&w, 0);
	wr_u16(&w, 0);
	wr_u32(&w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		struct tree_entry e = mkspace_plain(type[i]);
		char key[64];
		size_t len = strlen(path[i]), shared = 0;

		memcpy(key, path[i], len + 1);
		for (size_t j = 0; j < len; j++)
			if (key[j] == '|')
				key[j] = '\0';
		while (shared < len && last[shared] == key[shared] && i != 0)
			shared++;
		wr_u16(&w, (uint16_t)shared);
		wr_u16(&w, (uint16_t)(len - shared));
		wr_copy(&w, key + shared, len - shared);
		e.target = bytes_of("/tmp", 4);
		if (type[i] == ENTRY_SYMLINK)
			e.mode = 0777;
		assert_int_equal(entry_encode(&e, b), 0);
		memset(last, 1, sizeof(last));
		memcpy(last, key, len);
	}
	assert_int_equal(wr_finish(&w), 0);
}

static int
run_leaf(struct mkspace *m, struct run *r, const char *const *path,
    const enum entry_type *type, size_t n)
{
	struct buf b = buf_init(NODE_MAX);
	struct ref ref;

	leaf(&b, path, type, n);
	ref = mkspace_node(m, buf_bytes(&b));
	mkspace_commit_root(m, &ref, n, 0);
	buf_wipe(&b);
	return run(m, r);
}

static void
hostile_names_do_not_escape(void **state)
{
	static const char *const name[] = { "..", ".", "a/b", "../x", "a||b",
		"|a", "x|..|y" };
	struct mkspace *m = *state;
	struct run r = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		const char *path[] = { "!", name[i] };
		enum entry_type type[] = { ENTRY_FIFO, ENTRY_FIFO };

		if (strcmp(name[i], "|a") == 0)
			path[0] = name[i];
		assert_int_not_equal(run_leaf(m, &r, path, type,
		    path[0] == name[i] ? 1 : 2), 0);
		assert_false(is_there(m, "../x"));
		assert_false(is_there(m, "a"));
	}
}

static void
a_symlink_is_no_folder(void **state)
{
	static const char *const path[] = { "s", "s|skerry-escaped",
		"s|skerry-escaped2", "t" };
	static const enum entry_type type[] = { ENTRY_SYMLINK, ENTRY_FIFO,
		ENTRY_FIFO, ENTRY_FIFO };
	struct mkspace *m = *state;
	struct run r = { 0 };

	assert_int_equal(run_leaf(m, &r, path, type, 4), FAULT_PARTIAL);
	assert_int_equal(access("/tmp/skerry-escaped", F_OK), -1);
	assert_int_equal(access("/tmp/skerry-escaped2", F_OK), -1);
	expect_warning("s/skerry-escaped: its folder is not in the tree");
	expect_warning("s/skerry-escaped2: its folder is not in the tree");
	assert_true(is_there(m, "t"));
	assert_int_equal(r.res.failed, 2);
}

static void
a_symlink_in_the_target_is_not_followed(void **state)
{
	struct mkspace *m = *state;
	char inner[128];
	struct run r = { 0 };

	mkspace_folder(m, "d");
	mkspace_text(m, "d/skerry-escaped", "x");
	mkspace_commit(m, "");
	(void)snprintf(inner, sizeof(inner), "%s/elsewhere", m->dir);
	assert_int_equal(mkdir(inner, 0755), 0);
	assert_int_equal(symlink(inner, out_path(m, "d")), 0);
	assert_int_equal(run(m, &r), FAULT_PARTIAL);
	(void)snprintf(inner, sizeof(inner), "%s/elsewhere/skerry-escaped",
	    m->dir);
	assert_int_equal(access(inner, F_OK), -1);
}

static void
stops_when_told(void **state)
{
	struct mkspace *m = *state;
	struct run r = { 0 };

	mkspace_text(m, "f", "x");
	mkspace_commit(m, "");
	atomic_store(&m->stop, true);
	assert_int_equal(run(m, &r), FAULT_INTERRUPTED);
	assert_int_equal(count_names(m, ""), 0);
}

static void
neighbours_cost_one_request(void **state)
{
	struct mkspace *m = *state;
	struct run r = { 0 };

	for (int i = 0; i < 500; i++) {
		char path[32], text[32];

		(void)snprintf(path, sizeof(path), "f%d", i);
		(void)snprintf(text, sizeof(text), "text %d", i / 2);
		mkspace_text(m, path, text);
	}
	mkspace_commit(m, "");
	run_well(m, &r);
	assert_int_equal(r.res.entries, 500);
	assert_int_equal(r.res.requests, 1);
	expect_text(m, "f499", "text 249");
}

static void
restores_a_long_list(void **state)
{
	struct mkspace *m = *state;
	struct bytes data = noise(2000000);
	struct run r = { 0 };

	mkspace_file(m, "f", data, 10000, NULL); /* 200 pieces: level 1 */
	mkspace_commit(m, "");
	run_well(m, &r);
	expect_file(m, "f", data);
	free((void *)(uintptr_t)data.p);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, mkspace_setup,mkspace_teardown)
	const struct CMUnitTest tests[] = {
		T(restores_names_and_content),
		T(restores_one_path_under_its_last_name),
		T(restores_metadata),
		T(restores_holes),
		T(restores_deep_paths),
		T(restores_a_long_list),
		T(links_equal_entries_only),
		T(keeps_what_is_there_unless_told),
		T(what_is_there_already_costs_nothing),
		T(removes_leftovers),
		T(one_bad_object_costs_one_file),
		T(what_lies_before_a_cut_is_restored),
		T(a_depot_that_is_down_ends_it),
		T(hostile_names_do_not_escape),
		T(a_symlink_is_no_folder),
		T(a_symlink_in_the_target_is_not_followed),
		T(stops_when_told),
		T(neighbours_cost_one_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
