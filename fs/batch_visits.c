/* Where the process is: fs/visit.h under the batches' lock. */
#include "fs/batch_inside.h"

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
	pthread_mutex_lock(&batch->batches->lock);
	bool more = visit_listed(&batch->visits, id);

	pthread_mutex_unlock(&batch->batches->lock);
	return more;
}

void batch_entry(struct batch *batch, uint64_t directory, uint64_t entry)
{
	pthread_mutex_lock(&batch->batches->lock);
	visit_entry(&batch->visits, directory, entry);
	pthread_mutex_unlock(&batch->batches->lock);
}

bool batch_more(struct batch *batch, uint64_t directory, uint64_t entry)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool more = visit_more(&batch->visits, directory, entry);

	pthread_mutex_unlock(&batch->batches->lock);
	return more;
}

bool batch_inside(struct batch *batch, uint64_t directory)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool inside = visit_inside(&batch->visits, directory);

	pthread_mutex_unlock(&batch->batches->lock);
	return inside;
}

bool batch_removing(struct batch *batch, uint64_t directory, uint64_t entry)
{
	pthread_mutex_lock(&batch->batches->lock);
	bool more = visit_removing(&batch->visits, directory, entry);

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
