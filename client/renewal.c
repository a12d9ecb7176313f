// SPDX-License-Identifier: Apache-2.0
#include "client/renewal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/authority.h"
#include "client/custodian.h"
#include "client/lease.h"
#include "client/session.h"
#include "client/state.h"
#include "crypt/secret.h"

void
renewal_init(struct renewal *r, struct session *ses, const struct lease *lease)
{
	*r = (struct renewal){ .ses = ses, .lease = lease };
	(void)pthread_mutex_init(&r->lock, NULL);
}

void
renewal_wipe(struct renewal *r)
{
	secret_free(r->token);
	r->token = NULL;
	(void)pthread_mutex_destroy(&r->lock);
}

/* [custody] No key is taken from this answer, so its custody is left to the
 * next session to judge. */
static int
accept(struct renewal *r, const struct answer_session *a, struct fault *f)
{
	if (strcmp(a->depot, r->lease->depot) != 0 ||
	    memcmp(a->prefix, r->lease->prefix, ID_LEN) != 0)
		return fault_set(f, FAULT_EXPIRED, "the space has moved to "
		    "depot %s meanwhile: run the command again", a->depot);
	if (r->token == NULL)
		r->token = secret_new(LEASE_CAPABILITY_MAX + 1);
	if (r->token == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	(void)snprintf(r->token, LEASE_CAPABILITY_MAX + 1, "%s",
	    a->capability);
	return 0;
}

static int
ask(struct renewal *r, struct fault *f)
{
	struct session *s = r->ses;
	struct authority *peer defer(authority_closep) = NULL;
	struct answer_session *a = calloc(1, sizeof(*a));
	struct authority_config config = { .key = s->sign,
		.state = s->state, .wire = &s->offshore, .stop = s->stop };
	int rc;

	if (a == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	memcpy(config.signer, s->device, ID_LEN);
	rc = state_authority(s->state, &config.peer, f);
	if (rc == 0)
		rc = authority_open(&config, &peer, f);
	if (rc == 0)
		rc = authority_session(peer, &(struct authority_ask){
		    .account = s->account, .space = s->space,
		    .chain_seen = s->chain->n,
		    .custody_seen = s->custodian->set.serial }, a, f);
	if (rc == 0)
		rc = accept(r, a, f);
	answer_wipe_session(a);
	secret_wipe(a, sizeof(*a));
	free(a);
	return rc;
}

int
renewal_token(void *arg, const char *stale, char *out, size_t size,
    struct fault *f)
{
	struct renewal *r = arg;
	int rc;

	(void)pthread_mutex_lock(&r->lock);
	rc = r->why.code;
	/* Another thread may have asked meanwhile. */
	if (rc == 0 && (r->token == NULL || strcmp(r->token, stale) == 0)) {
		rc = ask(r, f);
		if (rc != 0) {
			rc = fault_add(f, rc, "the depot capability has "
			    "expired, and there is no other");
			r->why = *f;
		}
	}
	if (rc == 0)
		(void)snprintf(out, size, "%s", r->token);
	else
		*f = r->why;
	(void)pthread_mutex_unlock(&r->lock);
	return rc;
}
