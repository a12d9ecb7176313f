// SPDX-License-Identifier: Apache-2.0
#include "client/engine/leaves.h"

/* In a leaf: the window is twice as wide where it is the one after the last. */
static void
set_window(struct leaves *l, uint32_t leaf)
{
	bool on = l->leaf != 0 && (leaf == l->leaf + 1 || leaf < l->leaf);

	l->window = !on ? 0 : l->window == 0 ? 2 : 2 * l->window;
	if (l->window > AHEAD_MAX)
		l->window = AHEAD_MAX;
	l->asked = on && leaf > l->leaf && l->asked != 0 ? l->asked - 1 : 0;
	l->leaf = leaf;
}

void
leaves_ahead(struct leaves *l, struct reader *r, const struct cursor *c,
    struct bytes base)
{
	struct place place[AHEAD_MAX];
	uint32_t leaf = cursor_leaf(c);
	bool cached = r->missed == l->missed;
	size_t n, wanted = 0;

	if (leaf == 0 || leaf == l->leaf)
		return;
	l->missed = r->missed;
	set_window(l, leaf);
	if (cached || l->window == 0 || 2 * l->asked > l->window)
		return;
	n = cursor_ahead(c, base, place, l->window);
	for (size_t i = l->asked; i < n; i++)
		if (!cache_has(&r->space->cache, &place[i]))
			place[wanted++] = place[i];
	l->asked = n;
	if (wanted == 0)
		return;
	if (r->ahead == NULL)
		r->ahead = ahead_new(r->store);
	if (r->ahead != NULL)
		ahead_want(r->ahead, place, wanted);
}
