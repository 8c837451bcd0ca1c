/* Ranges of an object fetched from the embedded server, whole and through cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include "engine/wire/engine.h"
#include "engine/object/fetch.h"
#include "tests/unit/support/server.h"

enum { SIZE = 200000 };

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;
static char content[SIZE + 1], got[SIZE + 1000], etag[ETAG_MAX + 1];
static struct fetch fetch;
static bool done;
static size_t streamed, refuse_at;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void on_done(struct fetch *f, const struct s3_answer *answer)
{
	pthread_mutex_lock(&lock);
	done = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
}

static int on_data(struct fetch *f, const char *data, size_t len)
{
	if (refuse_at > 0 && streamed + len > refuse_at)
		return -ENOSPC;
	memcpy(got + streamed, data, len);
	streamed += len;
	return 0;
}

static int run(uint64_t start, size_t length, bool stream)
{
	memset(&fetch, 0, sizeof(fetch));
	memset(got, 0, sizeof(got));
	done = false;
	streamed = 0;
	fetch.account = account;
	fetch.bucket = STR("data");
	fetch.key = STR("object");
	fetch.etag = etag[0] != '\0' ? str_of(etag) : STR_NONE;
	fetch.start = start;
	fetch.length = length;
	fetch.data = stream ? NULL : got;
	fetch.on_data = on_data;
	fetch.on_done = on_done;
	fetch_post(engine_worker(engine, 0), &fetch);
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&ended, &lock);
	pthread_mutex_unlock(&lock);
	return fetch.error;
}

static void put_object(void)
{
	struct call call;
	struct s3_answer answer;
	call_init(&call);
	call.request.op = S3_PUT_OBJECT;
	call.request.bucket = STR("data");
	call.request.key = STR("object");
	call.request.body_length = SIZE;
	call.body_data = content;
	call.account = account;
	assert_int_equal(call_wait(engine, &call, &answer), 0);
	memcpy(etag, answer.etag, sizeof(etag));
}

static int setup(void **state)
{
	static const char *const args[] = {"--bucket=data", NULL};
	struct engine_options options = {.workers = 1, .inflight = 8, .retries = 3, .timeout_ms = 5000};
	struct account_options account_options = {.addressing = NULL};
	char why[ACCOUNT_WHY_MAX];
	for (unsigned i = 0; i < SIZE; i++)
		content[i] = (char)('a' + (i * 7 + i / 1000) % 26);
	server_start(&server, argv0, args);
	refuse_at = 0;
	assert_int_equal(engine_new(&options, &engine), 0);
	assert_int_equal(account_open(&account_options, &account, why), 0);
	put_object();
	return 0;
}

static int teardown(void **state)
{
	engine_free(engine);
	account_unref(account);
	server_stop(&server);
	return 0;
}

static void test_ranges(void **state)
{
	static const struct {
		uint64_t start;
		size_t length, expected;
	} ranges[] = {{0, SIZE, SIZE}, {0, 1, 1}, {5, 1000, 1000}, {SIZE - 1, 1, 1}, {SIZE - 10, 100, 10},
		{SIZE, 10, 0}, {0, SIZE + 500, SIZE}};
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		for (unsigned stream = 0; stream < 2; stream++) {
			assert_int_equal(run(ranges[i].start, ranges[i].length, stream), 0);
			assert_int_equal(fetch.got, ranges[i].expected);
			assert_memory_equal(got, content + ranges[i].start, fetch.got);
		}
	}
}

static void test_cuts(void **state)
{
	for (unsigned stream = 0; stream < 2; stream++) {
		server_fault(&server, "op=get,count=5,action=truncate");
		assert_int_equal(run(100, SIZE - 100, stream), 0);
		assert_int_equal(fetch.got, SIZE - 100);
		assert_memory_equal(got, content + 100, SIZE - 100);
		assert_true(fetch.resumed > 0);
		server_clear(&server);
	}
}

/* It ends although every transfer is cut. */
static void test_cuts_without_end(void **state)
{
	server_fault(&server, "op=get,action=truncate");
	assert_true(run(0, SIZE, false) < 0);
	assert_true(fetch.resumed <= 8);
	assert_memory_equal(got, content, fetch.got);
}

/* Without an ETag the rest may be of another object. */
static void test_cut_without_etag(void **state)
{
	etag[0] = '\0';
	server_fault(&server, "op=get,nth=1,action=truncate");
	assert_true(run(0, SIZE, false) < 0);
	assert_int_equal(fetch.resumed, 0);
}

static void test_changed(void **state)
{
	server_put(&server, "data", "object", 6, "another");
	assert_int_equal(run(0, 100, false), -ESTALE);
	free(server_ask(&server, "DELETE", "object?bucket=data&key=object", NULL));
	assert_int_equal(run(0, 100, false), -ESTALE);
	etag[0] = '\0';
	assert_int_equal(run(0, 100, false), -ENOENT);
}

static void test_changed_in_the_middle(void **state)
{
	server_fault(&server, "op=get,nth=1,action=truncate");
	server_hook(&server, "when=get,nth=2,do=put,bucket=data,key=object,text=another");
	assert_int_equal(run(0, SIZE, false), -ESTALE);
}

static void test_refused_by_taker(void **state)
{
	refuse_at = 50000;
	assert_int_equal(run(0, SIZE, true), -ENOSPC);
	assert_true(fetch.got <= 50000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_ranges),
		TEST(test_cuts),
		TEST(test_cuts_without_end),
		TEST(test_cut_without_etag),
		TEST(test_changed),
		TEST(test_changed_in_the_middle),
		TEST(test_refused_by_taker),
	};
	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
