// SPDX-License-Identifier: Apache-2.0
/*
 * What an authority released, for as long as the device may keep it, and the
 * messages by which the agent is handed it and asked for it:
 *     frame   = u32 length of body || body
 *     body    = u8 version (1) || u8 type || fields
 *     PUT, LEASE   account [16] || space [16] || device [16] ||
 *                  u32 seconds left || prefix [16] || u8 n || depot name [n] ||
 *                  u16 n || capability [n] ||
 *                  u16 epochs || (u32 epoch || space key [32]) x epochs
 *     GET          space [16] || device [16]
 *     DROP, OK, NONE, REFUSED     no fields
 */
#ifndef SKERRY_CLIENT_LEASE_H
#define SKERRY_CLIENT_LEASE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define LEASE_EPOCHS_MAX 64
#define LEASE_DEPOT_MAX 64
#define LEASE_CAPABILITY_MAX 2048
#define LEASE_SECONDS_MAX (31u * 24 * 3600)
#define LEASE_FRAME_MAX 8192 /* body */

enum lease_type {
	LEASE_PUT = 1,
	LEASE_GET = 2,
	LEASE_DROP = 3,
	LEASE_OK = 0x81,
	LEASE_LEASE = 0x82,
	LEASE_NONE = 0x83,
	LEASE_REFUSED = 0x84,
};

/* Belongs in secret memory. */
struct lease {
	uint8_t account[ID_LEN], space[ID_LEN], device[ID_LEN];
	uint32_t seconds; /* left; 1..LEASE_SECONDS_MAX */
	uint8_t prefix[ID_LEN];
	char depot[LEASE_DEPOT_MAX + 1];
	char capability[LEASE_CAPABILITY_MAX + 1];
	uint16_t nepochs; /* at least one */
	uint32_t epoch[LEASE_EPOCHS_MAX]; /* ascending */
	struct space_key key[LEASE_EPOCHS_MAX];
};

struct lease_message {
	enum lease_type type;
	struct lease *lease; /* PUT, LEASE: filled; from the caller */
	uint8_t space[ID_LEN], device[ID_LEN]; /* GET */
};

/* Appends the frame, length and all.  FAULT_LIMIT, FAULT_MEMORY. */
int lease_encode(const struct lease_message *m, struct buf *out) must_check;

/* Reads a body.  out->lease is storage, filled where type is PUT or LEASE and
 * wiped on error.  FAULT_MALFORMED, FAULT_VERSION. */
int lease_decode(struct bytes body, struct lease_message *out) must_check;

#endif
