// SPDX-License-Identifier: Apache-2.0
/* Faults by composition. */
#include "store/store_fault.h"

#include <stdlib.h>
#include <string.h>

struct store_fault {
	struct store store;
	struct store *inner; /* owned */
	struct store_fault_plan *plan;
};

static struct store_fault *
of(struct store *s)
{
	return (struct store_fault *)s;
}

/* Counts a call; true if it is one that goes wrong. */
static bool
hit(const struct store_fault_plan *plan, atomic_uint *calls, unsigned at)
{
	unsigned n = atomic_fetch_add(calls, 1) + 1;

	return at != 0 && (n == at || (plan->from_there_on && n > at));
}

static int
fail(const struct store_fault_plan *plan, const char *what, struct fault *f)
{
	int code = plan->code != 0 ? plan->code : FAULT_DEPOT;

	return fault_set(f, code, "%s: made to fail", what);
}

static int
put_half(struct store *inner, const uint8_t *object, struct bytes data,
    struct fault *f)
{
	data.n /= 2;
	return inner->ops->put(inner, object, data, f);
}

static int
put_flipped(struct store *inner, const uint8_t *object, struct bytes data,
    struct fault *f)
{
	uint8_t *copy = data.n == 0 ? NULL : malloc(data.n);
	int rc;

	if (copy == NULL)
		return inner->ops->put(inner, object, data, f);
	memcpy(copy, data.p, data.n);
	copy[data.n / 2] ^= 1;
	rc = inner->ops->put(inner, object, bytes_of(copy, data.n), f);
	free(copy);
	return rc;
}

static int
store_fault_put(struct store *base, const uint8_t object[static ID_LEN],
    struct bytes data, struct fault *f)
{
	struct store_fault *s = of(base);
	int rc;

	if (!hit(s->plan, &s->plan->puts, s->plan->put_at))
		return s->inner->ops->put(s->inner, object, data, f);
	if (s->plan->how == STORE_FAULT_FLIP)
		return put_flipped(s->inner, object, data, f);
	if (s->plan->how == STORE_FAULT_REFUSE)
		return fail(s->plan, "put", f);
	if (s->plan->how == STORE_FAULT_TEAR)
		rc = put_half(s->inner, object, data, f);
	else
		rc = s->inner->ops->put(s->inner, object, data, f);
	return rc != 0 ? rc : fail(s->plan, "put", f);
}

static int
store_fault_get(struct store *base, const uint8_t object[static ID_LEN],
    uint64_t offset, size_t len, uint8_t *out, struct fault *f)
{
	struct store_fault *s = of(base);
	bool bad = hit(s->plan, &s->plan->gets, s->plan->get_at);
	int rc;

	if (bad && (s->plan->how == STORE_FAULT_REFUSE ||
		       s->plan->how == STORE_FAULT_LOSE))
		return fail(s->plan, "get", f);
	rc = s->inner->ops->get(s->inner, object, offset, len, out, f);
	if (rc != 0 || !bad || len == 0)
		return rc;
	if (s->plan->how == STORE_FAULT_TEAR)
		memset(out + len / 2, 0, len - len / 2);
	else
		out[len / 2] ^= 1;
	return 0;
}

static int
store_fault_head_get(struct store *base, uint8_t out[static STORE_HEAD_LEN],
    struct fault *f)
{
	struct store_fault *s = of(base);
	struct store_fault_plan *plan = s->plan;
	int rc;

	if (hit(plan, &plan->head_gets, plan->head_get_at))
		return fail(plan, "head mirror", f);
	if (plan->stale_head && atomic_load(&plan->has_head)) {
		memcpy(out, plan->head, STORE_HEAD_LEN);
		return 0;
	}
	rc = s->inner->ops->head_get(s->inner, out, f);
	if (rc == 0 && !atomic_exchange(&plan->has_head, true))
		memcpy(plan->head, out, STORE_HEAD_LEN);
	return rc;
}

static int
store_fault_head_put(struct store *base,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	struct store_fault *s = of(base);
	int rc = 0;

	if (!hit(s->plan, &s->plan->head_puts, s->plan->head_put_at))
		return s->inner->ops->head_put(s->inner, head, f);
	if (s->plan->how == STORE_FAULT_LOSE)
		rc = s->inner->ops->head_put(s->inner, head, f);
	return rc != 0 ? rc : fail(s->plan, "head mirror", f);
}

static int
store_fault_dup(struct store *base, struct store **out, struct fault *f)
{
	struct store_fault *s = of(base);
	struct store *inner;
	int rc = s->inner->ops->dup(s->inner, &inner, f);

	return rc != 0 ? rc : store_fault_open(inner, s->plan, out, f);
}

static void
store_fault_close(struct store *base)
{
	struct store_fault *s = of(base);

	store_close(s->inner);
	free(s);
}

static const struct store_ops ops = {
	.put = store_fault_put,
	.get = store_fault_get,
	.head_get = store_fault_head_get,
	.head_put = store_fault_head_put,
	.dup = store_fault_dup,
	.close = store_fault_close,
};

int
store_fault_open(struct store *inner, struct store_fault_plan *plan,
    struct store **out, struct fault *f)
{
	struct store_fault *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		store_close(inner);
		return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	s->store.ops = &ops;
	s->inner = inner;
	s->plan = plan;
	*out = &s->store;
	return 0;
}
