// SPDX-License-Identifier: Apache-2.0
/* What the files of the directory backend share. */
#ifndef SKERRY_DEPOT_STORE_DIR_IMPL_H
#define SKERRY_DEPOT_STORE_DIR_IMPL_H

#include <stdatomic.h>

#include "depot/blocks.h"
#include "depot/hex.h"
#include "depot/store.h"
#include "depot/usage.h"

/* "{p}/{ab}/{o}" and its leading parts, below v1. */
#define STORE_DIR_PREFIX_LEN HEX_ID_LEN
#define STORE_DIR_FAN_LEN (HEX_ID_LEN + 3)
#define STORE_DIR_PATH_LEN (STORE_DIR_FAN_LEN + 1 + HEX_ID_LEN)

/* "head", or the name of an upload, in tmp. */
#define STORE_DIR_TMP_LEN 16

struct store_dir {
	struct store base; /* first */
	int root, v1, tmp; /* open folders */
	int lock;          /* held while the process lives */
	atomic_ullong serial; /* names in tmp; unique in this process */
	struct usage_table *usage;
	struct blocks *blocks;
};

struct store_dir_path {
	char prefix[STORE_DIR_PREFIX_LEN + 1];
	char fan[STORE_DIR_FAN_LEN + 1];
	char object[STORE_DIR_PATH_LEN + 1];
};

static inline struct store_dir *
store_dir_of(struct store *s)
{
	return (struct store_dir *)s;
}

void store_dir_path(const struct store_name *name, struct store_dir_path *out);

/* A new file in tmp, open for reading and writing. */
int store_dir_tmp(struct store_dir *d, char name[STORE_DIR_TMP_LEN + 1],
    int *fd_out, struct fault *f) must_check;

/* Makes the prefix's folder durable.  Under u->folder_lock. */
int store_dir_make_prefix(struct store_dir *d, struct usage *u,
    struct fault *f) must_check;

/* Counts a prefix's objects, once; under none of its locks. */
int store_dir_count(struct store_dir *d, struct usage *u,
    struct fault *f) must_check;

bool store_dir_put_ready(struct store *s, const uint8_t prefix[ID_LEN]);
int store_dir_put_begin(struct store *s, const struct store_name *name,
    uint64_t len, uint64_t quota, struct store_upload **out,
    struct fault *f) must_check;
int store_dir_put_write(struct store_upload *u, const void *p, size_t n,
    struct fault *f) must_check;
int store_dir_put_commit(struct store_upload *u, enum store_put *out,
    struct fault *f) must_check;
void store_dir_put_abort(struct store_upload *u);

int store_dir_list(struct store *s, const uint8_t prefix[ID_LEN],
    const uint8_t *after, size_t max, struct store_item *out, size_t *n_out,
    bool *more_out, struct fault *f) must_check;

int store_dir_head_put(struct store *s, const uint8_t prefix[ID_LEN],
    const uint8_t head[STORE_HEAD_LEN], struct fault *f) must_check;
int store_dir_head_get(struct store *s, const uint8_t prefix[ID_LEN],
    uint8_t out[STORE_HEAD_LEN], struct fault *f) must_check;

#endif
