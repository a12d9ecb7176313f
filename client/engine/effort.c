// SPDX-License-Identifier: Apache-2.0
#include "client/engine/effort.h"

#include "object/limits.h"

void
effort_init(struct effort *e, enum effort_wish wish)
{
	e->wish = wish;
	atomic_store(&e->now, SEAL_USUAL);
	atomic_store(&e->reader_waited, false);
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
	if (length < plain)
		atomic_fetch_add(&e->shorter, length);
}

void
effort_reader_waits(struct effort *e)
{
	atomic_store(&e->reader_waited, true);
}

void
effort_pack_begun(struct effort *e, bool uploads_late, bool uploads_idle)
{
	bool reader_waited = atomic_exchange(&e->reader_waited, false);
	unsigned shorter = atomic_exchange(&e->shorter, 0);
	int now = atomic_load(&e->now);

	if (shorter < PACK_SIZE / 2)
		return;
	if (uploads_late && now < SEAL_ZSTD_6)
		now++;
	else if (uploads_idle && reader_waited && now > SEAL_LZ4)
		now--;
	atomic_store(&e->now, now);
}
