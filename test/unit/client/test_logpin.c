// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/site.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/audititem.h"
#include "client/logpin.h"

static struct bytes
text(const char *t)
{
	return bytes_of(t, strlen(t));
}

static struct logpin
pin_of(const char *origin, uint64_t size, uint8_t root)
{
	struct logpin p = { .size = size, .root = { { root } },
		.note = buf_init(100) };

	(void)snprintf(p.origin, sizeof(p.origin), "%s", origin);
	assert_int_equal(buf_append(&p.note, "note", 4), 0);
	return p;
}

static void
pin(struct state *st, const char *origin, uint64_t size, uint8_t root,
    struct logpin *now)
{
	struct logpin p = pin_of(origin, size, root);
	struct fault f = { 0 };

	assert_int_equal(logpin_set(st, &p, now, &f), 0);
	logpin_wipe(&p);
}

static uint64_t
size_of(const struct state *st, const char *origin)
{
	struct logpin p;
	struct fault f = { 0 };

	assert_int_equal(logpin_get(st, origin, &p, &f), 0);
	assert_int_equal(p.note.n, p.size == 0 ? 0 : 4);
	logpin_wipe(&p);
	return p.size;
}

static void
pins_only_grow(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct logpin now;

	assert_int_equal(size_of(st, "a"), 0);
	pin(st, "a", 5, 1, NULL);
	pin(st, "b", 7, 2, NULL);
	assert_int_equal(size_of(st, "a"), 5);
	assert_int_equal(size_of(st, "b"), 7);
	pin(st, "a", 4, 3, &now);
	assert_int_equal(now.size, 5);
	assert_int_equal(now.root.b[0], 1);
	logpin_wipe(&now);
	pin(st, "a", 5, 3, &now);
	assert_int_equal(now.root.b[0], 1);
	logpin_wipe(&now);
	pin(st, "a", 9, 4, &now);
	assert_int_equal(now.size, 9);
	logpin_wipe(&now);
	assert_int_equal(size_of(st, "a"), 9);
	assert_int_equal(size_of(st, "b"), 7);
	state_close(st);
}

/* One more than fits would end every command, and for good. */
static void
pins_as_many_logs_as_there_are(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	char origin[16];

	for (uint64_t i = 1; i <= 100; i++) {
		(void)snprintf(origin, sizeof(origin), "%u/log", (unsigned)i);
		pin(st, origin, i, 1, NULL);
	}
	assert_int_equal(size_of(st, "1/log"), 1);
	assert_int_equal(size_of(st, "100/log"), 100);
	state_close(st);
}

static int
count(void *arg, const struct logpin *p)
{
	(void)p;
	++*(int *)arg;
	return 0;
}

static void
a_pin_file_has_one_form(void **state)
{
	static const uint8_t good[] = "\1a\0\0\0\0\0\0\0\5"
	    "01234567890123456789012345678901\0\0\0\1n";
	uint8_t bad[sizeof(good)];
	int n = 0;

	(void)state;
	assert_int_equal(logpin_parse(bytes_of(good, sizeof(good) - 1), count,
	    &n), 0);
	assert_int_equal(n, 1);
	for (size_t i = 1; i < sizeof(good) - 1; i++) {
		uint8_t *p = cm_exact(good, i);

		assert_int_equal(logpin_parse(bytes_of(p, i), count, &n),
		    FAULT_MALFORMED);
		free(p);
	}
	assert_int_equal(logpin_parse(bytes_of(good, sizeof(good)), count,
	    &n), FAULT_MALFORMED);
	memcpy(bad, good, sizeof(good));
	bad[9] = 0; /* no entry */
	assert_int_equal(logpin_parse(bytes_of(bad, sizeof(good) - 1), count,
	    &n), FAULT_MALFORMED);
}

static struct httpsig
request(uint8_t nonce)
{
	return (struct httpsig){ .created = 1700000000, .nonce = { nonce } };
}

static void
ask(struct state *st, uint8_t nonce)
{
	const struct httpsig h = request(nonce);
	struct fault f = { 0 };

	assert_int_equal(logpin_ask(st, &h, &f), 0);
}

static size_t
asked(struct state *st, uint8_t nonce, bool *has)
{
	struct logpin_asked a;
	struct httpsig h = request(nonce);
	struct fault f = { 0 };

	assert_int_equal(logpin_asked(st, &a, &f), 0);
	*has = logpin_was_asked(&a, h.nonce);
	free(a.nonce);
	return a.n;
}

static void
remembers_what_it_asked(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	bool has;

	assert_int_equal(asked(st, 1, &has), 0);
	assert_false(has);
	for (uint8_t i = 9; i > 0; i--)
		ask(st, i);
	assert_int_equal(asked(st, 1, &has), 9);
	assert_true(has);
	assert_int_equal(asked(st, 10, &has), 9);
	assert_false(has);
	state_close(st);
}

/* A torn record was never sent; a damaged one before others is no accident. */
static void
goes_on_after_a_torn_record(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct fault f = { 0 };
	struct logpin_asked a;
	bool has;
	int fd;

	ask(st, 1);
	fd = openat(st->fd, "asked", O_RDWR);
	assert_int_equal(ftruncate(fd, 32 + 20), 0);
	assert_int_equal(asked(st, 1, &has), 1);
	ask(st, 2);
	assert_int_equal(asked(st, 2, &has), 2);
	assert_true(has);
	assert_int_equal(lseek(fd, 0, SEEK_END), 64);
	assert_int_equal(pwrite(fd, "x", 1, 3), 1);
	assert_int_equal(logpin_asked(st, &a, &f), FAULT_CONFIG);
	/* So is a last one that has its length already. */
	assert_int_equal(ftruncate(fd, 0), 0);
	for (uint8_t i = 1; i <= 3; i++)
		ask(st, i);
	assert_int_equal(pwrite(fd, "x", 1, 2 * 32 + 3), 1);
	assert_int_equal(asked(st, 3, &has), 2);
	assert_false(has);
	ask(st, 4);
	assert_int_equal(asked(st, 4, &has), 3);
	assert_true(has);
	(void)close(fd);
	state_close(st);
}

/* Two that do not hold, wherever they are, are damage; nothing is cut off. */
static void
damage_is_no_torn_record(void **state)
{
	static const off_t sizes[] = { 3 * 32, 2 * 32 + 1, 2 * 32 - 1, 32 };
	static const int good[] = { FAULT_CONFIG, FAULT_CONFIG, 0, 0 };
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct httpsig h = request(9);
	struct fault f = { 0 };
	struct logpin_asked a;
	int fd;

	for (uint8_t i = 1; i <= 3; i++)
		ask(st, i);
	fd = openat(st->fd, "asked", O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 32 + 3), 1);
	assert_int_equal(pwrite(fd, "x", 1, 2 * 32 + 3), 1);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		a.nonce = NULL;
		assert_int_equal(logpin_asked(st, &a, &f), good[i]);
		free(a.nonce);
		if (good[i] == 0)
			continue;
		assert_int_equal(logpin_ask(st, &h, &f), good[i]);
		assert_non_null(strstr(f.text, "asked: damaged"));
		assert_int_equal(lseek(fd, 0, SEEK_END), sizes[i]);
	}
	(void)close(fd);
	/* Opening that would wait for a process at its other end. */
	assert_int_equal(unlinkat(st->fd, "asked", 0), 0);
	assert_int_equal(mkfifoat(st->fd, "asked", 0600), 0);
	assert_int_equal(logpin_asked(st, &a, &f), FAULT_CONFIG);
	state_close(st);
}

static void
a_record_that_has_no_room_is_no_record(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	const struct httpsig h = request(2);
	struct rlimit before, tight;
	struct fault f = { 0 };
	bool has;
	int rc;

	ask(st, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = 32 + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	errno = 0;
	rc = logpin_ask(st, &h, &f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, FAULT_SPACE);
	assert_int_equal(asked(st, 2, &has), 1);
	assert_false(has);
	ask(st, 2);
	assert_int_equal(asked(st, 2, &has), 2);
	state_close(st);
}

/* A request a minute, for four years: one record as many times. */
static void
remembers_millions_of_requests(void **state)
{
	enum { RECORD = 32, ROUND = 1000, ROUNDS = 2200 };
	struct site *x = *state;
	struct state *st = site_ready(x);
	static uint8_t record[ROUND][RECORD];
	bool has;
	int fd;

	ask(st, 1);
	fd = openat(st->fd, "asked", O_RDWR);
	assert_int_equal(pread(fd, record[0], RECORD, 0), RECORD);
	for (int i = 1; i < ROUND; i++)
		memcpy(record[i], record[0], RECORD);
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(pwrite(fd, record, sizeof(record),
		    (off_t)i * (off_t)sizeof(record)), sizeof(record));
	(void)close(fd);
	ask(st, 2);
	assert_int_equal(asked(st, 2, &has), ROUND * ROUNDS + 1);
	assert_true(has);
	state_close(st);
}

static void
takes_a_trust_file_and_gives_it_back(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct buf b defer(buf_wipe) = buf_init(1000);
	char log[NOTE_VKEY_MAX + 1], good[1000];
	struct fault f = { 0 };

	site_log(log);
	(void)snprintf(good, sizeof(good), "log %s\nquorum none\n", log);
	assert_int_equal(logpin_trust(st, &b, &f), 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(logpin_set_trust(st, text("log x\n"), &f),
	    FAULT_MALFORMED);
	assert_non_null(strstr(f.text, "line 1"));
	assert_int_equal(logpin_set_trust(st, text(good), &f), 0);
	assert_int_equal(logpin_trust(st, &b, &f), 0);
	assert_int_equal(b.n, strlen(good));
	b.n = 0;
	assert_int_equal(logpin_set_trust(st, text(""), &f), 0);
	assert_int_equal(logpin_trust(st, &b, &f), 0);
	assert_int_equal(b.n, 0);
	state_close(st);
}

static void
audits_are_kept(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct audititems a = { .origin = "a/log", .size = 9 }, b, c;
	struct audititem i = { .index = 2, .type = LEAF_RELEASE, .epoch = 1 };
	struct buf raw defer(buf_wipe) = buf_init(1000);
	struct fault f = { 0 };

	assert_false(audititem_known(st, "a/log"));
	assert_int_equal(audititem_add(&a, &i), 0);
	i.index = 8;
	assert_int_equal(audititem_add(&a, &i), 0);
	assert_int_equal(audititem_save(st, &a, &f), 0);
	assert_true(audititem_known(st, "a/log"));
	assert_int_equal(audititem_load(st, "a/log", &b, &f), 0);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.item[1].index, 8);
	assert_int_equal(audititem_format(&b, &raw), 0);
	for (size_t n = 0; n < raw.n; n++) {
		uint8_t *p = cm_exact(raw.p, n);
		int rc = audititem_parse(bytes_of(p, n), &c);

		if (rc == 0) /* at the end of a record */
			audititem_wipe(&c);
		else
			assert_int_equal(rc, FAULT_MALFORMED);
		free(p);
	}
	b.item[1].index = 2; /* twice */
	raw.n = 0;
	assert_int_equal(audititem_format(&b, &raw), 0);
	assert_int_equal(audititem_parse(buf_bytes(&raw), &c),
	    FAULT_MALFORMED);
	audititem_wipe(&a);
	audititem_wipe(&b);
	state_close(st);
}

/* Years of an entry every few minutes. */
static void
audits_of_many_entries_are_kept(void **state)
{
	enum { MANY = 400000 };
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct audititems a = { .origin = "a/log", .size = MANY }, b;
	struct fault f = { 0 };

	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(audititem_add(&a, &(struct audititem){
		    .index = i, .type = LEAF_RELEASE }), 0);
	assert_int_equal(audititem_save(st, &a, &f), 0);
	assert_int_equal(audititem_load(st, "a/log", &b, &f), 0);
	assert_int_equal(b.n, MANY);
	assert_int_equal(b.item[MANY - 1].index, MANY - 1);
	audititem_wipe(&a);
	audititem_wipe(&b);
	state_close(st);
}

static void
judged(struct audititems *a, uint64_t index, uint8_t type, uint8_t device,
    enum audit_verdict verdict)
{
	struct audititem i = { .index = index, .type = type,
		.verdict = verdict, .epoch = type == LEAF_RELEASE,
		.device = { device } };

	assert_int_equal(audititem_add(a, &i), 0);
	assert_int_equal(audititem_judged(a, a->n - 1), 0);
}

static uint64_t
first(const struct audititems *a, uint8_t type, uint8_t device)
{
	struct audititem like = { .type = type, .epoch = type == LEAF_RELEASE,
		.device = { device } };
	const struct audititem *i = audititem_first(a, &like);

	return i == NULL ? UINT64_MAX : i->index;
}

static void
finds_the_first_of_those_alike(void **state)
{
	struct audititems a = audititem_none();

	(void)state;
	assert_int_equal(first(&a, LEAF_RELEASE, 1), UINT64_MAX);
	judged(&a, 3, LEAF_RELEASE, 1, AUDIT_UNASKED);
	judged(&a, 4, LEAF_RELEASE, 1, AUDIT_DOUBLE);
	judged(&a, 5, LEAF_RELEASE, 2, AUDIT_GOOD);
	judged(&a, 6, LEAF_DEVICE_ADDED, 1, AUDIT_CHAIN);
	assert_int_equal(first(&a, LEAF_RELEASE, 1), 3);
	assert_int_equal(first(&a, LEAF_RELEASE, 2), 5);
	assert_int_equal(first(&a, LEAF_DEVICE_ADDED, 1), UINT64_MAX);
	judged(&a, 7, LEAF_DEVICE_ADDED, 1, AUDIT_GOOD);
	assert_int_equal(first(&a, LEAF_DEVICE_ADDED, 1), 7);
	assert_int_equal(first(&a, LEAF_DEVICE_REVOKED, 1), UINT64_MAX);
	audititem_wipe(&a);
}

#define T(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(pins_only_grow),
		T(pins_as_many_logs_as_there_are),
		T(a_pin_file_has_one_form),
		T(remembers_what_it_asked),
		T(goes_on_after_a_torn_record),
		T(damage_is_no_torn_record),
		T(a_record_that_has_no_room_is_no_record),
		T(remembers_millions_of_requests),
		T(takes_a_trust_file_and_gives_it_back),
		T(audits_are_kept),
		T(audits_of_many_entries_are_kept),
		T(finds_the_first_of_those_alike),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
