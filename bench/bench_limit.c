// SPDX-License-Identifier: Apache-2.0
/*
 * bench_limit FOLDER WORK: what this machine gives to any program that does the
 * inherent work of a put and a get of FOLDER, and not one thing more.
 *
 * Inherent: files are read, cut, hashed, compressed and sealed, and each
 * sealing opened again; TLS 1.3 over loopback to a second process, which sums
 * what it gets, writes files as large as a pack, and syncs them; and back:
 * opened, hashed, compared, and written to new files.  What there is not: a
 * protocol, an index, a tree, attributes, retries; the walk is not counted.
 * Each of LANES threads has a connection, sends a chunk as soon as it is
 * sealed, while it is in the cache, and uses its buffers again; both ends have
 * the faster cipher.
 *
 * Prints, of put and get, seconds and CPU seconds of both processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypt/hash.h"
#include "crypt/records.h"
#include "crypt/secret.h"
#include "object/chunker.h"
#include "object/pack.h"
#include "object/seal.h"

#define SLAB ((size_t)1 << 20)    /* bytes that are hashed together */
#define BLOCK ((size_t)256 << 10) /* bytes that the depot writes at once */
#define PIECES 4096u              /* of a slab, at most */
#define LANES 3u

/* A file of the folder. */
struct source {
	char *path; /* owned, from the folder on */
	pthread_mutex_t lock; /* who writes to it: a second one would spin */
};

/* Bytes of a file that go into one slab. */
struct part {
	struct source *from;
	uint64_t at;
	uint32_t n;
	bool last; /* of its slab */
};

struct chunk {
	struct index_entry e;
	struct source *from;
	uint64_t at;
};

struct object {
	uint32_t lane, number;
	struct chunk *chunk; /* owned by nobody: it lasts */
	size_t chunks;
};

enum ask {
	ASK_PUT,
	ASK_GET,
	ASK_END,
};

/* What goes ahead of an object, or of none. */
struct request {
	uint32_t ask, lane, number;
};

/* One end of a connection. */
struct lane {
	pthread_t thread;
	uint32_t number;
	SSL *tls;
};

/* What a thread of the client has while it puts. */
struct putter {
	struct lane *lane;
	struct chunker *chunker;
	struct seal *seal;
	uint8_t *slab;	/* SLAB bytes */
	uint8_t *field; /* one sealing */
	size_t pieces;
	struct bytes piece[PIECES];
	struct seal_mark mark[PIECES];
	uint8_t id[PIECES][CHUNK_ID_LEN];
	struct part of[PIECES]; /* where each piece is from */
	struct object object;
	uint32_t sent; /* bytes of the object */
};

static struct {
	struct part *part;
	size_t parts, next_part;
	pthread_mutex_t lock; /* of next_part, objects */
	struct object object[65536];
	size_t objects;
	atomic_size_t next_object;
	int folder, depot, out; /* descriptors */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const struct dedup_key dedup = { { 1 } };

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "bench_limit: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static double
now(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *
room(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "memory");
	(void)madvise(p, n, MADV_HUGEPAGE);
	return p;
}

static void *
grown(void *p, size_t n, size_t size)
{
	/* To the next power of two, when n is one. */
	if ((n & (n - 1)) == 0)
		p = reallocarray(p, n == 0 ? 1 : 2 * n, size);
	must(p != NULL, "memory");
	return p;
}

static void
name_object(const struct request *q, char name[static 32])
{
	(void)snprintf(name, 32, "%u-%u", q->lane, q->number);
}

static void
send_all(SSL *s, const void *p, size_t n)
{
	size_t k;

	must(n == 0 || (SSL_write_ex(s, p, n, &k) == 1 && k == n), "send");
}

static void
receive_all(SSL *s, void *p, size_t n)
{
	for (size_t at = 0, k = 0; at < n; at += k)
		must(SSL_read_ex(s, (uint8_t *)p + at, n - at, &k) == 1,
		    "receive");
}

/* The depot's side. */

static void
keep(struct lane *l, const struct request *q, uint8_t *block)
{
	char name[32];
	uint32_t crc = 0;
	int fd;

	name_object(q, name);
	fd = openat(all.depot, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	must(fd >= 0, name);
	for (off_t at = 0; at < PACK_SIZE; at += (off_t)BLOCK) {
		receive_all(l->tls, block, BLOCK);
		crc = hash_crc32c(crc, block, BLOCK);
		must(pwrite(fd, block, BLOCK, at) == (ssize_t)BLOCK, name);
		(void)sync_file_range(
		    fd, at, (off_t)BLOCK, SYNC_FILE_RANGE_WRITE);
	}
	must(fsync(fd) == 0 && close(fd) == 0, name);
	send_all(l->tls, &crc, sizeof(crc));
}

static void
give(struct lane *l, const struct request *q, uint8_t *block)
{
	char name[32];
	int fd;

	name_object(q, name);
	fd = openat(all.depot, name, O_RDONLY);
	must(fd >= 0, name);
	for (off_t at = 0; at < PACK_SIZE; at += (off_t)BLOCK) {
		must(pread(fd, block, BLOCK, at) == (ssize_t)BLOCK, name);
		send_all(l->tls, block, BLOCK);
	}
	(void)close(fd);
}

static void *
serve(void *arg)
{
	struct lane *l = arg;
	uint8_t *block = room(BLOCK);
	struct request q;

	must(SSL_accept(l->tls) == 1, "accept");
	for (;;) {
		receive_all(l->tls, &q, sizeof(q));
		if (q.ask == ASK_PUT)
			keep(l, &q, block);
		else if (q.ask == ASK_GET)
			give(l, &q, block);
		else
			return NULL;
	}
}

/* The client's: a put. */

/* The parts of the next slab, read. */
static bool
take_slab(struct putter *u)
{
	size_t from, to, room_at = 0;

	(void)pthread_mutex_lock(&all.lock);
	from = all.next_part;
	for (to = from; to < all.parts && !all.part[to].last; to++)
		;
	to += to < all.parts;
	all.next_part = to;
	(void)pthread_mutex_unlock(&all.lock);
	u->pieces = 0;
	for (size_t i = from; i < to; i++) {
		const struct part *p = &all.part[i];
		uint8_t *data = u->slab + room_at;
		int fd = openat(all.folder, p->from->path, O_RDONLY);
		size_t len;

		must(fd >= 0 &&
			pread(fd, data, p->n, (off_t)p->at) == (ssize_t)p->n,
		    p->from->path);
		(void)close(fd);
		room_at += p->n;
		for (size_t at = 0; at < p->n; at += len) {
			size_t k = u->pieces++;

			len = chunker_cut(u->chunker, data + at, p->n - at);
			u->piece[k] = bytes_of(data + at, len);
			u->mark[k].sum = hash_crc64(0, data + at, len);
			u->of[k] = *p;
			u->of[k].at += at;
		}
	}
	return u->pieces > 0;
}

static void
end_object(struct putter *u)
{
	static const uint8_t zero[BLOCK];
	uint32_t crc;

	if (u->sent == 0)
		return;
	for (; u->sent < PACK_SIZE; u->sent += (uint32_t)BLOCK) {
		size_t left = PACK_SIZE - u->sent;

		send_all(u->lane->tls, zero, left < BLOCK ? left : BLOCK);
	}
	receive_all(u->lane->tls, &crc, sizeof(crc));
	(void)pthread_mutex_lock(&all.lock);
	must(all.objects < ARRAY_LEN(all.object), "objects");
	all.object[all.objects++] = u->object;
	(void)pthread_mutex_unlock(&all.lock);
	u->object.number++;
	u->object.chunk = NULL;
	u->object.chunks = 0;
	u->sent = 0;
}

static void
put_piece(struct putter *u, size_t k)
{
	struct object *o = &u->object;
	struct chunk *c;
	uint32_t length;

	must(seal_frame(u->seal, SEAL_LZ4, u->piece[k], &length) == 0, "frame");
	if (u->sent + length > PACK_SIZE)
		end_object(u);
	if (u->sent == 0) {
		struct request q = { ASK_PUT, o->lane, o->number };

		send_all(u->lane->tls, &q, sizeof(q));
	}
	o->chunk = grown(o->chunk, o->chunks, sizeof(*o->chunk));
	c = &o->chunk[o->chunks++];
	must(seal_framed(u->seal, SEAL_DATA, u->piece[k], &u->mark[k], u->field,
		 &c->e) == 0,
	    "seal");
	memcpy(c->e.id, u->id[k], CHUNK_ID_LEN);
	c->e.place.offset = u->sent;
	c->from = u->of[k].from;
	c->at = u->of[k].at;
	send_all(u->lane->tls, u->field, c->e.place.length);
	u->sent += c->e.place.length;
}

static void *
put(void *arg)
{
	struct putter *u = room(sizeof(*u));

	u->lane = arg;
	u->object.lane = u->lane->number;
	u->slab = room(SLAB);
	u->field = room(seal_bound(CHUNK_MAX));
	must(chunker_new(&dedup, &u->chunker) == 0 &&
		seal_new(BULK_BEST, &dedup, &u->seal) == 0,
	    "memory");
	while (take_slab(u)) {
		must(
		    seal_ids(u->seal, u->piece, u->pieces, u->mark, u->id) == 0,
		    "names");
		for (size_t k = 0; k < u->pieces; k++)
			put_piece(u, k);
	}
	end_object(u);
	return NULL;
}

/* The client's: a get. */

struct getter {
	struct lane *lane;
	struct seal *seal;
	uint8_t *in;  /* PACK_SIZE bytes */
	uint8_t *out; /* SLAB bytes, and what SEAL_OUT adds */
};

/* Writes the pieces from x[i] on that follow each other in a file; returns how
 * many. */
static size_t
write_run(const struct chunk *c, const struct seal_opening *x, size_t n)
{
	struct iovec v[SEAL_OPENINGS];
	struct source *to = c->from;
	ssize_t sum = 0;
	size_t i;
	int fd;

	for (i = 0; i < n && c[i].from == to && c[i].at == c->at + (size_t)sum;
	     i++) {
		must(x[i].rc == 0, "open");
		v[i].iov_base = (void *)(uintptr_t)x[i].content.p;
		v[i].iov_len = x[i].content.n;
		sum += (ssize_t)x[i].content.n;
	}
	fd = openat(all.out, to->path, O_WRONLY | O_CREAT, 0600);
	must(fd >= 0, to->path);
	(void)pthread_mutex_lock(&to->lock);
	must(pwritev(fd, v, (int)i, (off_t)c->at) == sum, to->path);
	(void)pthread_mutex_unlock(&to->lock);
	(void)close(fd);
	return i;
}

/* Opens and writes chunks as they come, as many together as there may be. */
static void
get_object(struct getter *g, const struct object *o)
{
	struct request q = { ASK_GET, o->lane, o->number };
	size_t have = 0;

	send_all(g->lane->tls, &q, sizeof(q));
	for (size_t i = 0, n; i < o->chunks; i += n) {
		const struct chunk *c = &o->chunk[i];
		struct seal_opening x[SEAL_OPENINGS];
		size_t to = have, at = 0;

		for (n = 0; n < SEAL_OPENINGS && i + n < o->chunks; n++) {
			if (n > 0 && at + c[n].e.plain_len > SLAB)
				break;
			x[n].e = &c[n].e;
			x[n].sealed = bytes_of(g->in + to, c[n].e.place.length);
			x[n].out = g->out + at;
			at += SEAL_OUT(c[n].e.plain_len);
			to += c[n].e.place.length;
		}
		receive_all(g->lane->tls, g->in + have, to - have);
		have = to;
		seal_open_chunks(g->seal, x, n);
		for (size_t k = 0; k < n;)
			k += write_run(c + k, x + k, n - k);
	}
	receive_all(g->lane->tls, g->in + have, PACK_SIZE - have);
}

static void *
get(void *arg)
{
	struct getter g = {
		.lane = arg,
		.in = room(PACK_SIZE),
		.out = room(SLAB + SEAL_OPENINGS + 1),
	};
	size_t i;

	must(seal_new(BULK_BEST, &dedup, &g.seal) == 0, "memory");
	while ((i = all.next_object++) < all.objects)
		get_object(&g, &all.object[i]);
	return NULL;
}

/* Makes the folders of what will be got, and a list of the files and parts. */
static int
see(const char *path, const struct stat *st, int type, struct FTW *where)
{
	static size_t skip, filled, count;
	struct source *f;

	if (where->level == 0) {
		skip = strlen(path) + 1;
		return 0;
	}
	if (type == FTW_D)
		return mkdirat(all.out, path + skip, 0700);
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	f = malloc(sizeof(*f));
	must(f != NULL, "memory");
	f->path = strdup(path + skip);
	must(f->path != NULL, "memory");
	(void)pthread_mutex_init(&f->lock, NULL);
	for (uint64_t at = 0, n; at < (uint64_t)st->st_size; at += n) {
		uint64_t left = (uint64_t)st->st_size - at;

		n = left < SLAB ? left : SLAB;
		if (filled + n > SLAB || count == PIECES / 2) {
			all.part[all.parts - 1].last = true;
			filled = count = 0;
		}
		all.part = grown(all.part, all.parts, sizeof(*all.part));
		all.part[all.parts++] =
		    (struct part){ f, at, (uint32_t)n, false };
		filled += n;
		count++;
	}
	return 0;
}

static SSL_CTX *
context(bool server)
{
	SSL_CTX *c =
	    SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	must(c != NULL && key != NULL && x != NULL &&
		SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
		SSL_CTX_set_ciphersuites(c, "TLS_AES_256_GCM_SHA384") == 1,
	    "TLS");
	if (server)
		must(X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
			X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL &&
			X509_set_pubkey(x, key) == 1 &&
			X509_sign(x, key, EVP_sha256()) > 0 &&
			SSL_CTX_use_certificate(c, x) == 1 &&
			SSL_CTX_use_PrivateKey(c, key) == 1,
		    "certificate");
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

/* Connections of one side, to, or from, this address. */
static void
connect_lanes(bool server, int listener, struct lane lane[static LANES])
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	SSL_CTX *c = context(server);

	must(getsockname(listener, (struct sockaddr *)&a, &len) == 0, "name");
	for (uint32_t i = 0; i < LANES; i++) {
		int fd = server ? accept(listener, NULL, NULL)
				: socket(AF_INET, SOCK_STREAM, 0);

		must(fd >= 0 &&
			(server ||
			    connect(fd, (struct sockaddr *)&a, len) == 0),
		    "connect");
		lane[i].number = i;
		lane[i].tls = SSL_new(c);
		must(lane[i].tls != NULL && SSL_set_fd(lane[i].tls, fd) == 1,
		    "TLS");
	}
}

static void
on_all(void *(*work)(void *), struct lane lane[static LANES])
{
	for (size_t i = 0; i < LANES; i++)
		must(pthread_create(&lane[i].thread, NULL, work, &lane[i]) == 0,
		    "thread");
	for (size_t i = 0; i < LANES; i++)
		(void)pthread_join(lane[i].thread, NULL);
}

static void
measure(
    const char *what, void *(*work)(void *), struct lane *lane, clockid_t of)
{
	double t = now(CLOCK_MONOTONIC);
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID) + now(of);

	on_all(work, lane);
	t = now(CLOCK_MONOTONIC) - t;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) + now(of) - cpu;
	(void)printf("%s %.3f %.3f\n", what, t, cpu);
}

static int
folder_at(int at, const char *name, bool make)
{
	int fd;

	must(!make || mkdirat(at, name, 0700) == 0, name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY);
	must(fd >= 0, name);
	return fd;
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct request end = { .ask = ASK_END };
	int listener = socket(AF_INET, SOCK_STREAM, 0), work;
	struct lane lane[LANES];
	clockid_t depot;
	pid_t child;

	if (argc != 3) {
		(void)fprintf(stderr, "bench_limit FOLDER WORK\n");
		return 64;
	}
	must(secret_init() == 0, "memory");
	all.folder = folder_at(AT_FDCWD, argv[1], false);
	work = folder_at(AT_FDCWD, argv[2], false);
	all.depot = folder_at(work, "depot", true);
	all.out = folder_at(work, "out", true);
	must(nftw(argv[1], see, 16, FTW_PHYS) == 0, argv[1]);
	must(bind(listener, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
		listen(listener, LANES) == 0,
	    "listen");
	records_accelerate();
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		connect_lanes(true, listener, lane);
		on_all(serve, lane);
		_exit(0);
	}
	must(clock_getcpuclockid(child, &depot) == 0, "clock");
	connect_lanes(false, listener, lane);
	for (size_t i = 0; i < LANES; i++)
		must(SSL_connect(lane[i].tls) == 1, "connect");
	measure("put", put, lane, depot);
	measure("get", get, lane, depot);
	for (size_t i = 0; i < LANES; i++)
		send_all(lane[i].tls, &end, sizeof(end));
	must(waitpid(child, NULL, 0) == child, "wait");
	return 0;
}
