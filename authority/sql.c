// SPDX-License-Identifier: Apache-2.0
#include "authority/sql.h"

#include <string.h>

static sqlite3_stmt *
kept(struct sql *sql, const char *text, int *rc)
{
	size_t i = 0;

	while (i < sql->n && sql->kept[i].text != text)
		i++;
	if (i == SQL_KEPT) {
		*rc = SQLITE_MISUSE;
		return NULL;
	}
	if (i == sql->n) {
		*rc = sqlite3_prepare_v3(sql->h, text, -1,
		    SQLITE_PREPARE_PERSISTENT, &sql->kept[i].s, NULL);
		if (*rc != SQLITE_OK)
			return NULL;
		sql->kept[i].text = text;
		sql->n++;
	}
	return sql->kept[i].s;
}

struct sql_run
sql_run(struct sql *sql, const char *text)
{
	struct sql_run r = { .sql = sql, .next = 1 };

	r.s = kept(sql, text, &r.rc);
	return r;
}

void
sql_blob(struct sql_run *r, const void *p, size_t n)
{
	/* A pointer of nothing would be NULL, not an empty blob. */
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_blob64(r->s, r->next++,
		    n == 0 ? "" : p, n, SQLITE_STATIC);
}

void
sql_text(struct sql_run *r, const char *p)
{
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_text(r->s, r->next++, p, -1,
		    SQLITE_STATIC);
}

void
sql_int(struct sql_run *r, int64_t v)
{
	if (r->rc == SQLITE_OK)
		r->rc = sqlite3_bind_int64(r->s, r->next++, v);
}

bool
sql_row(struct sql_run *r)
{
	if (r->rc == SQLITE_OK || r->rc == SQLITE_ROW)
		r->rc = sqlite3_step(r->s);
	return r->rc == SQLITE_ROW;
}

struct bytes
sql_column(struct sql_run *r, int i)
{
	const void *p = sqlite3_column_blob(r->s, i);

	return bytes_of(p, (size_t)sqlite3_column_bytes(r->s, i));
}

void
sql_exact(struct sql_run *r, int i, void *out, size_t n)
{
	struct bytes b = sql_column(r, i);

	if (b.p != NULL && b.n == n)
		memcpy(out, b.p, n);
	else
		r->rc = SQLITE_CORRUPT;
}

bool
sql_more(struct sql_run *r, size_t k, size_t max)
{
	bool has = sql_row(r);

	if (has && k == max)
		r->rc = SQLITE_TOOBIG;
	return has && k < max;
}

int
sql_finish(struct sql_run *r, struct fault *f)
{
	int rc = r->rc;

	if (r->s != NULL) {
		(void)sqlite3_reset(r->s);
		(void)sqlite3_clear_bindings(r->s);
	}
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return sql_failed(r->sql, rc, f);
}

int
sql_write(struct sql_run *r, struct fault *f)
{
	(void)sql_row(r);
	return sql_finish(r, f);
}

int
sql_one(struct sql_run *r, bool found, struct fault *f)
{
	int rc = sql_finish(r, f);

	if (rc == 0 && !found)
		return fault_set(f, FAULT_NOT_FOUND, "database: no such row");
	return rc;
}

int
sql_get(struct sql_run *r, void *out, size_t n, struct fault *f)
{
	bool found = sql_row(r);

	if (found)
		sql_exact(r, 0, out, n);
	return sql_one(r, found, f);
}

int
sql_room(struct sql_run *r, int64_t max, const char *what, struct fault *f)
{
	int64_t n = sql_row(r) ? sqlite3_column_int64(r->s, 0) : 0;
	int rc = sql_finish(r, f);

	if (rc == 0 && n >= max)
		return fault_set(f, FAULT_LIMIT, "no room for more than %lld "
		    "%s", (long long)max, what);
	return rc;
}

int
sql_failed(struct sql *sql, int rc, struct fault *f)
{
	int err = sql->h != NULL ? sqlite3_system_errno(sql->h) : 0;
	int code = FAULT_INTERNAL;

	switch (rc & 0xff) {
	case SQLITE_TOOBIG:
		return fault_set(f, FAULT_LIMIT, "database: a list is longer "
		    "than it may be");
	case SQLITE_BUSY:
		return fault_set(f, FAULT_AUTHORITY, "the database is locked "
		    "by another process; try again");
	case SQLITE_FULL:
		code = FAULT_SPACE;
		break;
	case SQLITE_CONSTRAINT:
		code = FAULT_EXISTS;
		break;
	case SQLITE_NOMEM:
		code = FAULT_MEMORY;
		break;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_READONLY:
		code = FAULT_IO;
		break;
	}
	/* The WAL grows by plain writes, whose ENOSPC is an I/O error here. */
	if (code == FAULT_IO && fault_from_errno(err) == FAULT_SPACE)
		code = FAULT_SPACE;
	return ((rc & 0xff) == SQLITE_CANTOPEN ||
	    (rc & 0xff) == SQLITE_IOERR) && err != 0 ?
	    fault_sys(f, code, err, "database: %s", sqlite3_errstr(rc)) :
	    fault_set(f, code, "database: %s", sqlite3_errstr(rc));
}

void
sql_close(struct sql *sql)
{
	for (size_t i = 0; i < sql->n; i++)
		(void)sqlite3_finalize(sql->kept[i].s);
	(void)sqlite3_close(sql->h);
}
