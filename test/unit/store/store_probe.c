// SPDX-License-Identifier: Apache-2.0
/*
 * One call of store_http, for store_http.py:
 *     store_probe URL CA-FILE RETRIES put|get|head_get|head_put [SIZE]
 * Prints the fault's name and text, and the counts of the wire.  RENEW in the
 * environment is the token that is given for one that expired; "no": none is.
 * SECONDS is what a request may take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt/secret.h"
#include "store/store_http.h"

static const uint8_t object[ID_LEN] = { 0xab };
static uint8_t data[64 * 1024 * 1024];
static atomic_bool stop;

static int
call(struct store *s, const char *what, size_t n, struct fault *f)
{
	if (strcmp(what, "put") == 0)
		return s->ops->put(s, object, bytes_of(data, n), f);
	if (strcmp(what, "get") == 0)
		return s->ops->get(s, object, 5, n, data, f);
	if (strcmp(what, "head_get") == 0)
		return s->ops->head_get(s, data, f);
	return s->ops->head_put(s, data, f);
}

static int
renew(void *arg, const char *stale, char *out, size_t size, struct fault *f)
{
	const char *token = arg;

	if (strcmp(token, "no") == 0)
		return fault_set(f, FAULT_AUTHORITY, "instead of %s", stale);
	(void)snprintf(out, size, "%s", token);
	return 0;
}

static void
again(const struct fault *why)
{
	(void)fprintf(stderr, "again: %s\n", why->text);
}

int
main(int argc, char **argv)
{
	static char ca[65536];
	static struct http_wire wire;
	struct store_http_config config = {
		.peer = { .url = argv[1], .ca = ca, .fault = FAULT_DEPOT,
		    .wire = &wire, .stop = &stop },
		.prefix = { 1 },
		.capability = "token",
		.renew_arg = getenv("RENEW"),
		.again = again,
	};
	struct store *s;
	struct fault f = { 0 };
	FILE *in = argc >= 5 ? fopen(argv[2], "r") : NULL;
	int rc;

	if (in == NULL || secret_init() != 0)
		return 99;
	ca[fread(ca, 1, sizeof(ca) - 1, in)] = '\0';
	(void)fclose(in);
	if (config.renew_arg != NULL)
		config.renew = renew;
	config.retries = (unsigned)strtoul(argv[3], NULL, 10);
	if (getenv("SECONDS") != NULL)
		config.peer.seconds = (unsigned)strtoul(getenv("SECONDS"),
		    NULL, 10);
	rc = store_http_open(&config, &s, &f);
	if (rc == 0) {
		rc = call(s, argv[4], argc > 5 ?
			strtoul(argv[5], NULL, 10) : 10, &f);
		store_close(s);
	}
	(void)printf("%s %lu %lu %lu %s\n", fault_name(rc),
	    (unsigned long)wire.requests, (unsigned long)wire.sent,
	    (unsigned long)wire.received, rc == 0 ? "" : f.text);
	return 0;
}
