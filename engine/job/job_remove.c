/*
 * Lane: deletes the keys of the pages it was given, each page by one DeleteObjects (purge.h), with any
 * content.
 */
#include "engine/job/job_internal.h"

#include <errno.h>
#include <stdlib.h>
#include "engine/object/purge.h"

struct removal {
	struct purge purge;
	struct purge_key keys[DELETE_SET_MAX];
};

static void job_remove_tell(struct job *job, const struct purge *purge, const struct purge_key *key)
{
	const struct page_entry *entry = key->user;
	struct s3_answer answer;
	struct job_event event = {
		.step = JOB_DELETED,
		.error = key->error,
		.source_key = key->key,
		.entry = entry,
	};
	if (key->error == 0) {
		atomic_fetch_add(&job->deleted, 1);
		job_tell(job, &event);
		return;
	}
	/* Neither done nor failed: the job was stopped before it was asked for. */
	if (key->error == -ECANCELED && atomic_load(&job->stopped))
		return;
	memset(&answer, 0, sizeof(answer));
	answer.status = purge->status;
	memcpy(answer.error.code, key->code, sizeof(key->code));
	memcpy(answer.request_id, purge->request_id, sizeof(answer.request_id));
	event.answer = &answer;
	atomic_fetch_add(&job->failed, 1);
	job_tell(job, &event);
	job_fail(job, &(struct job_failure){
			      .error = key->error,
			      .what = "delete",
			      .key = key->key,
			      .answer = &answer,
		      });
}

static void removal_end(struct job_page *batch)
{
	free(batch->removal);
	batch->removal = NULL;
	batch_back(batch);
}

static void purge_done(struct purge *purge)
{
	struct job_page *batch = purge->user;
	struct lane *lane = batch->lane;
	for (struct job_page **at = &lane->removals; *at; at = &(*at)->next) {
		if (*at == batch) {
			*at = batch->next;
			break;
		}
	}
	for (unsigned i = 0; i < purge->count; i++)
		job_remove_tell(lane->job, purge, &purge->keys[i]);
	removal_end(batch);
}

static void job_remove_fill(struct job *job, struct job_page *batch)
{
	struct purge *purge = &batch->removal->purge;
	purge->keys = batch->removal->keys;
	for (unsigned i = 0; i < batch->page->count; i++) {
		struct page_entry *entry = &batch->page->entries[i];
		if (!tree_wants(job, entry))
			continue;
		purge->keys[purge->count++] = (struct purge_key){.key = entry->key, .user = entry};
	}
}

void tree_remove_add(struct lane *lane, struct job_page *batch)
{
	struct job *job = lane->job;
	if (atomic_load(&job->stopped)) {
		batch_back(batch);
		return;
	}
	batch->removal = calloc(1, sizeof(*batch->removal));
	if (!batch->removal) {
		job_fail(job, &(struct job_failure){
				      .error = -ENOMEM, .what = "delete", .key = job->options.source_prefix});
		batch_back(batch);
		return;
	}
	job_remove_fill(job, batch);
	struct purge *purge = &batch->removal->purge;
	if (purge->count == 0) {
		removal_end(batch);
		return;
	}
	purge->account = job->options.source_account;
	purge->bucket = job->options.source_bucket;
	purge->call_flags = TREE_CALL_FLAGS;
	purge->on_done = purge_done;
	purge->user = batch;
	batch->next = lane->removals;
	lane->removals = batch;
	purge_start(lane->worker, purge);
}

void tree_remove_stop(struct lane *lane)
{
	for (struct job_page *batch = lane->removals; batch; batch = batch->next)
		purge_cancel(&batch->removal->purge);
}
