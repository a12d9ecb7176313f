// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>
#include <unistd.h>

#include "crypt/secret.h"
#include "store/store_dir.h"
#include "test/lib/scrap.h"

static const uint8_t prefix[ID_LEN] = { 1 };
static const uint8_t object[ID_LEN] = { 0xab, 2 };

struct fixture {
	char dir[64];
	struct store *s;
	struct fault f;
};

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/skerry-unit-XXXXXX");
	if (secret_init() != 0 || mkdtemp(x->dir) == NULL)
		return -1;
	*state = x;
	return store_dir_open(x->dir, prefix, &x->s, &x->f);
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	store_close(x->s);
	(void)scrap(x->dir);
	free(x);
	return 0;
}

static int
put(struct fixture *x, const char *text)
{
	return x->s->ops->put(x->s, object, bytes_of(text, strlen(text)),
	    &x->f);
}

static void
keeps_objects_as_the_spec_lays_them_out(void **state)
{
	struct fixture *x = *state;
	char path[256];

	assert_int_equal(put(x, "content"), 0);
	(void)snprintf(path, sizeof(path),
	    "%s/v1/01000000000000000000000000000000/ab/"
	    "ab020000000000000000000000000000", x->dir);
	assert_int_equal(access(path, R_OK), 0);
}

static void
creates_once(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(put(x, "content"), 0);
	assert_int_equal(put(x, "content"), 0);
	assert_int_equal(put(x, "content!"), FAULT_EXISTS);
	assert_int_equal(put(x, "Content"), FAULT_EXISTS);
}

static void
reads_ranges_and_nothing_past_the_end(void **state)
{
	struct fixture *x = *state;
	uint8_t out[7];

	assert_int_equal(put(x, "content"), 0);
	assert_int_equal(x->s->ops->get(x->s, object, 3, 4, out, &x->f), 0);
	assert_memory_equal(out, "tent", 4);
	assert_int_equal(x->s->ops->get(x->s, object, 3, 5, out, &x->f),
	    FAULT_MISSING);
	assert_int_equal(x->s->ops->get(x->s, prefix, 0, 1, out, &x->f),
	    FAULT_MISSING);
}

static void
moves_the_head_only_forward(void **state)
{
	struct fixture *x = *state;
	uint8_t one[STORE_HEAD_LEN] = { 1 }, two[STORE_HEAD_LEN] = { 1 };
	uint8_t other[STORE_HEAD_LEN] = { 1 }, out[STORE_HEAD_LEN];
	struct store *again;

	one[15] = 1;
	two[15] = 2;
	other[15] = 2;
	other[200] = 1;
	assert_int_equal(x->s->ops->head_get(x->s, out, &x->f),
	    FAULT_NOT_FOUND);
	assert_int_equal(x->s->ops->head_put(x->s, one, &x->f), 0);
	assert_int_equal(x->s->ops->head_put(x->s, two, &x->f), 0);
	assert_int_equal(x->s->ops->head_put(x->s, two, &x->f), 0);
	assert_int_equal(x->s->ops->head_put(x->s, one, &x->f),
	    FAULT_CONFLICT);
	assert_int_equal(x->s->ops->head_put(x->s, other, &x->f),
	    FAULT_CONFLICT);
	assert_int_equal(x->s->ops->dup(x->s, &again, &x->f), 0);
	assert_int_equal(again->ops->head_get(again, out, &x->f), 0);
	assert_memory_equal(out, two, sizeof(two));
	store_close(again);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest t[] = {
		T(keeps_objects_as_the_spec_lays_them_out),
		T(creates_once),
		T(reads_ranges_and_nothing_past_the_end),
		T(moves_the_head_only_forward),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
