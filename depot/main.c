// SPDX-License-Identifier: Apache-2.0
/*
 * skerry-depot: opens everything that needs rights, gives the rights up, and
 * only then starts the threads that read from the network.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <jansson.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/logline.h"
#include "base/trouble.h"
#include "crypt/secret.h"
#include "depot/config.h"
#include "depot/front.h"
#include "depot/store_dir.h"
#include "net/sock.h"
#include "net/text.h"
#include "sandbox/confine.h"
#include "settings/named.h"
#include "settings/usage.h"

#define PEM_MAX 1048576
#define DEFAULT_CONNECTIONS 4096
#define DEFAULT_DRAIN_SECONDS 30

/* Descriptors that are not of a connection: the process has some, and so has
 * each thread. */
#define FILES_OWN 64
#define FILES_THREAD 4
#define DEFAULT_DISK_THREADS 16
/* Two connections that are at something had better not meet on one thread. */
#define LEAST_THREADS 8

static const char usage_text[] =
    "usage: skerry-depot --config FILE\n"
    "       skerry-depot check-config FILE\n"
    "       skerry-depot --help | --version\n"
    "\n"
    "Keeps sealed objects and serves them over HTTPS; see skerry-depot(1)\n"
    "and skerry-depot.yaml(5).\n";

/* All that a running depot holds. */
struct depot {
	struct config *config;
	struct buf cert, key; /* PEM, till the server has read them */
	unsigned long files; /* that the process may have open */
	int listen_fd, metrics_fd;
	uint16_t port, metrics_port;
	struct metrics metrics;
	struct request_site site;
	struct front *front;
};

static int
read_pem(const char *key, const char *path, struct buf *out, struct fault *f)
{
	FILE *file = fopen(path, "re");
	char block[4096];
	size_t n;
	int rc = 0;

	if (file == NULL)
		return fault_sys(f, FAULT_CONFIG, errno, "%s: %s", key, path);
	setvbuf(file, NULL, _IONBF, 0);
	while (rc == 0 && (n = fread(block, 1, sizeof(block), file)) != 0)
		rc = buf_append(out, block, n);
	if (rc == 0 && ferror(file) != 0)
		rc = FAULT_IO;
	(void)fclose(file);
	secret_wipe(block, sizeof(block));
	if (rc == 0)
		rc = buf_append(out, "", 1);
	return rc == 0 ? 0 : fault_set(f, FAULT_CONFIG, "%s: %s: cannot be "
	    "read", key, path);
}

static int
read_tls(struct depot *d, struct fault *f)
{
	int rc = read_pem("cert", d->config->cert, &d->cert, f);

	if (rc == 0)
		rc = read_pem("key", d->config->key, &d->key, f);
	return rc != 0 ? rc : named_tls((struct named_pair){ "cert", "key" },
	    buf_bytes(&d->cert), buf_bytes(&d->key), f);
}

static int
read_keys(struct depot *d, struct fault *f)
{
	struct sign_pub keys[GATE_KEYS_MAX];
	const struct config *c = d->config;

	for (unsigned i = 0; i < c->authority_keys_count; i++) {
		const char *s = c->authority_keys[i];

		if (text_b64_parse(s, strlen(s), keys[i].b,
			sizeof(keys[i].b)) != 0)
			return fault_set(f, FAULT_CONFIG, "authority_keys: "
			    "'%s' is not 32 bytes of base64", s);
	}
	d->site.gate = gate_new(keys, c->authority_keys_count, c->name);
	return d->site.gate != NULL ? 0 : fault_set(f, FAULT_MEMORY, "gate");
}

static unsigned
value_or(const unsigned *v, unsigned otherwise)
{
	return v != NULL ? *v : otherwise;
}

/* Whatever needs a path, a new socket or the configuration. */
static int
open_all(struct depot *d, struct fault *f)
{
	const struct config *c = d->config;
	int rc = read_keys(d, f);

	if (rc == 0)
		rc = read_tls(d, f);
	if (rc == 0)
		rc = store_dir_open(c->data, &d->site.store, f);
	if (rc == 0)
		rc = sock_listen(c->listen, false, &d->listen_fd, &d->port, f);
	if (rc == 0 && c->metrics != NULL) {
		rc = sock_listen(c->metrics, true, &d->metrics_fd,
		    &d->metrics_port, f);
		if (rc != 0)
			rc = fault_add(f, rc, "metrics");
	}
	return rc;
}

/* What is left for connections. */
static unsigned long
files_left(const struct depot *d, unsigned threads)
{
	unsigned long taken = FILES_OWN + (unsigned long)FILES_THREAD * threads;

	return d->files > taken ? d->files - taken : 0;
}

static int
start(struct depot *d, struct fault *f)
{
	const struct config *c = d->config;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct front_options o = {
		.listen_fd = d->listen_fd,
		.metrics_fd = d->metrics_fd,
		.cert = (const char *)d->cert.p,
		.key = (const char *)d->key.p,
		.threads = value_or(c->threads, cpus > LEAST_THREADS ?
			(unsigned)cpus : LEAST_THREADS),
		.disk_threads = value_or(c->disk_threads,
		    DEFAULT_DISK_THREADS),
	};
	int rc;

	o.rule = crowd_rule(&c->crowd, DEFAULT_CONNECTIONS,
	    files_left(d, o.threads + o.disk_threads));
	rc = front_start(&d->site, &o, &d->front, f);
	buf_wipe(&d->key);
	return rc;
}

static void
log_ready(const struct depot *d)
{
	struct logline l = logline_begin(LOGLINE_INFO, "ready");

	logline_str(&l, "name", d->config->name);
	logline_u64(&l, "port", d->port);
	if (d->metrics_fd >= 0)
		logline_u64(&l, "metrics_port", d->metrics_port);
	logline_str(&l, "version", SKERRY_VERSION);
	logline_end(&l);
}

/* Waits for the signal to stop, then lets what is under way finish. */
static void
serve(struct depot *d, const sigset_t *stop)
{
	const struct timespec second = { .tv_sec = 1 };
	struct logline l;
	unsigned left;

	log_ready(d);
	while (sigtimedwait(stop, NULL, &second) < 0)
		trouble_tick();
	l = logline_begin(LOGLINE_INFO, "draining");
	logline_end(&l);
	left = front_drain(d->front,
	    value_or(d->config->drain_seconds, DEFAULT_DRAIN_SECONDS), stop);
	front_stop(d->front);
	l = logline_begin(LOGLINE_INFO, "stopped");
	logline_u64(&l, "cut", left);
	logline_end(&l);
}

static int
run(const char *path, struct fault *f)
{
	struct depot d = { .listen_fd = -1, .metrics_fd = -1,
		.cert = buf_init(PEM_MAX), .key = buf_init(PEM_MAX) };
	sigset_t stop;
	int rc = config_load(path, &d.config, f);

	if (rc != 0)
		return rc;
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	d.files = fd_raise();
	d.site.metrics = &d.metrics;
	d.site.quota = d.config->quota != NULL ? *d.config->quota : 0;

	rc = open_all(&d, f);
	if (rc == 0)
		rc = confine(store_dir_fd(d.site.store), f);
	if (rc == 0)
		rc = start(&d, f);
	if (rc == 0)
		serve(&d, &stop);
	buf_wipe(&d.cert);
	buf_wipe(&d.key);
	if (d.site.store != NULL)
		d.site.store->ops->close(d.site.store);
	gate_free(d.site.gate);
	config_free(d.config);
	return rc;
}

static int
check_config(const char *path, struct fault *f)
{
	struct depot d = { .listen_fd = -1, .cert = buf_init(PEM_MAX),
		.key = buf_init(PEM_MAX) };
	int rc = config_load(path, &d.config, f);

	if (rc != 0)
		return rc;
	rc = read_keys(&d, f);
	if (rc == 0)
		rc = read_tls(&d, f);
	if (rc == 0)
		rc = named_folder("data", d.config->data, false, f);
	buf_wipe(&d.cert);
	buf_wipe(&d.key);
	gate_free(d.site.gate);
	config_free(d.config);
	if (rc != 0)
		return fault_add(f, rc, "%s", path);
	(void)printf("%s: ok\n", path);
	return 0;
}

enum form {
	FORM_RUN,
	FORM_CHECK_CONFIG,
	FORM_HELP,
	FORM_VERSION,
	FORMS,
};

static const struct usage_form forms[FORMS] = {
	{ "--config", "FILE", 1 },
	{ "check-config", "FILE", 1 },
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
	case FORM_VERSION:
		return usage_print("skerry-depot " SKERRY_VERSION "\n", f);
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
		return usage_complain("skerry-depot", &f);
	/* The libraries read files at first use that are out of reach later. */
	json_object_seed(0);
	if (secret_init() != 0 || gnutls_global_init() != 0)
		return fault_exit(FAULT_INTERNAL);
	rc = perform((enum form)form, argv, &f);
	if (rc == 0)
		return 0;
	return form == FORM_RUN ? usage_log(&f) :
				  usage_complain("skerry-depot", &f);
}
