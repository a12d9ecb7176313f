// SPDX-License-Identifier: Apache-2.0
/*
 * Where a depot keeps objects: one struct of callbacks.  spec/40-depot.md says
 * what a backend must guarantee; the front knows nothing else of it.  All
 * callbacks may run in several threads at once.
 *
 * A backend whose store clients can reach by themselves (S3) sets redirect; the
 * front then answers bulk requests with 307 and the bytes do not pass here.
 */
#ifndef SKERRY_DEPOT_STORE_H
#define SKERRY_DEPOT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "crypt/keys.h"

#define STORE_OBJECT_MAX 67108864 /* OBJECT_MAX of spec/00 */
#define STORE_HEAD_LEN 284
#define STORE_LIST_MAX 1000

struct store_name {
	uint8_t prefix[ID_LEN];
	uint8_t id[ID_LEN];
};

struct store_item {
	uint8_t id[ID_LEN];
	uint64_t size;
};

enum store_put {
	STORE_CREATED,
	STORE_SAME, /* was there already with the same bytes */
};

enum store_bulk {
	STORE_BULK_GET,
	STORE_BULK_PUT,
};

struct store_upload; /* the backend's, one per upload under way */

struct store {
	const struct store_ops *ops; /* first in every backend's struct */
};

struct store_ops {
	/* Whether put_begin returns at once, and does not have to learn first
	 * what the prefix holds. */
	bool (*put_ready)(struct store *s, const uint8_t prefix[ID_LEN]);

	/* Starts an upload of len bytes; quota 0 is none.  FAULT_LIMIT: over
	 * the quota.  FAULT_SPACE: no room.  FAULT_EXISTS: is there with
	 * another length. */
	int (*put_begin)(struct store *s, const struct store_name *name,
	    uint64_t len, uint64_t quota, struct store_upload **out,
	    struct fault *f) must_check;

	/* Appends; never more than len in all.  After an error only put_abort
	 * may follow, and what was written is gone already. */
	int (*put_write)(struct store_upload *u, const void *p, size_t n,
	    struct fault *f) must_check;

	/* Makes object and name durable; frees u in any case.  FAULT_EXISTS:
	 * there with other bytes.  FAULT_MISSING: it was there, and was deleted
	 * meanwhile. */
	int (*put_commit)(struct store_upload *u, enum store_put *out,
	    struct fault *f) must_check;

	/* Leaves nothing behind; frees u; NULL is fine. */
	void (*put_abort)(struct store_upload *u);

	/* An open descriptor, the caller's to close.  FAULT_NOT_FOUND. */
	int (*get)(struct store *s, const struct store_name *name, int *fd_out,
	    uint64_t *size_out, struct fault *f) must_check;

	/* 0 also if there was none; durable on return. */
	int (*remove)(struct store *s, const struct store_name *name,
	    struct fault *f) must_check;

	/* The first objects after an id (NULL: from the start), ascending, at
	 * most max (1 .. STORE_LIST_MAX). */
	int (*list)(struct store *s, const uint8_t prefix[ID_LEN],
	    const uint8_t *after, size_t max, struct store_item *out,
	    size_t *n_out, bool *more_out, struct fault *f) must_check;

	/* FAULT_CONFLICT unless number is above that of the stored head, or
	 * the bytes are equal; durable on return. */
	int (*head_put)(struct store *s, const uint8_t prefix[ID_LEN],
	    const uint8_t head[STORE_HEAD_LEN], struct fault *f) must_check;

	/* FAULT_NOT_FOUND. */
	int (*head_get)(struct store *s, const uint8_t prefix[ID_LEN],
	    uint8_t out[STORE_HEAD_LEN], struct fault *f) must_check;

	/* A URL where the client may do it by itself, the caller's to free;
	 * NULL in backends that have none. */
	int (*redirect)(struct store *s, enum store_bulk what,
	    const struct store_name *name, char **url_out,
	    struct fault *f) must_check;

	void (*close)(struct store *s);
};

/* The number in a head's clear part (spec/30); FAULT_VERSION, FAULT_MALFORMED
 * if version or reserved bytes are others. */
int store_head_number(const uint8_t head[static STORE_HEAD_LEN],
    uint64_t *out) must_check;

#endif
