// SPDX-License-Identifier: Apache-2.0
/* spec/10-names.md, "Invitation". */
#include "crypt/invitation.h"

#include <string.h>

#include "crypt/hash.h"
#include "crypt/secret.h"

static const char domain[] = "skerry invitation v1";
static const char at_rest[] = "skerry invitation v1 at rest";

void
invitation_new(struct invitation *out)
{
	secret_random(out->b, sizeof(out->b));
}

void
invitation_text(const struct invitation *in,
    char out[static INVITATION_TEXT_LEN + 1])
{
	papercode_text(domain, in->b, out);
}

int
invitation_parse(struct bytes text, struct invitation *out)
{
	return papercode_parse(domain, text, out->b);
}

void
invitation_hash(const struct invitation *in,
    uint8_t out[static INVITATION_HASH_LEN])
{
	const struct bytes part[] = { bytes_of(at_rest, strlen(at_rest)),
		bytes_of(in->b, sizeof(in->b)) };

	hash_sha256(part, ARRAY_LEN(part), out);
}
