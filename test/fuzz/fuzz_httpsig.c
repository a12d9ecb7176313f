// SPDX-License-Identifier: Apache-2.0
/* Signature headers from outside.  What is read is written again and must be
 * the same text: there is one form. */
#include <assert.h>
#include <string.h>

#include "crypt/secret.h"
#include "net/httpsig.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return secret_init();
}

/* Fields one after the other, each ended by a newline. */
static void
field(const uint8_t **p, size_t *n, char out[static HTTPSIG_FIELD_MAX])
{
	const uint8_t *end = memchr(*p, '\n', *n);
	size_t k = end == NULL ? *n : (size_t)(end - *p);

	memcpy(out, *p, k < HTTPSIG_FIELD_MAX ? k : HTTPSIG_FIELD_MAX);
	if (end != NULL)
		k++;
	*p += k;
	*n -= k;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sign_key key;
	static const struct sign_pub pub;
	struct httpsig_fields in = { 0 }, again;
	struct httpsig s;
	int rc;

	if (size == 0)
		return 0;
	field(&data, &size, in.digest);
	field(&data, &size, in.input);
	field(&data, &size, in.signature);
	rc = httpsig_check(&pub, &in, "host", "/path", bytes_of(data, size));
	(void)rc;
	if (httpsig_parse(&in, &s) != 0)
		return 0;
	rc = httpsig_sign(&key, &s, "host", "/path", bytes_of(data, size),
	    &again);
	assert(rc == 0 && strcmp(again.input, in.input) == 0);
	return 0;
}
