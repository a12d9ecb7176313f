// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "tlog/trust.h"

#define KEYS 6

static char vkey[KEYS][NOTE_VKEY_MAX + 1]; /* 0 is a log's */

static int
set_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		struct buf b defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
		struct sign_key s;
		struct sign_pub p;
		struct note_key k;
		char name[8];

		sign_new(&s, &p);
		(void)snprintf(name, sizeof(name), "key%u", i);
		if (note_key_make(bytes_of(name, 4),
		        i == 0 ? NOTE_ED25519 : NOTE_COSIGNATURE, &p, &k) != 0 ||
		    note_key_format(&k, &b) != 0)
			return -1;
		memcpy(vkey[i], b.p, b.n);
	}
	return 0;
}

/* $0 to $5 stand for keys. */
static int
parse(const char *s, struct trust **out, unsigned *line)
{
	struct buf b defer(buf_wipe) = buf_init(100000);
	uint8_t *p;
	int rc;

	for (; *s != '\0'; s++) {
		const char *t = *s == '$' ? vkey[*++s - '0'] : NULL;

		rc = t != NULL ? buf_append(&b, t, strlen(t)) :
		    buf_append(&b, s, 1);
		assert_int_equal(rc, 0);
	}
	p = cm_exact(b.p, b.n);
	rc = trust_parse(bytes_of(p, b.n), out, line);
	free(p);
	return rc;
}

#define TWO_LEVELS "log $0 https://log.example/\n\n# witnesses\n" \
	"witness X1 $1\n\twitness  X2\t$2 https://w.example \n" \
	"witness X3 $3\ngroup X 2 X1 X2 X3\n" \
	"witness Y1 $4\nwitness Y2 $5\ngroup Y any Y1 Y2\n" \
	"group XY all X Y\nquorum XY\n"

static void
quorum_of_two_levels(void **state)
{
	struct trust *t;
	unsigned line;

	(void)state;
	assert_int_equal(parse(TWO_LEVELS, &t, &line), 0);
	assert_int_equal(t->nlogs, 1);
	assert_int_equal(t->nwitnesses, 5);
	assert_string_equal(t->log[0].url, "https://log.example/");
	assert_string_equal(t->witness[1].url, "https://w.example");
	for (unsigned set = 0; set < 32; set++) {
		bool c[TRUST_WITNESSES_MAX] = { false };

		for (unsigned i = 0; i < 5; i++)
			c[i] = (set >> i & 1) != 0;
		assert_int_equal(trust_quorum(t, c),
		    c[0] + c[1] + c[2] >= 2 && (c[3] || c[4]));
	}
	free(t);
}

static void
simple_quorums(void **state)
{
	bool c[TRUST_WITNESSES_MAX] = { false };
	struct trust *t;
	unsigned line;

	(void)state;
	assert_int_equal(parse("quorum none\n", &t, &line), 0);
	assert_true(trust_quorum(t, c));
	free(t);
	assert_int_equal(parse("witness a $1\nwitness b $2\nquorum b\n"
	    "group late all a b\n", &t, &line), 0);
	c[0] = true;
	assert_false(trust_quorum(t, c));
	c[1] = true;
	assert_true(trust_quorum(t, c));
	free(t);
}

static void
refuses_bad_files(void **state)
{
	static const struct {
		unsigned line;
		const char *text;
	} bad[] = {
		{ 0, "" }, { 0, "log $0\n" }, { 1, "quorum none" },
		{ 1, "quorum a\n" }, { 2, "quorum none\nquorum none\n" },
		{ 1, "quorum\n" }, { 1, "quorum none x\n" },
		{ 1, "log $1\n" }, { 1, "witness a $0\n" },
		{ 1, "log\n" }, { 1, "log $0 url more\n" },
		{ 2, "log $0\nlog $0\n" },
		{ 2, "witness a $1\nwitness b $1\n" },
		{ 2, "witness a $1\nwitness a $2\n" },
		{ 1, "witness none $1\n" }, { 1, "witness $1\n" },
		{ 2, "witness a $1\ngroup g 0 a\n" },
		{ 2, "witness a $1\ngroup g 2 a\n" },
		{ 2, "witness a $1\ngroup g 01 a\n" },
		{ 2, "witness a $1\ngroup g some a\n" },
		{ 2, "witness a $1\ngroup g all a a\n" },
		{ 2, "witness a $1\ngroup g all\n" },
		{ 2, "witness a $1\ngroup g all g\n" },
		{ 2, "witness a $1\ngroup g all b\n" },
		{ 3, "witness a $1\ngroup g any a\ngroup h any a\n" },
		{ 2, "witness a $1\ngroup a any a\n" },
		{ 1, "Log $0\n" }, { 1, "quorum none\r\n" },
		{ 1, "# \x7f\n" }, { 1, "#\x01\n" },
	};
	struct trust *t;
	unsigned line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		line = 99;
		assert_int_equal(parse(bad[i].text, &t, &line),
		    FAULT_MALFORMED);
		assert_int_equal(line, bad[i].line);
	}
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(quorum_of_two_levels),
		cmocka_unit_test(simple_quorums),
		cmocka_unit_test(refuses_bad_files),
	};

	return secret_init() != 0 || cmocka_run_group_tests(t, set_up, NULL);
}
