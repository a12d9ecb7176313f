// SPDX-License-Identifier: Apache-2.0
/* Picks the keystore that the configuration names. */
#include "authority/keystore.h"

#include <string.h>

#include "authority/keystore_file.h"

static const struct {
	const char *kind;
	int (*open)(const struct keystore_config *cfg, struct keystore **out);
} kinds[] = {
	{ "file", keystore_file_open },
};

int
keystore_open(const struct keystore_config *cfg, struct keystore **out)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, cfg->kind) == 0)
			return kinds[i].open(cfg, out);
	return FAULT_CONFIG;
}

void
keystore_close(struct keystore *ks)
{
	if (ks != NULL)
		ks->close(ks);
}

void
keystore_closep(struct keystore **ks)
{
	keystore_close(*ks);
}
