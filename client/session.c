// SPDX-License-Identifier: Apache-2.0
/* client/DESIGN.md, Session. */
#include "client/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/noun.h"
#include "client/agent.h"
#include "client/authority.h"
#include "client/custodian.h"
#include "client/engine/space.h"
#include "client/gather.h"
#include "client/logcheck.h"
#include "client/logpin.h"
#include "client/notice.h"
#include "client/release.h"
#include "client/renewal.h"
#include "client/state.h"
#include "crypt/bulk.h"
#include "crypt/secret.h"
#include "object/head.h"
#include "store/store_http.h"

#define LEASE_SPARE 5 /* seconds below which a lease is as good as ended */
#define DEPOT_RETRIES 5

/* What session.h shows, and what it does not. */
struct full {
	struct session s;
	struct lease *lease; /* secret memory; the epochs point into it */
	struct authority *authority;
	const atomic_bool *store_stop; /* or NULL */
	enum session_need need;
	struct custodian custodian;
	struct renewal renewal;
	struct session_epoch epochs[LEASE_EPOCHS_MAX];
};

static struct full *
full_of(struct session *s)
{
	return (struct full *)s;
}

static void
add_wire(struct http_wire *to, struct http_wire *from)
{
	if (to == NULL)
		return;
	atomic_fetch_add(&to->requests, atomic_load(&from->requests));
	atomic_fetch_add(&to->sent, atomic_load(&from->sent));
	atomic_fetch_add(&to->received, atomic_load(&from->received));
}

void
session_finish(struct session *s, struct http_wire *onshore,
    struct http_wire *offshore)
{
	struct full *p = full_of(s);

	if (s == NULL)
		return;
	store_close(s->store);
	authority_close(p->authority);
	add_wire(onshore, &s->onshore);
	add_wire(offshore, &s->offshore);
	renewal_wipe(&p->renewal);
	secret_free(p->lease);
	free(p);
}

void
session_close(struct session *s)
{
	session_finish(s, NULL, NULL);
}

void
session_closep(struct session **s)
{
	session_close(*s);
}

void
session_last_seen(const struct session *s, uint64_t *number, uint32_t *epoch)
{
	*number = s->state->head.number;
	*epoch = s->state->head.epoch;
}

const uint8_t *
session_seen_head(const struct session *s)
{
	const struct state_head *seen = &s->state->head;

	return seen->known ? seen->bytes : NULL;
}

bool
session_go_back(struct session *s)
{
	const struct state_head *seen = &s->state->head;

	if (!seen->known || memcmp(seen->bytes, s->head, STORE_HEAD_LEN) == 0)
		return false;
	memcpy(s->head, seen->bytes, STORE_HEAD_LEN);
	s->head_from_mirror = false;
	return true;
}

static int
note_head(struct session *s, uint64_t number, uint32_t epoch,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	struct state_head h = { .known = true, .number = number,
		.epoch = epoch };

	memcpy(h.bytes, head, sizeof(h.bytes));
	return state_set_head(s->state, &h, f);
}

/* Whoever moved the head here may have been killed before the mirror had it:
 * a writer that learns of it from the authority makes up for that. */
int
session_saw_head(struct session *s, uint64_t number, uint32_t epoch,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	struct fault scrap = { 0 };
	bool later = number > s->state->head.number;

	if (later && full_of(s)->need == SESSION_WRITE && !s->head_from_mirror)
		(void)!s->store->ops->head_put(s->store, head, &scrap);
	return note_head(s, number, epoch, head, f);
}

/* The store of the lease's depot, and the keys, become the session's. */
static int
use_lease(struct full *p, struct fault *f)
{
	const struct policy_depot *d;
	struct store_http_config config = {
		.peer = { .fault = FAULT_DEPOT, .wire = &p->s.onshore,
		    .stop = p->store_stop },
		.capability = p->lease->capability,
		.retries = DEPOT_RETRIES,
		.renew = renewal_token,
		.renew_arg = &p->renewal,
		.again = notice_again,
	};
	int rc = release_depot(p->s.state, p->lease->depot, &d, f);

	if (rc != 0)
		return rc;
	config.peer.url = d->url;
	config.peer.ca = d->ca;
	memcpy(config.prefix, p->lease->prefix, ID_LEN);
	store_close(p->s.store);
	p->s.store = NULL;
	rc = store_http_open(&config, &p->s.store, f);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < p->lease->nepochs; i++)
		p->epochs[i] = (struct session_epoch){
			.epoch = p->lease->epoch[i],
			.key = &p->lease->key[i],
		};
	p->s.epochs = p->epochs;
	p->s.nepochs = p->lease->nepochs;
	return 0;
}

static int
number_of(const uint8_t head[static STORE_HEAD_LEN], uint64_t *number,
    uint32_t *epoch)
{
	return head_clear(bytes_of(head, STORE_HEAD_LEN), epoch, number);
}

static bool
opens_with(struct full *p, const uint8_t head[static STORE_HEAD_LEN],
    const struct space_key *key, int *rc)
{
	struct bulk *b defer(bulk_freep) = bulk_new(BULK_OPENSSL);
	struct head h;

	*rc = b == NULL ? FAULT_MEMORY :
			  head_open(b, key, p->s.space,
			      session_signers(&p->s),
			      bytes_of(head, STORE_HEAD_LEN), &h);
	secret_wipe(&h, sizeof(h));
	return *rc == 0;
}

/* Opens and checks the head as it stands in the session. */
static int
head_holds(struct full *p)
{
	const struct space_key *key;
	uint64_t number;
	uint32_t epoch;
	int rc = number_of(p->s.head, &number, &epoch);

	if (rc != 0)
		return rc;
	key = session_key(&p->s, epoch);
	if (key == NULL)
		return FAULT_NOT_FOUND;
	(void)opens_with(p, p->s.head, key, &rc);
	return rc;
}

/* For gather_keys: the head tells whether shares gave the right key; where
 * there is none of the epoch, nothing can. */
static bool
fits(void *arg, uint32_t epoch, const struct space_key *key)
{
	struct full *p = arg;
	const uint8_t *head = p->s.has_head ? p->s.head :
	    p->s.state->head.known	    ? p->s.state->head.bytes :
					      NULL;
	uint64_t number;
	uint32_t of;
	int rc;

	if (head == NULL || number_of(head, &number, &of) != 0 || of != epoch)
		return true;
	return opens_with(p, head, key, &rc) || rc != FAULT_TAMPERED;
}

static void
use_last_seen(struct full *p)
{
	const struct state_head *seen = &p->s.state->head;

	p->s.has_head = seen->known;
	p->s.head_from_mirror = false;
	memcpy(p->s.head, seen->bytes, STORE_HEAD_LEN);
}

/*
 * The later of the mirror and the one last seen; true where there is one that
 * holds.  A mirror that is broken, or signed by a device that is not known here
 * yet, is left to the authority to judge.
 */
static bool
head_under_lease(struct full *p)
{
	const struct state_head *seen = &p->s.state->head;
	struct fault scrap = { 0 };
	uint64_t number;
	uint32_t epoch;
	int rc = p->s.store->ops->head_get(p->s.store, p->s.head, &scrap);

	if (rc == 0)
		rc = number_of(p->s.head, &number, &epoch);
	if (rc == 0 && (!seen->known || number > seen->number)) {
		p->s.has_head = true;
		p->s.head_from_mirror = true;
		return head_holds(p) == 0 && epoch >= seen->epoch;
	}
	use_last_seen(p);
	return p->s.has_head && head_holds(p) == 0;
}

/* True: all that a reader needs is here, without a request offshore. */
static bool
read_under_lease(struct full *p)
{
	struct fault scrap = { 0 };

	return agent_get(p->s.state, p->lease, &scrap) == 0 &&
	    p->lease->seconds > LEASE_SPARE && use_lease(p, &scrap) == 0 &&
	    head_under_lease(p);
}

static int
stay_local(struct full *p, struct fault *f)
{
	static const atomic_bool never = true;
	struct fault scrap = { 0 };

	p->store_stop = &never;
	if (!p->s.state->head.known ||
	    agent_get(p->s.state, p->lease, &scrap) != 0 ||
	    use_lease(p, &scrap) != 0)
		return fault_set(f, FAULT_EXPIRED, "no lease is held, or no "
		    "head was seen");
	use_last_seen(p);
	return 0;
}

static int
check_chain(struct full *p, const struct answer_session *a, uint32_t seen,
    struct fault *f)
{
	const struct chain_device *own;
	int rc;

	if (a->chain_length < seen)
		return fault_set(f, FAULT_ROLLBACK,
		    "authority %s: shows %u %s of the device chain, "
		    "%u %s seen", p->s.state->binding.authority,
		    a->chain_length,
		    noun_for(a->chain_length, "entry", "entries"), seen,
		    noun_for(seen, "was", "were"));
	rc = state_add_chain(p->s.state, seen, buf_bytes(&a->chain), f);
	if (rc == FAULT_TRUST || rc == FAULT_TAMPERED)
		custodian_keep_chain(p->s.state, p->s.state->binding.authority,
		    seen, buf_bytes(&a->chain), f);
	if (rc != 0)
		return rc;
	/* Another command of this device may have pinned more meanwhile. */
	if (p->s.chain->n < a->chain_length)
		return fault_set(f, FAULT_MALFORMED,
		    "authority %s: kept entries of the device chain back",
		    p->s.state->binding.authority);
	own = chain_find(p->s.chain, p->s.device);
	if (own == NULL || !own->live)
		return fault_set(f, FAULT_DENIED, "this device was revoked");
	return 0;
}

/* A head that is older than what was seen, or another of the same number, is
 * no mishap: the authority keeps one line of heads. */
static int
check_head(struct full *p, const struct answer_session *a, struct fault *f)
{
	const struct state_head *seen = &p->s.state->head;
	uint64_t number = 0;
	uint32_t epoch = 0;
	int rc = a->has_head ? number_of(a->head, &number, &epoch) : 0;

	if (rc != 0)
		return fault_add(f, rc, "authority %s: head",
		    p->s.state->binding.authority);
	if (seen->known && (number < seen->number || epoch < seen->epoch ||
			       (number == seen->number &&
				   memcmp(a->head, seen->bytes,
				       STORE_HEAD_LEN) != 0)))
		return fault_set(f, FAULT_ROLLBACK,
		    "authority %s: shows head %llu, but another or a later one "
		    "(%llu) was seen before", p->s.state->binding.authority,
		    (unsigned long long)number,
		    (unsigned long long)seen->number);
	p->s.has_head = a->has_head;
	p->s.head_from_mirror = false;
	memcpy(p->s.head, a->head, STORE_HEAD_LEN);
	return 0;
}

static int
open_authority(struct full *p, struct fault *f)
{
	struct authority_config config = {
		.state = p->s.state,
		.key = p->s.sign,
		.wire = &p->s.offshore,
		.stop = p->s.stop,
	};
	int rc;

	if (p->authority != NULL)
		return 0;
	rc = state_authority(p->s.state, &config.peer, f);
	if (rc != 0)
		return rc;
	memcpy(config.signer, p->s.device, ID_LEN);
	return authority_open(&config, &p->authority, f);
}

/* The home's answer, which says everything but shares of others. */
static int
ask_home(struct full *p, uint32_t custody_seen, struct answer_session *a,
    struct custodian *c, struct fault *f)
{
	uint32_t seen = p->s.chain->n;
	int rc = open_authority(p, f);

	if (rc == 0)
		rc = authority_session(p->authority,
		    &(struct authority_ask){ .account = p->s.account,
		    .space = p->s.space, .chain_seen = seen,
		    .custody_seen = custody_seen }, a, f);
	if (rc == 0)
		rc = check_chain(p, a, seen, f);
	if (rc == 0)
		rc = custodian_verify(p->s.state, &a->custody,
		    p->s.state->binding.authority, seen, c, f);
	if (rc == 0)
		rc = check_head(p, a, f);
	return rc;
}

/* [custody] With the home away, k others do for reading: the first that says
 * that the pinned custody is in force.  NULL: none. */
static const struct answer_session *
stand_in(struct full *p, const struct gather *g)
{
	for (int i = 1; i < g->set->n; i++) {
		const struct answer_session *a = &g->one[i].answer;

		if (g->one[i].rc != 0 ||
		    bytes_cmp(buf_bytes(&a->custody.current),
			bytes_of(g->set->raw, g->set->len)) != 0)
			continue;
		use_last_seen(p);
		return a;
	}
	return NULL;
}

/* Whoever holds a share is asked, all at once; the home is one of them. */
static int
ask_all(struct full *p, struct custodian *c, struct gather *g,
    const struct answer_session **said, struct fault *f)
{
	struct custody before = c->set;
	bool split = c->known && c->set.mode == CUSTODY_SPLIT;
	int rc, bad = 0;

	g->set = &before;
	if (split)
		bad = gather_ask(g, 1, f);
	rc = ask_home(p, c->known ? c->set.serial : 0, &g->one[0].answer, c,
	    f);
	g->one[0].rc = rc;
	g->one[0].f = *f;
	*said = &g->one[0].answer;
	if (rc == FAULT_AUTHORITY && split && p->need == SESSION_READ) {
		*said = stand_in(p, g);
		p->s.home_away = *said != NULL;
		rc = *said != NULL ? 0 : rc;
		before = c->set;
	} else if (rc == 0 && bad == 0) {
		g->set = &c->set;
		if (c->set.mode == CUSTODY_SPLIT &&
		    (!split || !custody_same(&before, &c->set)))
			bad = gather_ask(g, 1, f);
	}
	g->set = &c->set;
	return rc != 0 ? rc : bad;
}

/* [custody] Nothing is sealed under a key that no head was opened with: later
 * epochs than the head's are not for use yet, where an authority could forge
 * them. */
static void
trim(struct full *p)
{
	uint64_t number;
	uint32_t epoch;

	if (p->custodian.set.mode == CUSTODY_STANDARD || !p->s.has_head ||
	    p->s.home_away || number_of(p->s.head, &number, &epoch) != 0)
		return;
	while (p->lease->nepochs > 1 &&
	    p->lease->epoch[p->lease->nepochs - 1] > epoch)
		p->lease->nepochs--;
}

/* What was half begun or half ended shows up here alone. */
static void
note_epochs(struct full *p, const struct gather *g)
{
	p->s.first_epoch = p->s.last_epoch = 0;
	for (int i = 0; i < g->set->n; i++) {
		const struct answer_session *a = &g->one[i].answer;

		for (size_t k = 0; g->one[i].rc == 0 && k < a->nkeys; k++) {
			uint32_t e = a->key[k].epoch;

			if (p->s.first_epoch == 0 || e < p->s.first_epoch)
				p->s.first_epoch = e;
			if (e > p->s.last_epoch)
				p->s.last_epoch = e;
		}
	}
}

/* The log key that the space's own commit leads to; stored for good only then.
 * In a space that is empty, or cannot be read now, the first epoch's does. */
static int
find_log_key(struct full *p, struct leaf_log_key *out, bool *sure,
    struct fault *f)
{
	struct space *sp defer(space_closep) = NULL;
	const struct space_key *first = session_key(&p->s, 1);
	int rc = p->s.has_head ? space_open(&p->s, &sp, f) : 0;

	*sure = rc == 0 && sp != NULL && sp->has_head;
	if (*sure)
		rc = leaf_log_key(&sp->commit.dedup, out);
	else if (first != NULL)
		rc = leaf_log_key_first(first, out);
	else if (rc == 0)
		rc = FAULT_MISSING;
	return rc == 0 ? 0 : fault_add(f, rc,
	    "to check what the log says of this space");
}

/* [log] Before a key is used for anything but to open the commit. */
static int
check_log_key(struct full *p, const struct gather *g, struct fault *f)
{
	struct leaf_log_key key;
	bool sure = false;
	int rc = logpin_key(p->s.state, &key, f);

	if (rc == FAULT_NOT_FOUND) {
		rc = find_log_key(p, &key, &sure, f);
		for (int i = 0; rc == 0 && i < g->set->n; i++)
			if (g->one[i].rc == 0)
				rc = logcheck_leaves(&g->one[i].answer, &key,
				    g->set->holder[i].jurisdiction, f);
		if (rc == 0 && sure)
			rc = logpin_set_key(p->s.state, &key, f);
	}
	secret_wipe(&key, sizeof(key));
	return rc;
}

/* Whether all have answered, so that what is missing is not for one that is
 * away: they moved on between their answers. */
static bool
all_answered(const struct gather *g)
{
	for (int i = 0; i < g->set->n; i++)
		if (g->one[i].rc != 0)
			return false;
	return true;
}

static int
ask_once(struct full *p, bool *again, struct fault *f)
{
	struct gather *g defer(gather_freep) = calloc(1, sizeof(*g));
	struct custodian *c = &p->custodian;
	const struct answer_session *said = NULL;
	struct fault scrap = { 0 };
	int rc;

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	g->st = p->s.state;
	g->wire = &p->s.offshore;
	g->stop = p->s.stop;
	rc = custodian_load(p->s.state, c, f);
	if (rc == 0)
		rc = ask_all(p, c, g, &said, f);
	if (rc == 0)
		note_epochs(p, g);
	if (rc == 0)
		rc = release_begin(p->s.state, said, p->lease, f);
	if (rc == 0)
		rc = gather_keys(g, (struct gather_check){ fits, p }, p->lease,
		    f);
	*again = said != NULL && rc == FAULT_AUTHORITY && all_answered(g);
	/* [custody] Without a head nothing would tell a forged key. */
	if (rc == 0 && c->set.mode != CUSTODY_STANDARD && !p->s.has_head &&
	    !p->s.home_away)
		rc = fault_set(f, FAULT_ROLLBACK, "authority %s: shows no "
		    "head, but a space in this custody has one",
		    p->s.state->binding.authority);
	if (rc == 0)
		trim(p);
	if (rc == 0)
		rc = use_lease(p, f);
	if (rc == 0 && p->s.home_away && !head_under_lease(p))
		rc = fault_set(f, FAULT_AUTHORITY, "the home authority is "
		    "away, and the depot shows no head that holds");
	if (rc == 0)
		rc = check_log_key(p, g, f);
	/* Without an agent each command asks again, and nothing else. */
	if (rc == 0)
		(void)!agent_put(p->s.state, p->lease, &scrap);
	return rc;
}

/* Once more where another device changed the custody between the answers. */
static int
ask_authority(struct full *p, struct fault *f)
{
	bool again = false;
	int rc = ask_once(p, &again, f);

	if (rc == 0 || !again)
		return rc;
	*f = (struct fault){ 0 };
	return ask_once(p, &again, f);
}

int
session_open(struct state *st, enum session_need need,
    const atomic_bool *stop, struct session **out, struct fault *f)
{
	struct full *p;
	int rc = state_require_ready(st, f);

	if (rc != 0)
		return rc;
	p = calloc(1, sizeof(*p));
	if (p != NULL)
		p->lease = secret_new(sizeof(*p->lease));
	if (p == NULL || p->lease == NULL) {
		free(p);
		return fault_set(f, FAULT_MEMORY, "out of memory");
	}
	renewal_init(&p->renewal, &p->s, p->lease);
	p->s.state = st;
	p->s.sign = st->sign;
	p->s.chain = &st->chain;
	p->s.stop = stop;
	p->s.custodian = &p->custodian;
	p->need = need;
	/* A write that is to stop ends what is under way, so that nothing is
	 * sent twice. */
	p->store_stop = need == SESSION_READ ? stop : NULL;
	memcpy(p->s.account, st->binding.account, ID_LEN);
	memcpy(p->s.space, st->binding.space, ID_LEN);
	memcpy(p->s.device, st->device, ID_LEN);
	if (need == SESSION_LOCAL)
		rc = stay_local(p, f);
	else if (need == SESSION_WRITE || !read_under_lease(p))
		rc = ask_authority(p, f);
	if (rc != 0) {
		session_close(&p->s);
		return rc;
	}
	*out = &p->s;
	return 0;
}

int
session_move_head(struct session *s, uint64_t expect,
    const uint8_t head[static STORE_HEAD_LEN], struct fault *f)
{
	struct full *p = full_of(s);
	uint8_t current[STORE_HEAD_LEN] = { 0 };
	struct fault scrap = { 0 };
	bool has = false;
	uint64_t number;
	uint32_t epoch;
	int rc = number_of(head, &number, &epoch);

	if (rc != 0 || number != expect + 1)
		return fault_set(f, FAULT_INTERNAL, "head: wrong number");
	rc = open_authority(p, f);
	if (rc == 0)
		rc = authority_move_head(p->authority, s->space, expect, head,
		    &has, current, f);
	if (rc == FAULT_CONFLICT) {
		s->has_head = has;
		s->head_from_mirror = false;
		memcpy(s->head, current, STORE_HEAD_LEN);
	}
	if (rc != 0)
		return rc;
	s->has_head = true;
	s->head_from_mirror = false;
	memcpy(s->head, head, STORE_HEAD_LEN);
	/* The mirror first: killed in between, this device does not know the
	 * head yet, and sees to the mirror when it learns of it. */
	(void)!s->store->ops->head_put(s->store, head, &scrap);
	rc = note_head(s, number, epoch, head, &scrap);
	if (rc != 0)
		rc = fault_set(f, rc, "commit %" PRIu64 " was made and is "
		    "safe, but this device could not note it: %s; make room: "
		    "the next command notes it, nothing is to be stored again",
		    number, scrap.text);
	return rc;
}

int
session_home(struct session *s, struct authority **out, struct fault *f)
{
	struct full *p = full_of(s);
	int rc = open_authority(p, f);

	if (rc == 0)
		*out = p->authority;
	return rc;
}

const char *
session_capability(const struct session *s)
{
	return ((const struct full *)s)->lease->capability;
}

int
session_refresh(struct session *s, struct fault *f)
{
	struct full *p = full_of(s);

	p->need = SESSION_WRITE;
	return ask_authority(p, f);
}

int
session_add_epoch(struct session *s, uint32_t epoch,
    const struct space_key *key, struct fault *f)
{
	struct full *p = full_of(s);
	struct lease *l = p->lease;

	if (l->nepochs == LEASE_EPOCHS_MAX ||
	    (l->nepochs != 0 && l->epoch[l->nepochs - 1] >= epoch))
		return fault_set(f, FAULT_LIMIT, "too many epochs");
	l->epoch[l->nepochs] = epoch;
	l->key[l->nepochs] = *key;
	p->epochs[l->nepochs] = (struct session_epoch){ .epoch = epoch,
		.key = &l->key[l->nepochs] };
	s->nepochs = ++l->nepochs;
	return 0;
}

uint32_t
session_epoch_now(const struct session *s)
{
	uint64_t number;
	uint32_t epoch;

	if (s->has_head && number_of(s->head, &number, &epoch) == 0)
		return epoch;
	return s->epochs[0].epoch;
}
