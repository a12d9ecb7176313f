// SPDX-License-Identifier: Apache-2.0
/* What a put would do, as far as the states of the files tell: none is opened,
 * nothing is sent.  What a put would have to read may turn out to be the
 * same. */
#ifndef SKERRY_CLIENT_ENGINE_PREVIEW_H
#define SKERRY_CLIENT_ENGINE_PREVIEW_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/compare.h"
#include "client/engine/put.h"

/*
 * Of p: ses (to read), source, rules, warn, progress; the results files, bytes,
 * fresh_files (that would be read), removed, excluded, left_out, number.
 * each is told of what would be another entry, in key order; is has the type,
 * the state and, of a file, the size.  The first nonzero result ends it.
 * *fresh: bytes that would be read.  Faults as put_run, where it does the same.
 */
struct preview_sink {
	int (*each)(void *arg, struct bytes key, enum compare_kind kind,
	    const struct tree_entry *was, const struct tree_entry *is);
	void *arg;
};

int preview_run(struct put *p, const struct preview_sink *sink,
    uint64_t *fresh, struct fault *f) must_check;

#endif
