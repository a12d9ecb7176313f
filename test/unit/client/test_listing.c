// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <unistd.h>

#include "client/engine/listing.h"
#include "client/engine/stream.h"
#include "client/show.h"
#include "crypt/secret.h"
#include "lib/cm.h"
#include "lib/mkspace.h"
#include "object/key.h"
#include "store/store_fault.h"

static char listed[1 << 20];
static size_t listed_n;

static int
on_entry(void *arg, struct bytes name, const struct tree_entry *e)
{
	size_t n = listed_n;

	(void)arg;
	(void)e;
	assert_true(n + name.n + 2 < sizeof(listed));
	for (size_t i = 0; i < name.n; i++)
		listed[n++] = name.p[i] == 0 ? '/' : (char)name.p[i];
	listed[n++] = '\n';
	listed[n] = '\0';
	listed_n = n;
	return 0;
}

static void
on_lost(void *arg, struct bytes key, const struct fault *why)
{
	(void)arg;
	(void)key;
	(void)why;
}

static int
list(struct mkspace *m, const char *path, bool recursive)
{
	struct listing_sink sink = { on_entry, on_lost, NULL };
	struct reader *r defer(reader_freep) = NULL;
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct fault f = { 0 };

	listed[0] = '\0';
	listed_n = 0;
	assert_int_equal(key_from_path(bytes_of(path, strlen(path)), &key), 0);
	assert_int_equal(reader_new(mkspace_open(m), &r, &f), 0);
	return listing_run(r, buf_bytes(&key), recursive, &sink, &f);
}

static void
lists_one_folder(void **state)
{
	struct mkspace *m = *state;

	mkspace_folder(m, "a");
	mkspace_folder(m, "a/b");
	mkspace_text(m, "a/b/c", "x");
	mkspace_text(m, "a/d", "x");
	mkspace_folder(m, "a.");
	mkspace_text(m, "e", "x");
	mkspace_commit(m, "");
	assert_int_equal(list(m, "", false), 0);
	assert_string_equal(listed, "a\na.\ne\n");
	assert_int_equal(list(m, "a", false), 0);
	assert_string_equal(listed, "b\nd\n");
	assert_int_equal(list(m, "a", true), 0);
	assert_string_equal(listed, "b\nb/c\nd\n");
	assert_int_equal(list(m, "", true), 0);
	assert_string_equal(listed, "a\na/b\na/b/c\na/d\na.\ne\n");
	assert_int_equal(list(m, "a/b/c", false), 0);
	assert_string_equal(listed, "a/b/c\n");
	assert_int_equal(list(m, "a/x", false), FAULT_NOT_FOUND);
	assert_int_equal(list(m, "a/b/c/d", false), FAULT_NOT_FOUND);
}

static void
lists_an_empty_space(void **state)
{
	struct mkspace *m = *state;
	int rc;

	mkspace_commit(m, "");
	rc = list(m, "", true);
	assert_int_equal(rc, 0);
	assert_string_equal(listed, "");
}

/* [tree] Head: what the authority showed counts, for it takes heads from live
 * devices only. */
static void
a_revoked_device_signs_no_head_of_the_mirror(void **state)
{
	struct mkspace *m = *state;
	struct space *sp = NULL;
	struct fault f = { 0 };

	mkspace_text(m, "a", "x");
	mkspace_commit(m, "");
	for (int i = 0; i < 4; i++) {
		m->chain.device[0].live = i % 2 == 0;
		m->ses.head_from_mirror = i / 2 == 1;
		assert_int_equal(space_open(&m->ses, &sp, &f),
		    i == 3 ? FAULT_TRUST : 0);
		space_close(sp);
		sp = NULL;
	}
	m->chain.device[0].recovery = true;
	m->ses.head_from_mirror = false;
	assert_int_equal(space_open(&m->ses, &sp, &f), FAULT_TRUST);
}

static void
passes_subfolders_without_loading_them(void **state)
{
	struct mkspace *m = *state;
	struct store_fault_plan plan = { 0 };
	struct store *real = m->store;
	struct fault f;
	char path[64];

	for (int i = 0; i < 5; i++) {
		(void)snprintf(path, sizeof(path), "%d", i);
		mkspace_folder(m, path);
		for (int j = 0; j < 20000; j++) {
			(void)snprintf(path, sizeof(path),
			    "%d/a longer name for a file, %07d", i, j);
			mkspace_text(m, path, "x");
		}
	}
	mkspace_commit(m, "");
	assert_int_equal(real->ops->dup(real, &real, &f), 0);
	assert_int_equal(store_fault_open(real, &plan, &real, &f), 0);
	store_close(m->store);
	m->store = real;
	m->ses.store = real;
	assert_int_equal(list(m, "", false), 0);
	assert_string_equal(listed, "0\n1\n2\n3\n4\n");
	/* The commit, and for each folder no more than its way down. */
	assert_true(atomic_load(&plan.gets) < 25);
	/* Of a folder, all its leaves, but not one request for each. */
	plan.gets = 0;
	assert_int_equal(list(m, "3", false), 0);
	assert_int_equal(listed_n, 20000 * strlen(
	    "a longer name for a file, 0000000\n"));
	assert_true(atomic_load(&plan.gets) < 40);
}

static uint8_t *got;
static size_t got_n;

static int
on_data(void *arg, const uint8_t *p, size_t n, struct fault *f)
{
	(void)arg;
	(void)f;
	got = realloc(got, got_n + n);
	assert_non_null(got);
	memcpy(got + got_n, p, n);
	got_n += n;
	return 0;
}

static int
stream(struct mkspace *m, const char *path)
{
	struct stream_sink sink = { on_data, NULL };
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	struct space *sp = mkspace_open(m);
	struct fault f = { 0 };

	free(got);
	got = NULL;
	got_n = 0;
	assert_int_equal(key_from_path(bytes_of(path, strlen(path)), &key), 0);
	return stream_run(sp, &sp->commit, buf_bytes(&key), &sink, &f);
}

static void
streams_in_order(void **state)
{
	struct mkspace *m = *state;
	size_t n = 1234567;
	uint8_t *data = malloc(n);

	secret_random(data, n);
	mkspace_folder(m, "d");
	mkspace_file(m, "d/f", bytes_of(data, n), 7000, NULL);
	mkspace_text(m, "empty", "");
	mkspace_commit(m, "");
	assert_int_equal(stream(m, "d/f"), 0);
	assert_int_equal(got_n, n);
	assert_memory_equal(got, data, n);
	assert_int_equal(stream(m, "empty"), 0);
	assert_int_equal(got_n, 0);
	assert_int_equal(stream(m, "d"), FAULT_USAGE);
	assert_int_equal(stream(m, ""), FAULT_USAGE);
	assert_int_equal(stream(m, "d/g"), FAULT_NOT_FOUND);
	free(data);
}

static void
streams_nothing_that_was_altered(void **state)
{
	struct mkspace *m = *state;
	uint8_t bad[ID_LEN], data[100000];

	secret_random(data, sizeof(data));
	memcpy(bad, mkspace_object(m), ID_LEN);
	mkspace_file(m, "f", bytes_of(data, sizeof(data)), 10000, NULL);
	mkspace_cut(m);
	mkspace_commit(m, "");
	mkspace_flip(m, bad, 55000); /* in the sixth */
	assert_int_equal(stream(m, "f"), FAULT_TAMPERED);
	assert_int_equal(got_n, 50000);
	assert_memory_equal(got, data, got_n);
	free(got);
	got = NULL;
}

static const char *
shown(struct bytes key, bool escape, bool json)
{
	static char out[256];
	FILE *f = fmemopen(out, sizeof(out), "w");

	if (json)
		show_json_name(f, "name", key);
	else
		show_name(f, key, escape);
	(void)fclose(f);
	return out;
}

static void
shows_names(void **state)
{
#define B(s) bytes_of(s, sizeof(s) - 1)
	(void)state;
	assert_string_equal(shown(B("a\0b"), true, false), "a/b");
	assert_string_equal(shown(B("\x1b[1m\\\xff"), true, false),
	    "\\x1b[1m\\\\\\xff");
	assert_string_equal(shown(B("\xc3\xa9\xc2\x9b"), true, false),
	    "\xc3\xa9\\xc2\\x9b");
	assert_string_equal(shown(B("\xe2\x80\xae"), true, false),
	    "\\xe2\\x80\\xae");
	assert_string_equal(shown(B("\x1b\xff"), false, false), "\x1b\xff");
	assert_string_equal(shown(B("a\0\"\n"), true, true),
	    "\"name\":\"a/\\\"\\u000a\"");
	assert_string_equal(shown(B("\xff"), true, true),
	    "\"name_base64\":\"/w==\"");
}

static void
shows_times_and_modes(void **state)
{
	struct tree_entry e = { .type = ENTRY_FOLDER, .mode = 06751 };
	char out[SHOW_TIME_SIZE];

	(void)state;
	show_time(1000000000, 5, false, out);
	assert_string_equal(out, "2001-09-09T01:46:40Z");
	show_time(-1, 5, true, out);
	assert_string_equal(out, "1969-12-31T23:59:59.000000005Z");
	show_time(INT64_MAX, 0, true, out);
	assert_string_equal(out, "@9223372036854775807");
	show_mode(&e, out);
	assert_string_equal(out, "drwsr-s--x");
	e.mode = 01000;
	show_mode(&e, out);
	assert_string_equal(out, "d--------T");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, mkspace_setup,mkspace_teardown)
	const struct CMUnitTest tests[] = {
		T(lists_one_folder),
		T(lists_an_empty_space),
		T(a_revoked_device_signs_no_head_of_the_mirror),
		T(passes_subfolders_without_loading_them),
		T(streams_in_order),
		T(streams_nothing_that_was_altered),
		cmocka_unit_test(shows_names),
		cmocka_unit_test(shows_times_and_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
