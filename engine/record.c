#include "engine/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXTS = 4, PATH_LEN_MAX = 4096 };

static const char dir_default[] = "/var/tmp";

struct record {
	int fd;
	uint64_t size, at;
};

struct page_head {
	uint32_t magic;
	uint32_t len;
};

/* What precedes the texts of an entry, in this machine's byte order: the file does not outlive its process.
 */
struct entry_head {
	int64_t mtime, copy_mtime;
	uint64_t size;
	int32_t mtime_nsec;
	uint16_t len[TEXTS];
};

static const uint32_t page_magic = 0x46527231;

static int open_nameless(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return -errno;
	char path[PATH_LEN_MAX];
	struct buf name;
	buf_init(&name, sizeof(path) - 1);
	buf_add_text(&name, dir);
	int err = buf_add_text(&name, "/ferryfs-XXXXXX");
	if (err == 0)
		memcpy(path, name.data, name.len + 1);
	buf_release(&name);
	if (err != 0)
		return err;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int record_new(struct record **ret)
{
	const char *dir = getenv("TMPDIR");
	struct record *record = calloc(1, sizeof(*record));
	if (record == NULL)
		return -ENOMEM;
	record->fd = open_nameless(dir != NULL && dir[0] == '/' ? dir : dir_default);
	if (record->fd < 0) {
		int err = record->fd;
		free(record);
		return err;
	}
	*ret = record;
	return 0;
}

void record_free(struct record *record)
{
	if (record == NULL)
		return;
	close(record->fd);
	free(record);
}

static int write_all(struct record *record, const void *data, size_t len)
{
	const char *at = data;
	while (len > 0) {
		ssize_t n = pwrite(record->fd, at, len, (off_t)record->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
		record->size += (uint64_t)n;
	}
	return 0;
}

int record_append(struct record *record, struct str page)
{
	if (page.len == 0)
		return 0;
	struct page_head head = {.magic = page_magic, .len = (uint32_t)page.len};
	uint64_t size = record->size;
	int err = write_all(record, &head, sizeof(head));
	if (err == 0)
		err = write_all(record, page.data, page.len);
	if (err != 0)
		record->size = size; /* a page is there whole or not at all */
	return err;
}

bool record_empty(const struct record *record)
{
	return record->size == 0;
}

int record_sync(struct record *record)
{
	return fdatasync(record->fd) == 0 ? 0 : -errno;
}

void record_rewind(struct record *record)
{
	record->at = 0;
}

static int read_all(struct record *record, void *data, size_t len)
{
	char *to = data;
	while (len > 0) {
		ssize_t n = pread(record->fd, to, len, (off_t)record->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		to += n;
		len -= (size_t)n;
		record->at += (uint64_t)n;
	}
	return 0;
}

int record_next(struct record *record, struct buf *ret)
{
	struct page_head head;
	if (record->at >= record->size)
		return -ENODATA;
	int err = read_all(record, &head, sizeof(head));
	if (err != 0)
		return err;
	if (head.magic != page_magic || head.len > RECORD_PAGE_MAX || head.len > record->size - record->at)
		return -EBADMSG;
	buf_clear(ret);
	char chunk[16384];
	for (uint32_t left = head.len; left > 0 && err == 0;) {
		uint32_t len = left < sizeof(chunk) ? left : (uint32_t)sizeof(chunk);
		err = read_all(record, chunk, len);
		if (err == 0)
			err = buf_add(ret, chunk, len);
		left -= len;
	}
	return err;
}

int record_put(struct buf *page, const struct record_entry *entry)
{
	const struct str texts[TEXTS] = {entry->key, entry->etag, entry->copy_etag, entry->copy_version};
	struct entry_head head;
	memset(&head, 0, sizeof(head));
	head.mtime = entry->mtime;
	head.copy_mtime = entry->copy_mtime;
	head.size = entry->size;
	head.mtime_nsec = entry->mtime_nsec;
	for (unsigned i = 0; i < TEXTS; i++) {
		if (texts[i].len > UINT16_MAX)
			return -EINVAL;
		head.len[i] = (uint16_t)texts[i].len;
	}
	size_t before = page->len;
	int err = buf_add(page, &head, sizeof(head));
	for (unsigned i = 0; i < TEXTS && err == 0; i++)
		err = buf_add_str(page, texts[i]);
	if (err != 0)
		page->len = before; /* the buffer keeps its error: nobody goes on with half an entry */
	return err;
}

int record_get(struct str *page, struct record_entry *ret)
{
	struct entry_head head;
	if (page->len == 0)
		return -ENODATA;
	if (page->len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, page->data, sizeof(head));
	size_t len = sizeof(head);
	struct str texts[TEXTS];
	for (unsigned i = 0; i < TEXTS; i++) {
		if (page->len - len < head.len[i])
			return -EBADMSG;
		texts[i] = str_n(page->data + len, head.len[i]);
		len += head.len[i];
	}
	*ret = (struct record_entry){
		.key = texts[0],
		.etag = texts[1],
		.mtime = head.mtime,
		.mtime_nsec = head.mtime_nsec,
		.size = head.size,
		.copy_etag = texts[2],
		.copy_version = texts[3],
		.copy_mtime = head.copy_mtime,
	};
	*page = str_skip(*page, len);
	return 0;
}
