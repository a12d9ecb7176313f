// SPDX-License-Identifier: Apache-2.0
/* Choice of a search for cuts by vectors. */
#include "crypt/window_impl.h"

#include <stdlib.h>

#include "base/fault.h"
#include "crypt/secret.h"

struct window {
	const struct window_ops *ops;
	void *ctx; /* owned; secret memory */
};

static const struct {
	const char *name;
	const struct window_ops *ops; /* NULL: not in this build */
} searches[WINDOW_KINDS] = {
#ifdef SKERRY_HAVE_WINDOW
	[WINDOW_AVX512] = { "avx512", &window_avx512 },
	[WINDOW_AVX2] = { "avx2", &window_avx2 },
#else
	[WINDOW_AVX512] = { "avx512", NULL },
	[WINDOW_AVX2] = { "avx2", NULL },
#endif
};

const char *
window_name(enum window_kind kind)
{
	return searches[kind].name;
}

bool
window_usable(enum window_kind kind)
{
	const struct window_ops *ops = searches[kind].ops;

	return ops != NULL && ops->usable();
}

int
window_new(enum window_kind kind, const uint8_t key[static PRP_KEY_LEN],
    struct window **out)
{
	struct window *w;
	int rc;

	if (!window_usable(kind))
		return FAULT_INTERNAL;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return FAULT_MEMORY;
	w->ops = searches[kind].ops;
	rc = w->ops->new(key, &w->ctx);
	if (rc != 0) {
		free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void
window_free(struct window *w)
{
	if (w == NULL)
		return;
	secret_free(w->ctx);
	free(w);
}

size_t
window_find(struct window *w, const uint8_t *p, size_t from, size_t to)
{
	return w->ops->find(w->ctx, p, from, to);
}
