// SPDX-License-Identifier: Apache-2.0
/*
 * Reading, checking and signing of the policy: spec/50-authority.md, Policy.
 * The rules of residency are checked on every load: a policy under which data
 * and its keys could be in one jurisdiction does not exist for its reader.
 */
#include "net/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "crypt/paseto.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/text.h"
#include "object/custody.h"

#define ITEMS_MAX 1024
#define TEXT_MAX 16384
#define KEY_LINE 44 /* base64 of 32 bytes */
#define DELAY_MAX (366 * 86400)

static int
malformed(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_MALFORMED, "policy: %s", what);
}

/* What is being read, for whom it is wrong. */
struct spot {
	const char *list;
	size_t item; /* from 1 on; 0: the list itself */
	const char *wanted;
	json_error_t json;
};

static int
spot_fault(const struct spot *at, int rc, struct fault *f)
{
	const char *why = rc == FAULT_MALFORMED ? at->wanted : fault_text(rc);

	return at->item == 0 ?
	    fault_set(f, rc, "policy: %s: %s", at->list, why) :
	    fault_set(f, rc, "policy: %s, number %zu: %s", at->list, at->item,
		why);
}

static void
json_freep(json_t **j)
{
	json_decref(*j);
}

bool
policy_name_ok(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 64 && s[0] != '.' && s[0] != '-' &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == n;
}

/* ISO 3166-1 alpha-2, lower case. */
static bool
jurisdiction_ok(const char *s)
{
	return strlen(s) == 2 &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz") == 2;
}

static bool
url_ok(const char *s)
{
	return strncmp(s, "https://", 8) == 0 && s[8] != '\0' &&
	    strlen(s) <= 512 && strpbrk(s + 8, "/ \t\r\n\"\\@") == NULL;
}

static int
text_dup(const char *s, bool ok, char **out)
{
	if (!ok || strlen(s) > TEXT_MAX)
		return FAULT_MALFORMED;
	*out = strdup(s);
	return *out == NULL ? FAULT_MEMORY : 0;
}

/* An array of n items, zeroed; *n is set only with it. */
static int
array_new(const json_t *a, size_t size, void *out, size_t *n)
{
	size_t k = json_array_size(a);
	void *p;

	if (!json_is_array(a) || k == 0 || k > ITEMS_MAX)
		return FAULT_MALFORMED;
	p = calloc(k, size);
	if (p == NULL)
		return FAULT_MEMORY;
	memcpy(out, &p, sizeof(p));
	*n = k;
	return 0;
}

static int
place_read(const char *const in[4], char **out[4], struct spot *at)
{
	static const char *const wanted[4] = {
		"name: up to 64 of a-z 0-9 . - _ are wanted",
		"jurisdiction: two lower-case letters are wanted",
		"url: https://host[:port] is wanted",
		"ca: a certificate in PEM is wanted" };
	const bool ok[4] = { policy_name_ok(in[0]), jurisdiction_ok(in[1]),
		url_ok(in[2]), in[3][0] != '\0' };

	for (int i = 0; i < 4; i++) {
		int rc = text_dup(in[i], ok[i], out[i]);

		at->wanted = wanted[i];
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Until it says something else, what jansson finds. */
static void
item_begin(struct spot *at, size_t i)
{
	at->item = i + 1;
	at->wanted = at->json.text;
}

static int
name_taken(const char *name, const char *other, struct spot *at)
{
	if (strcmp(name, other) != 0)
		return 0;
	at->wanted = "its name is that of another";
	return FAULT_MALFORMED;
}

static int
authorities_read(const json_t *a, struct policy *p, struct spot *at)
{
	int rc = array_new(a, sizeof(*p->authorities), &p->authorities,
	    &p->nauthorities);

	for (size_t i = 0; rc == 0 && i < p->nauthorities; i++) {
		struct policy_authority *x = &p->authorities[i];
		const char *t[4], *intake, *signing, *log;

		item_begin(at, i);
		if (json_unpack_ex(json_array_get(a, i), &at->json, JSON_STRICT,
		        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", &t[0],
		        "jurisdiction", &t[1], "url", &t[2], "ca", &t[3],
		        "intake", &intake, "signing", &signing, "log",
		        &log) != 0)
			return FAULT_MALFORMED;
		rc = place_read(t, (char **[4]){ &x->name, &x->jurisdiction,
		    &x->url, &x->ca }, at);
		if (rc == 0)
			at->wanted = "intake, signing: 32 bytes in base64 are "
			    "wanted, log: a verifier key, each as skerry-"
			    "authority public prints it";
		if (rc == 0)
			rc = text_b64_parse(intake, strlen(intake),
			    x->intake.b, sizeof(x->intake.b));
		if (rc == 0)
			rc = text_b64_parse(signing, strlen(signing),
			    x->signing.b, sizeof(x->signing.b));
		if (rc == 0)
			rc = note_key_parse(bytes_of(log, strlen(log)),
			    &x->log);
		if (rc == 0 && x->log.type != NOTE_ED25519)
			rc = FAULT_MALFORMED;
		for (size_t k = 0; rc == 0 && k < i; k++)
			rc = name_taken(x->name, p->authorities[k].name, at);
	}
	return rc;
}

static int
depots_read(const json_t *a, struct policy *p, struct spot *at)
{
	int rc = array_new(a, sizeof(*p->depots), &p->depots, &p->ndepots);

	for (size_t i = 0; rc == 0 && i < p->ndepots; i++) {
		struct policy_depot *x = &p->depots[i];
		const char *t[4];

		item_begin(at, i);
		if (json_unpack_ex(json_array_get(a, i), &at->json, JSON_STRICT,
		        "{s:s,s:s,s:s,s:s}", "name", &t[0], "jurisdiction",
		        &t[1], "url", &t[2], "ca", &t[3]) != 0)
			return FAULT_MALFORMED;
		rc = place_read(t, (char **[4]){ &x->name, &x->jurisdiction,
		    &x->url, &x->ca }, at);
		for (size_t k = 0; rc == 0 && k < i; k++)
			rc = name_taken(x->name, p->depots[k].name, at);
	}
	return rc;
}

static int
texts_read(const json_t *a, bool (*ok)(const char *), char ***out, size_t *n)
{
	int rc = array_new(a, sizeof(**out), out, n);

	for (size_t i = 0; rc == 0 && i < *n; i++) {
		const char *s = json_string_value(json_array_get(a, i));

		rc = s == NULL ? FAULT_MALFORMED :
		                 text_dup(s, ok(s), &(*out)[i]);
		for (size_t k = 0; rc == 0 && k < i; k++)
			if (strcmp(s, (*out)[k]) == 0)
				rc = FAULT_MALFORMED;
	}
	return rc;
}

static int
residencies_read(const json_t *a, struct policy *p, struct spot *at)
{
	int rc = array_new(a, sizeof(*p->residencies), &p->residencies,
	    &p->nresidencies);

	for (size_t i = 0; rc == 0 && i < p->nresidencies; i++) {
		struct policy_residency *x = &p->residencies[i];
		const char *name, *where;
		json_t *depots, *keys;

		item_begin(at, i);
		if (json_unpack_ex(json_array_get(a, i), &at->json, JSON_STRICT,
		        "{s:s,s:s,s:o,s:o}", "name", &name, "jurisdiction",
		        &where, "depots", &depots, "keys", &keys) != 0)
			return FAULT_MALFORMED;
		at->wanted = "name: up to 64 of a-z 0-9 . - _ are wanted; "
		    "jurisdiction and keys: two lower-case letters each; "
		    "depots: names; no list is empty or has one twice";
		rc = text_dup(name, policy_name_ok(name), &x->name);
		if (rc == 0)
			rc = text_dup(where, jurisdiction_ok(where),
			    &x->jurisdiction);
		if (rc == 0)
			rc = texts_read(depots, policy_name_ok, &x->depots,
			    &x->ndepots);
		if (rc == 0)
			rc = texts_read(keys, jurisdiction_ok, &x->keys,
			    &x->nkeys);
		for (size_t k = 0; rc == 0 && k < i; k++)
			rc = name_taken(x->name, p->residencies[k].name, at);
	}
	return rc;
}

static bool
same_log(const struct note_key *a, const struct note_key *b)
{
	return strcmp(a->name, b->name) == 0 &&
	    memcmp(&a->pub, &b->pub, sizeof(a->pub)) == 0;
}

static bool
trusts(const struct trust *t, const struct note_key *log)
{
	for (size_t i = 0; i < t->nlogs; i++)
		if (same_log(&t->log[i].key, log))
			return true;
	return false;
}

static bool
kept(const struct policy *p, const struct note_key *log)
{
	for (size_t i = 0; i < p->nauthorities; i++)
		if (same_log(&p->authorities[i].log, log))
			return true;
	return false;
}

/* The trust file that a policy without one stands for. */
static int
trust_default(const struct policy *p, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->nauthorities; i++) {
		const struct note_key *log = &p->authorities[i].log;
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= same_log(&p->authorities[k].log, log);
		if (again)
			continue;
		rc = buf_append(out, "log ", 4);
		if (rc == 0)
			rc = note_key_format(log, out);
		if (rc == 0)
			rc = buf_append(out, "\n", 1);
	}
	return rc != 0 ? rc : buf_append(out, "quorum none\n", 12);
}

/* [authority] Its logs are those of the authorities, all of them and no other:
 * what it says of witnesses is then said of every release. */
static int
trust_read(const char *text, struct policy *p, struct fault *f)
{
	struct buf own defer(buf_wipe) = buf_init(TRUST_FILE_MAX);
	struct bytes file = { 0 };
	unsigned line = 0;
	int rc = 0;

	if (text != NULL)
		file = bytes_of(text, strlen(text));
	else
		rc = trust_default(p, &own);
	if (rc == 0)
		rc = trust_parse(text != NULL ? file : buf_bytes(&own),
		    &p->trust, &line);
	if (rc == FAULT_LIMIT && text == NULL)
		return fault_set(f, rc, "policy: its %zu authorities keep more "
		    "than %d logs", p->nauthorities, TRUST_LOGS_MAX);
	if (rc != 0)
		return fault_set(f, rc, "policy: trust: line %u: %s", line,
		    rc == FAULT_LIMIT ? "too long, or more than 32 logs, 64 "
					"witnesses or 64 groups" :
					fault_text(rc));
	for (size_t i = 0; i < p->nauthorities; i++)
		if (!trusts(p->trust, &p->authorities[i].log))
			return fault_set(f, FAULT_CONFIG,
			    "policy: trust: it has not the log of authority "
			    "%s", p->authorities[i].name);
	for (size_t i = 0; i < p->trust->nlogs; i++)
		if (!kept(p, &p->trust->log[i].key))
			return fault_set(f, FAULT_CONFIG,
			    "policy: trust: no authority keeps the log %s",
			    p->trust->log[i].key.name);
	return 0;
}

/* [authority] A policy that breaks this does not load. */
static int
residency_check(const struct policy *p, const struct policy_residency *r,
    struct fault *f)
{
	bool served = false;

	for (size_t i = 0; i < r->ndepots; i++) {
		const struct policy_depot *d = policy_find_depot(p,
		    r->depots[i]);

		if (d == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "policy: residency %s: depot %s is not defined",
			    r->name, r->depots[i]);
		if (strcmp(d->jurisdiction, r->jurisdiction) != 0)
			return fault_set(f, FAULT_CONFIG,
			    "policy: residency %s: depot %s is in %s, the data "
			    "must be in %s", r->name, d->name,
			    d->jurisdiction, r->jurisdiction);
	}
	for (size_t i = 0; i < r->nkeys; i++) {
		if (strcmp(r->keys[i], r->jurisdiction) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "policy: residency %s: its keys may be in %s, "
			    "where its data is", r->name, r->keys[i]);
		for (size_t k = 0; k < p->nauthorities; k++)
			served |= strcmp(r->keys[i],
			    p->authorities[k].jurisdiction) == 0;
	}
	if (!served)
		return fault_set(f, FAULT_CONFIG,
		    "policy: residency %s: no authority is where its keys "
		    "may be", r->name);
	return 0;
}

static int
policy_read(struct bytes json, struct policy **out, json_t **tree,
    struct fault *f)
{
	static const char list_wanted[] = "a list that is not empty is wanted";
	json_error_t e = { 0 };
	json_t *j defer(json_freep) = json_loadb((const char *)json.p, json.n,
	    JSON_REJECT_DUPLICATES, &e);
	struct spot at;
	struct policy *p defer(policy_freep) = calloc(1, sizeof(*p));
	json_t *authorities, *depots, *residencies;
	const char *trust = NULL;
	json_int_t v, serial, issued, delay = CUSTODY_DELAY;
	int rc;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "policy: out of memory");
	if (j == NULL)
		return fault_set(f, FAULT_MALFORMED, "policy: line %d: %s",
		    e.line, e.text);
	if (!json_is_object(j) || json_unpack(j, "{s:I}", "v", &v) != 0)
		return malformed(f, "not a JSON object with a version");
	if (v != 1)
		return fault_set(f, FAULT_VERSION,
		    "policy: version is not known to this release");
	if (json_unpack_ex(j, &e, JSON_STRICT,
	        "{s:I,s:I,s:I,s:o,s:o,s:o,s?I,s?s}", "v", &v, "serial",
	        &serial, "issued", &issued, "authorities", &authorities,
	        "depots", &depots, "residencies", &residencies,
	        "custody_delay", &delay, "trust", &trust) != 0)
		return malformed(f, e.text);
	if (serial < 1 || issued < 0 || delay < 1 || delay > DELAY_MAX)
		return malformed(f, "serial from 1 on, issued not below 0 and "
		    "custody_delay of 1 to 31622400 seconds are wanted");
	p->serial = (uint64_t)serial;
	p->issued = issued;
	p->custody_delay = delay;
	at = (struct spot){ .list = "authorities", .wanted = list_wanted };
	rc = authorities_read(authorities, p, &at);
	if (rc == 0) {
		at = (struct spot){ .list = "depots", .wanted = list_wanted };
		rc = depots_read(depots, p, &at);
	}
	if (rc == 0) {
		at = (struct spot){ .list = "residencies",
			.wanted = list_wanted };
		rc = residencies_read(residencies, p, &at);
	}
	if (rc != 0)
		return spot_fault(&at, rc, f);
	for (size_t i = 0; rc == 0 && i < p->nresidencies; i++)
		rc = residency_check(p, &p->residencies[i], f);
	if (rc == 0)
		rc = trust_read(trust, p, f);
	if (rc != 0)
		return rc;
	if (tree != NULL)
		*tree = take(j);
	*out = take(p);
	return 0;
}

int
policy_load(struct bytes file, const struct sign_pub *signer,
    struct policy **out, struct fault *f)
{
	struct buf payload defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p defer(policy_freep) = NULL;
	struct sign_pub pub;
	struct bytes token;
	int rc;

	if (file.n > POLICY_FILE_MAX)
		return fault_set(f, FAULT_LIMIT, "policy: over %d bytes",
		    POLICY_FILE_MAX);
	if (file.n < KEY_LINE + 3 || file.p[KEY_LINE] != '\n' ||
	    file.p[file.n - 1] != '\n' ||
	    text_b64_parse((const char *)file.p, KEY_LINE, pub.b,
	        sizeof(pub.b)) != 0)
		return malformed(f, "not a signed policy");
	if (signer != NULL && !secret_equal(signer, &pub, sizeof(pub)))
		return fault_set(f, FAULT_TRUST,
		    "policy: signed by another key than the one that is "
		    "pinned or given");
	token = bytes_of(file.p + KEY_LINE + 1, file.n - KEY_LINE - 2);
	if (memchr(token.p, '\n', token.n) != NULL)
		return malformed(f, "not two lines");
	rc = paseto_verify(&pub, token, &payload);
	if (rc != 0)
		return fault_set(f, rc, "policy: signature: %s",
		    fault_text(rc));
	rc = policy_read(buf_bytes(&payload), &p, NULL, f);
	if (rc != 0)
		return rc;
	p->signer = pub;
	*out = take(p);
	return 0;
}

int
policy_sign(struct bytes json, const struct sign_key *key, struct buf *out,
    struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p defer(policy_freep) = NULL;
	json_t *tree defer(json_freep) = NULL;
	char line[KEY_LINE + 1], *text;
	struct sign_pub pub;
	int rc;

	if (json.n > POLICY_FILE_MAX)
		return fault_set(f, FAULT_LIMIT, "policy: over %d bytes",
		    POLICY_FILE_MAX);
	rc = policy_read(json, &p, &tree, f);
	if (rc != 0)
		return rc;
	sign_public(key, &pub);
	text_b64(pub.b, sizeof(pub.b), line, sizeof(line));
	text = json_dumps(tree, JSON_COMPACT);
	if (text == NULL)
		return fault_set(f, FAULT_MEMORY, "policy: out of memory");
	rc = buf_append(&file, line, KEY_LINE);
	if (rc == 0)
		rc = buf_append(&file, "\n", 1);
	if (rc == 0)
		rc = paseto_sign(key, bytes_of(text, strlen(text)), &file);
	free(text);
	if (rc == 0)
		rc = buf_append(&file, "\n", 1);
	if (rc == 0)
		rc = buf_append(out, file.p, file.n);
	if (rc != 0)
		return fault_set(f, rc, "policy: signing: %s", fault_text(rc));
	return 0;
}

static void
texts_free(char **t, size_t n)
{
	for (size_t i = 0; t != NULL && i < n; i++)
		free(t[i]);
	free(t);
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nauthorities; i++) {
		free(p->authorities[i].name);
		free(p->authorities[i].jurisdiction);
		free(p->authorities[i].url);
		free(p->authorities[i].ca);
	}
	for (size_t i = 0; i < p->ndepots; i++) {
		free(p->depots[i].name);
		free(p->depots[i].jurisdiction);
		free(p->depots[i].url);
		free(p->depots[i].ca);
	}
	for (size_t i = 0; i < p->nresidencies; i++) {
		struct policy_residency *r = &p->residencies[i];

		free(r->name);
		free(r->jurisdiction);
		texts_free(r->depots, r->ndepots);
		texts_free(r->keys, r->nkeys);
	}
	free(p->authorities);
	free(p->depots);
	free(p->residencies);
	free(p->trust);
	free(p);
}

void
policy_freep(struct policy **p)
{
	policy_free(*p);
}

const struct policy_authority *
policy_find_authority(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->nauthorities; i++)
		if (strcmp(p->authorities[i].name, name) == 0)
			return &p->authorities[i];
	return NULL;
}

void
policy_authority_names(const struct policy *p, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < p->nauthorities && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    i > 0 ? ", " : "", p->authorities[i].name);
}

const struct policy_authority *
policy_find_signing(const struct policy *p, const struct sign_pub *signing)
{
	for (size_t i = 0; i < p->nauthorities; i++)
		if (memcmp(&p->authorities[i].signing, signing,
		        sizeof(*signing)) == 0)
			return &p->authorities[i];
	return NULL;
}

const struct policy_depot *
policy_find_depot(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->ndepots; i++)
		if (strcmp(p->depots[i].name, name) == 0)
			return &p->depots[i];
	return NULL;
}

const struct policy_residency *
policy_find_residency(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->nresidencies; i++)
		if (strcmp(p->residencies[i].name, name) == 0)
			return &p->residencies[i];
	return NULL;
}

bool
policy_allows(const struct policy_residency *r, const char *depot)
{
	for (size_t i = 0; i < r->ndepots; i++)
		if (strcmp(r->depots[i], depot) == 0)
			return true;
	return false;
}

bool
policy_keys_in(const struct policy_residency *r, const char *jurisdiction)
{
	for (size_t i = 0; i < r->nkeys; i++)
		if (strcmp(r->keys[i], jurisdiction) == 0)
			return true;
	return false;
}
