// SPDX-License-Identifier: Apache-2.0
#include "depot/blocks.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct blocks {
	pthread_mutex_t lock; /* of the fields below */
	uint8_t *idle[BLOCKS_MAX];
	size_t nidle, made;
};

struct blocks *
blocks_new(void)
{
	struct blocks *b = calloc(1, sizeof(*b));

	if (b != NULL)
		(void)pthread_mutex_init(&b->lock, NULL);
	return b;
}

void
blocks_free(struct blocks *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->nidle; i++)
		free(b->idle[i]);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

uint8_t *
blocks_take(struct blocks *b)
{
	uint8_t *p = NULL;

	(void)pthread_mutex_lock(&b->lock);
	if (b->nidle != 0) {
		p = b->idle[--b->nidle];
	} else if (b->made < BLOCKS_MAX) {
		p = malloc(BLOCK_LEN);
		b->made += p != NULL;
	}
	(void)pthread_mutex_unlock(&b->lock);
	return p;
}

void
blocks_give(struct blocks *b, uint8_t *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->idle[b->nidle++] = p;
	(void)pthread_mutex_unlock(&b->lock);
}
