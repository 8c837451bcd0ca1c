/* What is left below a directory that is to be removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "engine/wire/engine.h"
#include "fs/ops/left_below.h"
#include "tests/unit/support/server.h"

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;
static bool done;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void on_done(struct left_below *left, const struct s3_answer *answer)
{
	pthread_mutex_lock(&lock);
	done = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
}

/* Lists below d/; the caller releases *ret. */
static void look(struct left_below *ret)
{
	*ret = (struct left_below){
		.account = account, .bucket = STR("data"), .prefix = STR("d/"), .on_done = on_done};
	done = false;
	assert_int_equal(left_below_post(ret, engine_worker(engine, 0)), 0);
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&ended, &lock);
	pthread_mutex_unlock(&lock);
}

static unsigned count(const struct left_below *left)
{
	unsigned at = 0, found = 0;
	struct str key;

	for (; left_below_next(left, &at, &key); found++) {
		assert_true(str_has_prefix(key, STR("d/")));
		assert_true(key.len > 2);
	}
	return found;
}

static int set_up(void **state)
{
	const struct engine_options options = {.workers = 1, .inflight = 8, .retries = 3, .timeout_ms = 5000};
	const struct account_options account_options = {.addressing = NULL};
	char why[ACCOUNT_WHY_MAX];

	server_start(&server, argv0, (const char *const[]){"--bucket=data", NULL});
	return account_open(&account_options, &account, why) == 0 && engine_new(&options, &engine) == 0 ? 0
													: -1;
}

static int tear_down(void **state)
{
	engine_free(engine);
	account_unref(account);
	server_stop(&server);
	return 0;
}

static void test_what_is_there(void **state)
{
	struct left_below left;

	server_put(&server, "data", "dd", 2, "beside");
	server_put(&server, "data", "d", 1, "beside");
	look(&left);
	assert_int_equal(left.error, 0);
	assert_false(left.marked);
	assert_int_equal(count(&left), 0);
	left_below_release(&left);

	server_put(&server, "data", "d/", 2, "");
	look(&left);
	assert_true(left.marked);
	assert_int_equal(count(&left), 0);
	left_below_release(&left);

	server_put(&server, "data", "d/a", 3, "text");
	server_put(&server, "data", "d//", 3, "text");
	look(&left);
	assert_true(left.marked);
	assert_int_equal(count(&left), 2);
	left_below_release(&left);
	left_below_release(&left);
}

static void test_refused(void **state)
{
	struct left_below left;

	server_fault(&server, "op=list,action=403:AccessDenied");
	look(&left);
	assert_int_equal(left.error, -EACCES);
	assert_false(left.marked);
	left_below_release(&left);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	};

	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
