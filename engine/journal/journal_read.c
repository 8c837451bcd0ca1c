/*
 * Reading a journal: once through it all, for the index; then page by page, keys joined with their answers.
 */
#include "engine/journal/journal_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "engine/journal/journal_record.h"

enum {
	SPACE = 2 * JOURNAL_LINE_MAX,
	PAGE_TEXTS_MAX = 16 << 20, /* of 1,000 keys, with ETags, versions and upload ids */
};

/* ---- lines ---- */

int journal_lines_init(struct journal_lines *lines, int fd, uint64_t at, uint64_t end)
{
	*lines = (struct journal_lines){.fd = fd, .at = at, .end = end, .space = malloc(SPACE)};
	return lines->space ? 0 : -ENOMEM;
}

void journal_lines_release(struct journal_lines *lines)
{
	free(lines->space);
	lines->space = NULL;
}

uint64_t journal_lines_at(const struct journal_lines *lines)
{
	return lines->at - (lines->to - lines->from);
}

/* More into the space; *ret_some false at the end. */
static int journal_read_fill(struct journal_lines *lines, bool *ret_some)
{
	memmove(lines->space, lines->space + lines->from, lines->to - lines->from);
	lines->to -= lines->from;
	lines->from = 0;
	size_t room = SPACE - lines->to;
	if (room > lines->end - lines->at)
		room = (size_t)(lines->end - lines->at);
	ssize_t n = 0;
	while (room > 0 && (n = pread(lines->fd, lines->space + lines->to, room, (off_t)lines->at)) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	*ret_some = n > 0;
	lines->to += (size_t)n;
	lines->at += (uint64_t)n;
	return 0;
}

int journal_lines_next(struct journal_lines *lines, char **ret, size_t *ret_len)
{
	for (;;) {
		char *start = lines->space + lines->from;
		char *stop = memchr(start, '\n', lines->to - lines->from);
		if (stop) {
			lines->from = (size_t)(stop - lines->space) + 1;
			*ret = start;
			*ret_len = (size_t)(stop - start);
			return 0;
		}
		bool some = false;
		if (lines->to - lines->from >= JOURNAL_LINE_MAX)
			return -EBADMSG;
		int error = journal_read_fill(lines, &some);
		if (error != 0)
			return error;
		if (!some)
			return lines->to == lines->from ? -ENODATA : -EBADMSG;
	}
}

static int next_line(struct journal_lines *lines, struct journal_line *ret)
{
	char *text;
	size_t len;
	int error = journal_lines_next(lines, &text, &len);
	return error != 0 ? error : journal_parse(text, len, ret);
}

/* ---- the whole ---- */

static bool is_memory_or_disk(int error)
{
	return error != 0 && error != -ENODATA && error != -EBADMSG;
}

static int scan_page(struct journal *journal, struct journal_lines *lines, const struct journal_line *head)
{
	struct journal_index page = {.time = head->time, .keys = journal_lines_at(lines)}, *kept;
	if (head->page != journal->page_count)
		return -EBADMSG;
	bool large = false;
	int64_t before = -1;
	for (uint64_t i = 0; i < head->count; i++) {
		struct journal_line line;
		int error = next_line(lines, &line);
		/* A page that is torn was not begun: it is written before its copies are sent. */
		if (error != 0)
			return error == -ENODATA ? -EBADMSG : error;
		if (line.kind != JOURNAL_KEY || (int64_t)line.index <= before)
			return -EBADMSG;
		before = line.index;
		large |= line.large;
	}
	page.keys_end = journal_lines_at(lines);
	int error = journal_index_add(journal, &kept);
	if (error != 0)
		return error;
	*kept = page;
	journal->keys += head->count;
	journal->has_uploads |= large;
	return 0;
}

static int scan_line(struct journal *journal, struct journal_lines *lines, uint64_t at)
{
	struct journal_line line;
	int error = next_line(lines, &line);
	if (error != 0)
		return error;
	if (line.kind == JOURNAL_PAGE)
		return scan_page(journal, lines, &line);
	if (line.kind == JOURNAL_ALL) {
		journal->all_copied = line.count == journal->copied;
		return journal->all_copied ? 0 : -EBADMSG;
	}
	if (line.kind == JOURNAL_INTENT || line.kind == JOURNAL_KEY || line.page >= journal->page_count)
		return -EBADMSG;
	struct journal_index *page = &journal->pages[line.page];
	if (page->answers_end == 0)
		page->answers = at;
	page->answers_end = journal_lines_at(lines);
	journal->copied += line.kind == JOURNAL_COPIED;
	return 0;
}

static int scan_intent(struct journal *journal, struct journal_lines *lines)
{
	struct journal_line line;
	char *text;
	size_t len;
	int error = journal_lines_next(lines, &text, &len);
	if (error == 0)
		error = buf_add(&journal->intent_line, text, len);
	if (error == 0)
		error = journal_parse(journal->intent_line.data, len, &line);
	if (error == 0 && line.kind != JOURNAL_INTENT)
		error = -EBADMSG;
	if (error == 0)
		journal->intent = line.intent;
	return error == -ENODATA ? -EBADMSG : error;
}

int journal_scan(struct journal *journal, uint64_t file_size)
{
	struct journal_lines lines;
	int error = journal_lines_init(&lines, journal->fd, 0, file_size);
	if (error != 0)
		return error;
	error = scan_intent(journal, &lines);
	if (error != 0)
		goto out;
	do {
		journal->size = journal_lines_at(&lines);
		error = scan_line(journal, &lines, journal->size);
	} while (error == 0 && !journal->all_copied);
	/* The rest of a damaged file never happened. */
	if (!is_memory_or_disk(error))
		error = 0;
out:
	journal_lines_release(&lines);
	return error;
}

/* ---- a page ---- */

/* Offsets into the texts, which may move while they grow. */
struct slot {
	bool used, copied, refused, large, same_etag;
	size_t key, etag, copy_etag, expect, version, upload;
	uint16_t key_len, etag_len, copy_etag_len, expect_len, version_len, upload_len;
	int64_t mtime, copy_mtime;
	int32_t nsec;
	uint64_t size;
};

struct journal_reading {
	struct slot slots[JOURNAL_PAGE_KEYS_MAX];
	struct buf texts;
};

static int take_text(struct journal_reading *reading, struct str text, size_t *ret_at, uint16_t *ret_len)
{
	if (text.len > UINT16_MAX)
		return -EBADMSG;
	*ret_at = reading->texts.len;
	*ret_len = (uint16_t)text.len;
	return buf_add_str(&reading->texts, text);
}

static struct str text_at(const struct journal_reading *reading, size_t at, uint16_t len)
{
	return str_n(buf_text(&reading->texts) + at, len);
}

static int take_key(struct journal_reading *reading, const struct journal_line *line)
{
	struct slot *slot = &reading->slots[line->index];
	slot->used = true;
	slot->mtime = line->time;
	slot->nsec = line->nsec;
	slot->size = line->size;
	slot->large = line->large;
	int error = take_text(reading, line->text, &slot->key, &slot->key_len);
	return error != 0 ? error : take_text(reading, line->etag, &slot->etag, &slot->etag_len);
}

static int take_answer(struct journal_reading *reading, const struct journal_line *line)
{
	struct slot *slot = &reading->slots[line->index];
	int error = 0;
	if (!slot->used)
		return -EBADMSG;
	switch (line->kind) {
	case JOURNAL_COPIED:
		slot->copied = true;
		slot->same_etag = line->same_etag;
		slot->copy_mtime = line->time;
		error = take_text(reading, line->etag, &slot->copy_etag, &slot->copy_etag_len);
		return error != 0 ? error
				  : take_text(reading, line->text, &slot->version, &slot->version_len);
	case JOURNAL_REFUSED:
		slot->refused = true;
		return 0;
	case JOURNAL_UPLOAD:
		return take_text(reading, line->text, &slot->upload, &slot->upload_len);
	case JOURNAL_EXPECT:
		return take_text(reading, line->etag, &slot->expect, &slot->expect_len);
	default:
		return -EBADMSG;
	}
}

static int read_keys(
	struct journal *journal, const struct journal_index *page, struct journal_reading *reading)
{
	struct journal_lines lines;
	struct journal_line line;
	int error = journal_lines_init(&lines, journal->fd, page->keys, page->keys_end);
	while (error == 0) {
		error = next_line(&lines, &line);
		if (error == 0)
			error = line.kind == JOURNAL_KEY ? take_key(reading, &line) : -EBADMSG;
	}
	journal_lines_release(&lines);
	return error == -ENODATA ? 0 : error;
}

static int read_answers(struct journal *journal, size_t number, struct journal_reading *reading)
{
	const struct journal_index *page = &journal->pages[number];
	struct journal_lines lines;
	struct journal_line line;
	int error = journal_lines_init(&lines, journal->fd, page->answers, page->answers_end);
	while (error == 0) {
		error = next_line(&lines, &line);
		/* Between them other pages' lines may lie. */
		if (error == 0 && line.kind != JOURNAL_PAGE && line.kind != JOURNAL_KEY &&
			line.page == number)
			error = take_answer(reading, &line);
	}
	journal_lines_release(&lines);
	return error == -ENODATA ? 0 : error;
}

/* The lines kept in memory; they are taken apart in a copy. */
static int read_kept(const struct buf *kept, struct journal_reading *reading)
{
	struct buf copy;
	struct journal_line line;
	buf_init(&copy, kept->len);
	int error = buf_add_str(&copy, buf_str(kept));
	for (size_t at = 0; error == 0 && at < copy.len;) {
		char *stop = memchr(copy.data + at, '\n', copy.len - at);
		size_t len = stop ? (size_t)(stop - copy.data) - at : 0;
		error = stop ? journal_parse(copy.data + at, len, &line) : -EBADMSG;
		if (error == 0)
			error = take_answer(reading, &line);
		at += len + 1;
	}
	buf_release(&copy);
	return error;
}

static int put_slot(const struct journal *journal, const struct journal_reading *reading,
	const struct slot *slot, const struct journal_index *page, struct buf *ret)
{
	char key[UINT16_MAX];
	struct str prefix = journal->intent.source.prefix, rest = text_at(reading, slot->key, slot->key_len);
	struct str etag = text_at(reading, slot->etag, slot->etag_len);
	bool expected = !slot->copied && slot->expect_len > 0;
	if (prefix.len + rest.len > sizeof(key))
		return -EBADMSG;
	memcpy(key, prefix.data, prefix.len);
	memcpy(key + prefix.len, rest.data, rest.len);
	struct record_entry entry = {
		.key = str_n(key, prefix.len + rest.len),
		.etag = etag,
		.mtime = slot->mtime,
		.mtime_nsec = slot->nsec,
		.size = slot->size,
		.copy_etag = expected ? text_at(reading, slot->expect, slot->expect_len)
			     : !slot->copied || slot->same_etag
				     ? etag
				     : text_at(reading, slot->copy_etag, slot->copy_etag_len),
		.copy_version = text_at(reading, slot->version, slot->version_len),
		.copy_mtime = slot->copied ? slot->copy_mtime : page->time,
		.upload = text_at(reading, slot->upload, slot->upload_len),
		.unknown = !slot->copied,
		.large = slot->large,
	};
	return record_put(ret, &entry);
}

static int journal_read_read_page(struct journal *journal, size_t number, bool unknown, struct buf *ret)
{
	const struct journal_index *page = &journal->pages[number];
	struct journal_reading *reading = calloc(1, sizeof(*reading));
	if (!reading)
		return -ENOMEM;
	buf_init(&reading->texts, PAGE_TEXTS_MAX);
	int error = read_keys(journal, page, reading);
	if (error == 0 && page->answers_end > 0)
		error = read_answers(journal, number, reading);
	if (error == 0 && page->kept)
		error = read_kept(page->kept, reading);
	for (unsigned i = 0; error == 0 && i < JOURNAL_PAGE_KEYS_MAX; i++) {
		const struct slot *slot = &reading->slots[i];
		if (slot->used && (slot->copied || (unknown && !slot->refused)))
			error = put_slot(journal, reading, slot, page, ret);
	}
	buf_release(&reading->texts);
	free(reading);
	return error;
}

int journal_next(struct journal *journal, bool unknown, struct buf *ret)
{
	buf_clear(ret);
	while (journal->next < journal->page_count) {
		int error = journal_read_read_page(journal, journal->next++, unknown, ret);
		if (error != 0 || ret->len > 0)
			return error;
	}
	return -ENODATA;
}
