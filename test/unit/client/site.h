// SPDX-License-Identifier: Apache-2.0
/* A folder with a policy of its own, for tests of the local state. */
#ifndef SKERRY_TEST_CLIENT_SITE_H
#define SKERRY_TEST_CLIENT_SITE_H

#include "test/lib/cm.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "client/state.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/policy.h"
#include "test/lib/scrap.h"
#include "tlog/note.h"

struct site {
	char dir[64];      /* temporary; wiped at the end */
	char home[96];     /* in it: not made yet */
	struct sign_key key;
	struct buf policy; /* serial 2 */
	struct fault f;
};

/* The log of the policy's one authority: a/log. */
static const struct sign_key site_log_key = { { 7 } };

static inline void
site_log(char out[static NOTE_VKEY_MAX + 1])
{
	struct buf b defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	struct note_key key;
	struct sign_pub pub;

	sign_public(&site_log_key, &pub);
	if (note_key_make(bytes_of("a/log", 5), NOTE_ED25519, &pub, &key) !=
		0 || note_key_format(&key, &b) != 0)
		abort();
	(void)snprintf(out, NOTE_VKEY_MAX + 1, "%.*s", (int)b.n, b.p);
}

static inline int
site_policy(const struct sign_key *key, int serial, struct buf *out)
{
	static const char form[] =
	    "{\"v\":1,\"serial\":%d,\"issued\":1,\"authorities\":[{\"name\":"
	    "\"off\",\"jurisdiction\":\"ch\",\"url\":\"https://a\",\"ca\":"
	    "\"x\",\"intake\":"
	    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"signing\":"
	    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"log\":"
	    "\"%s\"}],\"depots\":"
	    "[{\"name\":\"on\",\"jurisdiction\":\"de\",\"url\":\"https://d\","
	    "\"ca\":\"x\"}],\"residencies\":[{\"name\":\"germany\","
	    "\"jurisdiction\":\"de\",\"depots\":[\"on\"],\"keys\":[\"ch\"]}]}";
	char text[2048], log[NOTE_VKEY_MAX + 1];
	struct fault f = { 0 };
	int n;

	site_log(log);
	n = snprintf(text, sizeof(text), form, serial, log);

	*out = buf_init(POLICY_FILE_MAX);
	return policy_sign(bytes_of(text, (size_t)n), key, out, &f);
}

static inline int
site_setup(void **state)
{
	struct site *x = calloc(1, sizeof(*x));
	struct sign_pub pub;

	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/skerry-unit-XXXXXX");
	if (secret_init() != 0 || mkdtemp(x->dir) == NULL)
		return -1;
	(void)snprintf(x->home, sizeof(x->home), "%s/a/home", x->dir);
	(void)setenv("XDG_RUNTIME_DIR", x->dir, 1);
	(void)setenv("XDG_CACHE_HOME", x->dir, 1);
	sign_new(&x->key, &pub);
	*state = x;
	return site_policy(&x->key, 2, &x->policy);
}

static inline int
site_teardown(void **state)
{
	struct site *x = *state;

	buf_wipe(&x->policy);
	(void)scrap(x->dir);
	free(x);
	return 0;
}

/* A state that is bound to a space. */
static inline struct state *
site_ready(struct site *x)
{
	struct state_binding b = { .stage = STATE_READY, .account = { 1 },
		.space = { 2 }, .authority = "off", .residency = "germany",
		.depot = "on" };
	struct state *st;

	if (state_begin(x->home, buf_bytes(&x->policy), NULL, &st,
		&x->f) != 0 ||
	    state_set_binding(st, &b, &x->f) != 0)
		return NULL;
	return st;
}

#endif
