// SPDX-License-Identifier: Apache-2.0
/* Questions to the person at the terminal, which need not be standard input;
 * and what standard error can do. */
#ifndef SKERRY_CLIENT_TERMINAL_H
#define SKERRY_CLIENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

/* Whether standard error is a terminal that can draw a line anew: TERM is set,
 * and is not dumb. */
bool terminal_redraws(void);

/* A line, without echo, into out (NUL-terminated, no newline; wiped by the
 * caller).  FAULT_USAGE where there is no terminal, FAULT_INTERRUPTED. */
int terminal_secret(const char *prompt, char *out, size_t size,
    struct fault *f) must_check;

/* Whether the answer is y or yes.  The same errors. */
int terminal_confirm(const char *question, bool *yes,
    struct fault *f) must_check;

#endif
