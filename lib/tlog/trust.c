// SPDX-License-Identifier: Apache-2.0
#include "tlog/trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "tlog/cosig.h"
#include "tlog/line.h"

struct parser {
	struct trust *t;
	struct bytes rest; /* of the line, after the first word */
	bool quorum;       /* seen */
};

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line; empty at its end. */
static struct bytes
word(struct bytes *line)
{
	size_t i = 0, n;

	while (i < line->n && blank(line->p[i]))
		i++;
	for (n = i; n < line->n && !blank(line->p[n]);)
		n++;
	*line = bytes_of(line->p + n, line->n - n);
	return bytes_of(line->p - (n - i), n - i);
}

static int
copy_name(struct bytes w, char out[static TRUST_NAME_MAX + 1])
{
	if (w.n > TRUST_NAME_MAX)
		return FAULT_LIMIT;
	memset(out, 0, TRUST_NAME_MAX + 1);
	if (w.n != 0)
		memcpy(out, w.p, w.n);
	return 0;
}

static struct trust_name *
find(struct trust *t, struct bytes name)
{
	for (size_t i = 0; i < t->nnames; i++)
		if (line_is(name, t->name[i].name))
			return &t->name[i];
	return NULL;
}

/* A new witness or group; its name must be free. */
static int
define(struct trust *t, struct bytes name, struct trust_name **out)
{
	if (name.n == 0 || line_is(name, "none") || find(t, name) != NULL)
		return FAULT_MALFORMED;
	if (t->nnames == TRUST_NAMES_MAX)
		return FAULT_LIMIT;
	*out = &t->name[t->nnames];
	memset(*out, 0, sizeof(**out));
	return copy_name(name, (*out)->name);
}

/* "<vkey> [<url>]" to the line's end, whose key none of list has. */
static int
party(struct bytes *rest, const struct trust_party *list, size_t n,
    enum note_type type, struct trust_party *out)
{
	struct bytes key = word(rest), url = word(rest);
	int rc;

	if (word(rest).n != 0)
		return FAULT_MALFORMED;
	rc = note_key_parse(key, &out->key);
	if (rc == 0 && out->key.type != type)
		rc = FAULT_MALFORMED;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (memcmp(list[i].key.pub.b, out->key.pub.b,
		        sizeof(out->key.pub.b)) == 0)
			rc = FAULT_MALFORMED;
	return rc != 0 ? rc : copy_name(url, out->url);
}

static int
parse_log(struct parser *p)
{
	struct trust *t = p->t;
	int rc;

	if (t->nlogs == TRUST_LOGS_MAX)
		return FAULT_LIMIT;
	rc = party(&p->rest, t->log, t->nlogs, NOTE_ED25519,
	    &t->log[t->nlogs]);
	if (rc == 0)
		t->nlogs++;
	return rc;
}

static int
parse_witness(struct parser *p)
{
	struct trust *t = p->t;
	struct trust_name *name;
	int rc = define(t, word(&p->rest), &name);

	if (rc == 0 && t->nwitnesses == TRUST_WITNESSES_MAX)
		rc = FAULT_LIMIT;
	if (rc == 0)
		rc = party(&p->rest, t->witness, t->nwitnesses,
		    NOTE_COSIGNATURE, &t->witness[t->nwitnesses]);
	if (rc != 0)
		return rc;
	name->witness = t->nwitnesses++;
	t->nnames++;
	return 0;
}

static int
parse_group(struct parser *p)
{
	struct trust *t = p->t;
	struct trust_name *group, *m;
	struct bytes need, member;
	uint64_t k = 0;
	int rc = define(t, word(&p->rest), &group);

	if (rc != 0)
		return rc;
	need = word(&p->rest);
	while ((member = word(&p->rest)).n != 0) {
		m = find(t, member);
		/* Each may count in one way only. */
		if (m == NULL || m->taken)
			return FAULT_MALFORMED;
		m->taken = true;
		m->member_of = t->nnames;
		group->have++;
	}
	if (line_is(need, "all"))
		k = group->have;
	else if (line_is(need, "any"))
		k = 1;
	else if (line_u64(need, &k) != 0)
		return FAULT_MALFORMED;
	if (k == 0 || k > group->have)
		return FAULT_MALFORMED;
	group->is_group = true;
	group->need = k;
	t->nnames++;
	return 0;
}

static int
parse_quorum(struct parser *p)
{
	struct bytes name = word(&p->rest);
	const struct trust_name *found;

	if (p->quorum || name.n == 0 || word(&p->rest).n != 0)
		return FAULT_MALFORMED;
	p->quorum = true;
	p->t->none = line_is(name, "none");
	if (p->t->none)
		return 0;
	found = find(p->t, name);
	if (found == NULL)
		return FAULT_MALFORMED;
	p->t->quorum = (size_t)(found - p->t->name);
	return 0;
}

static int
parse_line(struct parser *p, struct bytes line)
{
	static const struct {
		const char *word;
		int (*parse)(struct parser *p);
	} lines[] = {
		{ "log", parse_log },
		{ "witness", parse_witness },
		{ "group", parse_group },
		{ "quorum", parse_quorum },
	};
	struct bytes first;

	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < 0x20 && line.p[i] != '\t') ||
		    line.p[i] == 0x7f)
			return FAULT_MALFORMED;
	p->rest = line;
	first = word(&p->rest);
	if (first.n == 0 || first.p[0] == '#')
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (line_is(first, lines[i].word))
			return lines[i].parse(p);
	return FAULT_MALFORMED;
}

static void
trust_freep(struct trust **t)
{
	free(*t);
}

int
trust_parse(struct bytes file, struct trust **out, unsigned *line)
{
	struct trust *t defer(trust_freep) = calloc(1, sizeof(*t));
	struct parser p = { .t = t };
	struct bytes left = file, one;
	unsigned at = 0;
	int rc = 0;

	if (t == NULL)
		return FAULT_MEMORY;
	if (file.n > TRUST_FILE_MAX)
		return FAULT_LIMIT;
	while (rc == 0 && left.n != 0) {
		at++;
		rc = line_next(&left, &one);
		if (rc == 0)
			rc = parse_line(&p, one);
	}
	if (rc == 0 && !p.quorum) {
		rc = FAULT_MALFORMED;
		at = 0;
	}
	if (rc != 0) {
		*line = at;
		return rc;
	}
	*out = take(t);
	return 0;
}

bool
trust_quorum(const struct trust *t,
    const bool cosigned[static TRUST_WITNESSES_MAX])
{
	size_t count[TRUST_NAMES_MAX] = { 0 };

	if (t->none)
		return true;
	/* Members come before their groups. */
	for (size_t i = 0; i < t->nnames; i++) {
		const struct trust_name *n = &t->name[i];
		bool met = n->is_group ? count[i] >= n->need :
		    cosigned[n->witness];

		if (i == t->quorum)
			return met;
		if (met && n->taken)
			count[n->member_of]++;
	}
	return false;
}

int
trust_check(const struct trust *t, const struct note *n,
    struct checkpoint *out)
{
	bool cosigned[TRUST_WITNESSES_MAX] = { false };
	bool signed_by_log = false;
	struct checkpoint c;
	uint64_t time;
	int rc = checkpoint_parse(n->text, &c);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < t->nlogs; i++) {
		if (!line_is(c.origin, t->log[i].key.name))
			continue;
		rc = note_verify(n, &t->log[i].key);
		if (rc == 0)
			signed_by_log = true;
		else if (rc != FAULT_NOT_FOUND)
			return rc;
	}
	for (size_t i = 0; signed_by_log && i < t->nwitnesses; i++) {
		rc = cosig_verify(n, &t->witness[i].key, &time);
		if (rc == 0)
			cosigned[i] = true;
		else if (rc != FAULT_NOT_FOUND)
			return rc;
	}
	if (!signed_by_log || !trust_quorum(t, cosigned))
		return FAULT_TRUST;
	*out = c;
	return 0;
}
