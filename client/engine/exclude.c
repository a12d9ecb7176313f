// SPDX-License-Identifier: Apache-2.0
#include "client/engine/exclude.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "object/limits.h"

#define WILD "*?[]\\"

/*
 * A pattern.  Invariant: what it matches begins with its first head bytes and
 * ends with its last tail bytes; head == n where it has no wildcard, and it is
 * then what it matches.
 */
struct rule {
	char *text; /* owned; without slashes at its ends, or "**" and a slash
	             * in front */
	size_t n, head, tail;
	char *part; /* owned; its names, each with a NUL, where it has a "**"
	             * between others; else NULL */
	char first, last; /* byte of it; of none where head or tail is 0 */
	size_t names;  /* it is of so many names … */
	bool anchored; /* … and they are the whole path, not its last ones */
	bool folder;   /* matches folders only */
};

struct rules {
	struct rule *rule; /* owned */
	size_t n, cap;
};

struct exclude {
	struct rules name;  /* without wildcard: one name, at any depth */
	struct rules path;  /* without wildcard: the whole path */
	struct rules other; /* asked one after another */
	locale_t bytes;     /* in which a character is a byte */
	bool prepared;      /* name and path are sorted, each text is once */
};

struct exclude *
exclude_new(void)
{
	struct exclude *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->bytes = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (x->bytes == (locale_t)0) {
		free(x);
		return NULL;
	}
	return x;
}

/* A bracket takes one byte, and so [ä] each of the two that ä is. */
static bool
brackets_ascii(const char *p)
{
	for (; *p != '\0'; p++) {
		const char *first;

		if (*p == '\\' && p[1] != '\0') {
			p++;
			continue;
		}
		if (*p != '[')
			continue;
		first = p + (p[1] == '!' || p[1] == '^' ? 2 : 1);
		for (p = first; *p != '\0' && (*p != ']' || p == first); p++)
			if ((*p & 0x80) != 0)
				return false;
		if (*p == '\0')
			return true;
	}
	return true;
}

static void
rule_free(struct rule *r)
{
	free(r->text);
	free(r->part);
}

/* A "**" between others stands for any number of names, also none. */
static int
split(struct rule *r)
{
	if (strstr(r->text, "/**/") == NULL)
		return 0;
	r->part = strdup(r->text);
	if (r->part == NULL)
		return FAULT_MEMORY;
	for (size_t i = 0; i < r->n; i++)
		if (r->part[i] == '/')
			r->part[i] = '\0';
	/* Of none: the slashes around it are one. */
	if (r->tail != 0 && r->text[r->n - r->tail] == '/')
		r->tail--;
	if (!r->anchored)
		r->head = 0;
	return 0;
}

static int
rule_make(const char *p, struct rule *out, struct fault *f)
{
	struct rule r = { .n = strlen(p), .names = 1 };

	if (r.n > EXCLUDE_PATTERN_MAX)
		return fault_set(f, FAULT_LIMIT,
		    "a pattern of more than %u bytes", EXCLUDE_PATTERN_MAX);
	for (; r.n > 0 && p[r.n - 1] == '/'; r.n--)
		r.folder = true;
	r.anchored = memchr(p, '/', r.n) != NULL;
	for (; r.n > 0 && *p == '/'; r.n--)
		p++;
	for (; r.n > 3 && memcmp(p, "**/", 3) == 0; r.n -= 3) {
		r.anchored = false;
		p += 3;
	}
	if (r.n == 0)
		return fault_set(f, FAULT_MALFORMED, "a pattern without a "
		    "name");
	r.text = strndup(p, r.n);
	if (r.text == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (!brackets_ascii(r.text)) {
		free(r.text);
		return fault_set(f, FAULT_MALFORMED, "a pattern with more "
		    "than ASCII between [ and ]");
	}
	for (size_t i = 0; i < r.n; i++)
		r.names += r.text[i] == '/';
	r.head = strcspn(r.text, WILD);
	while (r.head < r.n && strchr(WILD, r.text[r.n - 1 - r.tail]) == NULL)
		r.tail++;
	r.first = r.text[0];
	r.last = r.text[r.n - 1];
	if (split(&r) != 0) {
		rule_free(&r);
		return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	*out = r;
	return 0;
}

static int
rules_add(struct rules *s, struct rule r)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 16 : 2 * s->cap;
		struct rule *p = reallocarray(s->rule, cap, sizeof(*p));

		if (p == NULL)
			return FAULT_MEMORY;
		s->rule = p;
		s->cap = cap;
	}
	s->rule[s->n++] = r;
	return 0;
}

int
exclude_add(struct exclude *x, const char *pattern, struct fault *f)
{
	struct rule r = { 0 };
	struct rules *to = &x->other;
	int rc = rule_make(pattern, &r, f);

	if (rc != 0)
		return rc;
	if (r.head == r.n && r.anchored)
		to = &x->path;
	else if (r.head == r.n && r.names == 1)
		to = &x->name;
	x->prepared = false;
	rc = rules_add(to, r);
	if (rc != 0) {
		rule_free(&r);
		return fault_set(f, rc, "%s", fault_text(rc));
	}
	return 0;
}

int
exclude_read(struct exclude *x, FILE *in, const char *name, struct fault *f)
{
	char line[EXCLUDE_PATTERN_MAX + 1];
	unsigned long number = 1;
	size_t n = 0;
	int c, rc = 0;

	do {
		c = getc(in);
		if (c == EOF && ferror(in) != 0)
			return fault_sys(f, fault_from_errno(errno), errno,
			    "%s", name);
		if (c == '\0')
			return fault_set(f, FAULT_MALFORMED,
			    "%s:%lu: a zero byte", name, number);
		if (c != EOF && c != '\n') {
			if (n == EXCLUDE_PATTERN_MAX)
				return fault_set(f, FAULT_LIMIT,
				    "%s:%lu: a line of more than %u bytes",
				    name, number, EXCLUDE_PATTERN_MAX);
			line[n++] = (char)c;
			continue;
		}
		line[n] = '\0';
		if (n != 0 && line[0] != '#')
			rc = exclude_add(x, line, f);
		if (rc != 0)
			return fault_add(f, rc, "%s:%lu", name, number);
		n = 0;
		number++;
	} while (c != EOF);
	return 0;
}

/* Of two with the same text, that which is not for folders alone first. */
static int
by_text(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	int c = bytes_cmp(bytes_of(x->text, x->n), bytes_of(y->text, y->n));

	return c != 0 ? c : x->folder - y->folder;
}

static void
rules_sort(struct rules *s)
{
	size_t n = 0;

	if (s->n == 0)
		return;
	qsort(s->rule, s->n, sizeof(*s->rule), by_text);
	for (size_t i = 1; i < s->n; i++) {
		if (strcmp(s->rule[i].text, s->rule[n].text) == 0)
			rule_free(&s->rule[i]);
		else
			s->rule[++n] = s->rule[i];
	}
	s->n = n + 1;
}

void
exclude_prepare(struct exclude *x)
{
	rules_sort(&x->name);
	rules_sort(&x->path);
	x->prepared = true;
}

static int
text_against(const void *text, const void *rule)
{
	const struct rule *r = rule;

	return bytes_cmp(*(const struct bytes *)text,
	    bytes_of(r->text, r->n));
}

static bool
rules_have(const struct rules *s, const char *text, size_t n, bool folder)
{
	const struct bytes key = bytes_of(text, n);
	const struct rule *r = s->n == 0 ? NULL : bsearch(&key, s->rule, s->n,
	    sizeof(*s->rule), text_against);

	return r != NULL && (!r->folder || folder);
}

/* The last names of path, as many; NULL: it has not so many. */
static const char *
last_names(const char *path, size_t n, size_t names)
{
	for (;;) {
		const char *slash = memrchr(path, '/', n);

		names--;
		if (slash == NULL)
			return names == 0 ? path : NULL;
		if (names == 0)
			return slash + 1;
		n = (size_t)(slash - path);
	}
}

/* The name after that at s, or the end. */
static const char *
next_name(const char *s, const char *end)
{
	const char *slash = memchr(s, '/', (size_t)(end - s));

	return slash == NULL ? end : slash + 1;
}

static bool
name_match(const char *pattern, const char *s, const char *next)
{
	char name[KEY_NAME_MAX + 1];
	size_t n = (size_t)(next - s);

	if (n > 0 && s[n - 1] == '/')
		n--;
	if (n > KEY_NAME_MAX)
		return false;
	memcpy(name, s, n);
	name[n] = '\0';
	return fnmatch(pattern, name, 0) == 0;
}

/* Name by name.  It is enough to go back to the last "**": what is before has
 * matched as early as it can. */
static bool
parts_match(const struct rule *r, const char *s, size_t n)
{
	const char *p = r->part, *over = r->part + r->n + 1, *end = s + n;
	const char *star = r->anchored ? NULL : p, *from = s;

	while (s < end || p < over) {
		if (s == end)
			return false;
		if (p < over && strcmp(p, "**") == 0 && p + 3 < over) {
			star = p += 3;
			from = s;
		} else if (p < over && name_match(p, s, next_name(s, end))) {
			p += strlen(p) + 1;
			s = next_name(s, end);
		} else if (star != NULL) {
			p = star;
			s = from = next_name(from, end);
		} else {
			return false;
		}
	}
	return true;
}

/* Most names are told by the ends of a pattern that they are none of it, most
 * of these by a byte. */
static bool
rule_match(const struct exclude *x, const struct rule *r, const char *s,
    size_t n)
{
	locale_t was;
	bool good;

	if (n < r->head + r->tail || (r->tail != 0 && s[n - 1] != r->last) ||
	    (r->head != 0 && s[0] != r->first))
		return false;
	if (memcmp(s, r->text, r->head) != 0 ||
	    memcmp(s + n - r->tail, r->text + r->n - r->tail, r->tail) != 0)
		return false;
	if (r->head == r->n)
		return n == r->n;
	was = uselocale(x->bytes);
	good = r->part != NULL ? parts_match(r, s, n) :
	    fnmatch(r->text, s, FNM_PATHNAME) == 0;
	(void)uselocale(was);
	return good;
}

bool
exclude_match(const struct exclude *x, const char *path, size_t n, bool folder)
{
	const char *name, *end = path + n;

	if (x == NULL)
		return false;
	assert(x->prepared);
	name = last_names(path, n, 1);
	if (rules_have(&x->name, name, (size_t)(end - name), folder) ||
	    rules_have(&x->path, path, n, folder))
		return true;
	for (size_t i = 0; i < x->other.n; i++) {
		const struct rule *r = &x->other.rule[i];
		const char *s = r->anchored || r->part != NULL ? path :
		    r->names == 1 ? name : last_names(path, n, r->names);

		if (s != NULL && (!r->folder || folder) &&
		    rule_match(x, r, s, (size_t)(end - s)))
			return true;
	}
	return false;
}

bool
exclude_tagged(int dir)
{
	static const char good[] =
	    "Signature: 8a477f597d28d172789f06886806bc55";
	char got[sizeof(good) - 1];
	struct stat st;
	bool is;
	int fd = openat(dir, EXCLUDE_TAG,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    pread(fd, got, sizeof(got), 0) == (ssize_t)sizeof(got) &&
	    memcmp(got, good, sizeof(got)) == 0;
	close(fd);
	return is;
}

static void
rules_wipe(struct rules *s)
{
	for (size_t i = 0; i < s->n; i++)
		rule_free(&s->rule[i]);
	free(s->rule);
}

void
exclude_free(struct exclude *x)
{
	if (x == NULL)
		return;
	rules_wipe(&x->name);
	rules_wipe(&x->path);
	rules_wipe(&x->other);
	freelocale(x->bytes);
	free(x);
}
