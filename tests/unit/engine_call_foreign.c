/* Answers of something that is no S3. */
#include "tests/unit/calling.h"
#include "engine/wire/worker.h"

/* Refused by who knows whom: the same is asked by a GET, whose refusal has words. */
static void test_refused_head_is_asked_why(void **state)
{
	struct fixture *fixture = BEGIN(FOREIGN("404 Not Found"),
		"HTTP/1.1 404 Not Found\r\nContent-Length: 37\r\n\r\n" ERROR_BODY("NoSuchKey"), HEAD_OK);
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), -ENOENT);
	assert_non_null(strstr(fixture->server.asked[0], "HEAD /"));
	assert_non_null(strstr(fixture->server.asked[1], "GET /"));
	assert_non_null(strcasestr(fixture->server.asked[1], "range: bytes=0-0"));
	assert_int_equal(asked(fixture), 2);
	/* The next one is a HEAD again. */
	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_non_null(strstr(fixture->server.asked[2], "HEAD /"));
	end(fixture);
}

/* An ingress without a backend, for a while. */
static void test_foreign_answers_pass(void **state)
{
	struct fixture *fixture = BEGIN(FOREIGN("404 Not Found"), FOREIGN("404 Not Found"), HEAD_OK);
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, NULL), 0);
	assert_int_equal(asked(fixture), 3);
	end(fixture);
}

static void test_foreign_answers_stay(void **state)
{
	struct fixture *fixture = BEGIN(FOREIGN("404 Not Found"));
	struct s3_answer got;
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, &got), -EBADMSG);
	assert_non_null(strstr(got.error.message, "no S3"));
	assert_true(asked(fixture) > 1);
	end(fixture);
}

static void test_foreign_redirect_is_told_at_once(void **state)
{
	struct fixture *fixture = BEGIN(
		"HTTP/1.1 302 Found\r\nLocation: https://portal/\r\nContent-Length: 0\r\n\r\n", HEAD_OK);
	struct s3_answer got;
	struct call call;

	head(fixture, &call);
	assert_int_equal(call_wait(fixture->engine, &call, &got), -EBADMSG);
	assert_non_null(strstr(got.error.message, "https://portal/"));
	assert_int_equal(asked(fixture), 1);
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_head_is_asked_why),
		cmocka_unit_test(test_foreign_answers_pass),
		cmocka_unit_test(test_foreign_answers_stay),
		cmocka_unit_test(test_foreign_redirect_is_told_at_once),
	};

	clean_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
