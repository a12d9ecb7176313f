// SPDX-License-Identifier: Apache-2.0
/* What is refused stays refused, also where there is no memory to say so. */
#include "test/lib/cm.h"

#include <stdlib.h>

#include <jansson.h>

#include "crypt/secret.h"
#include "depot/gate.h"
#include "depot/request.h"

#define TARGET "/v1/00112233445566778899aabbccddeeff/" \
	       "ffeeddccbbaa99887766554433221100"

static unsigned done; /* to the store */

static int
count_remove(struct store *s, const struct store_name *name, struct fault *f)
{
	(void)s, (void)name, (void)f;
	done++;
	return 0;
}

static int
count_commit(struct store_upload *u, enum store_put *out, struct fault *f)
{
	(void)u, (void)out, (void)f;
	done++;
	return FAULT_IO;
}

static void
abort_nothing(struct store_upload *u)
{
	assert_null(u);
}

static void *
no_memory(size_t n)
{
	(void)n;
	return NULL;
}

static void
does_nothing_for_a_stranger_without_memory(void **state)
{
	static const char *const method[] = { "DELETE", "PUT", "POST" };
	static const struct store_ops ops = { .remove = count_remove,
		.put_commit = count_commit, .put_abort = abort_nothing };
	const struct sign_pub key = { .b = { 1 } };
	struct store store = { .ops = &ops };
	struct metrics metrics = { 0 };
	struct request_site site = { .store = &store, .metrics = &metrics,
		.gate = gate_new(&key, 1, "depot") };

	(void)state;
	assert_non_null(site.gate);
	for (size_t i = 0; i < ARRAY_LEN(method); i++) {
		struct request *r = request_new(&site, NULL, TARGET);

		assert_non_null(r);
		json_set_alloc_funcs(no_memory, free);
		request_begin(r, method[i]);
		assert_false(request_opens_slowly(r));
		request_open(r);
		request_body(r, "abc", 3);
		request_finish(r);
		json_set_alloc_funcs(malloc, free);
		assert_null(r->reply.response);
		request_end(r, false);
	}
	assert_int_equal(done, 0);
	gate_free(site.gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_nothing_for_a_stranger_without_memory),
	};

	if (secret_init() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
