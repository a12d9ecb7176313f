// SPDX-License-Identifier: Apache-2.0
#include "authority/policykey.h"

#include <string.h>

#include "authority/config.h"

int
policykey_read(const char *path, struct sign_key *out, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(CONFIG_FILE_MAX);
	int rc = config_read(path, &b, f);

	if (rc != 0)
		return rc;
	if (b.n != POLICYKEY_LINE_LEN || memcmp(b.p, POLICYKEY_MAGIC,
	    sizeof(POLICYKEY_MAGIC) - 1) != 0 ||
	    b.p[POLICYKEY_LINE_LEN - 1] != '\n' ||
	    text_b64_parse((char *)b.p + sizeof(POLICYKEY_MAGIC) - 1,
	        TEXT_B64_SIZE(32) - 1, out->seed, sizeof(out->seed)) != 0)
		return fault_set(f, FAULT_CONFIG, "%s: no policy key", path);
	return 0;
}
