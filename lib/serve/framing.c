// SPDX-License-Identifier: Apache-2.0
#include "serve/framing.h"

#include <strings.h>

#include <microhttpd.h>

struct said {
	unsigned n; /* how often */
	bool unknown;
};

static enum MHD_Result
on_field(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	bool coding = strcasecmp(name, "Transfer-Encoding") == 0;
	struct said *s = cls;

	(void)kind;
	if (coding && (value == NULL || strcasecmp(value, "chunked") != 0))
		s->unknown = true;
	if (coding || strcasecmp(name, "Content-Length") == 0)
		s->n++;
	return MHD_YES;
}

bool
framing_ok(struct MHD_Connection *conn)
{
	struct said s = { 0 };

	(void)MHD_get_connection_values(conn, MHD_HEADER_KIND, on_field, &s);
	return s.n <= 1 && !s.unknown;
}
