// SPDX-License-Identifier: Apache-2.0
/*
 * A session without the data side, for feature tests:
 *     session_probe read|write|move|stale
 * opens one (SESSION_READ or SESSION_WRITE) and prints what it holds; move
 * makes the next head, stale one that is made as if the space were empty.
 * Prints one line of JSON; exits as skerry does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agentd.h"
#include "client/cli.h"
#include "crypt/bulk.h"
#include "crypt/secret.h"
#include "net/text.h"
#include "object/head.h"

static int
make_head(const struct session *s, uint64_t number, struct fault *f,
    uint8_t out[static STORE_HEAD_LEN])
{
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct head h = { .epoch = s->epochs[s->nepochs - 1].epoch,
		.number = number };
	int rc;

	head_new_salt(&h);
	memcpy(h.space, s->space, ID_LEN);
	memcpy(h.device, s->device, ID_LEN);
	if (number > 1)
		memset(h.prev, 7, sizeof(h.prev));
	h.commit.place.length = 100;
	h.commit.plain_len = 83;
	rc = head_seal(b, s->epochs[s->nepochs - 1].key, s->sign, &h, out);
	return rc == 0 ? 0 : fault_set(f, rc, "seal");
}

static int
move(struct session *s, bool stale, struct fault *f)
{
	uint8_t head[STORE_HEAD_LEN];
	uint64_t number = 0;
	uint32_t epoch;
	int rc = s->has_head ?
	    head_clear(bytes_of(s->head, STORE_HEAD_LEN), &epoch, &number) : 0;

	if (stale)
		number = 0;
	if (rc == 0)
		rc = make_head(s, number + 1, f, head);
	return rc == 0 ? session_move_head(s, number, head, f) : rc;
}

static void
show(struct cli *cli, const struct session *s)
{
	char hex[TEXT_HEX_SIZE(KEY_LEN)];
	uint64_t number = 0;
	uint32_t epoch = 0;

	if (s->has_head &&
	    head_clear(bytes_of(s->head, STORE_HEAD_LEN), &epoch, &number) != 0)
		number = UINT32_MAX;
	text_hex(s->epochs[0].key->b, KEY_LEN, hex, sizeof(hex));
	hex[8] = '\0'; /* enough to tell keys apart */
	cli_set_text(cli, "key", hex);
	cli_set_int(cli, "epochs", (int64_t)s->nepochs);
	cli_set_int(cli, "head", (int64_t)number);
	cli_set_bool(cli, "mirror", s->head_from_mirror);
	cli_set_int(cli, "devices", s->chain->devices);
}

static int
probe(struct cli *cli, const char *what)
{
	struct state *st defer(state_closep) = NULL;
	struct session *s = NULL;
	int rc = cli_state(cli, &st);

	if (rc == 0)
		rc = cli_session(cli, st, strcmp(what, "read") == 0 ?
			SESSION_READ : SESSION_WRITE, &s);
	if (rc == 0 &&
	    (strcmp(what, "move") == 0 || strcmp(what, "stale") == 0))
		rc = move(s, what[0] == 's', &cli->fault);
	if (s != NULL)
		show(cli, s);
	cli_session_done(cli, s);
	return rc;
}

int
main(int argc, char **argv)
{
	static atomic_bool stop;
	struct cli cli = { .stop = &stop, .json = true };
	char *text;
	int rc;

	if (argc < 2 || secret_init() != 0)
		return 99;
	if (argc == 6 && strcmp(argv[1], "agent") == 0)
		return fault_exit(agentd_run(argv[3], argv[5], &cli.fault));
	cli.out = json_object();
	rc = probe(&cli, argv[1]);
	cli_set_text(&cli, "fault", fault_name(rc));
	cli_set_text(&cli, "text", rc != 0 ? cli.fault.text : "");
	cli_set_int(&cli, "onshore", (int64_t)cli.onshore.requests);
	cli_set_int(&cli, "offshore", (int64_t)cli.offshore.requests);
	cli_set_int(&cli, "offshore_bytes",
	    (int64_t)(cli.offshore.sent + cli.offshore.received));
	text = json_dumps(cli.out, JSON_COMPACT);
	(void)printf("%s\n", text);
	free(text);
	json_decref(cli.out);
	return fault_exit(rc);
}
