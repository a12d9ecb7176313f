// SPDX-License-Identifier: Apache-2.0
/* The keys role without its process: what it answers to whom. */
#include "test/lib/cm.h"

#include <time.h>

#include "authority/keymsg.h"
#include "authority/keys.h"
#include "authority/keystore_file.h"
#include "base/fault.h"
#include "base/wr.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "object/chain.h"
#include "tlog/body.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"

#define HOST "a.example"

static const struct keystore_file_cost cheap = { 1, 8192 };
static struct keystore_public pub;
static struct keys keys = { .lease = 3600 };

static unsigned
code(unsigned role, const struct buf *ask, struct buf *out)
{
	buf_wipe(out);
	assert_int_equal(keys_answer(&keys, role, buf_bytes(ask), out), 0);
	assert_true(out->n >= 1);
	return out->p[0];
}

static void
capability_ask(struct buf *b, int64_t now)
{
	struct wr w = wr_to(b);
	uint8_t prefix[ID_LEN] = { 1 };

	wr_u8(&w, PERMIT_CAPABILITY);
	wr_u8(&w, 6);
	wr_copy(&w, "madrid", 6);
	wr_copy(&w, prefix, sizeof(prefix));
	wr_u64(&w, (uint64_t)now);
	assert_int_equal(wr_finish(&w), 0);
}

static void
signs_a_writers_capability_only(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);
	int64_t now = (int64_t)time(NULL);
	struct capability c;

	(void)state;
	capability_ask(&ask, now);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out), 0);
	assert_int_equal(capability_verify(&pub.signing,
	    bytes_of(out.p + 1, out.n - 1), &c), 0);
	assert_string_equal(c.depot, "madrid");
	assert_int_equal(c.verbs, CAPABILITY_GET | CAPABILITY_PUT |
	    CAPABILITY_LIST);
	assert_true(c.exp == now + 3600);
}

static void
refuses_another_time(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);

	(void)state;
	capability_ask(&ask, (int64_t)time(NULL) + 86400);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out),
	    fault_exit(FAULT_CLOCK));
	assert_int_equal(out.n, 1);
}

static void
refuses_other_roles(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);

	(void)state;
	capability_ask(&ask, (int64_t)time(NULL));
	assert_int_equal(code(PERMIT_FRONT, &ask, &out),
	    fault_exit(FAULT_DENIED));
	assert_int_equal(code(PERMIT_PARENT, &ask, &out),
	    fault_exit(FAULT_DENIED));
}

static void
refuses_prefixes_and_trailing_bytes(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);

	(void)state;
	capability_ask(&ask, (int64_t)time(NULL));
	for (size_t n = 0; n < ask.n; n++) {
		uint8_t *cut = cm_exact(ask.p, n);

		buf_wipe(&out);
		assert_int_equal(keys_answer(&keys, PERMIT_LEDGER,
		    bytes_of(cut, n), &out), 0);
		assert_int_equal(out.p[0], fault_exit(FAULT_MALFORMED));
		free(cut);
	}
	assert_int_equal(buf_append(&ask, "x", 1), 0);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out),
	    fault_exit(FAULT_MALFORMED));
}

/* Of one packet: what is refused spoils nothing beside it. */
static void
answers_each_request_of_a_packet(void **state)
{
	struct buf packet defer(buf_wipe) = buf_init(4096);
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4088);
	const int codes[] = { 0, FAULT_CLOCK, FAULT_MALFORMED, 0 };
	struct bytes left, one;
	struct capability c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		buf_wipe(&ask);
		capability_ask(&ask, (int64_t)time(NULL) +
		    (codes[i] == FAULT_CLOCK ? 86400 : 0));
		if (codes[i] == FAULT_MALFORMED)
			ask.n--;
		assert_int_equal(keymsg_add(&packet, buf_bytes(&ask)), 0);
	}
	assert_int_equal(keys_answer_all(&keys, PERMIT_LEDGER,
	    buf_bytes(&packet), &out), 0);
	left = buf_bytes(&out);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		assert_int_equal(keymsg_next(&left, &one), 0);
		assert_int_equal(one.p[0], fault_exit(codes[i]));
		if (codes[i] == 0)
			assert_int_equal(capability_verify(&pub.signing,
			    bytes_of(one.p + 1, one.n - 1), &c), 0);
		else
			assert_int_equal(one.n, 1);
	}
	assert_int_equal(left.n, 0);
}

/* One that is cut gets one answer more, and so does nothing at all. */
static void
refuses_a_packet_that_is_cut(void **state)
{
	struct buf packet defer(buf_wipe) = buf_init(4096);
	struct buf ask defer(buf_wipe) = buf_init(4096);

	(void)state;
	capability_ask(&ask, (int64_t)time(NULL));
	assert_int_equal(keymsg_add(&packet, buf_bytes(&ask)), 0);
	for (size_t n = 0; n < packet.n; n++) {
		struct buf out defer(buf_wipe) = buf_init(4088);
		uint8_t *cut = cm_exact(packet.p, n);

		assert_int_equal(keys_answer_all(&keys, PERMIT_LEDGER,
		    bytes_of(cut, n), &out), 0);
		assert_int_equal(out.n, 3);
		assert_int_equal(out.p[2], fault_exit(FAULT_MALFORMED));
		free(cut);
	}
}

/* A device, and what a release to it needs besides. */
struct asker {
	struct sign_pub sign;
	struct box_pub box;
	uint8_t aad[37]; /* account, space, epoch, index */
	const uint8_t *wrapped;
};

static void
asker_new(struct asker *a, const uint8_t *wrapped)
{
	struct sign_key sign;
	struct box_key box;

	*a = (struct asker){ .aad = { [35] = 1 }, .wrapped = wrapped };
	sign_new(&sign, &a->sign);
	sign_box_new(&box, &a->box);
}

/* The entry of the release, as the only one of the tree signed last. */
static void
log_release(const struct asker *a, struct leaf_key *key, struct buf *entry)
{
	static const struct leaf_log_key log = { { 8 } };
	struct buf body defer(buf_wipe) = buf_init(LEAF_BODY_MAX);
	struct body_release b = { .epoch = a->aad[35], .host = HOST };
	struct leaf l = { .type = LEAF_RELEASE, .time = 5 };

	chain_device_id(&a->sign, &a->box, b.device);
	assert_int_equal(body_release_write(&b, &body), 0);
	leaf_key(&log, l.nonce, key);
	leaf_blind(key, buf_bytes(&body), &l);
	assert_int_equal(leaf_encode(&l, entry), 0);
	keys.resumed = true;
	keys.tree.size = 1;
	merkle_leaf(buf_bytes(entry), &keys.tree.root);
}

static void
release_ask(struct buf *ask, const struct asker *a, bool logged)
{
	static const uint8_t request[BODY_NONCE_LEN + BODY_DIGEST_LEN +
	    SIGN_LEN];
	struct buf entry defer(buf_wipe) = buf_init(LEAF_MAX);
	struct leaf_key key;
	struct wr w;

	log_release(a, &key, &entry);
	if (!logged)
		keys.tree.root.b[0] ^= 1;
	buf_wipe(ask);
	w = wr_to(ask);
	wr_u8(&w, PERMIT_RELEASE);
	wr_copy(&w, a->aad, sizeof(a->aad));
	wr_u8(&w, 0); /* under no epoch secret */
	wr_copy(&w, a->wrapped, WRAP_LEN);
	wr_copy(&w, a->sign.b, sizeof(a->sign.b));
	wr_copy(&w, a->box.b, sizeof(a->box.b));
	wr_u64(&w, 0); /* created */
	wr_copy(&w, request, sizeof(request));
	wr_u16(&w, (uint16_t)entry.n);
	wr_copy(&w, entry.p, entry.n);
	wr_copy(&w, key.b, sizeof(key.b));
	wr_u64(&w, 0); /* index, and a path of no hashes */
	wr_u8(&w, 0);
	assert_int_equal(wr_finish(&w), 0);
}

static void
sign_ask(struct buf *ask, uint64_t old, uint8_t root)
{
	struct merkle_hash hash = { { root } };
	struct wr w;

	buf_wipe(ask);
	w = wr_to(ask);
	wr_u8(&w, PERMIT_SIGN);
	wr_u64(&w, old);
	wr_u64(&w, 1);
	wr_copy(&w, hash.b, sizeof(hash.b));
	wr_u8(&w, 0);
	assert_int_equal(wr_finish(&w), 0);
}

/* [tlog] There are no two trees of one size. */
static void
signs_one_tree_of_a_size(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);
	struct wr w = wr_to(&ask);
	struct note n;

	(void)state;
	sign_ask(&ask, 0, 1);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out),
	    fault_exit(FAULT_NOT_FOUND));
	buf_wipe(&ask);
	w = wr_to(&ask);
	wr_u8(&w, PERMIT_RESUME);
	wr_u16(&w, 0);
	assert_int_equal(wr_finish(&w), 0);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out), 0);
	sign_ask(&ask, 0, 1);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out), 0);
	assert_int_equal(note_parse(bytes_of(out.p + 1, out.n - 1), &n), 0);
	assert_int_equal(note_verify(&n, &keys.log), 0);
	sign_ask(&ask, 0, 2);
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out),
	    fault_exit(FAULT_ROLLBACK));
	sign_ask(&ask, 1, 2);
	assert_int_not_equal(code(PERMIT_LEDGER, &ask, &out), 0);
}

static void
admits_and_releases(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);
	struct wr w = wr_to(&ask);
	/* account, space, epoch 1, and the index: none, for a whole key */
	uint8_t aad[37] = { [35] = 1 }, blob[KEYSTORE_SEALED_LEN];
	uint8_t key[KEY_LEN], wrapped[WRAP_LEN];
	struct asker a;

	(void)state;
	memset(key, 5, sizeof(key));
	assert_int_equal(hpke_seal(&pub.intake,
	    bytes_of("skerry admit v1", 15), bytes_of(aad, 36),
	    bytes_of(key, sizeof(key)), blob), 0);
	wr_u8(&w, PERMIT_ADMIT);
	wr_copy(&w, aad, sizeof(aad));
	wr_u8(&w, 0); /* under no epoch secret */
	wr_copy(&w, blob, sizeof(blob));
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out), 0);
	assert_int_equal(out.n, 1 + WRAP_LEN);
	memcpy(wrapped, out.p + 1, WRAP_LEN);

	asker_new(&a, wrapped);
	release_ask(&ask, &a, false);
	assert_int_not_equal(code(PERMIT_LEDGER, &ask, &out), 0);
	assert_int_equal(out.n, 1);
	for (uint8_t epoch = 1; epoch <= 2; epoch++) {
		a.aad[35] = epoch;
		release_ask(&ask, &a, true);
		/* The epoch is bound: no keyslot is released as another. */
		assert_int_equal(code(PERMIT_LEDGER, &ask, &out),
		    epoch == 1 ? 0 : fault_exit(FAULT_SECRET));
	}
}

/* [custody] A share is no whole key, and no other holder's. */
static void
binds_a_share_to_its_index(void **state)
{
	struct buf ask defer(buf_wipe) = buf_init(4096);
	struct buf out defer(buf_wipe) = buf_init(4096);
	struct wr w = wr_to(&ask);
	uint8_t aad[37] = { [35] = 1, [36] = 2 }, blob[KEYSTORE_SEALED_LEN];
	uint8_t share[KEY_LEN] = { 7 }, wrapped[WRAP_LEN];
	struct asker a;

	(void)state;
	assert_int_equal(hpke_seal(&pub.intake,
	    bytes_of("skerry admit v1", 15), bytes_of(aad, sizeof(aad)),
	    bytes_of(share, sizeof(share)), blob), 0);
	wr_u8(&w, PERMIT_ADMIT);
	wr_copy(&w, aad, sizeof(aad));
	wr_u8(&w, 0); /* under no epoch secret */
	wr_copy(&w, blob, sizeof(blob));
	assert_int_equal(code(PERMIT_LEDGER, &ask, &out), 0);
	memcpy(wrapped, out.p + 1, WRAP_LEN);
	asker_new(&a, wrapped);
	for (uint8_t index = 0; index <= 3; index++) {
		a.aad[36] = index;
		release_ask(&ask, &a, true);
		assert_int_equal(code(PERMIT_LEDGER, &ask, &out),
		    index == 2 ? 0 : fault_exit(FAULT_SECRET));
	}
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(signs_a_writers_capability_only),
		cmocka_unit_test(refuses_another_time),
		cmocka_unit_test(refuses_other_roles),
		cmocka_unit_test(refuses_prefixes_and_trailing_bytes),
		cmocka_unit_test(answers_each_request_of_a_packet),
		cmocka_unit_test(refuses_a_packet_that_is_cut),
		cmocka_unit_test(signs_one_tree_of_a_size),
		cmocka_unit_test(admits_and_releases),
		cmocka_unit_test(binds_a_share_to_its_index),
	};
	uint8_t file[KEYSTORE_FILE_LEN];
	struct keystore_config c = { .kind = "file",
		.keyfile = bytes_of(file, sizeof(file)),
		.passphrase = bytes_of("p", 1) };
	struct fault why;
	int rc;

	if (secret_init() != 0 ||
	    keystore_file_make(c.passphrase, &cheap, file, &pub) != 0 ||
	    keystore_open(&c, &keys.store, &why) != 0 ||
	    keys_log(&keys, HOST) != 0 ||
	    permit_ask(&keys.permit, PERMIT_PARENT, PERMIT_BOOT) != 0)
		return 1;
	rc = cmocka_run_group_tests(t, NULL, NULL);
	keys_wipe(&keys);
	return rc;
}
