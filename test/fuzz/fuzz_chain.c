// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a chain, and any steps that the input tells, signed well: what
 * was made is taken, and who was revoked is never live again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crypt/sign.h"
#include "object/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEVICES 6u

struct device {
	struct sign_key key;
	struct sign_pub sign;
	struct box_pub box;
	uint8_t id[ID_LEN];
};

static const struct device *
device(unsigned i)
{
	static struct device d[DEVICES];

	i %= DEVICES;
	if (d[i].id[0] == 0) {
		struct box_key box = { { (uint8_t)(i + 1) } };

		d[i].key.seed[0] = (uint8_t)(i + 1);
		sign_public(&d[i].key, &d[i].sign);
		sign_box_public(&box, &d[i].box);
		chain_device_id(&d[i].sign, &d[i].box, d[i].id);
	}
	return &d[i];
}

static void
step(struct chain *c, uint8_t op, uint8_t who)
{
	const struct device *of = device(who & 15), *by = device(who >> 4);
	struct chain_make m = { .op = op % 4, .sign = of->sign,
		.box = of->box };
	const struct chain_device *d = chain_find(c, of->id);
	bool was_dead = d != NULL && !d->live;
	uint8_t e[CHAIN_ENTRY_LEN];

	memcpy(m.signer, by->id, ID_LEN);
	if (chain_make_entry(c, &m, &by->key, e) != 0)
		return;
	assert(!was_dead);
	e[op % CHAIN_ENTRY_LEN] ^= 1;
	assert(chain_append(c, bytes_of(e, sizeof(e))) != 0);
	e[op % CHAIN_ENTRY_LEN] ^= 1;
	assert(chain_append(c, bytes_of(e, sizeof(e))) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chain c defer(chain_wipe) = { 0 };
	struct chain any defer(chain_wipe) = { 0 };

	(void)!chain_append_all(&any, bytes_of(data, size));
	for (size_t i = 0; i + 1 < size && i < 40; i += 2)
		step(&c, data[i], data[i + 1]);
	return 0;
}
