// SPDX-License-Identifier: Apache-2.0
#include "authority/pace.h"

#include <stddef.h>

#define STEP 2   /* seconds; less is a reading between two of them */
#define STOP 600 /* a stop that is no step */

static void
believe(struct pace_kept *k)
{
	k->sure = k->wall;
	k->jumped = 0;
}

/* However far it went back, nothing comes too early by that. */
static void
settle(struct pace_kept *k)
{
	if (k->steady >= PACE_DAY || k->sure >= k->wall)
		believe(k);
	if (k->jumped > k->wall - k->sure)
		k->jumped = k->wall - k->sure;
}

void
pace_start(struct pace *p, const struct pace_kept *kept, int64_t wall,
    int64_t mono)
{
	*p = (struct pace){ .mono = mono };
	p->kept = kept != NULL ? *kept :
	    (struct pace_kept){ .wall = wall, .steady = PACE_DAY };
	if (wall - p->kept.wall > STOP || wall < p->kept.wall)
		p->kept.steady = 0;
	p->kept.wall = wall;
	settle(&p->kept);
}

void
pace_read(struct pace *p, int64_t wall, int64_t mono)
{
	struct pace_kept *k = &p->kept;
	int64_t passed = mono - p->mono, step = wall - k->wall - passed;
	bool stepped = step <= -STEP || step >= STEP;

	p->mono = mono;
	k->wall = wall;
	k->sure += passed;
	k->steady = stepped ? 0 : k->steady + passed;
	if (stepped)
		k->jumped = k->jumped + step > 0 ? k->jumped + step : 0;
	settle(k);
}

int64_t
pace_ahead(const struct pace *p)
{
	return p->kept.wall - p->kept.sure;
}

int64_t
pace_seen(const struct pace *p)
{
	return p->kept.wall - p->kept.jumped;
}
