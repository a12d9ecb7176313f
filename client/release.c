// SPDX-License-Identifier: Apache-2.0
#include "client/release.h"

#include <stdio.h>
#include <string.h>

#include "base/wr.h"

#define INFO "skerry release v1"
#define ADMIT "skerry admit v1"
#define RECOVERY "skerry recovery v1"

int
release_aad(const struct state_binding *b, uint32_t epoch,
    const uint8_t *device, uint8_t index, struct buf *out)
{
	struct wr w = wr_to(out);

	wr_copy(&w, b->account, ID_LEN);
	wr_copy(&w, b->space, ID_LEN);
	wr_u32(&w, epoch);
	if (device != NULL)
		wr_copy(&w, device, ID_LEN);
	if (index != 0)
		wr_u8(&w, index);
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

int
release_open(const struct state *st, const struct answer_key *k,
    uint8_t out[static KEY_LEN], struct fault *f)
{
	struct buf aad defer(buf_wipe) = buf_init(RELEASE_AAD_MAX);
	int rc = release_aad(&st->binding, k->epoch, st->device, k->index,
	    &aad);

	if (rc == 0)
		rc = hpke_open(st->box, bytes_of(INFO, strlen(INFO)),
		    buf_bytes(&aad), bytes_of(k->sealed, sizeof(k->sealed)),
		    out);
	return rc == 0 ? 0 : fault_add(f, rc, "release of epoch %u", k->epoch);
}

int
release_seal(const struct state_binding *b, const struct release_to *to,
    const uint8_t key[static KEY_LEN], uint8_t out[static ANSWER_SEALED_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(RELEASE_AAD_MAX);
	const char *info = to->device != NULL ? INFO : ADMIT;
	int rc = release_aad(b, to->epoch, to->device, to->index, &aad);

	return rc != 0 ? rc : hpke_seal(to->box, bytes_of(info, strlen(info)),
	    buf_bytes(&aad), bytes_of(key, KEY_LEN), out);
}

int
release_room(const struct chain *c, size_t more, size_t epochs,
    struct fault *f)
{
	size_t n = more;

	for (uint32_t i = 0; i < c->devices; i++)
		n += c->device[i].live && !c->device[i].recovery;
	return n * epochs <= RELEASE_SLOTS_MAX ? 0 : fault_set(f, FAULT_LIMIT,
	    "sealed custody wants a keyslot for each device and epoch, of %zu "
	    "and %zu, and has room for %d: revoke devices that are not in use",
	    n, epochs, RELEASE_SLOTS_MAX);
}

int
release_recovery(const struct state_binding *b, const struct box_pub *to,
    uint32_t epoch, const struct space_key *key,
    uint8_t out[static ANSWER_SEALED_LEN])
{
	struct buf aad defer(buf_wipe) = buf_init(RELEASE_AAD_MAX);
	int rc = release_aad(b, epoch, NULL, 0, &aad);

	return rc != 0 ? rc : hpke_seal(to, bytes_of(RECOVERY,
	    strlen(RECOVERY)), buf_bytes(&aad), bytes_of(key->b, KEY_LEN),
	    out);
}

int
release_recovered(const struct state_binding *b, const struct box_key *key,
    uint32_t epoch, const uint8_t in[static ANSWER_SEALED_LEN],
    struct space_key *out)
{
	struct buf aad defer(buf_wipe) = buf_init(RELEASE_AAD_MAX);
	int rc = release_aad(b, epoch, NULL, 0, &aad);

	return rc != 0 ? rc : hpke_open(key, bytes_of(RECOVERY,
	    strlen(RECOVERY)), buf_bytes(&aad),
	    bytes_of(in, ANSWER_SEALED_LEN), out->b);
}

int
release_begin(const struct state *st, const struct answer_session *in,
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
	out->nepochs = 0;
	return 0;
}
