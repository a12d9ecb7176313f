// SPDX-License-Identifier: Apache-2.0
/* Wraps and unwraps of space keys a second: keyfile against token (SoftHSM),
 * both mechanisms, one process, five rounds each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authority/keystore_pkcs11.h"
#include "crypt/secret.h"
#include "test/lib/softtoken.h"

#define ROUNDS 5
#define N 10000

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(const char *name, const char *what, double *rate)
{
	qsort(rate, ROUNDS, sizeof(*rate), compare);
	(void)printf("%-24s %-8s %8.0f /s  (%.0f .. %.0f)\n", name, what,
	    rate[ROUNDS / 2], rate[0], rate[ROUNDS - 1]);
}

static int
measure(const char *name, struct keystore *ks)
{
	static const uint8_t aad[62];
	const struct bytes of = bytes_of(aad, sizeof(aad));
	double wraps[ROUNDS], unwraps[ROUNDS];
	struct space_key key = { { 1 } };
	uint8_t slot[WRAP_LEN];

	for (int r = 0; r < ROUNDS; r++) {
		double t = now();

		for (int i = 0; i < N; i++)
			if (ks->wrap(ks, of, &key, slot) != 0)
				return 1;
		wraps[r] = N / (now() - t);
		t = now();
		for (int i = 0; i < N; i++)
			if (ks->unwrap(ks, of, slot, &key) != 0)
				return 1;
		unwraps[r] = N / (now() - t);
	}
	report(name, "wrap", wraps);
	report(name, "unwrap", unwraps);
	return 0;
}

static int
bench_file(struct fault *f)
{
	static const struct keystore_file_cost cheap = { 1, 8192 };
	struct keystore *ks defer(keystore_closep) = NULL;
	uint8_t file[KEYSTORE_FILE_LEN];
	const struct keystore_config c = { .kind = "file",
		.keyfile = bytes_of(file, sizeof(file)),
		.passphrase = bytes_of("p", 1) };
	struct keystore_public pub;

	if (keystore_file_make(c.passphrase, &cheap, file, &pub) != 0 ||
	    keystore_open(&c, &ks, f) != 0)
		return 1;
	return measure("keyfile", ks);
}

static int
bench_token(const char *name, bool key_wrap, struct fault *f)
{
	struct keystore *ks defer(keystore_closep) = NULL;
	uint8_t file[KEYSTORE_PKCS11_LEN];
	const struct keystore_config c = { .kind = "pkcs11",
		.keyfile = bytes_of(file, sizeof(file)),
		.passphrase = bytes_of(SOFTTOKEN_PIN, strlen(SOFTTOKEN_PIN)),
		.token = { .module = SOFTTOKEN_MODULE, .label = SOFTTOKEN_LABEL,
			.key = name, .key_wrap = key_wrap } };
	struct keystore_public pub;

	if (keystore_pkcs11_make(&c.token, c.passphrase, file, &pub, f) != 0 ||
	    keystore_open(&c, &ks, f) != 0)
		return 1;
	return measure(name, ks);
}

int
main(void)
{
	struct fault f = { 0 };
	char dir[64];
	int rc;

	if (secret_init() != 0 || !softtoken_make(dir)) {
		(void)fprintf(stderr, "bench_keystore: SoftHSM is wanted\n");
		return 1;
	}
	rc = bench_file(&f) != 0 || bench_token("token aes-gcm", false, &f) ||
	    bench_token("token aes-key-wrap-pad", true, &f);
	if (rc != 0)
		(void)fprintf(stderr, "bench_keystore: %s\n", f.text);
	softtoken_remove(dir);
	return rc;
}
