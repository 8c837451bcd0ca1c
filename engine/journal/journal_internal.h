/*
 * journal_internal: shared by journal.c (writing) and journal_read.c.
 */
#ifndef FERRYFS_ENGINE_JOURNAL_JOURNAL_INTERNAL_H
#define FERRYFS_ENGINE_JOURNAL_JOURNAL_INTERNAL_H

#include <pthread.h>
#include "engine/journal/journal.h"

/* Where in the file a page's lines are.  Its answers lie somewhere in [answers, answers_end), among others'.
 */
struct journal_index {
	uint64_t keys, keys_end, answers, answers_end;
	int64_t time;
	struct buf *kept; /* answers that could not be written; NULL: none */
};

struct journal {
	struct journal_dir *dir;
	int fd;
	char name[JOURNAL_NAME_MAX + 1];
	struct journal_intent intent;
	struct buf intent_line; /* its texts lie here */

	pthread_mutex_t lock;
	uint64_t size; /* protected by lock, as is the rest up to next */
	uint64_t flushed; /* up to here writing to disk was begun */
	struct journal_index *pages;
	size_t page_count, page_room;
	uint64_t copied, keys;
	bool all_copied, has_uploads;
	size_t next; /* page to be read; the owner's */
};

/* Appends a page to the index.  -ENOMEM, -EFBIG. */
int journal_index_add(struct journal *journal, struct journal_index **ret);

/* Reads lines off a range of the file. */
struct journal_lines {
	int fd;
	uint64_t at, end; /* of the file: next to be read */
	char *space; /* JOURNAL_LINE_MAX bytes twice */
	size_t from, to; /* of space: read, not yet given */
};

int journal_lines_init(struct journal_lines *lines, int fd, uint64_t at, uint64_t end);
void journal_lines_release(struct journal_lines *lines);
/* The next line without its new line, lent (and to be changed at will) until the next call.  -ENODATA: the
 * end; -EBADMSG: torn or too long; -EIO ... */
int journal_lines_next(struct journal_lines *lines, char **ret, size_t *ret_len);
/* Where in the file the line after the one just given begins. */
uint64_t journal_lines_at(const struct journal_lines *lines);

/* Reads the whole file into the index, up to the first damage. */
int journal_scan(struct journal *journal, uint64_t file_size);

#endif
