// SPDX-License-Identifier: Apache-2.0
/* Base64, hex, codes and paths: one text for each value. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/code.h"
#include "client/path.h"
#include "net/text.h"
#include "object/key.h"
#include "object/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 96u

static void
codec(const char *s, size_t n)
{
	char again[TEXT_HEX_SIZE(MOST)];
	uint8_t out[MOST];

	for (size_t len = 0; len <= MOST; len++) {
		if (text_b64_parse(s, n, out, len) == 0) {
			text_b64(out, len, again, sizeof(again));
			assert(strlen(again) == n && memcmp(again, s, n) == 0);
		}
		if (text_hex_parse(s, n, out, len) == 0) {
			text_hex(out, len, again, sizeof(again));
			assert(strlen(again) == n && memcmp(again, s, n) == 0);
		}
	}
}

static void
code(const char *s)
{
	char text[CODE_SIZE], check[CODE_CHECK_SIZE];
	uint8_t id[ID_LEN], again[ID_LEN];

	if (code_parse(s, id) == 0) {
		code_text(id, text);
		assert(code_parse(text, again) == 0);
		assert(memcmp(id, again, ID_LEN) == 0);
	}
	if (code_check_parse(s, id) == 0) {
		code_check_text(id, check);
		assert(code_check_parse(check, again) == 0);
		assert(memcmp(id, again, CODE_CHECK_LEN) == 0);
	}
}

static void
path(const char *s)
{
	struct buf key defer(buf_wipe) = buf_init(KEY_BYTES_MAX);
	char show[PATH_SHOW_MAX];
	struct fault f = { 0 };

	if (path_key(s, &key, &f) != 0)
		return;
	assert(key.n == 0 || key_valid(buf_bytes(&key)));
	path_show(buf_bytes(&key), show);
	assert(strlen(show) < sizeof(show));
	for (const char *c = show; *c != '\0'; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	memcpy(s, data, size);
	s[size] = '\0';
	codec(s, size);
	code(s);
	path(s);
	free(s);
	return 0;
}
