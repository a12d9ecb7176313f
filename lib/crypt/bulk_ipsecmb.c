// SPDX-License-Identifier: Apache-2.0
/*
 * Bulk work by intel-ipsec-mb (x86-64): many SHA-256 at once in the lanes of
 * its job interface, AES-256-GCM by its direct interface.
 */
#include "crypt/bulk_backend.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/ipsecmb.h"
#include "crypt/secret.h"

/* What is left of a batch behind a multiple of the lanes is hashed one by one,
 * where it would leave more than two thirds of them idle. */
#define IDLE_MAX(lanes) ((lanes) * 2 / 3)

/* The job interface refuses empty messages and longer ones. */
#define JOB_MAX 65534

struct ipsecmb {
	struct gcm_key_data key; /* wiped after each use, as is gcm */
	struct gcm_context_data gcm;
	IMB_MGR *mgr;    /* owned: for the cipher */
	IMB_MGR *hasher; /* owned */
	unsigned lanes;  /* of the hasher */
	void *plain;     /* owned: for what the lanes do not take */
};

static void
backend_free(void *ctx)
{
	struct ipsecmb *m = ctx;

	if (m == NULL)
		return;
	if (m->mgr != NULL)
		free_mb_mgr(m->mgr);
	if (m->hasher != NULL)
		free_mb_mgr(m->hasher);
	bulk_openssl.free(m->plain);
	secret_wipe(m, sizeof(*m));
	free(m);
}

static void *
backend_new(void)
{
	struct ipsecmb *m = aligned_alloc(64, (sizeof(*m) + 63) / 64 * 64);

	if (m == NULL)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->plain = bulk_openssl.new();
	m->mgr = ipsecmb_new();
	m->hasher = ipsecmb_new_hasher(&m->lanes);
	if (m->plain != NULL && m->mgr != NULL && m->hasher != NULL)
		return m;
	backend_free(m);
	return NULL;
}

static size_t
count_done(IMB_MGR *mgr, IMB_JOB *job)
{
	size_t done = 0;

	for (; job != NULL; job = IMB_GET_COMPLETED_JOB(mgr))
		done += job->status == IMB_STATUS_COMPLETED;
	return done;
}

static size_t
submit(IMB_MGR *mgr, struct bytes msg, uint8_t *out)
{
	IMB_JOB *job = IMB_GET_NEXT_JOB(mgr);

	memset(job, 0, sizeof(*job));
	job->cipher_mode = IMB_CIPHER_NULL;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->hash_alg = IMB_AUTH_SHA_256;
	job->src = msg.p;
	job->msg_len_to_hash_in_bytes = msg.n;
	job->auth_tag_output = out;
	job->auth_tag_output_len_in_bytes = BULK_HASH_LEN;
	return count_done(mgr, IMB_SUBMIT_JOB(mgr));
}

/* By eighths of the longest, downwards, so that the lanes come to their ends
 * together. */
static int
hash_in_lanes(IMB_MGR *mgr, const struct bytes *msg, size_t n,
    uint8_t (*out)[BULK_HASH_LEN])
{
	size_t done = 0, longest = 0;
	IMB_JOB *job;

	for (size_t i = 0; i < n; i++)
		longest = msg[i].n > longest ? msg[i].n : longest;
	for (size_t part = 8 + 1; part-- > 0;) {
		for (size_t i = 0; i < n; i++) {
			if (msg[i].n * 8 / longest == part)
				done += submit(mgr, msg[i], out[i]);
		}
	}
	while ((job = IMB_FLUSH_JOB(mgr)) != NULL)
		done += job->status == IMB_STATUS_COMPLETED;
	return done == n ? 0 : FAULT_INTERNAL;
}

/* How many messages from the first on the lanes take. */
static size_t
run_of_jobs(const struct bytes *msg, size_t n)
{
	size_t i = 0;

	while (i < n && msg[i].n != 0 && msg[i].n <= JOB_MAX)
		i++;
	return i;
}

static int
backend_sha256(void *ctx, const struct bytes *msg, size_t n,
    uint8_t (*out)[BULK_HASH_LEN])
{
	struct ipsecmb *m = ctx;
	size_t step;
	int rc;

	for (size_t i = 0; i < n; i += step) {
		size_t run = run_of_jobs(msg + i, n - i);
		size_t rest = run % m->lanes;

		step = m->lanes - rest > IDLE_MAX(m->lanes) ? run - rest : run;
		if (step != 0) {
			rc = hash_in_lanes(m->hasher, msg + i, step, out + i);
		} else {
			step = run == 0 ? 1 : run;
			rc = bulk_openssl.sha256(m->plain, msg + i, step,
			    out + i);
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Expanded key, and key stream of a last partial block. */
static void
forget(struct ipsecmb *m)
{
	secret_wipe(&m->key, sizeof(m->key));
	secret_wipe(&m->gcm, sizeof(m->gcm));
}

static int
backend_seal(void *ctx, const struct seal_key *key,
    const uint8_t nonce[static BULK_NONCE_LEN], struct bytes aad,
    const struct bytes in[static 2], uint8_t *out)
{
	struct ipsecmb *m = ctx;
	uint8_t *next = out + in[0].n;

	IMB_AES256_GCM_PRE(m->mgr, key->b, &m->key);
	if (in[1].n == 0) {
		IMB_AES256_GCM_ENC(m->mgr, &m->key, &m->gcm, out, in[0].p,
		    in[0].n, nonce, aad.p, aad.n, next, BULK_TAG_LEN);
	} else {
		IMB_AES256_GCM_INIT(m->mgr, &m->key, &m->gcm, nonce, aad.p,
		    aad.n);
		IMB_AES256_GCM_ENC_UPDATE(m->mgr, &m->key, &m->gcm, out,
		    in[0].p, in[0].n);
		IMB_AES256_GCM_ENC_UPDATE(m->mgr, &m->key, &m->gcm, next,
		    in[1].p, in[1].n);
		IMB_AES256_GCM_ENC_FINALIZE(m->mgr, &m->key, &m->gcm,
		    next + in[1].n, BULK_TAG_LEN);
	}
	forget(m);
	return imb_get_errno(m->mgr) == 0 ? 0 : FAULT_INTERNAL;
}

static int
backend_open(void *ctx, const struct seal_key *key,
    const uint8_t nonce[static BULK_NONCE_LEN], struct bytes aad,
    struct bytes in, uint8_t *out)
{
	struct ipsecmb *m = ctx;
	size_t n = in.n - BULK_TAG_LEN;
	uint8_t tag[BULK_TAG_LEN];
	int rc = FAULT_TAMPERED;

	IMB_AES256_GCM_PRE(m->mgr, key->b, &m->key);
	IMB_AES256_GCM_DEC(m->mgr, &m->key, &m->gcm, out, in.p, n, nonce,
	    aad.p, aad.n, tag, sizeof(tag));
	forget(m);
	if (imb_get_errno(m->mgr) != 0)
		rc = FAULT_INTERNAL;
	else if (secret_equal(tag, in.p + n, sizeof(tag)))
		rc = 0;
	secret_wipe(tag, sizeof(tag));
	return rc;
}

const struct bulk_ops bulk_ipsecmb = {
	.name = "ipsec-mb",
	.new = backend_new,
	.free = backend_free,
	.sha256 = backend_sha256,
	.seal = backend_seal,
	.open = backend_open,
};
