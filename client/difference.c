// SPDX-License-Identifier: Apache-2.0
#include "client/difference.h"

#include <inttypes.h>

#include "client/show.h"

static const struct {
	char letter;
	const char *name;
} kinds[COMPARE_KINDS] = {
	[COMPARE_ADDED] = { '+', "added" },
	[COMPARE_REMOVED] = { '-', "removed" },
	[COMPARE_TYPE] = { 'T', "type" },
	[COMPARE_CONTENT] = { 'M', "content" },
	[COMPARE_METADATA] = { 'm', "metadata" },
};

static void
print_json(struct cli *cli, struct bytes key, enum compare_kind kind,
    const struct tree_entry *was, const struct tree_entry *is)
{
	const struct tree_entry *e = is != NULL ? is : was;

	(void)fputs(cli->begun ? ",{" : "{\"changes\":[{", stdout);
	cli->begun = true;
	show_json_name(stdout, "name", key);
	(void)printf(",\"change\":\"%s\",\"type\":\"%s\"", kinds[kind].name,
	    show_type(e->type));
	if (kind == COMPARE_TYPE)
		(void)printf(",\"was_type\":\"%s\"", show_type(was->type));
	if (e->type == ENTRY_FILE)
		(void)printf(",\"size\":%" PRIu64, e->size);
	if (is != NULL && was != NULL && was->type == ENTRY_FILE)
		(void)printf(",\"was_size\":%" PRIu64, was->size);
	(void)putchar('}');
}

int
difference_show(struct difference *d, struct bytes key,
    enum compare_kind kind, const struct tree_entry *was,
    const struct tree_entry *is)
{
	d->n++;
	d->of[kind]++;
	if (kind == COMPARE_METADATA && !d->metadata)
		return 0;
	if (d->cli->json) {
		print_json(d->cli, key, kind, was, is);
	} else {
		(void)printf("%c ", kinds[kind].letter);
		show_name(stdout, key, d->escape);
		(void)putchar('\n');
	}
	return ferror(stdout) ? FAULT_IO : 0;
}

void
difference_end(struct difference *d, char out[static DIFFERENCE_TEXT_SIZE])
{
	const uint64_t modified = d->of[COMPARE_TYPE] + d->of[COMPARE_CONTENT];
	struct cli *cli = d->cli;

	if (cli->json && cli->begun)
		(void)fputs("],", stdout);
	else
		(void)json_object_set_new(cli->out, "changes", json_array());
	cli_set_int(cli, "added", (int64_t)d->of[COMPARE_ADDED]);
	cli_set_int(cli, "removed", (int64_t)d->of[COMPARE_REMOVED]);
	cli_set_int(cli, "modified", (int64_t)modified);
	cli_set_int(cli, "metadata", (int64_t)d->of[COMPARE_METADATA]);
	(void)snprintf(out, DIFFERENCE_TEXT_SIZE, "%" PRIu64 " added, %" PRIu64
	    " removed, %" PRIu64 " modified, %" PRIu64 " in metadata alone",
	    d->of[COMPARE_ADDED], d->of[COMPARE_REMOVED], modified,
	    d->of[COMPARE_METADATA]);
}
