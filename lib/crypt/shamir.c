// SPDX-License-Identifier: Apache-2.0
/*
 * Both directions are a product of a public matrix with secret rows.  That is
 * what ISA-L's erasure code does, in registers: no table is indexed by a secret
 * byte, and no branch depends on one.  Its plain C code for short lengths does
 * look tables up, hence WIDTH.
 */
#include "crypt/shamir.h"

#include <string.h>

#include <isa-l/erasure_code.h>

#include "base/fault.h"
#include "crypt/secret.h"

#define WIDTH 64       /* bytes of a row; no vector unit's code needs more */
#define TABLE_BYTES 32 /* of ISA-L, for one element of the matrix */

struct room {
	uint8_t in[SHAMIR_MAX][WIDTH];
	uint8_t out[SHAMIR_MAX][WIDTH];
};

/* out[i] = sum over j < k of matrix[i * k + j] * in[j], for i < n. */
static int
multiply(const uint8_t *matrix, const struct key_share *in, unsigned k,
    unsigned n, struct key_share *out)
{
	struct room *r defer(secret_freep) = secret_new(sizeof(*r));
	uint8_t table[SHAMIR_MAX * SHAMIR_MAX * TABLE_BYTES];
	uint8_t a[SHAMIR_MAX * SHAMIR_MAX];
	uint8_t *from[SHAMIR_MAX], *to[SHAMIR_MAX];

	if (r == NULL)
		return FAULT_MEMORY;
	for (unsigned j = 0; j < k; j++) {
		memcpy(r->in[j], in[j].b, KEY_LEN);
		from[j] = r->in[j];
	}
	for (unsigned i = 0; i < n; i++)
		to[i] = r->out[i];
	memcpy(a, matrix, (size_t)n * k);
	ec_init_tables((int)k, (int)n, a, table);
	ec_encode_data(WIDTH, (int)k, (int)n, table, from, to);
	for (unsigned i = 0; i < n; i++)
		memcpy(out[i].b, r->out[i], KEY_LEN);
	return 0;
}

int
shamir_split_by(const struct key_share *coef, unsigned k, unsigned n,
    struct key_share *out)
{
	uint8_t power[SHAMIR_MAX * SHAMIR_MAX];

	if (k < 2 || k > n || n > SHAMIR_MAX)
		return FAULT_USAGE;
	for (unsigned i = 0; i < n; i++) {
		uint8_t x = 1;

		for (unsigned j = 0; j < k; j++) {
			power[i * k + j] = x;
			x = gf_mul(x, (uint8_t)(i + 1));
		}
	}
	return multiply(power, coef, k, n, out);
}

int
shamir_split(const struct space_key *key, unsigned k, unsigned n,
    struct key_share *out)
{
	struct key_share *coef defer(secret_freep) =
	    secret_new(SHAMIR_MAX * sizeof(*coef));

	if (coef == NULL)
		return FAULT_MEMORY;
	if (k < 2 || k > n || n > SHAMIR_MAX)
		return FAULT_USAGE;
	memcpy(coef[0].b, key->b, KEY_LEN);
	secret_random(coef + 1, (k - 1) * sizeof(*coef));
	return shamir_split_by(coef, k, n, out);
}

/* The Lagrange coefficient of share j at 0: the indices are public. */
static uint8_t
lagrange(const uint8_t *x, unsigned k, unsigned j)
{
	uint8_t v = 1;

	for (unsigned m = 0; m < k; m++)
		if (m != j)
			v = gf_mul(v, gf_mul(x[m],
			    gf_inv((uint8_t)(x[m] ^ x[j]))));
	return v;
}

int
shamir_join(const uint8_t *index, const struct key_share *share, unsigned k,
    struct space_key *out)
{
	struct key_share *key defer(secret_freep) = secret_new(sizeof(*key));
	uint8_t row[SHAMIR_MAX];
	int rc;

	if (key == NULL)
		return FAULT_MEMORY;
	if (k < 2 || k > SHAMIR_MAX)
		return FAULT_USAGE;
	for (unsigned j = 0; j < k; j++) {
		if (index[j] < 1 || index[j] > SHAMIR_MAX)
			return FAULT_USAGE;
		for (unsigned m = 0; m < j; m++)
			if (index[m] == index[j])
				return FAULT_USAGE;
		row[j] = lagrange(index, k, j);
	}
	rc = multiply(row, share, k, 1, key);
	if (rc == 0)
		memcpy(out->b, key->b, KEY_LEN);
	return rc;
}
