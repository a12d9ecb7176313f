// SPDX-License-Identifier: Apache-2.0
/* The operator's configuration: skerry-authority.yaml(5). */
#ifndef SKERRY_AUTHORITY_CONFIG_H
#define SKERRY_AUTHORITY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "serve/crowd.h"

#define CONFIG_THREADS 4
#define CONFIG_THREADS_MAX 32
#define CONFIG_CONNECTIONS 1024
#define CONFIG_LEASE_MAX (30 * 86400)
#define CONFIG_HOST_MAX 256
#define CONFIG_FILE_MAX 262144 /* bytes of any file that it names */

#define CONFIG_ORIGIN_MAX (CONFIG_HOST_MAX + 4)
#define CONFIG_PATHS_MAX 16
#define CONFIG_WITNESSES_MAX 16

/* Who is asked to cosign the log. */
struct config_witness {
	char *url;

	char *name; /* for messages; default: the url */
	char *ca;   /* PEM file; default: the system's authorities */
};

/* Its "pkcs11"; those after the blank line may be NULL or 0.  config_token.h
 * says what it means. */
struct config_pkcs11 {
	char *module;

	char *token;     /* label; else slot */
	uint64_t *slot;
	char *pin_file;  /* else the systemd credential "pin" */
	char *key, *id;  /* label (default skerry-root), hex */
	char *mechanism; /* aes-gcm (default), aes-key-wrap-pad */
	char *iv;        /* own (default), token */
	char *sockets;   /* none (default), unix, tcp */
	char **paths;    /* left to the module by the sandbox */
	unsigned paths_count;
};

/* The file's members, as libcyaml fills them; those after the blank line may
 * be NULL or 0. */
struct config {
	char *name, *jurisdiction, *url;
	char *listen;                   /* address:port; port 0: a free one */
	char *certificate, *private_key; /* PEM files */
	char *database, *keyfile, *policy;

	char *epochs;          /* folder of epoch secrets; default: "epochs"
	                        * beside the keyfile */
	char *policy_key;      /* base64; another signer is refused */
	char *passphrase_file; /* else the systemd credential "passphrase" */
	char *metrics;         /* address:port of loopback */
	char *lease;           /* 90s, 30m, 12h (default), 7d */
	char *user;            /* roles run as it when started as root */
	unsigned *threads;     /* of the front; default CONFIG_THREADS */
	struct crowd crowd;
	char *keystore;        /* file (default), pkcs11 */
	struct config_pkcs11 *pkcs11;
	char *log;             /* folder; default: log, beside the database */
	char *admission;       /* open (default), invitation */
	struct config_witness *witnesses;
	unsigned witnesses_count;
};

/* Reads and checks the file, not what it names.  FAULT_CONFIG.  *out is to be
 * freed. */
int config_load(const char *path, struct config **out, struct fault *f)
	must_check;
void config_free(struct config *c);
void config_freep(struct config **c);

/* The lease in seconds, 60 .. CONFIG_LEASE_MAX.  FAULT_CONFIG. */
int config_lease(const char *text, uint32_t *out) must_check;

/* Whether a new account wants an invitation. */
bool config_by_invitation(const struct config *c);

/* "@authority" of requests: the url's host, with the port unless it is 443. */
void config_host(const struct config *c, char out[static CONFIG_HOST_MAX]);

/* The origin of this authority's log. */
void config_origin(const struct config *c, char out[static CONFIG_ORIGIN_MAX]);

/* Appends a file of at most CONFIG_FILE_MAX bytes.  FAULT_CONFIG. */
int config_read(const char *path, struct buf *out, struct fault *f) must_check;

/* Appends a secret, without the newline at its end: of the file, or, where path
 * is NULL, of the systemd credential of that name; key is the path's name in
 * the configuration.  FAULT_CONFIG. */
int config_secret(const char *path, const char *credential, const char *key,
    struct buf *out, struct fault *f) must_check;

/* The ids of its user, which there is.  FAULT_CONFIG. */
int config_user(const struct config *c, uid_t *uid, gid_t *gid,
    struct fault *f) must_check;

/* Appends the passphrase, without the newline at its end. */
int config_passphrase(const struct config *c, struct buf *out,
    struct fault *f) must_check;

#endif
