// SPDX-License-Identifier: Apache-2.0
/* For tests of the engine: a session that is nothing but its struct; with a
 * state, its folder has one named cache. */
#include <fcntl.h>

#include "client/session.h"
#include "client/state.h"
#include "object/head.h"

uint32_t
session_epoch_now(const struct session *s)
{
	uint64_t number;
	uint32_t epoch;

	if (s->has_head && head_clear(bytes_of(s->head, STORE_HEAD_LEN),
	        &epoch, &number) == 0)
		return epoch;
	return s->epochs[0].epoch;
}

int
session_refresh(struct session *s, struct fault *f)
{
	(void)s;
	(void)f;
	return 0;
}

int
session_saw_head(struct session *s, uint64_t number, uint32_t epoch,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	(void)s;
	(void)number;
	(void)epoch;
	(void)head;
	(void)f;
	return 0;
}

void
session_last_seen(const struct session *s, uint64_t *number, uint32_t *epoch)
{
	(void)s;
	*number = 0;
	*epoch = 0;
}

const uint8_t *fake_seen_head;

const uint8_t *
session_seen_head(const struct session *s)
{
	(void)s;
	return fake_seen_head;
}

int
state_cache_dir(const struct state *st, struct fault *f)
{
	int fd = openat(st->fd, "cache", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : fault_set(f, FAULT_CONFIG, "no cache");
}
