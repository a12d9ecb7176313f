// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger as the writer of the log.  What the database has and the log has
 * not is appended, signed by keys, cosigned and shown; only then is anything
 * done that an entry says.  spec/60-log.md, Order.
 */
#ifndef SKERRY_AUTHORITY_LEDGER_LOG_H
#define SKERRY_AUTHORITY_LEDGER_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "authority/cosign.h"
#include "authority/db.h"
#include "authority/keymsg.h"
#include "authority/link.h"
#include "authority/request.h"
#include "base/attr.h"
#include "base/fault.h"
#include "store/log.h"

struct ledger_log {
	struct log *log;      /* NULL: none, and nothing is logged (tests) */
	struct db *db;        /* borrowed, as is keys */
	struct keymsg_line *keys;
	struct note_key key;  /* the log's */
	struct cosign cosign;
	struct keymsg_tree last; /* that keys signed */
	struct log_head head;    /* of the log */
	struct buf note, shown;  /* signed; and as published */
	uint64_t shown_size;
	struct request_log numbers;
	struct tile_tree *tree;  /* room for one reader of tiles */
	struct fault down;       /* why the latest tree is not shown */
	int64_t again;           /* ms; not tried before */
};

/* Opens the log in a folder.  keys, db, key and cosign of g are set.
 * FAULT_ROLLBACK: the database is older than the log. */
int ledger_log_open(struct ledger_log *g, const char *dir, struct fault *f)
	must_check;

/* Before anything is served: what is in the database is in the log, and the
 * log is shown.  What fails here was named by a fault, and may come right
 * later; *shown_rc is that of the witnesses. */
int ledger_log_follow(struct ledger_log *g, int *shown_rc, struct fault *f)
	must_check;

/* Runs until keys knows the tree that is signed: after it was started anew. */
int ledger_log_resume(struct ledger_log *g, int wait_ms, struct fault *f)
	must_check;

void ledger_log_close(struct ledger_log *g);

#endif
