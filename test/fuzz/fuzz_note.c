// SPDX-License-Identifier: Apache-2.0
/* A signed note, and a verifier key.  What parses has one form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypt/sign.h"
#include "tlog/cosig.h"
#include "tlog/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes in = bytes_of(data, size);
	struct buf again defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	struct note_key key;
	struct note n;
	uint64_t time;
	int rc;

	if (note_key_parse(in, &key) == 0) {
		rc = note_key_format(&key, &again);
		assert(rc == 0 && bytes_cmp(in, buf_bytes(&again)) == 0);
	}
	if (note_parse(in, &n) != 0)
		return 0;
	assert(n.text.n + 1 + n.lines.n == size);
	for (size_t i = 0; i < n.nsigs; i++) {
		rc = note_key_make(n.sig[i].name, NOTE_COSIGNATURE,
		    &(struct sign_pub){ { 0 } }, &key);
		assert(rc == 0);
		key.id = n.sig[i].id;
		rc = cosig_verify(&n, &key, &time);
		assert(rc != FAULT_NOT_FOUND);
		key.type = NOTE_ED25519;
		rc = note_verify(&n, &key);
		assert(rc != FAULT_NOT_FOUND);
	}
	return 0;
}
