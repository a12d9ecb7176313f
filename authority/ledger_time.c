// SPDX-License-Identifier: Apache-2.0
#include "authority/ledger_time.h"

#include "base/clock.h"
#include "base/logline.h"

#define SAVE_SECONDS 60

static int64_t
mono(void)
{
	return clock_ms() / 1000;
}

int
ledger_time_start(struct ledger *l, int64_t wall, struct fault *f)
{
	struct pace_kept kept;
	int rc = l->db->pace_get(l->db, &kept, f);

	if (rc != 0 && rc != FAULT_NOT_FOUND)
		return rc;
	pace_start(&l->pace, rc == 0 ? &kept : NULL, wall, mono());
	l->pace.saved = mono() - SAVE_SECONDS; /* soon */
	l->turned = mono();
	ledger_time_read(l, wall);
	return l->db->nonce_last(l->db, &l->turn, f);
}

static void
tell(struct ledger *l, int64_t ahead)
{
	struct logline line;

	if ((ahead > PACE_SLACK) == l->pace.told)
		return;
	l->pace.told = !l->pace.told;
	line = logline_begin(l->pace.told ? LOGLINE_WARN : LOGLINE_INFO,
	    l->pace.told ? "clock-ahead" : "clock-agrees");
	if (l->pace.told)
		logline_i64(&line, "seconds", ahead);
	logline_end(&line);
}

void
ledger_time_read(struct ledger *l, int64_t wall)
{
	pace_read(&l->pace, wall, mono());
	l->log.numbers.ahead = (uint64_t)pace_ahead(&l->pace);
	tell(l, pace_ahead(&l->pace));
}

static int
save(struct ledger *l, struct fault *f)
{
	int rc = l->db->pace_set(l->db, &l->pace.kept, f);

	if (rc == 0)
		l->pace.saved = l->pace.mono;
	return rc;
}

static bool
is_due(const struct ledger *l)
{
	return l->pace.mono - l->pace.saved >= SAVE_SECONDS;
}

/* Nonces are kept for a whole turn after that in which they were used, by no
 * clock that can be set. */
static int64_t
old_turn(struct ledger *l)
{
	if (l->pace.mono - l->turned >= LEDGER_NONCE_SECONDS) {
		l->turned = l->pace.mono;
		l->turn++;
	}
	return l->turn - 1;
}

int
ledger_time_pass(struct ledger *l, struct fault *f)
{
	int rc;

	/* Often, so that it is never long. */
	if (l->pace.kept.sure == l->forgot)
		return 0;
	rc = l->db->forget(l->db, old_turn(l), l->pace.kept.sure, f);
	if (rc == 0 && is_due(l))
		rc = save(l, f);
	if (rc == 0)
		l->forgot = l->pace.kept.sure;
	return rc;
}

/* What fails is tried again. */
void
ledger_time_rest(struct ledger *l)
{
	struct fault scrap = { 0 };

	if (!is_due(l) || l->db->begin(l->db, &scrap) != 0)
		return;
	if (save(l, &scrap) != 0 || l->db->commit(l->db, &scrap) != 0)
		l->db->abort(l->db);
}
