// SPDX-License-Identifier: Apache-2.0
/*
 * Where a transparency log is kept: append durably, then publish.  One struct
 * of callbacks, so that a folder and something else look alike.  A log belongs
 * to one thread at a time.  spec/60-log.md.
 *
 * The order of the one who writes: log_append (after which the leaves and a
 * checkpoint that covers them survive a power cut), have the checkpoint
 * cosigned, log_publish, and only then do what the leaves say.
 */
#ifndef SKERRY_STORE_LOG_H
#define SKERRY_STORE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "tlog/merkle.h"
#include "tlog/note.h"
#include "tlog/tile.h"

#define LOG_BATCH_MAX 16384 /* entries in one append */

/* Signs checkpoints: appends the note of a text.  The key may be elsewhere. */
struct log_signer {
	int (*sign)(void *ctx, struct bytes text, struct buf *note);
	void *ctx;
};

struct log_head {
	uint64_t size;
	struct merkle_hash root;
};

struct log {
	const struct log_ops *ops;
};

struct log_ops {
	/* Adds n entries (1 .. LOG_BATCH_MAX) of at most TILE_ENTRY_MAX bytes,
	 * the first at index *first.  On return they, their tiles and a signed
	 * checkpoint are durable; after a fault none of them is in the log,
	 * unless it was the checkpoint's own sync that failed: then the next
	 * call finds out.  FAULT_LIMIT, FAULT_SPACE, FAULT_IO, the signer's. */
	int (*append)(struct log *l, const struct bytes *entry, size_t n,
	    uint64_t *first, struct fault *f);

	/* The latest signed tree; its note appended to note, if not NULL
	 * (nothing before the first append). */
	int (*head)(struct log *l, struct log_head *out, struct buf *note,
	    struct fault *f);

	/* Shows a signed note, cosignatures and all, to the world.  FAULT_TRUST
	 * where the log did not sign it, FAULT_ROLLBACK below what is public,
	 * FAULT_TAMPERED for another root than the log has at that size. */
	int (*publish)(struct log *l, struct bytes note, struct fault *f);

	/* Appends the bytes of one entry.  FAULT_NOT_FOUND. */
	int (*entry)(struct log *l, uint64_t index, struct buf *out,
	    struct fault *f);

	/* Tiles of any tree up to the latest, for the provers. */
	struct tile_source (*tiles)(struct log *l);

	/* Computes everything again from the entries.  FAULT_TAMPERED. */
	int (*check)(struct log *l, struct fault *f);

	void (*close)(struct log *l);
};

#endif
