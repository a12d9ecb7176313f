// SPDX-License-Identifier: Apache-2.0
#include "serve/expose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"

#define LINE_MAX_LEN 256

static void
append(struct expose *e, const char *text)
{
	if (e->rc == 0)
		e->rc = buf_append(e->out, text, strlen(text));
}

static void
prefix(struct expose *e)
{
	append(e, "skerry_");
	append(e, e->server);
	append(e, "_");
}

void
expose_head(struct expose *e, const char *name, const char *type,
    const char *help)
{
	const char *const line[2][2] = { { "# HELP ", help },
		{ "# TYPE ", type } };

	for (size_t i = 0; i < ARRAY_LEN(line); i++) {
		append(e, line[i][0]);
		prefix(e);
		append(e, name);
		append(e, " ");
		append(e, line[i][1]);
		append(e, "\n");
	}
}

void
expose_sample(struct expose *e, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (e->rc == 0 && (n < 0 || (size_t)n >= sizeof(text)))
		e->rc = FAULT_LIMIT;
	prefix(e);
	append(e, text);
	append(e, "\n");
}

void
expose_counter(struct expose *e, const char *name, const char *help,
    unsigned long long v)
{
	expose_head(e, name, "counter", help);
	expose_sample(e, "%s %llu", name, v);
}

void
expose_gauge(struct expose *e, const char *name, const char *help,
    long long v)
{
	expose_head(e, name, "gauge", help);
	expose_sample(e, "%s %lld", name, v);
}
