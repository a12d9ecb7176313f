// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "crypt/paseto.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/policy.h"
#include "tlog/note.h"

#define KEY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define LOG                                                                  \
	"a.example/log+019349de+"                                            \
	"AeOwxEKY/BwUmvv0yJlvuSQnrkHkZJuTTKSVmRt4UrhV"
#define AUTHORITY                                                            \
	"{\"name\":\"alpha\",\"jurisdiction\":\"ch\","                       \
	"\"url\":\"https://a.example\",\"ca\":\"PEM\",\"intake\":\"" KEY     \
	"\",\"signing\":\"" KEY "\",\"log\":\"" LOG "\"}"
#define DEPOT(name, where)                                                   \
	"{\"name\":\"" name "\",\"jurisdiction\":\"" where                   \
	"\",\"url\":\"https://d.example:1\",\"ca\":\"PEM\"}"
#define RESIDENCY(where, depots, keys)                                       \
	"{\"name\":\"spain\",\"jurisdiction\":\"" where                      \
	"\",\"depots\":[" depots "],\"keys\":[" keys "]}"
#define POLICY(a, d, r)                                                      \
	"{\"v\":1,\"serial\":7,\"issued\":5,\"authorities\":[" a             \
	"],\"depots\":[" d "],\"residencies\":[" r "]}"
#define DEPOTS DEPOT("madrid", "es") "," DEPOT("zurich", "ch")
#define GOOD                                                                 \
	POLICY(AUTHORITY, DEPOTS, RESIDENCY("es", "\"madrid\"", "\"ch\""))

static struct sign_key key;
static struct sign_pub pub;

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static int
sign(const char *json, struct buf *out, struct fault *f)
{
	return policy_sign(text(json), &key, out, f);
}

static void
loads_what_it_signed(void **state)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p defer(policy_freep) = NULL;
	const struct policy_residency *r;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(sign(GOOD, &file, &f), 0);
	assert_int_equal(policy_load(buf_bytes(&file), &pub, &p, &f), 0);
	assert_int_equal(p->serial, 7);
	assert_memory_equal(&p->signer, &pub, sizeof(pub));
	assert_string_equal(policy_find_authority(p, "alpha")->jurisdiction,
	    "ch");
	assert_string_equal(policy_find_depot(p, "madrid")->url,
	    "https://d.example:1");
	assert_null(policy_find_depot(p, "nowhere"));
	r = policy_find_residency(p, "spain");
	assert_true(policy_allows(r, "madrid"));
	assert_false(policy_allows(r, "zurich"));
}

static void
refuses_another_signer(void **state)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p = NULL;
	struct sign_key other_key;
	struct sign_pub other;
	struct fault f = { 0 };

	(void)state;
	sign_new(&other_key, &other);
	assert_int_equal(sign(GOOD, &file, &f), 0);
	assert_int_equal(policy_load(buf_bytes(&file), &other, &p, &f),
	    FAULT_TRUST);
	assert_null(p);
}

static void
refuses_rules_broken(void **state)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ POLICY(AUTHORITY, DEPOTS,
		      RESIDENCY("es", "\"madrid\"", "\"ch\",\"es\"")),
		    "spain: its keys may be in es" },
		{ POLICY(AUTHORITY, DEPOTS,
		      RESIDENCY("es", "\"madrid\",\"zurich\"", "\"ch\"")),
		    "spain: depot zurich is in ch" },
		{ POLICY(AUTHORITY, DEPOTS,
		      RESIDENCY("es", "\"lisboa\"", "\"ch\"")),
		    "spain: depot lisboa is not defined" },
		{ POLICY(AUTHORITY, DEPOTS,
		      RESIDENCY("es", "\"madrid\"", "\"is\"")),
		    "spain: no authority" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
		struct fault f = { 0 };

		assert_int_equal(sign(bad[i].json, &file, &f), FAULT_CONFIG);
		assert_non_null(strstr(f.text, bad[i].says));
		assert_int_equal(file.n, 0);
	}
}

static void
says_what_is_malformed(void **state)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "{\n\"v\":1,\n]", "policy: line 3: " },
		{ "{\"v\":1,\"serial\":1}", "Object item not found: issued" },
		{ "{\"v\":1,\"serial\":0,\"issued\":5,\"authorities\":[],"
		  "\"depots\":[],\"residencies\":[]}", "serial from 1 on" },
		{ "{\"v\":1,\"serial\":1,\"issued\":5,\"authorities\":[],"
		  "\"depots\":[],\"residencies\":[]}",
		    "authorities: a list that is not empty" },
		{ "{\"v\":1,\"serial\":1,\"issued\":5,\"authorities\":["
		  "{\"name\":\"a\"}],\"depots\":[],\"residencies\":[]}",
		    "authorities, number 1: Object item not found" },
		{ POLICY(AUTHORITY, "", RESIDENCY("es", "\"madrid\"",
			"\"ch\"")), "depots: a list that is not empty" },
		{ POLICY(AUTHORITY, DEPOTS "," DEPOTS, RESIDENCY("es",
			"\"madrid\"", "\"ch\"")),
		    "depots, number 3: its name is that of another" },
		{ POLICY(AUTHORITY, DEPOTS, RESIDENCY("ES", "\"madrid\"",
			"\"ch\"")), "residencies, number 1: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
		struct fault f = { 0 };

		assert_int_equal(sign(bad[i].json, &file, &f),
		    FAULT_MALFORMED);
		if (strstr(f.text, bad[i].says) == NULL)
			fail_msg("%s", f.text);
	}
}

/* Authorities with a log each. */
static void
many(unsigned n, struct buf *out)
{
	static const char rest[] = "],\"depots\":[" DEPOTS
	    "],\"residencies\":[" RESIDENCY("es", "\"madrid\"", "\"ch\"") "]}";
	static const char first[] =
	    "{\"v\":1,\"serial\":7,\"issued\":5,\"authorities\":[";

	assert_int_equal(buf_append(out, first, strlen(first)), 0);
	for (unsigned i = 0; i < n; i++) {
		struct buf log defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
		char name[32], one[1024];
		struct sign_key own;
		struct sign_pub its;
		struct note_key k;

		sign_new(&own, &its);
		(void)snprintf(name, sizeof(name), "a%u.example/log", i);
		assert_int_equal(note_key_make(text(name), NOTE_ED25519, &its,
		    &k), 0);
		assert_int_equal(note_key_format(&k, &log), 0);
		(void)snprintf(one, sizeof(one), "%s{\"name\":\"a%u\","
		    "\"jurisdiction\":\"ch\",\"url\":\"https://a%u.example\","
		    "\"ca\":\"PEM\",\"intake\":\"" KEY "\",\"signing\":\""
		    KEY "\",\"log\":\"%.*s\"}", i == 0 ? "" : ",", i, i,
		    (int)log.n, log.p);
		assert_int_equal(buf_append(out, one, strlen(one)), 0);
	}
	assert_int_equal(buf_append(out, rest, sizeof(rest)), 0);
}

static void
says_how_many_authorities_there_may_be(void **state)
{
	(void)state;
	for (unsigned n = 32; n <= 33; n++) {
		struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
		struct buf json defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
		struct fault f = { 0 };

		many(n, &json);
		assert_int_equal(sign((const char *)json.p, &file, &f),
		    n == 32 ? 0 : FAULT_LIMIT);
		if (n == 33)
			assert_non_null(strstr(f.text, "its 33 authorities "
			    "keep more than 32 logs"));
	}
}

static void
refuses_other_forms(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{}", GOOD "x",
		"{\"v\":1,\"v\":1}",
		POLICY(AUTHORITY "," AUTHORITY, DEPOTS,
		    RESIDENCY("es", "\"madrid\"", "\"ch\"")),
		POLICY(AUTHORITY, DEPOTS "," DEPOT("madrid", "es"),
		    RESIDENCY("es", "\"madrid\"", "\"ch\"")),
		POLICY(AUTHORITY, DEPOT("Madrid", "es"),
		    RESIDENCY("es", "\"madrid\"", "\"ch\"")),
		POLICY(AUTHORITY, DEPOT("../x", "es"),
		    RESIDENCY("es", "\"madrid\"", "\"ch\"")),
		POLICY(AUTHORITY, DEPOT("madrid", "ES"),
		    RESIDENCY("es", "\"madrid\"", "\"ch\"")),
		POLICY(AUTHORITY, DEPOTS, RESIDENCY("es", "", "\"ch\"")),
		POLICY(AUTHORITY, DEPOTS,
		    RESIDENCY("es", "\"madrid\",\"madrid\"", "\"ch\"")),
		POLICY(AUTHORITY, DEPOTS, RESIDENCY("es", "\"madrid\"", "1")),
		POLICY(AUTHORITY, "", RESIDENCY("es", "\"m\"", "\"ch\"")),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
		struct fault f = { 0 };

		assert_int_equal(sign(bad[i], &file, &f), FAULT_MALFORMED);
	}
}

static void
tells_an_unknown_version(void **state)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(sign("{\"v\":2,\"new\":true}", &file, &f),
	    FAULT_VERSION);
}

static void
refuses_every_prefix_and_change(void **state)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p = NULL;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(sign(GOOD, &file, &f), 0);
	for (size_t n = 0; n < file.n; n++) {
		uint8_t *cut = cm_exact(file.p, n);

		assert_int_not_equal(policy_load(bytes_of(cut, n), NULL, &p,
		    &f), 0);
		free(cut);
	}
	for (size_t i = 0; i < file.n; i++) {
		uint8_t *bad = cm_exact(file.p, file.n);

		bad[i] ^= 1;
		assert_int_not_equal(policy_load(bytes_of(bad, file.n), &pub,
		    &p, &f), 0);
		free(bad);
	}
	assert_int_equal(buf_append(&file, "\n", 1), 0);
	assert_int_equal(policy_load(buf_bytes(&file), &pub, &p, &f),
	    FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(loads_what_it_signed),
		cmocka_unit_test(refuses_another_signer),
		cmocka_unit_test(refuses_rules_broken),
		cmocka_unit_test(says_what_is_malformed),
		cmocka_unit_test(says_how_many_authorities_there_may_be),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(tells_an_unknown_version),
		cmocka_unit_test(refuses_every_prefix_and_change),
	};

	if (secret_init() != 0)
		return 1;
	sign_new(&key, &pub);
	return cmocka_run_group_tests(t, NULL, NULL);
}
