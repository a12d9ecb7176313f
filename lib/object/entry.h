// SPDX-License-Identifier: Apache-2.0
/* What the tree maps a key to: spec/30-tree.md, Entry. */
#ifndef SKERRY_OBJECT_ENTRY_H
#define SKERRY_OBJECT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/rd.h"
#include "base/wr.h"
#include "object/limits.h"

enum entry_type {
	ENTRY_FILE = 1,
	ENTRY_FOLDER,
	ENTRY_SYMLINK,
	ENTRY_FIFO,
	ENTRY_SOCKET,
	ENTRY_CHAR,
	ENTRY_BLOCK,
};

/* Longest encoded entry: a file with inline attributes, a link id, a list. */
#define ENTRY_LEN_MAX (24u + 8u + 4u + INLINE_MAX + 13u + INLINE_MAX)

/* Named as the tree's entry, for the index has entries too. */
struct tree_entry {
	enum entry_type type;
	uint16_t mode; /* low 12 bits */
	uint32_t uid, gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec; /* below 10^9 */
	uint64_t link;       /* 0: not a hard link */

	struct bytes attrs;       /* borrowed; empty: none inline */
	uint32_t attrs_chunk_len; /* 0: not in a chunk */
	uint8_t attrs_id[CHUNK_ID_LEN];

	uint64_t size;     /* files; below 2^63 */
	uint8_t level;     /* files: of list */
	struct bytes list; /* files: borrowed; see list.h */

	struct bytes target;   /* symlinks: borrowed, no NUL */
	uint32_t major, minor; /* devices */
};

/* Reads one entry, which carries no length of its own; what it borrows is
 * r's.  Checks everything, attributes and list too; fails r. */
void entry_read(struct rd *r, struct tree_entry *out);

/* Of exactly in.n bytes.  FAULT_MALFORMED. */
int entry_decode(struct bytes in, struct tree_entry *out) must_check;

/* Appends one; fields that its type has not are ignored.  FAULT_MALFORMED
 * where entry_decode would refuse it (nothing is appended then),
 * FAULT_LIMIT, FAULT_MEMORY. */
int entry_encode(const struct tree_entry *e, struct buf *out) must_check;

#endif
