// SPDX-License-Identifier: Apache-2.0
#include "object/key.h"

#include <string.h>

#include "base/fault.h"

/* Bytes up to the first c in b, or all. */
static size_t
until(struct bytes b, uint8_t c)
{
	const uint8_t *q = b.n == 0 ? NULL : memchr(b.p, c, b.n);

	return q == NULL ? b.n : (size_t)(q - b.p);
}

bool
key_name_valid(struct bytes name)
{
	/* [tree] */
	if (name.n == 0 || name.n > KEY_NAME_MAX)
		return false;
	if (name.p[0] == '.' &&
	    (name.n == 1 || (name.n == 2 && name.p[1] == '.')))
		return false;
	return until(name, 0) == name.n && until(name, '/') == name.n;
}

/* Names of b, which sep separates, are all valid. */
static bool
names_valid(struct bytes b, uint8_t sep)
{
	for (;;) {
		size_t n = until(b, sep);

		if (!key_name_valid(bytes_of(b.p, n)))
			return false;
		if (n == b.n)
			return true;
		b = bytes_of(b.p + n + 1, b.n - n - 1);
	}
}

bool
key_valid(struct bytes key)
{
	return key.n != 0 && key.n <= KEY_BYTES_MAX && names_valid(key, 0);
}

static void
replace(uint8_t *p, size_t n, uint8_t from, uint8_t to)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == from)
			p[i] = to;
	}
}

int
key_from_path(struct bytes path, struct buf *out)
{
	int rc;

	if (path.n > KEY_BYTES_MAX)
		return FAULT_LIMIT;
	if (path.n != 0 && !names_valid(path, '/'))
		return FAULT_MALFORMED;
	out->n = 0;
	rc = buf_append(out, path.p, path.n);
	if (rc == 0)
		replace(out->p, out->n, '/', 0);
	return rc;
}

int
key_to_path(struct bytes key, struct buf *out)
{
	int rc = buf_append(out, key.p, key.n);

	if (rc == 0 && key.n != 0)
		replace(out->p + out->n - key.n, key.n, 0, '/');
	return rc;
}

struct bytes
key_parent(struct bytes key)
{
	const uint8_t *q = key.n == 0 ? NULL : memrchr(key.p, 0, key.n);

	return bytes_of(key.p, q == NULL ? 0 : (size_t)(q - key.p));
}

struct bytes
key_name(struct bytes key)
{
	size_t n = key_parent(key).n;

	n += n != 0;
	return n == 0 ? key : bytes_of(key.p + n, key.n - n);
}

size_t
key_depth(struct bytes key)
{
	size_t n = key.n != 0;

	for (size_t i = 0; i < key.n; i++)
		n += key.p[i] == 0;
	return n;
}

bool
key_within(struct bytes key, struct bytes folder)
{
	if (folder.n == 0)
		return true;
	return key.n >= folder.n && memcmp(key.p, folder.p, folder.n) == 0 &&
	    (key.n == folder.n || key.p[folder.n] == 0);
}

int
key_end(struct bytes folder, struct buf *out)
{
	static const uint8_t one = 1;
	int rc;

	if (folder.n == 0)
		return FAULT_INTERNAL;
	out->n = 0;
	rc = buf_append(out, folder.p, folder.n);
	return rc != 0 ? rc : buf_append(out, &one, 1);
}

bool
key_follows(struct bytes prev, bool prev_folder, struct bytes key)
{
	struct bytes up = key_parent(key);

	if (prev.n != 0 && bytes_cmp(prev, key) >= 0)
		return false;
	/* The folder is prev, or something below it came right before. */
	if (up.n == 0 || (prev.n == up.n && prev_folder))
		return up.n == 0 || memcmp(prev.p, up.p, up.n) == 0;
	return prev.n > up.n && key_within(prev, up);
}
