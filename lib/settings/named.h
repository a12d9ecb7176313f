// SPDX-License-Identifier: Apache-2.0
/* What a server's configuration names, looked at before the start; nothing on
 * disk is changed by it.  All are FAULT_CONFIG, and name the key. */
#ifndef SKERRY_SETTINGS_NAMED_H
#define SKERRY_SETTINGS_NAMED_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

/* The keys of the configuration that a certificate and its private key have. */
struct named_pair {
	const char *cert, *key;
};

/* That the PEM texts are a certificate chain and the key of its first. */
int named_tls(struct named_pair keys, struct bytes cert, struct bytes key,
    struct fault *f) must_check;

/* That the PEM text has a certificate. */
int named_ca(const char *key, struct bytes text, struct fault *f) must_check;

/* That path is a folder that this process may read and write; made: or that it
 * could be made. */
int named_folder(const char *key, const char *path, bool made,
    struct fault *f) must_check;

#endif
