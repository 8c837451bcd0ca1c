/*
 * answer_internal: shared by the files of the answer parser.  answer.c has the life-cycle and the bodies,
 * answer_header.c the header lines, answer_value.c single values, answer_document.c the small documents,
 * answer_list.c the listings.
 */
#ifndef FERRYFS_S3_ANSWER_INTERNAL_H
#define FERRYFS_S3_ANSWER_INTERNAL_H

#include "s3/answer.h"
#include "s3/xml.h"

enum { ANSWER_TYPE_MAX = 63, ANSWER_LOCATION_MAX = 255 };

/* Indexes of answer_elements; those of a listing first, since names are looked for in this order. */
enum answer_element {
	EL_KEY,
	EL_LAST_MODIFIED,
	EL_ETAG,
	EL_SIZE,
	EL_STORAGE_CLASS,
	EL_CONTENTS,
	EL_PREFIX,
	EL_COMMON_PREFIXES,
	EL_DELETED,
	EL_ERROR,
	EL_CODE,
	EL_MESSAGE,
	EL_REQUEST_ID,
	EL_REGION,
	EL_COPY_OBJECT_RESULT,
	EL_COPY_PART_RESULT,
	EL_DELETE_RESULT,
	EL_LIST_BUCKET_RESULT,
	EL_IS_TRUNCATED,
	EL_NEXT_TOKEN,
	EL_ENCODING_TYPE,
	EL_INITIATE_RESULT,
	EL_UPLOAD_ID,
	EL_COMPLETE_RESULT,
	EL_LIST_BUCKETS_RESULT,
	EL_BUCKETS,
	EL_BUCKET,
	EL_NAME,
	EL_CREATION_DATE,
	EL_TOKEN,
	EL_LIST_UPLOADS_RESULT,
	EL_UPLOAD,
	EL_INITIATED,
	EL_NEXT_KEY_MARKER,
	EL_NEXT_UPLOAD_MARKER,
	EL_TAGGING,
	EL_TAG_SET,
	EL_TAG,
	EL_VALUE,
	EL_COUNT,
};

/* Readers of one kind of document.  Each returns 0 or -errno, which ends the answer; NULL where there is
 * nothing to do. */
struct answer_document {
	int (*open)(struct answer_parser *parser);
	int (*close)(struct answer_parser *parser, const struct xml_text *text);
	int (*end)(struct answer_parser *parser); /* the document is whole */
};

enum answer_body {
	BODY_UNKNOWN, /* nothing of it has come */
	BODY_NONE, /* a byte of it is an error */
	BODY_DATA, /* an object's bytes */
	BODY_XML, /* a document that the op needs */
	BODY_MAYBE, /* a success without a document, or an <Error> */
	BODY_FAILURE, /* of a status that is no success: an <Error>, or a proxy's text */
	BODY_IGNORED,
};

struct answer_parser {
	const struct s3_request *request;
	struct s3_answer *answer;
	struct s3_sinks sinks;
	struct xml *xml;
	const struct answer_document *document; /* chosen at the root element */
	enum answer_body body;
	int error;
	uint64_t received;
	/* of the headers */
	bool has_content_range;
	bool marked; /* one of them is a mark of S3 */
	char type[ANSWER_TYPE_MAX + 1]; /* Content-Type, "" when none came */
	char location[ANSWER_LOCATION_MAX + 1]; /* of a redirect */
	int64_t retry_at; /* Retry-After as a date; 0: none */
	bool has_etag; /* of the document */
	bool has_etag_header; /* usable or not: evidence that S3 answered */
	/* the element that is being read; which of its fields have come */
	struct page_entry *entry;
	bool has_key, has_size, has_value;
	struct buf key, value;
	char code[ANSWER_CODE_MAX + 1];
	/* of a listing */
	bool encoded;
};

/* Is the answer's status 2xx? */
bool answer_is_success(const struct s3_answer *answer);

/* Copies a text that will go into requests' headers (ETag, id): printable ASCII without spaces or quotes
 * inside, quotes and blanks around it dropped; -EBADMSG for another or a longer one.  ret has size bytes. */
int answer_take(struct str s, char *ret, size_t size);
/* Copies as much as fits, for people to read. */
void answer_cut(struct str s, char *ret, size_t size);
/* The same bounds as answer_take; the slice of s without quotes, and without the W/ that a proxy which
 * compresses puts before an ETag (RFC 9110, 8.8.1). */
int answer_trim(struct str s, size_t max, struct str *ret);
int answer_uint(struct str s, uint64_t *ret);
bool answer_region_ok(struct str region);

/* The levels of the open element and its parent, for the readers. */
bool answer_at(const struct answer_parser *parser, unsigned depth, enum answer_element parent);
/* -EBADMSG for a text that was lost or that has elements in it. */
int answer_text(const struct xml_text *text);

/* answer_header.c: the checks that need all of them. */
int answer_headers_end(struct answer_parser *parser);

/* answer_proof.c: is the answer S3's?  Of a refusal it notes the verdict, and puts words for people where S3
 * has none.  0; -EBADMSG: a success that is not S3's, or another than was asked for. */
int answer_prove(struct answer_parser *parser);
/* The answer is broken: says so where it is a page of another program. */
void answer_explain_page(struct answer_parser *parser);
/* Is this header a mark of S3? */
bool answer_is_mark(struct str name);

/* The reader for this root element, or NULL where the op has no such document. */
const struct answer_document *answer_document_for(enum s3_op op, enum answer_element root);
extern const struct answer_document answer_error_document, answer_objects_document, answer_buckets_document,
	answer_uploads_document;

#endif
