// SPDX-License-Identifier: Apache-2.0
/* A code that is accepted comes back from its own text, and base32 decodes to
 * what encodes to the same symbols. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base32.h"
#include "base/fault.h"
#include "crypt/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
one_text_for_each_code(struct bytes in)
{
	char text[RECOVERY_TEXT_LEN + 1], a[36], b[36];
	struct recovery_code code, again;
	int rc = recovery_parse(in, &code);

	assert(rc == 0 || rc == FAULT_SECRET || rc == FAULT_MALFORMED);
	if (rc != 0)
		return;
	recovery_text(&code, text);
	assert(recovery_parse(bytes_of(text, RECOVERY_TEXT_LEN), &again) == 0);
	assert(memcmp(&code, &again, sizeof(code)) == 0);
	assert(base32_canonical(in, a, sizeof(a)) == 0);
	assert(base32_canonical(bytes_of(text, RECOVERY_TEXT_LEN), b,
		   sizeof(b)) == 0);
	assert(memcmp(a, b, sizeof(a)) == 0);
}

static void
one_text_for_each_string(struct bytes in)
{
	for (size_t n = 0; n <= 24; n++) {
		char a[BASE32_LEN(24)], b[BASE32_LEN(24)];
		uint8_t out[24];

		if (base32_decode(in, out, n) != 0)
			continue;
		base32_encode(bytes_of(out, n), a);
		assert(base32_canonical(in, b, BASE32_LEN(n)) == 0);
		assert(memcmp(a, b, BASE32_LEN(n)) == 0);
	}
}

/* The input as text, and its first bytes as a code. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[RECOVERY_TEXT_LEN + 1];
	struct recovery_code code = { { 0 } };

	one_text_for_each_code(bytes_of(data, size));
	one_text_for_each_string(bytes_of(data, size));
	if (size > sizeof(code))
		size = sizeof(code);
	if (size != 0)
		memcpy(&code, data, size);
	recovery_text(&code, text);
	one_text_for_each_code(bytes_of(text, RECOVERY_TEXT_LEN));
	return 0;
}
