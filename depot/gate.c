// SPDX-License-Identifier: Apache-2.0
#include "depot/gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/fault.h"
#include "crypt/hash.h"

#define SLOTS 1024 /* a token's slot is chosen by its tag */
#define SKEW 60 /* seconds; spec/40 */

/* Nobody outside can make another token of the same tag: a pseudorandom
 * function of 128 bits, under keys of this process.  It costs a tenth of
 * SHA-256, and tells no more of a token. */
struct tag {
	uint64_t half[2];
};

struct slot {
	struct tag tag; /* zero: empty */
	struct capability cap;
};

struct gate {
	struct sign_pub keys[GATE_KEYS_MAX];
	size_t nkeys;
	char depot[CAPABILITY_DEPOT_MAX + 1];
	uint8_t tag_key[2][HASH_SIP_KEY_LEN];
	pthread_mutex_t lock; /* of slots */
	struct slot slots[SLOTS];
};

struct gate *
gate_new(const struct sign_pub *keys, size_t n, const char *depot)
{
	size_t len = strlen(depot);
	struct gate *g;

	if (n > GATE_KEYS_MAX || len > CAPABILITY_DEPOT_MAX)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	memcpy(g->keys, keys, n * sizeof(*keys));
	g->nkeys = n;
	memcpy(g->depot, depot, len + 1);
	if (getrandom(g->tag_key, sizeof(g->tag_key), 0) !=
	    (ssize_t)sizeof(g->tag_key)) {
		free(g);
		return NULL;
	}
	(void)pthread_mutex_init(&g->lock, NULL);
	return g;
}

void
gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	(void)pthread_mutex_destroy(&g->lock);
	free(g);
}

static struct tag
tag_of(const struct gate *g, struct bytes token)
{
	return (struct tag){ { hash_sip(g->tag_key[0], token),
	    hash_sip(g->tag_key[1], token) } };
}

static struct slot *
slot_of(struct gate *g, struct tag tag)
{
	return &g->slots[tag.half[0] % SLOTS];
}

static int
recall(struct gate *g, struct tag tag, struct capability *out)
{
	struct slot *s = slot_of(g, tag);
	int rc = FAULT_NOT_FOUND;

	(void)pthread_mutex_lock(&g->lock);
	if (memcmp(&s->tag, &tag, sizeof(tag)) == 0) {
		*out = s->cap;
		rc = 0;
	}
	(void)pthread_mutex_unlock(&g->lock);
	return rc;
}

static void
remember(struct gate *g, struct tag tag, const struct capability *cap)
{
	struct slot *s = slot_of(g, tag);

	(void)pthread_mutex_lock(&g->lock);
	s->tag = tag;
	s->cap = *cap;
	(void)pthread_mutex_unlock(&g->lock);
}

/* The token's capability, from the slots or by its signature. */
static int
read_token(struct gate *g, struct bytes token, struct capability *out)
{
	struct tag tag = tag_of(g, token);
	int rc = FAULT_TAMPERED;

	if (recall(g, tag, out) == 0)
		return 0;
	for (size_t i = 0; i < g->nkeys && rc != 0; i++)
		rc = capability_verify(&g->keys[i], token, out);
	if (rc == 0)
		remember(g, tag, out);
	return rc;
}

enum gate_answer
gate_check(struct gate *g, const char *authorization,
    enum capability_verb verb, const uint8_t prefix[ID_LEN], int64_t now,
    uint64_t *quota_out)
{
	static const char scheme[] = "Bearer ";
	size_t n = sizeof(scheme) - 1;
	struct capability c;

	if (authorization == NULL || strncasecmp(authorization, scheme, n) != 0)
		return GATE_UNAUTHENTICATED;
	authorization += n;
	if (read_token(g, bytes_of(authorization, strlen(authorization)),
		&c) != 0)
		return GATE_UNAUTHENTICATED;
	/* Whose token it is comes before whether it is still good: a token for
	 * another depot tells nothing about this one's clock. */
	if (strcmp(c.depot, g->depot) != 0 || /* [depot] */
	    memcmp(c.prefix, prefix, ID_LEN) != 0 || (c.verbs & verb) == 0)
		return GATE_DENIED;
	if (now < c.nbf - SKEW || now - SKEW >= c.exp)
		return GATE_EXPIRED;
	*quota_out = c.quota;
	return GATE_OPEN;
}
