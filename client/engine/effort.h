// SPDX-License-Identifier: Apache-2.0
/*
 * How hard a put compresses: as hard as costs it no time.  It is told what
 * waits for what, and goes one step at a time.
 *
 *   the workers wait for an upload to end         the network is slow: harder
 *   no upload is left to do, and the reader has
 *   had to wait for the workers                   the processor is: less hard
 *   anything else                                 as before
 *
 * So a slow source, which lets all of them wait, changes nothing.  Nor does
 * what mostly does not get shorter, of which none of this can be the reason.
 * Any thread may call; the last two one at a time.
 */
#ifndef SKERRY_CLIENT_ENGINE_EFFORT_H
#define SKERRY_CLIENT_ENGINE_EFFORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object/seal.h"

enum effort_wish {
	EFFORT_AUTO, /* as above, from SEAL_USUAL on */
	EFFORT_FAST, /* always the least */
	EFFORT_MAX,  /* always the most */
};

struct effort {
	enum effort_wish wish;
	atomic_int now;
	/* Since it was last thought about: */
	atomic_bool reader_waited;
	atomic_size_t sealed, shorter; /* bytes; of them in place of more */
};

/* Begins anew. */
void effort_init(struct effort *e, enum effort_wish wish);

/* For the next piece. */
enum seal_effort effort_now(const struct effort *e);

/* A piece of plain bytes takes length bytes in a pack. */
void effort_sealed(struct effort *e, size_t plain, uint32_t length);

/* The reader waits for a worker. */
void effort_reader_waits(struct effort *e);

/* A worker had to wait for a pack: all were on their way. */
void effort_uploads_late(struct effort *e);

/* An upload has ended, and no pack is on its way. */
void effort_uploads_idle(struct effort *e);

#endif
