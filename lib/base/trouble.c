// SPDX-License-Identifier: Apache-2.0
#include "base/trouble.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"

#define KINDS_MAX 64
#define PAUSE_MS 60000

struct kind {
	struct trouble is;
	uint64_t all, untold;
	int64_t last, told; /* when it happened, when a line said so */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[KINDS_MAX]; /* those that go on */
static size_t nkinds;

static bool
same(const struct trouble *a, const struct trouble *b)
{
	return strcmp(a->event, b->event) == 0 && a->number == b->number &&
	    a->code == b->code;
}

static struct logline
begin(const struct trouble *t, enum logline_level level, uint64_t times)
{
	struct logline l = logline_begin(level, t->event);

	if (t->whose != NULL)
		logline_u64(&l, t->whose, t->number);
	if (times > 1)
		logline_u64(&l, "times", times);
	return l;
}

/* Under lock. */
static void
end(struct kind *k)
{
	struct logline l = begin(&k->is, LOGLINE_INFO, k->all);

	if (k->is.code != 0)
		logline_str(&l, "code", fault_name(k->is.code));
	logline_bool(&l, "over", true);
	logline_end(&l);
	*k = kinds[--nkinds];
}

/* A place for another kind: where all are taken, of the one that happened
 * longest ago.  Under lock. */
static struct kind *
make_place(void)
{
	struct kind *oldest = &kinds[0];

	if (nkinds == KINDS_MAX) {
		for (size_t i = 1; i < nkinds; i++)
			if (kinds[i].last < oldest->last)
				oldest = &kinds[i];
		end(oldest);
	}
	return &kinds[nkinds++];
}

/* How often it happened since the last line; 0: no line is due.  Under
 * lock. */
static uint64_t
count(const struct trouble *t, int64_t now)
{
	struct kind *k = kinds;
	uint64_t times;

	while (k < kinds + nkinds && !same(&k->is, t))
		k++;
	if (k == kinds + nkinds) {
		k = make_place();
		*k = (struct kind){ .is = *t, .told = now - PAUSE_MS };
	}
	k->last = now;
	k->all++;
	times = ++k->untold;
	if (now - k->told < PAUSE_MS)
		return 0;
	k->told = now;
	k->untold = 0;
	return times;
}

bool
trouble_begin(const struct trouble *t, enum logline_level level,
    struct logline *out)
{
	uint64_t times;

	(void)pthread_mutex_lock(&lock);
	times = count(t, clock_ms());
	(void)pthread_mutex_unlock(&lock);
	if (times != 0)
		*out = begin(t, level, times);
	return times != 0;
}

void
trouble_fault(const char *event, const struct fault *f)
{
	const struct trouble t = { .event = event, .code = f->code };
	struct logline l;

	if (!trouble_begin(&t, LOGLINE_ERROR, &l))
		return;
	logline_fault(&l, f);
	logline_end(&l);
}

void
trouble_tick(void)
{
	int64_t now = clock_ms();

	(void)pthread_mutex_lock(&lock);
	for (size_t i = nkinds; i-- > 0;)
		if (now - kinds[i].last >= PAUSE_MS)
			end(&kinds[i]);
	(void)pthread_mutex_unlock(&lock);
}
