// SPDX-License-Identifier: Apache-2.0
/* What the parts of the embedded database share. */
#ifndef SKERRY_AUTHORITY_DB_SQLITE_H
#define SKERRY_AUTHORITY_DB_SQLITE_H

#include <sqlite3.h>

#include "authority/db.h"

sqlite3 *db_sqlite_handle(struct db *db);

/* The fault of a SQLite code. */
int db_sqlite_failed(struct db *db, int rc, struct fault *f);

/* Makes the tables of custody where they are missing. */
extern const char db_sqlite_custody_schema[];

/* From schema 1 to 2: the tables of epochs, filled. */
extern const char db_sqlite_epoch_schema[];

/* Set the callbacks of custody, and of epochs. */
void db_sqlite_custody(struct db *db);
void db_sqlite_epoch(struct db *db);

#endif
