// SPDX-License-Identifier: Apache-2.0
#include "client/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/noun.h"
#include "client/terminal.h"

#define REDRAW_MS 100
#define LINE_MAX_CHARS 256
#define BAR_MIN 10
#define ETA_AFTER_MS 1000

struct progress {
	const char *what, *one, *many;
	int64_t begun_ms;
	atomic_uint_fast64_t done, bytes, all, bytes_all;
	atomic_int_fast64_t next_ms; /* no redraw before */
	atomic_bool grows;
	atomic_flag drawing;
};

static size_t
width(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return 80;
	return w.ws_col < LINE_MAX_CHARS - 1 ? w.ws_col : LINE_MAX_CHARS - 1;
}

struct progress *
progress_new(const char *what, const char *one, const char *many, int quiet)
{
	struct progress *p;

	if (quiet || !terminal_redraws())
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->what = what;
	p->one = one;
	p->many = many;
	p->begun_ms = clock_ms();
	atomic_store(&p->next_ms, p->begun_ms + REDRAW_MS);
	atomic_flag_clear(&p->drawing);
	return p;
}

static void
amount(double v, char *out, size_t size)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	while (v >= 1024 && i < 4) {
		v /= 1024;
		i++;
	}
	(void)snprintf(out, size, i == 0 ? "%.0f %s" : "%.1f %s", v, unit[i]);
}

static void
eta_text(double seconds, char out[static 32])
{
	unsigned s = seconds < 360000 ? (unsigned)seconds : 360000;

	if (s < 3600)
		(void)snprintf(out, 32, "%u:%02u", s / 60, s % 60);
	else if (s < 360000)
		(void)snprintf(out, 32, "%uh%02u", s / 3600, s / 60 % 60);
	else
		(void)snprintf(out, 32, ">99h");
}

/* Appends a part, if all of it fits. */
static void printf_like(3, 4)
append(char *out, size_t columns, const char *fmt, ...)
{
	char part[LINE_MAX_CHARS];
	size_t n = strlen(out);
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	if (len > 0 && n + (size_t)len <= columns)
		memcpy(out + n, part, (size_t)len + 1);
}

/* "put 1.2 GiB of 3.0 GiB, 210.0 MiB/s, 12 of 90 files, 0:08 left"; all: bytes,
 * 0 where that is not known. */
static void
compose(struct progress *p, int64_t now, uint64_t all, size_t columns,
    char *out)
{
	const uint64_t bytes = atomic_load(&p->bytes);
	const uint64_t items = atomic_load(&p->done);
	const uint64_t items_all = atomic_load(&p->grows) ? 0 :
	    atomic_load(&p->all);
	const double seconds = (double)(now - p->begun_ms) / 1000;
	const double rate = seconds > 0 ? (double)bytes / seconds : 0;
	const char *between = " ";
	char text[32];

	out[0] = '\0';
	append(out, columns, "%s", p->what);
	if (bytes != 0 || all != 0) {
		amount((double)bytes, text, sizeof(text));
		append(out, columns, " %s", text);
		if (all != 0) {
			amount((double)all, text, sizeof(text));
			append(out, columns, " of %s", text);
		}
		amount(rate, text, sizeof(text));
		append(out, columns, ", %s/s", text);
		between = ", ";
	}
	if (items_all != 0)
		append(out, columns, "%s%" PRIu64 " of %" PRIu64 " %s", between,
		    items, items_all, noun_for(items_all, p->one, p->many));
	else
		append(out, columns, "%s%" PRIu64 " %s", between, items,
		    noun_for(items, p->one, p->many));
	if (all > bytes && rate > 0 && now - p->begun_ms > ETA_AFTER_MS) {
		eta_text((double)(all - bytes) / rate, text);
		append(out, columns, ", %s left", text);
	}
}

/* One write, so that lines of others do not come in between. */
static void
draw(struct progress *p, int64_t now)
{
	char text[LINE_MAX_CHARS], line[2 * LINE_MAX_CHARS + 16];
	uint64_t bytes = atomic_load(&p->bytes);
	uint64_t all = atomic_load(&p->grows) ? 0 :
	    atomic_load(&p->bytes_all);
	size_t columns = width() - 1, n, bar;
	int len;

	compose(p, now, all, columns, text);
	n = strlen(text);
	bar = columns > n + 3 ? columns - n - 3 : 0;
	if (all == 0 || bar < BAR_MIN) {
		len = snprintf(line, sizeof(line), "\r%s\033[K", text);
	} else {
		char filled[LINE_MAX_CHARS];
		size_t full = bytes >= all ? bar :
		    (size_t)((double)bar * (double)bytes / (double)all);

		memset(filled, '#', full);
		memset(filled + full, '.', bar - full);
		filled[bar] = '\0';
		len = snprintf(line, sizeof(line), "\r%s [%s]\033[K", text,
		    filled);
	}
	if (len > 0)
		(void)!write(STDERR_FILENO, line, (size_t)len);
}

static void
maybe_draw(struct progress *p)
{
	int64_t now = clock_ms();

	if (now < atomic_load(&p->next_ms) ||
	    atomic_flag_test_and_set(&p->drawing))
		return;
	atomic_store(&p->next_ms, now + REDRAW_MS);
	draw(p, now);
	atomic_flag_clear(&p->drawing);
}

void
progress_expect(struct progress *p, uint64_t items, uint64_t bytes)
{
	if (p == NULL)
		return;
	atomic_fetch_add(&p->all, items);
	atomic_fetch_add(&p->bytes_all, bytes);
	maybe_draw(p);
}

void
progress_grows(struct progress *p, bool grows)
{
	if (p != NULL)
		atomic_store(&p->grows, grows);
}

void
progress_add(struct progress *p, uint64_t items, uint64_t bytes)
{
	if (p == NULL)
		return;
	atomic_fetch_add(&p->done, items);
	atomic_fetch_add(&p->bytes, bytes);
	maybe_draw(p);
}

void
progress_free(struct progress *p)
{
	static const char clear[] = "\r\033[K";

	if (p == NULL)
		return;
	(void)!write(STDERR_FILENO, clear, sizeof(clear) - 1);
	free(p);
}
