// SPDX-License-Identifier: Apache-2.0
/*
 * Durable leaves a second: bench_log DIR [SECONDS].  Each figure is of a new
 * log in a folder below DIR, signed and published after every batch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "store/log_dir.h"

#define BATCH_MAX 4096
#define LEAF 125

static struct sign_key key;
static struct note_key pub;

static int
sign(void *ctx, struct bytes text, struct buf *note)
{
	(void)ctx;
	return note_sign(text, &pub, &key, note);
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
run(const char *dir, size_t batch, double seconds, struct fault *f)
{
	const struct log_signer signer = { .sign = sign };
	static uint8_t data[BATCH_MAX][LEAF];
	static struct bytes entry[BATCH_MAX];
	uint64_t first, leaves = 0, rounds = 0;
	double begin, spent = 0, worst = 0;
	struct log *log;
	char path[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/log-%zu", dir, batch);
	if (mkdir(path, 0700) != 0)
		return fault_set(f, FAULT_EXISTS, "%s", path);
	rc = log_dir_open(path, &pub, signer, &log, f);
	if (rc != 0)
		return rc;
	for (begin = now(); rc == 0 && spent < seconds; rounds++) {
		double t = now();

		secret_random(data, batch * LEAF);
		for (size_t i = 0; i < batch; i++)
			entry[i] = bytes_of(data[i], LEAF);
		rc = log->ops->append(log, entry, batch, &first, f);
		leaves += batch;
		spent = now() - begin;
		t = now() - t;
		worst = t > worst ? t : worst;
	}
	log->ops->close(log);
	if (rc == 0)
		(void)printf("batch %4zu: %8.0f leaves/s, round %5.2f ms, "
		    "worst %5.2f ms\n", batch, (double)leaves / spent,
		    1e3 * spent / (double)rounds, 1e3 * worst);
	return rc;
}

int
main(int argc, char **argv)
{
	static const size_t batch[] = { 1, 16, 256, BATCH_MAX };
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 5;
	struct fault f = { 0 };
	struct sign_pub p;
	int rc = 0;

	if (argc < 2 || secret_init() != 0)
		return fault_exit(FAULT_USAGE);
	sign_new(&key, &p);
	rc = note_key_make(bytes_of("log.example/bench", 17), NOTE_ED25519, &p,
	    &pub);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(batch); i++)
		rc = run(argv[1], batch[i], seconds, &f);
	if (rc != 0)
		(void)fprintf(stderr, "%s\n", f.text);
	return fault_exit(rc);
}
