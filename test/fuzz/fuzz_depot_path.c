// SPDX-License-Identifier: Apache-2.0
/* Targets, and the fields that a depot reads: Range and Content-Digest. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "depot/digest.h"
#include "depot/hex.h"
#include "depot/path.h"
#include "depot/range.h"
#include "depot/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted has one form only, queries aside. */
static void
check_path(const uint8_t *data, size_t size)
{
	char prefix[HEX_ID_LEN + 1], id[HEX_ID_LEN + 1], form[128];
	struct path p;

	if (path_parse(bytes_of(data, size), &p) != 0)
		return;
	hex_id_format(p.prefix, prefix);
	hex_id_format(p.id, id);
	switch (p.kind) {
	case PATH_HEALTHZ:
		(void)snprintf(form, sizeof(form), "/healthz");
		break;
	case PATH_HEAD:
		(void)snprintf(form, sizeof(form), "/v1/%s/head", prefix);
		break;
	case PATH_OBJECT:
		(void)snprintf(form, sizeof(form), "/v1/%s/%s", prefix, id);
		break;
	case PATH_LIST:
		assert(p.limit >= 1 && p.limit <= 1000);
		return;
	}
	assert(strlen(form) == size && memcmp(form, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest digest;
	char again[DIGEST_FIELD_MAX + 1];
	struct range r;
	char *text = malloc(size + 1);
	uint64_t body = size == 0 ? 0 : data[0];

	memcpy(text, data, size);
	text[size] = '\0';
	check_path(data, size);
	if (range_parse(text, body, &r) == RANGE_PART)
		assert(r.len >= 1 && r.first < body && r.len <= body - r.first);
	if (digest_parse(text, &digest) == 0) {
		digest_format(&digest, again);
		assert(strcmp(again, text) == 0);
	}
	free(text);
	return 0;
}
