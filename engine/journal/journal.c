/* Beginning, writing and ending a journal; journal_read.c has the rest. */
#include "engine/journal/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/base/crash.h"

enum {
	PAGES_MAX = 1 << 24, /* sixteen thousand million keys */
	KEPT_MAX = 4 << 20, /* of one page */
	FLUSH_BYTES =
		4 << 20, /* then writing to disk is begun, so that the last fsync does not wait for all */
};

static int journal_make(struct journal_dir *dir, struct journal **ret)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	journal->dir = dir;
	journal->fd = -1;
	buf_init(&journal->intent_line, JOURNAL_LINE_MAX + 1);
	pthread_mutex_init(&journal->lock, NULL);
	crash_arm();
	*ret = journal;
	return 0;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	crash_disarm();
	for (size_t i = 0; i < journal->page_count; i++) {
		if (journal->pages[i].kept) {
			buf_release(journal->pages[i].kept);
			free(journal->pages[i].kept);
		}
	}
	free(journal->pages);
	buf_release(&journal->intent_line);
	if (journal->fd >= 0)
		close(journal->fd);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

int journal_finish(struct journal *journal)
{
	crash_step();
	int error = journal_dir_remove(journal->dir, journal->name);
	crash_step();
	journal_free(journal);
	return error;
}

/* ---- writing ---- */

static int write_some(int fd, const char *data, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* Lock held. */
static int append(struct journal *journal, struct str data)
{
	crash_step();
#ifdef FERRYFS_CRASH
	/* Half of it is there: a torn line. */
	if (write_some(journal->fd, data.data, data.len / 2, journal->size) == 0)
		crash_step();
#endif
	int error = write_some(journal->fd, data.data, data.len, journal->size);
	crash_step();
	if (error != 0) {
		/* Lines are there whole or not at all; where not even this works they are torn, which a
		 * reader knows. */
		int torn = ftruncate(journal->fd, (off_t)journal->size);
		(void)torn;
		return error;
	}
	journal->size += data.len;
	if (journal->size - journal->flushed >= FLUSH_BYTES) {
		sync_file_range(journal->fd, (off_t)journal->flushed,
			(off_t)(journal->size - journal->flushed), SYNC_FILE_RANGE_WRITE);
		journal->flushed = journal->size;
	}
	return 0;
}

static int journal_begin(struct journal *journal, const struct journal_intent *intent)
{
	struct journal_line line;
	int error = journal_put_intent(&journal->intent_line, intent);
	if (error == 0)
		error = journal_dir_create(journal->dir, &journal->fd, journal->name);
	if (error != 0)
		return error;
	error = append(journal, buf_str(&journal->intent_line));
	if (error == 0 && fsync(journal->fd) < 0)
		error = -errno;
	crash_step();
	if (error == 0)
		error = journal_dir_publish(journal->dir, journal->name);
	crash_step();
	if (error == 0)
		error = journal_parse(journal->intent_line.data, journal->intent_line.len - 1, &line);
	if (error != 0)
		journal_dir_remove(journal->dir, journal->name);
	else
		journal->intent = line.intent;
	return error;
}

int journal_new(struct journal_dir *dir, const struct journal_intent *intent, struct journal **ret)
{
	struct journal *journal = NULL;
	int error = journal_make(dir, &journal);
	if (error != 0)
		return error;
	error = journal_begin(journal, intent);
	if (error != 0)
		journal_free(journal);
	else
		*ret = journal;
	return error;
}

int journal_index_add(struct journal *journal, struct journal_index **ret)
{
	if (journal->page_count == journal->page_room) {
		size_t room = journal->page_room != 0 ? 2 * journal->page_room : 16;
		if (room > PAGES_MAX)
			return -EFBIG;
		struct journal_index *grown = reallocarray(journal->pages, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		journal->pages = grown;
		journal->page_room = room;
	}
	*ret = &journal->pages[journal->page_count++];
	memset(*ret, 0, sizeof(**ret));
	return 0;
}

int journal_page(struct journal *journal, struct str lines, unsigned count, int64_t time, int64_t *ret_page)
{
	struct journal_index *page = NULL;
	struct buf text;
	buf_init(&text, (size_t)JOURNAL_LINE_MAX + lines.len);
	pthread_mutex_lock(&journal->lock);
	uint64_t number = journal->page_count;
	struct journal_line head = {
		.kind = JOURNAL_PAGE, .page = number, .count = count, .time = time, .etag = STR_NONE};
	journal_put(&text, &head);
	size_t head_len = text.len;
	int error = buf_add_str(&text, lines);
	if (error == 0)
		error = journal_index_add(journal, &page);
	if (error == 0) {
		page->time = time;
		page->keys = journal->size + head_len;
		page->keys_end = journal->size + text.len;
		error = append(journal, buf_str(&text));
		if (error != 0)
			journal->page_count--;
	}
	if (error == 0) {
		journal->keys += count;
		*ret_page = (int64_t)number;
	}
	pthread_mutex_unlock(&journal->lock);
	buf_release(&text);
	return error;
}

/* Lock held. */
static int journal_keep(struct journal_index *page, struct str lines)
{
	if (!page->kept) {
		page->kept = malloc(sizeof(*page->kept));
		if (!page->kept)
			return -ENOMEM;
		buf_init(page->kept, KEPT_MAX);
	}
	return buf_add_str(page->kept, lines);
}

int journal_answers(struct journal *journal, int64_t number, struct str lines, unsigned copied)
{
	if (lines.len == 0)
		return 0;
	pthread_mutex_lock(&journal->lock);
	int error = -EINVAL;
	if (number >= 0 && (uint64_t)number < journal->page_count) {
		struct journal_index *page = &journal->pages[number];
		uint64_t at = journal->size;
		error = append(journal, lines);
		if (error == 0) {
			if (page->answers_end == 0)
				page->answers = at;
			page->answers_end = journal->size;
			journal->copied += copied;
		} else {
			journal_keep(page, lines);
		}
	}
	pthread_mutex_unlock(&journal->lock);
	return error;
}

int journal_write_all_copied(struct journal *journal)
{
	struct buf text;
	buf_init(&text, JOURNAL_LINE_MAX);
	pthread_mutex_lock(&journal->lock);
	struct journal_line line = {.kind = JOURNAL_ALL, .count = journal->copied, .etag = STR_NONE};
	int error = journal_put(&text, &line);
	if (error == 0)
		error = append(journal, buf_str(&text));
	pthread_mutex_unlock(&journal->lock);
	if (error == 0 && fdatasync(journal->fd) < 0)
		error = -errno;
	crash_step();
	if (error == 0)
		journal->all_copied = true;
	buf_release(&text);
	return error;
}

/* ---- for recovery ---- */

static int open_locked(struct journal *journal, const char *name)
{
	struct stat st;
	if (strlen(name) > JOURNAL_NAME_MAX)
		return -ENAMETOOLONG;
	strcpy(journal->name, name);
	int error = journal_dir_lock(journal->dir, name, &journal->fd);
	if (error != 0)
		return error;
	if (fstat(journal->fd, &st) < 0)
		return -errno;
	return journal_scan(journal, (uint64_t)st.st_size);
}

int journal_open(struct journal_dir *dir, const char *name, struct journal **ret)
{
	struct journal *journal = NULL;
	int error = journal_make(dir, &journal);
	if (error != 0)
		return error;
	error = open_locked(journal, name);
	if (error != 0)
		journal_free(journal);
	else
		*ret = journal;
	return error;
}

/* ---- the journal itself ---- */

const struct journal_intent *journal_intent(const struct journal *journal)
{
	return &journal->intent;
}

bool journal_all_copied(const struct journal *journal)
{
	return journal->all_copied;
}

uint64_t journal_copied(const struct journal *journal)
{
	return journal->copied;
}

uint64_t journal_keys(const struct journal *journal)
{
	return journal->keys;
}

bool journal_has_uploads(const struct journal *journal)
{
	return journal->has_uploads;
}

int64_t journal_written(const struct journal *journal)
{
	struct stat file;
	return fstat(journal->fd, &file) == 0 ? (int64_t)file.st_mtime : 0;
}

bool journal_empty(const struct journal *journal)
{
	return journal->page_count == 0;
}

void journal_rewind(struct journal *journal)
{
	journal->next = 0;
}
