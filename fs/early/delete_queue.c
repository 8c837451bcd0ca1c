/*
 * Keys of one bucket wait in a pile.  A pile that is sent becomes a set, with the array that struct purge
 * works on.  At most SETS_MAX sets of an account are on the wire.  The account's other sets stay in line, and
 * the sets of other accounts go before them: a server that does not answer delays only its own accounts.
 *
 *   pile    count    timer     meaning
 *   open    1..999   set       more may come
 *   (sent)                     in the line, then on the wire, then each key's on_done
 *
 * Memory: as many keys as the callers' promises (fs/early/batch.h), and an array of at most 1,000 for each
 * set on the wire.
 */
#include "fs/early/delete_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "s3/delete_set.h"

enum {
	SETS_MAX = 8, /* of an account, of 1,000 keys each: at 30 ms a set that is 260,000 keys a second */
	PILES_MAX = 8, /* buckets at once; a ninth bucket sends the oldest pile */
};

struct pile {
	struct account *account; /* NULL: free */
	struct str bucket; /* lent from the first key */
	struct gathered *first, **last;
	unsigned count;
	uint64_t began_ms, added_ms;
};

struct set {
	struct purge purge;
	struct gather *gather;
	struct account *account; /* lent, like the keys */
	struct gathered *first; /* in the order of the array */
	unsigned count;
	struct set *next;
};

struct gather {
	struct worker *worker;
	struct task hurry;
	atomic_bool hurrying, stopping;
	/* worker's thread only */
	struct pile piles[PILES_MAX];
	struct timer timer;
	struct set *line, **line_last;
	struct set *sending; /* on the wire */
};

static void pump(struct gather *gather);

static void delete_queue_tell(struct gathered *gathered, int error, const char *code, const char *request_id)
{
	gathered->error = error;
	gathered->code = code;
	gathered->request_id = request_id;
	gathered->on_done(gathered);
}

static void tell_all(struct gathered *first, int error)
{
	while (first) {
		struct gathered *gathered = first;

		first = gathered->next;
		delete_queue_tell(gathered, error, "", "");
	}
}

static void stop_sending(struct gather *gather, const struct set *set)
{
	struct set **at = &gather->sending;

	while (*at != set)
		at = &(*at)->next;
	*at = set->next;
}

static void on_purged(struct purge *purge)
{
	struct set *set = purge->user;
	struct gather *gather = set->gather;
	struct gathered *at = set->first;

	for (unsigned i = 0; i < set->count; i++) {
		struct gathered *gathered = at;

		at = at->next;
		delete_queue_tell(gathered, purge->keys[i].error, purge->keys[i].code, purge->request_id);
	}
	free(purge->keys);
	stop_sending(gather, set);
	free(set);
	pump(gather);
}

/* -ENOMEM */
static int launch(struct gather *gather, struct set *set)
{
	struct purge_key *keys = calloc(set->count, sizeof(*keys));
	unsigned i = 0;

	if (!keys)
		return -ENOMEM;
	for (const struct gathered *at = set->first; at; at = at->next)
		keys[i++] = (struct purge_key){.key = at->key, .etag = at->etag};
	assert(i == set->count);
	set->purge.account = set->account;
	set->purge.bucket = set->first->bucket;
	set->purge.keys = keys;
	set->purge.count = set->count;
	set->purge.call_flags = CALL_BULK;
	set->purge.on_done = on_purged;
	set->purge.user = set;
	purge_start(gather->worker, &set->purge);
	return 0;
}

static bool may_send(const struct gather *gather, const struct account *account)
{
	unsigned count = 0;

	for (const struct set *set = gather->sending; set; set = set->next)
		count += set->account == account;
	return count < SETS_MAX;
}

/* Takes the first set out of the line that may be sent (may_send); or NULL. */
static struct set *next_in_line(struct gather *gather)
{
	for (struct set **at = &gather->line; *at; at = &(*at)->next) {
		struct set *set = *at;

		if (!may_send(gather, set->account))
			continue;
		*at = set->next;
		if (!*at)
			gather->line_last = at;
		return set;
	}
	return NULL;
}

static void pump(struct gather *gather)
{
	struct set *set;

	while ((set = next_in_line(gather))) {
		set->next = gather->sending;
		gather->sending = set;
		if (launch(gather, set) == 0)
			continue;
		stop_sending(gather, set);
		tell_all(set->first, -ENOMEM);
		free(set);
	}
}

static void send_pile(struct gather *gather, struct pile *pile)
{
	struct gathered *first = pile->first;
	struct set *set = calloc(1, sizeof(*set));
	unsigned count = pile->count;

	*pile = (struct pile){0};
	if (!set) {
		tell_all(first, -ENOMEM);
		return;
	}
	*set = (struct set){.gather = gather, .account = first->account, .first = first, .count = count};
	*gather->line_last = set;
	gather->line_last = &set->next;
	pump(gather);
}

static void delete_queue_send_all(struct gather *gather)
{
	worker_timer_clear(gather->worker, &gather->timer);
	for (unsigned i = 0; i < PILES_MAX; i++) {
		if (gather->piles[i].account)
			send_pile(gather, &gather->piles[i]);
	}
}

static void on_timer(struct timer *timer, struct worker *worker)
{
	struct gather *gather = (struct gather *)((char *)timer - offsetof(struct gather, timer));
	uint64_t now = worker_now_ms(worker);
	bool open = false;

	for (unsigned i = 0; i < PILES_MAX; i++) {
		struct pile *pile = &gather->piles[i];

		if (!pile->account)
			continue;
		if (now - pile->added_ms >= GATHER_IDLE_MS || now - pile->began_ms >= GATHER_AGE_MS)
			send_pile(gather, pile);
		else
			open = true;
	}
	if (open && worker_timer_set(worker, timer, GATHER_IDLE_MS) < 0)
		delete_queue_send_all(gather);
}

/* Returns the bucket's pile, or a free one, or the oldest after it was sent. */
static struct pile *pile_for(struct gather *gather, const struct gathered *gathered)
{
	struct pile *open = NULL, *oldest = &gather->piles[0];

	for (unsigned i = 0; i < PILES_MAX; i++) {
		struct pile *pile = &gather->piles[i];

		if (!pile->account)
			open = pile;
		else if (pile->account == gathered->account && str_eq(pile->bucket, gathered->bucket))
			return pile;
		if (pile->began_ms < oldest->began_ms)
			oldest = pile;
	}
	if (open)
		return open;
	send_pile(gather, oldest);
	return oldest;
}

static void on_added(struct task *task, struct worker *worker)
{
	struct gathered *gathered = (struct gathered *)((char *)task - offsetof(struct gathered, task));
	struct gather *gather = gathered->gather;
	struct pile *pile = pile_for(gather, gathered);
	bool first = !pile->account;

	gathered->next = NULL;
	pile->added_ms = worker_now_ms(worker);
	if (first) {
		pile->account = gathered->account;
		pile->bucket = gathered->bucket;
		pile->last = &pile->first;
		pile->began_ms = pile->added_ms;
	}
	*pile->last = gathered;
	pile->last = &gathered->next;
	if (++pile->count == DELETE_SET_MAX)
		send_pile(gather, pile);
	else if (atomic_load(&gather->stopping) ||
		 (first && gather->timer.index == 0 &&
			 worker_timer_set(worker, &gather->timer, GATHER_IDLE_MS) < 0))
		delete_queue_send_all(gather);
}

static void on_hurry(struct task *task, struct worker *worker)
{
	struct gather *gather = (struct gather *)((char *)task - offsetof(struct gather, hurry));

	atomic_store(&gather->hurrying, false);
	delete_queue_send_all(gather);
}

int gather_new(struct worker *worker, struct gather **ret)
{
	struct gather *gather = calloc(1, sizeof(*gather));

	if (!gather)
		return -ENOMEM;
	gather->worker = worker;
	gather->hurry.run = on_hurry;
	gather->timer.run = on_timer;
	gather->line_last = &gather->line;
	*ret = gather;
	return 0;
}

void gather_free(struct gather *gather)
{
	if (!gather)
		return;
	assert(!gather->line && !gather->sending);
	free(gather);
}

void gather_add(struct gather *gather, struct gathered *gathered)
{
	gathered->gather = gather;
	gathered->task.run = on_added;
	worker_post(gather->worker, &gathered->task);
}

void gather_hurry(struct gather *gather)
{
	/* One task is enough: it runs after all keys that were added so far. */
	if (!atomic_exchange(&gather->hurrying, true))
		worker_post(gather->worker, &gather->hurry);
}

void gather_stop(struct gather *gather)
{
	atomic_store(&gather->stopping, true);
	gather_hurry(gather);
}
