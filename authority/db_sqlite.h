// SPDX-License-Identifier: Apache-2.0
/* What the parts of the embedded database share. */
#ifndef SKERRY_AUTHORITY_DB_SQLITE_H
#define SKERRY_AUTHORITY_DB_SQLITE_H

#include <sqlite3.h>

#include "authority/db.h"

sqlite3 *db_sqlite_handle(struct db *db);

/* The fault of a SQLite code. */
int db_sqlite_failed(struct db *db, int rc, struct fault *f);

/* A statement that is prepared once and kept, of those beyond db_sqlite.c's
 * own; *rc is SQLite's where it is NULL. */
#define DB_SQLITE_KEPT 16
sqlite3_stmt *db_sqlite_kept(struct db *db, unsigned which, const char *sql,
    int *rc);

/* From schema 1 to 2: the tables of the log. */
extern const char db_sqlite_log_schema[];

/* Sets the callbacks of the log. */
void db_sqlite_log(struct db *db);

/* Makes the tables of custody where they are missing. */
extern const char db_sqlite_custody_schema[];

/* From schema 1 to 2: the tables of epochs, filled. */
extern const char db_sqlite_epoch_schema[];

/* Set the callbacks of custody, and of epochs. */
void db_sqlite_custody(struct db *db);
void db_sqlite_epoch(struct db *db);

#endif
