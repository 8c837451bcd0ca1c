#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "s3/answer.h"
#include "tests/unit/answer_feed.h"

#define LIST_HEAD                                                                                            \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "                                     \
	"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
#define ENTRY(key)                                                                                           \
	"<Contents><Key>" key "</Key><LastModified>2026-11-23T01:02:03.500Z</LastModified>"                  \
	"<ETag>&quot;e1&quot;</ETag><Size>7</Size><Owner><ID>Key</ID></Owner><StorageClass>STANDARD</"       \
	"StorageClass>"                                                                                      \
	"</Contents>"
#define LIST_TAIL "</ListBucketResult>"
#define URL "<EncodingType>url</EncodingType>"

static struct page *page;

static int make_page(void **state)
{
	return page_new(&page);
}

static int free_page(void **state)
{
	page_free(page);
	return 0;
}

static struct s3_request list_of(const char *prefix, const char *delimiter)
{
	return (struct s3_request){
		.op = S3_LIST_OBJECTS,
		.bucket = STR("b"),
		.prefix = str_of(prefix),
		.delimiter = str_of(delimiter),
	};
}

static void assert_str(struct str s, struct str expected)
{
	assert_int_equal(s.len, expected.len);
	assert_memory_equal(s.data, expected.data, expected.len);
}

static void is_bad(struct s3_request request, struct str body)
{
	feed_all(&(struct feed){request, OK_XML, body, {.page = page}, -EBADMSG, NULL, NULL});
}

/* ---- page ---- */

static void texts_stay_when_the_arena_moves(void **state)
{
	page_clear(page);
	char text[100];
	for (unsigned i = 0; i < PAGE_ENTRIES_MAX; i++) {
		struct page_entry *entry;
		assert_int_equal(page_add(page, PAGE_ENTRIES_MAX, &entry), 0);
		snprintf(text, sizeof(text), "key %u %050u", i, i);
		assert_int_equal(page_text(page, str_of(text), &entry->key), 0);
		assert_int_equal(page_text(page, str_n(text, 6), &entry->etag), 0);
		if (i == 0)
			assert_int_equal(page_text(page, STR("token"), &page->token), 0);
	}
	struct page_entry *more;
	assert_int_equal(page_add(page, PAGE_ENTRIES_MAX, &more), -EOVERFLOW);
	for (unsigned i = 0; i < PAGE_ENTRIES_MAX; i++) {
		snprintf(text, sizeof(text), "key %u %050u", i, i);
		assert_str(page->entries[i].key, str_of(text));
		assert_str(page->entries[i].etag, str_n(text, 6));
		assert_str(page->entries[i].storage_class, STR(""));
	}
	assert_str(page->token, STR("token"));
	page_clear(page);
	assert_int_equal(page->count, 0);
	assert_null(page->token.data);
}

static void arena_is_bounded(void **state)
{
	page_clear(page);
	char *text = calloc(1, PAGE_BYTES_MAX);
	struct str ret = STR("old");
	assert_int_equal(page_text(page, str_n(text, PAGE_BYTES_MAX), &ret), 0);
	ret = STR("old");
	assert_int_equal(page_text(page, STR("x"), &ret), -EOVERFLOW);
	assert_str(ret, STR("old"));
	free(text);
	page_clear(page);
	page_free(NULL);
}

/* ---- ListObjectsV2 ---- */

static void check_plain(const struct s3_answer *answer, void *user)
{
	assert_int_equal(answer->status, 200);
	assert_int_equal(s3_answer_errno(answer), 0);
	assert_int_equal(page->count, 3);
	struct page_entry *a = &page->entries[0], *p = &page->entries[2];
	assert_str(a->key, STR("d/a b+c"));
	assert_str(a->etag, STR("e1"));
	assert_str(a->storage_class, STR("STANDARD"));
	assert_int_equal(a->size, 7);
	assert_int_equal(a->mtime, 1795395723);
	assert_int_equal(a->mtime_nsec, 500000000);
	assert_false(a->is_prefix);
	assert_str(page->entries[1].key, STR("d/nul\0\x01\xff"));
	assert_str(p->key, STR("d/z z/"));
	assert_true(p->is_prefix);
	assert_true(page->truncated);
	assert_str(page->token, STR("t%2B+=="));
	assert_str(page->last, STR("d/z z/"));
}

/* EncodingType before the entries, and after them: keys are decoded either way, the token never. */
static void reads_a_page(void **state)
{
	static const struct str bodies[] = {
		STR(LIST_HEAD URL
			"<Prefix>d/</Prefix><IsTruncated>true</IsTruncated><NextContinuationToken>t%2B+=="
			"</NextContinuationToken>" ENTRY("d/a+b%2Bc")
				ENTRY("d%2Fnul%00%01%FF") "<CommonPrefixes><Prefix>d/z+z/</Prefix></"
							  "CommonPrefixes>" LIST_TAIL),
		STR(LIST_HEAD ENTRY("d/a%20b%2bc") ENTRY(
			"d/nul%00%01%ff") "<CommonPrefixes>\n "
					  "<Prefix>d/z%20z%2f</Prefix>\n</CommonPrefixes><IsTruncated>true</"
					  "IsTruncated>"
					  "<NextContinuationToken>t%2B+==</NextContinuationToken>" URL
						  LIST_TAIL "\n"),
	};
	for (size_t i = 0; i < 2; i++) {
		struct feed feed = {
			list_of("d/", "/"), OK_XML, bodies[i], {.page = page}, 0, check_plain, NULL};
		feed_all(&feed);
	}
	struct feed feed = {list_of("d/", "/"), OK_XML, bodies[0], {.page = page}, 0, NULL, NULL};
	feed_cut_off(&feed);
}

static void check_raw(const struct s3_answer *answer, void *user)
{
	assert_int_equal(page->count, 1);
	assert_str(page->entries[0].key, STR("a%20+<&\xf4\x8f\xbf\xbd"));
	assert_false(page->truncated);
	assert_null(page->token.data);
}

/* Without EncodingType nothing is decoded.  (The last character is the one the XML filter uses as its mark.)
 */
static void reads_raw_keys(void **state)
{
	struct feed feed = {list_of(NULL, NULL), OK_XML,
		STR(LIST_HEAD ENTRY(
			"a%20+&lt;&#38;\xf4\x8f\xbf\xbd") "<IsTruncated>false</IsTruncated>" LIST_TAIL),
		{.page = page}, 0, check_raw, NULL};
	feed_all(&feed);
}

static void check_no_token(const struct s3_answer *answer, void *user)
{
	assert_true(page->truncated);
	assert_null(page->token.data);
	assert_int_equal(page->count, 1);
	assert_str(page->entries[0].key, STR("b\x01"));
	assert_str(page->last, STR("b\x01"));
}

/* Ceph 16: the token and the echoes are raw keys, whatever is in them; before the entries or after them. */
static void survives_what_xml_cannot_carry(void **state)
{
	static const char *const raw[] = {
		"b&#x01;", "b&#1;x", "b\x01", "\xff\xfe", "a\xef\xbf\xbe", "\xed\xa0\x80", "&#xFFFF;"};
	for (size_t i = 0; i < 2 * sizeof(raw) / sizeof(raw[0]); i++) {
		const char *text = raw[i / 2];
		bool late = i % 2 == 1;
		struct buf body;
		buf_init(&body, 10000);
		buf_addf(&body, LIST_HEAD URL "<Prefix/><StartAfter>%s</StartAfter>", text);
		buf_addf(&body, "<ContinuationToken>%s</ContinuationToken>%s", text,
			late ? ENTRY("b%01") : "");
		buf_addf(&body, "<NextContinuationToken>%s</NextContinuationToken>%s", text,
			late ? "" : ENTRY("b%01"));
		buf_add_text(&body, "<IsTruncated>true</IsTruncated>" LIST_TAIL);
		struct feed feed = {
			list_of(NULL, NULL), OK_XML, buf_str(&body), {.page = page}, 0, check_no_token, NULL};
		feed_all(&feed);
		buf_release(&body);
	}
}

/* In a name they make the answer worthless: a wrong name is never shown. */
static void refuses_lost_keys(void **state)
{
	is_bad(list_of(NULL, NULL), STR(LIST_HEAD ENTRY("b\x01") LIST_TAIL));
	is_bad(list_of(NULL, NULL), STR(LIST_HEAD ENTRY("b&#x1;") LIST_TAIL));
	is_bad(list_of(NULL, NULL), STR(LIST_HEAD URL ENTRY("\xc3(") LIST_TAIL));
	is_bad(list_of("a", "/"),
		STR(LIST_HEAD "<CommonPrefixes><Prefix>a\x02/</Prefix></CommonPrefixes>" LIST_TAIL));
}

static void refuses_what_was_not_asked_for(void **state)
{
	is_bad(list_of("d/", NULL), STR(LIST_HEAD ENTRY("d") LIST_TAIL));
	is_bad(list_of("d/", NULL), STR(LIST_HEAD URL ENTRY("e%2Fx") LIST_TAIL));
	/* with the prefix as sent, but not as meant */
	is_bad(list_of("d/", NULL), STR(LIST_HEAD URL ENTRY("d%252F") LIST_TAIL));
	is_bad(list_of("d/", NULL),
		STR(LIST_HEAD "<CommonPrefixes><Prefix>d/x/</Prefix></CommonPrefixes>" LIST_TAIL));
	is_bad(list_of("d/", "/"),
		STR(LIST_HEAD "<CommonPrefixes><Prefix>d/x</Prefix></CommonPrefixes>" LIST_TAIL));
	/* a directory in itself */
	is_bad(list_of("d/", "/"),
		STR(LIST_HEAD "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>" LIST_TAIL));
	struct s3_request after = list_of("d/", "/");
	after.start_after = STR("d/m/n");
	is_bad(after, STR(LIST_HEAD ENTRY("d/m/n") LIST_TAIL));
	is_bad(after, STR(LIST_HEAD ENTRY("d/a") LIST_TAIL));
	is_bad(after, STR(LIST_HEAD "<CommonPrefixes><Prefix>d/l/</Prefix></CommonPrefixes>" LIST_TAIL));
	/* keys behind start_after may be in it */
	feed_all(&(struct feed){after, OK_XML,
		STR(LIST_HEAD "<CommonPrefixes><Prefix>d/m/</Prefix></CommonPrefixes>" LIST_TAIL),
		{.page = page}, 0, NULL, NULL});
	assert_int_equal(page->count, 1);
}

static void refuses_bad_entries(void **state)
{
	struct s3_request any = list_of(NULL, NULL);
	is_bad(any, STR(LIST_HEAD ENTRY("") LIST_TAIL));
	is_bad(any, STR(LIST_HEAD URL ENTRY("a%2") LIST_TAIL));
	is_bad(any, STR(LIST_HEAD URL ENTRY("a%zz") LIST_TAIL));
	is_bad(any, STR(LIST_HEAD ENTRY("a<b/>c") LIST_TAIL));
	is_bad(any, STR(LIST_HEAD ENTRY("a</Key><Key>b") LIST_TAIL));
	is_bad(any, STR(LIST_HEAD "<Contents><Key>a</Key></Contents>" LIST_TAIL));
	is_bad(any, STR(LIST_HEAD "<Contents><Size>1</Size></Contents>" LIST_TAIL));
	is_bad(any, STR(LIST_HEAD "<Contents><Key>a</Key><Size>-1</Size></Contents>" LIST_TAIL));
	is_bad(any, STR(LIST_HEAD
			    "<Contents><Key>a</Key><Size>18446744073709551616</Size></Contents>" LIST_TAIL));
	is_bad(any, STR(LIST_HEAD
			    "<Contents><Key>a</Key><Size>1</Size><ETag>a&#10;b</ETag></Contents>" LIST_TAIL));
	is_bad(any, STR(LIST_HEAD "<EncodingType>rot13</EncodingType>" LIST_TAIL));
	is_bad(any, STR(LIST_HEAD "<IsTruncated>perhaps</IsTruncated>" LIST_TAIL));
	/* more, and no way to get at it */
	is_bad(any, STR(LIST_HEAD "<IsTruncated>true</IsTruncated>" LIST_TAIL));
}

/* A lenient page counts what it can't use and keeps the rest; what nothing depends on may be odd. */
static void leaves_out_bad_entries(void **state)
{
	static const char *const bad[] = {ENTRY(""), ENTRY("b%zz"), ENTRY("b<b/>c"), ENTRY("b</Key><Key>b"),
		"<Contents><Key>b</Key></Contents>", "<Contents><Size>1</Size></Contents>", "<Contents/>",
		"<Contents><Key>b</Key><Size>-1</Size></Contents>",
		"<Contents><Key>b</Key><Size>18446744073709551616</Size></Contents>",
		"<Contents><Key>b</Key><Size>1</Size><ETag>a&#10;b</ETag></Contents>"};
	char body[1024];

	page->lenient = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(body, sizeof(body), LIST_HEAD URL ENTRY("a") "%s" ENTRY("c") LIST_TAIL, bad[i]);
		feed_all(&(struct feed){.request = list_of(NULL, NULL),
			.headers = OK_XML,
			.body = str_of(body),
			.sinks = {.page = page}});
		assert_int_equal(page->count, 2);
		assert_int_equal(page->left_out, 1);
		assert_true(str_eq(page->entries[1].key, STR("c")));
		assert_true(str_eq(page->last, STR("c")));
	}
	/* what shows that this is no answer to the question still is none */
	is_bad(list_of("a/", NULL), STR(LIST_HEAD ENTRY("b") LIST_TAIL));
	page->lenient = false;
	feed_all(&(struct feed){.request = list_of(NULL, NULL),
		.headers = OK_XML,
		.body = STR(
			LIST_HEAD "<Contents><Key>a</Key><Size>1</Size><LastModified>soon</"
				  "LastModified><Owner><ID/></Owner>"
				  "<StorageClass>A STORAGE CLASS OF MORE THAN THIRTY-TWO BYTES</StorageClass>"
				  "<ETag>W/&quot;0123&quot;</ETag></Contents>" LIST_TAIL),
		.sinks = {.page = page}});
	assert_int_equal(page->count, 1);
	assert_int_equal(page->left_out, 0);
	assert_int_equal(page->entries[0].mtime, 0);
	assert_true(str_eq(page->entries[0].etag, STR("0123")));
	assert_int_equal(page->entries[0].storage_class.len, 0);
}

static void add_entries(struct buf *body, unsigned count, size_t key_len)
{
	buf_add_text(body, LIST_HEAD);
	for (unsigned i = 0; i < count; i++) {
		buf_addf(body, "<Contents><Key>%0*u</Key><Size>1</Size></Contents>", (int)key_len, i);
		assert_int_equal(body->error, 0);
	}
	buf_add_text(body, LIST_TAIL);
}

static int feed_entries(unsigned count, size_t key_len)
{
	struct answer_parser *parser;
	struct s3_answer answer;
	struct buf body;
	buf_init(&body, 32 << 20);
	add_entries(&body, count, key_len);
	assert_int_equal(answer_parser_new(&parser), 0);
	struct feed feed = {list_of(NULL, NULL), OK_XML, buf_str(&body), {.page = page}, 0, NULL, NULL};
	int ret = feed_once(parser, &feed, &answer, body.len);
	answer_parser_free(parser);
	buf_release(&body);
	return ret;
}

static void is_bounded(void **state)
{
	assert_int_equal(feed_entries(1000, KEY_MAX), 0);
	assert_int_equal(page->count, 1000);
	assert_int_equal(feed_entries(1001, 10), -EBADMSG);
	assert_int_equal(feed_entries(1, KEY_MAX + 1), -EBADMSG);
	assert_int_equal(feed_entries(1, 20000), -EBADMSG);
}

static void check_empty(const struct s3_answer *answer, void *user)
{
	assert_int_equal(page->count, 0);
	assert_false(page->truncated);
	assert_null(page->last.data);
}

static void reads_an_empty_page(void **state)
{
	feed_all(&(struct feed){list_of("x", "/"), OK_XML, STR(LIST_HEAD "<KeyCount>0</KeyCount>" LIST_TAIL),
		{.page = page}, 0, check_empty, NULL});
	feed_all(&(struct feed){
		list_of("x", "/"), OK_XML, STR("<ListBucketResult/>"), {.page = page}, 0, check_empty, NULL});
}

/* ---- ListBuckets, ListMultipartUploads ---- */

static void check_buckets(const struct s3_answer *answer, void *user)
{
	assert_int_equal(page->count, 2);
	assert_str(page->entries[0].key, STR("alpha"));
	assert_int_equal(page->entries[0].mtime, 1795395723);
	assert_str(page->entries[1].key, STR("be+ta"));
	assert_true(page->truncated);
	assert_str(page->token, STR("more"));
}

static void reads_buckets(void **state)
{
	struct s3_request request = {.op = S3_LIST_BUCKETS};
	struct feed feed = {request, OK_XML,
		STR("<ListAllMyBucketsResult><Owner><ID>x</ID><DisplayName>y</DisplayName></Owner><Buckets>"
		    "<Bucket><Name>alpha</Name><CreationDate>2026-11-23T01:02:03.000Z</CreationDate></Bucket>"
		    "<Bucket><Name>be+ta</Name></Bucket></Buckets><ContinuationToken>more</ContinuationToken>"
		    "</ListAllMyBucketsResult>"),
		{.page = page}, 0, check_buckets, NULL};
	feed_all(&feed);
	feed_cut_off(&feed);
	is_bad(request, STR("<ListAllMyBucketsResult><Buckets><Bucket/></Buckets></ListAllMyBucketsResult>"));
	is_bad(request, STR("<ListBucketResult/>"));
}

static void check_uploads(const struct s3_answer *answer, void *user)
{
	assert_int_equal(page->count, 2);
	assert_str(page->entries[0].key, STR("k 1"));
	assert_str(page->entries[0].etag, STR("up~1"));
	assert_str(page->entries[1].etag, STR("up~2"));
	assert_true(page->truncated);
	assert_str(page->token, STR("up~2"));
	assert_str(page->last, STR("k 1"));
}

static void reads_uploads(void **state)
{
	struct s3_request request = {.op = S3_LIST_UPLOADS, .start_after = STR("k 1"), .prefix = STR("k")};
	struct feed feed = {request, OK_XML,
		STR("<ListMultipartUploadsResult><EncodingType>url</EncodingType><KeyMarker/"
		    "><NextKeyMarker>k%201"
		    "</NextKeyMarker><NextUploadIdMarker>up~2</NextUploadIdMarker><IsTruncated>true</"
		    "IsTruncated>"
		    "<Upload><Key>k+1</Key><UploadId>up~1</UploadId><Initiator><ID>i</ID></Initiator>"
		    "<StorageClass>STANDARD</StorageClass><Initiated>2026-11-23T01:02:03.000Z</Initiated></"
		    "Upload>"
		    "<Upload><Key>k%201</Key><UploadId>up~2</UploadId></Upload></"
		    "ListMultipartUploadsResult>"),
		{.page = page}, 0, check_uploads, NULL};
	feed_all(&feed);
	feed_cut_off(&feed);
	is_bad(request, STR("<ListMultipartUploadsResult><Upload><Key>k 1</Key></Upload>"
			    "</ListMultipartUploadsResult>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_stay_when_the_arena_moves),
		cmocka_unit_test(arena_is_bounded),
		cmocka_unit_test(reads_a_page),
		cmocka_unit_test(reads_raw_keys),
		cmocka_unit_test(survives_what_xml_cannot_carry),
		cmocka_unit_test(refuses_lost_keys),
		cmocka_unit_test(refuses_what_was_not_asked_for),
		cmocka_unit_test(refuses_bad_entries),
		cmocka_unit_test(leaves_out_bad_entries),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(reads_an_empty_page),
		cmocka_unit_test(reads_buckets),
		cmocka_unit_test(reads_uploads),
	};
	return cmocka_run_group_tests(tests, make_page, free_page);
}
