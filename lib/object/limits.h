// SPDX-License-Identifier: Apache-2.0
/* The limits table of spec/00-conventions.md, and sizes that follow from it. */
#ifndef SKERRY_OBJECT_LIMITS_H
#define SKERRY_OBJECT_LIMITS_H

#define PACK_SIZE 16777216u
#define PACK_MIN 16384u
#define CHUNK_MIN 196608u
#define CHUNK_MAX 2097152u
#define NODE_CUT 65536u
#define NODE_MAX 131072u
#define NODE_ITEMS_MAX 8192u
#define KEY_BYTES_MAX 32767u
#define KEY_NAME_MAX 255u /* NAME_MAX of the spec; limits.h of libc owns that */
#define LINK_TARGET_MAX 4095u /* LINK_MAX of the spec; likewise */
#define INLINE_MAX 4096u
#define XATTR_MAX 1048576u
#define TREE_LEVEL_MAX 12u
#define LIST_LEVEL_MAX 3u
#define BLOCK_ENTRIES 512u
#define SEGMENTS_MAX 64u
#define COMMIT_MAX 8388608u
#define MESSAGE_MAX 1024u
#define OBJECT_MAX 67108864u
#define REQUEST_MAX 65536u
#define CHAIN_MAX 1024u
#define CHAIN_SPARE 16u

#define HASH_LEN 32u      /* treehash, SHA-256 */
#define CHUNK_ID_LEN 32u  /* spec/10: PRF output */
#define SEAL_OVERHEAD 17u /* codec byte and tag */

#endif
