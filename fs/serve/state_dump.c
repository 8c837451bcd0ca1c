#include "fs/serve/state_dump.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "engine/wire/stats.h"
#include "fs/core/place.h"
#include "fs/file/draft_internal.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/core/node_table.h"
#include "s3/escape.h"

enum { SHOWN_MAX = 16 }; /* drafts by name */

struct dump_shown {
	struct place place;
	enum draft_content content;
	enum draft_activity activity;
	bool dirty, waited;
	unsigned io;
	int error;
	uint64_t size;
};

struct dump_state {
	unsigned long nodes[NODE_FILE + 1], gone, local, looked_up;
	unsigned long drafts, dirty, loading, storing;
	unsigned long handles, writers;
	unsigned held, dirs;
	uint64_t parked_bytes;
	unsigned shown;
	struct dump_shown drafts_shown[SHOWN_MAX];
};

static void take_draft(struct dump_state *state, const struct node *node)
{
	const struct draft *draft = node->draft;

	state->drafts++;
	state->dirty += draft->dirty;
	state->loading += draft->activity == DRAFT_LOADING;
	state->storing += draft->activity == DRAFT_STORING;
	if (state->shown == SHOWN_MAX)
		return;
	struct dump_shown *shown = &state->drafts_shown[state->shown];

	*shown = (struct dump_shown){
		.content = draft->content,
		.activity = draft->activity,
		.dirty = draft->dirty,
		.waited = draft->first != NULL,
		.io = draft->io,
		.error = draft->error,
		.size = draft->size,
	};
	if (node_place(node, &shown->place) == 0)
		state->shown++;
}

/* hub.lock held: only looks. */
static void state_dump_take(const struct hub *hub, struct dump_state *state)
{
	const struct node_table *table = &hub->nodes->by_ino;

	for (size_t slot = 0; slot < table->size; slot++) {
		for (const struct node *node = table->slots[slot]; node; node = node->ino_next) {
			state->nodes[node->kind]++;
			state->gone += node->gone;
			state->local += node->local;
			state->looked_up += node->lookups > 0;
			if (node->draft)
				take_draft(state, node);
		}
	}
	for (unsigned slot = 0; hub->files && slot < HANDLE_SLOTS; slot++) {
		for (const struct handle *handle = hub->files->slots[slot]; handle; handle = handle->next) {
			state->handles++;
			state->writers += handle->writes;
		}
	}
	state->held = hub->dirs.held;
	state->dirs = hub->early ? hub->early->dir_count : 0;
	state->parked_bytes = hub->files ? hub->files->parked_bytes : 0;
}

static void say_draft(const struct dump_shown *shown)
{
	static const char *const contents[] = {"empty", "copy", "object", "data"};
	static const char *const activities[] = {"idle", "loading", "storing"};
	struct buf name;

	buf_init(&name, LOG_LINE_MAX / 2);
	escape_text(&name, place_bucket(&shown->place));
	buf_add_char(&name, '/');
	escape_text(&name, place_key(&shown->place));
	log_text(LOG_LEVEL_WARNING,
		"state: draft of %s: %s, %s, %s%s, %" PRIu64 " bytes, %u at its file, error %d",
		buf_text(&name), contents[shown->content], activities[shown->activity],
		shown->dirty ? "dirty" : "clean", shown->waited ? ", waited for" : "", shown->size, shown->io,
		-shown->error);
	buf_release(&name);
}

static void say_engine(struct engine *engine)
{
	struct stats stats;
	uint64_t requests = 0;

	engine_stats(engine, &stats);
	for (unsigned op = 0; op < S3_OP_COUNT; op++)
		requests += stats.requests[op];
	log_text(LOG_LEVEL_WARNING,
		"state: engine: %u active, %u queued, %u waiting, window %u of %u; %" PRIu64
		" requests sent, %" PRIu64 " failed, %" PRIu64 " tried again, %" PRIu64
		" slowed down, %" PRIu64 " timed out, %" PRIu64 " connections; bytes of objects: %" PRIu64
		" in, %" PRIu64 " out",
		stats.active, stats.queued, stats.waiting, stats.window, stats.window_max, requests,
		stats.failed, stats.retried, stats.slowed, stats.timeouts, stats.connections,
		stats.object_bytes_in, stats.object_bytes_out);
}

static void say_hub(struct hub *hub, const struct dump_state *state)
{
	unsigned processes = 0, promised = 0;

	if (hub->early)
		batches_count(hub->early->batches, &processes, &promised);
	log_text(LOG_LEVEL_WARNING,
		"state: nodes: %lu buckets, %lu directories, %lu files, %lu gone, %lu only here, %lu known "
		"to the kernel, %lu asked back from it, %u held by directories",
		state->nodes[NODE_BUCKET], state->nodes[NODE_DIR], state->nodes[NODE_FILE], state->gone,
		state->local, state->looked_up, atomic_load(&hub->pruned), state->held);
	log_text(LOG_LEVEL_WARNING, "state: handles: %lu, %lu of them write, %" PRIu64 " bytes parked",
		state->handles, state->writers, state->parked_bytes);
	log_text(LOG_LEVEL_WARNING, "state: claims: %u; parked requests and work: %u; stopping: %s",
		claims_count(hub->claims), atomic_load(&hub->parked),
		atomic_load(&hub->stopping) ? "yes" : "no");
	log_text(LOG_LEVEL_WARNING, "state: batches: %u processes, %u promised, %u directories", processes,
		promised, state->dirs);
	log_text(LOG_LEVEL_WARNING, "state: drafts: %lu, %lu dirty, %lu loading, %lu storing", state->drafts,
		state->dirty, state->loading, state->storing);
}

void state_dump(struct hub *hub)
{
	struct dump_state *state = calloc(1, sizeof(*state));

	if (!state) {
		log_text(LOG_LEVEL_ERROR, "state: out of memory");
		return;
	}
	hub_lock(hub);
	state_dump_take(hub, state);
	hub_unlock(hub);
	say_hub(hub, state);
	for (unsigned i = 0; i < state->shown; i++)
		say_draft(&state->drafts_shown[i]);
	say_engine(hub->engine);
	log_text(LOG_LEVEL_WARNING, "state: end");
	free(state);
}
