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

#define NAMES_MAX 64

/* Its names, each ended by a NUL; 0: more than NAMES_MAX, or what names never
 * are, long or empty. */
static size_t
names_of(char *text, const char *out[static NAMES_MAX])
{
	size_t n = 0;

	for (char *p = text; p != NULL; n++) {
		char *slash = strchr(p, '/');

		if (n == NAMES_MAX || *p == '/' || *p == '\0' ||
		    strcspn(p, "/") > 255)
			return 0;
		out[n] = p;
		if (slash != NULL)
			*slash++ = '\0';
		p = slash;
	}
	return n;
}

/* Every "**" but the last name tries any number of names: row i says which
 * beginnings of the path the first i names of the pattern match. */
static bool
deep_says(const char *text, const char *path, bool any, bool *known)
{
	char *p = strdup(text), *s = strdup(path);
	const char *pn[NAMES_MAX], *sn[NAMES_MAX];
	size_t np = names_of(p, pn), ns = names_of(s, sn);
	bool row[NAMES_MAX + 1] = { true };

	*known = np != 0 && ns != 0;
	for (size_t j = 1; j <= ns; j++)
		row[j] = any;
	for (size_t i = 0; *known && i < np; i++) {
		bool star = i + 1 < np && strcmp(pn[i], "**") == 0;

		for (size_t j = ns + 1; !star && j-- > 0;)
			row[j] = j > 0 && row[j - 1] &&
			    fnmatch(pn[i], sn[j - 1], 0) == 0;
		for (size_t j = 1; star && j <= ns; j++)
			row[j] |= row[j - 1];
	}
	free(p);
	free(s);
	return row[ns];
}

/* The rules of skerry(1), one after another, on a line that was accepted. */
static bool
says(const char *line, size_t n, const char *path, bool folder,
    bool *unknown)
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
	if (strstr(text, "/**/") != NULL) {
		bool known;

		is = deep_says(text, path, any, &known);
		if (!known)
			*unknown = true;
		free(p);
		return is && (folder || !only);
	}
	is = fnmatch(text, path, FNM_PATHNAME) == 0;
	while (any && !is && (path = strchr(path, '/')) != NULL)
		is = fnmatch(text, ++path, FNM_PATHNAME) == 0;
	free(p);
	return is && (folder || !only);
}

static bool
any_says(const char *file, size_t n, const char *path, bool folder,
    bool *unknown)
{
	while (n > 0) {
		const char *end = memchr(file, '\n', n);
		size_t len = end == NULL ? n : (size_t)(end - file);

		if (len != 0 && *file != '#' && says(file, len, path, folder,
		    unknown))
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

		bool unknown = false, says = rc == 0 &&
		    any_says(file, n, path, folder != 0, &unknown);

		assert(rc != 0 || unknown || is == says);
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
