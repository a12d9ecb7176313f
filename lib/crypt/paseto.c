// SPDX-License-Identifier: Apache-2.0
/* PASETO version 4, purpose public, as the PASETO specification has it. */
#include "crypt/paseto.h"

#include <string.h>

#include <sodium.h>

#include "base/fault.h"
#include "base/wr.h"
#include "crypt/sign.h"

#define HEADER "v4.public."
#define HEADER_LEN (sizeof(HEADER) - 1)
#define BODY_MAX ((PASETO_TOKEN_MAX - HEADER_LEN) * 3 / 4)
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* Lengths in PAE are little-endian, unlike all others of this project. */
static void
le64(struct wr *w, uint64_t v)
{
	uint8_t b[8];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(v >> 8 * i);
	wr_copy(w, b, sizeof(b));
}

/* PAE(header, payload, footer, assertion), the last two empty. */
static int
pae(struct bytes payload, struct buf *out)
{
	struct wr w = wr_to(out);

	le64(&w, 4);
	le64(&w, HEADER_LEN);
	wr_copy(&w, HEADER, HEADER_LEN);
	le64(&w, payload.n);
	wr_copy(&w, payload.p, payload.n);
	le64(&w, 0);
	le64(&w, 0);
	return wr_finish(&w);
}

static void
encode(const uint8_t *body, size_t n, char token[static PASETO_TOKEN_MAX + 1])
{
	memcpy(token, HEADER, HEADER_LEN);
	(void)sodium_bin2base64(token + HEADER_LEN,
	    PASETO_TOKEN_MAX + 1 - HEADER_LEN, body, n, BASE64);
}

/* libsodium 1.0.18 reads bytes above 0x7f as if they were the last letter, so
 * only encoding again shows that a token is the one form of its body. */
static int
decode(struct bytes token, uint8_t body[static BODY_MAX], size_t *n)
{
	const char *text = (const char *)token.p;
	char again[PASETO_TOKEN_MAX + 1];

	if (token.n < HEADER_LEN || memcmp(text, HEADER, HEADER_LEN) != 0)
		return FAULT_MALFORMED;
	if (sodium_base642bin(body, BODY_MAX, text + HEADER_LEN,
		token.n - HEADER_LEN, NULL, n, NULL, BASE64) != 0)
		return FAULT_MALFORMED;
	encode(body, *n, again);
	if (strlen(again) != token.n || memcmp(again, text, token.n) != 0)
		return FAULT_MALFORMED;
	return *n < SIGN_LEN ? FAULT_MALFORMED : 0;
}

int
paseto_sign(const struct sign_key *key, struct bytes payload, struct buf *out)
{
	struct buf m defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	char token[PASETO_TOKEN_MAX + 1];
	uint8_t body[BODY_MAX];
	int rc;

	if (payload.n > BODY_MAX - SIGN_LEN)
		return FAULT_LIMIT;
	rc = pae(payload, &m);
	if (rc != 0)
		return rc;
	if (payload.n != 0)
		memcpy(body, payload.p, payload.n);
	sign_make(key, buf_bytes(&m), body + payload.n);
	encode(body, payload.n + SIGN_LEN, token);
	return buf_append(out, token, strlen(token));
}

int
paseto_verify(const struct sign_pub *pub, struct bytes token, struct buf *out)
{
	struct buf m defer(buf_wipe) = buf_init(PASETO_TOKEN_MAX);
	uint8_t body[BODY_MAX];
	size_t n;
	int rc;

	if (token.n > PASETO_TOKEN_MAX)
		return FAULT_LIMIT;
	rc = decode(token, body, &n);
	if (rc == 0)
		rc = pae(bytes_of(body, n - SIGN_LEN), &m);
	if (rc == 0)
		rc = sign_check(pub, buf_bytes(&m), body + n - SIGN_LEN);
	if (rc != 0)
		return rc;
	return buf_append(out, body, n - SIGN_LEN);
}
