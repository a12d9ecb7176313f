// SPDX-License-Identifier: Apache-2.0
#include "depot/path.h"

#include <string.h>

#include "base/fault.h"
#include "depot/hex.h"
#include "depot/store.h"

/* What is left to read; nothing is taken where it does not match. */
struct cursor {
	const char *p;
	size_t left;
};

static bool
take_text(struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	if (c->left < n || memcmp(c->p, text, n) != 0)
		return false;
	c->p += n;
	c->left -= n;
	return true;
}

static bool
take_id(struct cursor *c, uint8_t out[ID_LEN])
{
	if (c->left < HEX_ID_LEN || hex_id_parse(c->p, HEX_ID_LEN, out) != 0)
		return false;
	c->p += HEX_ID_LEN;
	c->left -= HEX_ID_LEN;
	return true;
}

/* Decimal without leading zeros, 1 .. STORE_LIST_MAX. */
static bool
take_limit(struct cursor *c, unsigned *out)
{
	unsigned v = 0;

	if (c->left == 0 || *c->p == '0')
		return false;
	while (c->left != 0 && *c->p >= '0' && *c->p <= '9') {
		v = v * 10 + (unsigned)(*c->p - '0');
		if (v > STORE_LIST_MAX)
			return false;
		c->p++;
		c->left--;
	}
	*out = v;
	return v != 0;
}

/* after and limit, each at most once, in either order. */
static int
parse_query(struct cursor *c, struct path *out)
{
	bool has_limit = false;

	do {
		if (!out->has_after && take_text(c, "after=")) {
			if (!take_id(c, out->id))
				return FAULT_MALFORMED;
			out->has_after = true;
		} else if (!has_limit && take_text(c, "limit=")) {
			if (!take_limit(c, &out->limit))
				return FAULT_MALFORMED;
			has_limit = true;
		} else {
			return FAULT_MALFORMED;
		}
	} while (take_text(c, "&"));
	return c->left == 0 ? 0 : FAULT_MALFORMED;
}

static int
parse_v1(struct cursor *c, struct path *out)
{
	if (!take_id(c, out->prefix))
		return FAULT_MALFORMED;
	out->kind = PATH_LIST;
	out->limit = STORE_LIST_MAX;
	if (c->left == 0)
		return 0;
	if (take_text(c, "?"))
		return parse_query(c, out);
	if (!take_text(c, "/"))
		return FAULT_MALFORMED;
	out->kind = PATH_HEAD;
	if (!take_text(c, "head")) {
		out->kind = PATH_OBJECT;
		if (!take_id(c, out->id))
			return FAULT_MALFORMED;
	}
	return c->left == 0 ? 0 : FAULT_MALFORMED;
}

int
path_parse(struct bytes target, struct path *out)
{
	struct cursor c = { .p = (const char *)target.p, .left = target.n };
	struct path path = { .kind = PATH_HEALTHZ };
	int rc = 0;

	if (take_text(&c, "/v1/"))
		rc = parse_v1(&c, &path);
	else if (!take_text(&c, "/healthz") || c.left != 0)
		rc = FAULT_NOT_FOUND;
	if (rc == 0)
		*out = path;
	return rc;
}
