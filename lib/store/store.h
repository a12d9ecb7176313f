// SPDX-License-Identifier: Apache-2.0
/*
 * A device's view of a depot: one struct of callbacks, so that tests can put
 * faults in between.  A struct store belongs to one thread; make one a thread
 * with store_dup().  spec/40-depot.md.
 */
#ifndef SKERRY_STORE_STORE_H
#define SKERRY_STORE_STORE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"

#define STORE_HEAD_LEN 284

struct store;

struct store_ops {
	/* Creates an object; success means it is durable.  Succeeds too where
	 * it is there already with the same bytes.  FAULT_EXISTS (other
	 * bytes), FAULT_SPACE, FAULT_DENIED, FAULT_EXPIRED, FAULT_DEPOT. */
	int (*put)(struct store *s, const uint8_t object[static ID_LEN],
	    struct bytes data, struct fault *f);

	/* Exactly len bytes from offset into out.  FAULT_MISSING (no such
	 * object, or it is shorter), FAULT_DENIED, FAULT_EXPIRED,
	 * FAULT_DEPOT. */
	int (*get)(struct store *s, const uint8_t object[static ID_LEN],
	    uint64_t offset, size_t len, uint8_t *out, struct fault *f);

	/* The head mirror.  get: FAULT_NOT_FOUND where there is none.
	 * put: FAULT_CONFLICT where the depot has a later one. */
	int (*head_get)(struct store *s, uint8_t out[static STORE_HEAD_LEN],
	    struct fault *f);
	int (*head_put)(struct store *s,
	    const uint8_t head[static STORE_HEAD_LEN], struct fault *f);

	/* Another of the same kind, for another thread. */
	int (*dup)(struct store *s, struct store **out, struct fault *f);
	void (*close)(struct store *s);
};

/* First member of every implementation. */
struct store {
	const struct store_ops *ops;
};

static inline void
store_close(struct store *s)
{
	if (s != NULL)
		s->ops->close(s);
}

#endif
