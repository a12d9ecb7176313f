// SPDX-License-Identifier: Apache-2.0
#include "test/unit/object/data.h"

#include "crypt/secret.h"
#include "object/commit.h"

static struct segment
segment(uint32_t blocks)
{
	struct segment s = { .entries = (uint64_t)blocks * BLOCK_ENTRIES - 7,
		.blocks = blocks, .runs = 1,
		.run = calloc(1, sizeof(struct segment_run)),
		.first = calloc(1, sizeof(uint32_t)),
		.fence = calloc(blocks, sizeof(uint64_t)) };

	s.run[0].count = blocks;
	for (uint32_t i = 0; i < blocks; i++)
		s.fence[i] = i / 2;
	return s;
}

static struct commit
make(void)
{
	struct commit c = { .epoch = 1, .number = 5, .time_sec = -1,
		.time_nsec = 999999999, .has_parent = true, .has_root = true,
		.parent = data_ref(1), .root = data_ref(2), .entries = 3,
		.bytes = 4, .message_len = 5, .message = "h\xc3\xa9llo" };
	struct segment a = segment(3), b = segment(1);

	c.message_len = 6;
	data_fill(1, c.device, ID_LEN);
	data_fill(2, c.dedup.b, KEY_LEN);
	assert_int_equal(commit_add_segment(&c, &a), 0);
	assert_int_equal(commit_add_segment(&c, &b), 0);
	assert_int_equal(c.segment[0].blocks, 1);
	assert_null(a.run);
	return c;
}

static int
decode(struct bytes in)
{
	struct commit c;
	int rc = commit_decode(in, &c);

	if (rc == 0)
		commit_wipe(&c);
	return rc;
}

static int
encodes(const struct commit *c)
{
	struct buf b defer(buf_wipe) = buf_init(COMMIT_MAX + 10);
	int rc = commit_encode(c, &b);

	assert_true(rc == 0 || b.n == 0);
	return rc;
}

static void
comes_back_as_it_was(void **state)
{
	struct commit c = make(), got;
	struct buf a = buf_init(COMMIT_MAX), b = buf_init(COMMIT_MAX);

	(void)state;
	assert_int_equal(commit_encode(&c, &a), 0);
	data_refuses_other_lengths(buf_bytes(&a), decode);
	assert_int_equal(commit_decode(buf_bytes(&a), &got), 0);
	assert_int_equal(got.segments, 2);
	assert_int_equal(got.time_sec, -1);
	assert_int_equal(commit_encode(&got, &b), 0);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	commit_drop_segments(&got, 1);
	assert_int_equal(got.segments, 1);
	assert_int_equal(got.segment[0].blocks, 3);
	commit_wipe(&got);
	commit_wipe(&c);
	/* The least there is. */
	c = (struct commit){ .number = 1 };
	a.n = 0;
	assert_int_equal(commit_encode(&c, &a), 0);
	data_refuses_other_lengths(buf_bytes(&a), decode);
	buf_wipe(&a);
	buf_wipe(&b);
}

static void
refuses_values_out_of_range(void **state)
{
	struct commit c = make();

	(void)state;
	c.number = 1;
	assert_int_equal(encodes(&c), FAULT_MALFORMED);
	c.number = 2;
	assert_int_equal(encodes(&c), 0);
	c.has_parent = false;
	assert_int_equal(encodes(&c), 0);
	c.number = 0;
	assert_int_equal(encodes(&c), FAULT_MALFORMED);
	c.number = 1;
	c.time_nsec++;
	assert_int_equal(encodes(&c), FAULT_MALFORMED);
	c.time_nsec = 0;
	c.entries = 0;
	assert_int_equal(encodes(&c), FAULT_MALFORMED);
	c.has_root = false;
	assert_int_equal(encodes(&c), FAULT_MALFORMED);
	c.bytes = 0;
	assert_int_equal(encodes(&c), 0);
	c.message_len = MESSAGE_MAX + 1;
	assert_int_equal(encodes(&c), FAULT_MALFORMED);
	commit_wipe(&c);
}

static void
refuses_versions_flags_and_reserved_bytes(void **state)
{
	struct commit c = make();
	struct buf b = buf_init(COMMIT_MAX);

	(void)state;
	assert_int_equal(commit_encode(&c, &b), 0);
	b.p[0] = 2;
	assert_int_equal(decode(buf_bytes(&b)), FAULT_VERSION);
	b.p[0] = 1;
	for (unsigned f = 4; f < 256; f++) {
		b.p[1] = (uint8_t)f;
		assert_int_equal(decode(buf_bytes(&b)), FAULT_MALFORMED);
	}
	b.p[1] = 3;
	b.p[2] = 1;
	assert_int_equal(decode(buf_bytes(&b)), FAULT_MALFORMED);
	b.p[2] = 0;
	b.p[3] = 1;
	assert_int_equal(decode(buf_bytes(&b)), FAULT_MALFORMED);
	b.p[3] = 0;
	assert_int_equal(decode(buf_bytes(&b)), 0);
	buf_wipe(&b);
	commit_wipe(&c);
}

/* The result of encoding a commit with this message. */
static int
message(const char *text, size_t n)
{
	struct commit c = { .number = 1, .message_len = (uint16_t)n };

	memcpy(c.message, text, n);
	return encodes(&c);
}

static void
messages_are_text(void **state)
{
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf",
		"\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "a\xe2\x28\xa1" };
	static const char *const good[] = { "", "plain", "\xc2\x80",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(message(bad[i], strlen(bad[i])),
		    FAULT_MALFORMED);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(message(good[i], strlen(good[i])), 0);
	assert_int_equal(message("a\0b", 3), FAULT_MALFORMED);
}

static void
holds_segments_to_their_limits(void **state)
{
	struct commit c = { .number = 1 };
	struct segment s;

	(void)state;
	for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
		s = segment(2);
		assert_int_equal(commit_add_segment(&c, &s), 0);
	}
	assert_int_equal(encodes(&c), 0);
	s = segment(1);
	assert_int_equal(commit_add_segment(&c, &s), FAULT_LIMIT);
	segment_wipe(&s);
	commit_wipe(&c);
	c = (struct commit){ .number = 1 };
	s = segment(COMMIT_MAX / 8);
	assert_int_equal(commit_add_segment(&c, &s), 0);
	assert_int_equal(encodes(&c), FAULT_LIMIT);
	commit_wipe(&c);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(refuses_values_out_of_range),
		cmocka_unit_test(refuses_versions_flags_and_reserved_bytes),
		cmocka_unit_test(messages_are_text),
		cmocka_unit_test(holds_segments_to_their_limits),
	};

	return secret_init() != 0 ? 1 : cmocka_run_group_tests(t, NULL, NULL);
}
