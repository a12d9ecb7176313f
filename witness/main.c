// SPDX-License-Identifier: Apache-2.0
/*
 * skerry-witness: opens everything that needs rights, gives the rights up, and
 * only then starts the threads that read from the network.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/logline.h"
#include "base/trouble.h"
#include "crypt/secret.h"
#include "net/sock.h"
#include "sandbox/confine.h"
#include "settings/named.h"
#include "settings/usage.h"
#include "store/stage.h"
#include "witness/config.h"
#include "witness/front.h"
#include "witness/keyfile.h"

#define PEM_MAX 1048576
#define DEFAULT_THREADS 4
#define DEFAULT_CONNECTIONS 256
#define DRAIN_SECONDS 10

/* Descriptors that are not of a connection: the process has some, and so has
 * each thread. */
#define FILES_OWN 64
#define FILES_THREAD 8

static const char usage_text[] =
    "usage: skerry-witness --config FILE\n"
    "       skerry-witness check-config FILE\n"
    "       skerry-witness keygen NAME KEYFILE\n"
    "       skerry-witness key KEYFILE\n"
    "       skerry-witness --help | --version\n"
    "\n"
    "Cosigns the checkpoints of transparency logs; see skerry-witness(1)\n"
    "and skerry-witness.yaml(5).\n";

/* All that a running witness holds. */
struct witness {
	struct config *config;
	struct note_key *logs;
	struct sign_key *key; /* secret memory */
	struct note_key pub;
	struct buf cert, private_key;
	struct state *state;
	struct front *front;
	int fd, metrics_fd; /* -1: none */
	uint16_t port, metrics_port;
};

static int
read_pem(const char *key, const char *path, struct buf *out, struct fault *f)
{
	int rc = stage_read(AT_FDCWD, path, out, f);

	if (rc == 0)
		rc = buf_append(out, "", 1);
	return rc == 0 ? 0 : fault_set(f, FAULT_CONFIG, "%s: %s: cannot be "
	    "read", key, path);
}

static int
read_tls(struct witness *w, struct fault *f)
{
	int rc = read_pem("certificate", w->config->certificate, &w->cert, f);

	if (rc == 0)
		rc = read_pem("private_key", w->config->private_key,
		    &w->private_key, f);
	return rc != 0 ? rc : named_tls((struct named_pair){ "certificate",
	    "private_key" }, buf_bytes(&w->cert),
	    buf_bytes(&w->private_key), f);
}

/* The configuration and what it names, but for sockets and state. */
static int
read_all(struct witness *w, const char *path, struct fault *f)
{
	int rc = config_load(path, &w->config, f);

	if (rc != 0)
		return rc;
	w->key = secret_new(sizeof(*w->key));
	w->logs = calloc(w->config->logs_count, sizeof(*w->logs));
	if (w->key == NULL || w->logs == NULL)
		return fault_set(f, FAULT_MEMORY, "witness");
	for (unsigned i = 0; i < w->config->logs_count; i++) {
		const char *s = w->config->logs[i];

		if (note_key_parse(bytes_of(s, strlen(s)), &w->logs[i]) != 0 ||
		    w->logs[i].type != NOTE_ED25519)
			return fault_set(f, FAULT_CONFIG,
			    "%s: logs: '%s' is not a log's verifier key",
			    path, s);
	}
	rc = keyfile_read(w->config->key, w->key, &w->pub, f);
	if (rc != 0)
		rc = fault_add(f, rc, "key");
	else if (w->config->certificate != NULL)
		rc = read_tls(w, f);
	return rc != 0 ? fault_add(f, rc, "%s", path) : 0;
}

static int
listen_all(struct witness *w, struct fault *f)
{
	const struct config *c = w->config;
	int rc = sock_listen(c->listen, false, &w->fd, &w->port, f);

	if (rc != 0 || c->metrics == NULL)
		return rc;
	rc = sock_listen(c->metrics, true, &w->metrics_fd, &w->metrics_port,
	    f);
	return rc != 0 ? fault_add(f, rc, "metrics") : 0;
}

static int
start(struct witness *w, struct fault *f)
{
	const struct config *c = w->config;
	struct front_options o = { .listen_fd = w->fd,
		.metrics_fd = w->metrics_fd,
		.cert = (const char *)w->cert.p,
		.key = (const char *)w->private_key.p,
		.threads = c->threads != NULL ? *c->threads : DEFAULT_THREADS
	};
	unsigned long files = fd_raise(),
	    own = FILES_OWN + (unsigned long)FILES_THREAD * o.threads;

	o.rule = crowd_rule(&c->crowd, DEFAULT_CONNECTIONS,
	    files > own ? files - own : 0);
	return front_start(w->state, &o, &w->front, f);
}

static void
serve(struct witness *w, const sigset_t *stop)
{
	struct logline l = logline_begin(LOGLINE_INFO, "ready");
	const struct timespec second = { .tv_sec = 1 };

	logline_str(&l, "name", w->pub.name);
	logline_u64(&l, "port", w->port);
	if (w->metrics_fd >= 0)
		logline_u64(&l, "metrics_port", w->metrics_port);
	logline_u64(&l, "logs", w->config->logs_count);
	logline_str(&l, "version", SKERRY_VERSION);
	logline_end(&l);
	while (sigtimedwait(stop, NULL, &second) < 0)
		trouble_tick();
	front_stop(w->front, DRAIN_SECONDS);
	l = logline_begin(LOGLINE_INFO, "stopped");
	logline_end(&l);
}

static void
wipe(struct witness *w)
{
	if (w->state != NULL)
		state_close(w->state);
	buf_wipe(&w->cert);
	buf_wipe(&w->private_key);
	secret_free(w->key);
	free(w->logs);
	if (w->config != NULL)
		config_free(w->config);
}

static int
run(const char *path, struct fault *f)
{
	struct witness w = { .metrics_fd = -1, .cert = buf_init(PEM_MAX),
		.private_key = buf_init(PEM_MAX) };
	sigset_t stop;
	int rc = read_all(&w, path, f);

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (rc == 0)
		rc = state_open(w.config->state, w.logs,
		    w.config->logs_count,
		    (struct state_signer){ w.key, &w.pub }, &w.state, f);
	if (rc == 0)
		rc = listen_all(&w, f);
	if (rc == 0)
		rc = confine(state_fd(w.state), f);
	if (rc == 0)
		rc = start(&w, f);
	if (rc == 0)
		serve(&w, &stop);
	wipe(&w);
	return rc;
}

static int
check_config(const char *path, struct fault *f)
{
	struct witness w = { .cert = buf_init(PEM_MAX),
		.private_key = buf_init(PEM_MAX) };
	int rc = read_all(&w, path, f);

	if (rc == 0) {
		rc = named_folder("state", w.config->state, false, f);
		if (rc == 0)
			rc = state_check(w.config->state, w.logs,
			    w.config->logs_count,
			    (struct state_signer){ w.key, &w.pub }, f);
		if (rc != 0)
			rc = fault_add(f, rc, "%s", path);
	}
	wipe(&w);
	if (rc == 0)
		(void)printf("%s: ok\n", path);
	return rc;
}

static int
print_key(const struct note_key *key, struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	int rc = note_key_format(key, &b);

	if (rc == 0 && (printf("%.*s\n", (int)b.n, (const char *)b.p) < 0 ||
			   fflush(stdout) != 0))
		rc = fault_set(f, FAULT_IO, "the key cannot be written to "
		    "standard output; skerry-witness key prints it again");
	return rc;
}

static int
key(const char *path, struct fault *f)
{
	struct sign_key *k defer(secret_freep) = secret_new(sizeof(*k));
	struct note_key pub;
	int rc = k == NULL ? fault_set(f, FAULT_MEMORY, "key") :
	    keyfile_read(path, k, &pub, f);

	return rc != 0 ? rc : print_key(&pub, f);
}

static int
keygen(const char *name, const char *path, struct fault *f)
{
	struct note_key pub;
	int rc = keyfile_make(path, name, &pub, f);

	return rc != 0 ? rc : print_key(&pub, f);
}

enum form {
	FORM_RUN,
	FORM_CHECK_CONFIG,
	FORM_KEYGEN,
	FORM_KEY,
	FORM_HELP,
	FORM_VERSION,
	FORMS,
};

static const struct usage_form forms[FORMS] = {
	{ "--config", "FILE", 1 },
	{ "check-config", "FILE", 1 },
	{ "keygen", "NAME KEYFILE", 2 },
	{ "key", "KEYFILE", 1 },
	{ "--help", NULL, 0 },
	{ "--version", NULL, 0 },
};

static int
perform(enum form form, char **argv, struct fault *f)
{
	switch (form) {
	case FORM_RUN:
		return run(argv[2], f);
	case FORM_CHECK_CONFIG:
		return check_config(argv[2], f);
	case FORM_KEYGEN:
		return keygen(argv[2], argv[3], f);
	case FORM_KEY:
		return key(argv[2], f);
	case FORM_VERSION:
		return usage_print("skerry-witness " SKERRY_VERSION "\n", f);
	default:
		return usage_print(usage_text, f);
	}
}

int
main(int argc, char **argv)
{
	struct fault f = { .code = 0 };
	size_t form;
	int rc = usage_find(argc, argv, forms, FORMS, &form, &f);

	if (rc != 0)
		return usage_complain("skerry-witness", &f);
	if (secret_init() != 0 || gnutls_global_init() != 0)
		return fault_exit(FAULT_INTERNAL);
	rc = perform((enum form)form, argv, &f);
	if (rc == 0)
		return 0;
	return form == FORM_RUN ? usage_log(&f) :
				  usage_complain("skerry-witness", &f);
}
