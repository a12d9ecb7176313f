// SPDX-License-Identifier: Apache-2.0
#include "client/lease.h"

#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/secret.h"

static void
write_lease(struct wr *w, const struct lease *l)
{
	size_t depot = strlen(l->depot), token = strlen(l->capability);

	wr_copy(w, l->account, ID_LEN);
	wr_copy(w, l->space, ID_LEN);
	wr_copy(w, l->device, ID_LEN);
	wr_u32(w, l->seconds);
	wr_copy(w, l->prefix, ID_LEN);
	wr_u8(w, (uint8_t)depot);
	wr_copy(w, l->depot, depot);
	wr_u16(w, (uint16_t)token);
	wr_copy(w, l->capability, token);
	wr_u16(w, l->nepochs);
	for (size_t i = 0; i < l->nepochs; i++) {
		wr_u32(w, l->epoch[i]);
		wr_copy(w, l->key[i].b, KEY_LEN);
	}
}

static void
write_body(struct wr *w, const struct lease_message *m)
{
	wr_u8(w, 1);
	wr_u8(w, (uint8_t)m->type);
	if (m->type == LEASE_PUT || m->type == LEASE_LEASE)
		write_lease(w, m->lease);
	if (m->type == LEASE_GET) {
		wr_copy(w, m->space, ID_LEN);
		wr_copy(w, m->device, ID_LEN);
	}
}

int
lease_encode(const struct lease_message *m, struct buf *out)
{
	struct buf body defer(buf_wipe) = buf_init(LEASE_FRAME_MAX);
	struct wr w = wr_to(&body);
	struct wr frame = wr_to(out);
	int rc;

	write_body(&w, m);
	rc = wr_finish(&w);
	if (rc != 0)
		return rc;
	wr_u32(&frame, (uint32_t)body.n);
	wr_copy(&frame, body.p, body.n);
	return wr_finish(&frame);
}

/* Text of n bytes without a zero byte, and with printable ones only. */
static void
read_text(struct rd *r, size_t n, size_t max, char *out)
{
	rd_require(r, n >= 1 && n <= max);
	if (r->failed)
		return;
	rd_copy(r, out, n);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		rd_require(r, out[i] > 0x20 && out[i] < 0x7f);
}

static void
read_lease(struct rd *r, struct lease *l)
{
	rd_copy(r, l->account, ID_LEN);
	rd_copy(r, l->space, ID_LEN);
	rd_copy(r, l->device, ID_LEN);
	l->seconds = rd_u32(r);
	rd_require(r, l->seconds >= 1 && l->seconds <= LEASE_SECONDS_MAX);
	rd_copy(r, l->prefix, ID_LEN);
	read_text(r, rd_u8(r), LEASE_DEPOT_MAX, l->depot);
	read_text(r, rd_u16(r), LEASE_CAPABILITY_MAX, l->capability);
	l->nepochs = rd_u16(r);
	rd_require(r, l->nepochs >= 1 && l->nepochs <= LEASE_EPOCHS_MAX);
	for (size_t i = 0; !r->failed && i < l->nepochs; i++) {
		l->epoch[i] = rd_u32(r);
		rd_require(r, i == 0 || l->epoch[i] > l->epoch[i - 1]);
		rd_copy(r, l->key[i].b, KEY_LEN);
	}
}

static bool
known(uint8_t type)
{
	return (type >= LEASE_PUT && type <= LEASE_DROP) ||
	    (type >= LEASE_OK && type <= LEASE_REFUSED);
}

int
lease_decode(struct bytes body, struct lease_message *out)
{
	struct lease_message m = { .lease = out->lease };
	struct rd r = rd_from(body.p, body.n);
	uint8_t version = rd_u8(&r), type;
	int rc;

	if (!r.failed && version != 1)
		return FAULT_VERSION;
	type = rd_u8(&r);
	rd_require(&r, known(type));
	if (r.failed)
		return FAULT_MALFORMED;
	m.type = type;
	if (m.type == LEASE_PUT || m.type == LEASE_LEASE) {
		secret_wipe(m.lease, sizeof(*m.lease));
		read_lease(&r, m.lease);
	}
	if (m.type == LEASE_GET) {
		rd_copy(&r, m.space, ID_LEN);
		rd_copy(&r, m.device, ID_LEN);
	}
	rc = rd_finish(&r);
	if (rc != 0) {
		secret_wipe(m.lease, sizeof(*m.lease));
		return rc;
	}
	*out = m;
	return 0;
}
