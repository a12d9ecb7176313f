// SPDX-License-Identifier: Apache-2.0
/* What the parts of the embedded database share. */
#ifndef SKERRY_AUTHORITY_DB_SQLITE_H
#define SKERRY_AUTHORITY_DB_SQLITE_H

#include "authority/db.h"
#include "authority/sql.h"

#define DB_SQLITE_BUSY_MS 5000 /* for a lock of another process */
#define DB_SQLITE_PURGE_MS 1000 /* the same, while everybody waits */

/* Its statements. */
struct sql *db_sqlite(struct db *db);

/* From schema 1 to 2: the tables of the log. */
extern const char db_sqlite_log_schema[];

/* Made where it is missing: requests are few among the entries. */
extern const char db_sqlite_log_index[];

/* Sets the callbacks of the log. */
void db_sqlite_log(struct db *db);

/* Makes the tables of custody where they are missing. */
extern const char db_sqlite_custody_schema[];

/* From schema 1 to 2: the tables of epochs, filled. */
extern const char db_sqlite_epoch_schema[];

/* Makes the table of invitations where it is missing. */
extern const char db_sqlite_invitation_schema[];

/* Makes the table of the clock where it is missing. */
extern const char db_sqlite_pace_schema[];

/* Set the callbacks of custody, of epochs, of invitations, of the clock. */
void db_sqlite_custody(struct db *db);
void db_sqlite_epoch(struct db *db);
void db_sqlite_invitation(struct db *db);
void db_sqlite_pace(struct db *db);

#endif
