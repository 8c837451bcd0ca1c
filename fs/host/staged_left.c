/* The other side of staged.h: the records that a daemon has left behind. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/account/account_name.h"
#include "engine/base/log.h"
#include "fs/host/json_text.h"
#include "fs/host/staged.h"
#include "s3/escape.h"

enum {
	RECORD_MAX = 256 << 10,
	TOLD_MAX = 20, /* lines of one mount */
};

static char *read_record(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size > RECORD_MAX)
		return NULL;
	char *text = calloc(1, (size_t)st.st_size + 1);

	if (text && pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	return text;
}

/* Each "name:value". */
static int staged_left_read_headers(const json_t *array, struct headers *ret)
{
	size_t index;
	const json_t *value;
	int error = json_is_array(array) ? 0 : -EINVAL;

	json_array_foreach(array, index, value)
	{
		char *line = NULL;
		int result = error == 0 ? json_text_get(value, &line) : error;
		const char *colon = line ? strchr(line, ':') : NULL;

		if (result == 0)
			result = colon ? headers_add(
						 ret, str_n(line, (size_t)(colon - line)), str_of(colon + 1))
				       : -EINVAL;
		error = result;
		free(line);
	}
	return error;
}

static int parse(const char *text, struct staged_left *left)
{
	json_error_t trouble;
	json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, &trouble) : NULL;
	struct {
		const char *name;
		char **to;
	} const texts[] = {
		{"machine", &left->machine},
		{"service", &left->service},
		{"bucket", &left->bucket},
		{"key", &left->key},
		{"base", &left->base},
		{"path", &left->path},
	};
	int error = json_integer_value(json_object_get(object, "ferryfs_staged")) == 1 ? 0 : -EINVAL;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && error == 0; i++)
		error = json_text_get(json_object_get(object, texts[i].name), texts[i].to);
	if (error == 0)
		error = staged_left_read_headers(json_object_get(object, "headers"), &left->headers);
	left->fresh = json_is_true(json_object_get(object, "fresh"));
	left->stored = json_is_true(json_object_get(object, "stored"));
	left->part_size = (uint64_t)json_integer_value(json_object_get(object, "part_size"));
	left->part_threshold = (uint64_t)json_integer_value(json_object_get(object, "part_threshold"));
	json_decref(object);
	if (error == 0 && (left->path[0] != '/' || !left->key[0] || strlen(left->base) > ETAG_MAX))
		error = -EINVAL;
	return error;
}

/* The content: a file that nobody else could have put there. */
static int open_content(struct staged_left *left)
{
	struct stat st;
	int fd = open(left->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) ||
		st.st_nlink != 1) {
		close(fd);
		return -EPERM;
	}
	left->fd = fd;
	left->size = (uint64_t)st.st_size;
	left->written = (int64_t)st.st_mtime;
	return 0;
}

int staged_open(struct journal_dir *dir, const char *name, struct staged_left **ret)
{
	struct staged_left *left = calloc(1, sizeof(*left));

	if (!left)
		return -ENOMEM;
	left->fd = left->lock = -1;
	headers_init(&left->headers);
	snprintf(left->name, sizeof(left->name), "%s", name);
	int error = journal_dir_lock(dir, name, &left->lock);

	if (error == 0) {
		char *text = read_record(left->lock);

		error = parse(text, left);
		free(text);
	}
	if (error == 0)
		error = open_content(left);
	if (error < 0) {
		staged_close(left);
		return error;
	}
	*ret = left;
	return 0;
}

void staged_close(struct staged_left *left)
{
	if (!left)
		return;
	if (left->fd >= 0)
		close(left->fd);
	if (left->lock >= 0)
		close(left->lock);
	free(left->machine);
	free(left->service);
	free(left->bucket);
	free(left->key);
	free(left->base);
	free(left->path);
	headers_release(&left->headers);
	free(left);
}

static bool is_here(const struct staged_left *left)
{
	struct journal_self self;

	journal_self(&self);
	return strcmp(self.machine, left->machine) == 0;
}

bool staged_is_stored(const struct staged_left *left)
{
	return left->stored && is_here(left);
}

bool staged_is_ours(const struct staged_left *left, const struct account *account)
{
	struct buf text;

	buf_init(&text, 4096);
	bool same = account_service_name(account, &text) == 0 &&
		    str_eq(buf_str(&text), str_of(left->service)) && is_here(left);

	buf_release(&text);
	return same;
}

int staged_discard(struct journal_dir *dir, const struct staged_left *left)
{
	int error = journal_dir_remove(dir, left->name);

	if (error == 0 && unlink(left->path) < 0 && errno != ENOENT)
		error = -errno;
	return error;
}

static void staged_left_tell(const struct staged_left *left)
{
	struct buf text;

	buf_init(&text, LOG_LINE_MAX);
	buf_add_text(&text, "s3://");
	escape_text(&text, str_of(left->bucket));
	buf_add_char(&text, '/');
	escape_text(&text, str_of(left->key));
	log_text(LOG_LEVEL_WARNING,
		"%s: %llu bytes were written and never stored, as the daemon ended: `ferryfs recover` stores "
		"or discards them",
		buf_text(&text), (unsigned long long)left->size);
	buf_release(&text);
}

void staged_tell(struct journal_dir *dir, const struct account *account)
{
	char **names = NULL;
	unsigned count = 0;

	if (!dir || journal_dir_names_of(dir, STAGED_SUFFIX, &names) < 0)
		return;
	for (char **name = names; *name; name++) {
		struct staged_left *left;

		if (staged_open(dir, *name, &left) < 0)
			continue;
		if (staged_is_stored(left))
			staged_discard(dir, left);
		else if (left->fd >= 0 && staged_is_ours(left, account) && count++ < TOLD_MAX)
			staged_left_tell(left);
		staged_close(left);
	}
	if (count > TOLD_MAX)
		log_text(LOG_LEVEL_WARNING, "and %u more files: `ferryfs recover --dry-run` lists them",
			count - TOLD_MAX);
	journal_names_free(names);
}
