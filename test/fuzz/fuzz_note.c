// SPDX-License-Identifier: Apache-2.0
/* Notes, checkpoints, verifier keys and proof files: what is accepted is the
 * only text of its fields. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/checkpoint.h"
#include "tlog/note.h"
#include "tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
checkpoint(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(CHECKPOINT_TEXT_MAX);
	struct checkpoint c;

	if (checkpoint_parse(in, &c) != 0)
		return;
	assert(checkpoint_format(&c, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

static void
note(struct bytes in)
{
	struct note n;

	if (note_parse_lines(in, &n) == 0)
		assert(n.nsigs >= 1 && n.text.n == 0);
	if (note_parse(in, &n) != 0)
		return;
	assert(n.nsigs >= 1 && n.nsigs <= NOTE_SIGS_MAX);
	assert(n.text.n >= 1 && n.text.p[n.text.n - 1] == '\n');
	assert(n.text.n + 1 + n.lines.n == in.n);
	for (size_t i = 0; i < n.nsigs; i++) {
		uint8_t *sig = malloc(n.sig[i].n + 1);

		assert(note_sig_bytes(&n.sig[i], sig, n.sig[i].n) == 0);
		free(sig);
	}
	checkpoint(n.text);
}

static void
verifier_key(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	struct note_key k;

	if (note_key_parse(in, &k) != 0)
		return;
	assert(note_key_format(&k, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

static void
proof(struct bytes in)
{
	struct buf out defer(buf_wipe) = buf_init(PROOF_MAX);
	static struct proof p;

	if (proof_parse(in, &p) != 0)
		return;
	assert(p.path.n <= MERKLE_PROOF_MAX);
	assert(proof_format(&p, &out) == 0);
	assert(bytes_cmp(in, buf_bytes(&out)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	checkpoint(in);
	note(in);
	verifier_key(in);
	proof(in);
	return 0;
}
