// SPDX-License-Identifier: Apache-2.0
#include "client/logread.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/noun.h"
#include "tlog/note.h"

struct held {
	bool have;
	uint64_t index;
	struct merkle_hash hash[TILE_WIDTH];
};

struct logread {
	struct logread_config config;
	struct http *http;
	struct fault *fault; /* of the call under way */
	uint64_t size;
	/* Verified: the last partial tile of each level, and the full one that
	 * was read last. */
	struct held edge[TILE_LEVELS], full[TILE_LEVELS];
	struct tile_tree tree;
	uint8_t *body; /* LOGREAD_BUNDLE_MAX */
};

int
logread_open(const struct logread_config *config, struct logread **out,
    struct fault *f)
{
	struct logread *r defer(logread_closep) = calloc(1, sizeof(*r));
	const struct http_peer peer = { .url = config->peer->url,
		.ca = config->peer->ca, .fault = FAULT_AUTHORITY,
		.wire = config->wire, .stop = config->stop,
		.seconds = HTTP_SMALL_SECONDS };
	int rc;

	if (r != NULL)
		r->body = malloc(LOGREAD_BUNDLE_MAX);
	if (r == NULL || r->body == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	r->config = *config;
	rc = http_open(&peer, &r->http, f);
	if (rc == 0)
		*out = take(r);
	return rc;
}

void
logread_close(struct logread *r)
{
	if (r == NULL)
		return;
	http_close(r->http);
	free(r->body);
	free(r);
}

void
logread_closep(struct logread **r)
{
	logread_close(*r);
}

/* 0 and the body, borrowed; FAULT_NOT_FOUND without text; else a fault. */
static int
get(struct logread *r, const char *name, size_t max, struct bytes *out,
    struct fault *f)
{
	char path[TILE_PATH_MAX + sizeof(LOGREAD_PREFIX)];
	const struct http_request req = { .method = "GET", .path = path,
		.out = r->body, .out_max = max };
	struct http_answer ans;
	int rc;

	(void)snprintf(path, sizeof(path), LOGREAD_PREFIX "%s", name);
	rc = http_do(r->http, &req, &ans, f);
	if (rc == FAULT_LIMIT)
		return fault_set(f, FAULT_LOG, "log of authority %s: %s: over "
		    "%zu bytes", r->config.peer->name, name, max);
	if (rc != 0)
		return rc;
	if (ans.status == 404)
		return FAULT_NOT_FOUND;
	if (ans.status != 200)
		return fault_set(f, FAULT_AUTHORITY,
		    "log of authority %s: %s: status %u",
		    r->config.peer->name, name, ans.status);
	*out = bytes_of(r->body, ans.n);
	return 0;
}

static int
bad(const struct logread *r, const char *name, const char *why,
    struct fault *f)
{
	return fault_set(f, FAULT_LOG, "log of authority %s: %s: %s",
	    r->config.peer->name, name, why);
}

int
logread_checkpoint(struct logread *r, struct buf *note, struct fault *f)
{
	struct bytes b;
	int rc = get(r, "checkpoint", NOTE_MAX, &b, f);

	if (rc == FAULT_NOT_FOUND)
		return bad(r, "checkpoint", "there is none", f);
	if (rc != 0)
		return rc;
	rc = buf_append(note, b.p, b.n);
	return rc == 0 ? 0 : fault_add(f, rc, "checkpoint");
}

/* [log] A reader that misses a partial file tries the full one. */
static int
get_tile(struct logread *r, const struct tile_id *id, size_t max,
    struct bytes *out, bool *whole)
{
	struct tile_id full = { .level = id->level, .index = id->index,
		.width = TILE_WIDTH };
	char name[TILE_PATH_MAX];
	int rc;

	(void)tile_path(id, name);
	*whole = id->width == TILE_WIDTH;
	rc = get(r, name, max, out, r->fault);
	if (rc == FAULT_NOT_FOUND && !*whole) {
		char other[TILE_PATH_MAX];

		(void)tile_path(&full, other);
		*whole = true;
		rc = get(r, other, max, out, r->fault);
	}
	return rc == FAULT_NOT_FOUND ?
	    bad(r, name, "is missing", r->fault) : rc;
}

static int
fetch(struct logread *r, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	struct bytes b = { NULL, 0 };
	char name[TILE_PATH_MAX];
	bool whole;
	int rc = get_tile(r, id, TILE_WIDTH * MERKLE_LEN, &b, &whole);

	if (rc != 0)
		return rc;
	if (whole && b.n == TILE_WIDTH * MERKLE_LEN)
		b.n = (size_t)id->width * MERKLE_LEN;
	(void)tile_path(id, name);
	return tile_parse(b, id->width, out) == 0 ? 0 :
	    bad(r, name, "is not a tile of that width", r->fault);
}

/* A tile that its parent, or the root, answers for. */
static int
verified(void *ctx, const struct tile_id *id,
    struct merkle_hash out[static TILE_WIDTH])
{
	struct logread *r = ctx;
	struct held *h = id->width == TILE_WIDTH ? &r->full[id->level] :
						   &r->edge[id->level];
	struct tile_id up = { .level = id->level + 1,
		.index = id->index / TILE_WIDTH };
	struct merkle_hash *parent, fold;
	char name[TILE_PATH_MAX];
	int rc;

	if (!h->have || h->index != id->index) {
		if (id->width != TILE_WIDTH || up.level == TILE_LEVELS)
			return fault_set(r->fault, FAULT_INTERNAL,
			    "a tile beside the edge");
		parent = malloc(TILE_WIDTH * sizeof(*parent));
		if (parent == NULL)
			return fault_set(r->fault, FAULT_MEMORY,
			    "out of memory");
		up.width = tile_width(up.level, up.index, r->size);
		rc = verified(r, &up, parent);
		if (rc == 0)
			rc = fetch(r, id, out);
		if (rc == 0)
			tile_fold(out, TILE_HEIGHT, &fold);
		(void)tile_path(id, name);
		if (rc == 0 && memcmp(&fold, &parent[id->index % TILE_WIDTH],
			sizeof(fold)) != 0)
			rc = bad(r, name, "does not lead to the root that the "
			    "log signed", r->fault);
		free(parent);
		if (rc != 0)
			return rc;
		h->have = true;
		h->index = id->index;
		memcpy(h->hash, out, sizeof(h->hash));
	}
	memcpy(out, h->hash, sizeof(h->hash));
	return 0;
}

/* Partial tiles hold every node of the right edge: the root is made of them. */
static int
load_edge(struct logread *r, struct merkle_hash *root)
{
	struct merkle_edge e = { .size = r->size };

	for (unsigned l = 0; l < TILE_LEVELS; l++) {
		struct held *h = &r->edge[l];
		uint64_t count = r->size >> (l * TILE_HEIGHT);
		struct tile_id id = { .level = l,
			.index = count / TILE_WIDTH,
			.width = (unsigned)(count % TILE_WIDTH) };
		unsigned at = 0;
		int rc;

		h->have = id.width != 0;
		h->index = id.index;
		if (!h->have)
			continue;
		rc = fetch(r, &id, h->hash);
		if (rc != 0)
			return rc;
		for (unsigned bit = TILE_HEIGHT; bit-- > 0;)
			if (id.width >> bit & 1) {
				tile_fold(h->hash + at, bit,
				    &e.node[l * TILE_HEIGHT + bit]);
				at += 1u << bit;
			}
	}
	merkle_root(&e, root);
	return 0;
}

int
logread_tree(struct logread *r, uint64_t size, const struct merkle_hash *root,
    struct fault *f)
{
	struct merkle_hash got;
	int rc;

	r->fault = f;
	r->size = size;
	memset(r->full, 0, sizeof(r->full));
	tile_tree_init(&r->tree, (struct tile_source){ verified, r }, size);
	rc = load_edge(r, &got);
	if (rc == 0 && memcmp(&got, root, sizeof(got)) != 0)
		rc = fault_set(f, FAULT_LOG, "log of authority %s: the last "
		    "tiles of %" PRIu64 " %s do not lead to the root that "
		    "the log signed", r->config.peer->name, size,
		    noun_for(size, "leaf", "leaves"));
	return rc;
}

struct merkle_source
logread_nodes(struct logread *r, struct fault *f)
{
	r->fault = f;
	return tile_tree_source(&r->tree);
}

int
logread_root(struct logread *r, uint64_t size, struct merkle_hash *out,
    struct fault *f)
{
	struct merkle_source s = logread_nodes(r, f);
	struct merkle_edge *e = calloc(1, sizeof(*e));
	int rc;

	if (e == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = merkle_edge_load(&s, size, e);
	if (rc == 0)
		merkle_root(e, out);
	free(e);
	return rc == 0 || f->code == rc ? rc :
					  fault_add(f, rc, "log tree");
}

int
logread_entries(struct logread *r, uint64_t index,
    struct bytes out[static TILE_WIDTH], unsigned *n, struct fault *f)
{
	struct tile_id id = { .level = 0, .index = index,
		.width = tile_width(0, index, r->size) };
	struct tile_id bundle = { .level = TILE_ENTRIES, .index = index,
		.width = id.width };
	struct merkle_hash hash[TILE_WIDTH], leaf;
	struct bytes b = { NULL, 0 };
	char name[TILE_PATH_MAX], why[64];
	bool whole;
	int rc;

	r->fault = f;
	rc = id.width == 0 ? fault_set(f, FAULT_INTERNAL, "no such bundle") :
			     verified(r, &id, hash);
	if (rc == 0)
		rc = get_tile(r, &bundle, LOGREAD_BUNDLE_MAX, &b, &whole);
	if (rc != 0)
		return rc;
	(void)tile_path(&bundle, name);
	if (tile_entries(b, whole ? TILE_WIDTH : id.width, out) != 0)
		return bad(r, name, "is not entries of that number", f);
	for (unsigned i = 0; i < id.width; i++) {
		merkle_leaf(out[i], &leaf);
		if (memcmp(&leaf, &hash[i], sizeof(leaf)) == 0)
			continue;
		(void)snprintf(why, sizeof(why), "entry %" PRIu64 " is not the "
		    "one that the tree has", index * TILE_WIDTH + i);
		return bad(r, name, why, f);
	}
	*n = id.width;
	return 0;
}

int
logread_requests(struct logread *r, uint64_t from,
    struct answer_requests *out, struct fault *f)
{
	char path[64];
	const struct http_request req = { .method = "GET", .path = path,
		.out = r->body, .out_max = LOGREAD_BUNDLE_MAX };
	struct http_answer ans;
	int rc;

	(void)snprintf(path, sizeof(path), LOGREAD_REQUESTS "?from=%" PRIu64,
	    from);
	rc = http_do(r->http, &req, &ans, f);
	if (rc == FAULT_LIMIT)
		return bad(r, LOGREAD_REQUESTS, "is too long", f);
	if (rc != 0)
		return rc;
	if (ans.status >= 500)
		return fault_set(f, FAULT_AUTHORITY, "authority %s: "
		    LOGREAD_REQUESTS ": status %u", r->config.peer->name,
		    ans.status);
	rc = ans.status != 200 ? FAULT_MALFORMED :
	    answer_read_requests(bytes_of(r->body, ans.n), out);
	if (rc == 0 && out->n != 0 && out->request[0].index < from) {
		answer_wipe_requests(out);
		rc = FAULT_MALFORMED;
	}
	return rc == FAULT_MALFORMED ?
	    bad(r, LOGREAD_REQUESTS, "is no list of requests", f) :
	    rc == 0 ? 0 : fault_add(f, rc, LOGREAD_REQUESTS);
}
