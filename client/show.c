// SPDX-License-Identifier: Apache-2.0
#include "client/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "net/text.h"

void
show_name(FILE *out, struct bytes key, bool escape)
{
	for (size_t i = 0, n; i < key.n; i += n) {
		const uint8_t *p = key.p + i;

		n = escape ? utf8_len(p, key.n - i) : 1;
		if (*p == 0) {
			(void)putc('/', out);
			n = 1;
		} else if (!escape || (utf8_harmless(p, n) &&
			*p != '\\')) {
			(void)fwrite(p, 1, n, out);
		} else if (*p == '\\') {
			(void)fputs("\\\\", out);
		} else {
			n = n == 0 ? 1 : n;
			for (size_t k = 0; k < n; k++)
				(void)fprintf(out, "\\x%02x", p[k]);
		}
	}
}

void
show_json_text(FILE *out, struct bytes text)
{
	(void)putc('"', out);
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '"' || c == '\\')
			(void)putc('\\', out);
		if (c < 0x20 || c == 0x7f)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)putc(c, out);
	}
	(void)putc('"', out);
}

void
show_json_name(FILE *out, const char *name, struct bytes key)
{
	uint8_t *path = malloc(key.n + TEXT_B64_SIZE(key.n));
	char *text;

	if (path == NULL)
		return;
	text = (char *)path + key.n;
	for (size_t i = 0; i < key.n; i++)
		path[i] = key.p[i] == 0 ? '/' : key.p[i];
	if (utf8_valid(key.p, key.n)) {
		(void)fprintf(out, "\"%s\":", name);
		show_json_text(out, bytes_of(path, key.n));
	} else {
		text_b64(path, key.n, text, TEXT_B64_SIZE(key.n));
		(void)fprintf(out, "\"%s_base64\":\"%s\"", name, text);
	}
	free(path);
}

void
show_time(int64_t sec, uint32_t nsec, bool fine,
    char out[static SHOW_TIME_SIZE])
{
	time_t t = (time_t)sec;
	struct tm tm;
	size_t n;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 > 9999 ||
	    tm.tm_year + 1900 < 0) {
		(void)snprintf(out, SHOW_TIME_SIZE, "@%" PRId64, sec);
		return;
	}
	n = (size_t)snprintf(out, SHOW_TIME_SIZE,
	    "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (fine)
		(void)snprintf(out + n, SHOW_TIME_SIZE - n, ".%09uZ", nsec);
	else
		(void)snprintf(out + n, SHOW_TIME_SIZE - n, "Z");
}

static char
execute(unsigned x, unsigned special, char with, char without)
{
	if (special)
		return x ? with : without;
	return x ? 'x' : '-';
}

void
show_mode(const struct tree_entry *e, char out[static SHOW_MODE_SIZE])
{
	static const char type[] = "?-dlpscb";
	unsigned m = e->mode;

	memcpy(out, "?rwxrwxrwx", SHOW_MODE_SIZE);
	out[0] = (size_t)e->type < sizeof(type) - 1 ? type[e->type] : '?';
	for (unsigned i = 0; i < 9; i++)
		if ((m & (0400u >> i)) == 0)
			out[i + 1] = '-';
	out[3] = execute(m & 0100, m & 04000, 's', 'S');
	out[6] = execute(m & 0010, m & 02000, 's', 'S');
	out[9] = execute(m & 0001, m & 01000, 't', 'T');
}

const char *
show_type(enum entry_type type)
{
	static const char *const name[] = { "?", "file", "folder", "symlink",
		"fifo", "socket", "character device", "block device" };

	return (size_t)type < sizeof(name) / sizeof(name[0]) ? name[type] : "?";
}
