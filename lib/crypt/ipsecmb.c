// SPDX-License-Identifier: Apache-2.0
#include "crypt/ipsecmb.h"

#include <stdbool.h>
#include <stddef.h>

/* Without these the library emulates AES with tables, or is broken. */
static bool
sound(const IMB_MGR *mgr)
{
	const uint64_t need = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ |
	    IMB_FEATURE_SAFE_DATA;

	if ((mgr->features & need) != need)
		return false;
	return (mgr->features & IMB_FEATURE_SELF_TEST) == 0 ||
	    (mgr->features & IMB_FEATURE_SELF_TEST_PASS) != 0;
}

static IMB_MGR *
checked(IMB_MGR *mgr)
{
	if (imb_get_errno(mgr) == 0 && sound(mgr))
		return mgr;
	free_mb_mgr(mgr);
	return NULL;
}

IMB_MGR *
ipsecmb_new(void)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);

	if (mgr == NULL)
		return NULL;
	init_mb_mgr_auto(mgr, NULL);
	return checked(mgr);
}

/*
 * Between SSE and AVX-512 the library (1.3) hashes in four and eight lanes of
 * vectors.  A processor with the SHA extensions is twice as fast with two
 * messages in turns, which is what the library does by SSE.
 */
IMB_MGR *
ipsecmb_new_hasher(unsigned *lanes)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);
	IMB_ARCH arch;

	if (mgr == NULL)
		return NULL;
	init_mb_mgr_auto(mgr, &arch);
	*lanes = 16;
	if (arch != IMB_ARCH_AVX512 &&
	    (mgr->features & IMB_FEATURE_SHANI) != 0) {
		init_mb_mgr_sse(mgr);
		*lanes = 2;
	}
	return checked(mgr);
}
