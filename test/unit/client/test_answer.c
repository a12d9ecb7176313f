// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "client/answer.h"
#include "net/text.h"

static char chain_entry[TEXT_B64_SIZE(CHAIN_ENTRY_LEN)];
static char sealed[TEXT_B64_SIZE(ANSWER_SEALED_LEN)];
static char head[TEXT_B64_SIZE(STORE_HEAD_LEN)];
static char blob[TEXT_B64_SIZE(ANSWER_SEALED_LEN)];

#define ID "00112233445566778899aabbccddeeff"
#define DEPOT "{\"name\":\"d\",\"prefix\":\"" ID "\",\"capability\":\"v4.x\"}"
#define SESSION                                                           \
	"{\"now\":5,\"chain\":[\"%s\"],\"chain_length\":1,\"keys\":"      \
	"[{\"epoch\":1,\"kind\":\"authority\",\"sealed\":\"%s\"}],"         \
	"\"lease\":60,\"head\":\"%s\",\"depot\":" DEPOT ",\"custody\":"    \
	"{\"current\":\"AAAA\",\"sets\":[\"AQID\",\"AQ==\"],"             \
	"\"announced\":null}}"

static int
setup(void **state)
{
	static const uint8_t zero[STORE_HEAD_LEN];

	(void)state;
	text_b64(zero, CHAIN_ENTRY_LEN, chain_entry, sizeof(chain_entry));
	text_b64(zero, ANSWER_SEALED_LEN, sealed, sizeof(sealed));
	text_b64(zero, STORE_HEAD_LEN, head, sizeof(head));
	text_b64(zero, ANSWER_SEALED_LEN, blob, sizeof(blob));
	return 0;
}

static int
session(const char *text, struct answer_session *out)
{
	uint8_t *copy = cm_exact(text, strlen(text));
	int rc = answer_read_session(bytes_of(copy, strlen(text)), out);

	free(copy);
	return rc;
}

static void
reads_a_session(void **state)
{
	struct answer_session *s = calloc(1, sizeof(*s));
	char text[4096];

	(void)state;
	(void)snprintf(text, sizeof(text), SESSION, chain_entry, sealed, head);
	assert_int_equal(session(text, s), 0);
	assert_int_equal(s->chain.n, CHAIN_ENTRY_LEN);
	assert_int_equal(s->nkeys, 1);
	assert_int_equal(s->lease, 60);
	assert_true(s->has_head);
	assert_string_equal(s->depot, "d");
	assert_int_equal(s->custody.current.n, 3);
	assert_int_equal(s->custody.sets.n, 8);
	assert_memory_equal(s->custody.sets.p, "\0\3\1\2\3\0\1\1", 8);
	assert_int_equal(s->custody.announced.n, 0);
	answer_wipe_session(s);
	free(s);
}

/* Every prefix, and the good answer with one piece of text replaced. */
static void
refuses_hostile_sessions(void **state)
{
	static const struct {
		const char *from, *to;
	} edit[] = {
		{ "\"now\":5", "\"now\":-1" },
		{ "\"now\":5", "\"now\":5.0" },
		{ "\"now\":5", "\"now\":\"5\"" },
		{ "\"now\":5", "\"now\":5,\"now\":6" },
		{ "\"now\":5", "\"now\":5,\"more\":1" },
		{ "\"now\":5", "\"now\":99999999999999999999" },
		{ "\"now\":5,", "" },
		{ "\"chain_length\":1", "\"chain_length\":0" },
		{ "\"chain_length\":1", "\"chain_length\":1025" },
		{ "\"chain_length\":1", "\"chain_length\":4294967297" },
		{ "\"chain\":[\"A", "\"chain\":[\"=" },
		{ "\"chain\":[\"AAAA", "\"chain\":[\"" },
		{ "\"chain\":[", "\"chain\":[{}," },
		{ "\"epoch\":1", "\"epoch\":0" },
		{ "\"epoch\":1", "\"epoch\":4294967296" },
		{ "\"epoch\":1", "\"epoch\":true" },
		{ "\"epoch\":1,", "" },
		{ "[{\"epoch\"", "[[],{\"epoch\"" },
		{ "\"sealed\":\"AAAA", "\"sealed\":\"" },
		{ "\"lease\":60", "\"lease\":0" },
		{ "\"lease\":60", "\"lease\":99999999" },
		{ "\"head\":\"AAAA", "\"head\":\"" },
		{ "\"head\":\"AAAA", "\"head\":\"AA\\u0000A" },
		{ "\"name\":\"d\"", "\"name\":\"\"" },
		{ "\"name\":\"d\"", "\"name\":\"a b\"" },
		{ "\"name\":\"d\"", "\"name\":\"d\\u0000\"" },
		{ "\"prefix\":\"00", "\"prefix\":\"0G" },
		{ "\"prefix\":\"00", "\"prefix\":\"" },
		{ "v4.x", "v4.x\\r\\nHost: x" },
		{ "{\"now\"", "[{\"now\"" },
		{ "\"kind\":\"authority\"", "\"kind\":\"other\"" },
		{ "\"kind\":\"authority\"", "\"kind\":\"share\"" },
		{ "\"kind\":\"authority\"", "\"kind\":\"device\",\"index\":1" },
		{ "\"current\":\"AAAA", "\"current\":\"" },
		{ "\"current\":\"AAAA", "\"current\":\"A===" },
		{ "\"sets\":[", "\"sets\":[1," },
		{ "\"announced\":null", "\"announced\":[]" },
		{ ",\"announced\":null", "" },
	};
	struct answer_session *s = calloc(1, sizeof(*s));
	char good[4096], bad[8192];

	(void)state;
	(void)snprintf(good, sizeof(good), SESSION, chain_entry, sealed, head);
	for (size_t i = 0; i < ARRAY_LEN(edit); i++) {
		const char *at = strstr(good, edit[i].from);

		assert_non_null(at);
		(void)snprintf(bad, sizeof(bad), "%.*s%s%s", (int)(at - good),
		    good, edit[i].to, at + strlen(edit[i].from));
		if (session(bad, s) != FAULT_MALFORMED)
			fail_msg("taken: %s", edit[i].to);
		assert_null(s->chain.p);
	}
	for (size_t n = 0; n < strlen(good); n++) {
		memcpy(bad, good, n);
		bad[n] = '\0';
		assert_int_equal(session(bad, s), FAULT_MALFORMED);
	}
	free(s);
}

static void
refuses_deep_nesting(void **state)
{
	struct answer_session *s = calloc(1, sizeof(*s));
	size_t n = 500000;
	char *deep = malloc(n + 1);

	(void)state;
	memset(deep, '[', n);
	deep[n] = '\0';
	assert_int_equal(session(deep, s), FAULT_MALFORMED);
	free(deep);
	free(s);
}

static int
error(const char *text, struct answer_error *e)
{
	return answer_read_error(bytes_of(text, strlen(text)), e);
}

static void
maps_the_codes_of_errors(void **state)
{
	static const struct {
		const char *name;
		int code;
	} t[] = {
		{ "CLOCK", FAULT_CLOCK },
		{ "DENIED", FAULT_DENIED },
		{ "CONFLICT", FAULT_CONFLICT },
		{ "SPACE", FAULT_SPACE },
		{ "INTERNAL", FAULT_AUTHORITY },
		{ "INTERRUPTED", 0 },
		{ "OK", 0 },
		{ "", 0 },
	};
	struct answer_error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text),
		    "{\"error\":{\"code\":\"%s\",\"text\":\"why\"},\"now\":7}",
		    t[i].name);
		assert_int_equal(error(text, &e),
		    t[i].code != 0 ? 0 : FAULT_MALFORMED);
		assert_int_equal(e.code, t[i].code);
	}
}

static void
reads_the_head_and_the_chain_of_a_conflict(void **state)
{
	struct answer_error e;
	char text[4096];

	(void)state;
	(void)snprintf(text, sizeof(text), "{\"error\":{\"code\":\"CONFLICT\","
	    "\"text\":\"\"},\"now\":7,\"head\":\"%s\"}", head);
	assert_int_equal(error(text, &e), 0);
	assert_true(e.has_head);
	assert_int_equal(error("{\"error\":{\"code\":\"CONFLICT\",\"text\":"
		"\"\"},\"now\":7,\"head\":null}", &e), 0);
	assert_false(e.has_head);
	(void)snprintf(text, sizeof(text), "{\"error\":{\"code\":\"CONFLICT\","
	    "\"text\":\"\"},\"now\":7,\"chain\":[\"%s\",\"%s\"]}", chain_entry,
	    chain_entry);
	assert_int_equal(error(text, &e), 0);
	assert_int_equal(e.chain.n, 2 * CHAIN_ENTRY_LEN);
	buf_wipe(&e.chain);
}

static void
small_answers_have_one_form(void **state)
{
	struct buf sets defer(buf_wipe) = buf_init(100);
	struct answer_slot slot[2];
	char text[512];
	uint64_t v;
	size_t n;

	(void)state;
#define B(s) bytes_of(s, strlen(s))
	assert_int_equal(answer_read_empty(B("{}"), NULL), 0);
	assert_int_equal(answer_read_empty(B("{\"a\":1}"), NULL),
	    FAULT_MALFORMED);
	assert_int_equal(answer_read_empty(B("[]"), NULL),
	    FAULT_MALFORMED);
	assert_int_equal(answer_read_empty(B("{} x"), NULL),
	    FAULT_MALFORMED);
	assert_int_equal(answer_read_number(B("{\"seq\":3}"), "seq", &v,
	    NULL), 0);
	assert_int_equal(v, 3);
	assert_int_equal(answer_read_number(B("{\"seq\":-3}"), "seq", &v, NULL),
	    FAULT_MALFORMED);
	assert_int_equal(answer_read_number(B("{\"number\":3}"), "seq", &v,
	    NULL), FAULT_MALFORMED);
	(void)snprintf(text, sizeof(text),
	    "{\"keyslots\":[{\"epoch\":1,\"blob\":\"%s\"}]}", blob);
	assert_int_equal(answer_read_slots(B(text), slot, 2, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(answer_read_slots(B(text), slot, 0, &n),
	    FAULT_MALFORMED);
	assert_int_equal(answer_read_sets(B("{\"sets\":[]}"), &sets), 0);
	assert_int_equal(answer_read_sets(B("{\"sets\":[\"AQID\",\"AQ==\"]}"),
	    &sets), 0);
	assert_int_equal(sets.n, 8);
	assert_memory_equal(sets.p, "\0\3\1\2\3\0\1\1", 8);
	assert_int_equal(answer_read_sets(B("{\"sets\":[],\"more\":1}"),
	    &sets), FAULT_MALFORMED);
	assert_int_equal(answer_read_sets(B("{\"sets\":[\"A\"]}"), &sets),
	    FAULT_MALFORMED);
	assert_int_equal(answer_read_sets(B("{}"), &sets), FAULT_MALFORMED);
#undef B
}

static int
requests(const char *text, struct answer_requests *out)
{
	uint8_t *copy = cm_exact(text, strlen(text));
	int rc = answer_read_requests(bytes_of(copy, strlen(text)), out);

	free(copy);
	return rc;
}

#define LEAF_KEY "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""
#define OPENED "{\"index\":3,\"key\":" LEAF_KEY ",\"body\":\"R28=\"}"
#define GAGGED "{\"index\":9,\"until\":5}"
#define LIST(x, next) "{\"requests\":[" x "],\"next\":" next "}"

static void
reads_what_is_published_of_requests(void **state)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{\"requests\":[]}", LIST("", "0"),
		LIST(GAGGED, "9"), LIST(GAGGED, "-1"), LIST(GAGGED, "\"10\""),
		LIST(GAGGED "," OPENED, "null"), LIST(GAGGED "," GAGGED, "10"),
		LIST("1", "null"), LIST("{}", "null"),
		LIST("{\"index\":9}", "null"),
		LIST("{\"index\":9,\"until\":0}", "null"),
		LIST("{\"index\":-1,\"until\":5}", "null"),
		LIST("{\"index\":9,\"until\":5,\"key\":" LEAF_KEY "}",
		    "null"),
		LIST("{\"index\":9,\"key\":" LEAF_KEY "}", "null"),
		LIST("{\"index\":9,\"body\":\"R28=\"}", "null"),
		LIST("{\"index\":9,\"key\":" LEAF_KEY ",\"body\":\"\"}",
		    "null"),
		LIST("{\"index\":9,\"key\":" LEAF_KEY ",\"body\":5}", "null"),
		LIST("{\"index\":9,\"key\":\"AAAA\",\"body\":\"R28=\"}",
		    "null"),
		LIST("{\"index\":9,\"key\":" LEAF_KEY ",\"until\":5}", "null"),
	};
	struct answer_requests r;

	(void)state;
	assert_int_equal(requests(LIST("", "null"), &r), 0);
	assert_int_equal(r.n, 0);
	answer_wipe_requests(&r);
	assert_int_equal(requests(LIST(OPENED "," GAGGED, "10"), &r), 0);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.request[0].until, 0);
	assert_int_equal(bytes_cmp(r.request[0].body, bytes_of("Go", 2)), 0);
	assert_int_equal(r.request[1].index, 9);
	assert_int_equal(r.request[1].until, 5);
	assert_true(r.more && r.next == 10);
	answer_wipe_requests(&r);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (requests(bad[i], &r) != FAULT_MALFORMED)
			fail_msg("taken: %s", bad[i]);
}

/* Of "{}" with n proofs. */
static int
proofs(size_t n, struct answer_log *out)
{
	struct buf b defer(buf_wipe) = buf_init(ANSWER_MAX);

#define ADD(s) assert_int_equal(buf_append(&b, s, strlen(s)), 0)
	ADD("{\"log\":{\"checkpoint\":\"c\",\"consistency\":[],"
	    "\"proofs\":[\"p\"");
	for (size_t i = 1; i < n; i++)
		ADD(",\"p\"");
	ADD("]}}");
#undef ADD
	return answer_read_empty(buf_bytes(&b), out);
}

/* A holder that learns of an account has an entry for each of its chain. */
static void
takes_proofs_of_what_a_request_has_room_for(void **state)
{
	struct answer_log log;

	(void)state;
	assert_true(ANSWER_PROOFS_MAX >= 65536 / strlen(chain_entry));
	assert_int_equal(proofs(ANSWER_PROOFS_MAX, &log), 0);
	assert_int_equal(log.nproofs, ANSWER_PROOFS_MAX);
	answer_wipe_log(&log);
	assert_int_equal(proofs(ANSWER_PROOFS_MAX + 1, &log),
	    FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(reads_a_session),
		cmocka_unit_test(refuses_hostile_sessions),
		cmocka_unit_test(refuses_deep_nesting),
		cmocka_unit_test(maps_the_codes_of_errors),
		cmocka_unit_test(reads_the_head_and_the_chain_of_a_conflict),
		cmocka_unit_test(small_answers_have_one_form),
		cmocka_unit_test(reads_what_is_published_of_requests),
		cmocka_unit_test(takes_proofs_of_what_a_request_has_room_for),
	};

	return cmocka_run_group_tests(t, setup, NULL);
}
