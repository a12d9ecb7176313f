// SPDX-License-Identifier: Apache-2.0
#include "settings/named.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static gnutls_datum_t
datum(struct bytes b)
{
	/* Only read; the member lacks const. */
	return (gnutls_datum_t){ (void *)(uintptr_t)b.p, (unsigned)b.n };
}

int
named_ca(const char *key, struct bytes text, struct fault *f)
{
	const gnutls_datum_t d = datum(text);
	gnutls_x509_crt_t *list;
	unsigned n;
	int e = gnutls_x509_crt_list_import2(&list, &n, &d, GNUTLS_X509_FMT_PEM,
	    0);

	if (e < 0)
		return fault_set(f, FAULT_CONFIG, "%s: no certificate: %s",
		    key, gnutls_strerror(e));
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return 0;
}

int
named_tls(struct named_pair keys, struct bytes cert, struct bytes key,
    struct fault *f)
{
	const gnutls_datum_t c = datum(cert), k = datum(key);
	gnutls_certificate_credentials_t both;
	int e, rc = named_ca(keys.cert, cert, f);

	if (rc != 0)
		return rc;
	if (gnutls_certificate_allocate_credentials(&both) < 0)
		return fault_set(f, FAULT_MEMORY, "%s", keys.key);
	e = gnutls_certificate_set_x509_key_mem(both, &c, &k,
	    GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(both);
	if (e == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return fault_set(f, FAULT_CONFIG, "%s: not the key of %s",
		    keys.key, keys.cert);
	return e >= 0 ? 0 : fault_set(f, FAULT_CONFIG,
	    "%s: no private key: %s", keys.key, gnutls_strerror(e));
}

int
named_folder(const char *key, const char *path, bool made, struct fault *f)
{
	char copy[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0) {
		errno = ENOTDIR;
		if (S_ISDIR(st.st_mode) && faccessat(AT_FDCWD, path,
			R_OK | W_OK | X_OK, AT_EACCESS) == 0)
			return 0;
	} else if (made && errno == ENOENT) {
		(void)snprintf(copy, sizeof(copy), "%s", path);
		if (faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK,
			AT_EACCESS) == 0)
			return 0;
	}
	return fault_sys(f, FAULT_CONFIG, errno, "%s: %s", key, path);
}
