/*
 * The table: entries in a ring, oldest first.  Each entry is in a chain with the entries that have the same
 * first bits of SHA-256.  Entries are also counted by their size: for most written files this shows, without
 * hashing, that no entry is equal.
 *
 *   text    in a chain, counted   the entry is
 *   NULL    no                    free: never used, or forgotten
 *   else    yes                   an object; bucket, key and ETag lie in text one after another
 *
 * Of the objects with the same bytes only a few are kept, each once: folders full of equal files would push
 * out all others, and walking their chain would cost more than the hashing.  Old versions stay until the ring
 * comes round.
 */
#include "fs/file/recognise.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "fs/file/refused_copies.h"

enum {
	CHAINS = 4096,
	SIZES = 65536, /* a sixteenth of the counters is in use when the table is full */
	ALIKE_MAX = 4, /* entries with the same bytes */
};

struct entry {
	struct account *account; /* referenced */
	char *text; /* owned */
	uint16_t bucket_len, key_len, etag_len;
	uint16_t next; /* in the chain: index + 1; 0: the last */
	uint64_t size;
	unsigned char sha256[RECOGNISE_SHA256];
};

struct recognise {
	pthread_mutex_t lock; /* protects all fields below */
	uint16_t chains[CHAINS]; /* index + 1, latest first */
	uint16_t sizes[SIZES]; /* numbers of entries, by a hash of their size */
	struct entry entries[RECOGNISE_MAX];
	unsigned turn; /* the entry that is replaced next */
	struct refused_copies refused; /* by a lock of its own */
};

struct served {
	struct recognise *table;
	struct recognise_version version; /* texts owned, account referenced */
	pthread_mutex_t lock; /* protects the fields below */
	EVP_MD_CTX *context; /* NULL: hashing is over */
	uint64_t next;
};

int recognise_new(struct recognise **ret)
{
	struct recognise *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	pthread_mutex_init(&table->lock, NULL);
	pthread_mutex_init(&table->refused.lock, NULL);
	*ret = table;
	return 0;
}

static void entry_release(struct entry *entry)
{
	account_unref(entry->account);
	free(entry->text);
	*entry = (struct entry){0};
}

void recognise_free(struct recognise *table)
{
	if (!table)
		return;
	for (unsigned i = 0; i < RECOGNISE_MAX; i++) {
		if (table->entries[i].text)
			entry_release(&table->entries[i]);
	}
	pthread_mutex_destroy(&table->refused.lock);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

/* ---- entries; the lock is held ---- */

static struct str entry_bucket(const struct entry *entry)
{
	return str_n(entry->text, entry->bucket_len);
}

static struct str entry_key(const struct entry *entry)
{
	return str_n(entry->text + entry->bucket_len, entry->key_len);
}

static struct str entry_etag(const struct entry *entry)
{
	return str_n(entry->text + entry->bucket_len + entry->key_len, entry->etag_len);
}

static uint16_t *recognise_chain_of(struct recognise *table, const unsigned char *sha256)
{
	return &table->chains[(sha256[0] << 8 | sha256[1]) % CHAINS];
}

static uint16_t *size_of(struct recognise *table, uint64_t size)
{
	/* Fibonacci hashing: sizes are often multiples of one number. */
	return &table->sizes[(size * 11400714819323198485u) >> 48];
}

static bool is_alike(const struct entry *entry, uint64_t size, const unsigned char *sha256)
{
	return entry->size == size && memcmp(entry->sha256, sha256, RECOGNISE_SHA256) == 0;
}

static struct entry *entry_at(struct recognise *table, uint16_t link)
{
	return link ? &table->entries[link - 1] : NULL;
}

static bool is_object(
	const struct entry *entry, const struct account *account, struct str bucket, struct str key)
{
	return str_eq(entry_key(entry), key) && str_eq(entry_bucket(entry), bucket) &&
	       account_same_service(entry->account, account);
}

/* Takes the entry out of its chain, and frees it. */
static void entry_drop(struct recognise *table, struct entry *entry)
{
	uint16_t *at = recognise_chain_of(table, entry->sha256),
		 self = (uint16_t)(entry - table->entries + 1);

	while (*at != self)
		at = &entry_at(table, *at)->next;
	*at = entry->next;
	--*size_of(table, entry->size);
	entry_release(entry);
}

/* Returns the entry that a new one replaces: the same object's, or the last one if too many have these
 * bytes, or the ring's oldest. */
static struct entry *place_for(
	struct recognise *table, const struct recognise_version *version, const unsigned char *sha256)
{
	unsigned alike = 0;

	for (struct entry *at = entry_at(table, *recognise_chain_of(table, sha256)); at;
		at = entry_at(table, at->next)) {
		if (is_alike(at, version->size, sha256) &&
			(is_object(at, version->account, version->bucket, version->key) ||
				++alike == ALIKE_MAX))
			return at;
	}
	struct entry *oldest = &table->entries[table->turn];

	table->turn = (table->turn + 1) % RECOGNISE_MAX;
	return oldest;
}

static char *join(const struct recognise_version *version)
{
	size_t len = version->bucket.len + version->key.len + version->etag.len;
	char *text = malloc(len ? len : 1);

	if (!text)
		return NULL;
	memcpy(text, version->bucket.data, version->bucket.len);
	memcpy(text + version->bucket.len, version->key.data, version->key.len);
	memcpy(text + version->bucket.len + version->key.len, version->etag.data, version->etag.len);
	return text;
}

void recognise_add(struct recognise *table, const struct recognise_version *version,
	const unsigned char sha256[RECOGNISE_SHA256])
{
	if (version->bucket.len > BUCKET_MAX || version->key.len > KEY_MAX || version->etag.len > ETAG_MAX)
		return;
	char *text = join(version);

	if (!text)
		return;
	pthread_mutex_lock(&table->lock);
	struct entry *entry = place_for(table, version, sha256);

	if (entry->text)
		entry_drop(table, entry);
	uint16_t *chain = recognise_chain_of(table, sha256);

	*entry = (struct entry){
		.account = account_ref(version->account),
		.text = text,
		.bucket_len = (uint16_t)version->bucket.len,
		.key_len = (uint16_t)version->key.len,
		.etag_len = (uint16_t)version->etag.len,
		.next = *chain,
		.size = version->size,
	};
	memcpy(entry->sha256, sha256, RECOGNISE_SHA256);
	*chain = (uint16_t)(entry - table->entries + 1);
	++*size_of(table, version->size);
	pthread_mutex_unlock(&table->lock);
}

bool recognise_perhaps(struct recognise *table, uint64_t size)
{
	pthread_mutex_lock(&table->lock);
	bool perhaps = *size_of(table, size) > 0;

	pthread_mutex_unlock(&table->lock);
	return perhaps;
}

static void copy_text(char *ret, struct str text)
{
	memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
}

bool recognise_find(struct recognise *table, const struct recognise_version *to,
	const unsigned char sha256[RECOGNISE_SHA256], uint64_t now_ms, struct recognised *ret)
{
	bool found = false;

	pthread_mutex_lock(&table->lock);
	for (struct entry *at = entry_at(table, *recognise_chain_of(table, sha256)); at && !found;
		at = entry_at(table, at->next)) {
		const struct refused_pair pair = {to->account, to->account, entry_bucket(at), to->bucket};

		if (!is_alike(at, to->size, sha256) || !account_same_service(at->account, to->account) ||
			is_object(at, to->account, to->bucket, to->key) ||
			refused_copies_has(&table->refused, &pair, now_ms))
			continue;
		ret->account = account_ref(at->account);
		copy_text(ret->bucket, entry_bucket(at));
		copy_text(ret->key, entry_key(at));
		copy_text(ret->etag, entry_etag(at));
		found = true;
	}
	pthread_mutex_unlock(&table->lock);
	return found;
}

void recognise_forget(struct recognise *table, const struct recognised *found)
{
	pthread_mutex_lock(&table->lock);
	for (unsigned i = 0; i < RECOGNISE_MAX; i++) {
		struct entry *entry = &table->entries[i];

		if (entry->text && str_eq(entry_etag(entry), str_of(found->etag)) &&
			is_object(entry, found->account, str_of(found->bucket), str_of(found->key)))
			entry_drop(table, entry);
	}
	pthread_mutex_unlock(&table->lock);
}

void recognise_refused(struct recognise *table, const struct recognised *found,
	const struct recognise_version *to, uint64_t now_ms)
{
	const struct refused_pair pair = {to->account, to->account, str_of(found->bucket), to->bucket};

	refused_copies_add(&table->refused, &pair, now_ms);
}

/* ---- served ---- */

int served_new(struct recognise *table, const struct recognise_version *version, struct served **ret)
{
	if (version->size == 0 || version->etag.len == 0)
		return -EINVAL;
	struct served *served = calloc(1, sizeof(*served));

	if (!served)
		return -ENOMEM;
	pthread_mutex_init(&served->lock, NULL);
	served->table = table;
	served->version.account = account_ref(version->account);
	served->version.size = version->size;
	served->version.bucket = str_n(str_dup(version->bucket), version->bucket.len);
	served->version.key = str_n(str_dup(version->key), version->key.len);
	served->version.etag = str_n(str_dup(version->etag), version->etag.len);
	served->context = EVP_MD_CTX_new();
	if (!served->version.bucket.data || !served->version.key.data || !served->version.etag.data ||
		!served->context || EVP_DigestInit_ex(served->context, EVP_sha256(), NULL) != 1) {
		served_free(served);
		return -ENOMEM;
	}
	*ret = served;
	return 0;
}

void served_free(struct served *served)
{
	if (!served)
		return;
	EVP_MD_CTX_free(served->context);
	account_unref(served->version.account);
	free((char *)(uintptr_t)served->version.bucket.data);
	free((char *)(uintptr_t)served->version.key.data);
	free((char *)(uintptr_t)served->version.etag.data);
	pthread_mutex_destroy(&served->lock);
	free(served);
}

bool served_is_of(const struct served *served, struct str etag, uint64_t size)
{
	return served->version.size == size && str_eq(served->version.etag, etag);
}

void served_lock(struct served *served)
{
	pthread_mutex_lock(&served->lock);
}

void served_unlock(struct served *served)
{
	pthread_mutex_unlock(&served->lock);
}

uint64_t served_next(const struct served *served)
{
	return served->context ? served->next : UINT64_MAX;
}

static void served_over(struct served *served)
{
	EVP_MD_CTX_free(served->context);
	served->context = NULL;
}

void served_take(struct served *served, const char *data, size_t len)
{
	unsigned char sha256[RECOGNISE_SHA256];

	if (!served->context)
		return;
	if (len > served->version.size - served->next || EVP_DigestUpdate(served->context, data, len) != 1) {
		served_over(served);
		return;
	}
	served->next += len;
	if (served->next < served->version.size)
		return;
	if (EVP_DigestFinal_ex(served->context, sha256, NULL) == 1)
		recognise_add(served->table, &served->version, sha256);
	served_over(served);
}
