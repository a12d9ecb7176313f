// SPDX-License-Identifier: Apache-2.0
/*
 * Grows a log in a folder, for tests and for the bench's larger trees:
 *
 *	mklog DIR KEYFILE LEAVES BATCH    appends, publishes, prints "size n"
 *	mklog DIR KEYFILE check           computes everything again
 *	mklog DIR KEYFILE key             prints the verifier key
 *	mklog DIR KEYFILE consistency OLD NEW   hashes, one a line
 *
 * KEYFILE has 32 bytes of seed.  What is printed is durable.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/secret.h"
#include "crypt/sign.h"
#include "store/log_dir.h"
#include "tlog/leaf.h"
#include "tlog/line.h"

#define ORIGIN "log.example/test"
#define BATCH_MAX 4096

struct maker {
	struct sign_key key;
	struct note_key pub;
	struct log *log;
	struct fault f;
};

static int
sign(void *ctx, struct bytes text, struct buf *note)
{
	struct maker *m = ctx;

	return note_sign(text, &m->pub, &m->key, note);
}

static int
read_key(struct maker *m, const char *path)
{
	FILE *file = fopen(path, "re");
	struct sign_pub pub;
	size_t n;

	if (file == NULL)
		return fault_set(&m->f, FAULT_CONFIG, "%s", path);
	n = fread(m->key.seed, 1, sizeof(m->key.seed), file);
	(void)fclose(file);
	if (n != sizeof(m->key.seed))
		return fault_set(&m->f, FAULT_CONFIG, "%s: short", path);
	sign_public(&m->key, &pub);
	return note_key_make(bytes_of(ORIGIN, strlen(ORIGIN)), NOTE_ED25519,
	    &pub, &m->pub);
}

/* The leaf at a place is always the same, so that a repeat continues it. */
static int
leaf_at(uint64_t at, struct buf *out)
{
	static const struct dedup_key dedup = { { 1 } };
	struct leaf l = { .type = LEAF_RELEASE, .time = 1700000000 + at,
		.open = bytes_of("\1", 1) };
	struct leaf_log_key log;
	struct leaf_key key;
	int rc = leaf_log_key(&dedup, &log);

	if (rc != 0)
		return rc;
	memcpy(l.nonce, &at, sizeof(at));
	leaf_key(&log, l.nonce, &key);
	leaf_blind(&key, bytes_of(&at, sizeof(at)), &l);
	return leaf_encode(&l, out);
}

static int
batch(struct maker *m, uint64_t at, size_t n)
{
	struct buf all defer(buf_wipe) = buf_init((size_t)BATCH_MAX * LEAF_MAX);
	struct buf note defer(buf_wipe) = buf_init(NOTE_MAX);
	static struct bytes entry[BATCH_MAX];
	struct log_head head;
	uint64_t first;
	size_t len;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = leaf_at(at + i, &all);
	len = all.n / n;
	for (size_t i = 0; i < n; i++)
		entry[i] = bytes_of(all.p + i * len, len);
	if (rc == 0)
		rc = m->log->ops->append(m->log, entry, n, &first, &m->f);
	if (rc == 0)
		rc = m->log->ops->head(m->log, &head, &note, &m->f);
	if (rc == 0)
		rc = m->log->ops->publish(m->log, buf_bytes(&note), &m->f);
	if (rc == 0)
		(void)printf("size %llu\n", (unsigned long long)head.size);
	return rc;
}

static int
grow(struct maker *m, uint64_t leaves, size_t each)
{
	struct log_head head;
	int rc = m->log->ops->head(m->log, &head, NULL, &m->f);

	if (each == 0 || each > BATCH_MAX)
		return FAULT_USAGE;
	for (uint64_t done = 0; rc == 0 && done < leaves;) {
		size_t n = leaves - done < each ? (size_t)(leaves - done) :
		    each;

		rc = batch(m, head.size + done, n);
		done += n;
	}
	return rc;
}

static int
print_key(const struct maker *m)
{
	struct buf b defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	int rc = note_key_format(&m->pub, &b);

	if (rc == 0)
		(void)printf("%.*s\n", (int)b.n, (const char *)b.p);
	return rc;
}

static int
consistency(struct maker *m, uint64_t old, uint64_t size)
{
	struct tile_tree *t = malloc(sizeof(*t));
	struct buf b defer(buf_wipe) = buf_init(8192);
	struct merkle_source s;
	struct merkle_proof p;
	int rc;

	if (t == NULL)
		return FAULT_MEMORY;
	tile_tree_init(t, m->log->ops->tiles(m->log), size);
	s = tile_tree_source(t);
	rc = merkle_prove_consistency(&s, old, size, &p);
	for (size_t i = 0; rc == 0 && i < p.n; i++) {
		rc = line_b64(bytes_of(p.hash[i].b, MERKLE_LEN), &b);
		if (rc == 0)
			rc = line_put(&b, "\n");
	}
	if (rc == 0)
		(void)printf("%.*s", (int)b.n, (const char *)b.p);
	free(t);
	return rc;
}

static int
run(struct maker *m, int argc, char **argv)
{
	const struct log_signer signer = { .sign = sign, .ctx = m };
	int rc = read_key(m, argv[2]);

	if (rc == 0 && strcmp(argv[3], "key") == 0)
		return print_key(m);
	if (rc == 0)
		rc = log_dir_open(argv[1], &m->pub, signer, &m->log, &m->f);
	if (rc != 0)
		return rc;
	if (strcmp(argv[3], "check") == 0)
		rc = m->log->ops->check(m->log, &m->f);
	else if (argc == 6)
		rc = consistency(m, strtoull(argv[4], NULL, 10),
		    strtoull(argv[5], NULL, 10));
	else if (argc == 5)
		rc = grow(m, strtoull(argv[3], NULL, 10),
		    (size_t)strtoull(argv[4], NULL, 10));
	else
		rc = FAULT_USAGE;
	m->log->ops->close(m->log);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct maker m;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4 || secret_init() != 0)
		return fault_exit(FAULT_USAGE);
	rc = run(&m, argc, argv);
	if (rc != 0)
		(void)fprintf(stderr, "%s: %s\n", fault_name(rc), m.f.text);
	return fault_exit(rc);
}
