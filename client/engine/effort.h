// SPDX-License-Identifier: Apache-2.0
/*
 * How hard a put compresses: as hard as costs it no time.  It is told what
 * waits for what, and goes one step at a time.
 *
 *   workers wait for an upload to end     the network is slow: harder
 *   an upload waits for a full pack, and
 *   the reader for the workers            the processor is: less hard
 *   anything else                         as before
 *
 * So a slow source, which lets all of them wait, changes nothing.  Nor does a
 * pack of what does not get shorter, of which none of this can be the reason.
 * Any thread may call.
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
	/* Since the last pack was begun: */
	atomic_bool reader_waited;
	atomic_uint shorter; /* bytes that took the place of more */
};

/* Begins anew. */
void effort_init(struct effort *e, enum effort_wish wish);

/* For the next piece. */
enum seal_effort effort_now(const struct effort *e);

/* A piece of plain bytes takes length bytes in a pack. */
void effort_sealed(struct effort *e, size_t plain, uint32_t length);

/* The reader waits for a worker. */
void effort_reader_waits(struct effort *e);

/* A pack is begun, which had to be waited for (uploads_late), or while an
 * upload has nothing to do (uploads_idle). */
void effort_pack_begun(struct effort *e, bool uploads_late, bool uploads_idle);

#endif
