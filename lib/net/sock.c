// SPDX-License-Identifier: Apache-2.0
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static void
addrinfo_freep(struct addrinfo **ai)
{
	if (*ai != NULL)
		freeaddrinfo(*ai);
}

static int
split(const char *where, char host[64], char port[8])
{
	const char *colon = strrchr(where, ':');
	size_t n;

	if (colon == NULL || strlen(colon + 1) >= 8)
		return FAULT_CONFIG;
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	n = (size_t)(colon - where);
	if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	} else if (memchr(where, ':', n) != NULL) {
		return FAULT_CONFIG;
	}
	if (n == 0 || n >= 64)
		return FAULT_CONFIG;
	memcpy(host, where, n);
	host[n] = '\0';
	return 0;
}

static bool
is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	return IN6_IS_ADDR_LOOPBACK(
	    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static int
resolve(const char *where, bool loopback, struct addrinfo **out,
    struct fault *f)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *ai defer(addrinfo_freep) = NULL;
	char host[64], port[8];

	/* The library takes 65537 for 1. */
	if (split(where, host, port) != 0 ||
	    strtoul(port, NULL, 10) > UINT16_MAX ||
	    getaddrinfo(host, port, &hints, &ai) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "'%s' is not a numeric address:port", where);
	if (loopback && !is_loopback(ai->ai_addr))
		return fault_set(f, FAULT_CONFIG,
		    "'%s' is not a loopback address", where);
	*out = take(ai);
	return 0;
}

int
sock_check(const char *key, const char *where, bool loopback,
    struct fault *f)
{
	struct addrinfo *ai defer(addrinfo_freep) = NULL;
	int rc = where == NULL ? 0 : resolve(where, loopback, &ai, f);

	return rc == 0 ? 0 : fault_add(f, rc, "%s", key);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(ss);

	(void)getsockname(fd, (struct sockaddr *)&ss, &n);
	if (ss.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port);
	return ntohs(((struct sockaddr_in6 *)(void *)&ss)->sin6_port);
}

int
sock_listen(const char *where, bool loopback, int *fd_out, uint16_t *port_out,
    struct fault *f)
{
	struct addrinfo *ai defer(addrinfo_freep) = NULL;
	int rc = resolve(where, loopback, &ai, f);
	int on = 1, fd;

	if (rc != 0)
		return rc;
	fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		rc = fault_sys(f, FAULT_CONFIG, errno, "listen at %s", where);
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	*fd_out = fd;
	*port_out = port_of(fd);
	return 0;
}
