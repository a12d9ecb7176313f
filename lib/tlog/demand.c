// SPDX-License-Identifier: Apache-2.0
#include "tlog/demand.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/utf8.h"
#include "base/wr.h"
#include "tlog/leaf.h"

#define SHORT_LEN (1 + ID_LEN + 2)

/* [log] By the state before; bit n: state n may follow. */
static const struct {
	const char *name;
	unsigned next;
} states[] = {
	{ "unknown", 1u << DEMAND_ENTERED },
	[DEMAND_ENTERED] = { "entered", 1u << DEMAND_APPROVED |
	    1u << DEMAND_REFUSED | 1u << DEMAND_WITHDRAWN },
	[DEMAND_APPROVED] = { "approved", 1u << DEMAND_REFUSED |
	    1u << DEMAND_WITHDRAWN | 1u << DEMAND_SERVED },
	[DEMAND_REFUSED] = { "refused", 0 },
	[DEMAND_WITHDRAWN] = { "withdrawn", 0 },
	[DEMAND_SERVED] = { "served", 0 },
};

bool
demand_jurisdiction_ok(const char *text)
{
	return strlen(text) == 2 && text[0] >= 'a' && text[0] <= 'z' &&
	    text[1] >= 'a' && text[1] <= 'z';
}

static bool
is_good(const struct demand *d)
{
	return d->state >= DEMAND_ENTERED && d->state <= DEMAND_SERVED &&
	    demand_jurisdiction_ok(d->jurisdiction) &&
	    d->until <= DEMAND_UNTIL_MAX;
}

int
demand_write(const struct demand *d, struct buf *out)
{
	struct wr w = wr_to(out);

	if (!is_good(d))
		return FAULT_MALFORMED;
	wr_u8(&w, d->state);
	wr_copy(&w, d->id, ID_LEN);
	wr_copy(&w, d->jurisdiction, 2);
	if (d->until != 0)
		wr_u64(&w, d->until);
	return wr_finish(&w);
}

int
demand_read(struct bytes in, struct demand *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct demand d = { .state = rd_u8(&r) };

	rd_copy(&r, d.id, ID_LEN);
	rd_copy(&r, d.jurisdiction, 2);
	if (in.n != SHORT_LEN) {
		d.until = rd_u64(&r);
		rd_require(&r, d.until != 0);
	}
	rd_require(&r, is_good(&d));
	if (rd_finish(&r) != 0)
		return FAULT_MALFORMED;
	*out = d;
	return 0;
}

bool
demand_follows(uint8_t last, uint8_t state)
{
	return last < ARRAY_LEN(states) && state < ARRAY_LEN(states) &&
	    (states[last].next >> state & 1) != 0;
}

/* [log] Newlines and tabs are the only control characters, of one byte or of
 * two. */
int
demand_text_check(struct bytes text)
{
	if (text.n > LEAF_BODY_MAX)
		return FAULT_LIMIT;
	for (size_t i = 0, n; i < text.n; i += n) {
		const uint8_t *p = text.p + i;

		n = utf8_len(p, text.n - i);
		if (n == 0 || p[0] == 0x7f ||
		    (p[0] < 0x20 && p[0] != '\n' && p[0] != '\t') ||
		    (n == 2 && p[0] == 0xc2 && p[1] < 0xa0))
			return FAULT_MALFORMED;
	}
	return text.n == 0 ? FAULT_MALFORMED : 0;
}

const char *
demand_state_name(uint8_t state)
{
	return states[state < ARRAY_LEN(states) ? state : 0].name;
}

uint8_t
demand_state_find(const char *name)
{
	for (uint8_t i = DEMAND_ENTERED; i < ARRAY_LEN(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return i;
	return 0;
}
