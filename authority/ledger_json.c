// SPDX-License-Identifier: Apache-2.0
#include "authority/ledger_json.h"

#include "net/jsontext.h"
#include "net/text.h"

void
ledger_json_freep(json_t **j)
{
	json_decref(*j);
}

int
ledger_json_bytes(const json_t *j, void *out, size_t n)
{
	if (!json_is_string(j))
		return FAULT_MALFORMED;
	return text_b64_parse(json_string_value(j), json_string_length(j), out,
	    n);
}

int
ledger_json_id(const json_t *j, uint8_t out[static ID_LEN])
{
	if (!json_is_string(j))
		return FAULT_MALFORMED;
	return text_hex_parse(json_string_value(j), json_string_length(j), out,
	    ID_LEN);
}

json_t *
ledger_json_list(struct bytes b, size_t step)
{
	json_t *a defer(ledger_json_freep) = json_array();

	for (size_t i = 0; i + step <= b.n; i += step)
		if (json_array_append_new(a,
		        jsontext_b64(b.p + i, step)) != 0)
			return NULL;
	return take(a);
}

int
ledger_json_done(json_t *j, json_t **out)
{
	if (j == NULL)
		return FAULT_MEMORY;
	*out = j;
	return 0;
}
