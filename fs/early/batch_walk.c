/* The position of the process: calls fs/early/walk.h under the batches' lock. */
#include "fs/early/batch_mounts.h"

uint64_t batch_opened(struct batch *batch, uint64_t directory, uint64_t parent)
{
	pthread_mutex_lock(&batch->batches->lock);
	uint64_t id = visit_opened(&batch->visits, directory, parent);

	pthread_mutex_unlock(&batch->batches->lock);
	return id;
}

void batch_told(struct batch *batch, uint64_t id, uint64_t highest)
{
	pthread_mutex_lock(&batch->batches->lock);
	visit_told(&batch->visits, id, highest);
	pthread_mutex_unlock(&batch->batches->lock);
}

void batch_rewound(struct batch *batch, uint64_t id)
{
	pthread_mutex_lock(&batch->batches->lock);
	visit_rewound(&batch->visits, id);
	pthread_mutex_unlock(&batch->batches->lock);
}

bool batch_listed(struct batch *batch, uint64_t id)
{
	bool clear = batch_is_clear(batch);

	pthread_mutex_lock(&batch->batches->lock);
	bool more = visit_listed(&batch->visits, id);

	pthread_mutex_unlock(&batch->batches->lock);
	return more && clear;
}

void batch_entry(struct batch *batch, uint64_t directory, uint64_t entry)
{
	pthread_mutex_lock(&batch->batches->lock);
	visit_entry(&batch->visits, directory, entry);
	pthread_mutex_unlock(&batch->batches->lock);
}

bool batch_more(struct batch *batch, uint64_t directory, uint64_t entry)
{
	bool clear = batch_is_clear(batch);

	pthread_mutex_lock(&batch->batches->lock);
	bool more = visit_more(&batch->visits, directory, entry);

	pthread_mutex_unlock(&batch->batches->lock);
	return more && clear;
}

bool batch_coming(struct batch *batch)
{
	bool clear = batch_is_clear(batch);

	pthread_mutex_lock(&batch->batches->lock);
	bool coming = visit_coming(&batch->visits);

	pthread_mutex_unlock(&batch->batches->lock);
	return coming && clear;
}

bool batch_passes(struct batch *batch, uint64_t directory, uint64_t entry)
{
	bool clear = batch_is_clear(batch);

	pthread_mutex_lock(&batch->batches->lock);
	bool passes = visit_passes(&batch->visits, directory, entry);

	pthread_mutex_unlock(&batch->batches->lock);
	return passes && clear;
}

void batch_lands(struct batch *batch, uint64_t directory)
{
	pthread_mutex_lock(&batch->batches->lock);
	visit_lands(&batch->visits, directory);
	pthread_mutex_unlock(&batch->batches->lock);
}

bool batch_has(struct batch *batch, uint64_t directory)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool has = visit_has(&batch->visits, directory);

	pthread_mutex_unlock(&batch->batches->lock);
	return has;
}

void batch_asks(struct batch *batch)
{
	pthread_mutex_lock(&batch->batches->lock);
	batch->asks = true;
	pthread_mutex_unlock(&batch->batches->lock);
}

bool batch_inside(struct batch *batch, uint64_t directory)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool inside = !batch->asks && visit_inside(&batch->visits, directory);

	pthread_mutex_unlock(&batch->batches->lock);
	return inside;
}

bool batch_removing(struct batch *batch, uint64_t directory, uint64_t entry)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool more = visit_removing(&batch->visits, directory, entry) && !batch->asks;

	pthread_mutex_unlock(&batch->batches->lock);
	return more;
}

void batch_left(struct batch *batch, uint64_t directory)
{
	pthread_mutex_lock(&batch->batches->lock);
	visit_left(&batch->visits, directory);
	pthread_mutex_unlock(&batch->batches->lock);
}

bool batches_ahead(struct batches *batches, uint64_t directory, uint64_t entry)
{
	bool ahead = false;

	pthread_mutex_lock(&batches->lock);
	for (unsigned slot = 0; slot < BATCH_SLOTS && batches->count > 0 && !ahead; slot++) {
		for (const struct batch *batch = batches->slots[slot]; batch && !ahead; batch = batch->next)
			ahead = visit_ahead(&batch->visits, directory, entry);
	}
	pthread_mutex_unlock(&batches->lock);
	return ahead;
}

bool batches_visit(struct batches *batches, uint64_t directory, const struct batch *except)
{
	bool visits = false;

	pthread_mutex_lock(&batches->lock);
	for (unsigned slot = 0; slot < BATCH_SLOTS && batches->count > 1 && !visits; slot++) {
		for (const struct batch *batch = batches->slots[slot]; batch && !visits; batch = batch->next)
			visits = batch != except && visit_has(&batch->visits, directory);
	}
	pthread_mutex_unlock(&batches->lock);
	return visits;
}
