// SPDX-License-Identifier: Apache-2.0
/* Notes, checkpoints and cosignatures.  [log] one form of each text. */
#include "test/lib/cm.h"

#include "base/fault.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "tlog/checkpoint.h"
#include "tlog/cosig.h"
#include "tlog/note.h"

#define EXAMPLE_KEY \
	"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE \
	"This is an example message.\n\n" \
	"\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppz" \
	"i2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

static struct bytes
text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static struct note_key
key_of(const char *vkey)
{
	struct note_key k;

	assert_int_equal(note_key_parse(text(vkey), &k), 0);
	return k;
}

static void
the_example_verifies(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	struct note_key k = key_of(EXAMPLE_KEY);
	struct note n;

	(void)state;
	assert_int_equal(k.id, 0x530d903a);
	assert_int_equal(note_parse(text(EXAMPLE), &n), 0);
	assert_int_equal(n.nsigs, 1);
	assert_int_equal(note_verify(&n, &k), 0);
	assert_int_equal(note_key_format(&k, &b), 0);
	assert_int_equal(b.n, strlen(EXAMPLE_KEY));
	assert_memory_equal(b.p, EXAMPLE_KEY, b.n);
}

static void
refuses_every_changed_bit(void **state)
{
	struct note_key k = key_of(EXAMPLE_KEY);
	const size_t len = strlen(EXAMPLE);

	(void)state;
	for (size_t i = 0; i < len * 8; i++) {
		uint8_t *p = cm_exact(EXAMPLE, len);
		struct note n;

		p[i / 8] ^= (uint8_t)(1 << i % 8);
		if (note_parse(bytes_of(p, len), &n) == 0)
			assert_int_not_equal(note_verify(&n, &k), 0);
		free(p);
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t *p = cm_exact(EXAMPLE, i);
		struct note n;

		assert_int_equal(note_parse(bytes_of(p, i), &n),
		    FAULT_MALFORMED);
		free(p);
	}
}

static void
refuses_other_keys(void **state)
{
	static const char *const bad[] = { "", "+", "a", "a+530d903a",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANY"
		"crnKv3U2k",
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANY"
		"crnKv3U2k",
		"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANY"
		"crnKv3U2k",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANY"
		"crnKv3U2l",
		EXAMPLE_KEY " ", EXAMPLE_KEY "\n" };
	struct note_key k;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(note_key_parse(text(bad[i]), &k),
		    FAULT_MALFORMED);
	assert_int_equal(note_key_parse(text("a+00000000+AgAA"), &k),
	    FAULT_VERSION);
	for (size_t i = 0; i < strlen(EXAMPLE_KEY) * 8; i++) {
		char p[] = EXAMPLE_KEY;

		p[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(note_key_parse(bytes_of(p, strlen(p)),
		    &k), 0);
	}
}

static void
names_have_no_spaces(void **state)
{
	static const char *const bad[] = { "a b", "a+b", "a\xc2\xa0", "\t",
		"\xe2\x80\x83", "\xe3\x80\x80x", "\xff", "\xe2\x80\xa8" };
	struct sign_pub pub = { { 1 } };
	struct note_key k;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(note_key_make(text(bad[i]), NOTE_ED25519,
		    &pub, &k), FAULT_MALFORMED);
	assert_int_equal(note_key_make(text("k\xc3\xbcste/\xe2\x98\x83"),
	    NOTE_ED25519, &pub, &k), 0);
}

/* Two keys, signatures of others (also of 2.5 KB), blank lines in the text. */
static void
several_signatures(void **state)
{
	struct buf b defer(buf_wipe) = buf_init(NOTE_MAX);
	struct sign_key s1, s2;
	struct sign_pub p1, p2;
	struct note_key k1, k2, other;
	static uint8_t big[2420];
	uint8_t sig[SIGN_LEN];
	struct note n;

	(void)state;
	sign_new(&s1, &p1);
	sign_new(&s2, &p2);
	assert_int_equal(note_key_make(text("one"), NOTE_ED25519, &p1, &k1),
	    0);
	assert_int_equal(note_key_make(text("two"), NOTE_ED25519, &p2, &k2),
	    0);
	assert_int_equal(note_sign(text("a\n\nb\n"), &k1, &s1, &b), 0);
	other = k1;
	other.id ^= 1;
	assert_int_equal(note_line(&other, bytes_of(big, sizeof(big)), &b), 0);
	sign_make(&s2, text("a\n\nb\n"), sig);
	assert_int_equal(note_line(&k2, bytes_of(sig, sizeof(sig)), &b), 0);
	assert_int_equal(note_parse(buf_bytes(&b), &n), 0);
	assert_int_equal(n.nsigs, 3);
	assert_int_equal(n.text.n, 5);
	assert_int_equal(note_verify(&n, &k1), 0);
	assert_int_equal(note_verify(&n, &k2), 0);
	other.id ^= 2;
	assert_int_equal(note_verify(&n, &other), FAULT_NOT_FOUND);
	/* One good line does not make up for one that is wrong. */
	sig[0] ^= 1;
	assert_int_equal(note_line(&k2, bytes_of(sig, sizeof(sig)), &b), 0);
	assert_int_equal(note_parse(buf_bytes(&b), &n), 0);
	assert_int_equal(note_verify(&n, &k1), 0);
	assert_int_equal(note_verify(&n, &k2), FAULT_TAMPERED);
	while (n.nsigs++ <= NOTE_SIGS_MAX)
		assert_int_equal(note_line(&k2, bytes_of(sig, sizeof(sig)),
		    &b), 0);
	assert_int_equal(note_parse(buf_bytes(&b), &n), FAULT_LIMIT);
	assert_int_equal(note_sign(text("a"), &k1, &s1, &b), FAULT_MALFORMED);
	assert_int_equal(note_sign(text("a\t\n"), &k1, &s1, &b),
	    FAULT_MALFORMED);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static void
checkpoints_have_one_form(void **state)
{
	static const char *const good[] = { "x\n0\n" ROOT,
		"example.com/behind-the-sofa\n20852163\n" ROOT,
		"x y\n4611686018427387904\n" ROOT "more\nlines\n" };
	static const char *const bad[] = { "", "x\n", "x\n1\n", "\n1\n" ROOT,
		"x\n01\n" ROOT, "x\n-1\n" ROOT, "x\n1 \n" ROOT, "x\n1\nAAAA\n",
		"x\n1\n" ROOT "\n", "x\n1\n" ROOT "more",
		"x\n1\n" ROOT "a\n\nb\n" };
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct buf b defer(buf_wipe) = buf_init(1000);

		assert_int_equal(checkpoint_parse(text(good[i]), &c), 0);
		assert_int_equal(checkpoint_format(&c, &b), 0);
		assert_int_equal(b.n, strlen(good[i]));
		assert_memory_equal(b.p, good[i], b.n);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(checkpoint_parse(text(bad[i]), &c),
		    FAULT_MALFORMED);
	assert_int_equal(checkpoint_parse(text("x\n4611686018427387905\n" ROOT),
	    &c), FAULT_LIMIT);
}

static void
cosignatures_bind_text_and_time(void **state)
{
	const char *const t = "example.com/x\n7\n" ROOT;
	struct buf b defer(buf_wipe) = buf_init(NOTE_MAX);
	struct buf lines defer(buf_wipe) = buf_init(NOTE_MAX);
	struct sign_key s;
	struct sign_pub p;
	struct note_key log, w;
	struct note n;
	uint64_t time;
	size_t at;

	(void)state;
	sign_new(&s, &p);
	assert_int_equal(note_key_make(text("example.com/x"), NOTE_ED25519,
	    &p, &log), 0);
	assert_int_equal(note_key_make(text("w"), NOTE_COSIGNATURE, &p, &w),
	    0);
	assert_int_equal(note_sign(text(t), &log, &s, &b), 0);
	at = b.n;
	assert_int_equal(note_parse(buf_bytes(&b), &n), 0);
	assert_int_equal(cosig_verify(&n, &w, &time), FAULT_NOT_FOUND);
	assert_int_equal(cosig_make(text(t), 1679315147, &w, &s, &b), 0);
	assert_int_equal(cosig_make(text(t), 1679315140, &w, &s, &b), 0);
	assert_int_equal(note_parse(buf_bytes(&b), &n), 0);
	assert_int_equal(cosig_verify(&n, &w, &time), 0);
	assert_int_equal(time, 1679315147);
	assert_int_equal(cosig_verify(&n, &log, &time), FAULT_NOT_FOUND);
	assert_int_equal(note_verify(&n, &w), FAULT_NOT_FOUND);
	assert_int_equal(buf_append(&lines, b.p + at, b.n - at), 0);
	assert_int_equal(note_parse_lines(buf_bytes(&lines), &n), 0);
	assert_int_equal(n.nsigs, 2);
	n.text = text("example.com/x\n8\n" ROOT);
	assert_int_equal(cosig_verify(&n, &w, &time), FAULT_TAMPERED);
	assert_int_equal(cosig_make(text(t), 0, &w, &s, &b), FAULT_USAGE);
	assert_int_equal(cosig_make(text(t), UINT64_MAX, &w, &s, &b),
	    FAULT_USAGE);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(the_example_verifies),
		cmocka_unit_test(refuses_every_changed_bit),
		cmocka_unit_test(refuses_other_keys),
		cmocka_unit_test(names_have_no_spaces),
		cmocka_unit_test(several_signatures),
		cmocka_unit_test(checkpoints_have_one_form),
		cmocka_unit_test(cosignatures_bind_text_and_time),
	};

	return secret_init() != 0 || cmocka_run_group_tests(t, NULL, NULL);
}
