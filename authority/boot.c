// SPDX-License-Identifier: Apache-2.0
#include "authority/boot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "authority/config_token.h"
#include "base/fd.h"
#include "net/text.h"
#include "settings/named.h"

#define FILES_FRONT (64 + 4 * CONFIG_THREADS_MAX) /* but of connections */

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

/* All that a token wants; of a keyfile, all of it is empty. */
static int
put_token(const struct config_pkcs11 *p, struct wr *w, struct fault *f)
{
	static const struct config_pkcs11 none;
	const struct config_pkcs11 *c = p != NULL ? p : &none;
	const char *sockets = c->sockets != NULL ? c->sockets : "none";
	uint8_t id[CONFIG_TOKEN_ID_MAX];
	struct keystore_token t = { .module = "", .key = "" };
	int rc = p != NULL ? config_token(p, id, &t, f) : 0;

	if (rc != 0)
		return rc;
	role_boot_put(w, text(t.module));
	role_boot_put(w, text(t.label != NULL ? t.label : ""));
	wr_u64(w, (uint64_t)t.slot);
	role_boot_put(w, text(t.key));
	role_boot_put(w, t.id);
	wr_u8(w, t.key_wrap);
	wr_u8(w, t.token_iv);
	wr_u8(w, strcmp(sockets, "none") != 0);
	wr_u8(w, strcmp(sockets, "tcp") == 0);
	wr_u32(w, c->paths_count);
	for (unsigned i = 0; i < c->paths_count; i++)
		role_boot_put(w, text(c->paths[i]));
	return 0;
}

static int
for_keys(const struct config *c, uint32_t lease, struct wr *w,
    struct fault *f)
{
	struct buf keyfile defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct buf pass defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	char host[CONFIG_HOST_MAX];
	int rc = config_read(c->keyfile, &keyfile, f);

	if (rc == 0)
		rc = c->pkcs11 != NULL ?
		    config_token_pin(c->pkcs11, &pass, f) :
		    config_passphrase(c, &pass, f);
	if (rc != 0)
		return rc;
	config_host(c, host);
	wr_u32(w, lease);
	role_boot_put(w, text(host));
	role_boot_put(w, text(c->pkcs11 != NULL ? "pkcs11" : "file"));
	role_boot_put(w, buf_bytes(&keyfile));
	role_boot_put(w, buf_bytes(&pass));
	return put_token(c->pkcs11, w, f);
}

static int
for_ledger(const struct config *c, uint32_t lease, struct wr *w,
    struct fault *f)
{
	struct buf policy defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	char host[CONFIG_HOST_MAX];
	uint8_t pin[32];
	int rc = config_read(c->policy, &policy, f);

	if (rc != 0)
		return rc;
	if (c->policy_key != NULL && text_b64_parse(c->policy_key,
	        strlen(c->policy_key), pin, sizeof(pin)) != 0)
		return fault_set(f, FAULT_CONFIG, "policy_key: no base64 of a "
		    "public key");
	config_host(c, host);
	wr_u32(w, lease);
	role_boot_put(w, text(c->name));
	role_boot_put(w, text(c->jurisdiction));
	role_boot_put(w, text(host));
	role_boot_put(w, text(c->database));
	role_boot_put(w, text(c->log));
	wr_u32(w, c->witnesses_count);
	role_boot_put(w, text(c->epochs));
	wr_u8(w, config_by_invitation(c));
	role_boot_put(w, buf_bytes(&policy));
	role_boot_put(w, bytes_of(pin, c->policy_key != NULL ? sizeof(pin) :
	                                                       0));
	return 0;
}

/* Roles may open as many files as this process. */
static void
put_rule(const struct config *c, struct wr *w)
{
	unsigned long files = fd_raise();
	struct watch_rule rule = crowd_rule(&c->crowd, CONFIG_CONNECTIONS,
	    files > FILES_FRONT ? files - FILES_FRONT : 0);

	wr_u32(w, rule.most);
	wr_u32(w, rule.most_per_address);
	wr_u32(w, rule.idle_seconds);
	wr_u32(w, rule.least_rate);
}

static int
for_front(const struct config *c, struct wr *w, struct fault *f)
{
	struct buf certificate defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	struct buf key defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	int rc = config_read(c->certificate, &certificate, f);

	if (rc == 0)
		rc = config_read(c->private_key, &key, f);
	if (rc == 0)
		rc = named_tls((struct named_pair){ "cert", "key" },
		    buf_bytes(&certificate), buf_bytes(&key), f);
	if (rc != 0)
		return rc;
	wr_u32(w, c->threads != NULL ? *c->threads : CONFIG_THREADS);
	put_rule(c, w);
	role_boot_put(w, text(c->log));
	role_boot_put(w, buf_bytes(&certificate));
	role_boot_put(w, buf_bytes(&key));
	return 0;
}

/* [authority] no key and no database: addresses and whom to believe there. */
static int
for_courier(const struct config *c, struct wr *w, struct fault *f)
{
	wr_u32(w, c->witnesses_count);
	for (unsigned i = 0; i < c->witnesses_count; i++) {
		const struct config_witness *x = &c->witnesses[i];
		struct buf ca defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
		int rc = config_read(x->ca, &ca, f);

		if (rc != 0)
			return fault_add(f, rc, "witnesses");
		role_boot_put(w, text(x->name != NULL ? x->name : x->url));
		role_boot_put(w, text(x->url));
		role_boot_put(w, buf_bytes(&ca));
	}
	return 0;
}

int
boot_send(const struct config *c, enum role r, int fd, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(ROLE_BOOT_MAX);
	struct wr w = wr_to(&b);
	uint32_t lease = 0;
	int rc = config_lease(c->lease, &lease);

	if (rc != 0)
		return fault_set(f, rc, "lease");
	if (r == ROLE_KEYS)
		rc = for_keys(c, lease, &w, f);
	else if (r == ROLE_LEDGER)
		rc = for_ledger(c, lease, &w, f);
	else if (r == ROLE_COURIER)
		rc = for_courier(c, &w, f);
	else
		rc = for_front(c, &w, f);
	if (rc != 0)
		return rc;
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_set(f, rc, "boot message");
	for (size_t at = 0; at < b.n;) {
		ssize_t n = write(fd, b.p + at, b.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		/* The role died; that is seen elsewhere. */
		if (n < 0)
			return 0;
		at += (size_t)n;
	}
	return 0;
}
