/* Whose word an answer is: answer_proof.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "s3/answer.h"
#include "tests/unit/answer_feed.h"

#define MARKED(status) "HTTP/1.1 " status "\r\nx-amz-request-id: TX1\r\n\r\n"
#define NO_KEY "<Error><Code>NoSuchKey</Code></Error>"

struct whose {
	enum s3_op op;
	const char *headers;
	struct str body;
	int result; /* of the parser: a success that is not S3's is broken */
	int error; /* of the answer */
	enum s3_retry retry;
};

static void check_whose(const struct s3_answer *answer, void *user)
{
	const struct whose *whose = user;
	if (whose->result != 0)
		return;
	assert_int_equal(s3_answer_errno(answer), whose->error);
	assert_int_equal(s3_answer_retry(answer), whose->retry);
	assert_int_equal(s3_answer_is_foreign(answer), whose->error == -EBADMSG);
	if (whose->error == -EBADMSG)
		assert_non_null(strstr(answer->error.message, "no S3"));
}

static void ask_whose(const struct whose *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct whose whose = samples[i];
		feed_all(&(struct feed){.request = {.op = whose.op},
			.headers = whose.headers,
			.body = whose.body,
			.result = whose.result,
			.check = check_whose,
			.user = &whose});
	}
}

#define PAGE STR("<!DOCTYPE html><html><body>Log in<br></body></html>")
#define HTML(status) "HTTP/1.1 " status "\r\nContent-Type: text/html\r\n\r\n"

/* An ingress, a proxy, a portal. */
static void a_refusal_proves_itself(void **state)
{
	static const struct whose samples[] = {
		/* a HEAD has no body: a mark, or the type that S3's words would have */
		{S3_HEAD_OBJECT, MARKED("404 Not Found"), {"", 0}, 0, -ENOENT, S3_RETRY_NO},
		{S3_HEAD_OBJECT, "HTTP/1.1 404 No\r\nX-GUploader-UploadID: 1\r\n\r\n", {"", 0}, 0, -ENOENT,
			S3_RETRY_NO},
		{S3_HEAD_OBJECT, "HTTP/1.1 404 No\r\nContent-Type: application/xml\r\n\r\n", {"", 0}, 0,
			-ENOENT, S3_RETRY_NO},
		{S3_HEAD_OBJECT, HTML("404 Not Found"), {"", 0}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_HEAD_BUCKET, HTML("404 Not Found"), {"", 0}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_HEAD_OBJECT, "HTTP/1.1 404 Not Found\r\n\r\n", {"", 0}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_HEAD_OBJECT, "HTTP/1.1 412 No\r\n\r\n", {"", 0}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_HEAD_OBJECT, "HTTP/1.1 403 No\r\n\r\n", {"", 0}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_HEAD_OBJECT, HTML("302 Found"), {"", 0}, 0, -EBADMSG, S3_RETRY_NO},
		/* others: the document; a mark is not enough for "not there" */
		{S3_DELETE_OBJECT, MARKED("404 Not Found"), {NO_KEY, sizeof(NO_KEY) - 1}, 0, -ENOENT,
			S3_RETRY_NO},
		{S3_DELETE_OBJECT, MARKED("404 Not Found"), {"", 0}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_GET_OBJECT, HTML("404 Not Found"),
			{"404 page not found", sizeof("404 page not found") - 1}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_LIST_OBJECTS, HTML("405 Not Allowed"),
			{"<html>405</html>", sizeof("<html>405</html>") - 1}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_LIST_OBJECTS, MARKED("405 Not Allowed"), {"", 0}, 0, -EOPNOTSUPP, S3_RETRY_NO},
		{S3_LIST_OBJECTS, "HTTP/1.1 404 No\r\n\r\n",
			{"<Error><Code>ResourceNotFound</Code></Error>",
				sizeof("<Error><Code>ResourceNotFound</Code></Error>") - 1},
			0, -EIO, S3_RETRY_NO},
		{S3_COPY_OBJECT, HTML("412 Precondition Failed"),
			{"<html></html>", sizeof("<html></html>") - 1}, 0, -EBADMSG, S3_RETRY_YES},
		{S3_PUT_OBJECT, HTML("501 Not Implemented"), {"<html></html>", sizeof("<html></html>") - 1},
			0, -EBADMSG, S3_RETRY_YES},
		{S3_COPY_OBJECT, HTML("301 Moved"), {"<html></html>", sizeof("<html></html>") - 1}, 0,
			-EBADMSG, S3_RETRY_NO},
		{S3_LIST_OBJECTS, HTML("511 Log in"), {"<html></html>", sizeof("<html></html>") - 1}, 0,
			-EBADMSG, S3_RETRY_YES},
		/* about the way, whoever says it */
		{S3_COPY_OBJECT, HTML("503 Busy"), {"<html></html>", sizeof("<html></html>") - 1}, 0, -EAGAIN,
			S3_RETRY_SLOWER},
		{S3_COPY_OBJECT, HTML("502 Bad Gateway"), {"<html></html>", sizeof("<html></html>") - 1}, 0,
			-EIO, S3_RETRY_YES},
		{S3_PUT_OBJECT, HTML("413 Too Large"), {"<html></html>", sizeof("<html></html>") - 1}, 0,
			-EFBIG, S3_RETRY_NO},
	};
	ask_whose(samples, sizeof(samples) / sizeof(samples[0]));
}

static void a_success_proves_itself(void **state)
{
	static const char page[] = HTML("200 OK");
	static const char empty[] = "HTTP/1.1 200 OK\r\n\r\n";
	static const enum s3_op all[] = {S3_LIST_BUCKETS, S3_LIST_OBJECTS, S3_GET_OBJECT, S3_PUT_OBJECT,
		S3_COPY_OBJECT, S3_CREATE_UPLOAD, S3_UPLOAD_PART, S3_COPY_PART, S3_COMPLETE_UPLOAD,
		S3_ABORT_UPLOAD, S3_LIST_UPLOADS, S3_DELETE_OBJECT, S3_DELETE_OBJECTS, S3_GET_TAGGING};
	static const struct whose good[] = {
		{S3_DELETE_OBJECT, "HTTP/1.1 204 No Content\r\n\r\n", {"", 0}, 0, 0, S3_RETRY_NO},
		{S3_ABORT_UPLOAD, "HTTP/1.1 204 No Content\r\n\r\n", {"", 0}, 0, 0, S3_RETRY_NO},
		{S3_DELETE_OBJECT, "HTTP/1.1 200 OK\r\nX-Amz-Request-Id: 1\r\n\r\n", {"", 0}, 0, 0,
			S3_RETRY_NO},
		{S3_PUT_OBJECT, "HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\n", {"", 0}, 0, 0, S3_RETRY_NO},
		{S3_HEAD_OBJECT, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: \"e\"\r\n\r\n", {"", 0}, 0, 0,
			S3_RETRY_NO},
		{S3_HEAD_BUCKET, "HTTP/1.1 200 OK\r\n\r\n", {"", 0}, 0, 0, S3_RETRY_NO},
	};
	static const struct whose heads[] = {
		{S3_HEAD_OBJECT, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", {"", 0}, -EBADMSG, 0,
			S3_RETRY_NO},
		{S3_HEAD_BUCKET, HTML("200 OK"), {"", 0}, -EBADMSG, 0, S3_RETRY_NO},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		feed_all(&(struct feed){
			.request = {.op = all[i]}, .headers = page, .body = PAGE, .result = -EBADMSG});
		feed_all(&(struct feed){
			.request = {.op = all[i]}, .headers = empty, .body = STR(""), .result = -EBADMSG});
	}
	ask_whose(heads, sizeof(heads) / sizeof(heads[0]));
	ask_whose(good, sizeof(good) / sizeof(good[0]));
}

/* What is asked for the words of a refusal and finds none says nothing of the HEAD before. */
static void words_are_asked_for(void **state)
{
	struct feed feed = {.request = {.op = S3_HEAD_OBJECT, .ask_why = true},
		.headers = "HTTP/1.1 206 P\r\nETag: \"e\"\r\nContent-Length: 1\r\n\r\n",
		.body = STR("x"),
		.result = -EBADMSG};
	struct whose gone = {.error = -ENOENT, .retry = S3_RETRY_NO};
	feed_all(&feed);
	feed.headers = "HTTP/1.1 416 No\r\n\r\n";
	feed.body = STR("<Error><Code>InvalidRange</Code></Error>");
	feed_all(&feed);
	feed.headers = "HTTP/1.1 404 No\r\n\r\n";
	feed.body = STR(NO_KEY);
	feed.result = 0;
	feed.check = check_whose;
	feed.user = &gone;
	feed_all(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_proves_itself),
		cmocka_unit_test(a_success_proves_itself),
		cmocka_unit_test(words_are_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
