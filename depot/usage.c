// SPDX-License-Identifier: Apache-2.0
#include "depot/usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* Prefixes are random, so that their first bytes are as good as a hash. */
#define SLOTS 65536

struct usage_table {
	pthread_mutex_t lock; /* of the chains */
	struct usage *slots[SLOTS];
};

struct usage_table *
usage_new(void)
{
	struct usage_table *t = calloc(1, sizeof(*t));

	if (t != NULL)
		(void)pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
usage_free(struct usage_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		while (t->slots[i] != NULL) {
			struct usage *u = t->slots[i];

			t->slots[i] = u->next;
			(void)pthread_mutex_destroy(&u->head_lock);
			(void)pthread_mutex_destroy(&u->count_lock);
			(void)pthread_mutex_destroy(&u->folder_lock);
			(void)pthread_mutex_destroy(&u->lock);
			free(u);
		}
	}
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

struct usage *
usage_get(struct usage_table *t, const uint8_t prefix[ID_LEN])
{
	struct usage **slot = &t->slots[prefix[0] << 8 | prefix[1]];
	struct usage *u;

	(void)pthread_mutex_lock(&t->lock);
	for (u = *slot; u != NULL; u = u->next)
		if (memcmp(u->prefix, prefix, ID_LEN) == 0)
			break;
	if (u == NULL) {
		u = calloc(1, sizeof(*u));
		if (u != NULL) {
			memcpy(u->prefix, prefix, ID_LEN);
			(void)pthread_mutex_init(&u->head_lock, NULL);
			(void)pthread_mutex_init(&u->count_lock, NULL);
			(void)pthread_mutex_init(&u->folder_lock, NULL);
			(void)pthread_mutex_init(&u->lock, NULL);
			u->next = *slot;
			*slot = u;
		}
	}
	(void)pthread_mutex_unlock(&t->lock);
	return u;
}

bool
usage_known(const struct usage *u)
{
	return atomic_load(&u->folders) == USAGE_FANS;
}

void
usage_removed(struct usage *u, uint8_t folder, uint64_t bytes)
{
	unsigned n = atomic_load(&u->folders);

	/* Files that others put there were never counted. */
	if (folder < n)
		u->bytes -= bytes < u->bytes ? bytes : u->bytes;
	else if (folder == n)
		u->disturbed = true;
}

void
usage_forget_folders(struct usage *u)
{
	u->prefix_durable = false;
	memset(u->durable, 0, sizeof(u->durable));
}

int
usage_reserve(struct usage *u, uint64_t len, uint64_t quota)
{
	uint64_t held = u->bytes + u->reserved;

	if (quota != 0 && (held > quota || len > quota - held))
		return FAULT_LIMIT;
	u->reserved += len;
	return 0;
}
