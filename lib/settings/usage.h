// SPDX-License-Identifier: Apache-2.0
/* The arguments of a server that has a few ways to be called, each a word and
 * what follows it; and what it says at its end. */
#ifndef SKERRY_SETTINGS_USAGE_H
#define SKERRY_SETTINGS_USAGE_H

#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

struct usage_form {
	const char *word;  /* "--config" */
	const char *wants; /* "FILE", or NULL */
	int n;             /* arguments behind the word */
};

/* *which is the form that the arguments have.  FAULT_USAGE names the argument
 * at fault. */
int usage_find(int argc, char **argv, const struct usage_form *forms,
    size_t n, size_t *which, struct fault *f) must_check;

/* Writes to standard output, to the end.  FAULT_IO. */
int usage_print(const char *text, struct fault *f) must_check;

/* What f is, said to people, or, by a service, in its log, which machines
 * read.  Returns the exit status. */
int usage_complain(const char *program, const struct fault *f);
int usage_log(const struct fault *f);

#endif
