// SPDX-License-Identifier: Apache-2.0
#include "authority/publics.h"

#include <stdio.h>

#include <jansson.h>

#include "net/text.h"

int
publics_print(const struct config *c, const struct keystore_public *pub,
    const struct note_key *log, struct fault *f)
{
	struct buf vkey defer(buf_wipe) = buf_init(NOTE_VKEY_MAX);
	char intake[TEXT_B64_SIZE(32)], signing[TEXT_B64_SIZE(32)];
	json_t *j;
	int bad = note_key_format(log, &vkey);

	if (bad != 0)
		return fault_set(f, bad, "log key: %s", fault_text(bad));
	text_b64(pub->intake.b, sizeof(pub->intake.b), intake, sizeof(intake));
	text_b64(pub->signing.b, sizeof(pub->signing.b), signing,
	    sizeof(signing));
	j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s%}", "name", c->name,
	    "jurisdiction", c->jurisdiction, "url", c->url, "intake", intake,
	    "signing", signing, "log", vkey.p, vkey.n);
	bad = j == NULL || json_dumpf(j, stdout, JSON_INDENT(2)) != 0;
	json_decref(j);
	if (bad || printf("\n") < 0 || fflush(stdout) != 0)
		return fault_set(f, FAULT_IO, "cannot write to stdout");
	return 0;
}
