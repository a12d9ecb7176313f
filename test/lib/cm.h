// SPDX-License-Identifier: Apache-2.0
/* What every cmocka test includes, in the order that cmocka demands. */
#ifndef SKERRY_TEST_CM_H
#define SKERRY_TEST_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A heap copy of exactly n bytes, so that ASan sees one byte over; n may be 0.
 * Free with free(). */
static inline uint8_t *
cm_exact(const void *p, size_t n)
{
	uint8_t *q = calloc(1, n);

	if (n != 0)
		memcpy(q, p, n);
	return q;
}

#endif
