// SPDX-License-Identifier: Apache-2.0
/* spec/10-names.md, "Recovery code". */
#include "crypt/recovery.h"

#include "base/rd.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"

#define UNUSED_LEN 32 /* of what comes of a code, in front */

static const char domain[] = "skerry recovery v1";

void
recovery_new(struct recovery_code *out)
{
	secret_random(out->b, sizeof(out->b));
}

void
recovery_text(const struct recovery_code *code,
    char out[static RECOVERY_TEXT_LEN + 1])
{
	papercode_text(domain, code->b, out);
}

int
recovery_parse(struct bytes text, struct recovery_code *out)
{
	return papercode_parse(domain, text, out->b);
}

int
recovery_keys(const struct recovery_code *code, struct sign_key *sign,
    struct box_key *box)
{
	uint8_t s[UNUSED_LEN + sizeof(sign->seed) + sizeof(box->b)];
	struct rd r;
	int rc;

	rc = kdf_hkdf(bytes_of(code->b, sizeof(code->b)), bytes_of(NULL, 0),
	    "skerry/1 recovery", s, sizeof(s));
	if (rc == 0) {
		r = rd_from(s, sizeof(s));
		(void)rd_take(&r, UNUSED_LEN);
		rd_copy(&r, sign->seed, sizeof(sign->seed));
		rd_copy(&r, box->b, sizeof(box->b));
		rc = rd_finish(&r);
	}
	secret_wipe(s, sizeof(s));
	return rc;
}
