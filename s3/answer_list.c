/*
 * Listings.  While the document is read, keys stand in the page as they came.  Whether they are
 * percent-encoded is known only at its end (EncodingType may come after them), so they are decoded in place
 * there, and only then is it checked that each is one that was asked for.
 *
 * Fields that nothing depends on may be odd: a time that can't be read is unknown, a storage class that no
 * header can carry is none.  An entry without a key, size or ETag that can be used is marked and left out at
 * the end, and the page says so; a sign that the answer is none to this request (a key outside of the prefix)
 * makes the whole answer unusable.
 */
#include <errno.h>

#include "s3/answer_internal.h"
#include "s3/when.h"

/* Past a bound of ours the answer is no good; memory is another matter. */
static int page_error(int error)
{
	return error == -EOVERFLOW ? -EBADMSG : error;
}

/* Adds the entry that the following elements describe. */
static int start_entry(struct answer_parser *parser, unsigned max)
{
	parser->has_key = false;
	parser->has_size = false;
	return page_error(page_add(parser->sinks.page, max, &parser->entry));
}

/* This entry can't be used; the page still can.  Memory is another matter. */
static int odd(struct answer_parser *parser, int error)
{
	if (error == -EBADMSG) {
		parser->entry->unusable = true;
		return 0;
	}
	return error;
}

/* A key may have up to three bytes for each of its own where it is encoded. */
static int take_key(struct answer_parser *parser, const struct xml_text *text, struct str *ret)
{
	int error = answer_text(text);
	if (error != 0)
		return error;
	if (text->text.len > 3 * KEY_MAX)
		return -EBADMSG;
	return page_error(page_text(parser->sinks.page, text->text, ret));
}

static int take_entry_key(struct answer_parser *parser, const struct xml_text *text)
{
	if (parser->has_key)
		return odd(parser, -EBADMSG);
	parser->has_key = true;
	return odd(parser, take_key(parser, text, &parser->entry->key));
}

static void take_time(struct answer_parser *parser, const struct xml_text *text)
{
	struct page_entry *entry = parser->entry;
	if (answer_text(text) != 0 || when_parse(text->text, &entry->mtime, &entry->mtime_nsec) != 0) {
		entry->mtime = 0;
		entry->mtime_nsec = 0;
	}
}

/* A text that goes into requests: an ETag or upload id. */
static int take_tag(struct answer_parser *parser, const struct xml_text *text, size_t max)
{
	struct str tag;
	int error = answer_text(text);
	if (error == 0)
		error = answer_trim(text->text, max, &tag);
	if (error != 0)
		return odd(parser, error);
	return page_error(page_text(parser->sinks.page, tag, &parser->entry->etag));
}

static int take_storage_class(struct answer_parser *parser, const struct xml_text *text)
{
	struct page *page = parser->sinks.page;
	struct str name;
	int error = answer_text(text);
	if (error == 0)
		error = answer_trim(text->text, STORAGE_CLASS_MAX, &name);
	if (error != 0)
		return 0;
	/* nearly always the one before's */
	if (page->count > 1 && str_eq(name, parser->entry[-1].storage_class)) {
		parser->entry->storage_class = parser->entry[-1].storage_class;
		return 0;
	}
	return page_error(page_text(page, name, &parser->entry->storage_class));
}

static int take_truncated(struct answer_parser *parser, const struct xml_text *text)
{
	bool yes = str_eq(text->text, STR("true"));
	if (!yes && !str_eq(text->text, STR("false")))
		return -EBADMSG;
	parser->sinks.page->truncated = yes;
	return 0;
}

/* A token that was lost is as good as none: the listing goes on by start_after. */
static int take_token(struct answer_parser *parser, const struct xml_text *text)
{
	if (answer_text(text) != 0 || text->text.len == 0)
		return 0;
	return page_error(page_text(parser->sinks.page, text->text, &parser->sinks.page->token));
}

static int take_encoding(struct answer_parser *parser, const struct xml_text *text)
{
	parser->encoded = str_eq(text->text, STR("url"));
	return parser->encoded || text->text.len == 0 ? 0 : -EBADMSG;
}

/* ---- at the end ---- */

static int decode(struct answer_parser *parser, struct str *key)
{
	struct page *page = parser->sinks.page;
	if (!parser->encoded || (!memchr(key->data, '%', key->len) && !memchr(key->data, '+', key->len)))
		return 0;
	buf_clear(&parser->key);
	int error = key_decode(&parser->key, *key, true);
	if (error != 0)
		return error;
	memcpy(page->arena.data + (key->data - page->arena.data), parser->key.data, parser->key.len);
	key->len = parser->key.len;
	return 0;
}

/* May a listing that goes on after `after` have this?  A common prefix may cover keys on both sides of it. */
static bool is_after(const struct answer_parser *parser, const struct page_entry *entry, struct str after)
{
	if (!after.data || str_cmp(entry->key, after) > 0)
		return true;
	if (entry->is_prefix)
		return str_has_prefix(after, entry->key);
	/* uploads of one key may be on two pages */
	return parser->request->op == S3_LIST_UPLOADS && str_eq(entry->key, after);
}

static int check_entry(const struct answer_parser *parser, const struct page_entry *entry)
{
	const struct s3_request *request = parser->request;
	struct str key = entry->key;
	if (key.len == 0 || key.len > KEY_MAX || !str_has_prefix(key, request->prefix))
		return -EBADMSG;
	/* A common prefix that adds nothing would make a directory contain itself. */
	if (entry->is_prefix && (request->delimiter.len == 0 || !str_has_suffix(key, request->delimiter) ||
					key.len < request->prefix.len + request->delimiter.len))
		return -EBADMSG;
	return is_after(parser, entry, request->start_after) ? 0 : -EBADMSG;
}

/* An entry that can't be used: told by the page, or the end of it. */
static int leave_out(struct page *page, const struct page_entry *entry)
{
	if (!page->lenient)
		return -EBADMSG;
	if (page->left_out++ == 0)
		page->left_out_key = entry->key;
	return 0;
}

static int decode_entry(struct answer_parser *parser, struct page_entry *entry)
{
	int error = entry->key.len > 0 ? decode(parser, &entry->key) : -EBADMSG;
	if (error != 0 || entry->key.len > KEY_MAX)
		return odd(parser, error != 0 ? error : -EBADMSG);
	return check_entry(parser, entry);
}

static int decode_entries(struct answer_parser *parser, struct str *ret_last)
{
	struct page *page = parser->sinks.page;
	struct str last = STR_NONE;
	unsigned kept = 0;
	for (unsigned i = 0; i < page->count; i++) {
		struct page_entry *entry = parser->entry = &page->entries[i];
		int error = decode_entry(parser, entry);
		if (error == 0 && entry->unusable)
			error = leave_out(page, entry);
		if (error != 0)
			return error;
		if (entry->key.len > 0 && (!last.data || str_cmp(entry->key, last) > 0))
			last = entry->key;
		if (!entry->unusable)
			page->entries[kept++] = *entry;
	}
	page->count = kept;
	*ret_last = last;
	return 0;
}

/* There is more, but no way to ask for it. */
static bool is_stuck(const struct page *page)
{
	return page->truncated && !page->token.data && !page->last.data;
}

/* ---- ListBucketResult ---- */

static int objects_open(struct answer_parser *parser)
{
	if (!parser->sinks.page || !answer_at(parser, 2, EL_LIST_BUCKET_RESULT))
		return 0;
	return xml_name(parser->xml, 2) == EL_CONTENTS ? start_entry(parser, PAGE_ENTRIES_MAX) : 0;
}

static int contents_field(struct answer_parser *parser, const struct xml_text *text)
{
	switch (xml_name(parser->xml, 3)) {
	case EL_KEY:
		return take_entry_key(parser, text);
	case EL_LAST_MODIFIED:
		take_time(parser, text);
		return 0;
	case EL_ETAG:
		return take_tag(parser, text, ETAG_MAX);
	case EL_SIZE:
		parser->has_size = true;
		if (answer_text(text) != 0 || answer_uint(text->text, &parser->entry->size) != 0)
			return odd(parser, -EBADMSG);
		return 0;
	case EL_STORAGE_CLASS:
		return take_storage_class(parser, text);
	default:
		return 0;
	}
}

static int common_prefix(struct answer_parser *parser, const struct xml_text *text)
{
	if (xml_name(parser->xml, 3) != EL_PREFIX)
		return 0;
	int error = start_entry(parser, PAGE_ENTRIES_MAX);
	if (error != 0)
		return error;
	parser->entry->is_prefix = true;
	return take_entry_key(parser, text);
}

static int objects_close(struct answer_parser *parser, const struct xml_text *text)
{
	if (!parser->sinks.page)
		return 0;
	if (answer_at(parser, 3, EL_CONTENTS))
		return contents_field(parser, text);
	if (answer_at(parser, 3, EL_COMMON_PREFIXES))
		return common_prefix(parser, text);
	if (xml_depth(parser->xml) != 2)
		return 0;
	switch (xml_name(parser->xml, 2)) {
	case EL_CONTENTS:
		return parser->has_key && parser->has_size ? 0 : odd(parser, -EBADMSG);
	case EL_IS_TRUNCATED:
		return take_truncated(parser, text);
	case EL_NEXT_TOKEN:
		return take_token(parser, text);
	case EL_ENCODING_TYPE:
		return take_encoding(parser, text);
	default:
		return 0;
	}
}

static int objects_end(struct answer_parser *parser)
{
	struct page *page = parser->sinks.page;
	if (!page)
		return 0;
	int error = decode_entries(parser, &page->last);
	if (error != 0)
		return error;
	if (page->token.data)
		page->truncated = true;
	return is_stuck(page) ? -EBADMSG : 0;
}

const struct answer_document answer_objects_document = {
	.open = objects_open,
	.close = objects_close,
	.end = objects_end,
};

/* ---- ListAllMyBucketsResult: its names are never encoded ---- */

static bool in_buckets(const struct answer_parser *parser, unsigned depth, enum answer_element parent)
{
	return parser->sinks.page && answer_at(parser, depth, parent) &&
	       xml_name(parser->xml, 2) == EL_BUCKETS;
}

static int buckets_open(struct answer_parser *parser)
{
	if (!in_buckets(parser, 3, EL_BUCKETS) || xml_name(parser->xml, 3) != EL_BUCKET)
		return 0;
	return start_entry(parser, PAGE_BUCKETS_MAX);
}

static int buckets_close(struct answer_parser *parser, const struct xml_text *text)
{
	if (in_buckets(parser, 4, EL_BUCKET)) {
		if (xml_name(parser->xml, 4) == EL_NAME)
			return take_entry_key(parser, text);
		if (xml_name(parser->xml, 4) == EL_CREATION_DATE)
			take_time(parser, text);
		return 0;
	}
	if (in_buckets(parser, 3, EL_BUCKETS) && xml_name(parser->xml, 3) == EL_BUCKET)
		return parser->has_key ? 0 : -EBADMSG;
	if (parser->sinks.page && xml_depth(parser->xml) == 2 && xml_name(parser->xml, 2) == EL_TOKEN)
		return take_token(parser, text);
	return 0;
}

static int buckets_end(struct answer_parser *parser)
{
	struct page *page = parser->sinks.page;
	if (!page)
		return 0;
	for (unsigned i = 0; i < page->count; i++) {
		if (page->entries[i].unusable || page->entries[i].key.len == 0 ||
			page->entries[i].key.len > BUCKET_MAX)
			return -EBADMSG;
		if (!page->last.data || str_cmp(page->entries[i].key, page->last) > 0)
			page->last = page->entries[i].key;
	}
	page->truncated = page->token.data;
	return 0;
}

const struct answer_document answer_buckets_document = {
	.open = buckets_open,
	.close = buckets_close,
	.end = buckets_end,
};

/* ---- ListMultipartUploadsResult ---- */

static int uploads_open(struct answer_parser *parser)
{
	if (!parser->sinks.page || !answer_at(parser, 2, EL_LIST_UPLOADS_RESULT))
		return 0;
	return xml_name(parser->xml, 2) == EL_UPLOAD ? start_entry(parser, PAGE_ENTRIES_MAX) : 0;
}

static int upload_field(struct answer_parser *parser, const struct xml_text *text)
{
	switch (xml_name(parser->xml, 3)) {
	case EL_KEY:
		return take_entry_key(parser, text);
	case EL_UPLOAD_ID:
		return take_tag(parser, text, UPLOAD_ID_MAX);
	case EL_INITIATED:
		take_time(parser, text);
		return 0;
	case EL_STORAGE_CLASS:
		return take_storage_class(parser, text);
	default:
		return 0;
	}
}

static int uploads_close(struct answer_parser *parser, const struct xml_text *text)
{
	struct page *page = parser->sinks.page;
	if (!page)
		return 0;
	if (answer_at(parser, 3, EL_UPLOAD))
		return upload_field(parser, text);
	if (answer_at(parser, 3, EL_COMMON_PREFIXES))
		return common_prefix(parser, text);
	if (xml_depth(parser->xml) != 2)
		return 0;
	switch (xml_name(parser->xml, 2)) {
	case EL_UPLOAD:
		return parser->has_key && parser->entry->etag.len > 0 ? 0 : odd(parser, -EBADMSG);
	case EL_IS_TRUNCATED:
		return take_truncated(parser, text);
	case EL_NEXT_UPLOAD_MARKER:
		return take_token(parser, text);
	case EL_NEXT_KEY_MARKER:
		/* lost or empty: the greatest key serves */
		return answer_text(text) != 0 || text->text.len == 0 ? 0
								     : take_key(parser, text, &page->last);
	case EL_ENCODING_TYPE:
		return take_encoding(parser, text);
	default:
		return 0;
	}
}

static int uploads_end(struct answer_parser *parser)
{
	struct page *page = parser->sinks.page;
	if (!page)
		return 0;
	struct str last;
	int error = decode_entries(parser, &last);
	if (error == 0 && page->last.data)
		error = decode(parser, &page->last);
	if (error != 0)
		return error;
	if (!page->last.data)
		page->last = last;
	return is_stuck(page) ? -EBADMSG : 0;
}

const struct answer_document answer_uploads_document = {
	.open = uploads_open,
	.close = uploads_close,
	.end = uploads_end,
};
