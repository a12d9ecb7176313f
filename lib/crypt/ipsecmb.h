// SPDX-License-Identifier: Apache-2.0
/* Private to crypt: the library intel-ipsec-mb, where it may be used. */
#ifndef SKERRY_CRYPT_IPSECMB_H
#define SKERRY_CRYPT_IPSECMB_H

#include <intel-ipsec-mb.h>

/* Set up for this processor; NULL: no memory, or the library would not be
 * sound on it.  For free_mb_mgr(). */
IMB_MGR *ipsecmb_new(void);

/* The same, for SHA-256 of many messages.  *lanes: how many are hashed at once.
 */
IMB_MGR *ipsecmb_new_hasher(unsigned *lanes);

#endif
