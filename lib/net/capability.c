// SPDX-License-Identifier: Apache-2.0
/* spec/40-depot.md, Capability. */
#include "net/capability.h"

#include <string.h>

#include <jansson.h>

#include "base/fault.h"
#include "crypt/paseto.h"
#include "net/text.h"

#define TOKEN_MAX 2048 /* characters; spec/40 */
#define MEMBERS 7
#define VERSION 1

static const struct {
	enum capability_verb bit;
	const char *name;
} verbs[] = {
	{ CAPABILITY_GET, "get" },
	{ CAPABILITY_PUT, "put" },
	{ CAPABILITY_LIST, "list" },
	{ CAPABILITY_DELETE, "delete" },
};

#define VERBS_ALL 15u

static void
json_freep(json_t **j)
{
	json_decref(*j);
}

static int
prefix_parse(const json_t *j, uint8_t out[ID_LEN])
{
	const char *s = json_string_value(j);

	return s == NULL ? FAULT_MALFORMED :
	    text_hex_parse(s, json_string_length(j), out, ID_LEN);
}

static int
depot_parse(const json_t *j, char out[CAPABILITY_DEPOT_MAX + 1])
{
	size_t n = json_string_length(j);

	if (!json_is_string(j) || n == 0 || n > CAPABILITY_DEPOT_MAX)
		return FAULT_MALFORMED;
	memcpy(out, json_string_value(j), n + 1);
	return 0;
}

static unsigned
verb_bit(const json_t *j)
{
	const char *s = json_string_value(j);

	for (size_t i = 0; s != NULL && i < ARRAY_LEN(verbs); i++)
		if (strcmp(s, verbs[i].name) == 0)
			return verbs[i].bit;
	return 0;
}

static int
verbs_parse(const json_t *j, unsigned *out)
{
	unsigned set = 0;

	if (!json_is_array(j) || json_array_size(j) == 0)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < json_array_size(j); i++) {
		unsigned bit = verb_bit(json_array_get(j, i));

		if (bit == 0 || (set & bit) != 0)
			return FAULT_MALFORMED;
		set |= bit;
	}
	*out = set;
	return 0;
}

static int
integer_parse(const json_t *j, int64_t *out)
{
	if (!json_is_integer(j))
		return FAULT_MALFORMED;
	*out = json_integer_value(j);
	return 0;
}

static int
payload_parse(const json_t *j, struct capability *out)
{
	struct capability c = { .verbs = 0 };
	int64_t v, quota;

	if (integer_parse(json_object_get(j, "v"), &v) != 0)
		return FAULT_MALFORMED;
	if (v != VERSION)
		return FAULT_VERSION;
	if (json_object_size(j) != MEMBERS ||
	    depot_parse(json_object_get(j, "depot"), c.depot) != 0 ||
	    prefix_parse(json_object_get(j, "prefix"), c.prefix) != 0 ||
	    verbs_parse(json_object_get(j, "verbs"), &c.verbs) != 0 ||
	    integer_parse(json_object_get(j, "quota"), &quota) != 0 ||
	    integer_parse(json_object_get(j, "nbf"), &c.nbf) != 0 ||
	    integer_parse(json_object_get(j, "exp"), &c.exp) != 0 ||
	    quota < 0 || c.nbf < 0 || c.exp < c.nbf)
		return FAULT_MALFORMED;
	c.quota = (uint64_t)quota;
	*out = c;
	return 0;
}

int
capability_verify(const struct sign_pub *pub, struct bytes token,
    struct capability *out)
{
	struct buf payload defer(buf_wipe) = buf_init(TOKEN_MAX);
	json_t *j defer(json_freep) = NULL;
	int rc;

	if (token.n > TOKEN_MAX)
		return FAULT_LIMIT;
	rc = paseto_verify(pub, token, &payload);
	if (rc != 0)
		return rc;
	j = json_loadb((const char *)payload.p, payload.n,
	    JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j))
		return FAULT_MALFORMED;
	return payload_parse(j, out);
}

static json_t *
verbs_json(unsigned set)
{
	json_t *a = json_array();

	for (size_t i = 0; a != NULL && i < ARRAY_LEN(verbs); i++)
		if ((set & verbs[i].bit) != 0 &&
		    json_array_append_new(a, json_string(verbs[i].name)) != 0) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static int
valid(const struct capability *c)
{
	size_t n = strnlen(c->depot, sizeof(c->depot));

	return n != 0 && n <= CAPABILITY_DEPOT_MAX && c->verbs != 0 &&
	    (c->verbs & ~VERBS_ALL) == 0 && c->quota <= INT64_MAX &&
	    c->nbf >= 0 && c->exp >= c->nbf;
}

int
capability_issue(const struct sign_key *key, const struct capability *cap,
    struct buf *out)
{
	struct buf token defer(buf_wipe) = buf_init(TOKEN_MAX);
	json_t *j defer(json_freep) = NULL;
	char prefix[TEXT_HEX_SIZE(ID_LEN)], payload[TOKEN_MAX];
	size_t n;
	int rc;

	if (!valid(cap))
		return FAULT_MALFORMED;
	text_hex(cap->prefix, ID_LEN, prefix, sizeof(prefix));
	j = json_pack("{s:i, s:s, s:s, s:o, s:I, s:I, s:I}", "v", VERSION,
	    "depot", cap->depot, "prefix", prefix, "verbs",
	    verbs_json(cap->verbs), "quota", (json_int_t)cap->quota, "nbf",
	    (json_int_t)cap->nbf, "exp", (json_int_t)cap->exp);
	if (j == NULL)
		return FAULT_MEMORY;
	n = json_dumpb(j, payload, sizeof(payload), JSON_COMPACT);
	if (n == 0 || n > sizeof(payload))
		return FAULT_LIMIT;
	rc = paseto_sign(key, bytes_of(payload, n), &token);
	if (rc != 0)
		return rc;
	return buf_append(out, token.p, token.n);
}
