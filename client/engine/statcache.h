// SPDX-License-Identifier: Apache-2.0
/*
 * What a put saw of each file: a fingerprint of its stat, and one of the entry
 * that it became.  While both still hold, the next put takes the entry as it is
 * and does not open the file.  One file per source, in key order, read and
 * written as streams.  Losing it costs reading the files again.
 *
 *   file   = "SKSTAT1" 0x00, item ..., u64 XOR of all fingerprints
 *   item   = u16 shared, u16 rest, key bytes [rest], u64 stat, u64 entry
 *   end    = u16 0xffff
 */
#ifndef SKERRY_CLIENT_ENGINE_STATCACHE_H
#define SKERRY_CLIENT_ENGINE_STATCACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

struct statcache;

/* dir: the space's cache folder, not taken; source and key: what is put where.
 * dedup keys the fingerprints; what was noted while other chunks were lost
 * (lost.h) does not count.  Never fails: without memory or a file, nothing is
 * ever found and nothing kept.  NULL is fine for every function below. */
struct statcache *statcache_open(int dir, const char *source,
    struct bytes key, struct bytes lost, const struct dedup_key *dedup);

/* Fingerprints. */
uint64_t statcache_stat(const struct statcache *c, const struct stat *st);
uint64_t statcache_entry(const struct statcache *c, struct bytes raw);

/* The fingerprints of key in the last put; keys must be asked for in ascending
 * order.  false: not there. */
bool statcache_find(struct statcache *c, struct bytes key, uint64_t *stat_out,
    uint64_t *entry_out);

/* Notes key for the next put; ascending. */
void statcache_note(struct statcache *c, struct bytes key, uint64_t stat_fp,
    uint64_t entry_fp);

/* Whether a file last changed at such a time can be told from one that changes
 * again right now: too close to the clock, and it is not noted. */
bool statcache_settled(const struct stat *st);

/* keep: what was noted may replace the last put's; else it is dropped.  Frees.
 */
void statcache_close(struct statcache *c, bool keep);

/* What was noted and kept for the same source replaces the last put's. */
void statcache_commit(int dir, const char *source, struct bytes key,
    const struct dedup_key *dedup);

#endif
