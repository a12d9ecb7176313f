// SPDX-License-Identifier: Apache-2.0
/*
 * What a government or anybody else demands of an authority: a request, in the
 * words of spec/60-log.md, Requests.  Code says demand, since a request is what
 * a device sends.  Each state of one is an entry of type 7.
 */
#ifndef SKERRY_TLOG_DEMAND_H
#define SKERRY_TLOG_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define DEMAND_UNTIL_MAX 253402300799u /* the last second of the year 9999 */
#define DEMAND_PUBLIC_MAX (1 + ID_LEN + 2 + 8)

enum demand_state {
	DEMAND_ENTERED = 1,
	DEMAND_APPROVED,
	DEMAND_REFUSED,
	DEMAND_WITHDRAWN,
	DEMAND_SERVED,
};

/* The public part of an entry. */
struct demand {
	uint8_t state; /* enum demand_state */
	uint8_t id[ID_LEN];
	char jurisdiction[3];
	uint64_t until; /* Unix seconds of the gag's end; 0: there is none */
};

/* Appends the bytes.  FAULT_MALFORMED for what cannot be read again,
 * FAULT_LIMIT, FAULT_MEMORY. */
int demand_write(const struct demand *d, struct buf *out) must_check;

/* FAULT_MALFORMED. */
int demand_read(struct bytes in, struct demand *out) must_check;

/* Whether state may come right after last; 0: after nothing. */
bool demand_follows(uint8_t last, uint8_t state);

/* Two lower-case letters. */
bool demand_jurisdiction_ok(const char *text);

/* FAULT_LIMIT where it is over LEAF_BODY_MAX, FAULT_MALFORMED where it is empty
 * or no text. */
int demand_text_check(struct bytes text) must_check;

/* "entered" and the like; "unknown".  And back: 0 where there is none. */
const char *demand_state_name(uint8_t state);
uint8_t demand_state_find(const char *name);

#endif
