/*
 * Facts learnt of a service while working with it: regions of buckets, its clock, and which conditions it
 * enforces.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "engine/account/account_internal.h"

/* Under region_lock; NULL when nothing was learnt of the bucket. */
static struct account_region_entry *find_region(struct account *account, struct str bucket)
{
	for (unsigned i = 0; i < account->region_count; i++) {
		if (str_eq(str_of(account->regions[i].bucket), bucket))
			return &account->regions[i];
	}
	return NULL;
}

void account_region(struct account *account, struct str bucket, char *ret)
{
	const struct account_region_entry *entry;

	/* Nearly always nothing was ever learnt, and no lock is needed to know that. */
	if (atomic_load_explicit(&account->region_generation, memory_order_acquire) == 0 || !bucket.data) {
		strcpy(ret, account->region);
		return;
	}
	pthread_mutex_lock(&account->region_lock);
	entry = find_region(account, bucket);
	strcpy(ret, entry ? entry->region : account->region);
	pthread_mutex_unlock(&account->region_lock);
}

/* Under region_lock: a place for one more bucket. */
static struct account_region_entry *add_region(struct account *account, struct str bucket)
{
	char *name = str_dup(bucket);
	struct account_region_entry *entry;

	if (!name)
		return NULL;
	if (account->region_count < ACCOUNT_REGIONS_MAX) {
		entry = &account->regions[account->region_count++];
	} else {
		entry = &account->regions[account->region_next];
		account->region_next = (account->region_next + 1) % ACCOUNT_REGIONS_MAX;
		free(entry->bucket);
	}
	entry->bucket = name;
	return entry;
}

void account_learn_region(struct account *account, struct str bucket, struct str region)
{
	struct account_region_entry *entry;

	if (!bucket.data || region.len == 0 || region.len > REGION_MAX)
		return;
	/* The region becomes part of a host name. */
	for (size_t i = 0; i < region.len; i++) {
		char c = region.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_'))
			return;
	}
	pthread_mutex_lock(&account->region_lock);
	entry = find_region(account, bucket);
	if (!entry)
		entry = add_region(account, bucket);
	if (entry) {
		memcpy(entry->region, region.data, region.len);
		entry->region[region.len] = '\0';
		atomic_fetch_add_explicit(&account->region_generation, 1, memory_order_release);
	}
	pthread_mutex_unlock(&account->region_lock);
}

int64_t account_clock_offset(const struct account *account)
{
	return atomic_load_explicit(&account->clock_offset, memory_order_relaxed);
}

void account_learn_clock(struct account *account, int64_t server_now)
{
	atomic_store_explicit(&account->clock_offset, server_now - (int64_t)time(NULL), memory_order_relaxed);
}

int64_t account_server_now(const struct account *account)
{
	bool seen = atomic_load_explicit(&account->date_seen, memory_order_acquire);

	return (int64_t)time(NULL) + (seen ? atomic_load_explicit(&account->date_offset, memory_order_relaxed)
					   : account_clock_offset(account));
}

void account_see_date(struct account *account, int64_t date, bool quick)
{
	int64_t ahead = date - (int64_t)time(NULL),
		before = account_server_now(account) - (int64_t)time(NULL);
	bool seen = atomic_load_explicit(&account->date_seen, memory_order_acquire);

	/* A second either way is rounding. */
	if (seen && (ahead == before || ahead == before - 1 || (ahead < before && !quick)))
		return;
	atomic_store_explicit(&account->date_offset, ahead, memory_order_relaxed);
	atomic_store_explicit(&account->date_seen, true, memory_order_release);
}

enum account_answer account_trait(const struct account *account, enum account_trait trait)
{
	return (enum account_answer)atomic_load_explicit(&account->traits[trait], memory_order_relaxed);
}

void account_learn(struct account *account, enum account_trait trait, bool yes)
{
	atomic_store_explicit(&account->traits[trait], yes ? TRAIT_YES : TRAIT_NO, memory_order_relaxed);
}
