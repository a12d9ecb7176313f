// SPDX-License-Identifier: Apache-2.0
#include "client/engine/effort.h"

void
effort_init(struct effort *e, enum effort_wish wish)
{
	e->wish = wish;
	atomic_store(&e->now, SEAL_USUAL);
	atomic_store(&e->reader_waited, false);
	atomic_store(&e->sealed, 0);
	atomic_store(&e->shorter, 0);
}

enum seal_effort
effort_now(const struct effort *e)
{
	switch (e->wish) {
	case EFFORT_FAST:
		return SEAL_LZ4;
	case EFFORT_MAX:
		return SEAL_ZSTD_6;
	default:
		return (enum seal_effort)atomic_load(&e->now);
	}
}

void
effort_sealed(struct effort *e, size_t plain, uint32_t length)
{
	atomic_fetch_add(&e->sealed, length);
	if (length < plain)
		atomic_fetch_add(&e->shorter, length);
}

void
effort_reader_waits(struct effort *e)
{
	atomic_store(&e->reader_waited, true);
}

static void
step(struct effort *e, bool harder)
{
	bool reader_waited = atomic_exchange(&e->reader_waited, false);
	size_t shorter = atomic_exchange(&e->shorter, 0);
	size_t sealed = atomic_exchange(&e->sealed, 0);
	int now = atomic_load(&e->now);

	if (shorter <= sealed / 2)
		return;
	if (harder && now < SEAL_ZSTD_6)
		atomic_store(&e->now, now + 1);
	else if (!harder && reader_waited && now > SEAL_LZ4)
		atomic_store(&e->now, now - 1);
}

void
effort_uploads_late(struct effort *e)
{
	step(e, true);
}

void
effort_uploads_idle(struct effort *e)
{
	step(e, false);
}
