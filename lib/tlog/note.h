// SPDX-License-Identifier: Apache-2.0
/*
 * Signed notes (c2sp.org/signed-note): text, a blank line, signature lines.
 * Nothing of a note's text is to be used before note_verify.  spec/60-log.md,
 * Notes.
 */
#ifndef SKERRY_TLOG_NOTE_H
#define SKERRY_TLOG_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "crypt/keys.h"

#define NOTE_MAX 131072   /* bytes */
#define NOTE_SIGS_MAX 32
#define NOTE_NAME_MAX 255 /* bytes of a key's name */
#define NOTE_LINE_MAX 512 /* bytes of a line that this project writes */
#define NOTE_VKEY_MAX (NOTE_NAME_MAX + 1 + 8 + 1 + 44)

enum note_type {
	NOTE_ED25519 = 1,
	NOTE_COSIGNATURE = 4, /* see cosig.h */
};

/* A verifier key; id follows from the rest. */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint8_t type; /* enum note_type */
	struct sign_pub pub;
	uint32_t id;
};

/* FAULT_MALFORMED where name cannot be a key's. */
int note_key_make(struct bytes name, enum note_type type,
    const struct sign_pub *pub, struct note_key *out) must_check;

/* "name+id+key".  FAULT_MALFORMED, FAULT_VERSION for another type. */
int note_key_parse(struct bytes text, struct note_key *out) must_check;

/* Appends "name+id+key". */
int note_key_format(const struct note_key *key, struct buf *out) must_check;

struct note_sig {
	struct bytes name;
	uint32_t id;
	size_t n;         /* bytes of the signature, without the id */
	struct bytes b64; /* id and signature */
};

/* Borrows the note. */
struct note {
	struct bytes text; /* with its last newline */
	struct bytes lines; /* all signature lines */
	size_t nsigs;      /* 1 .. NOTE_SIGS_MAX */
	struct note_sig sig[NOTE_SIGS_MAX];
};

/* FAULT_MALFORMED, FAULT_LIMIT. */
int note_parse(struct bytes data, struct note *out) must_check;

/* Signature lines alone, as a witness sends them, at least one.  As above;
 * text of out is empty. */
int note_parse_lines(struct bytes lines, struct note *out) must_check;

/* The signature bytes of sig, which are exactly n.  FAULT_MALFORMED. */
int note_sig_bytes(const struct note_sig *sig, uint8_t *out, size_t n)
	must_check;

/* The first signature from i on by this key (name and id), or NULL. */
const struct note_sig *note_find(const struct note *n,
    const struct note_key *key, size_t *i);

/* Whether key (of type NOTE_ED25519) signed n.  FAULT_NOT_FOUND where it has
 * no line; FAULT_TAMPERED where any line of it does not verify. */
int note_verify(const struct note *n, const struct note_key *key) must_check;

/* Appends a signature line. */
int note_line(const struct note_key *key, struct bytes sig, struct buf *out)
	must_check;

/* Appends text (which ends in a newline), a blank line and a line by key, whose
 * public half pub has.  FAULT_MALFORMED for text that no note can have. */
int note_sign(struct bytes text, const struct note_key *pub,
    const struct sign_key *key, struct buf *out) must_check;

#endif
