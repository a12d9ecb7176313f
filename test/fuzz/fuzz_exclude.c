// SPDX-License-Identifier: Apache-2.0
/* A path, a newline, and a file of patterns: what was made ready says of the
 * path what each pattern says by itself. */
#include <assert.h>
#include <fnmatch.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine/exclude.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rules of skerry(1), one after another, on a line that was accepted. */
static bool
says(const char *line, size_t n, const char *path, bool folder)
{
	char *p = strndup(line, n), *text = p;
	bool any, only = false, is;

	for (; n > 0 && p[n - 1] == '/'; p[--n] = '\0')
		only = true;
	any = memchr(p, '/', n) == NULL;
	while (*text == '/')
		text++;
	for (; strncmp(text, "**/", 3) == 0; text += 3)
		any = true;
	is = fnmatch(text, path, FNM_PATHNAME) == 0;
	while (any && !is && (path = strchr(path, '/')) != NULL)
		is = fnmatch(text, ++path, FNM_PATHNAME) == 0;
	free(p);
	return is && (folder || !only);
}

static bool
any_says(const char *file, size_t n, const char *path, bool folder)
{
	while (n > 0) {
		const char *end = memchr(file, '\n', n);
		size_t len = end == NULL ? n : (size_t)(end - file);

		if (len != 0 && *file != '#' && says(file, len, path, folder))
			return true;
		len += end != NULL;
		file += len;
		n -= len;
	}
	return false;
}

static void
compare(const char *path, const char *file, size_t n)
{
	struct exclude *x = exclude_new();
	FILE *in = fmemopen((void *)(uintptr_t)file, n, "r");
	struct fault f = { 0 };
	int rc = exclude_read(x, in, "file", &f);

	fclose(in);
	exclude_prepare(x);
	for (int folder = 0; folder < 2; folder++) {
		bool is = exclude_match(x, path, strlen(path), folder != 0);

		if (rc == 0)
			assert(is == any_says(file, n, path, folder != 0));
	}
	assert(rc == 0 || strncmp(f.text, "file:", 5) == 0);
	exclude_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end == NULL ? 0 : (size_t)(end - data);
	char *path, *file;

	if (end == NULL || memchr(data, '\0', len) != NULL)
		return 0;
	path = strndup((const char *)data, len);
	file = malloc(size - len);
	memcpy(file, end + 1, size - len - 1);
	compare(path, file, size - len - 1);
	free(file);
	free(path);
	return 0;
}
