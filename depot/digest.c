// SPDX-License-Identifier: Apache-2.0
#include "depot/digest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crypt/hash.h"
#include "net/text.h"

#define FIELD_HEAD "sha-256=:"
#define BASE64_LEN 44
#define READ_LEN 65536

int
digest_of_fd(int fd, uint8_t out[static DIGEST_LEN], struct fault *f)
{
	struct hash *h defer(hash_freep) = hash_new();
	uint8_t buf[READ_LEN];
	off_t at = 0;
	ssize_t n;

	if (h == NULL)
		return fault_set(f, FAULT_MEMORY, "digest");
	for (;;) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_sys(f, FAULT_IO, errno, "read");
		hash_update(h, buf, (size_t)n);
		at += n;
	}
	hash_final(h, out);
	return 0;
}

int
digest_parse(const char *value, uint8_t out[static DIGEST_LEN])
{
	size_t head = strlen(FIELD_HEAD);

	if (strlen(value) != DIGEST_FIELD_LEN ||
	    strncmp(value, FIELD_HEAD, head) != 0 ||
	    value[DIGEST_FIELD_LEN - 1] != ':')
		return FAULT_MALFORMED;
	return text_b64_parse(value + head, BASE64_LEN, out, DIGEST_LEN);
}

void
digest_format(const uint8_t digest[static DIGEST_LEN],
    char out[static DIGEST_FIELD_LEN + 1])
{
	size_t head = strlen(FIELD_HEAD);

	memcpy(out, FIELD_HEAD, head);
	text_b64(digest, DIGEST_LEN, out + head, BASE64_LEN + 1);
	out[DIGEST_FIELD_LEN - 1] = ':';
	out[DIGEST_FIELD_LEN] = '\0';
}
