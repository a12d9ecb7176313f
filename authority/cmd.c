// SPDX-License-Identifier: Apache-2.0
#include "authority/cmd.h"

#include <stdbool.h>
#include <string.h>

static const struct cmd_option *
option_find(const struct cmd_option *o, size_t n, const char *arg, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(o[i].name) == len &&
		    strncmp(o[i].name, arg, len) == 0)
			return &o[i];
	return NULL;
}

int
cmd_options(int argc, char **argv, const struct cmd_option *o, size_t n,
    const char **rest, struct fault *f)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *equals = strchr(arg, '=');
		const struct cmd_option *x = NULL;

		if (strncmp(arg, "--", 2) == 0)
			x = option_find(o, n, arg + 2, equals != NULL ?
			    (size_t)(equals - arg) - 2 : strlen(arg) - 2);
		if (x != NULL && equals != NULL) {
			*x->value = equals + 1;
		} else if (x != NULL && i + 1 < argc) {
			*x->value = argv[++i];
		} else if (x == NULL && arg[0] != '-' && rest != NULL &&
		    *rest == NULL) {
			*rest = arg;
		} else if (x != NULL) {
			return fault_set(f, FAULT_USAGE, "%s wants a value",
			    arg);
		} else {
			return fault_set(f, FAULT_USAGE,
			    "%s: not understood; see --help", arg);
		}
	}
	for (size_t i = 0; i < n; i++)
		if (o[i].required && *o[i].value == NULL)
			return fault_set(f, FAULT_USAGE, "--%s is wanted",
			    o[i].name);
	return 0;
}
