// SPDX-License-Identifier: Apache-2.0
#include "authority/config_token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/text.h"

/* One of two words; NULL is the first.  false: neither. */
static bool
word(const char *s, const char *first, const char *second, bool *out)
{
	*out = s != NULL && strcmp(s, second) == 0;
	return s == NULL || *out || strcmp(s, first) == 0;
}

static int
check_reach(const struct config_pkcs11 *c, struct fault *f)
{
	if (c->sockets != NULL && strcmp(c->sockets, "none") != 0 &&
	    strcmp(c->sockets, "unix") != 0 && strcmp(c->sockets, "tcp") != 0)
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: sockets: none, unix or tcp is wanted");
	if (c->paths_count > CONFIG_PATHS_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: paths: at most %d", CONFIG_PATHS_MAX);
	for (unsigned i = 0; i < c->paths_count; i++)
		if (c->paths[i][0] != '/')
			return fault_set(f, FAULT_CONFIG,
			    "pkcs11: paths: %s is not absolute", c->paths[i]);
	if (c->module[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: module: %s is not absolute", c->module);
	return 0;
}

int
config_token(const struct config_pkcs11 *c,
    uint8_t id[static CONFIG_TOKEN_ID_MAX], struct keystore_token *out,
    struct fault *f)
{
	struct keystore_token t = { .module = c->module, .label = c->token,
		.slot = c->slot != NULL ? (int64_t)*c->slot : 0,
		.key = c->key != NULL ? c->key : "skerry-root" };
	size_t n = c->id != NULL ? strlen(c->id) : 0;
	int rc = check_reach(c, f);

	if (rc != 0)
		return rc;
	if ((c->token != NULL) == (c->slot != NULL))
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: either token or slot is wanted");
	if (c->token != NULL && strlen(c->token) > 32)
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: token: a label has at most 32 bytes");
	if (!word(c->mechanism, "aes-gcm", "aes-key-wrap-pad", &t.key_wrap))
		return fault_set(f, FAULT_CONFIG, "pkcs11: mechanism: aes-gcm "
		    "or aes-key-wrap-pad is wanted");
	if (!word(c->iv, "own", "token", &t.token_iv))
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: iv: own or token is wanted");
	if (t.key_wrap && t.token_iv)
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: iv: aes-key-wrap-pad has none");
	if (n % 2 != 0 || n > 2 * CONFIG_TOKEN_ID_MAX ||
	    (n != 0 && text_hex_parse(c->id, n, id, n / 2) != 0))
		return fault_set(f, FAULT_CONFIG,
		    "pkcs11: id: hex of at most %d bytes is wanted",
		    CONFIG_TOKEN_ID_MAX);
	t.id = bytes_of(id, n / 2);
	*out = t;
	return 0;
}

int
config_token_pin(const struct config_pkcs11 *c, struct buf *out,
    struct fault *f)
{
	return config_secret(c->pin_file, "pin", "pkcs11: pin_file", out, f);
}

int
config_token_parse(const struct config_token_options *o, uint64_t *slot,
    struct config_pkcs11 *out, struct fault *f)
{
	struct config_pkcs11 c = { .module = (char *)o->module,
		.token = (char *)o->token, .pin_file = (char *)o->pin_file,
		.key = (char *)o->key, .id = (char *)o->id,
		.mechanism = (char *)o->mechanism, .iv = (char *)o->iv };
	struct keystore_token t;
	uint8_t id[CONFIG_TOKEN_ID_MAX];
	char *end;
	int rc;

	if (o->module == NULL || o->pin_file == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--module and --pin-file are wanted");
	if (o->slot != NULL) {
		errno = 0;
		*slot = strtoull(o->slot, &end, 10);
		if (errno != 0 || *end != '\0' || end == o->slot)
			return fault_set(f, FAULT_USAGE,
			    "--slot: a number is wanted");
		c.slot = slot;
	}
	rc = config_token(&c, id, &t, f);
	if (rc != 0)
		return f->code = FAULT_USAGE;
	*out = c;
	return 0;
}

static int
line(struct buf *out, const char *key, const char *value)
{
	char b[4400];
	int n;

	if (value == NULL)
		return 0;
	/* What YAML would read as something else, or as the string's end. */
	if (strpbrk(value, "\"\\\n") != NULL)
		return FAULT_USAGE;
	n = snprintf(b, sizeof(b), "  %s: \"%s\"\n", key, value);
	if (n < 0 || (size_t)n >= sizeof(b))
		return FAULT_LIMIT;
	return buf_append(out, b, (size_t)n);
}

static int
path_lines(struct buf *out, const char *paths)
{
	int rc = buf_append(out, "  paths: [", 10);

	for (size_t n; rc == 0 && *paths != '\0'; paths += n) {
		n = strcspn(paths, ":");
		if (memchr(paths, '"', n) != NULL)
			return FAULT_USAGE;
		rc = buf_append(out, "\"", 1);
		if (rc == 0)
			rc = buf_append(out, paths, n);
		if (rc == 0)
			rc = buf_append(out, "\"", 1);
		n += paths[n] == ':';
		if (rc == 0 && paths[n] != '\0')
			rc = buf_append(out, ", ", 2);
	}
	return rc == 0 ? buf_append(out, "]\n", 2) : rc;
}

int
config_token_yaml(const struct config_pkcs11 *c, const char *paths,
    struct buf *out, struct fault *f)
{
	static const char head[] = "keystore: pkcs11\npkcs11:\n";
	char slot[32], pin[4096];
	int rc = buf_append(out, head, strlen(head));

	if (realpath(c->pin_file, pin) == NULL)
		return fault_sys(f, FAULT_CONFIG, errno, "%s", c->pin_file);
	if (rc == 0)
		rc = line(out, "module", c->module);
	if (rc == 0)
		rc = line(out, "token", c->token);
	if (rc == 0 && c->slot != NULL) {
		(void)snprintf(slot, sizeof(slot), "  slot: %llu\n",
		    (unsigned long long)*c->slot);
		rc = buf_append(out, slot, strlen(slot));
	}
	if (rc == 0)
		rc = line(out, "pin_file", pin);
	if (rc == 0)
		rc = line(out, "key", c->key);
	if (rc == 0)
		rc = line(out, "id", c->id);
	if (rc == 0)
		rc = line(out, "mechanism", c->mechanism);
	if (rc == 0)
		rc = line(out, "iv", c->iv);
	if (rc == 0 && paths != NULL)
		rc = path_lines(out, paths);
	return rc != 0 ? fault_set(f, rc, "an argument of pkcs11: %s",
	    fault_text(rc)) : 0;
}
