/* Deletes gathered, against the embedded server. */
#include "fs/early/delete_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include "engine/base/log.h"
#include "s3/delete_set.h"
#include "tests/unit/support/server.h"

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;
static struct gather *gather;

struct key {
	struct gathered gathered;
	char text[64];
	int error;
	char code[PURGE_CODE_MAX + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static unsigned done;

static void on_done(struct gathered *gathered)
{
	struct key *key = gathered->user;

	pthread_mutex_lock(&lock);
	key->error = gathered->error;
	snprintf(key->code, sizeof(key->code), "%s", gathered->code);
	done++;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
}

static void await(unsigned wanted)
{
	pthread_mutex_lock(&lock);
	while (done < wanted)
		pthread_cond_wait(&wake, &lock);
	pthread_mutex_unlock(&lock);
}

static void add(struct key *key, const char *bucket, const char *format, unsigned number)
{
	memset(key, 0, sizeof(*key));
	snprintf(key->text, sizeof(key->text), "%s%u", format, number);
	key->gathered = (struct gathered){
		.account = account,
		.bucket = str_of(bucket),
		.key = str_of(key->text),
		.on_done = on_done,
		.user = key,
	};
	gather_add(gather, &key->gathered);
}

static int setup(void **state)
{
	struct engine_options options = {.workers = 2, .inflight = 64, .retries = 2, .timeout_ms = 5000};
	static const char *const args[] = {"--bucket=one", "--bucket=two", NULL};
	char why[ACCOUNT_WHY_MAX];

	done = 0;
	server_start(&server, argv0, args);
	struct account_options account_options = {.endpoint_url = server.url};

	assert_int_equal(engine_new(&options, &engine), 0);
	assert_int_equal(account_open(&account_options, &account, why), 0);
	assert_int_equal(gather_new(engine_worker(engine, 0), &gather), 0);
	return 0;
}

static int teardown(void **state)
{
	if (engine)
		gather_stop(gather);
	engine_free(engine);
	gather_free(gather);
	account_unref(account);
	server_stop(&server);
	return 0;
}

static void fill(const char *bucket, unsigned count)
{
	char key[64];

	for (unsigned i = 0; i < count; i++) {
		int len = snprintf(key, sizeof(key), "k%u", i);

		server_put(&server, bucket, key, (size_t)len, "x");
	}
}

static void test_many_become_few(void **state)
{
	enum { COUNT = 2500 };
	struct key *keys = calloc(COUNT, sizeof(*keys));

	server_post(&server, "seed?bucket=one&prefix=k&count=10&size=1");
	server_reset(&server);
	for (unsigned i = 0; i < COUNT; i++)
		add(&keys[i], "one", "k/", i);
	gather_hurry(gather);
	await(COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(keys[i].error, 0);
	/* 1,000 and 1,000 and the rest, which a timer may have cut in pieces. */
	assert_true(server_count(&server, "deletes") >= 3);
	assert_true(server_count(&server, "deletes") < 30);
	assert_int_equal(server_count(&server, "delete"), 0);
	free(keys);
}

static void test_goes_by_itself(void **state)
{
	struct key keys[3];

	fill("one", 3);
	for (unsigned i = 0; i < 3; i++)
		add(&keys[i], "one", "k", i);
	await(3);
	assert_int_equal(server_key_count(&server, "one", ""), 0);
}

static void test_buckets_apart(void **state)
{
	struct key keys[4];

	fill("one", 2);
	fill("two", 3);
	add(&keys[0], "one", "k", 0);
	add(&keys[1], "two", "k", 0);
	add(&keys[2], "one", "k", 1);
	add(&keys[3], "two", "k", 2);
	await(4);
	assert_int_equal(server_key_count(&server, "one", ""), 0);
	assert_int_equal(server_key_count(&server, "two", ""), 1);
}

static void test_one_is_refused(void **state)
{
	struct key keys[3];

	fill("one", 3);
	server_fault(&server, "op=deletes-key,key=k1,action=403:AccessDenied");
	for (unsigned i = 0; i < 3; i++)
		add(&keys[i], "one", "k", i);
	gather_hurry(gather);
	await(3);
	assert_int_equal(keys[0].error, 0);
	assert_int_equal(keys[1].error, -EACCES);
	assert_string_equal(keys[1].code, "AccessDenied");
	assert_int_equal(keys[2].error, 0);
	assert_int_equal(server_key_count(&server, "one", ""), 1);
}

/* A server that answers no delete of one account's, however many wait for it, holds up no other account. */
static void test_one_is_stuck(void **state)
{
	enum { STUCK = 12 * DELETE_SET_MAX };
	struct key *stuck = calloc(STUCK, sizeof(*stuck)), keys[2];
	struct account *mine = account, *other;
	char why[ACCOUNT_WHY_MAX];
	unsigned left = 2;

	fill("two", 2);
	server_fault(&server, "op=deletes,bucket=one,action=stall");
	assert_int_equal(account_open(&(struct account_options){.endpoint_url = server.url}, &other, why), 0);
	for (unsigned i = 0; i < STUCK; i++)
		add(&stuck[i], "one", "k", i);
	account = other;
	for (unsigned i = 0; i < 2; i++)
		add(&keys[i], "two", "k", i);
	account = mine;
	gather_hurry(gather);
	for (unsigned i = 0; i < 1200 && left > 0; i++) {
		poll(NULL, 0, 100);
		left = server_key_count(&server, "two", "");
	}
	assert_int_equal(left, 0);
	/* What is stuck ends with the engine. */
	gather_stop(gather);
	engine_free(engine);
	engine = NULL;
	assert_int_equal(done, STUCK + 2);
	account_unref(other);
	free(stuck);
}

static void test_nothing_is_left_at_the_end(void **state)
{
	struct key keys[20];

	for (unsigned i = 0; i < 20; i++)
		add(&keys[i], "one", "k", i);
	gather_stop(gather);
	engine_free(engine);
	engine = NULL;
	assert_int_equal(done, 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many_become_few, setup, teardown),
		cmocka_unit_test_setup_teardown(test_goes_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buckets_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_is_stuck, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_left_at_the_end, setup, teardown),
	};

	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
