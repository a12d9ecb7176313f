// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/site.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "object/chain.h"

/* Two entries of a chain for the account { 1 }: the device, then another. */
static void
make_chain(const struct state *st, uint8_t out[2][CHAIN_ENTRY_LEN])
{
	struct chain c = { 0 };
	struct chain_make m = { .op = CHAIN_ADD, .account = { 1 },
		.sign = st->sign_pub, .box = st->box_pub };
	struct sign_key sign;
	struct box_key box;

	memcpy(m.signer, st->device, ID_LEN);
	assert_int_equal(chain_make_entry(&c, &m, st->sign, out[0]), 0);
	assert_int_equal(chain_append(&c, bytes_of(out[0], CHAIN_ENTRY_LEN)),
	    0);
	sign_new(&sign, &m.sign);
	sign_box_new(&box, &m.box);
	assert_int_equal(chain_make_entry(&c, &m, st->sign, out[1]), 0);
	chain_wipe(&c);
}

static void
there_is_none_before_init(void **state)
{
	struct site *x = *state;
	struct state *st;

	assert_int_equal(state_open(x->home, &st, &x->f), FAULT_CONFIG);
	assert_non_null(strstr(x->f.text, "run skerry init"));
	assert_int_equal(state_begin(x->home, buf_bytes(&x->policy), NULL, &st,
		&x->f), 0);
	state_close(st);
	assert_int_equal(state_open(x->home, &st, &x->f), FAULT_CONFIG);
}

static void
keeps_its_keys_and_all_else(void **state)
{
	struct site *x = *state;
	struct state *a = site_ready(x), *b;
	struct state_head h = { .number = 5, .epoch = 1, .bytes = { 9 } };
	uint8_t entry[2][CHAIN_ENTRY_LEN];
	struct stat sb;

	assert_non_null(a);
	make_chain(a, entry);
	assert_int_equal(state_add_chain(a, 0, bytes_of(entry,
		sizeof(entry)), &x->f), 0);
	assert_int_equal(state_set_head(a, &h, &x->f), 0);
	assert_int_equal(state_open(x->home, &b, &x->f), 0);
	assert_memory_equal(b->device, a->device, ID_LEN);
	assert_memory_equal(b->sign, a->sign, sizeof(*a->sign));
	assert_memory_equal(&b->binding, &a->binding, sizeof(a->binding));
	assert_int_equal(b->chain.n, 2);
	assert_int_equal(b->head.number, 5);
	assert_int_equal(b->policy->serial, 2);
	assert_int_equal(stat(x->home, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0700);
	assert_int_equal(fstatat(a->fd, "device.key", &sb, 0), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	state_close(a);
	state_close(b);
}

static void
flip(const char *home, const char *name, off_t at)
{
	char path[256];
	uint8_t c;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", home, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

static void
names_the_file_that_is_damaged(void **state)
{
	static const char *const names[] = { "device.key", "binding", "policy",
		"chain", "head" };
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct state_head h = { .number = 5, .epoch = 1 };
	uint8_t entry[2][CHAIN_ENTRY_LEN];

	make_chain(st, entry);
	assert_int_equal(state_add_chain(st, 0, bytes_of(entry,
		sizeof(entry)), &x->f), 0);
	assert_int_equal(state_set_head(st, &h, &x->f), 0);
	state_close(st);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (off_t at = 0; at < 40; at += 13) {
			flip(x->home, names[i], at);
			assert_int_equal(state_open(x->home, &st, &x->f),
			    FAULT_CONFIG);
			assert_non_null(strstr(x->f.text, names[i]));
			flip(x->home, names[i], at);
		}
	}
	assert_int_equal(state_open(x->home, &st, &x->f), 0);
	state_close(st);
}

static void
refuses_files_that_others_may_read(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);

	assert_int_equal(fchmodat(st->fd, "device.key", 0640, 0), 0);
	state_close(st);
	assert_int_equal(state_open(x->home, &st, &x->f), FAULT_CONFIG);
	assert_non_null(strstr(x->f.text, "device.key"));
}

static void
the_head_never_goes_back(void **state)
{
	struct site *x = *state;
	struct state *a = site_ready(x), *b;
	struct state_head h = { .number = 5, .epoch = 1, .bytes = { 5 } };

	assert_int_equal(state_open(x->home, &b, &x->f), 0);
	assert_int_equal(state_set_head(a, &h, &x->f), 0);
	/* b has read the folder before a wrote. */
	h = (struct state_head){ .number = 4, .epoch = 1, .bytes = { 4 } };
	assert_int_equal(state_set_head(b, &h, &x->f), 0);
	assert_int_equal(b->head.number, 5);
	assert_int_equal(b->head.bytes[0], 5);
	state_close(a);
	state_close(b);
}

static void
the_chain_grows_and_nothing_in_it_changes(void **state)
{
	struct site *x = *state;
	struct state *a = site_ready(x), *b;
	uint8_t entry[2][CHAIN_ENTRY_LEN], other[2][CHAIN_ENTRY_LEN];

	make_chain(a, entry);
	make_chain(a, other);
	assert_int_equal(state_open(x->home, &b, &x->f), 0);
	assert_int_equal(state_add_chain(a, 0, bytes_of(entry,
		sizeof(entry)), &x->f), 0);
	assert_int_equal(state_add_chain(b, 0, bytes_of(entry,
		sizeof(entry)), &x->f), 0);
	assert_int_equal(state_add_chain(a, 1, bytes_of(other[1],
		CHAIN_ENTRY_LEN), &x->f), FAULT_TRUST);
	assert_int_equal(state_add_chain(a, 3, bytes_of(other[1],
		CHAIN_ENTRY_LEN), &x->f), FAULT_MALFORMED);
	assert_int_equal(state_add_chain(a, 1, bytes_of(other[1], 100),
		&x->f), FAULT_MALFORMED);
	entry[1][CHAIN_ENTRY_LEN - 1] ^= 1;
	assert_int_equal(state_add_chain(a, 1, bytes_of(entry[1],
		CHAIN_ENTRY_LEN), &x->f), FAULT_TRUST);
	assert_int_equal(a->chain.n, 2);
	state_close(a);
	state_close(b);
}

static void
keeps_a_new_recovery_code_for_one_command(void **state)
{
	static const uint8_t code[] = { 1, 2, 3 };
	struct site *x = *state;
	struct state *a = site_ready(x), *b;
	struct buf got = buf_init(sizeof(code));

	assert_false(state_has_pending(a, STATE_OF_RECOVERY));
	assert_int_equal(state_get_pending(a, STATE_OF_RECOVERY, &got, &x->f),
	    FAULT_NOT_FOUND);
	assert_int_equal(state_set_pending(a, STATE_OF_RECOVERY,
		bytes_of(code, sizeof(code)), &x->f), 0);
	assert_int_equal(state_open(x->home, &b, &x->f), 0);
	assert_true(state_has_pending(b, STATE_OF_RECOVERY));
	assert_int_equal(state_get_pending(b, STATE_OF_RECOVERY, &got, &x->f),
	    0);
	assert_memory_equal(got.p, code, sizeof(code));
	state_close(a);
	assert_int_equal(state_open(x->home, &a, &x->f), 0);
	assert_int_equal(state_setup(a, &x->f), 0);
	assert_int_equal(state_setup(b, &x->f), FAULT_CONFLICT);
	assert_int_equal(state_drop_pending(a, STATE_OF_RECOVERY, &x->f), 0);
	assert_false(state_has_pending(b, STATE_OF_RECOVERY));
	buf_wipe(&got);
	state_close(a);
	state_close(b);
}

static void
the_policy_key_is_pinned_and_the_serial_too(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct buf later, older, foreign;
	struct sign_key other;
	struct sign_pub pub;

	sign_new(&other, &pub);
	assert_int_equal(site_policy(&x->key, 3, &later), 0);
	assert_int_equal(site_policy(&x->key, 1, &older), 0);
	assert_int_equal(site_policy(&other, 9, &foreign), 0);
	assert_int_equal(state_set_policy(st, buf_bytes(&foreign), &x->f),
	    FAULT_TRUST);
	assert_int_equal(state_set_policy(st, buf_bytes(&older), &x->f),
	    FAULT_ROLLBACK);
	assert_int_equal(state_set_policy(st, buf_bytes(&later), &x->f), 0);
	assert_int_equal(st->policy->serial, 3);
	state_close(st);
	assert_int_equal(state_begin(x->home, buf_bytes(&foreign), NULL, &st,
		&x->f), FAULT_TRUST);
	assert_int_equal(state_begin(x->home, buf_bytes(&x->policy), NULL, &st,
		&x->f), FAULT_ROLLBACK);
	buf_wipe(&later);
	buf_wipe(&older);
	buf_wipe(&foreign);
}

static void
two_that_set_up_are_one_too_many(void **state)
{
	struct site *x = *state;
	struct state *a = site_ready(x), *b;

	assert_int_equal(state_begin(x->home, buf_bytes(&x->policy), NULL, &b,
		&x->f), FAULT_CONFLICT);
	state_close(a);
	assert_int_equal(state_begin(x->home, buf_bytes(&x->policy), NULL, &b,
		&x->f), 0);
	state_close(b);
}

static void
a_crash_amid_a_write_leaves_the_old_file(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	int fd = openat(st->fd, "binding.new", O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "half", 4), 4);
	(void)close(fd);
	state_close(st);
	assert_int_equal(state_open(x->home, &st, &x->f), 0);
	assert_int_equal(state_set_binding(st, &st->binding, &x->f), 0);
	assert_int_not_equal(faccessat(st->fd, "binding.new", F_OK, 0), 0);
	state_close(st);
}

static void
gives_a_cache_folder_for_each_space(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	int fd = state_cache_dir(st, &x->f);
	struct stat sb;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0700);
	(void)close(fd);
	state_close(st);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)
	const struct CMUnitTest t[] = {
		T(there_is_none_before_init),
		T(keeps_its_keys_and_all_else),
		T(names_the_file_that_is_damaged),
		T(refuses_files_that_others_may_read),
		T(the_head_never_goes_back),
		T(the_chain_grows_and_nothing_in_it_changes),
		T(keeps_a_new_recovery_code_for_one_command),
		T(the_policy_key_is_pinned_and_the_serial_too),
		T(two_that_set_up_are_one_too_many),
		T(a_crash_amid_a_write_leaves_the_old_file),
		T(gives_a_cache_folder_for_each_space),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
