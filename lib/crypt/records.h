// SPDX-License-Identifier: Apache-2.0
/*
 * TLS records by intel-ipsec-mb, which on a processor with VAES does AES-GCM
 * twice as fast as OpenSSL 3.0.
 */
#ifndef SKERRY_CRYPT_RECORDS_H
#define SKERRY_CRYPT_RECORDS_H

/*
 * From now on connections of this process by OpenSSL seal and open the records
 * of TLS_AES_256_GCM_SHA384 that way; so does who else asks OpenSSL for
 * AES-256-GCM without naming a provider, as this folder never does.  The bytes
 * are the same.  Nothing changes where the build or the processor lacks what
 * it takes, or with SKERRY_BULK=openssl in the environment.  Call it once,
 * before the first connection.
 */
void records_accelerate(void);

#endif
