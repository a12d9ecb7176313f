// SPDX-License-Identifier: Apache-2.0
#include "client/paths.h"

#include <getopt.h>
#include <stdlib.h>

#include "client/path.h"
#include "object/key.h"

void
paths_wipe(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->key[i].p);
	free(p->key);
}

static int
by_key(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int
add(struct cli *cli, struct paths *p, const char *arg)
{
	struct buf key = buf_init(KEY_BYTES_MAX);
	int rc = path_key(arg, &key, &cli->fault);

	if (rc == 0 && key.n == 0)
		rc = cli_usage(cli, "the whole space cannot be removed");
	if (rc != 0) {
		buf_wipe(&key);
		return rc;
	}
	p->key[p->n++] = buf_bytes(&key);
	return 0;
}

static void
tidy(struct paths *p)
{
	size_t n = 0;

	qsort(p->key, p->n, sizeof(*p->key), by_key);
	for (size_t i = 0; i < p->n; i++) {
		if (n > 0 && key_within(p->key[i], p->key[n - 1])) {
			free((void *)(uintptr_t)p->key[i].p);
			continue;
		}
		p->key[n++] = p->key[i];
	}
	p->n = n;
}

int
paths_read(struct cli *cli, int argc, char **argv, struct paths *out)
{
	struct paths p defer(paths_wipe) = { 0 };
	int rc = 0;

	p.key = calloc((size_t)(argc - optind), sizeof(*p.key));
	if (p.key == NULL)
		return fault_set(&cli->fault, FAULT_MEMORY, "out of memory");
	for (int i = optind; i < argc && rc == 0; i++)
		rc = add(cli, &p, argv[i]);
	if (rc != 0)
		return rc;
	tidy(&p);
	*out = p;
	p = (struct paths){ 0 };
	return 0;
}
