#include "fs/file/refused_copies.h"

/* Lock held. */
static bool refused_copies_find(
	const struct refused_copies *table, const struct refused_pair *pair, uint64_t now_ms)
{
	for (unsigned i = 0; i < REFUSED_COPIES_MAX; i++) {
		const struct refused_copy *copy = &table->copies[i];

		if (now_ms < copy->until_ms && copy->from == pair->from && copy->to == pair->to &&
			str_eq(str_of(copy->from_bucket), pair->from_bucket) &&
			str_eq(str_of(copy->to_bucket), pair->to_bucket))
			return true;
	}
	return false;
}

bool refused_copies_has(struct refused_copies *table, const struct refused_pair *pair, uint64_t now_ms)
{
	pthread_mutex_lock(&table->lock);
	bool found = refused_copies_find(table, pair, now_ms);

	pthread_mutex_unlock(&table->lock);
	return found;
}

bool refused_copies_add(struct refused_copies *table, const struct refused_pair *pair, uint64_t now_ms)
{
	bool fits = pair->from_bucket.len <= BUCKET_MAX && pair->to_bucket.len <= BUCKET_MAX;

	pthread_mutex_lock(&table->lock);
	bool news = fits && !refused_copies_find(table, pair, now_ms);

	if (news) {
		struct refused_copy *copy = &table->copies[table->turn];

		table->turn = (table->turn + 1) % REFUSED_COPIES_MAX;
		*copy = (struct refused_copy){
			.from = pair->from, .to = pair->to, .until_ms = now_ms + REFUSED_COPIES_MS};
		memcpy(copy->from_bucket, pair->from_bucket.data, pair->from_bucket.len);
		memcpy(copy->to_bucket, pair->to_bucket.data, pair->to_bucket.len);
	}
	pthread_mutex_unlock(&table->lock);
	return news;
}
