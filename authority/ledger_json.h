// SPDX-License-Identifier: Apache-2.0
/* Members of JSON bodies: spec/50-authority.md, Signed requests.  New strings
 * are made by jsontext.h. */
#ifndef SKERRY_AUTHORITY_LEDGER_JSON_H
#define SKERRY_AUTHORITY_LEDGER_JSON_H

#include <stdint.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "crypt/keys.h"

/* For defer(). */
void ledger_json_freep(json_t **j);

/* Exactly n bytes in base64, an id in hex.  FAULT_MALFORMED. */
int ledger_json_bytes(const json_t *j, void *out, size_t n) must_check;
int ledger_json_id(const json_t *j, uint8_t out[static ID_LEN]) must_check;

/* Pieces of step bytes each, as an array of base64; NULL when out of memory. */
json_t *ledger_json_list(struct bytes b, size_t step) must_check;

/* *out = j; FAULT_MEMORY where that is NULL. */
int ledger_json_done(json_t *j, json_t **out) must_check;

#endif
