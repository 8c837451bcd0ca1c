/*
 * A round goes once through the table of nodes.  A round that found nothing makes the next one wait twice as
 * long, since the nodes that are left may be in use for good.
 *
 * A node's age is that of its attributes: while they are fresh, so is the kernel's copy of them
 * (fs/request/reply.c), and if the kernel asked once more, S3 would be asked for nothing.
 */
#include "fs/serve/prune.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <linux/fuse.h>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "fs/dir/dir.h"
#include "fs/early/early.h"
#include "fs/core/node_table.h"

enum {
	NOTIFY_PRUNE = 9, /* FUSE_NOTIFY_PRUNE: linux/fuse.h of 6.18 */
	SLOTS_AT_ONCE = 1024, /* of the table, under the lock */
	AGE_MIN_MS = 1000, /* between a lookup and the open that it was for */
	PAUSE_MS = 500,
	PAUSE_MAX_MS = 8000,
	FREED_MIN = 8192, /* nodes, some 2 MiB: worth giving back to the system */
};

/* linux/fuse.h of 6.18; numbers follow */
struct notify_prune_out {
	uint32_t count, padding;
	uint64_t spare;
};

bool prune_wanted(const struct hub *hub)
{
	return nodes_count(hub->nodes) > PRUNE_ABOVE;
}

/* ---- which; hub.lock held ---- */

static bool may_go(const struct hub *hub, const struct node *node, uint64_t now, bool hard)
{
	if (node->kind != NODE_FILE || node->lookups == 0 || node->refs > 0 || node->draft || node->local ||
		node->gone || node->pins > 0 || !node->parent)
		return false;
	const struct view *view = node_view(node);
	uint64_t age = view && !hard ? view->cache_ttl_ms : 0;

	if (now < node->attr.fetched_ms + (age > AGE_MIN_MS ? age : AGE_MIN_MS))
		return false;
	return !hub->early || !batches_ahead(hub->early->batches, node->parent->ino, node->ino);
}

static bool prune_take(const struct prune *prune, const struct node *node, struct prune_entry *ret)
{
	char *name = prune->by_name ? str_dup(str_n(node->name, node->name_len)) : NULL;

	if (prune->by_name && !name)
		return false;
	*ret = (struct prune_entry){.ino = node->ino, .parent = node->parent->ino, .name = name};
	return true;
}

bool prune_collect(struct hub *hub, struct prune *prune, struct prune_entry *entries, unsigned *ret_count)
{
	const struct node_table *table = &hub->nodes->by_ino;
	bool hard = nodes_count(hub->nodes) > PRUNE_HARD;
	uint64_t now = clock_ms();
	size_t end = prune->slot + SLOTS_AT_ONCE;
	unsigned count = 0;

	/* A slot's chain is taken whole or left for the next piece, but for one that is longer than a piece.
	 */
	for (; prune->slot < table->size && prune->slot < end && count < PRUNE_AT_ONCE / 2; prune->slot++) {
		for (const struct node *node = table->slots[prune->slot]; node; node = node->ino_next) {
			if (count < PRUNE_AT_ONCE && may_go(hub, node, now, hard))
				count += prune_take(prune, node, &entries[count]);
		}
	}
	*ret_count = count;
	return prune->slot >= table->size;
}

/* ---- telling the kernel; no lock ---- */

static int send_numbers(struct hub *hub, const struct prune_entry *entries, unsigned count)
{
	uint64_t numbers[PRUNE_AT_ONCE];
	struct notify_prune_out out = {.count = count};
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + sizeof(out) + count * sizeof(numbers[0])),
		.error = NOTIFY_PRUNE,
	};
	struct iovec parts[] = {
		{.iov_base = &header, .iov_len = sizeof(header)},
		{.iov_base = &out, .iov_len = sizeof(out)},
		{.iov_base = numbers, .iov_len = count * sizeof(numbers[0])},
	};

	for (unsigned i = 0; i < count; i++)
		numbers[i] = entries[i].ino;
	return writev(fuse_session_fd(hub->session), parts, 3) < 0 ? -errno : 0;
}

static int prune_send_to_kernel(
	struct hub *hub, struct prune *prune, const struct prune_entry *entries, unsigned count)
{
	if (!hub->session)
		return 0;
	if (!prune->by_name)
		return send_numbers(hub, entries, count);
	/* An error says that the kernel does not know the name any more. */
	for (unsigned i = 0; i < count && !atomic_load(&hub->stopping); i++)
		fuse_lowlevel_notify_inval_entry(
			hub->session, entries[i].parent, entries[i].name, strlen(entries[i].name));
	return 0;
}

static void prune_send(
	struct hub *hub, struct prune *prune, const struct prune_entry *entries, unsigned count)
{
	int error = (prune->send ? prune->send : prune_send_to_kernel)(hub, prune, entries, count);

	if (error == -EINVAL && !prune->by_name) {
		/* An older kernel knows no such message; the next round goes by names. */
		prune->by_name = true;
		return;
	}
	prune->found += count;
	prune->freed += count;
	atomic_fetch_add(&hub->pruned, count);
}

/* ---- rounds ---- */

static void end_round(struct prune *prune)
{
	prune->slot = 0;
	prune->pause_ms = prune->found || !prune->pause_ms     ? PAUSE_MS
			  : prune->pause_ms < PAUSE_MAX_MS / 2 ? 2 * prune->pause_ms
							       : PAUSE_MAX_MS;
	prune->due_ms = clock_ms() + prune->pause_ms;
	prune->found = 0;
}

/* By the next round the kernel has let go of the nodes that it was asked for, or it uses them. */
static void begin_round(struct hub *hub, struct prune *prune)
{
	hub_lock(hub);
	dirs_reap(hub);
	hub_unlock(hub);
	if (prune->freed >= FREED_MIN) {
		prune->freed = 0;
		malloc_trim(0);
	}
}

void prune_step(struct hub *hub, struct prune *prune, int *ret_wait_ms)
{
	struct prune_entry entries[PRUNE_AT_ONCE];
	uint64_t now = clock_ms();
	unsigned count;

	if (prune->slot == 0 && now < prune->due_ms) {
		*ret_wait_ms = (int)(prune->due_ms - now);
		return;
	}
	if (prune->slot == 0)
		begin_round(hub, prune);
	hub_lock(hub);
	bool wanted = prune_wanted(hub);
	bool over = !wanted || prune_collect(hub, prune, entries, &count);

	hub_unlock(hub);
	if (!wanted)
		count = 0;
	if (count > 0)
		prune_send(hub, prune, entries, count);
	for (unsigned i = 0; i < count; i++)
		free(entries[i].name);
	if (over)
		end_round(prune);
	*ret_wait_ms = !wanted ? -1 : over ? (int)prune->pause_ms : 0;
}
