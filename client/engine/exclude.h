// SPDX-License-Identifier: Apache-2.0
/*
 * Patterns of what a put leaves out; their rules are in skerry(1), put.  Names
 * are bytes: what a pattern matches does not depend on the locale.
 */
#ifndef SKERRY_CLIENT_ENGINE_EXCLUDE_H
#define SKERRY_CLIENT_ENGINE_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/fault.h"

#define EXCLUDE_PATTERN_MAX 4096u /* bytes */
#define EXCLUDE_TAG "CACHEDIR.TAG"

struct exclude;

/* No patterns yet; NULL: no memory. */
struct exclude *exclude_new(void);

/* Takes a copy of a pattern.  FAULT_MALFORMED, FAULT_LIMIT, FAULT_MEMORY; f has
 * the reason and not the pattern. */
int exclude_add(struct exclude *x, const char *pattern,
    struct fault *f) must_check;

/* Adds each line of in, but for empty ones and those that begin with '#'; name
 * is for messages.  As exclude_add, and FAULT_IO, FAULT_INTERRUPTED; f names
 * file and line. */
int exclude_read(struct exclude *x, FILE *in, const char *name,
    struct fault *f) must_check;

/* Between the last pattern and the first question. */
void exclude_prepare(struct exclude *x);

/* Whether a pattern matches path, n bytes and a NUL: names below the source,
 * with '/' between them.  folder: those that are for folders alone count, too.
 * Allocates nothing.  x NULL: no patterns. */
bool exclude_match(const struct exclude *x, const char *path, size_t n,
    bool folder);

/* Whether the open folder dir has a valid EXCLUDE_TAG
 * (https://bford.info/cachedir/).  One that cannot be read is none. */
bool exclude_tagged(int dir);

void exclude_free(struct exclude *x);

#endif
