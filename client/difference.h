// SPDX-License-Identifier: Apache-2.0
/* A list of what differs, one path a line or an object of "changes". */
#ifndef SKERRY_CLIENT_DIFFERENCE_H
#define SKERRY_CLIENT_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "client/cli.h"
#include "client/engine/compare.h"

struct difference {
	struct cli *cli;
	bool metadata; /* show what differs in that alone, too */
	bool escape;   /* as show_name */
	uint64_t n;    /* so far, in all … */
	uint64_t of[COMPARE_KINDS]; /* … and by kind */
};

/* was or is may be NULL, by the kind.  FAULT_IO where standard output takes no
 * more; main() says why. */
int difference_show(struct difference *d, struct bytes key,
    enum compare_kind kind, const struct tree_entry *was,
    const struct tree_entry *is) must_check;

/* After the last: the counts, into the --json answer and as text. */
#define DIFFERENCE_TEXT_SIZE 160
void difference_end(struct difference *d,
    char out[static DIFFERENCE_TEXT_SIZE]);

#endif
