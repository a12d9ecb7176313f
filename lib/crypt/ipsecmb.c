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

IMB_MGR *
ipsecmb_new(void)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);

	if (mgr == NULL)
		return NULL;
	init_mb_mgr_auto(mgr, NULL);
	if (imb_get_errno(mgr) == 0 && sound(mgr))
		return mgr;
	free_mb_mgr(mgr);
	return NULL;
}
