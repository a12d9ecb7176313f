// SPDX-License-Identifier: Apache-2.0
#include "tlog/note.h"

#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/utf8.h"
#include "base/wr.h"
#include "crypt/hash.h"
#include "crypt/sign.h"
#include "tlog/line.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define ID_BYTES 4
#define BLOB_MAX 8192 /* of any signature type that there is */

/* UTF-8 without control characters; newlines if wanted. */
static bool
is_text(struct bytes t, bool newlines)
{
	for (size_t i = 0, n; i < t.n; i += n) {
		n = utf8_len(t.p + i, t.n - i);
		if (n == 0 || (t.p[i] < 0x20 && !(newlines && t.p[i] == '\n')))
			return false;
	}
	return true;
}

/* Characters of White_Space that are not controls of one byte. */
static bool
is_space(const uint8_t *p, size_t n)
{
	static const char *const spaces[] = { " ", "\xc2\x85", "\xc2\xa0",
		"\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\x9f", "\xe3\x80\x80" };

	if (n == 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] <= 0x8a)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (strlen(spaces[i]) == n && memcmp(p, spaces[i], n) == 0)
			return true;
	return false;
}

static bool
is_name(struct bytes t)
{
	if (t.n == 0 || t.n > NOTE_NAME_MAX || !is_text(t, false))
		return false;
	for (size_t i = 0, n; i < t.n; i += n) {
		n = utf8_len(t.p + i, t.n - i);
		if (t.p[i] == '+' || t.p[i] == 0x7f || is_space(t.p + i, n))
			return false;
	}
	return true;
}

int
note_key_make(struct bytes name, enum note_type type,
    const struct sign_pub *pub, struct note_key *out)
{
	const uint8_t mark[2] = { '\n', (uint8_t)type };
	const struct bytes part[] = { name, bytes_of(mark, 2),
		bytes_of(pub->b, sizeof(pub->b)) };
	uint8_t hash[32];
	struct rd r;

	if (!is_name(name))
		return FAULT_MALFORMED;
	memset(out->name, 0, sizeof(out->name));
	memcpy(out->name, name.p, name.n);
	out->type = (uint8_t)type;
	out->pub = *pub;
	hash_sha256(part, ARRAY_LEN(part), hash);
	r = rd_from(hash, ID_BYTES);
	out->id = rd_u32(&r);
	return 0;
}

static void
hex_of(uint32_t id, char out[static 9])
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = "0123456789abcdef"[id >> (28 - 4 * i) & 15];
	out[8] = '\0';
}

int
note_key_parse(struct bytes text, struct note_key *out)
{
	struct bytes name = text, id, key;
	uint8_t raw[1 + sizeof(struct sign_pub)];
	struct sign_pub pub;
	struct note_key k;
	char hex[9];
	size_t n = 0;

	while (n < text.n && text.p[n] != '+')
		n++;
	name.n = n;
	if (text.n - n < 10 || text.p[n + 9] != '+')
		return FAULT_MALFORMED;
	id = bytes_of(text.p + n + 1, 8);
	key = bytes_of(text.p + n + 10, text.n - n - 10);
	if (line_b64_check(key, &n) != 0 || n == 0)
		return FAULT_MALFORMED;
	if (n != sizeof(raw))
		return FAULT_VERSION;
	if (line_b64_parse(key, raw, sizeof(raw)) != 0)
		return FAULT_MALFORMED;
	if (raw[0] != NOTE_ED25519 && raw[0] != NOTE_COSIGNATURE)
		return FAULT_VERSION;
	memcpy(pub.b, raw + 1, sizeof(pub.b));
	if (note_key_make(name, raw[0], &pub, &k) != 0)
		return FAULT_MALFORMED;
	hex_of(k.id, hex);
	if (!line_is(id, hex))
		return FAULT_MALFORMED;
	*out = k;
	return 0;
}

int
note_key_format(const struct note_key *key, struct buf *out)
{
	uint8_t raw[1 + sizeof(key->pub.b)] = { key->type };
	char hex[9];
	int rc = line_put(out, key->name);

	memcpy(raw + 1, key->pub.b, sizeof(key->pub.b));
	hex_of(key->id, hex);
	if (rc == 0)
		rc = line_put(out, "+");
	if (rc == 0)
		rc = line_put(out, hex);
	if (rc == 0)
		rc = line_put(out, "+");
	return rc != 0 ? rc : line_b64(bytes_of(raw, sizeof(raw)), out);
}

static int
parse_line(struct bytes line, struct note_sig *out)
{
	uint8_t head[6];
	struct rd r;
	size_t n = 0, len;

	if (!line_skip(&line, DASH))
		return FAULT_MALFORMED;
	while (n < line.n && line.p[n] != ' ')
		n++;
	if (n == line.n)
		return FAULT_MALFORMED;
	out->name = bytes_of(line.p, n);
	out->b64 = bytes_of(line.p + n + 1, line.n - n - 1);
	if (!is_name(out->name) || line_b64_check(out->b64, &len) != 0 ||
	    len <= ID_BYTES)
		return FAULT_MALFORMED;
	/* At least five bytes, so the first eight characters have the id. */
	if (out->b64.p[7] == '=') {
		uint8_t all[ID_BYTES + 1];

		if (line_b64_parse(out->b64, all, sizeof(all)) != 0)
			return FAULT_MALFORMED;
		memcpy(head, all, ID_BYTES);
	} else if (line_b64_parse(bytes_of(out->b64.p, 8), head,
	        sizeof(head)) != 0) {
		return FAULT_MALFORMED;
	}
	r = rd_from(head, ID_BYTES);
	out->id = rd_u32(&r);
	out->n = len - ID_BYTES;
	return 0;
}

int
note_parse_lines(struct bytes lines, struct note *out)
{
	struct bytes left = lines, line;
	size_t n = 0;
	int rc = 0;

	if (lines.n > NOTE_MAX)
		return FAULT_LIMIT;
	for (; rc == 0 && left.n != 0; n++) {
		if (n == NOTE_SIGS_MAX)
			return FAULT_LIMIT;
		rc = line_next(&left, &line);
		if (rc == 0)
			rc = parse_line(line, &out->sig[n]);
	}
	if (rc == 0 && n == 0)
		rc = FAULT_MALFORMED;
	if (rc != 0)
		return rc;
	out->nsigs = n;
	out->lines = lines;
	out->text = bytes_of(NULL, 0);
	return 0;
}

int
note_parse(struct bytes data, struct note *out)
{
	size_t n = data.n;
	int rc;

	if (data.n > NOTE_MAX)
		return FAULT_LIMIT;
	if (!is_text(data, true))
		return FAULT_MALFORMED;
	/* The last empty line. */
	while (n >= 2 && !(data.p[n - 1] == '\n' && data.p[n - 2] == '\n'))
		n--;
	if (n < 2)
		return FAULT_MALFORMED;
	rc = note_parse_lines(bytes_of(data.p + n, data.n - n), out);
	if (rc != 0)
		return rc;
	out->text = bytes_of(data.p, n - 1);
	return 0;
}

int
note_sig_bytes(const struct note_sig *sig, uint8_t *out, size_t n)
{
	uint8_t all[NOTE_LINE_MAX];

	if (sig->n != n || n + ID_BYTES > sizeof(all) ||
	    line_b64_parse(sig->b64, all, n + ID_BYTES) != 0)
		return FAULT_MALFORMED;
	memcpy(out, all + ID_BYTES, n);
	return 0;
}

const struct note_sig *
note_find(const struct note *n, const struct note_key *key, size_t *i)
{
	for (; *i < n->nsigs; (*i)++) {
		const struct note_sig *s = &n->sig[*i];

		if (s->id == key->id && line_is(s->name, key->name)) {
			(*i)++;
			return s;
		}
	}
	return NULL;
}

int
note_verify(const struct note *n, const struct note_key *key)
{
	const struct note_sig *s;
	uint8_t sig[SIGN_LEN];
	bool any = false;
	size_t i = 0;

	if (key->type != NOTE_ED25519)
		return FAULT_NOT_FOUND;
	while ((s = note_find(n, key, &i)) != NULL) {
		if (note_sig_bytes(s, sig, sizeof(sig)) != 0 ||
		    sign_check(&key->pub, n->text, sig) != 0)
			return FAULT_TAMPERED;
		any = true;
	}
	return any ? 0 : FAULT_NOT_FOUND;
}

int
note_line(const struct note_key *key, struct bytes sig, struct buf *out)
{
	struct buf all defer(buf_wipe) = buf_init(BLOB_MAX);
	struct wr w = wr_to(&all);
	int rc;

	wr_u32(&w, key->id);
	wr_copy(&w, sig.p, sig.n);
	rc = wr_finish(&w);
	if (rc == 0)
		rc = line_put(out, DASH);
	if (rc == 0)
		rc = line_put(out, key->name);
	if (rc == 0)
		rc = line_put(out, " ");
	if (rc == 0)
		rc = line_b64(buf_bytes(&all), out);
	return rc != 0 ? rc : line_put(out, "\n");
}

int
note_sign(struct bytes text, const struct note_key *pub,
    const struct sign_key *key, struct buf *out)
{
	uint8_t sig[SIGN_LEN];
	int rc;

	if (text.n == 0 || text.p[text.n - 1] != '\n' || !is_text(text, true))
		return FAULT_MALFORMED;
	sign_make(key, text, sig);
	rc = buf_append(out, text.p, text.n);
	if (rc == 0)
		rc = line_put(out, "\n");
	return rc != 0 ? rc : note_line(pub, bytes_of(sig, sizeof(sig)), out);
}
