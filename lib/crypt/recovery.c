// SPDX-License-Identifier: Apache-2.0
/* spec/10-names.md, "Recovery code". */
#include "crypt/recovery.h"

#include <string.h>

#include <sodium.h>

#include "base/base32.h"
#include "base/fault.h"
#include "base/rd.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"

#define UNUSED_LEN 32 /* of what comes of a code, in front */
#define GROUP 4
#define CODE_SYMBOLS BASE32_LEN(RECOVERY_LEN)
#define SYMBOLS (CODE_SYMBOLS + GROUP)

/* Base32 of the first 20 bits of the checksum. */
static void
check_group(const struct recovery_code *code, char out[static GROUP])
{
	static const char domain[] = "skerry recovery v1";
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state st;
	char symbols[BASE32_LEN(3)];

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)domain,
	    sizeof(domain) - 1);
	(void)crypto_hash_sha256_update(&st, code->b, sizeof(code->b));
	(void)crypto_hash_sha256_final(&st, hash);
	base32_encode(bytes_of(hash, 3), symbols);
	memcpy(out, symbols, GROUP);
	secret_wipe(&st, sizeof(st));
	secret_wipe(hash, sizeof(hash));
	secret_wipe(symbols, sizeof(symbols));
}

void
recovery_new(struct recovery_code *out)
{
	secret_random(out->b, sizeof(out->b));
}

void
recovery_text(const struct recovery_code *code,
    char out[static RECOVERY_TEXT_LEN + 1])
{
	char symbols[SYMBOLS];

	base32_encode(bytes_of(code->b, sizeof(code->b)), symbols);
	check_group(code, symbols + CODE_SYMBOLS);
	memset(out, '-', RECOVERY_TEXT_LEN);
	for (size_t i = 0; i < SYMBOLS; i++)
		out[i / GROUP * (GROUP + 1) + i % GROUP] = symbols[i];
	out[RECOVERY_TEXT_LEN] = '\0';
	secret_wipe(symbols, sizeof(symbols));
}

int
recovery_parse(struct bytes text, struct recovery_code *out)
{
	char symbols[SYMBOLS], check[GROUP];
	struct recovery_code code;
	int rc = base32_canonical(text, symbols, SYMBOLS);

	if (rc != 0)
		return rc;
	rc = base32_decode(bytes_of(symbols, CODE_SYMBOLS), code.b,
	    sizeof(code.b));
	if (rc == 0) {
		check_group(&code, check);
		if (!secret_equal(check, symbols + CODE_SYMBOLS, GROUP))
			rc = FAULT_SECRET;
	}
	if (rc == 0)
		*out = code;
	secret_wipe(&code, sizeof(code));
	secret_wipe(symbols, sizeof(symbols));
	secret_wipe(check, sizeof(check));
	return rc;
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
