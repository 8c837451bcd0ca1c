/*
 * Fuzzes journals.  Bit 0 of the first byte: one line as it stands, or a whole file, whose lines are given
 * the checksum they lack (a forger with access would do the same), but for those that begin with '!'.
 *
 * A line that is accepted says the same when it is written again.  A file never holds more than was in it,
 * and every key that it gives lies below its source's prefix.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/journal/journal.h"
#include "engine/journal/journal_record.h"
#include "tests/fuzz/fuzz.h"

static const char name[] = "f.journal";
static struct journal_dir *dir;
static int dir_fd;

static void open_dir(void)
{
	char path[] = "/tmp/ferryfs-fuzz-XXXXXX", why[JOURNAL_WHY_MAX];

	if (dir)
		return;
	must(mkdtemp(path) && journal_dir_open(path, false, &dir, why) == 0);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir_fd >= 0);
}

static void clean(void)
{
	if (dir) {
		unlinkat(dir_fd, name, 0);
		rmdir(journal_dir_path(dir));
		close(dir_fd);
		journal_dir_free(dir);
		dir = NULL;
	}
}

static void put_checksum(struct buf *text, struct str payload)
{
	must(buf_addf(text, "%08x ", (unsigned)journal_crc(payload.data, payload.len)) == 0);
	must(buf_add_str(text, payload) == 0);
}

static void fuzz_line(struct str payload)
{
	struct journal_line line, again;
	struct buf text, copy;

	buf_init(&text, 1 << 17);
	buf_init(&copy, 1 << 17);
	put_checksum(&text, payload);
	if (journal_parse(text.data, text.len, &line) == 0) {
		int error = line.kind == JOURNAL_INTENT ? journal_put_intent(&copy, &line.intent)
							: journal_put(&copy, &line);

		/* Escaped throughout, it may have become too long. */
		if (error == 0) {
			must(copy.data[copy.len - 1] == '\n');
			must(journal_parse(copy.data, copy.len - 1, &again) == 0);
			must(again.kind == line.kind && again.page == line.page && again.index == line.index);
			must(again.count == line.count && again.time == line.time && again.size == line.size);
			must(str_eq(again.text, line.text) && str_eq(again.etag, line.etag));
			must(again.same_etag == line.same_etag && again.large == line.large);
			must(again.index < JOURNAL_PAGE_KEYS_MAX);
			must(str_eq(again.intent.source.prefix, line.intent.source.prefix));
			must(str_eq(again.intent.destination.bucket, line.intent.destination.bucket));
		}
	}
	buf_release(&text);
	buf_release(&copy);
}

static void check_pages(struct journal *journal, bool unknown)
{
	struct record_entry entry;
	uint64_t entries = 0;
	struct buf page;

	buf_init(&page, RECORD_PAGE_MAX);
	journal_rewind(journal);
	while (journal_next(journal, unknown, &page) == 0) {
		struct str at = buf_str(&page);

		while (at.len > 0) {
			must(record_get(&at, &entry) == 0);
			must(str_has_prefix(entry.key, journal_intent(journal)->source.prefix));
			must(unknown || !entry.unknown);
			entries++;
		}
	}
	must(entries <= journal_keys(journal));
	buf_release(&page);
}

static void fuzz_file(struct str rest)
{
	struct journal *journal = NULL;
	struct buf text;

	open_dir();
	buf_init(&text, 1 << 18);
	while (rest.len > 0) {
		bool last = !memchr(rest.data, '\n', rest.len);
		struct str line = next_part(&rest, '\n');

		if (line.len > 0 && line.data[0] == '!')
			must(buf_add_str(&text, str_skip(line, 1)) == 0);
		else
			put_checksum(&text, line);
		if (!last)
			buf_add_char(&text, '\n');
	}
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd >= 0 && write(fd, buf_text(&text), text.len) == (ssize_t)text.len);
	close(fd);
	int error = journal_open(dir, name, &journal);

	must(error == 0 || error == -EBADMSG);
	if (error == 0) {
		check_pages(journal, true);
		check_pages(journal, false);
		journal_free(journal);
	}
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool registered;

	if (!registered)
		registered = atexit(clean) == 0;
	if (size < 1 || size > 1 << 14)
		return 0;
	struct str rest = str_n((const char *)data + 1, size - 1);

	if (data[0] & 1)
		fuzz_line(rest);
	else
		fuzz_file(rest);
	return 0;
}
