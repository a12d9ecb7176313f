// SPDX-License-Identifier: Apache-2.0
/* What the ledger and the courier say to each other: a checkpoint for the
 * witnesses, and what each of them said.  spec/60-log.md, Witnesses. */
#ifndef SKERRY_AUTHORITY_POSTING_H
#define SKERRY_AUTHORITY_POSTING_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "tlog/submit.h"

#define POSTING_WITNESSES_MAX 16
#define POSTING_TEXT_MAX 4096 /* bytes of what a witness said */

struct posting_one {
	uint8_t witness; /* its place in the configuration */
	uint64_t old;    /* size that it cosigned last … */
	struct merkle_proof proof; /* … and the way from there */
};

struct posting {
	size_t n;
	struct posting_one one[POSTING_WITNESSES_MAX];
	struct bytes note; /* borrowed */
};

/* FAULT_LIMIT, FAULT_MEMORY; FAULT_MALFORMED. */
int posting_write(const struct posting *p, struct buf *out) must_check;
int posting_read(struct bytes in, struct posting *out) must_check;

enum posting_kind {
	POSTING_LINES = 1, /* text: signature lines */
	POSTING_SIZE = 2,  /* it cosigned a tree of another size last */
	POSTING_FAILED = 3, /* text: why */
};

struct posting_answer {
	uint8_t witness, kind;
	uint64_t size;     /* POSTING_SIZE */
	struct bytes text; /* borrowed */
};

int posting_answer_write(const struct posting_answer *a, struct buf *out)
	must_check;
int posting_answer_read(struct bytes in, struct posting_answer *out)
	must_check;

#endif
