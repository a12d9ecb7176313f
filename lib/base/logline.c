// SPDX-License-Identifier: Apache-2.0
#include "base/logline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

/* What logline_close() still has to add: ,"cut":true} newline NUL. */
#define TAIL_MAX 16

static void
put(struct logline *l, const char *s, size_t n)
{
	if (l->cut)
		return;
	if (n > sizeof(l->text) - TAIL_MAX - l->n) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static void
put_text(struct logline *l, const char *s)
{
	put(l, s, strlen(s));
}

static void
put_string(struct logline *l, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char esc[8];

	put(l, "\"", 1);
	while (*s != '\0') {
		size_t n = utf8_len(s, strnlen((const char *)s, 4));

		if (n == 0) {
			put_text(l, "\xef\xbf\xbd");
			n = 1;
		} else if (n == 1 && (*s < 0x20 || *s == 0x7f)) {
			(void)snprintf(esc, sizeof(esc), "\\u%04x", *s);
			put_text(l, esc);
		} else if (*s == '"' || *s == '\\') {
			esc[0] = '\\';
			esc[1] = (char)*s;
			put(l, esc, 2);
		} else {
			put(l, (const char *)s, n);
		}
		s += n;
	}
	put(l, "\"", 1);
}

/* Fields are taken whole: begin gives the place to go back to. */
static size_t
field_begin(struct logline *l, const char *key)
{
	size_t mark = l->n;

	put(l, ",", 1);
	put_string(l, key);
	put(l, ":", 1);
	return mark;
}

static void
field_end(struct logline *l, size_t mark)
{
	if (l->cut)
		l->n = mark;
}

struct logline
logline_begin(enum logline_level level, const char *event)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	struct logline l = { .n = 0 };
	struct timespec now;
	struct tm tm;
	char t[64];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(t, sizeof(t), "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
	put_text(&l, t);
	(void)snprintf(t, sizeof(t), ".%03ldZ\"", now.tv_nsec / 1000000);
	put_text(&l, t);
	logline_str(&l, "level", names[level]);
	logline_str(&l, "event", event);
	return l;
}

void
logline_str(struct logline *l, const char *key, const char *value)
{
	size_t mark = field_begin(l, key);

	put_string(l, value);
	field_end(l, mark);
}

void
logline_u64(struct logline *l, const char *key, uint64_t value)
{
	size_t mark = field_begin(l, key);
	char t[32];

	(void)snprintf(t, sizeof(t), "%" PRIu64, value);
	put_text(l, t);
	field_end(l, mark);
}

void
logline_i64(struct logline *l, const char *key, int64_t value)
{
	size_t mark = field_begin(l, key);
	char t[32];

	(void)snprintf(t, sizeof(t), "%" PRId64, value);
	put_text(l, t);
	field_end(l, mark);
}

void
logline_bool(struct logline *l, const char *key, bool value)
{
	size_t mark = field_begin(l, key);

	put_text(l, value ? "true" : "false");
	field_end(l, mark);
}

void
logline_hex(struct logline *l, const char *key, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t mark = field_begin(l, key);
	const uint8_t *b = p;

	put(l, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		put(l, &digits[b[i] >> 4], 1);
		put(l, &digits[b[i] & 15], 1);
	}
	put(l, "\"", 1);
	field_end(l, mark);
}

void
logline_fault(struct logline *l, const struct fault *f)
{
	logline_str(l, "code", fault_name(f->code));
	logline_str(l, "text", f->text);
}

void
logline_close(struct logline *l)
{
	const char *tail = l->cut ? ",\"cut\":true}\n" : "}\n";

	memcpy(l->text + l->n, tail, strlen(tail) + 1);
	l->n += strlen(tail);
}

void
logline_end(struct logline *l)
{
	ssize_t w;

	logline_close(l);
	do
		w = write(STDERR_FILENO, l->text, l->n);
	while (w < 0 && errno == EINTR);
}
