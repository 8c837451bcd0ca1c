#include "fs/dir/probe.h"

#include <errno.h>
#include <stdio.h>

#include "engine/base/log.h"

/* Object, and common prefix or object below. */
enum { PROBE_KEYS = 2 };

static void judge(struct probe *probe)
{
	bool file = probe->head_error == 0 && !probe->only_dir;
	/* What can't be used in a listing shows as well that something is there. */
	bool dir = probe->page && probe->page->count + probe->page->left_out > 0;
	int head = probe->head_error == -ENOENT ? 0 : probe->head_error;

	if (dir && probe->beside) {
		if (file)
			probe->kind = PROBE_FILE;
		else if (head < 0)
			probe->error = head;
	} else if (dir) {
		const struct page_entry *first = probe->page->count > 0 ? &probe->page->entries[0] : NULL;

		probe->kind = PROBE_DIR;
		probe->marker = first && str_eq(first->key, str_n(probe->prefix, probe->key.len + 1));
		probe->empty = probe->marker && probe->page->count + probe->page->left_out == 1;
		probe->mtime = probe->marker ? first->mtime : 0;
		if (file && !probe->escapes && log_once("hidden", probe->bucket, probe->key))
			log_call(LOG_LEVEL_WARNING,
				&(struct log_call){
					.what = "show",
					.bucket = probe->bucket,
					.key = probe->key,
					.consequence =
						"the object is hidden by the directory of the same name",
				});
	} else if (probe->list_error < 0 && !(file && probe->list_error == -EACCES)) {
		probe->error = probe->list_error;
	} else if (file) {
		probe->kind = probe->beside ? PROBE_NONE : PROBE_FILE;
	} else if (head < 0) {
		probe->error = head;
	}
}

static void probe_finish(struct probe *probe)
{
	if (--probe->left > 0)
		return;
	judge(probe);
	page_free(probe->page);
	probe->page = NULL;
	probe->on_done(probe);
}

static void keep_refusal(struct probe *probe, const struct call *call, const struct s3_answer *answer)
{
	if (call->error < 0 && call->error != -ENOENT)
		probe->refusal = *answer;
}

static void probe_on_head(struct call *call, const struct s3_answer *answer)
{
	struct probe *probe = call->user;

	probe->head_error = call->error;
	keep_refusal(probe, call, answer);
	if (call->error == 0) {
		probe->size = answer->size;
		probe->mtime = answer->mtime;
		snprintf(probe->etag, sizeof(probe->etag), "%s", answer->etag);
		snprintf(probe->storage_class, sizeof(probe->storage_class), "%s", answer->storage_class);
	}
	probe_finish(probe);
}

static void prepare_list(struct probe *probe);

/* Does the page that follows the key show that there is nothing below "name/"?  It may end before that. */
static bool no_directory(const struct probe *probe)
{
	const struct page *page = probe->ahead;
	struct str prefix = str_n(probe->prefix, probe->key.len + 1);

	for (unsigned i = 0; i < page->count; i++) {
		int order = str_cmp(page->entries[i].key, prefix);

		if (order >= 0)
			return order > 0;
	}
	return !page->truncated;
}

/* The page is here; false: another question has to follow. */
static bool take_ahead(struct probe *probe, int error)
{
	probe->ask_tail = false;
	if (error < 0) {
		page_clear(probe->page);
		return false;
	}
	probe->ahead = probe->page;
	probe->page = NULL;
	if (page_new(&probe->page) < 0)
		probe->page = NULL;
	return !probe->page || (probe->ahead->left_out == 0 && no_directory(probe));
}

static void on_list(struct call *call, const struct s3_answer *answer)
{
	struct probe *probe = call->user;

	if (probe->ask_tail && probe->page && !take_ahead(probe, call->error)) {
		struct worker *worker = call->worker;

		prepare_list(probe);
		call_start(worker, &probe->list);
		return;
	}
	probe->list_error = probe->page ? call->error : -ENOMEM;
	keep_refusal(probe, call, answer);
	if (call->error < 0 && probe->page)
		page_clear(probe->page);
	probe_finish(probe);
}

static void probe_prepare(struct probe *probe, struct call *call, enum s3_op op)
{
	call_init(call);
	call->request.op = op;
	call->request.bucket = probe->bucket;
	call->account = probe->account;
	call->user = probe;
}

static void prepare_list(struct probe *probe)
{
	struct s3_request *request = &probe->list.request;

	probe_prepare(probe, &probe->list, S3_LIST_OBJECTS);
	request->prefix = str_n(probe->prefix, probe->key.len + 1);
	request->max_keys = PROBE_KEYS;
	if (probe->ask_tail) {
		size_t above = probe->key.len;

		while (above > 0 && probe->key.data[above - 1] != '/')
			above--;
		request->prefix = str_n(probe->key.data, above);
		request->start_after = probe->key;
		request->delimiter = STR("/");
		request->max_keys = 0;
	}
	if (probe->page)
		probe->page->lenient = true;
	probe->list.sinks.page = probe->page;
	probe->list.on_done = on_list;
}

void probe_start(struct worker *worker, struct probe *probe)
{
	/* A directory's prefix has one byte more than its name: where that is too long there is none. */
	bool list = !probe->only_file && (probe->key.len < KEY_MAX || probe->only_dir);

	probe->left = !probe->only_dir + list;
	memcpy(probe->prefix, probe->key.data, probe->key.len);
	probe->prefix[probe->key.len] = '/';
	if (list) {
		if (page_new(&probe->page) < 0)
			probe->page = NULL;
		prepare_list(probe);
	}
	if (!probe->only_dir) {
		probe_prepare(probe, &probe->head, S3_HEAD_OBJECT);
		probe->head.request.key = probe->key;
		probe->head.sinks.headers = probe->headers;
		probe->head.on_done = probe_on_head;
	}
	/* Both on one worker: their ends come one after the other, on its thread.  With the last call posted
	 * the probe may be gone. */
	bool head = !probe->only_dir;

	if (list)
		call_post(worker, &probe->list);
	if (head)
		call_post(worker, &probe->head);
}
