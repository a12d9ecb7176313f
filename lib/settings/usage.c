// SPDX-License-Identifier: Apache-2.0
#include "settings/usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/logline.h"

int
usage_find(int argc, char **argv, const struct usage_form *forms, size_t n,
    size_t *which, struct fault *f)
{
	size_t i = 0;

	if (argc < 2)
		return fault_set(f, FAULT_USAGE,
		    "no command was given; see --help");
	while (i < n && strcmp(forms[i].word, argv[1]) != 0)
		i++;
	if (i == n)
		return fault_set(f, FAULT_USAGE, "%s: %s; see --help",
		    argv[1], argv[1][0] == '-' ? "not understood" :
		    "no such command");
	if (argc - 2 < forms[i].n)
		return fault_set(f, FAULT_USAGE, "%s wants %s; see --help",
		    argv[1], forms[i].wants);
	if (argc - 2 > forms[i].n)
		return fault_set(f, FAULT_USAGE,
		    "%s: one too many for %s; see --help",
		    argv[2 + forms[i].n], argv[1]);
	*which = i;
	return 0;
}

int
usage_print(const char *text, struct fault *f)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0)
		return fault_sys(f, FAULT_IO, errno, "standard output");
	return 0;
}

int
usage_complain(const char *program, const struct fault *f)
{
	(void)fprintf(stderr, "%s: %s\n", program, f->text);
	return fault_exit(f->code);
}

int
usage_log(const struct fault *f)
{
	struct logline l = logline_begin(LOGLINE_ERROR, "exit");

	logline_fault(&l, f);
	logline_end(&l);
	return fault_exit(f->code);
}
