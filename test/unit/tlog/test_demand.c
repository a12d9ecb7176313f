// SPDX-License-Identifier: Apache-2.0
/* The frozen vectors of requests, and which state follows which.  The
 * environment names their directory: SKERRY_VECTORS. */
#include "test/lib/hex.h"

#include <stdio.h>

#include <jansson.h>

#include "base/fault.h"
#include "crypt/secret.h"
#include "tlog/demand.h"
#include "tlog/leaf.h"

static const char *
text(const json_t *j, const char *field)
{
	const char *s = json_string_value(json_object_get(j, field));

	assert_non_null(s);
	return s;
}

/* [log] What a reader makes of an entry and its opening. */
static int
read_request(struct bytes entry, const struct leaf_key *key,
    struct bytes body)
{
	struct buf again defer(buf_wipe) = buf_init(DEMAND_PUBLIC_MAX);
	struct demand d;
	struct leaf l;
	int rc = leaf_decode(entry, &l);

	if (rc == 0)
		rc = demand_read(l.open, &d);
	if (rc != 0)
		return rc;
	assert_int_equal(demand_write(&d, &again), 0);
	assert_int_equal(bytes_cmp(l.open, buf_bytes(&again)), 0);
	rc = demand_text_check(body);
	return rc != 0 ? rc : leaf_open(&l, key, body);
}

static void
reads_the_vectors_as_frozen(void **state)
{
	char path[1024];
	struct leaf_log_key desk;
	json_t *j, *c;
	size_t i;

	(void)state;
	assert_non_null(getenv("SKERRY_VECTORS"));
	(void)snprintf(path, sizeof(path), "%s/log/request.json",
	    getenv("SKERRY_VECTORS"));
	j = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	hex_to(text(j, "desk_key"), desk.b, KEY_LEN);
	json_array_foreach(json_object_get(j, "cases"), i, c) {
		size_t n, m;
		uint8_t *entry = hex_new(text(c, "bytes"), &n);
		uint8_t *body = hex_new(text(c, "body"), &m);
		struct leaf_key key, made;
		struct leaf l;
		int rc;

		hex_to(text(c, "key"), key.b, KEY_LEN);
		rc = read_request(bytes_of(entry, n), &key,
		    bytes_of(body, m));
		if (strcmp(fault_name(rc), rc == 0 ? "OK" :
			text(c, "result")) != 0 ||
		    (rc == 0 && strcmp(text(c, "result"), "OK") != 0))
			fail_msg("%s: %s", text(c, "name"), fault_name(rc));
		if (rc == 0) {
			assert_int_equal(leaf_decode(bytes_of(entry, n), &l),
			    0);
			leaf_key(&desk, l.nonce, &made);
			assert_memory_equal(&made, &key, sizeof(key));
		}
		free(entry);
		free(body);
	}
	assert_in_range(i, 30, 1000);
	json_decref(j);
}

static void
follows_the_table_alone(void **state)
{
	static const char *const next[] = { "1", "234", "345", "", "", "" };

	(void)state;
	for (uint8_t last = 0; last < 8; last++)
		for (uint8_t to = 0; to < 8; to++)
			assert_int_equal(demand_follows(last, to),
			    last < ARRAY_LEN(next) &&
			    strchr(next[last], '0' + to) != NULL);
	assert_false(demand_follows(DEMAND_ENTERED, 255));
}

static void
names_states_both_ways(void **state)
{
	(void)state;
	for (uint8_t i = DEMAND_ENTERED; i <= DEMAND_SERVED; i++)
		assert_int_equal(demand_state_find(demand_state_name(i)), i);
	assert_string_equal(demand_state_name(9), "unknown");
	assert_int_equal(demand_state_find("unknown"), 0);
	assert_int_equal(demand_state_find(""), 0);
}

static void
writes_only_what_it_reads(void **state)
{
	struct buf out defer(buf_wipe) = buf_init(DEMAND_PUBLIC_MAX);
	struct demand d = { .state = DEMAND_SERVED, .jurisdiction = "ch",
		.until = DEMAND_UNTIL_MAX }, bad;

	(void)state;
	assert_int_equal(demand_write(&d, &out), 0);
	assert_int_equal(out.n, DEMAND_PUBLIC_MAX);
	for (size_t n = 0; n < out.n; n++) {
		uint8_t *p = cm_exact(out.p, n);

		assert_int_equal(demand_read(bytes_of(p, n), &bad), n == 19 ?
		    0 : FAULT_MALFORMED);
		free(p);
	}
	bad = d;
	bad.until++;
	assert_int_equal(demand_write(&bad, &out), FAULT_MALFORMED);
	bad = d;
	bad.state = DEMAND_SERVED + 1;
	assert_int_equal(demand_write(&bad, &out), FAULT_MALFORMED);
	bad = d;
	bad.jurisdiction[1] = 'H';
	assert_int_equal(demand_write(&bad, &out), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_the_vectors_as_frozen),
		cmocka_unit_test(follows_the_table_alone),
		cmocka_unit_test(names_states_both_ways),
		cmocka_unit_test(writes_only_what_it_reads),
	};

	return secret_init() != 0 || cmocka_run_group_tests(t, NULL, NULL);
}
