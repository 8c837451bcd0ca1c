#include "fs/core/view.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	VIEW_CACHE_TTL_MS = 5000,
	VIEW_FLUSH_AFTER_MS = 30000,
	VIEW_KEEP_OPEN = 64 << 20,
};

/* One moment of the whole daemon: views lie inside one another, and a directory's time stays whichever is
 * asked. */
static int64_t daemon_since(void)
{
	static atomic_llong since_moment;
	long long since = 0;

	if (atomic_compare_exchange_strong(&since_moment, &since, (long long)time(NULL)))
		since = atomic_load(&since_moment);
	return since;
}

int view_new(struct view **ret)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->uid = geteuid();
	view->gid = getegid();
	view->file_mode = 0644;
	view->dir_mode = 0755;
	view->cache_ttl_ms = VIEW_CACHE_TTL_MS;
	view->flush_after_ms = VIEW_FLUSH_AFTER_MS;
	view->keep_open = VIEW_KEEP_OPEN;
	view->recognise = true;
	view->since = daemon_since();
	headers_init(&view->headers);
	atomic_init(&view->refs, 1);
	*ret = view;
	return 0;
}

struct view *view_ref(struct view *view)
{
	atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
	return view;
}

void view_unref(struct view *view)
{
	if (!view || atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) > 1)
		return;
	account_unref(view->account);
	free(view->source);
	headers_release(&view->headers);
	free(view->storage_class);
	free(view->staging_dir);
	free(view->journal_dir);
	free(view);
}

int view_add_headers(const struct view *view, struct headers *headers)
{
	struct str name, value;
	size_t at = 0;
	int error = 0;

	while (error == 0 && headers_next(&view->headers, &at, &name, &value))
		error = headers_set(headers, name, value);
	return error;
}
