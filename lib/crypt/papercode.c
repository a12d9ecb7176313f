// SPDX-License-Identifier: Apache-2.0
#include "crypt/papercode.h"

#include <string.h>

#include <sodium.h>

#include "base/base32.h"
#include "base/fault.h"
#include "crypt/secret.h"

#define GROUP 4
#define CODE_SYMBOLS BASE32_LEN(PAPERCODE_LEN)
#define SYMBOLS (CODE_SYMBOLS + GROUP)

/* Base32 of the first 20 bits of the checksum. */
static void
check_group(const char *domain, const uint8_t code[static PAPERCODE_LEN],
    char out[static GROUP])
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state st;
	char symbols[BASE32_LEN(3)];

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)domain,
	    strlen(domain));
	(void)crypto_hash_sha256_update(&st, code, PAPERCODE_LEN);
	(void)crypto_hash_sha256_final(&st, hash);
	base32_encode(bytes_of(hash, 3), symbols);
	memcpy(out, symbols, GROUP);
	secret_wipe(&st, sizeof(st));
	secret_wipe(hash, sizeof(hash));
	secret_wipe(symbols, sizeof(symbols));
}

void
papercode_text(const char *domain, const uint8_t code[static PAPERCODE_LEN],
    char out[static PAPERCODE_TEXT_LEN + 1])
{
	char symbols[SYMBOLS];

	base32_encode(bytes_of(code, PAPERCODE_LEN), symbols);
	check_group(domain, code, symbols + CODE_SYMBOLS);
	memset(out, '-', PAPERCODE_TEXT_LEN);
	for (size_t i = 0; i < SYMBOLS; i++)
		out[i / GROUP * (GROUP + 1) + i % GROUP] = symbols[i];
	out[PAPERCODE_TEXT_LEN] = '\0';
	secret_wipe(symbols, sizeof(symbols));
}

int
papercode_parse(const char *domain, struct bytes text,
    uint8_t out[static PAPERCODE_LEN])
{
	char symbols[SYMBOLS], check[GROUP];
	uint8_t code[PAPERCODE_LEN];
	int rc = base32_canonical(text, symbols, SYMBOLS);

	if (rc != 0)
		return rc;
	rc = base32_decode(bytes_of(symbols, CODE_SYMBOLS), code,
	    sizeof(code));
	if (rc == 0) {
		check_group(domain, code, check);
		if (!secret_equal(check, symbols + CODE_SYMBOLS, GROUP))
			rc = FAULT_SECRET;
	}
	if (rc == 0)
		memcpy(out, code, sizeof(code));
	secret_wipe(code, sizeof(code));
	secret_wipe(symbols, sizeof(symbols));
	secret_wipe(check, sizeof(check));
	return rc;
}
