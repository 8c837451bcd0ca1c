/*
 * A ring of notes and one thread that sends them.  It holds no lock while it is in the kernel: inval_entry
 * waits for the directory's lock, which a parked request may hold (measured).
 *
 * When the ring is full its oldest note is merged: its directory goes on the list of those that are lost, and
 * all names in it that the kernel knows are told to be forgotten.  Past LOST_MAX such directories a note is
 * dropped and said so once; the kernel then believes what it has until the view's cache_ttl is over.
 */
#include "fs/core/notify.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/log.h"

enum {
	NOTES_MAX = 16384,
	LOST_MAX = 256,
	LOST_BATCH = 64, /* names taken under the lock at once */
	LOST_RESTARTS = 4, /* when a directory changes under the walk */
};

struct notice {
	uint64_t ino; /* the directory, or the inode itself */
	char *name; /* owned; NULL: an inode */
	size_t len;
};

struct notifier {
	struct hub *hub;
	void (*send)(struct hub *hub, uint64_t ino, struct str name);
	pthread_t thread;
	pthread_mutex_t lock; /* all below; a leaf */
	pthread_cond_t wake;
	struct notice notes[NOTES_MAX];
	unsigned first, count;
	uint64_t lost[LOST_MAX];
	unsigned lost_count;
	bool stop, stopped, dropped;
};

static void notify_lose(struct notifier *notifier, uint64_t directory)
{
	for (unsigned i = 0; i < notifier->lost_count; i++) {
		if (notifier->lost[i] == directory)
			return;
	}
	if (notifier->lost_count < LOST_MAX)
		notifier->lost[notifier->lost_count++] = directory;
	else
		notifier->dropped = true;
}

static struct notice pop(struct notifier *notifier)
{
	struct notice note = notifier->notes[notifier->first];

	notifier->first = (notifier->first + 1) % NOTES_MAX;
	notifier->count--;
	return note;
}

/* Takes name. */
static void notify_push(struct notifier *notifier, uint64_t ino, char *name, size_t len)
{
	if (notifier->count == NOTES_MAX) {
		struct notice oldest = pop(notifier);

		/* An inode's lost attributes end by their time-out: only names are merged. */
		if (oldest.name)
			notify_lose(notifier, oldest.ino);
		else
			notifier->dropped = true;
		free(oldest.name);
	}
	unsigned at = (notifier->first + notifier->count++) % NOTES_MAX;

	notifier->notes[at] = (struct notice){.ino = ino, .name = name, .len = len};
	if (notifier->count == 1)
		pthread_cond_signal(&notifier->wake);
}

/* Is it the newest note already? */
static bool is_newest(const struct notifier *notifier, uint64_t ino, struct str name)
{
	if (notifier->count == 0)
		return false;
	const struct notice *newest = &notifier->notes[(notifier->first + notifier->count - 1) % NOTES_MAX];

	return newest->ino == ino && !newest->name == !name.data &&
	       (!name.data || str_eq(str_n(newest->name, newest->len), name));
}

static void notify(struct hub *hub, uint64_t ino, struct str name)
{
	struct notifier *notifier = hub->notifier;

	if (!notifier)
		return;
	pthread_mutex_lock(&notifier->lock);
	if (!notifier->stop && !is_newest(notifier, ino, name)) {
		char *copy = name.data ? str_dup(name) : NULL;

		if (name.data && !copy) {
			notify_lose(notifier, ino);
			pthread_cond_signal(&notifier->wake);
		} else {
			notify_push(notifier, ino, copy, name.len);
		}
	}
	pthread_mutex_unlock(&notifier->lock);
}

void notify_entry(struct hub *hub, uint64_t parent, struct str name)
{
	notify(hub, parent, name);
}

void notify_inode(struct hub *hub, uint64_t ino)
{
	notify(hub, ino, STR_NONE);
}

/* Names of a directory that the kernel knows, from `cursor` on (NULL: the first); cursor's ref is taken, and
 * the next one's given.  False when the cursor is no longer in the directory. */
static bool lost_batch(
	struct hub *hub, uint64_t directory, struct node **cursor, struct notice *batch, unsigned *ret_count)
{
	struct node *at = *cursor;
	unsigned count = 0;
	bool ok = true;

	hub_lock(hub);
	struct node *parent = nodes_find(hub->nodes, directory);

	if (at) {
		ok = parent && !at->gone && at->parent == parent;
		struct node *held = at;

		if (!ok)
			at = NULL;
		else
			node_ref(at);
		node_unref(hub->nodes, held);
	} else if (parent && parent->children) {
		at = node_ref(parent->children);
	}
	struct node *start = at;

	for (; at && count < LOST_BATCH; at = at->child_next) {
		char *name = at->lookups ? str_dup(str_n(at->name, at->name_len)) : NULL;

		if (name)
			batch[count++] = (struct notice){.ino = directory, .name = name, .len = at->name_len};
	}
	*cursor = at ? node_ref(at) : NULL;
	if (start)
		node_unref(hub->nodes, start);
	hub_unlock(hub);
	*ret_count = count;
	return ok;
}

static bool is_stopping(struct notifier *notifier)
{
	pthread_mutex_lock(&notifier->lock);
	bool stop = notifier->stop;

	pthread_mutex_unlock(&notifier->lock);
	return stop;
}

/* Errors say that the kernel does not know the name or that the connection is over: nothing to do. */
static void notify_send_to_kernel(struct hub *hub, uint64_t ino, struct str name)
{
	if (!hub->session)
		return;
	if (name.data)
		fuse_lowlevel_notify_inval_entry(hub->session, ino, name.data, name.len);
	else
		fuse_lowlevel_notify_inval_inode(hub->session, ino, 0, 0);
}

/* Takes the note's name. */
static void send_note(struct notifier *notifier, const struct notice *note)
{
	notifier->send(notifier->hub, note->ino, str_n(note->name, note->len));
	free(note->name);
}

static void send_lost(struct notifier *notifier, uint64_t directory)
{
	struct hub *hub = notifier->hub;
	struct notice batch[LOST_BATCH];
	struct node *cursor = NULL;
	unsigned restarts = 0;

	while (!is_stopping(notifier)) {
		unsigned count;

		if (!lost_batch(hub, directory, &cursor, batch, &count)) {
			if (++restarts > LOST_RESTARTS)
				break;
			continue;
		}
		for (unsigned i = 0; i < count; i++)
			send_note(notifier, &batch[i]);
		if (!cursor)
			break;
	}
	if (cursor) {
		hub_lock(hub);
		node_unref(hub->nodes, cursor);
		hub_unlock(hub);
	}
}

static void *notifier_run(void *user)
{
	struct notifier *notifier = user;

	pthread_mutex_lock(&notifier->lock);
	while (!notifier->stop) {
		if (notifier->count > 0) {
			struct notice note = pop(notifier);

			pthread_mutex_unlock(&notifier->lock);
			send_note(notifier, &note);
		} else if (notifier->lost_count > 0) {
			uint64_t directory = notifier->lost[--notifier->lost_count];
			bool dropped = notifier->dropped;

			notifier->dropped = false;
			pthread_mutex_unlock(&notifier->lock);
			if (dropped)
				log_text(LOG_LEVEL_WARNING,
					"too many changes at once: some names may look stale for cache_ttl");
			send_lost(notifier, directory);
		} else {
			pthread_cond_wait(&notifier->wake, &notifier->lock);
			continue;
		}
		pthread_mutex_lock(&notifier->lock);
	}
	notifier->stopped = true;
	pthread_mutex_unlock(&notifier->lock);
	return NULL;
}

static void notifier_release(struct notifier *notifier)
{
	pthread_cond_destroy(&notifier->wake);
	pthread_mutex_destroy(&notifier->lock);
	free(notifier);
}

int notifier_new(
	struct hub *hub, void (*send)(struct hub *hub, uint64_t ino, struct str name), struct notifier **ret)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));

	if (!notifier)
		return -ENOMEM;
	notifier->hub = hub;
	notifier->send = send ? send : notify_send_to_kernel;
	pthread_mutex_init(&notifier->lock, NULL);
	pthread_cond_init(&notifier->wake, NULL);
	int error = -pthread_create(&notifier->thread, NULL, notifier_run, notifier);

	if (error < 0) {
		notifier_release(notifier);
		return error;
	}
	*ret = notifier;
	return 0;
}

void notifier_stop(struct notifier *notifier)
{
	pthread_mutex_lock(&notifier->lock);
	notifier->stop = true;
	pthread_cond_signal(&notifier->wake);
	pthread_mutex_unlock(&notifier->lock);
}

bool notifier_stopped(struct notifier *notifier)
{
	pthread_mutex_lock(&notifier->lock);
	bool stopped = notifier->stopped;

	pthread_mutex_unlock(&notifier->lock);
	return stopped;
}

void notifier_free(struct notifier *notifier)
{
	if (!notifier)
		return;
	notifier_stop(notifier);
	pthread_join(notifier->thread, NULL);
	while (notifier->count > 0)
		free(pop(notifier).name);
	notifier_release(notifier);
}
