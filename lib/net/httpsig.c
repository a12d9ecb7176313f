// SPDX-License-Identifier: Apache-2.0
/*
 * Signing and checking of requests: spec/50-authority.md, Signed requests.
 * There is one form only, so a value is read by writing it again from what was
 * read and comparing: nothing that was not signed is ever believed.
 */
#include "net/httpsig.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/hash.h"
#include "crypt/sign.h"
#include "net/text.h"

#define CREATED_MAX INT64_C(999999999999999) /* RFC 8941 integer */
#define BASE_MAX 2048
#define PARAMS_FMT                                                             \
	"(\"@method\" \"@authority\" \"@path\" \"content-digest\")"            \
	";created=%" PRId64 ";nonce=\"%s\";keyid=\"%s\""                       \
	";alg=\"ed25519\";tag=\"skerry\""
#define LABEL "skerry="
#define DIGEST_LABEL "sha-256="

/* "label:base64:" as RFC 8941 has byte sequences. */
static void
bytes_field(const char *label, const uint8_t *p, size_t n, char *out,
    size_t max)
{
	char b64[TEXT_B64_SIZE(SIGN_LEN)];
	int k;

	text_b64(p, n, b64, sizeof(b64));
	k = snprintf(out, max, "%s:%s:", label, b64);
	assert(k > 0 && (size_t)k < max);
}

static int
bytes_field_parse(const char *label, const char *v, uint8_t *out, size_t n)
{
	size_t len = strlen(v), head = strlen(label);

	if (len < head + 2 || strncmp(v, label, head) != 0 || v[head] != ':' ||
	    v[len - 1] != ':')
		return FAULT_MALFORMED;
	return text_b64_parse(v + head + 1, len - head - 2, out, n);
}

void
httpsig_digest(struct bytes body, char out[static 64])
{
	uint8_t h[32];

	hash_sha256(&body, 1, h);
	bytes_field(DIGEST_LABEL, h, sizeof(h), out, 64);
}

int
httpsig_digest_parse(const char *value, uint8_t out[static 32])
{
	return bytes_field_parse(DIGEST_LABEL, value, out, 32);
}

int
httpsig_signature_parse(const char *value, uint8_t out[static SIGN_LEN])
{
	return bytes_field_parse(LABEL, value, out, SIGN_LEN);
}

/* The value of Signature-Input after its label. */
static void
params_text(const struct httpsig *s, char out[static HTTPSIG_FIELD_MAX])
{
	char nonce[TEXT_HEX_SIZE(HTTPSIG_NONCE_LEN)];
	char keyid[TEXT_HEX_SIZE(ID_LEN)];

	text_hex(s->nonce, sizeof(s->nonce), nonce, sizeof(nonce));
	text_hex(s->keyid, sizeof(s->keyid), keyid, sizeof(keyid));
	(void)snprintf(out, HTTPSIG_FIELD_MAX, PARAMS_FMT, s->created, nonce,
	    keyid);
}

/* The signature base of RFC 9421, section 2.5.  A line break in authority or
 * path would let one request be read as another. */
static int
signature_base(const char *authority, const char *path, const char *digest,
    const char *params, char out[static BASE_MAX])
{
	int n;

	if (strpbrk(authority, "\r\n") != NULL || strpbrk(path, "\r\n") != NULL)
		return FAULT_MALFORMED;
	n = snprintf(out, BASE_MAX,
	    "\"@method\": POST\n\"@authority\": %s\n\"@path\": %s\n"
	    "\"content-digest\": %s\n\"@signature-params\": %s",
	    authority, path, digest, params);
	return n < 0 || n >= BASE_MAX ? FAULT_LIMIT : 0;
}

int
httpsig_sign(const struct sign_key *key, const struct httpsig *params,
    const char *authority, const char *path, struct bytes body,
    struct httpsig_fields *out)
{
	char text[HTTPSIG_FIELD_MAX], base[BASE_MAX];
	struct httpsig_fields f = { 0 };
	uint8_t sig[SIGN_LEN];
	int rc;

	if (params->created < 0 || params->created > CREATED_MAX)
		return FAULT_LIMIT;
	httpsig_digest(body, f.digest);
	params_text(params, text);
	rc = signature_base(authority, path, f.digest, text, base);
	if (rc != 0)
		return rc;
	sign_make(key, bytes_of(base, strlen(base)), sig);
	if (snprintf(f.input, sizeof(f.input), LABEL "%s", text) >=
	    (int)sizeof(f.input))
		return FAULT_LIMIT;
	bytes_field(LABEL, sig, sizeof(sig), f.signature, sizeof(f.signature));
	*out = f;
	return 0;
}

/* What follows mark in *p, up to end, as n bytes of hex. */
static int
hex_member(const char **p, const char *mark, uint8_t *out, size_t n)
{
	const char *v = strstr(*p, mark);

	if (v == NULL)
		return FAULT_MALFORMED;
	v += strlen(mark);
	if (strlen(v) < 2 * n || text_hex_parse(v, 2 * n, out, n) != 0)
		return FAULT_MALFORMED;
	*p = v + 2 * n;
	return 0;
}

static int
created_member(const char **p, int64_t *out)
{
	static const char mark[] = ";created=";
	const char *v = strstr(*p, mark);
	int64_t t = 0;

	if (v == NULL)
		return FAULT_MALFORMED;
	for (v += strlen(mark); *v >= '0' && *v <= '9'; v++) {
		t = t * 10 + (*v - '0');
		if (t > CREATED_MAX)
			return FAULT_MALFORMED;
	}
	*p = v;
	*out = t;
	return 0;
}

/* A field of an untrusted caller may lack its NUL. */
static bool
terminated(const struct httpsig_fields *in)
{
	return memchr(in->digest, 0, sizeof(in->digest)) != NULL &&
	    memchr(in->input, 0, sizeof(in->input)) != NULL &&
	    memchr(in->signature, 0, sizeof(in->signature)) != NULL;
}

int
httpsig_parse(const struct httpsig_fields *in, struct httpsig *out)
{
	char again[HTTPSIG_FIELD_MAX];
	const char *p = in->input;
	struct httpsig s = { 0 };
	uint8_t b[SIGN_LEN];

	if (!terminated(in) || httpsig_digest_parse(in->digest, b) != 0 ||
	    bytes_field_parse(LABEL, in->signature, b, SIGN_LEN) != 0)
		return FAULT_MALFORMED;
	if (strncmp(p, LABEL, strlen(LABEL)) != 0)
		return FAULT_MALFORMED;
	if (created_member(&p, &s.created) != 0 ||
	    hex_member(&p, ";nonce=\"", s.nonce, sizeof(s.nonce)) != 0 ||
	    hex_member(&p, ";keyid=\"", s.keyid, sizeof(s.keyid)) != 0)
		return FAULT_MALFORMED;

	/* [authority] exactly in this form */
	params_text(&s, again);
	if (strcmp(again, in->input + strlen(LABEL)) != 0)
		return FAULT_MALFORMED;
	*out = s;
	return 0;
}

int
httpsig_check(const struct sign_pub *pub, const struct httpsig_fields *in,
    const char *authority, const char *path, struct bytes body)
{
	char digest[64], base[BASE_MAX];
	uint8_t sig[SIGN_LEN];
	struct httpsig s;
	int rc = httpsig_parse(in, &s);

	if (rc != 0)
		return rc;
	httpsig_digest(body, digest);
	if (strcmp(digest, in->digest) != 0)
		return FAULT_TAMPERED;
	rc = signature_base(authority, path, digest,
	    in->input + strlen(LABEL), base);
	if (rc != 0)
		return FAULT_MALFORMED;
	rc = bytes_field_parse(LABEL, in->signature, sig, sizeof(sig));
	if (rc != 0)
		return rc;
	return sign_check(pub, bytes_of(base, strlen(base)), sig);
}

int
httpsig_check_kept(const struct sign_pub *pub, const struct httpsig_kept *k,
    const char *authority, const char *path)
{
	char digest[64], text[HTTPSIG_FIELD_MAX], base[BASE_MAX];
	int rc;

	if (k->params.created < 0 || k->params.created > CREATED_MAX)
		return FAULT_MALFORMED;
	bytes_field(DIGEST_LABEL, k->digest, sizeof(k->digest), digest,
	    sizeof(digest));
	params_text(&k->params, text);
	rc = signature_base(authority, path, digest, text, base);
	return rc != 0 ? rc :
	    sign_check(pub, bytes_of(base, strlen(base)), k->signature);
}
