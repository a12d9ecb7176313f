// SPDX-License-Identifier: Apache-2.0
/* The switches of p11_shim.so. */
#ifndef SKERRY_TEST_P11_SHIM_H
#define SKERRY_TEST_P11_SHIM_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

struct p11_shim {
	CK_RV fail;     /* what using the token gives; no slot has one then */
	CK_RV refuse;   /* what C_Login gives */
	CK_FLAGS flags; /* added to the token's */
	bool makes_iv;
	unsigned logins; /* counted */
};

extern struct p11_shim p11_shim;

#endif
