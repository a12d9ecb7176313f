// SPDX-License-Identifier: Apache-2.0
#include "client/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/rd.h"
#include "client/file.h"
#include "client/state.h"
#include "net/jsontext.h"

#define FILES_A_SECOND 10000
#define NAME_SIZE 64

static json_t *
b64_or_null(bool has, const void *p, size_t n)
{
	return has ? jsontext_b64(p, n) : json_null();
}

static json_t *
entries_of(struct bytes b)
{
	json_t *a = json_array();

	for (size_t at = 0; at < b.n; at += CHAIN_ENTRY_LEN)
		(void)json_array_append_new(a, jsontext_b64(b.p + at,
		    b.n - at < CHAIN_ENTRY_LEN ? b.n - at : CHAIN_ENTRY_LEN));
	return a;
}

static json_t *
sets_of(struct bytes b)
{
	struct rd r = rd_from(b.p, b.n);
	json_t *a = json_array();

	while (r.left != 0) {
		struct bytes one = rd_take(&r, rd_u16(&r));

		(void)json_array_append_new(a, jsontext_b64(one.p, one.n));
	}
	return a;
}

static json_t *
keys_of(const struct state *st)
{
	const struct policy_residency *r = policy_find_residency(st->policy,
	    st->binding.residency);
	json_t *a = json_array();

	for (size_t i = 0; r != NULL && i < r->nkeys; i++)
		(void)json_array_append_new(a, json_string(r->keys[i]));
	return a;
}

/* What every file has. */
static json_t *
begin(const struct state *st, const char *what, const char *authority,
    const char *why, int64_t now)
{
	const struct policy_authority *a = policy_find_authority(st->policy,
	    authority);
	struct buf chain defer(buf_wipe) = buf_init(ANSWER_CHAIN_BYTES + 64);
	struct fault scrap = { 0 };
	json_t *j = json_pack("{s:i,s:s,s:s,s:I,s:o,s:o,s:s}", "v", 1, "what",
	    what, "why", why, "time", (json_int_t)now, "account",
	    jsontext_id(st->binding.account), "space",
	    jsontext_id(st->binding.space), "authority", authority);

	(void)json_object_set_new(j, "authority_key", a == NULL ? json_null() :
	    jsontext_b64(a->signing.b, sizeof(a->signing.b)));
	(void)json_object_set_new(j, "policy_key",
	    jsontext_b64(st->policy->signer.b, sizeof(st->policy->signer.b)));
	(void)json_object_set_new(j, "custody_delay",
	    json_integer(st->policy->custody_delay));
	(void)json_object_set_new(j, "keys", keys_of(st));
	(void)!state_chain_bytes(st, &chain, &scrap);
	(void)json_object_set_new(j, "chain", entries_of(buf_bytes(&chain)));
	return j;
}

/* Takes a name that nobody has; false: there is none.  Those of one second, of
 * several commands even, do not take each other's place. */
static bool
take_name(const struct state *st, const char *what, int64_t now,
    char name[static NAME_SIZE])
{
	for (int i = 0; i < FILES_A_SECOND; i++) {
		int fd;

		(void)snprintf(name, NAME_SIZE, "evidence-%s-%" PRId64
		    "%s%.0d.json", what, now, i == 0 ? "" : "-", i);
		fd = openat(st->fd, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC, 0600);
		if (fd >= 0)
			return close(fd) == 0;
		if (errno != EEXIST)
			return false;
	}
	return false;
}

/* Drops j. */
static void
keep(const struct state *st, json_t *j, const char *what, int64_t now,
    struct fault *f)
{
	char *text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(1));
	struct fault scrap = { 0 };
	char name[NAME_SIZE], was[FAULT_TEXT_MAX];
	bool taken = text != NULL && take_name(st, what, now, name);
	int code = f->code;

	(void)snprintf(was, sizeof(was), "%s", f->text);
	if (taken && file_write(st->fd, name, bytes_of(text, strlen(text)),
		&scrap) == 0) {
		(void)fault_set(f, code, "%s; the evidence is %s/%s", was,
		    st->dir, name);
	} else {
		if (taken)
			(void)unlinkat(st->fd, name, 0);
		(void)fault_set(f, code, "%s; the evidence could not be kept",
		    was);
	}
	free(text);
	json_decref(j);
}

void
evidence_custody(const struct state *st, const char *authority,
    uint32_t chain_seen, const struct custodian *before,
    const struct answer_custody *shown, struct fault *f)
{
	int64_t now = (int64_t)time(NULL);
	json_t *j = begin(st, "custody", authority, f->text, now);

	(void)json_object_set_new(j, "chain_seen", json_integer(chain_seen));
	(void)json_object_set_new(j, "pinned", b64_or_null(before->known,
	    before->set.raw, before->set.len));
	(void)json_object_set_new(j, "announced", !before->announced ?
	    json_null() : json_pack("{s:o,s:I}", "set",
		jsontext_b64(before->next.raw, before->next.len), "first_shown",
		(json_int_t)before->first_shown));
	(void)json_object_set_new(j, "shown", json_pack("{s:o,s:o,s:o}",
	    "current", jsontext_b64(shown->current.p, shown->current.n), "sets",
	    sets_of(buf_bytes(&shown->sets)), "announced",
	    b64_or_null(shown->announced.n != 0, shown->announced.p,
		shown->announced.n)));
	keep(st, j, "custody", now, f);
}

void
evidence_chain(const struct state *st, const char *authority, uint32_t seen,
    struct bytes entries, struct fault *f)
{
	int64_t now = (int64_t)time(NULL);
	json_t *j = begin(st, "chain", authority, fault_name(f->code), now);

	(void)json_object_set_new(j, "shown", json_pack("{s:I,s:o}", "after",
	    (json_int_t)seen, "entries", entries_of(entries)));
	keep(st, j, "chain", now, f);
}

static json_t *
texts(const struct bytes *in, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		if (in[i].n != 0)
			(void)json_array_append_new(a, json_stringn(
			    (const char *)in[i].p, in[i].n));
	return a;
}

static json_t *
consistency_of(const struct evidence_log *e)
{
	json_t *a;

	if (e->consistency == NULL)
		return json_null();
	a = json_array();
	for (size_t i = 0; i < e->consistency->n; i++)
		(void)json_array_append_new(a,
		    jsontext_b64(e->consistency->hash[i].b, MERKLE_LEN));
	return json_pack("{s:I,s:o,s:o}", "size", (json_int_t)e->old, "root",
	    jsontext_b64(e->old_root->b, MERKLE_LEN), "hashes", a);
}

void
evidence_log(const struct state *st, const struct evidence_log *e,
    struct fault *f)
{
	int64_t now = (int64_t)time(NULL);
	json_t *j = begin(st, "log", e->authority, f->text, now);

	(void)json_object_set_new(j, "kind", json_string(e->kind));
	(void)json_object_set_new(j, "log", json_string(e->vkey));
	(void)json_object_set_new(j, "notes", texts(e->note, 2));
	(void)json_object_set_new(j, "consistency", consistency_of(e));
	(void)json_object_set_new(j, "proofs", texts(e->proof, 2));
	keep(st, j, "log", now, f);
}
