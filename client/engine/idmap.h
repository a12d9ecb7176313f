// SPDX-License-Identifier: Apache-2.0
/* A map from 32 bytes that are as good as random (chunk id, treehash) to a
 * value of fixed length.  For one thread. */
#ifndef SKERRY_CLIENT_ENGINE_IDMAP_H
#define SKERRY_CLIENT_ENGINE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#define IDMAP_KEY_LEN 32u

struct idmap {
	size_t len; /* of a value */
	size_t n, cap;
	uint8_t *used;
	uint8_t *p; /* cap times key and value */
};

/* len: bytes of a value. */
struct idmap idmap_init(size_t len);
void idmap_wipe(struct idmap *m);

/* The value of a key, in place until the next idmap_add; NULL: not there. */
void *idmap_find(const struct idmap *m, const uint8_t key[static 32]);

/* The value of a key, zeroed where it is new.  NULL: no memory. */
void *idmap_add(struct idmap *m, const uint8_t key[static 32]);

#endif
