// SPDX-License-Identifier: Apache-2.0
#ifndef SKERRY_BASE_NOUN_H
#define SKERRY_BASE_NOUN_H

#include <stdint.h>

/* one for 1, else many: for what is printed behind a number. */
static inline const char *
noun_for(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

#endif
