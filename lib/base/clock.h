// SPDX-License-Identifier: Apache-2.0
/* Time that only goes forward, for waits and rates. */
#ifndef SKERRY_BASE_CLOCK_H
#define SKERRY_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment before the start (CLOCK_MONOTONIC). */
int64_t clock_ms(void);

#endif
