// SPDX-License-Identifier: Apache-2.0
#include "client/engine/exclude.h"

#include <locale.h>

#include "lib/cm.h"

#include "base/attr.h"

/* Whether pattern alone matches path. */
static bool
matches(const char *pattern, const char *path, bool folder)
{
	struct exclude *x = exclude_new();
	char *exact = (char *)cm_exact(path, strlen(path) + 1);
	struct fault f = { 0 };
	bool is;

	assert_non_null(x);
	assert_int_equal(exclude_add(x, pattern, &f), 0);
	exclude_prepare(x);
	is = exclude_match(x, exact, strlen(exact), folder);
	free(exact);
	exclude_free(x);
	return is;
}

struct match {
	const char *pattern, *path;
	bool is;
};

static void
assert_matches(const struct match *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int folder = 0; folder < 2; folder++)
			if (matches(m[i].pattern, m[i].path, folder) != m[i].is)
				fail_msg("%s: %s", m[i].pattern, m[i].path);
}

static void
matches_a_name_at_any_depth(void **state)
{
	static const struct match m[] = {
		{ "core", "core", true },
		{ "core", "a/b/core", true },
		{ "core", "core/a", false },
		{ "core", "score", false },
		{ "core", "cores", false },
		{ "core", "Core", false },
		{ "*.o", "a/.o", true },
		{ "*.o", "x.o/y", false },
		{ "*.o", "o", false },
		{ "a*a", "a", false },
		{ "a*a", "aa", true },
		{ "*", ".hidden", true },
		{ "?", "a/b", true },
		{ "[a-c]x", "bx", true },
		{ "[a-c]x", "Bx", false },
		{ "[!a]x", "ax", false },
		{ "\\*", "*", true },
		{ "\\*", "x", false },
		{ "\\#x", "#x", true },
		{ "[", "[", true },
		{ "[ab", "x/[ab", true },
		{ "]", "]", true },
		{ "**/x", "x", true },
		{ "**/x", "a/b/x", true },
		{ "/**/x", "a/x", true },
		{ "**/**/x", "a/x", true },
	};

	(void)state;
	assert_matches(m, ARRAY_LEN(m));
}

static void
matches_a_path_below_the_source(void **state)
{
	static const struct match m[] = {
		{ "/x", "x", true },
		{ "/x", "a/x", false },
		{ "///x", "x", true },
		{ "a/x", "a/x", true },
		{ "/a/x", "a/x", true },
		{ "a/x", "b/a/x", false },
		{ "a/x", "a/x/y", false },
		{ "a/*", "a/x", true },
		{ "a/*", "a", false },
		{ "a/*", "a/x/y", false },
		{ "/*.o", "x.o", true },
		{ "/*.o", "a/x.o", false },
		{ "a/**", "a/x", true },
		{ "a/**/x", "a/b/x", true },
		{ "a/**/x", "a/b/c/x", true },
		{ "a/**/x", "a/x", true },
		{ "a/**/x", "ax", false },
		{ "a/**/x", "b/a/x", false },
		{ "a/**/x", "a/x/b", false },
		{ "a/**/x", "a", false },
		{ "a/**/x", "x", false },
		{ "a/**/**/x", "a/x", true },
		{ "/a/**/x", "a/b/x", true },
		{ "a/**/b/*.o", "a/b/c/b/x.o", true },
		{ "a/**/b/*.o", "a/b/c/x.o", false },
		{ "a/**/b/**/c", "a/b/b/x/c", true },
		{ "a/**/b/**/c", "a/x/c", false },
		{ "a/**/b/c/**/d", "a/b/b/c/d", true },
		{ "a/**/**", "a/b", true },
		{ "a/x**/b", "a/x/y/b", false },
		{ "a/x**/b", "a/xy/b", true },
		{ "*/**/x", "a/x", true },
		{ "*/**/x", "x", false },
		{ "a/**/[bc]", "a/b/.c/c", true },
		{ "**/a/**/x", "a/x", true },
		{ "**/a/**/x", "b/a/c/x", true },
		{ "**/a/**/x", "b/c/x", false },
		{ "**/a/**/x", "ba/x", false },
		{ "a?x", "a/x", false },
		{ "a[/]x", "a/x", false },
		{ "**/a/x", "a/x", true },
		{ "**/a/x", "b/c/a/x", true },
		{ "**/a/x", "ba/x", false },
		{ "**/a/x", "x", false },
		{ "**/a/*.o", "b/a/x.o", true },
		{ "**/a/*.o", "a/b/x.o", false },
	};

	(void)state;
	assert_matches(m, ARRAY_LEN(m));
}

static void
matches_folders_only_by_a_slash_at_the_end(void **state)
{
	static const char *const pattern[] = { "x/", "/x/", "x//", "**/x/",
		"?/", "/?/" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pattern); i++) {
		assert_true(matches(pattern[i], "x", true));
		assert_false(matches(pattern[i], "x", false));
	}
	assert_true(matches("x/", "a/x", true));
	assert_false(matches("/x/", "a/x", true));
}

/* Of the same name, for folders and for all, all counts, in either order. */
static void
keeps_the_wider_of_two(void **state)
{
	static const char *const text[] = { "x/\nx\n", "x\nx/\n", "x\nx/\nx\n",
		"/x/\n/x\n", "/x\n/x/\na\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		struct exclude *x = exclude_new();
		FILE *in = fmemopen((void *)(uintptr_t)text[i],
		    strlen(text[i]), "r");
		struct fault f = { 0 };

		assert_int_equal(exclude_read(x, in, "f", &f), 0);
		exclude_prepare(x);
		assert_true(exclude_match(x, "x", 1, false));
		assert_false(exclude_match(x, "y", 1, true));
		fclose(in);
		exclude_free(x);
	}
	assert_false(exclude_match(NULL, "x", 1, true));
}

/* Bytes, whatever the locale. */
static void
matches_bytes_that_are_no_text(void **state)
{
	static const struct match m[] = {
		{ "\xff", "a/\xff", true },
		{ "*.tmp", "\xff\xfe.tmp", true },
		{ "\xff*", "\xff\xc3\xa4", true },
		{ "*\xc3\xa4", "\xff\xc3\xa4", true },
		{ "?x", "\xffx", true },
		{ "?x", "\xc3\xa4x", false },
		{ "??x", "\xc3\xa4x", true },
		{ "[!a]x", "\xffx", true },
		{ "a/?", "a/\xff", true },
		{ "\xe4*", "\xc3\xa4", false },
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)setlocale(LC_ALL, i == 0 ? "C" : "C.UTF-8");
		assert_matches(m, ARRAY_LEN(m));
	}
	(void)setlocale(LC_ALL, "C");
}

static void
refuses(const char *pattern, int code, const char *why)
{
	struct exclude *x = exclude_new();
	struct fault f = { 0 };

	assert_int_equal(exclude_add(x, pattern, &f), code);
	assert_string_equal(f.text, why);
	exclude_free(x);
}

static void
refuses_what_cannot_be_meant(void **state)
{
	static const char *const bracket[] = { "[\xc3\xa4]", "x[!]\xc3\xa4]",
		"[a]b[c\xff]", "[]\xff]" };
	char pattern[EXCLUDE_PATTERN_MAX + 2];

	(void)state;
	refuses("", FAULT_MALFORMED, "a pattern without a name");
	refuses("/", FAULT_MALFORMED, "a pattern without a name");
	refuses("//", FAULT_MALFORMED, "a pattern without a name");
	for (size_t i = 0; i < ARRAY_LEN(bracket); i++)
		refuses(bracket[i], FAULT_MALFORMED, "a pattern with more "
		    "than ASCII between [ and ]");
	assert_true(matches("[a]\xc3\xa4[b]", "a\xc3\xa4" "b", false));
	assert_true(matches("\\[\xc3\xa4]", "[\xc3\xa4]", false));
	memset(pattern, 'x', sizeof(pattern));
	pattern[sizeof(pattern) - 1] = '\0';
	refuses(pattern, FAULT_LIMIT, "a pattern of more than 4096 bytes");
	pattern[sizeof(pattern) - 2] = '\0';
	assert_true(matches(pattern, pattern, false));
}

/* The fault of a file of these bytes; "": it is read. */
static const char *
reading(const char *text, size_t n, int code)
{
	static struct fault f;
	struct exclude *x = exclude_new();
	uint8_t *exact = cm_exact(text, n);
	FILE *in = fmemopen(exact, n, "r");

	f = (struct fault){ 0 };
	assert_int_equal(exclude_read(x, in, "some/file", &f), code);
	fclose(in);
	free(exact);
	exclude_free(x);
	return f.text;
}

static void
reads_a_pattern_a_line(void **state)
{
	static const char text[] = "# a comment\n\nx\n #y\nlast ";
	struct exclude *x = exclude_new();
	FILE *in = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(exclude_read(x, in, "f", &f), 0);
	exclude_prepare(x);
	assert_true(exclude_match(x, "x", 1, false));
	assert_true(exclude_match(x, " #y", 3, false));
	assert_true(exclude_match(x, "last ", 5, false));
	assert_false(exclude_match(x, "# a comment", 11, false));
	assert_false(exclude_match(x, "last", 4, false));
	fclose(in);
	exclude_free(x);
}

static void
names_file_and_line_of_what_is_none(void **state)
{
	char line[EXCLUDE_PATTERN_MAX + 4] = "x\n";

	(void)state;
	assert_string_equal(reading("a\nb\0c\n", 6, FAULT_MALFORMED),
	    "some/file:2: a zero byte");
	assert_string_equal(reading("a\n#\n\n/\n", 7, FAULT_MALFORMED),
	    "some/file:4: a pattern without a name");
	memset(line + 2, 'y', EXCLUDE_PATTERN_MAX + 1);
	assert_string_equal(reading(line, EXCLUDE_PATTERN_MAX + 2, 0), "");
	assert_string_equal(reading(line, EXCLUDE_PATTERN_MAX + 3,
	    FAULT_LIMIT), "some/file:2: a line of more than 4096 bytes");
}

static void
fails_where_the_file_cannot_be_read(void **state)
{
	struct exclude *x = exclude_new();
	FILE *in = fopen("/", "r");
	struct fault f = { 0 };

	(void)state;
	assert_non_null(in);
	assert_int_equal(exclude_read(x, in, "folder", &f), FAULT_IO);
	assert_string_equal(f.text, "folder: Is a directory");
	fclose(in);
	exclude_free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_a_name_at_any_depth),
		cmocka_unit_test(matches_a_path_below_the_source),
		cmocka_unit_test(matches_folders_only_by_a_slash_at_the_end),
		cmocka_unit_test(keeps_the_wider_of_two),
		cmocka_unit_test(matches_bytes_that_are_no_text),
		cmocka_unit_test(refuses_what_cannot_be_meant),
		cmocka_unit_test(reads_a_pattern_a_line),
		cmocka_unit_test(names_file_and_line_of_what_is_none),
		cmocka_unit_test(fails_where_the_file_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
