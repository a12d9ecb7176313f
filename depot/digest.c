// SPDX-License-Identifier: Apache-2.0
#include "depot/digest.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypt/hash.h"
#include "net/text.h"

#define READ_LEN 65536

static const struct form {
	const char *head;
	size_t len;
} form[] = {
	[DIGEST_SHA256] = { "sha-256=:", 32 },
	[DIGEST_CRC32C] = { "crc32c=:", 4 }, /* network byte order */
};

int
digest_sum_init(struct digest_sum *s, enum digest_kind kind)
{
	*s = (struct digest_sum){ .kind = kind };
	if (kind == DIGEST_SHA256 && (s->sha256 = hash_new()) == NULL)
		return FAULT_MEMORY;
	return 0;
}

void
digest_sum_add(struct digest_sum *s, const void *p, size_t n)
{
	if (s->kind == DIGEST_CRC32C)
		s->crc = hash_crc32c(s->crc, p, n);
	else
		hash_update(s->sha256, p, n);
}

static void
sum_final(struct digest_sum *s, struct digest *out)
{
	uint32_t crc = htobe32(s->crc);

	*out = (struct digest){ .kind = s->kind };
	if (s->kind == DIGEST_CRC32C)
		memcpy(out->b, &crc, sizeof(crc));
	else
		hash_final(s->sha256, out->b);
}

bool
digest_sum_is(struct digest_sum *s, const struct digest *want)
{
	struct digest got;

	assert(s->kind == want->kind);
	sum_final(s, &got);
	return memcmp(got.b, want->b, form[got.kind].len) == 0;
}

void
digest_sum_wipe(struct digest_sum *s)
{
	hash_free(s->sha256);
	s->sha256 = NULL;
}

int
digest_of_fd(int fd, struct digest *out, struct fault *f)
{
	struct digest_sum s defer(digest_sum_wipe) = { 0 };
	uint8_t buf[READ_LEN];
	off_t at = 0;
	ssize_t n;

	if (digest_sum_init(&s, DIGEST_SHA256) != 0)
		return fault_set(f, FAULT_MEMORY, "digest");
	for (;;) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_sys(f, FAULT_IO, errno, "read");
		digest_sum_add(&s, buf, (size_t)n);
		at += n;
	}
	sum_final(&s, out);
	return 0;
}

int
digest_parse(const char *value, struct digest *out)
{
	struct digest d = { 0 };
	size_t n = strlen(value);

	for (size_t i = 0; i < ARRAY_LEN(form); i++) {
		size_t head = strlen(form[i].head);

		if (n <= head || strncmp(value, form[i].head, head) != 0 ||
		    value[n - 1] != ':')
			continue;
		d.kind = (enum digest_kind)i;
		if (text_b64_parse(value + head, n - head - 1, d.b,
			form[i].len) != 0)
			return FAULT_MALFORMED;
		*out = d;
		return 0;
	}
	return FAULT_MALFORMED;
}

void
digest_format(const struct digest *d, char out[static DIGEST_FIELD_MAX + 1])
{
	char b64[TEXT_B64_SIZE(DIGEST_LEN)];

	text_b64(d->b, form[d->kind].len, b64, sizeof(b64));
	(void)snprintf(out, DIGEST_FIELD_MAX + 1, "%s%s:", form[d->kind].head,
	    b64);
}
