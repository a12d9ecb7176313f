// SPDX-License-Identifier: Apache-2.0
#include "object/ref.h"

#include <assert.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/secret.h"

void
ref_read(struct rd *r, struct ref *out)
{
	place_read(r, &out->place);
	out->plain_len = rd_u32(r);
	rd_copy(r, out->key.b, KEY_LEN);
	rd_copy(r, out->hash, HASH_LEN);
	/* [pack]: no codec makes the content longer */
	rd_require(r, out->plain_len >= 1 && out->plain_len <= COMMIT_MAX &&
	    out->place.length <= out->plain_len + SEAL_OVERHEAD);
}

void
ref_write(struct wr *w, const struct ref *ref)
{
	place_write(w, &ref->place);
	wr_u32(w, ref->plain_len);
	wr_copy(w, ref->key.b, KEY_LEN);
	wr_copy(w, ref->hash, HASH_LEN);
}

int
ref_decode(struct bytes in, struct ref *out)
{
	struct rd r = rd_from(in.p, in.n);
	struct ref ref;
	int rc;

	ref_read(&r, &ref);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = ref;
	secret_wipe(&ref, sizeof(ref));
	return rc;
}

void
ref_encode(const struct ref *ref, uint8_t out[static REF_LEN])
{
	struct buf b = { .p = out, .cap = REF_LEN, .max = REF_LEN };
	struct wr w = wr_to(&b);

	ref_write(&w, ref);
	assert(wr_finish(&w) == 0 && b.n == REF_LEN);
}
