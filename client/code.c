// SPDX-License-Identifier: Apache-2.0
#include "client/code.h"

#include <fcntl.h>
#include <string.h>

#include "base/base32.h"
#include "client/file.h"

/* At most 16 bytes. */
static void
groups(struct bytes in, char *out)
{
	char symbols[CODE_SYMBOLS];

	base32_encode(in, symbols);
	for (size_t i = 0; i < BASE32_LEN(in.n); i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = '-';
		*out++ = symbols[i];
	}
	*out = '\0';
}

void
code_text(const uint8_t id[static ID_LEN], char out[static CODE_SIZE])
{
	groups(bytes_of(id, ID_LEN), out);
}

void
code_check_text(const uint8_t hash[static CODE_CHECK_LEN],
    char out[static CODE_CHECK_SIZE])
{
	groups(bytes_of(hash, CODE_CHECK_LEN), out);
}

int
code_check_parse(const char *text, uint8_t out[static CODE_CHECK_LEN])
{
	return base32_decode(bytes_of(text, strlen(text)), out,
	    CODE_CHECK_LEN);
}

int
code_parse(const char *text, uint8_t out[static ID_LEN])
{
	return base32_decode(bytes_of(text, strlen(text)), out, ID_LEN);
}

int
code_read(const char *file, struct buf *out, struct fault *f)
{
	int rc = file_read(AT_FDCWD, file, out, f);

	while (rc == 0 && out->n > 0 &&
	    (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
	return rc;
}

int
code_unread(const char *what, int rc, struct fault *f)
{
	if (rc == FAULT_SECRET)
		return fault_set(f, rc, "%s: mistyped", what);
	if (rc == FAULT_MALFORMED)
		return fault_set(f, FAULT_SECRET, "%s: it has nine groups of "
		    "four letters or digits", what);
	return rc == 0 ? 0 : fault_add(f, rc, "%s", what);
}
