// SPDX-License-Identifier: Apache-2.0
#include "test/lib/cm.h"

#include <stdio.h>

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "tlog/cosig.h"
#include "tlog/line.h"
#include "tlog/proof.h"

/* A log of two leaves with one witness, and a proof of the second. */
struct site {
	struct sign_key log_key, witness_key;
	struct note_key log, witness;
	struct trust *trust;
	struct buf note, file;
};

static struct site s;

static struct bytes
text(const char *t)
{
	return bytes_of(t, strlen(t));
}

static void
make_file(bool cosigned)
{
	struct buf b defer(buf_wipe) = buf_init(1000);
	struct checkpoint c = { .origin = text("log"), .size = 2 };
	struct proof p = { .index = 1, .path = { .n = 1 },
		.extra_b64 = text("AAEC") };
	struct merkle_hash second;

	merkle_leaf(text("first"), &p.path.hash[0]);
	merkle_leaf(text("second"), &second);
	merkle_node(&p.path.hash[0], &second, &c.root);
	assert_int_equal(checkpoint_format(&c, &b), 0);
	s.note.n = s.file.n = 0;
	assert_int_equal(note_sign(buf_bytes(&b), &s.log, &s.log_key, &s.note),
	    0);
	if (cosigned)
		assert_int_equal(cosig_make(buf_bytes(&b), 5, &s.witness,
		    &s.witness_key, &s.note), 0);
	p.checkpoint = buf_bytes(&s.note);
	assert_int_equal(proof_format(&p, &s.file), 0);
}

static int
set_up(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(10000);
	struct sign_pub p, w;
	unsigned line;

	(void)state;
	sign_new(&s.log_key, &p);
	sign_new(&s.witness_key, &w);
	s.note = buf_init(NOTE_MAX);
	s.file = buf_init(PROOF_MAX);
	return note_key_make(text("log"), NOTE_ED25519, &p, &s.log) != 0 ||
	    note_key_make(text("w"), NOTE_COSIGNATURE, &w, &s.witness) != 0 ||
	    line_put(&b, "log ") != 0 || note_key_format(&s.log, &b) != 0 ||
	    line_put(&b, "\nwitness W ") != 0 ||
	    note_key_format(&s.witness, &b) != 0 ||
	    line_put(&b, "\nquorum W\n") != 0 ||
	    trust_parse(buf_bytes(&b), &s.trust, &line) != 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(s.trust);
	buf_wipe(&s.note);
	buf_wipe(&s.file);
	return 0;
}

static int
verdict(struct bytes file, const char *entry)
{
	struct proof p;
	uint64_t size;
	int rc = proof_parse(file, &p);

	return rc != 0 ? rc : proof_check(&p, s.trust, text(entry), &size);
}

static void
proves_its_entry_only(void **state)
{
	struct buf again defer(buf_wipe) = buf_init(PROOF_MAX);
	struct proof p;

	(void)state;
	make_file(true);
	assert_int_equal(verdict(buf_bytes(&s.file), "second"), 0);
	assert_int_equal(verdict(buf_bytes(&s.file), "first"), FAULT_TAMPERED);
	assert_int_equal(proof_parse(buf_bytes(&s.file), &p), 0);
	assert_int_equal(proof_format(&p, &again), 0);
	assert_int_equal(again.n, s.file.n);
	assert_memory_equal(again.p, s.file.p, again.n);
	make_file(false);
	assert_int_equal(verdict(buf_bytes(&s.file), "second"), FAULT_TRUST);
}

static void
refuses_every_changed_bit_that_counts(void **state)
{
	(void)state;
	make_file(true);
	for (size_t i = 0; i < s.file.n * 8; i++) {
		uint8_t *p = cm_exact(s.file.p, s.file.n);
		int rc;

		p[i / 8] ^= (uint8_t)(1 << i % 8);
		rc = verdict(bytes_of(p, s.file.n), "second");
		/* "extra" is not covered: it is for the application. */
		if (i / 8 < 23 || i / 8 >= 33)
			assert_int_not_equal(rc, 0);
		free(p);
	}
	for (size_t i = 0; i < s.file.n; i++) {
		uint8_t *p = cm_exact(s.file.p, i);

		assert_int_not_equal(verdict(bytes_of(p, i), "second"), 0);
		free(p);
	}
}

static void
refuses_other_forms(void **state)
{
	static const char *const bad[] = { "", "c2sp.org/tlog-proof@v1\n",
		"c2sp.org/tlog-proof@v1\nindex 0\n\n",
		"c2sp.org/tlog-proof@v1\nindex 00\n\nx",
		"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
		"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx",
		"c2sp.org/tlog-proof@v1\nextra AB==\nindex 0\n\nx",
		"c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\nx" };
	struct proof p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(proof_parse(text(bad[i]), &p),
		    FAULT_MALFORMED);
	assert_int_equal(proof_parse(text("c2sp.org/tlog-proof@v2\n"), &p),
	    FAULT_VERSION);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(proves_its_entry_only),
		cmocka_unit_test(refuses_every_changed_bit_that_counts),
		cmocka_unit_test(refuses_other_forms),
	};

	return secret_init() != 0 ||
	    cmocka_run_group_tests(t, set_up, tear_down);
}
