// SPDX-License-Identifier: Apache-2.0
#include "client/release.h"

#include <stdio.h>
#include <string.h>

#include "base/wr.h"

#define INFO "skerry release v1"

int
release_aad(const struct state_binding *b, uint32_t epoch,
    const uint8_t *device, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_copy(&w, b->account, ID_LEN);
	wr_copy(&w, b->space, ID_LEN);
	wr_u32(&w, epoch);
	if (device != NULL)
		wr_copy(&w, device, ID_LEN);
	return wr_finish(&w);
}

int
release_depot(const struct state *st, const char *name,
    const struct policy_depot **out, struct fault *f)
{
	const struct policy_residency *r = policy_find_residency(st->policy,
	    st->binding.residency);
	const struct policy_depot *d = policy_find_depot(st->policy, name);

	/* Whoever else names a depot: the pinned policy has the last word. */
	if (r == NULL || d == NULL || !policy_allows(r, name))
		return fault_set(f, FAULT_TRUST,
		    "depot %s: residency %s does not allow it", name,
		    st->binding.residency);
	*out = d;
	return 0;
}

static int
open_key(const struct state *st, const struct answer_key *k,
    struct space_key *out, struct fault *f)
{
	struct buf aad defer(buf_wipe) = buf_init(RELEASE_AAD_MAX);
	int rc = release_aad(&st->binding, k->epoch, st->device, &aad);

	if (rc == 0)
		rc = hpke_open(st->box, bytes_of(INFO, strlen(INFO)),
		    buf_bytes(&aad), bytes_of(k->sealed, sizeof(k->sealed)),
		    out->b);
	return rc == 0 ? 0 : fault_add(f, rc, "release of epoch %u", k->epoch);
}

int
release_open(const struct state *st, const struct answer_session *in,
    struct lease *out, struct fault *f)
{
	const struct policy_depot *d;
	int rc = release_depot(st, in->depot, &d, f);

	if (rc != 0)
		return rc;
	memcpy(out->account, st->binding.account, ID_LEN);
	memcpy(out->space, st->binding.space, ID_LEN);
	memcpy(out->device, st->device, ID_LEN);
	memcpy(out->prefix, in->prefix, ID_LEN);
	out->seconds = in->lease;
	(void)snprintf(out->depot, sizeof(out->depot), "%s", in->depot);
	(void)snprintf(out->capability, sizeof(out->capability), "%s",
	    in->capability);
	for (size_t i = 0; rc == 0 && i < in->nkeys; i++) {
		out->epoch[i] = in->key[i].epoch;
		rc = open_key(st, &in->key[i], &out->key[i], f);
	}
	out->nepochs = (uint16_t)in->nkeys;
	return rc;
}
