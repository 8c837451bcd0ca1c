#include "engine/journal/journal_record.h"

#include <errno.h>

enum { TEXTS = 5 };

struct entry_head {
	int64_t mtime, copy_mtime;
	uint64_t size;
	int32_t mtime_nsec;
	uint16_t len[TEXTS];
	bool unknown, large;
};

int record_put(struct buf *page, const struct record_entry *entry)
{
	const struct str texts[TEXTS] = {
		entry->key, entry->etag, entry->copy_etag, entry->copy_version, entry->upload};
	struct entry_head head;
	memset(&head, 0, sizeof(head));
	head.mtime = entry->mtime;
	head.copy_mtime = entry->copy_mtime;
	head.size = entry->size;
	head.mtime_nsec = entry->mtime_nsec;
	head.unknown = entry->unknown;
	head.large = entry->large;
	for (unsigned i = 0; i < TEXTS; i++) {
		if (texts[i].len > UINT16_MAX)
			return -EINVAL;
		head.len[i] = (uint16_t)texts[i].len;
	}
	size_t before = page->len;
	int error = buf_add(page, &head, sizeof(head));
	for (unsigned i = 0; i < TEXTS && error == 0; i++)
		error = buf_add_str(page, texts[i]);
	if (error != 0)
		page->len = before; /* the buffer keeps its error: no caller goes on with half an entry */
	return error;
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
		.unknown = head.unknown,
		.large = head.large,
		.upload = texts[4],
	};
	*page = str_skip(*page, len);
	return 0;
}
