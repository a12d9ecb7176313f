// SPDX-License-Identifier: Apache-2.0
#include "depot/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD_HEAD "sha-256=:"
#define BASE64_LEN 44
#define READ_LEN 65536

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *
digest_new(void)
{
	struct digest *d defer(digest_freep) = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL ||
	    EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
		return NULL;
	return take(d);
}

void
digest_update(struct digest *d, const void *p, size_t n)
{
	int ok = EVP_DigestUpdate(d->ctx, p, n);

	assert(ok == 1);
}

void
digest_final(struct digest *d, uint8_t out[static DIGEST_LEN])
{
	int ok = EVP_DigestFinal_ex(d->ctx, out, NULL);

	assert(ok == 1);
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void
digest_freep(struct digest **d)
{
	digest_free(*d);
}

int
digest_of_fd(int fd, uint8_t out[static DIGEST_LEN], struct fault *f)
{
	struct digest *d defer(digest_freep) = digest_new();
	uint8_t buf[READ_LEN];
	off_t at = 0;
	ssize_t n;

	if (d == NULL)
		return fault_set(f, FAULT_MEMORY, "digest");
	for (;;) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_sys(f, FAULT_IO, errno, "read");
		digest_update(d, buf, (size_t)n);
		at += n;
	}
	digest_final(d, out);
	return 0;
}

int
digest_parse(const char *value, uint8_t out[static DIGEST_LEN])
{
	const char *b64 = value + strlen(FIELD_HEAD);
	char again[DIGEST_FIELD_LEN + 1];
	uint8_t d[DIGEST_LEN];
	size_t n;

	if (strlen(value) != DIGEST_FIELD_LEN ||
	    strncmp(value, FIELD_HEAD, strlen(FIELD_HEAD)) != 0 ||
	    value[DIGEST_FIELD_LEN - 1] != ':')
		return FAULT_MALFORMED;
	if (sodium_base642bin(d, sizeof(d), b64, BASE64_LEN, NULL, &n, NULL,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    n != sizeof(d))
		return FAULT_MALFORMED;
	/* libsodium 1.0.18 takes some bytes above 0x7f for digits. */
	digest_format(d, again);
	if (strcmp(again, value) != 0)
		return FAULT_MALFORMED;
	memcpy(out, d, sizeof(d));
	return 0;
}

void
digest_format(const uint8_t digest[static DIGEST_LEN],
    char out[static DIGEST_FIELD_LEN + 1])
{
	size_t n = strlen(FIELD_HEAD);

	memcpy(out, FIELD_HEAD, n);
	sodium_bin2base64(out + n, BASE64_LEN + 1, digest, DIGEST_LEN,
	    sodium_base64_VARIANT_ORIGINAL);
	out[DIGEST_FIELD_LEN - 1] = ':';
	out[DIGEST_FIELD_LEN] = '\0';
}
