// SPDX-License-Identifier: Apache-2.0
/* How a device chain gets to another holder: [custody], Requests. */
#include "test/unit/client/site.h"

#include "client/authority.h"
#include "client/file.h"
#include "client/gather.h"
#include "client/release.h"
#include "crypt/shamir.h"

/* What the holder has, and is. */
static struct {
	size_t known;
	bool old; /* of a release that takes no parts */
	char log[256];
} holder;

int
authority_open(const struct authority_config *config, struct authority **out,
    struct fault *f)
{
	(void)config;
	(void)out;
	return fault_set(f, FAULT_INTERNAL, "not to be asked");
}

void
authority_close(struct authority *a)
{
	assert_null(a);
}

void
authority_closep(struct authority **a)
{
	assert_null(*a);
}

int
authority_session(struct authority *a, const struct authority_ask *ask,
    struct answer_session *out, struct fault *f)
{
	(void)a;
	(void)ask;
	(void)out;
	return fault_set(f, FAULT_INTERNAL, "not to be asked");
}

int
authority_custody(struct authority *a, const struct custody *set,
    const struct authority_slot *slot, size_t n, struct answer_receipts *out,
    struct fault *f)
{
	(void)a;
	(void)set;
	(void)slot;
	(void)n;
	(void)out;
	return fault_set(f, FAULT_INTERNAL, "not to be asked");
}

int
authority_holder(struct authority *a, const struct authority_space *s,
    struct fault *f)
{
	size_t n = s->chain.n / CHAIN_ENTRY_LEN, at = strlen(holder.log);
	size_t from = s->part == NULL ? 0 : s->part->from;

	(void)a;
	(void)snprintf(holder.log + at, sizeof(holder.log) - at, "%s%zu+%zu%s",
	    at == 0 ? "" : " ", from, n, s->part == NULL ? "" :
	    s->part->more ? "..." : ".");
	if (s->part != NULL && holder.old)
		return fault_set(f, FAULT_MALFORMED, "members");
	if (from > holder.known)
		return fault_set(f, FAULT_CONFLICT, "a gap");
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s->chain.p[i * CHAIN_ENTRY_LEN],
		    (from + i) % 251);
	if (from + n > holder.known)
		holder.known = from + n;
	return 0;
}

/* A chain of so many entries, which are but numbered, to a holder that knows
 * some of them. */
static int
push(struct state *st, size_t n, size_t known, bool old, struct fault *f)
{
	struct buf raw defer(buf_wipe) = buf_init(n * CHAIN_ENTRY_LEN);
	const struct custody set = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t e[CHAIN_ENTRY_LEN] = { (uint8_t)(i % 251) };

		assert_int_equal(buf_append(&raw, e, sizeof(e)), 0);
	}
	assert_int_equal(file_save(st->fd, "chain", FILE_CHAIN,
	    buf_bytes(&raw), f), 0);
	holder.known = known;
	holder.old = old;
	holder.log[0] = '\0';
	return gather_push(st, &set, NULL, "", f);
}

static void
sends_what_may_be_new_and_else_all(void **state)
{
	static const struct {
		size_t n, known;
		bool old;
		int rc;
		const char *log;
	} c[] = {
		{ 64, 0, false, 0, "0+64" },
		{ 65, 64, false, 0, "1+64." },
		{ 200, 136, false, 0, "136+64." },
		{ 200, 135, false, 0,
		    "136+64. 0+64... 64+64... 128+64... 192+8." },
		{ 256, 0, false, 0,
		    "192+64. 0+64... 64+64... 128+64... 192+64." },
		{ 65, 64, true, 0, "1+64. 0+65" },
		{ 200, 0, true, 0, "136+64. 0+200" },
		{ 201, 201, true, FAULT_MALFORMED, "137+64." },
	};
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct fault f = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		assert_int_equal(push(st, c[i].n, c[i].known, c[i].old, &f),
		    c[i].rc);
		assert_string_equal(holder.log, c[i].log);
		if (c[i].rc == 0)
			assert_int_equal(holder.known, c[i].n);
	}
	assert_non_null(strstr(f.text, "earlier releases"));
	state_close(st);
}

static void
give(struct gather *g, int i, const struct key_share *share)
{
	struct answer_session *to = &g->one[i].answer;
	struct answer_key *k = &to->key[to->nkeys++];

	*k = (struct answer_key){ .kind = ANSWER_SHARE, .epoch = 1,
		.index = (uint8_t)(i + 1) };
	assert_int_equal(release_seal(&g->st->binding, &(struct release_to){
	    .box = &g->st->box_pub, .device = g->st->device, .epoch = 1,
	    .index = k->index }, share->b, k->sealed), 0);
}

static bool
is_seven(void *arg, uint32_t epoch, const struct space_key *key)
{
	static const struct space_key seven = { { 7 } };

	(void)arg;
	(void)epoch;
	return memcmp(key, &seven, sizeof(seven)) == 0;
}

/* [custody] One holder of more than the threshold cannot keep the others from
 * giving the key, however many shares it gives. */
static void
who_gives_many_shares_takes_no_others_place(void **state)
{
	const struct custody set = { .mode = CUSTODY_SPLIT, .k = 2, .n = 3 };
	const struct space_key key = { { 7 } };
	const struct key_share bad = { { 9 } };
	struct gather *g defer(gather_freep) = calloc(1, sizeof(*g));
	struct lease *lease = calloc(1, sizeof(*lease));
	struct state *st = site_ready(*state);
	struct key_share share[3];
	struct fault f = { 0 };

	g->st = st;
	g->set = &set;
	assert_int_equal(shamir_split(&key, 2, 3, share), 0);
	for (int i = 0; i < LEASE_EPOCHS_MAX; i++)
		give(g, 0, &bad);
	give(g, 1, &share[1]);
	give(g, 2, &share[2]);
	assert_int_equal(gather_keys(g, (struct gather_check){ is_seven, NULL },
	    lease, &f), 0);
	assert_int_equal(lease->nepochs, 1);
	assert_memory_equal(&lease->key[0], &key, sizeof(key));
	free(lease);
	state_close(st);
}

#define T(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest t[] = {
		T(sends_what_may_be_new_and_else_all),
		T(who_gives_many_shares_takes_no_others_place),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
