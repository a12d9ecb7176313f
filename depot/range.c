// SPDX-License-Identifier: Apache-2.0
#include "depot/range.h"

#include <stdbool.h>
#include <string.h>

/* Digits, at least one; what exceeds 64 bits is held at the maximum. */
static bool
take_number(const char **p, uint64_t *out)
{
	const char *s = *p;
	uint64_t v = 0;

	while (*s >= '0' && *s <= '9') {
		uint64_t d = (uint64_t)(*s++ - '0');

		v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d;
	}
	if (s == *p)
		return false;
	*p = s;
	*out = v;
	return true;
}

enum range_answer
range_parse(const char *value, uint64_t size, struct range *out)
{
	const char *p = value + strlen("bytes=");
	uint64_t first = 0, last = UINT64_MAX;
	bool has_first, has_last;

	if (strncmp(value, "bytes=", strlen("bytes=")) != 0)
		return RANGE_WHOLE;
	has_first = take_number(&p, &first);
	if (*p++ != '-')
		return RANGE_WHOLE;
	has_last = take_number(&p, &last);
	if (*p != '\0' || (!has_first && !has_last) ||
	    (has_first && has_last && last < first))
		return RANGE_WHOLE;
	if (!has_first) {
		/* The last so many bytes. */
		if (last == 0 || size == 0)
			return RANGE_OUTSIDE;
		out->len = last < size ? last : size;
		out->first = size - out->len;
		return RANGE_PART;
	}
	if (first >= size)
		return RANGE_OUTSIDE;
	out->first = first;
	out->len = (last < size - 1 ? last : size - 1) - first + 1;
	return RANGE_PART;
}
