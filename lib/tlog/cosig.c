// SPDX-License-Identifier: Apache-2.0
#include "tlog/cosig.h"

#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/sign.h"
#include "tlog/checkpoint.h"
#include "tlog/line.h"

#define MESSAGE_MAX (CHECKPOINT_TEXT_MAX + 64)

static int
message(struct bytes text, uint64_t time, struct buf *out)
{
	char digits[LINE_U64_MAX];
	int rc = line_put(out, "cosignature/v1\ntime ");

	(void)line_u64_format(time, digits);
	if (rc == 0)
		rc = line_put(out, digits);
	if (rc == 0)
		rc = line_put(out, "\n");
	return rc != 0 ? rc : buf_append(out, text.p, text.n);
}

int
cosig_make(struct bytes text, uint64_t time, const struct note_key *pub,
    const struct sign_key *key, struct buf *out)
{
	struct buf msg defer(buf_wipe) = buf_init(MESSAGE_MAX);
	struct buf blob defer(buf_wipe) = buf_init(COSIG_LEN);
	struct wr w = wr_to(&blob);
	uint8_t sig[SIGN_LEN];
	int rc;

	if (time == 0 || time > INT64_MAX || pub->type != NOTE_COSIGNATURE)
		return FAULT_USAGE;
	rc = message(text, time, &msg);
	if (rc != 0)
		return rc;
	sign_make(key, buf_bytes(&msg), sig);
	wr_u64(&w, time);
	wr_copy(&w, sig, sizeof(sig));
	rc = wr_finish(&w);
	return rc != 0 ? rc : note_line(pub, buf_bytes(&blob), out);
}

static int
check(const struct note *n, const struct note_key *key,
    const struct note_sig *s, uint64_t *time)
{
	struct buf msg defer(buf_wipe) = buf_init(MESSAGE_MAX);
	uint8_t blob[COSIG_LEN];
	struct rd r;
	int rc = note_sig_bytes(s, blob, sizeof(blob));

	if (rc != 0)
		return FAULT_TAMPERED;
	r = rd_from(blob, 8);
	*time = rd_u64(&r);
	if (*time == 0 || *time > INT64_MAX)
		return FAULT_TAMPERED;
	rc = message(n->text, *time, &msg);
	return rc != 0 ? rc : sign_check(&key->pub, buf_bytes(&msg), blob + 8);
}

int
cosig_verify(const struct note *n, const struct note_key *key, uint64_t *time)
{
	const struct note_sig *s;
	uint64_t t, last = 0;
	size_t i = 0;

	if (key->type != NOTE_COSIGNATURE)
		return FAULT_NOT_FOUND;
	while ((s = note_find(n, key, &i)) != NULL) {
		int rc = check(n, key, s, &t);

		if (rc != 0)
			return rc;
		if (t > last)
			last = t;
	}
	if (last == 0)
		return FAULT_NOT_FOUND;
	*time = last;
	return 0;
}
