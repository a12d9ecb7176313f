// SPDX-License-Identifier: Apache-2.0
/* Names, times and sizes as people and JSON want them. */
#ifndef SKERRY_CLIENT_SHOW_H
#define SKERRY_CLIENT_SHOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "object/entry.h"

#define SHOW_TIME_SIZE 48
#define SHOW_MODE_SIZE 11

/* A name or a key of several names.  escape: bytes that could do harm to a
 * terminal or are not UTF-8 come as \xNN, a backslash as two. */
void show_name(FILE *out, struct bytes key, bool escape);

/* A JSON string with its quotes; text is UTF-8. */
void show_json_text(FILE *out, struct bytes text);

/* "name":"…", or "name_base64":"…" where value is not UTF-8; zero bytes are the
 * slashes of a key. */
void show_json_name(FILE *out, const char *name, struct bytes key);

/* RFC 3339, UTC; with all of the second's digits if fine.  "@SECONDS" beyond
 * the years that it can say. */
void show_time(int64_t sec, uint32_t nsec, bool fine,
    char out[static SHOW_TIME_SIZE]);

/* "-rw-r--r--". */
void show_mode(const struct tree_entry *e, char out[static SHOW_MODE_SIZE]);

/* "file", "folder", …. */
const char *show_type(enum entry_type type);

#endif
