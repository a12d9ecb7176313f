// SPDX-License-Identifier: Apache-2.0
/*
 * Statements of the embedded database: each is prepared once and kept.  Begin,
 * bind in order, step, read columns, finish.
 */
#ifndef SKERRY_AUTHORITY_SQL_H
#define SKERRY_AUTHORITY_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"

#define SQL_KEPT 96 /* statements; more are SQLITE_MISUSE */

struct sql {
	sqlite3 *h;
	size_t n;
	struct {
		const char *text;
		sqlite3_stmt *s;
	} kept[SQL_KEPT];
};

/* One statement under way. */
struct sql_run {
	struct sql *sql;
	sqlite3_stmt *s;
	int next, rc; /* rc: SQLite's */
};

/* text lives as long as sql.  What fails is told by sql_finish(). */
struct sql_run sql_run(struct sql *sql, const char *text);

/* What is bound lives until sql_finish(). */
void sql_blob(struct sql_run *r, const void *p, size_t n);
void sql_text(struct sql_run *r, const char *p);
void sql_int(struct sql_run *r, int64_t v);

/* Whether there is a row. */
bool sql_row(struct sql_run *r);

/* The same, of a list that has k already and room for max: whatever it has more
 * is FAULT_LIMIT, told by sql_finish(). */
bool sql_more(struct sql_run *r, size_t k, size_t max);

/* Borrowed until the next row. */
struct bytes sql_column(struct sql_run *r, int i);

/* Of exactly n bytes; others are SQLITE_CORRUPT. */
void sql_exact(struct sql_run *r, int i, void *out, size_t n);

/* Ends the statement.  More rows, or no more, is no fault. */
int sql_finish(struct sql_run *r, struct fault *f);

/* Steps once, and ends it. */
int sql_write(struct sql_run *r, struct fault *f) must_check;

/* Ends it.  FAULT_NOT_FOUND where nothing was found. */
int sql_one(struct sql_run *r, bool found, struct fault *f);

/* Ends it with its first row's first column, of exactly n bytes.
 * FAULT_NOT_FOUND. */
int sql_get(struct sql_run *r, void *out, size_t n, struct fault *f)
	must_check;

/* Ends it.  FAULT_LIMIT where its first row, a count, leaves no room for one
 * more of max; what: their name. */
int sql_room(struct sql_run *r, int64_t max, const char *what,
    struct fault *f) must_check;

/* The fault of a SQLite code: FAULT_SPACE, FAULT_LIMIT, FAULT_EXISTS,
 * FAULT_MEMORY, FAULT_IO, FAULT_INTERNAL; FAULT_AUTHORITY while another process
 * has it locked. */
int sql_failed(struct sql *sql, int rc, struct fault *f);

/* Finalizes what is kept, and closes the database. */
void sql_close(struct sql *sql);

#endif
