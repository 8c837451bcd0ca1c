/* The daemon's side: names and records of staging files. */
#include "fs/host/staged.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/host/json_text.h"
#include "fs/host/staging_file.h"

struct staged {
	int lock; /* of the record */
	char name[JOURNAL_NAME_MAX + 1]; /* likewise */
	char *path; /* of the content */
	/* as the record says */
	char *text; /* all of it */
	char *bucket, *key, *base;
	bool fresh, stored;
	/* as it is */
	atomic_bool dropped, resting;
};

/* ---- the record ---- */

static int add_text(json_t *object, const char *name, const char *text)
{
	return json_object_set_new(object, name, json_text_new(text));
}

static json_t *headers_object(const struct headers *headers)
{
	json_t *array = json_array();
	struct str name, value;
	size_t at = 0;

	while (array && headers_next(headers, &at, &name, &value)) {
		char *line = NULL;

		if (asprintf(&line, "%.*s:%.*s", (int)name.len, name.data, (int)value.len, value.data) < 0)
			line = NULL;
		if (!line || json_array_append_new(array, json_text_new(line))) {
			json_decref(array);
			array = NULL;
		}
		free(line);
	}
	return array;
}

static char *record_text(const struct staged_what *what, const char *path)
{
	struct journal_self self;
	json_t *object = json_pack("{s:i, s:b, s:b, s:I, s:I}", "ferryfs_staged", 1, "fresh", what->fresh,
		"stored", what->stored, "part_size", (json_int_t)what->part_size, "part_threshold",
		(json_int_t)what->part_threshold);
	char *text = NULL;

	journal_self(&self);
	if (object && !add_text(object, "machine", self.machine) &&
		!add_text(object, "service", what->service) && !add_text(object, "bucket", what->bucket) &&
		!add_text(object, "key", what->key) && !add_text(object, "base", what->base) &&
		!add_text(object, "path", path) &&
		!json_object_set_new(object, "headers", headers_object(what->headers)))
		text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

static int write_all(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t wrote = write(fd, text, left);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		text += wrote;
		left -= (size_t)wrote;
	}
	return 0;
}

/* A record that is locked and published.  *ret_fd keeps the lock. */
static int write_record(struct journal_dir *dir, const char *text, int *ret_fd, char *ret_name)
{
	int fd = -1, error = text ? journal_dir_create(dir, &fd, ret_name) : -ENOMEM;

	if (error == 0) {
		error = write_all(fd, text);
		if (error == 0)
			error = journal_dir_publish_as(dir, ret_name, STAGED_SUFFIX);
		if (error < 0) {
			journal_dir_remove(dir, ret_name);
			close(fd);
		}
	}
	if (error == 0)
		*ret_fd = fd;
	return error;
}

/* ---- */

/* Takes text, the record's, unless it fails. */
static int keep_what(struct staged *staged, const struct staged_what *what, char *text)
{
	char *bucket = strdup(what->bucket), *key = strdup(what->key), *base = strdup(what->base);

	if (!bucket || !key || !base) {
		free(bucket);
		free(key);
		free(base);
		return -ENOMEM;
	}
	free(staged->text);
	free(staged->bucket);
	free(staged->key);
	free(staged->base);
	staged->text = text;
	staged->bucket = bucket;
	staged->key = key;
	staged->base = base;
	staged->fresh = what->fresh;
	staged->stored = what->stored;
	return 0;
}

void staged_leave(struct staged *staged)
{
	if (!staged)
		return;
	if (staged->lock >= 0)
		close(staged->lock);
	free(staged->path);
	free(staged->text);
	free(staged->bucket);
	free(staged->key);
	free(staged->base);
	free(staged);
}

static int give_name(struct staged *staged, const char *staging_dir, int fd)
{
	static atomic_uint next;
	char from[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (asprintf(&staged->path, "%s/" STAGED_FILE_PREFIX "%ld-%u-XXXXXX", staging_dir, (long)getpid(),
		    atomic_fetch_add(&next, 1)) < 0) {
		staged->path = NULL;
		return -ENOMEM;
	}
	/* mkostemp finds a free name; the link takes its place. */
	int made = mkostemp(staged->path, O_CLOEXEC);

	if (made < 0)
		return -errno;
	close(made);
	unlink(staged->path);
	return linkat(AT_FDCWD, from, AT_FDCWD, staged->path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int staged_new(struct journal_dir *dir, const char *staging_dir, int fd, const struct staged_what *what,
	struct staged **ret)
{
	struct staged *staged = calloc(1, sizeof(*staged));

	if (!staged)
		return -ENOMEM;
	staged->lock = -1;
	int error = give_name(staged, staging_dir, fd);

	if (error < 0) {
		staged_leave(staged);
		return error;
	}
	char *text = record_text(what, staged->path);

	error = text ? keep_what(staged, what, text) : -ENOMEM;
	if (error < 0)
		free(text);
	else
		error = write_record(dir, text, &staged->lock, staged->name);
	if (error < 0) {
		unlink(staged->path);
		staged_leave(staged);
		return error;
	}
	*ret = staged;
	return 0;
}

int staged_change(struct journal_dir *dir, struct staged *staged, const struct staged_what *what)
{
	char name[JOURNAL_NAME_MAX + 1], *text = record_text(what, staged->path);
	int lock = -1, error = text ? 0 : -ENOMEM;

	if (text && strcmp(text, staged->text) == 0) {
		free(text);
		return 0;
	}
	if (error == 0)
		error = write_record(dir, text, &lock, name);
	if (error < 0) {
		free(text);
		return error;
	}
	journal_dir_remove(dir, staged->name);
	close(staged->lock);
	staged->lock = lock;
	strcpy(staged->name, name);
	error = keep_what(staged, what, text);
	if (error < 0)
		free(text);
	return error;
}

void staged_rest(struct staged *staged, bool stored)
{
	atomic_store(&staged->resting, stored);
}

void staged_follow(struct journal_dir *dir, struct staged *staged)
{
	struct headers none;

	if (staged->stored || !atomic_load(&staged->resting))
		return;
	headers_init(&none);
	const struct staged_what what = {.service = "",
		.bucket = staged->bucket,
		.key = staged->key,
		.base = staged->base,
		.fresh = staged->fresh,
		.stored = true,
		.headers = &none};

	staged_change(dir, staged, &what);
	headers_release(&none);
}

void staged_drop(struct staged *staged)
{
	atomic_store(&staged->dropped, true);
}

bool staged_dropped(const struct staged *staged)
{
	return atomic_load(&staged->dropped);
}

void staged_remove(struct journal_dir *dir, struct staged *staged)
{
	/* The record first: one without content would be named in vain. */
	journal_dir_remove(dir, staged->name);
	unlink(staged->path);
	staged_leave(staged);
}
