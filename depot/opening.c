// SPDX-License-Identifier: Apache-2.0
#include "depot/opening.h"

#include <string.h>

#include "depot/request.h"

bool
opening_begin(struct opening *o, struct request *r)
{
	struct request *p;

	(void)pthread_mutex_lock(&o->lock);
	for (p = o->first; p != NULL; p = p->next_open)
		if (memcmp(p->path.prefix, r->path.prefix, ID_LEN) == 0)
			break;
	if (p != NULL) {
		r->next_open = p->waiting;
		p->waiting = r;
	} else {
		r->next_open = o->first;
		o->first = r;
	}
	(void)pthread_mutex_unlock(&o->lock);
	return p == NULL;
}

struct request *
opening_end(struct opening *o, struct request *r)
{
	struct request **p = &o->first, *waiting;

	(void)pthread_mutex_lock(&o->lock);
	while (*p != r)
		p = &(*p)->next_open;
	*p = r->next_open;
	waiting = r->waiting;
	r->waiting = NULL;
	(void)pthread_mutex_unlock(&o->lock);
	return waiting;
}
