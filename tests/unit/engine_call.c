#include "tests/unit/calling.h"
#include "engine/wire/worker.h"

static void copy(struct fixture *fixture, struct call *call)
{
	call_init(call);
	call->account = fixture->account;
	call->request = (struct s3_request){.op = S3_COPY_OBJECT,
		.bucket = STR("bucket"),
		.key = STR("to"),
		.source_bucket = STR("bucket"),
		.source_key = STR("from")};
}

static void test_head(void **state)
{
	struct fixture *fixture = BEGIN(HEAD_OK);
	struct s3_answer got;
	struct call call;
	struct stats stats;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, &got), 0);
	assert_string_equal(got.etag, "e1");
	assert_int_equal(got.size, 5);
	assert_int_equal(call.attempts, 1);
	assert_false(call.ambiguous);
	engine_stats(fixture->engine, &stats);
	assert_int_equal(stats.requests[S3_HEAD_OBJECT], 1);
	end(fixture);
}

/* The request line is what was signed, byte for byte, and no header of libcurl's own is in the way. */
static void test_bytes_on_the_wire(void **state)
{
	struct fixture *fixture = BEGIN(COPY_OK);
	struct call call;
	char *text = fixture->server.asked[0];

	copy(fixture, &call);
	call.request.key = STR("a//../b%2F c/./\xff?x=#\n");
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_ptr_equal(strstr(text, "PUT /bucket/a//../b%252F%20c/./%FF%3Fx%3D%23%0A HTTP/1.1\r\n"), text);
	assert_non_null(strcasestr(text, "\r\nContent-Length: 0\r\n"));
	assert_non_null(strcasestr(text, "\r\nx-amz-copy-source: /bucket/from\r\n"));
	assert_null(strcasestr(text, "\r\nExpect:"));
	assert_null(strcasestr(text, "\r\nTransfer-Encoding:"));
	assert_null(strcasestr(text, "\r\nContent-Type:"));
	assert_null(strcasestr(text, "\r\nAccept:"));
	end(fixture);
}

static void test_connection_kept(void **state)
{
	struct fixture *fixture = BEGIN(HEAD_OK);
	struct stats stats;
	struct call call;

	for (unsigned i = 0; i < 10; i++) {
		head(fixture, &call);
		assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	}
	/* Counted at the end of a turn: the first nine calls' turns have ended. */
	engine_stats(fixture->engine, &stats);
	assert_int_equal(stats.connections, 1);
	end(fixture);
}

static void test_final_error(void **state)
{
	struct fixture *fixture = BEGIN(CHUNKED("403 Forbidden", "28", ERROR_BODY("AccessDenied")));
	struct s3_answer got;
	struct call call;

	copy(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, &got), -EACCES);
	assert_string_equal(got.error.code, "AccessDenied");
	assert_int_equal(call.attempts, 1);
	assert_false(call.ambiguous);
	end(fixture);
}

static void test_error_in_200(void **state)
{
	struct fixture *fixture = BEGIN(CHUNKED("200 OK", "29", ERROR_BODY("InternalError")), COPY_OK);
	struct call call;

	copy(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 2);
	assert_true(call.ambiguous);
	end(fixture);
}

static void test_reset_is_retried(void **state)
{
	struct fixture *fixture = BEGIN(RESET, RESET, HEAD_OK);
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 3);
	assert_true(call.ambiguous);
	end(fixture);
}

static void test_retries_end(void **state)
{
	struct fixture *fixture =
		begin_with(&(struct engine_options){.retries = 2, .workers = 1}, 1, (const char *[]){RESET});
	struct call call;
	struct stats stats;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -ECONNRESET);
	assert_int_equal(call.attempts, 3);
	assert_int_equal(asked(fixture), 3);
	engine_stats(fixture->engine, &stats);
	assert_int_equal(stats.retried, 2);
	end(fixture);
}

/* Slow-downs don't count among the retries: nothing may be lost because a service holds us back. */
static void test_slow_down_outlasts_retries(void **state)
{
	struct fixture *fixture = begin_with(&(struct engine_options){.retries = 1, .workers = 1}, 5,
		(const char *[]){SLOW_DOWN, SLOW_DOWN, SLOW_DOWN, SLOW_DOWN, COPY_OK});
	struct stats stats;
	struct call call;

	copy(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 5);
	assert_false(call.ambiguous);
	engine_stats(fixture->engine, &stats);
	assert_int_equal(stats.slowed, 4);
	end(fixture);
}

/* Nor do a server's errors while it answers nobody well: it is the server, not this object. */
static void test_server_error_outlasts_retries(void **state)
{
	static const char *const errors[] = {EMPTY("500 Oh"), EMPTY("502 Bad Gateway"),
		EMPTY("504 Gateway Timeout"), EMPTY("521 Web Server Is Down"),
		CHUNKED("200 OK", "29", ERROR_BODY("InternalError"))};

	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct fixture *fixture = begin_with(&(struct engine_options){.retries = 4, .workers = 1}, 6,
			(const char *[]){errors[i], errors[i], errors[i], errors[i], errors[i], COPY_OK});
		struct call call;

		copy(fixture, &call);
		assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
		assert_int_equal(call.attempts, 6);
		assert_true(call.ambiguous);
		end(fixture);
	}
}

/* ... for as long as it may be made to wait; retries=0 means none. */
static void test_server_error_ends(void **state)
{
	for (unsigned retries = 0; retries < 2; retries++) {
		struct fixture *fixture = begin_with(
			&(struct engine_options){.retries = retries, .workers = 1, .timeout_ms = 300}, 1,
			(const char *[]){EMPTY("502 Bad Gateway")});
		struct call call;

		head(fixture, &call);
		assert_int_equal(call_wait(fixture->engine, &call, NULL), -EIO);
		assert_true(retries == 0 ? call.attempts == 1 : call.attempts > 1);
		end(fixture);
	}
}

static void mark_done(struct call *call, const struct s3_answer *answer)
{
	atomic_store((atomic_bool *)call->user, true);
}

/* An empty budget makes a call wait, and fails nothing. */
static void test_empty_budget(void **state)
{
	struct fixture *fixture = BEGIN(HEAD_OK, RESET);
	struct window *window = &engine_worker(fixture->engine, 0)->windows[0];
	atomic_bool done = false;
	struct stats stats = {0};
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	window->budget.tokens_milli = 0;
	window->budget.at_ms = UINT64_MAX; /* nothing comes back with time */
	head(fixture, &call);
	call.on_done = mark_done;
	call.user = &done;
	call_post(engine_worker(fixture->engine, 0), &call);
	while (!atomic_load(&done) && stats.waiting == 0) {
		poll(NULL, 0, 1);
		engine_stats(fixture->engine, &stats);
	}
	assert_false(atomic_load(&done));
	end(fixture);
	assert_int_equal(call.error, -ECANCELED);
	assert_int_equal(call.attempts, 1);
}

static void test_cut_answer(void **state)
{
	struct fixture *fixture =
		BEGIN(CLOSING "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n<CopyObj", COPY_OK);
	struct call call;

	copy(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 2);
	assert_true(call.ambiguous);
	end(fixture);
}

static void test_time_out(void **state)
{
	struct fixture *fixture =
		begin_with(&(struct engine_options){.retries = 3, .workers = 1, .timeout_ms = 200}, 2,
			(const char *[]){STALL, HEAD_OK});
	struct stats stats;
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 2);
	assert_true(call.ambiguous);
	engine_stats(fixture->engine, &stats);
	assert_int_equal(stats.timeouts, 1);
	end(fixture);
}

static void test_time_out_ends(void **state)
{
	struct fixture *fixture =
		begin_with(&(struct engine_options){.retries = 0, .workers = 1, .timeout_ms = 50}, 1,
			(const char *[]){STALL});
	struct s3_answer got;
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, &got), -ETIMEDOUT);
	assert_int_equal(got.status, 0);
	assert_non_null(strstr(got.error.message, "nothing came"));
	end(fixture);
}

static void test_once(void **state)
{
	struct fixture *fixture = BEGIN(RESET, COPY_OK);
	struct call call;

	copy(fixture, &call);
	call.flags = CALL_ONCE;
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -ECONNRESET);
	assert_int_equal(asked(fixture), 1);
	assert_true(call.ambiguous);
	end(fixture);
}

/* A slow-down was not taken: asking again is no second attempt of something done. */
static void test_once_and_slow_down(void **state)
{
	struct fixture *fixture = BEGIN(SLOW_DOWN, COPY_OK);
	struct call call;

	copy(fixture, &call);
	call.flags = CALL_ONCE;
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_false(call.ambiguous);
	end(fixture);
}

/* The one that was told to be the last is, whether it was taken or not. */
static void test_last(void **state)
{
	static const char *const refusals[] = {SLOW_DOWN, RESET};
	static const int errors[] = {-ECANCELED, -ECONNRESET};

	for (unsigned i = 0; i < 2; i++) {
		struct fixture *fixture = BEGIN(refusals[i], COPY_OK);
		struct call call;

		copy(fixture, &call);
		call.flags = CALL_ONCE | CALL_LAST;
		assert_int_equal(call_wait(fixture->engine, &call, NULL), errors[i]);
		assert_int_equal(asked(fixture), 1);
		end(fixture);
	}
}

static void test_region_is_learnt(void **state)
{
	struct fixture *fixture = BEGIN("HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-9\r\n"
					"Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		HEAD_OK);
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_non_null(strstr(fixture->server.asked[0], "/us-east-1/s3/aws4_request"));
	assert_non_null(strstr(fixture->server.asked[1], "/eu-west-9/s3/aws4_request"));
	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_non_null(strstr(fixture->server.asked[2], "/eu-west-9/s3/aws4_request"));
	end(fixture);
}

static void test_region_for_ever(void **state)
{
	struct fixture *fixture = BEGIN("HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: "
					"eu-west-9\r\nContent-Length: 0\r\n\r\n");
	struct call call;

	head(fixture, &call);
	assert_true(call_wait(fixture->engine, &call, NULL) < 0);
	assert_true(asked(fixture) <= 3);
	end(fixture);
}

static void test_clock_is_learnt(void **state)
{
	struct fixture *fixture = BEGIN(
		"HTTP/1.1 403 Forbidden\r\nDate: Fri, 01 Jan 2027 00:00:00 GMT\r\n"
		"Transfer-Encoding: chunked\r\n\r\n30\r\n" ERROR_BODY("RequestTimeTooSkewed") "\r\n0\r\n\r\n",
		COPY_OK);
	struct call call;

	copy(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 2);
	assert_non_null(strcasestr(fixture->server.asked[1], "x-amz-date: 20270101T0000"));
	end(fixture);
}

/* A HEAD's refusal has no body: the clock is seen from its Date. */
static void test_clock_is_learnt_from_a_head(void **state)
{
	struct fixture *fixture = BEGIN(
		"HTTP/1.1 403 Forbidden\r\nDate: Fri, 01 Jan 2027 00:00:00 GMT\r\nx-amz-request-id: R1\r\n"
		"Content-Length: 0\r\n\r\n",
		HEAD_OK);
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(call.attempts, 2);
	assert_non_null(strcasestr(fixture->server.asked[1], "x-amz-date: 20270101T0000"));
	end(fixture);
}

/* The same refusal from a server whose clock is ours can be anything: once is enough while the credentials
 * are the same, also where the server names the region that was signed for. */
static void test_refused_head(void **state)
{
	static const char *const answers[] = {EMPTY("403 Forbidden"), EMPTY("400 Bad Request"),
		"HTTP/1.1 400 Bad Request\r\nx-amz-bucket-region: us-east-1\r\nContent-Length: 0\r\n\r\n"};

	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct fixture *fixture = BEGIN(answers[i], HEAD_OK);
		struct call call;

		head(fixture, &call);
		assert_true(call_wait(fixture->engine, &call, NULL) < 0);
		assert_int_equal(asked(fixture), 1);
		end(fixture);
	}
}

static void test_renewed_after_a_head(void **state)
{
	struct fixture *fixture = BEGIN(EMPTY("400 Bad Request"), HEAD_OK);
	struct call call;

	head(fixture, &call);
	setenv("AWS_ACCESS_KEY_ID", "AKIAANOTHER", 1);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
	assert_non_null(strstr(fixture->server.asked[0], "AKIAEXAMPLE/"));
	assert_non_null(strstr(fixture->server.asked[1], "AKIAANOTHER/"));
	end(fixture);
}

static int swallow(void *user, const char *data, size_t len)
{
	size_t *got = user;

	*got += len;
	return 0;
}

static int refuse(void *user, const char *data, size_t len)
{
	return -ENOSPC;
}

static void get(
	struct fixture *fixture, struct call *call, int (*sink)(void *, const char *, size_t), size_t *got)
{
	call_init(call);
	call->account = fixture->account;
	call->request = (struct s3_request){.op = S3_GET_OBJECT, .bucket = STR("bucket"), .key = STR("key")};
	call->sinks.on_data = sink;
	call->sinks.user = got;
}

#define GET_HEADER "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 10\r\n\r\n"

static void test_get(void **state)
{
	struct fixture *fixture = BEGIN(RESET, GET_HEADER "0123456789");
	struct stats stats;
	struct call call;
	size_t got = 0;

	get(fixture, &call, swallow, &got);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(got, 10);
	engine_stats(fixture->engine, &stats);
	assert_int_equal(stats.object_bytes_in, 10);
	end(fixture);
}

static void test_get_not_repeated(void **state)
{
	struct fixture *fixture = BEGIN(CLOSING GET_HEADER "01234", GET_HEADER "0123456789");
	struct call call;
	size_t got = 0;

	get(fixture, &call, swallow, &got);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -EIO);
	assert_int_equal(got, 5);
	assert_int_equal(asked(fixture), 1);
	end(fixture);
}

static void test_get_refused_by_sink(void **state)
{
	struct fixture *fixture = BEGIN(GET_HEADER "0123456789");
	struct call call;

	get(fixture, &call, refuse, NULL);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -ENOSPC);
	assert_int_equal(call.attempts, 1);
	end(fixture);
}

static void put(struct fixture *fixture, struct call *call, uint64_t length)
{
	call_init(call);
	call->account = fixture->account;
	call->request = (struct s3_request){
		.op = S3_PUT_OBJECT, .bucket = STR("bucket"), .key = STR("key"), .body_length = length};
}

static void test_put(void **state)
{
	struct fixture *fixture = BEGIN(RESET, "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n");
	FILE *file = tmpfile();
	struct call call;
	const char *text = fixture->server.asked[1];

	assert_non_null(file);
	fputs("xxhello, world", file);
	fflush(file);
	put(fixture, &call, 12);
	call.body_fd = fileno(file);
	call.body_offset = 2;
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\nhello, world");
	assert_non_null(strcasestr(text, "\r\nContent-Length: 12\r\n"));
	put(fixture, &call, 3);
	call.body_data = "abc";
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_string_equal(strstr(fixture->server.asked[2], "\r\n\r\n"), "\r\n\r\nabc");
	put(fixture, &call, 0);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_non_null(strcasestr(fixture->server.asked[3], "\r\nContent-Length: 0\r\n"));
	/* Shorter than said. */
	put(fixture, &call, 100);
	call.body_fd = fileno(file);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -EIO);
	fclose(file);
	end(fixture);
}

static void test_bad_request_is_not_sent(void **state)
{
	struct fixture *fixture = BEGIN(HEAD_OK);
	struct call call;

	head(fixture, &call);
	call.request.bucket = STR_NONE;
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -EINVAL);
	assert_int_equal(asked(fixture), 0);
	end(fixture);
}

static void test_nobody_there(void **state)
{
	struct fixture *fixture = begin_with(
		&(struct engine_options){.retries = 1, .workers = 1}, 1, (const char *[]){HEAD_OK});
	struct account *account;
	char why[ACCOUNT_WHY_MAX];
	struct s3_answer got;
	struct call call;

	/* Port 1 of the loopback: nothing listens. */
	assert_int_equal(
		account_open(&(struct account_options){.endpoint_url = "http://127.0.0.1:1"}, &account, why),
		0);
	head(fixture, &call);
	call.account = account;
	assert_int_equal(call_wait(fixture->engine, &call, &got), -ECONNREFUSED);
	assert_int_equal(call.attempts, 2);
	assert_false(call.ambiguous);
	assert_true(got.error.message[0] != '\0');
	end(fixture);
	account_unref(account);
}

/* A name without an address is tried again like a refused connection, and says so at the end; the next call, of
 * another kind, meets the same and nothing worse. */
static void test_no_such_name(void **state)
{
	static const enum s3_op ops[] = {S3_HEAD_OBJECT, S3_GET_OBJECT, S3_LIST_BUCKETS, S3_HEAD_OBJECT};
	struct fixture *fixture = begin_with(
		&(struct engine_options){.retries = 1, .workers = 1}, 1, (const char *[]){HEAD_OK});
	struct account *account;
	char why[ACCOUNT_WHY_MAX];
	struct s3_answer got;
	struct call call;

	/* No label may be longer than 63 bytes: that needs no server to be found out. */
	assert_int_equal(
		account_open(
			&(struct account_options){.endpoint_url = "http://"
								  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
								  "aaaaaaaaaaaaaaaaaaaaaaaaaa.invalid"},
			&account, why),
		0);
	for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		head(fixture, &call);
		call.account = account;
		call.request.op = ops[i];
		assert_int_equal(call_wait(fixture->engine, &call, &got), -EIO);
		assert_int_equal(call.attempts, 2);
		assert_false(call.ambiguous);
		assert_ptr_equal(strstr(got.error.message, "could not resolve aaaaa"), got.error.message);
	}
	end(fixture);
	account_unref(account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_bytes_on_the_wire),
		cmocka_unit_test(test_connection_kept),
		cmocka_unit_test(test_final_error),
		cmocka_unit_test(test_error_in_200),
		cmocka_unit_test(test_reset_is_retried),
		cmocka_unit_test(test_retries_end),
		cmocka_unit_test(test_slow_down_outlasts_retries),
		cmocka_unit_test(test_server_error_outlasts_retries),
		cmocka_unit_test(test_server_error_ends),
		cmocka_unit_test(test_empty_budget),
		cmocka_unit_test(test_cut_answer),
		cmocka_unit_test(test_time_out),
		cmocka_unit_test(test_time_out_ends),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_once_and_slow_down),
		cmocka_unit_test(test_last),
		cmocka_unit_test(test_region_is_learnt),
		cmocka_unit_test(test_region_for_ever),
		cmocka_unit_test(test_clock_is_learnt),
		cmocka_unit_test(test_clock_is_learnt_from_a_head),
		cmocka_unit_test(test_refused_head),
		cmocka_unit_test(test_renewed_after_a_head),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_not_repeated),
		cmocka_unit_test(test_get_refused_by_sink),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_bad_request_is_not_sent),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_no_such_name),
	};

	clean_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
