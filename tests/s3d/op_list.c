/*
 * ListObjectsV2 and its predecessor.  The page is gathered by seeks in the tree: a common prefix costs one
 * search, however many keys lie below it.
 */
#include "tests/s3d/reply.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_MAX 1000

struct page {
	struct req *req;
	struct span prefix, delimiter;
	struct span from; /* where to begin: after this key, or after all keys below it */
	bool from_is_prefix;
	bool v2, url, owner;
	uint64_t max, count;
	bool truncated;
	struct buf contents, prefixes;
	struct buf last; /* 'k' and a key, or 'p' and a common prefix: where the next page begins */
	struct buf token;
	bool bad_xml;
};

/* encoding-type=url as AWS does it: / stays, a space becomes +. */
static void encode(struct buf *b, struct span s)
{
	while (s.n) {
		const char *space = memchr(s.p, ' ', s.n);
		size_t n = space ? (size_t)(space - s.p) : s.n;

		buf_uri(b, (struct span){s.p, n}, "/");
		if (space)
			buf_char(b, '+');
		s.p += n + (space != NULL);
		s.n -= n + (space != NULL);
	}
}

static void put_name(struct page *page, struct buf *b, const char *element, struct span name)
{
	buf_char(b, '<');
	buf_str(b, element);
	buf_char(b, '>');
	if (page->url) {
		encode(b, name);
	} else {
		page->bad_xml = page->bad_xml || !xml_can_carry(name);
		buf_xml(b, name);
	}
	buf_put(b, "</", 2);
	buf_str(b, element);
	buf_char(b, '>');
}

static void put_owner(struct buf *b)
{
	buf_str(b, "<Owner><ID>s3d</ID><DisplayName>s3d</DisplayName></Owner>");
}

static void put_object(struct page *page, const struct object *object)
{
	struct buf *b = &page->contents;

	buf_str(b, "<Contents>");
	put_name(page, b, "Key", object_key(object));
	xml_modified(b, page->req, object);
	xml_etag(b, page->req, object->md5, object->parts);
	xml_number(b, "Size", body_size(object->body));
	if (page->owner)
		put_owner(b);
	xml_text(b, "StorageClass", span_of(object_storage_class(object)));
	buf_str(b, "</Contents>");
}

static void remember(struct page *page, char kind, struct span name)
{
	page->last.len = 0;
	buf_char(&page->last, kind);
	buf_put(&page->last, name.p, name.n);
}

/* The first object behind every key that starts with `prefix`. */
static struct object *seek_behind(const struct bucket *bucket, struct span prefix)
{
	char next[4 * KEY_MAX_BYTES];
	size_t n = prefix.n;

	if (n > sizeof(next))
		return NULL;
	memcpy(next, prefix.p, n);
	while (n && (unsigned char)next[n - 1] == 0xff)
		n--;
	if (!n)
		return NULL;
	next[n - 1] = (char)((unsigned char)next[n - 1] + 1);
	return bucket_seek(bucket, (struct span){next, n}, false);
}

/* The common prefix a key falls under; n is 0 when it is listed itself. */
static struct span common_prefix(const struct page *page, struct span key)
{
	const char *from = key.p + page->prefix.n, *at;

	if (!page->delimiter.n)
		return (struct span){0};
	at = memmem(from, key.n - page->prefix.n, page->delimiter.p, page->delimiter.n);
	return at ? (struct span){key.p, (size_t)(at - key.p) + page->delimiter.n} : (struct span){0};
}

static struct object *first_object(const struct page *page)
{
	const struct bucket *bucket = page->req->b;

	if (page->from_is_prefix && page->from.n)
		return seek_behind(bucket, page->from);
	if (page->from.n && span_cmp(page->from, page->prefix) >= 0)
		return bucket_seek(bucket, page->from, true);
	return bucket_seek(bucket, page->prefix, false);
}

static void gather(struct page *page)
{
	struct object *object = page->max ? first_object(page) : NULL;

	while (object && span_starts(object_key(object), page->prefix)) {
		struct span key = object_key(object), common = common_prefix(page, key);

		if (page->count == page->max) {
			page->truncated = true;
			return;
		}
		page->count++;
		if (common.n) {
			buf_str(&page->prefixes, "<CommonPrefixes>");
			put_name(page, &page->prefixes, "Prefix", common);
			buf_str(&page->prefixes, "</CommonPrefixes>");
			remember(page, 'p', common);
			object = seek_behind(page->req->b, common);
		} else {
			put_object(page, object);
			remember(page, 'k', key);
			object = bucket_next(object);
		}
	}
}

static void head_v2(struct page *page, struct buf *b)
{
	struct span token = req_param(page->req, "continuation-token");
	struct span start = req_param(page->req, "start-after");

	xml_number(b, "KeyCount", page->count);
	if (token.p)
		xml_text(b, "ContinuationToken", token);
	if (start.p && !token.p)
		put_name(page, b, "StartAfter", start);
	if (page->truncated) {
		struct buf next = {0};

		base64_encode(&next, (unsigned char *)page->last.p, page->last.len);
		xml_text(b, "NextContinuationToken", (struct span){next.p, next.len});
		buf_release(&next);
	}
}

static void head_v1(struct page *page, struct buf *b)
{
	struct span marker = req_param(page->req, "marker");

	put_name(page, b, "Marker", marker.p ? marker : span_of(""));
	/* AWS gives NextMarker only with a delimiter; otherwise the last key serves. */
	if (page->truncated && page->delimiter.n)
		put_name(page, b, "NextMarker", (struct span){page->last.p + 1, page->last.len - 1});
}

static void send_page(struct page *page)
{
	struct req *req = page->req;
	struct buf *b = reply_xml(req, "ListBucketResult");

	xml_text(b, "Name", span_of(req->b->name));
	put_name(page, b, "Prefix", page->prefix);
	if (page->delimiter.n)
		put_name(page, b, "Delimiter", page->delimiter);
	xml_number(b, "MaxKeys", page->max);
	if (page->url)
		xml_text(b, "EncodingType", span_of("url"));
	xml_text(b, "IsTruncated", span_of(page->truncated ? "true" : "false"));
	if (page->v2)
		head_v2(page, b);
	else
		head_v1(page, b);
	if (req->verdict.action == FAULT_OUTSIDE)
		buf_printf(b,
			"<Contents><Key>%coutside</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified>"
			"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
			"<StorageClass>STANDARD</StorageClass></Contents>",
			page->prefix.n && page->prefix.p[0] == '!' ? '~' : '!');
	buf_put(b, page->contents.p, page->contents.len);
	buf_put(b, page->prefixes.p, page->prefixes.len);
	buf_str(b, "</ListBucketResult>");
	b->failed |= page->contents.failed || page->prefixes.failed || page->last.failed;
	if (page->bad_xml && req->server->config.refuse_bad_xml)
		reply_error(req, "InternalError");
}

static int read_token(struct page *page, struct span token)
{
	int n;

	if (buf_reserve(&page->token, token.n) < 0)
		return -ENOMEM;
	n = base64_decode(token, (unsigned char *)page->token.p, token.n);
	if (n < 1 || (page->token.p[0] != 'k' && page->token.p[0] != 'p'))
		return -EINVAL;
	page->from = (struct span){page->token.p + 1, (size_t)n - 1};
	page->from_is_prefix = page->token.p[0] == 'p';
	return 0;
}

static const char *read_params(struct page *page)
{
	struct req *req = page->req;
	struct span token = req_param(req, "continuation-token"), encoding = req_param(req, "encoding-type");
	int r = req_param_number(req, "max-keys", &page->max);

	if (r == -EINVAL)
		return "InvalidArgument";
	if (r == -ENOENT || page->max > PAGE_MAX)
		page->max = PAGE_MAX;
	if (encoding.p && !span_is(encoding, "url"))
		return "InvalidArgument";
	page->url = encoding.p && req->server->config.encoding_type;
	page->v2 = span_is(req_param(req, "list-type"), "2");
	page->owner = !page->v2 || span_is(req_param(req, "fetch-owner"), "true");
	page->prefix = req_param(req, "prefix");
	page->delimiter = req_param(req, "delimiter");
	page->from = req_param(req, page->v2 ? "start-after" : "marker");
	/* V1: a marker that is a common prefix is behind all of it. */
	page->from_is_prefix = !page->v2 && page->delimiter.n && page->from.n >= page->delimiter.n &&
			       page->from.n > page->prefix.n && span_starts(page->from, page->prefix) &&
			       memcmp(page->from.p + page->from.n - page->delimiter.n, page->delimiter.p,
				       page->delimiter.n) == 0;
	if (page->v2 && token.p)
		return read_token(page, token) < 0 ? "InvalidArgument" : NULL;
	return NULL;
}

void op_list(struct req *req)
{
	struct page page = {.req = req};
	const char *code = read_params(&page);

	if (code) {
		reply_error(req, code);
	} else {
		gather(&page);
		send_page(&page);
	}
	buf_release(&page.contents);
	buf_release(&page.prefixes);
	buf_release(&page.last);
	buf_release(&page.token);
}
