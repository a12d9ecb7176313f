// SPDX-License-Identifier: Apache-2.0
/*
 * Load on an authority, for bench/authority_rate: so many connections, kept
 * open, each with one signed request under way.  All requests are signed before
 * the clock starts, so that the processor is the authority's meanwhile.
 *
 *   authority_load PORT HOST session|head CONNECTIONS SECONDS MOST < ACCOUNTS
 *
 * A line of ACCOUNTS is an account's id, its space, its device and the seed of
 * that device's signing key, in hex.  Writes one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crypt/secret.h"
#include "net/httpsig.h"
#include "net/text.h"
#include "object/head.h"

#define REQUEST_LEN 2048
#define ANSWER_LEN 65536
#define LINE_LEN 512

struct account {
	char id[TEXT_HEX_SIZE(ID_LEN)], space[TEXT_HEX_SIZE(ID_LEN)];
	uint8_t device[ID_LEN];
	struct sign_key key;
};

struct connection {
	int fd;
	SSL *ssl;
	size_t next, end; /* of its requests */
	double sent;
	size_t got;
	char answer[ANSWER_LEN + 1];
};

struct load {
	const char *host;
	bool heads;
	size_t naccounts, nconnections, each; /* requests of a connection */
	struct account *account;
	struct connection *connection;
	char **request;
	double *took, seconds;
	size_t done, bad, open;
	int epoll;
};

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	(void)fprintf(stderr, "authority_load: %s\n", what);
	exit(1);
}

static void
read_accounts(struct load *l)
{
	char line[LINE_LEN];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		const size_t step = sizeof(l->account->id);
		struct account *a;

		l->account = reallocarray(l->account, l->naccounts + 1,
		    sizeof(*a));
		if (l->account == NULL)
			fail("memory");
		a = &l->account[l->naccounts++];
		if (strlen(line) != 3 * step + 2 * sizeof(a->key.seed) + 1 ||
		    text_hex_parse(line + 2 * step, step - 1, a->device,
		        ID_LEN) != 0 ||
		    text_hex_parse(line + 3 * step, 2 * sizeof(a->key.seed),
		        a->key.seed, sizeof(a->key.seed)) != 0)
			fail("an account is four words of hex");
		memcpy(a->id, line, step - 1);
		memcpy(a->space, line + step, step - 1);
		a->id[step - 1] = a->space[step - 1] = '\0';
	}
}

/* round counts the requests of the account before this one. */
static int
body(const struct load *l, const struct account *a, size_t round, char *out,
    size_t max)
{
	uint8_t head[HEAD_LEN];
	char b64[TEXT_B64_SIZE(HEAD_LEN)];
	uint64_t number = round + 1;

	if (!l->heads)
		return snprintf(out, max,
		    "{\"account\":\"%s\",\"space\":\"%s\","
		    "\"chain_seen\":2,\"custody_seen\":1,\"log_seen\":0,"
		    "\"reason\":\"user\"}", a->id, a->space);
	/* Opaque but for the clear part: version, epoch 1, number. */
	secret_random(head, sizeof(head));
	memset(head, 0, 16);
	head[0] = head[7] = 1;
	for (size_t i = 0; i < 8; i++)
		head[8 + i] = (uint8_t)(number >> (56 - 8 * i));
	text_b64(head, sizeof(head), b64, sizeof(b64));
	return snprintf(out, max, "{\"space\":\"%s\",\"expect\":%zu,"
	    "\"head\":\"%s\"}", a->space, round, b64);
}

/* The k-th request of connection c; its accounts are its own. */
static char *
request(const struct load *l, size_t c, size_t k)
{
	size_t own = (l->naccounts - c - 1) / l->nconnections + 1;
	const struct account *a =
	    &l->account[c + l->nconnections * (k % own)];
	const char *path = l->heads ? "/v1/head" : "/v1/session";
	struct httpsig sig = { .created = (int64_t)time(NULL) };
	struct httpsig_fields f;
	char b[REQUEST_LEN / 2], text[REQUEST_LEN];
	int n = body(l, a, k / own, b, sizeof(b));

	secret_random(sig.nonce, sizeof(sig.nonce));
	memcpy(sig.keyid, a->device, ID_LEN);
	if (httpsig_sign(&a->key, &sig, l->host, path,
	        bytes_of(b, (size_t)n), &f) != 0)
		fail("signature");
	n = snprintf(text, sizeof(text), "POST %s HTTP/1.1\r\nHost: %s\r\n"
	    "Content-Type: application/json\r\nContent-Digest: %s\r\n"
	    "Signature-Input: %s\r\nSignature: %s\r\nContent-Length: %d\r\n"
	    "\r\n%s", path, l->host, f.digest, f.input, f.signature, n, b);
	if (n < 0 || (size_t)n >= sizeof(text))
		fail("request");
	return strdup(text);
}

static void
connect_one(struct load *l, struct connection *c, int port, SSL_CTX *ctx)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->ssl = SSL_new(ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_connect(c->ssl) != 1)
		fail("TLS");
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		fail("epoll");
	l->open++;
}

static void
send_next(struct load *l, struct connection *c)
{
	const char *r = c->next == c->end ? NULL : l->request[c->next++];

	c->got = 0;
	c->sent = now();
	/* The descriptor blocks: a request fits into any send buffer. */
	if (r != NULL && SSL_write(c->ssl, r, (int)strlen(r)) > 0)
		return;
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	l->open--;
}

/* Whether the whole answer is there. */
static bool
whole(const struct connection *c)
{
	const char *body_at = strstr(c->answer, "\r\n\r\n");
	const char *len = strcasestr(c->answer, "content-length: ");

	if (body_at == NULL || len == NULL || len > body_at)
		return false;
	return c->got >= (size_t)(body_at + 4 - c->answer) +
	    strtoul(len + 16, NULL, 10);
}

static bool
good(const struct load *l, const struct connection *c)
{
	return strncmp(c->answer, "HTTP/1.1 200", 12) == 0 &&
	    (l->heads || strstr(c->answer, "\"sealed\":\"") != NULL);
}

static void
on_input(struct load *l, struct connection *c, double until)
{
	do {
		int n = SSL_read(c->ssl, c->answer + c->got,
		    (int)(ANSWER_LEN - c->got));

		if (n <= 0)
			fail("the connection is closed");
		c->got += (size_t)n;
		c->answer[c->got] = '\0';
	} while (SSL_has_pending(c->ssl));
	if (!whole(c))
		return;
	if (!good(l, c)) {
		if (l->bad++ == 0)
			(void)fprintf(stderr, "%.400s\n", c->answer);
	} else {
		l->took[l->done++] = now() - c->sent;
	}
	if (now() >= until)
		c->next = c->end;
	send_next(l, c);
}

static void
run(struct load *l)
{
	double begin = now();

	for (size_t i = 0; i < l->nconnections; i++)
		send_next(l, &l->connection[i]);
	while (l->open > 0) {
		struct epoll_event e[64];
		int n = epoll_wait(l->epoll, e, ARRAY_LEN(e), 30000);

		if (n == 0)
			fail("no answer in 30 s");
		for (int i = 0; i < n; i++)
			on_input(l, e[i].data.ptr, begin + l->seconds);
	}
	l->seconds = now() - begin;
}

static int
by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
prepare(struct load *l, size_t most)
{
	if (l->nconnections == 0 || l->naccounts < l->nconnections)
		fail("an account for each connection is wanted");
	l->each = most / l->nconnections + 1;
	most = l->each * l->nconnections;
	l->request = calloc(most, sizeof(*l->request));
	l->took = calloc(most, sizeof(*l->took));
	l->connection = calloc(l->nconnections, sizeof(*l->connection));
	if (l->request == NULL || l->took == NULL || l->connection == NULL)
		fail("memory");
	for (size_t c = 0; c < l->nconnections; c++) {
		l->connection[c].next = c * l->each;
		l->connection[c].end = (c + 1) * l->each;
		for (size_t k = 0; k < l->each; k++)
			l->request[c * l->each + k] = request(l, c, k);
	}
}

int
main(int argc, char **argv)
{
	struct load l = { .epoll = epoll_create1(0) };
	struct rusage before, after;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (argc != 7 || ctx == NULL || secret_init() != 0)
		fail("usage: PORT HOST session|head CONNECTIONS SECONDS MOST");
	(void)signal(SIGPIPE, SIG_IGN);
	l.host = argv[2];
	l.heads = strcmp(argv[3], "head") == 0;
	l.nconnections = strtoul(argv[4], NULL, 10);
	l.seconds = strtod(argv[5], NULL);
	read_accounts(&l);
	prepare(&l, strtoul(argv[6], NULL, 10));
	for (size_t i = 0; i < l.nconnections; i++)
		connect_one(&l, &l.connection[i],
		    (int)strtol(argv[1], NULL, 10), ctx);
	(void)puts("begin");
	(void)fflush(stdout);
	(void)getrusage(RUSAGE_SELF, &before);
	run(&l);
	(void)getrusage(RUSAGE_SELF, &after);
	qsort(l.took, l.done, sizeof(*l.took), by_time);
	(void)printf("{\"done\":%zu,\"bad\":%zu,\"seconds\":%.3f,"
	    "\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"cpu\":%.3f}\n", l.done, l.bad,
	    l.seconds, l.done == 0 ? 0 : 1e3 * l.took[l.done / 2],
	    l.done == 0 ? 0 : 1e3 * l.took[l.done * 99 / 100],
	    (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
	        after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
	    (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
	        after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6);
	return l.bad != 0;
}
