#include "fs/file/upkeep.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/account/account_name.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/file/draft_internal.h"
#include "fs/file/handle.h"

enum { TICK_MS = 1000, TICK_LEAST_MS = 50 };

struct record {
	struct record *next;
	struct staged *staged;
};

struct upkeep {
	struct hub *hub;
	pthread_t thread;
	pthread_mutex_t lock; /* a leaf: held inside hub.lock or alone */
	pthread_cond_t news;
	bool running; /* main thread only */
	bool awake, ending; /* protected by lock */
	atomic_uint stores; /* under way */
	/* used by the thread; after its end, by the thread that ended it */
	struct record *records;
};

/* ---- when ---- */

uint64_t upkeep_due(const struct draft *draft, uint64_t flush_after_ms, bool only_appends)
{
	bool emptied = draft->content == DRAFT_EMPTY && draft->existed;

	if (!draft_dirty(draft) || flush_after_ms == 0 || emptied || draft->conflict)
		return UINT64_MAX;
	uint64_t quiet = draft->changed_ms + flush_after_ms, oldest = flush_after_ms * UPKEEP_OLDEST;

	if (only_appends && draft->size <= UPKEEP_SMALL) {
		unsigned doubled = draft->rounds > 1 ? draft->rounds - 1 : 0;
		uint64_t soon = (flush_after_ms / 10) << (doubled < 4 ? doubled : 4);

		oldest = soon < flush_after_ms ? soon : flush_after_ms;
	}
	uint64_t due = draft->dirty_ms + oldest;

	if (quiet < due)
		due = quiet;
	uint64_t pace = draft->rounds == 0 ? 0 : draft->took_ms * UPKEEP_PACE;

	if (draft->error < 0 && pace < flush_after_ms * UPKEEP_PACE)
		pace = flush_after_ms * UPKEEP_PACE;
	return draft->rounds > 0 && due < draft->tried_ms + pace ? draft->tried_ms + pace : due;
}

/* ---- stores ---- */

struct background {
	struct draft_flush flush;
	struct hub *hub;
	struct node *node; /* referenced */
	uint64_t began_ms;
};

static void upkeep_on_stored(struct draft_flush *flush, int error)
{
	struct background *background = flush->user;
	struct hub *hub = background->hub;

	hub_lock(hub);
	struct draft *draft = background->node->draft;

	if (draft) {
		draft->upkeep = false;
		draft->tried_ms = clock_ms();
		draft->took_ms = draft->tried_ms - background->began_ms;
		draft->rounds++;
	}
	node_unref(hub->nodes, background->node);
	hub_unlock(hub);
	atomic_fetch_sub(&hub->upkeep->stores, 1);
	free(background);
	hub_unpark(hub);
}

static void upkeep_store(struct upkeep *upkeep, struct node *node)
{
	struct background *background = calloc(1, sizeof(*background));
	struct hub *hub = upkeep->hub;

	if (!background)
		return;
	background->hub = hub;
	background->flush = (struct draft_flush){.done = upkeep_on_stored, .user = background};
	background->began_ms = clock_ms();
	hub_lock(hub);
	bool wanted = node->draft && draft_dirty(node->draft);

	if (wanted) {
		background->node = node_ref(node);
		node->draft->upkeep = true;
	}
	hub_unlock(hub);
	if (!wanted) {
		free(background);
		return;
	}
	atomic_fetch_add(&upkeep->stores, 1);
	hub_park(hub);
	draft_flush(hub, node, &background->flush);
}

/* ---- names ---- */

/* The content of the record; texts are owned. */
struct says {
	struct place place;
	struct buf service;
	struct headers headers;
	char base[ETAG_MAX + 1];
	bool fresh;
};

static struct staged_what what_of(struct says *says)
{
	return (struct staged_what){
		.service = buf_text(&says->service),
		.bucket = says->place.bucket,
		.key = says->place.key,
		.base = says->base,
		.fresh = says->fresh,
		.headers = &says->headers,
		.part_size = says->place.view->part_size,
		.part_threshold = says->place.view->part_threshold,
	};
}

/* hub.lock held; -errno. */
static int upkeep_look(const struct node *node, struct says *says)
{
	const struct draft *draft = node->draft;
	const char *base = draft->base[0]		    ? draft->base
			   : draft->ours && node->attr.etag ? node->attr.etag
							    : "";
	struct store_attrs *attrs = NULL;
	int error = node_place(node, &says->place);

	if (error == 0)
		error = account_service_name(says->place.account, &says->service);
	if (error == 0 && draft->keeps)
		error = headers_add_all(&says->headers, &draft->kept);
	if (error == 0)
		error = draft_store_attrs(node, &attrs);
	if (error == 0)
		error = draft_upload_headers(&says->headers, &says->place, draft->keeps, attrs);
	free(attrs);
	snprintf(says->base, sizeof(says->base), "%s", base);
	says->fresh = !draft->existed;
	return error;
}

static void keep_record(struct upkeep *upkeep, struct record *record, struct staged *staged)
{
	record->staged = staged;
	record->next = upkeep->records;
	upkeep->records = record;
}

/* Gives the descriptor a name; the draft keeps the descriptor meanwhile. */
static struct staged *name_it(struct upkeep *upkeep, int fd, struct says *says)
{
	struct hub *hub = upkeep->hub;
	struct record *record = malloc(sizeof(*record));
	const struct staged_what what = what_of(says);
	struct staged *staged = NULL;
	int error = record ? staged_new(hub->journal, hub->staging_dir, fd, &what, &staged) : -ENOMEM;

	if (error == 0) {
		keep_record(upkeep, record, staged);
		return staged;
	}
	free(record);
	if (log_once("name", STR(""), STR("")))
		log_text(LOG_LEVEL_WARNING,
			"what is written and not stored yet would not survive this daemon: staging in %s: %s",
			hub->staging_dir, strerror(-error));
	return NULL;
}

static void says_release(struct says *says)
{
	buf_release(&says->service);
	headers_release(&says->headers);
	free(says);
}

static struct says *says_new(void)
{
	struct says *says = calloc(1, sizeof(*says));

	if (!says)
		return NULL;
	buf_init(&says->service, 4096);
	headers_init(&says->headers);
	return says;
}

/* Gives the draft's file a name, or updates its record. */
static void file_upkeep_name(struct upkeep *upkeep, struct node *node)
{
	struct hub *hub = upkeep->hub;
	struct says *says = hub->journal ? says_new() : NULL;
	int fd = -1;

	if (!says)
		return;
	hub_lock(hub);
	struct draft *draft = node->draft;
	struct staged *staged = draft ? draft->staged : NULL;

	if (draft && draft_dirty(draft) && draft->content == DRAFT_DATA && upkeep_look(node, says) == 0)
		fd = draft_read_begin(draft);
	if (fd >= 0 && staged)
		staged_rest(staged, false);
	hub_unlock(hub);
	if (fd >= 0 && !staged)
		staged = name_it(upkeep, fd, says);
	else if (fd >= 0) {
		const struct staged_what what = what_of(says);

		staged_change(hub->journal, staged, &what);
	}
	if (fd >= 0) {
		hub_lock(hub);
		if (staged && !node->draft->disowned)
			node->draft->staged = staged;
		else if (staged)
			staged_drop(staged);
		hub_unlock(hub);
		draft_edit_end(hub, node, &(struct draft_change){.changed = false});
	}
	says_release(says);
}

/* Removes files that are no longer needed, and updates records that are no longer true. */
static void upkeep_clear(struct upkeep *upkeep)
{
	for (struct record **at = &upkeep->records, *record; (record = *at);) {
		if (!staged_dropped(record->staged)) {
			staged_follow(upkeep->hub->journal, record->staged);
			at = &record->next;
			continue;
		}
		*at = record->next;
		staged_remove(upkeep->hub->journal, record->staged);
		free(record);
	}
}

/* ---- the thread ---- */

struct wants {
	bool store, name;
	uint64_t due;
};

/* hub.lock held. */
static struct wants wants_of(struct upkeep *upkeep, struct node *node, uint64_t now)
{
	const struct draft *draft = node->draft;
	const struct view *view = node_view(node);
	struct wants wants = {.due = UINT64_MAX};

	if (!draft || !view)
		return wants;
	if (!draft->upkeep)
		wants.due = upkeep_due(draft, view->flush_after_ms, handle_only_appends(upkeep->hub, node));
	wants.store = wants.due <= now && atomic_load(&upkeep->stores) < UPKEEP_STORES_MAX;
	wants.name =
		draft->content == DRAFT_DATA && draft_dirty(draft) && now >= draft->dirty_ms + UPKEEP_NAME_MS;
	return wants;
}

/* Returns the time until the next round, in milliseconds. */
static uint64_t upkeep_one_round(struct upkeep *upkeep)
{
	struct hub *hub = upkeep->hub;
	struct node **nodes = NULL;
	size_t count = 0;
	uint64_t next = TICK_MS, now = clock_ms();

	hub_lock(hub);
	if (handle_dirty_nodes(hub, &nodes, &count) < 0)
		count = 0;
	hub_unlock(hub);
	for (size_t i = 0; i < count; i++) {
		hub_lock(hub);
		const struct wants wants = wants_of(upkeep, nodes[i], now);

		hub_unlock(hub);
		if (wants.name)
			file_upkeep_name(upkeep, nodes[i]);
		if (wants.store)
			upkeep_store(upkeep, nodes[i]);
		else if (wants.due > now && wants.due - now < next)
			next = wants.due - now;
	}
	hub_lock(hub);
	for (size_t i = 0; i < count; i++)
		node_unref(hub->nodes, nodes[i]);
	hub_unlock(hub);
	free(nodes);
	upkeep_clear(upkeep);
	return next > TICK_LEAST_MS ? next : TICK_LEAST_MS;
}

/* No file is open for writing, and no record is left: the thread sleeps until a file is opened for
 * writing. */
static bool is_idle(struct upkeep *upkeep)
{
	hub_lock(upkeep->hub);
	bool idle = upkeep->hub->files->writers == 0 && !upkeep->records;

	hub_unlock(upkeep->hub);
	return idle;
}

static void sleep_ms(struct upkeep *upkeep, uint64_t ms)
{
	struct timespec until = clock_deadline(ms);

	while (!upkeep->ending && pthread_cond_timedwait(&upkeep->news, &upkeep->lock, &until) == 0)
		;
}

static void *upkeep_run(void *user)
{
	struct upkeep *upkeep = user;

	pthread_mutex_lock(&upkeep->lock);
	while (!upkeep->ending) {
		upkeep->awake = false;
		pthread_mutex_unlock(&upkeep->lock);
		uint64_t ms = upkeep_one_round(upkeep);
		bool idle = is_idle(upkeep);

		pthread_mutex_lock(&upkeep->lock);
		while (idle && !upkeep->awake && !upkeep->ending)
			pthread_cond_wait(&upkeep->news, &upkeep->lock);
		sleep_ms(upkeep, ms);
	}
	pthread_mutex_unlock(&upkeep->lock);
	return NULL;
}

static void upkeep_on_writer(struct hub *hub)
{
	struct upkeep *upkeep = hub->upkeep;

	pthread_mutex_lock(&upkeep->lock);
	upkeep->awake = true;
	pthread_cond_signal(&upkeep->news);
	pthread_mutex_unlock(&upkeep->lock);
}

int upkeep_start(struct hub *hub)
{
	struct upkeep *upkeep = calloc(1, sizeof(*upkeep));

	if (!upkeep)
		return -ENOMEM;
	upkeep->hub = hub;
	pthread_mutex_init(&upkeep->lock, NULL);
	clock_cond_init(&upkeep->news);
	hub_lock(hub);
	hub->upkeep = upkeep;
	hub->files->on_writer = upkeep_on_writer;
	hub_unlock(hub);
	int error = pthread_create(&upkeep->thread, NULL, upkeep_run, upkeep);

	upkeep->running = error == 0;
	return -error;
}

void upkeep_stop(struct upkeep *upkeep)
{
	if (!upkeep || !upkeep->running)
		return;
	pthread_mutex_lock(&upkeep->lock);
	upkeep->ending = true;
	pthread_cond_signal(&upkeep->news);
	pthread_mutex_unlock(&upkeep->lock);
	pthread_join(upkeep->thread, NULL);
	upkeep->running = false;
}

bool upkeep_name(struct hub *hub, struct node *node)
{
	if (!hub->upkeep)
		return false;
	file_upkeep_name(hub->upkeep, node);
	hub_lock(hub);
	bool named = node->draft && node->draft->staged;

	hub_unlock(hub);
	return named;
}

void upkeep_free(struct hub *hub)
{
	struct upkeep *upkeep = hub->upkeep;

	if (!upkeep)
		return;
	upkeep_stop(upkeep);
	hub->upkeep = NULL;
	upkeep_clear(upkeep);
	for (struct record *record = upkeep->records, *next; record; record = next) {
		next = record->next;
		staged_leave(record->staged);
		free(record);
	}
	pthread_cond_destroy(&upkeep->news);
	pthread_mutex_destroy(&upkeep->lock);
	free(upkeep);
}
