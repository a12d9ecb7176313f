// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int
fault_exit(int code)
{
	return code < 0 ? -code : 0;
}

const char *
fault_name(int code)
{
	switch (code) {
	case 0:
		return "OK";
#define X(name, status, text)    \
	case FAULT_##name:       \
		return #name;
	FAULT_TABLE(X)
#undef X
	default:
		return "UNKNOWN";
	}
}

const char *
fault_text(int code)
{
	switch (code) {
	case 0:
		return "success";
#define X(name, status, text)    \
	case FAULT_##name:       \
		return text;
	FAULT_TABLE(X)
#undef X
	default:
		return "unknown error";
	}
}

/* What commands a terminal must not reach one from outside (a file name, a
 * depot's words), and of what is no text no JSON can be made. */
static void
make_printable(char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		size_t n = utf8_len((const uint8_t *)s, left);
		bool good = utf8_harmless((const uint8_t *)s, n);

		n = n == 0 ? 1 : n;
		if (!good)
			memset(s, '?', n);
		s += n;
		left -= n;
	}
}

int
fault_set(struct fault *f, int code, const char *fmt, ...)
{
	va_list ap;

	f->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	make_printable(f->text);
	return code;
}

int
fault_sys(struct fault *f, int code, int err, const char *fmt, ...)
{
	char what[FAULT_TEXT_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(f, code, "%s: %s", what, strerror(err));
}

int
fault_add(struct fault *f, int code, const char *fmt, ...)
{
	char head[FAULT_TEXT_MAX / 2], tail[FAULT_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	if (f->code == code && f->text[0] != '\0')
		memcpy(tail, f->text, sizeof(tail));
	else
		(void)snprintf(tail, sizeof(tail), "%s", fault_text(code));
	f->code = code;
	/* A trail that is too long loses its end, never its cause's name. */
	if (snprintf(f->text, sizeof(f->text), "%s: %s", head, tail) < 0)
		f->text[0] = '\0';
	make_printable(f->text);
	return code;
}

int
fault_from_errno(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return FAULT_SPACE;
	case ENOENT:
	case ENOTDIR:
		return FAULT_NOT_FOUND;
	case EACCES:
	case EPERM:
		return FAULT_DENIED;
	case EEXIST:
		return FAULT_EXISTS;
	case ENOMEM:
		return FAULT_MEMORY;
	case EINTR:
		return FAULT_INTERRUPTED;
	default:
		return FAULT_IO;
	}
}
