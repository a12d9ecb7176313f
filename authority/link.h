// SPDX-License-Identifier: Apache-2.0
/*
 * One side of a link between two roles.  The descriptors keep packets apart
 * (SOCK_SEQPACKET, or a pipe with O_DIRECT), so a role that dies in the middle
 * leaves whole packets or none.  The number of a call leads every packet of it,
 * so a late answer to an earlier one is dropped.
 */
#ifndef SKERRY_AUTHORITY_LINK_H
#define SKERRY_AUTHORITY_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define LINK_PIPE_MAX 4096     /* bytes of a packet on a pipe */
#define LINK_SOCKET_MAX 393216 /* on a socket: a chain of CHAIN_MAX entries */
#define LINK_LOST 0            /* the call's number in a notice of loss */

struct link {
	int rfd, wfd; /* may be the same socket; not owned */
	size_t max;   /* bytes of a packet, with the number */
	uint64_t call; /* number of the last call made */
};

/* Numbers begin at a random one, so that they differ from those of a process
 * that had the link before. */
struct link link_init(int rfd, int wfd, size_t max);

/* Sends ask, waits up to ms for its answer, appended to answer.
 * FAULT_AUTHORITY: no answer, or the peer died meanwhile.  FAULT_LIMIT. */
int link_call(struct link *l, struct bytes ask, int ms,
    struct buf *answer) must_check;

/* Its halves, for calls of many packets: link_more goes on with the last
 * link_send, link_next appends one of the answers to that. */
int link_send(struct link *l, struct bytes ask) must_check;
int link_more(const struct link *l, struct bytes ask) must_check;
int link_next(struct link *l, int ms, struct buf *answer) must_check;

/* Whether link_next() or link_take() has a packet to look at. */
bool link_ready(const struct link *l);

/* The next packet of a peer that calls: its number and body, appended.
 * FAULT_NOT_FOUND: none is there without waiting.  FAULT_AUTHORITY: the peer
 * is gone for good.  FAULT_MALFORMED. */
int link_take(const struct link *l, uint64_t *call, struct buf *body)
	must_check;

/* Answers it.  FAULT_AUTHORITY, FAULT_LIMIT. */
int link_answer(const struct link *l, uint64_t call, struct bytes body)
	must_check;

/* Sends a packet of any number, without waiting, where several calls are under
 * way.  FAULT_SPACE: there is no room now. */
int link_offer(const struct link *l, uint64_t call, struct bytes body)
	must_check;

/* By the parent, which holds every end: whoever waits on the other end of fd
 * gets FAULT_AUTHORITY at once.  Best effort. */
void link_lost(int fd);

#endif
