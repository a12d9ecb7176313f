// SPDX-License-Identifier: Apache-2.0
/* The provider beside OpenSSL's own, in the order of calls that libssl uses. */
#include "test/lib/cm.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/attr.h"
#include "crypt/bulk.h"
#include "crypt/records.h"
#include "crypt/secret.h"
#include "crypt/window.h"
#include "test/lib/fixedrandom.h"

#define KEY_LEN 32
#define NONCE_LEN 12
#define TAG_LEN 16
#define RECORD_MAX 16640

struct record {
	uint8_t nonce[NONCE_LEN];
	uint8_t head[5];
	uint8_t body[RECORD_MAX];
	uint8_t tag[TAG_LEN];
	size_t n;
};

static EVP_CIPHER *own, *ours; /* the same where the machine has no VAES */

/* What libssl would get now, by the name that it asks for. */
static EVP_CIPHER *
preferred(void)
{
	return EVP_CIPHER_fetch(NULL, "id-aes256-GCM", NULL);
}

static bool
is_own(const EVP_CIPHER *c)
{
	return EVP_CIPHER_get0_provider(c) == EVP_CIPHER_get0_provider(own);
}

static int
fetch(void **state)
{
	(void)state;
	own = EVP_CIPHER_fetch(NULL, "AES-256-GCM", "provider=default");
	if (fixedrandom_use() != 0 || setenv("SKERRY_BULK", "openssl", 1) != 0)
		return -1;
	records_accelerate();
	ours = preferred();
	if (own == NULL || ours == NULL || !is_own(ours))
		return -1;
	EVP_CIPHER_free(ours);
	if (unsetenv("SKERRY_BULK") != 0)
		return -1;
	records_accelerate();
	ours = preferred();
	return ours == NULL;
}

/* The search for cuts needs VAES, too. */
static void
takes_place_where_it_can(void **state)
{
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_IPSEC_MB);

	(void)state;
	if (b != NULL && window_usable(WINDOW_AVX512))
		assert_false(is_own(ours));
}

static int
let_go(void **state)
{
	(void)state;
	EVP_CIPHER_free(own);
	EVP_CIPHER_free(ours);
	return 0;
}

static void
leaves_the_rest_to_the_other(void **state)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	EVP_MD *m = EVP_MD_fetch(NULL, "SHA2-256", NULL);

	(void)state;
	assert_non_null(c);
	assert_non_null(m);
	EVP_CIPHER_free(c);
	EVP_MD_free(m);
}

static EVP_CIPHER_CTX *
with_key(const EVP_CIPHER *cipher, const uint8_t key[static KEY_LEN],
    int sealing)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	assert_non_null(c);
	assert_int_equal(EVP_CipherInit_ex(c, cipher, NULL, NULL, NULL,
			     sealing),
	    1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN,
			     NONCE_LEN, NULL),
	    1);
	assert_int_equal(EVP_CipherInit_ex(c, NULL, NULL, key, NULL, sealing),
	    1);
	return c;
}

/* The body in place; pieces: how many calls it comes in. */
static int
pass(EVP_CIPHER_CTX *c, struct record *r, int sealing, size_t pieces)
{
	size_t at = 0;
	int n;

	if (EVP_CipherInit_ex(c, NULL, NULL, NULL, r->nonce, sealing) != 1)
		return 0;
	if (!sealing &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, r->tag) !=
	        1)
		return 0;
	if (EVP_CipherUpdate(c, NULL, &n, r->head, sizeof(r->head)) != 1)
		return 0;
	for (size_t i = 1; i <= pieces; i++) {
		size_t to = r->n * i / pieces;

		if (EVP_CipherUpdate(c, r->body + at, &n, r->body + at,
			(int)(to - at)) != 1)
			return 0;
		assert_int_equal(n, to - at);
		at = to;
	}
	if (EVP_CipherFinal_ex(c, r->body + at, &n) != 1)
		return 0;
	assert_int_equal(n, 0);
	return !sealing ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, r->tag) ==
	        1;
}

static void
random_record(struct record *r, size_t n)
{
	secret_random(r, sizeof(*r));
	r->n = n;
}

static void
gives_the_bytes_of_the_other(void **state)
{
	static const size_t len[] = { 0, 1, 15, 16, 17, 255, 256, 257, 1000,
		4096, 16384, 16401, RECORD_MAX };
	static struct record a, b;
	uint8_t key[KEY_LEN];
	EVP_CIPHER_CTX *seal[2], *open[2];

	(void)state;
	secret_random(key, sizeof(key));
	for (int i = 0; i < 2; i++) {
		seal[i] = with_key(i == 0 ? own : ours, key, 1);
		open[i] = with_key(i == 0 ? own : ours, key, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(len); i++) {
		static struct record plain;

		random_record(&plain, len[i]);
		a = b = plain;
		assert_int_equal(pass(seal[0], &a, 1, 1), 1);
		assert_int_equal(pass(seal[1], &b, 1, 1 + i % 3), 1);
		assert_memory_equal(a.body, b.body, a.n);
		assert_memory_equal(a.tag, b.tag, TAG_LEN);
		assert_int_equal(pass(open[0], &b, 0, 1), 1);
		assert_int_equal(pass(open[1], &a, 0, 1 + i % 4), 1);
		assert_memory_equal(a.body, plain.body, a.n);
		assert_memory_equal(b.body, plain.body, a.n);
	}
	for (int i = 0; i < 2; i++) {
		EVP_CIPHER_CTX_free(seal[i]);
		EVP_CIPHER_CTX_free(open[i]);
	}
}

static void
refuses_what_was_changed(void **state)
{
	static struct record sealed, r;
	uint8_t key[KEY_LEN];
	EVP_CIPHER_CTX *seal, *open;

	(void)state;
	secret_random(key, sizeof(key));
	seal = with_key(ours, key, 1);
	open = with_key(ours, key, 0);
	random_record(&sealed, 333);
	assert_int_equal(pass(seal, &sealed, 1, 1), 1);
	for (int i = 0; i < 5; i++) {
		r = sealed;
		switch (i) {
		case 0: r.nonce[11] ^= 1; break;
		case 1: r.head[4] ^= 1; break;
		case 2: r.body[332] ^= 1; break;
		case 3: r.tag[15] ^= 1; break;
		default: r.n--; break;
		}
		assert_int_equal(pass(open, &r, 0, 1), 0);
	}
	r = sealed;
	assert_int_equal(pass(open, &r, 0, 1), 1);
	EVP_CIPHER_CTX_free(seal);
	EVP_CIPHER_CTX_free(open);
}

static void
refuses_a_nonce_twice_and_other_lengths(void **state)
{
	static struct record r;
	uint8_t key[KEY_LEN];
	EVP_CIPHER_CTX *c;
	int n;

	(void)state;
	if (is_own(ours))
		return;
	secret_random(key, sizeof(key));
	c = with_key(ours, key, 1);
	random_record(&r, 64);
	assert_int_equal(EVP_CipherUpdate(c, r.body, &n, r.body, 64), 0);
	assert_int_equal(pass(c, &r, 1, 1), 1);
	assert_int_equal(EVP_CipherUpdate(c, r.body, &n, r.body, 64), 0);
	assert_int_equal(EVP_CipherFinal_ex(c, r.body, &n), 0);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, 8,
			     NULL),
	    0);
	EVP_CIPHER_CTX_free(c);

	c = with_key(ours, key, 0);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 12,
			     r.tag),
	    0);
	assert_int_equal(EVP_CipherInit_ex(c, NULL, NULL, NULL, r.nonce, 0), 1);
	assert_int_equal(EVP_CipherUpdate(c, NULL, &n, r.head, 5), 1);
	assert_int_equal(EVP_CipherUpdate(c, NULL, &n, r.head, 5), 0);
	assert_int_equal(EVP_CipherFinal_ex(c, r.body, &n), 0);
	EVP_CIPHER_CTX_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_place_where_it_can),
		cmocka_unit_test(leaves_the_rest_to_the_other),
		cmocka_unit_test(gives_the_bytes_of_the_other),
		cmocka_unit_test(refuses_what_was_changed),
		cmocka_unit_test(refuses_a_nonce_twice_and_other_lengths),
	};

	return cmocka_run_group_tests(tests, fetch, let_go);
}
