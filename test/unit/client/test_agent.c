// SPDX-License-Identifier: Apache-2.0
#include "test/unit/client/site.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/agentd.h"
#include "net/text.h"

static struct lease *
lease_for(const struct state *st, uint32_t seconds)
{
	struct lease *l = secret_new(sizeof(*l));

	memcpy(l->account, st->binding.account, ID_LEN);
	memcpy(l->space, st->binding.space, ID_LEN);
	memcpy(l->device, st->device, ID_LEN);
	l->seconds = seconds;
	(void)snprintf(l->depot, sizeof(l->depot), "on");
	(void)snprintf(l->capability, sizeof(l->capability), "v4.public.x");
	l->nepochs = 1;
	l->epoch[0] = 1;
	memset(l->key[0].b, 7, KEY_LEN);
	return l;
}

static void
holds_a_lease_until_it_is_dropped(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *in = lease_for(st, 3600), *out = secret_new(sizeof(*out));
	bool had;

	assert_int_equal(agent_get(st, out, &x->f), FAULT_NOT_FOUND);
	assert_int_equal(agent_put(st, in, &x->f), 0);
	assert_int_equal(agent_get(st, out, &x->f), 0);
	assert_memory_equal(out->key[0].b, in->key[0].b, KEY_LEN);
	assert_in_range(out->seconds, 3000, 3600);
	assert_int_equal(agent_drop(st, &had, &x->f), 0);
	assert_true(had);
	assert_int_equal(agent_get(st, out, &x->f), FAULT_NOT_FOUND);
	assert_int_equal(agent_drop(st, &had, &x->f), 0);
	assert_false(had);
	secret_free(in);
	secret_free(out);
	state_close(st);
}

/* Until no process listens at the device's socket any more. */
static void
wait_until_it_has_left(const struct state *st)
{
	char line[512], name[TEXT_HEX_SIZE(ID_LEN)];
	bool there = true;

	text_hex(st->device, ID_LEN, name, sizeof(name));
	while (there) {
		FILE *f = fopen("/proc/net/unix", "r");

		assert_non_null(f);
		there = false;
		while (fgets(line, sizeof(line), f) != NULL)
			there |= strstr(line, name) != NULL;
		(void)fclose(f);
		(void)usleep(10000);
	}
}

static void
forgets_when_the_lease_ends(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *l = lease_for(st, 2);

	assert_int_equal(agent_put(st, l, &x->f), 0);
	wait_until_it_has_left(st);
	assert_int_equal(agent_get(st, l, &x->f), FAULT_NOT_FOUND);
	secret_free(l);
	state_close(st);
}

static void
gives_nothing_to_another_device(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *l = lease_for(st, 3600);
	bool had;

	assert_int_equal(agent_put(st, l, &x->f), 0);
	st->binding.space[0] ^= 1;
	assert_int_equal(agent_get(st, l, &x->f), FAULT_NOT_FOUND);
	assert_int_equal(agent_drop(st, &had, &x->f), 0);
	secret_free(l);
	state_close(st);
}

static int
dial(const struct site *x, const struct state *st)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), n;

	n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/skerry/", x->dir);
	for (size_t i = 0; i < ID_LEN; i++)
		n += snprintf(a.sun_path + n, sizeof(a.sun_path) - (size_t)n,
		    "%02x", st->device[i]);
	(void)snprintf(a.sun_path + n, sizeof(a.sun_path) - (size_t)n,
	    ".sock");
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void
outlives_garbage_and_silence(void **state)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 1, 1 };
	static const uint8_t bad[] = { 0, 0, 0, 3, 1, 99, 0 };
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *l = lease_for(st, 3600);
	int silent;
	bool had;

	assert_int_equal(agent_put(st, l, &x->f), 0);
	for (int i = 0; i < 2; i++) {
		int fd = dial(x, st);

		assert_true(send(fd, i == 0 ? huge : bad,
			i == 0 ? sizeof(huge) : sizeof(bad), 0) > 0);
		(void)close(fd);
	}
	silent = dial(x, st);
	(void)close(silent);
	assert_int_equal(agent_get(st, l, &x->f), 0);
	assert_int_equal(agent_drop(st, &had, &x->f), 0);
	secret_free(l);
	state_close(st);
}

static void
leaves_when_its_folder_is_gone(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *l = lease_for(st, 3600);
	char gone[160];

	assert_int_equal(agent_put(st, l, &x->f), 0);
	(void)snprintf(gone, sizeof(gone), "%s.gone", x->home);
	assert_int_equal(rename(x->home, gone), 0);
	wait_until_it_has_left(st);
	assert_int_equal(agent_get(st, l, &x->f), FAULT_NOT_FOUND);
	secret_free(l);
	state_close(st);
}

/* Else lock would not find it, and say that there is none. */
static void
leaves_when_its_socket_is_gone(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *l = lease_for(st, 3600);
	char folder[160], gone[168];

	assert_int_equal(agent_put(st, l, &x->f), 0);
	(void)snprintf(folder, sizeof(folder), "%s/skerry", x->dir);
	(void)snprintf(gone, sizeof(gone), "%s.gone", folder);
	assert_int_equal(rename(folder, gone), 0);
	wait_until_it_has_left(st);
	assert_int_equal(rename(gone, folder), 0);
	assert_int_equal(agent_get(st, l, &x->f), FAULT_NOT_FOUND);
	secret_free(l);
	state_close(st);
}

static void
works_without_a_runtime_folder(void **state)
{
	struct site *x = *state;
	struct state *st = site_ready(x);
	struct lease *l = lease_for(st, 3600);
	bool had;

	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/nonexistent", 1), 0);
	assert_int_equal(agent_put(st, l, &x->f), 0);
	assert_int_equal(faccessat(st->fd, "agent.sock", F_OK, 0), 0);
	assert_int_equal(agent_get(st, l, &x->f), 0);
	assert_int_equal(agent_drop(st, &had, &x->f), 0);
	assert_true(had);
	secret_free(l);
	state_close(st);
}

/* This program is its own agent: it is what /proc/self/exe names. */
int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)
	const struct CMUnitTest t[] = {
		T(holds_a_lease_until_it_is_dropped),
		T(forgets_when_the_lease_ends),
		T(gives_nothing_to_another_device),
		T(outlives_garbage_and_silence),
		T(leaves_when_its_folder_is_gone),
		T(leaves_when_its_socket_is_gone),
		T(works_without_a_runtime_folder),
	};
	struct fault f = { 0 };

	if (argc == 6 && strcmp(argv[1], "agent") == 0)
		return secret_init() != 0 || agentd_run(argv[3], argv[5], &f);
	return cmocka_run_group_tests(t, NULL, NULL);
}
