/*
 * probe: what is at a name in S3?  Two questions at once: HEAD of the object, LIST of what is below "name/".
 *
 * The directory wins where both exist (the object is then logged once as hidden).  A refusal of one question
 * counts only where the other does not already answer: without the right to list, an object still is one. The
 * probe is the caller's memory until on_done, which comes exactly once, on the worker's thread.
 */
#ifndef FERRYFS_FS_DIR_PROBE_H
#define FERRYFS_FS_DIR_PROBE_H

#include "engine/wire/call.h"
#include "fs/core/node.h"

enum probe_kind { PROBE_NONE, PROBE_FILE, PROBE_DIR };

struct probe {
	/* given, with a zeroed rest */
	struct account *account; /* lent */
	struct str bucket; /* lent until on_done, as is key */
	struct str key; /* without a "/" at its end */
	bool only_file, only_dir; /* ask only one of the two */
	struct headers *headers; /* lent: takes the object's; NULL: unwanted */
	bool escapes; /* what a directory hides has a name of its own: nothing is logged of it ... */
	bool beside; /* ... and this is that name: a file only where there is a directory as well */
	bool ask_tail; /* LIST a page from the key on, which often says what is below "name/", too */
	void (*on_done)(struct probe *probe);
	void *user;

	/* result */
	int error;
	enum probe_kind kind;
	bool marker; /* PROBE_DIR: its marker exists */
	bool empty; /* PROBE_DIR: nothing but a marker */
	struct page *
		ahead; /* ask_tail: what is in the directory after the key, while on_done runs; NULL: not known */
	uint64_t size;
	int64_t mtime; /* of the object, or of the marker; 0: none */
	char etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
	struct s3_answer refusal; /* of `error`, for the log; status 0: none */

	/* private */
	struct call head, list;
	struct page *page;
	unsigned left;
	int head_error, list_error;
	char prefix[KEY_MAX + 2];
};

void probe_start(struct worker *worker, struct probe *probe); /* any thread */

#endif
