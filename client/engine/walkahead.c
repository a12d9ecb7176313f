// SPDX-License-Identifier: Apache-2.0
/*
 * The items go from the walking thread to the taking one in blocks.
 *
 * Invariants: (1) the blocks are a ring; from tail on `full` of them wait to be
 * taken, or are being taken, and the walking thread fills the one after them;
 * (2) an item of a block holds its folder, until the block is given back, so a
 * block ends after BLOCK_FOLDERS that were entered, or many would be open; (3)
 * anything but an item ends a block, whose fault is that of its last result.
 */
#include "client/engine/walkahead.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 4u
#define BLOCK_ITEMS 128u
#define BLOCK_FOLDERS 8u

struct result {
	int rc;           /* of walk_next */
	size_t key, name; /* offsets in text */
	size_t key_len;
	struct walk_folder *folder; /* held; NULL where there is none */
	int dir;
	struct stat st;
};

struct block {
	struct result result[BLOCK_ITEMS];
	size_t n, folders;
	struct buf text;
	struct fault fault;
};

struct walkahead {
	struct walk *walk; /* borrowed */
	struct progress *progress; /* borrowed */
	bool last;
	pthread_t thread;
	pthread_mutex_t lock; /* over the ring and stop */
	pthread_cond_t filled, emptied;
	size_t tail, full;
	bool stop;
	struct block block[BLOCKS];

	struct block *taking; /* or NULL */
	size_t taken;         /* results of it */
};

static void
empty(struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		walk_folder_leave(b->result[i].folder);
	b->n = b->folders = 0;
	b->text.n = 0;
	b->fault = (struct fault){ 0 };
}

/* 0 or FAULT_MEMORY. */
static int
note(struct block *b, int rc, const struct walk_item *item)
{
	struct result *r = &b->result[b->n];

	*r = (struct result){ .rc = rc };
	if (rc < 0 || rc == WALK_END)
		return 0;
	r->key = b->text.n;
	r->key_len = item->key.n;
	if (buf_append(&b->text, item->key.p, item->key.n) != 0)
		return FAULT_MEMORY;
	if (rc != WALK_ITEM)
		return 0;
	r->name = b->text.n;
	if (buf_append(&b->text, item->name, strlen(item->name) + 1) != 0)
		return FAULT_MEMORY;
	r->st = item->st;
	r->dir = item->dir;
	r->folder = item->folder;
	walk_folder_hold(r->folder);
	b->folders += S_ISDIR(r->st.st_mode);
	return 0;
}

/* Fills an empty block; whether the walk goes on after it. */
static bool
fill(struct walkahead *a, struct block *b)
{
	int rc = WALK_ITEM;

	while (rc == WALK_ITEM && b->n < BLOCK_ITEMS &&
	    b->folders < BLOCK_FOLDERS) {
		struct walk_item item = { 0 };

		rc = walk_next(a->walk, &item, &b->fault);
		if (note(b, rc, &item) != 0) {
			rc = fault_set(&b->fault, FAULT_MEMORY,
			    "out of memory");
			b->result[b->n] = (struct result){ .rc = rc };
		}
		if (rc == WALK_ITEM && S_ISREG(item.st.st_mode))
			progress_expect(a->progress, 1,
			    (uint64_t)item.st.st_size);
		b->n++;
	}
	if (rc <= WALK_END && a->last)
		progress_grows(a->progress, false);
	return rc > WALK_END;
}

static void *
run(void *arg)
{
	struct walkahead *a = arg;
	bool on = true;

	(void)pthread_mutex_lock(&a->lock);
	while (on && !a->stop) {
		if (a->full == BLOCKS) {
			(void)pthread_cond_wait(&a->emptied, &a->lock);
			continue;
		}
		struct block *b = &a->block[(a->tail + a->full) % BLOCKS];

		(void)pthread_mutex_unlock(&a->lock);
		on = fill(a, b);
		(void)pthread_mutex_lock(&a->lock);
		a->full++;
		(void)pthread_cond_signal(&a->filled);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

int
walkahead_new(struct walk *w, struct progress *progress, bool last,
    struct walkahead **out, struct fault *f)
{
	struct walkahead *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	a->walk = w;
	a->progress = progress;
	a->last = last;
	for (size_t i = 0; i < BLOCKS; i++)
		a->block[i].text = buf_init(SIZE_MAX / 2);
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->filled, NULL);
	(void)pthread_cond_init(&a->emptied, NULL);
	rc = pthread_create(&a->thread, NULL, run, a);
	if (rc != 0) {
		free(a);
		return fault_sys(f, FAULT_MEMORY, rc, "starting a thread");
	}
	*out = a;
	return 0;
}

/* Gives back what was taken, and waits for the next. */
static void
next_block(struct walkahead *a)
{
	if (a->taking != NULL)
		empty(a->taking);
	(void)pthread_mutex_lock(&a->lock);
	if (a->taking != NULL) {
		a->tail = (a->tail + 1) % BLOCKS;
		a->full--;
		(void)pthread_cond_signal(&a->emptied);
	}
	while (a->full == 0)
		(void)pthread_cond_wait(&a->filled, &a->lock);
	a->taking = &a->block[a->tail];
	a->taken = 0;
	(void)pthread_mutex_unlock(&a->lock);
}

int
walkahead_next(struct walkahead *a, struct walk_item *out, struct fault *f)
{
	const struct result *r;

	if (a->taking == NULL || a->taken == a->taking->n)
		next_block(a);
	r = &a->taking->result[a->taken++];
	if (r->rc != WALK_ITEM)
		*f = a->taking->fault;
	*out = (struct walk_item){ .folder = r->folder, .dir = r->dir,
		.st = r->st };
	/* A block without either has no text to point into. */
	if (r->key_len != 0)
		out->key = bytes_of(a->taking->text.p + r->key, r->key_len);
	if (r->rc == WALK_ITEM)
		out->name = (const char *)a->taking->text.p + r->name;
	return r->rc;
}

void
walkahead_close(struct walkahead *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->stop = true;
	(void)pthread_cond_signal(&a->emptied);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_join(a->thread, NULL);
	for (size_t i = 0; i < BLOCKS; i++) {
		empty(&a->block[i]);
		buf_wipe(&a->block[i].text);
	}
	(void)pthread_cond_destroy(&a->filled);
	(void)pthread_cond_destroy(&a->emptied);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

void
walkahead_closep(struct walkahead **a)
{
	walkahead_close(*a);
}
