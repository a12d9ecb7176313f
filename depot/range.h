// SPDX-License-Identifier: Apache-2.0
/* The Range field of RFC 9110, a single range of bytes. */
#ifndef SKERRY_DEPOT_RANGE_H
#define SKERRY_DEPOT_RANGE_H

#include <stdint.h>

enum range_answer {
	RANGE_WHOLE,  /* not a single range: answered as if it were absent */
	RANGE_PART,
	RANGE_OUTSIDE, /* 416 */
};

struct range {
	uint64_t first, len; /* of RANGE_PART: 1 <= len, within size */
};

/* Reads bytes=a-b, bytes=a- or bytes=-n for a body of size bytes. */
enum range_answer range_parse(const char *value, uint64_t size,
    struct range *out);

#endif
