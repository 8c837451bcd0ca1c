/* Jobs against the embedded server: tree copy, move, remove, with faults, conditions on and off, cancel,
 * undo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "engine/wire/engine.h"
#include "engine/job/job.h"
#include "engine/journal/journal_dir.h"
#include "engine/base/log.h"
#include "tests/unit/support/server.h"

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;
static struct journal_dir *journals;

/* What a job told. */
static struct {
	pthread_mutex_t lock;
	unsigned steps[JOB_UNDONE + 1], errors[JOB_UNDONE + 1];
	char failed_key[256];
	struct job *cancel;
	unsigned cancel_at; /* cancels when so many are copied */
} told = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_event(void *user, const struct job_event *event)
{
	struct job *cancel = NULL;
	pthread_mutex_lock(&told.lock);
	told.steps[event->step]++;
	if (event->error != 0) {
		told.errors[event->step]++;
		size_t len = event->source_key.len < 255 ? event->source_key.len : 255;
		memcpy(told.failed_key, event->source_key.data, len);
		told.failed_key[len] = '\0';
	}
	if (event->step == JOB_COPIED && told.steps[JOB_COPIED] == told.cancel_at)
		cancel = told.cancel;
	pthread_mutex_unlock(&told.lock);
	if (cancel != NULL)
		job_cancel(cancel);
}

static void engine_begin(unsigned workers)
{
	struct engine_options options = {
		.workers = workers, .inflight = 64, .retries = 4, .timeout_ms = 5000};
	struct account_options account_options = {.endpoint_url = server.url};
	char why[ACCOUNT_WHY_MAX];
	assert_int_equal(engine_new(&options, &engine), 0);
	assert_int_equal(account_open(&account_options, &account, why), 0);
	memset(told.steps, 0, sizeof(told.steps));
	memset(told.errors, 0, sizeof(told.errors));
	told.failed_key[0] = '\0';
	told.cancel = NULL;
	told.cancel_at = 0;
}

static void engine_end(void)
{
	engine_free(engine);
	account_unref(account);
}

static int setup(void **state)
{
	static const char *const args[] = {"--bucket=into", NULL};
	server_start(&server, argv0, args);
	server_post(&server, "seed?bucket=from&prefix=src&count=2500&size=20&dirs=3&depth=2&meta=m:1");
	engine_begin(2);
	return 0;
}

/* Every move that ended leaves nothing for a recovery. */
static void assert_no_journals(void)
{
	char **names = NULL;
	assert_int_equal(journal_dir_names(journals, &names), 0);
	assert_null(names[0]);
	journal_names_free(names);
}

static int teardown(void **state)
{
	assert_no_journals();
	engine_end();
	server_stop(&server);
	return 0;
}

static struct job_options options_for(const char *from, const char *bucket, const char *to, unsigned flags)
{
	return (struct job_options){
		.engine = engine,
		.source_account = account,
		.account = account,
		.source_bucket = STR("from"),
		.source_prefix = str_of(from),
		.bucket = str_of(bucket),
		.prefix = str_of(to),
		.flags = flags,
		.journal = journals,
		.on_event = on_event,
	};
}

static int run(enum job_kind kind, const struct job_options *options, struct job_progress *ret)
{
	struct job *job = NULL;
	int err = job_start(kind, options, &job);
	if (err != 0)
		return err;
	err = job_wait(job);
	if (ret != NULL)
		job_progress(job, ret);
	job_unref(job);
	return err;
}

/* Are both sides the same, key by key, with size, ETag, class, type and attributes? */
static void assert_same(const char *from, const char *to_bucket, const char *to)
{
	char *left = server_keys(&server, "from", from), *right = server_keys(&server, to_bucket, to);
	char *a = left, *b = right, *a_end, *b_end;
	for (; *a != '\0' && *b != '\0'; a = a_end + 1, b = b_end + 1) {
		a_end = strchr(a, '\n');
		b_end = strchr(b, '\n');
		a += strlen(from);
		b += strlen(to);
		if (a_end - a != b_end - b || memcmp(a, b, (size_t)(a_end - a)) != 0)
			fail_msg("%.*s is not %.*s", (int)(a_end - a), a, (int)(b_end - b), b);
	}
	assert_int_equal(*a, 0);
	assert_int_equal(*b, 0);
	free(left);
	free(right);
}

static void test_copy(void **state)
{
	struct job_progress progress;
	struct job_options options = options_for("src/", "into", "dst/", 0);
	server_reset(&server);
	assert_int_equal(run(JOB_COPY, &options, &progress), 0);
	assert_int_equal(progress.found, 2500);
	assert_int_equal(progress.copied, 2500);
	assert_int_equal(progress.failed, 0);
	assert_true(progress.listed);
	assert_int_equal(told.steps[JOB_COPIED], 2500);
	assert_int_equal(server_count(&server, "copy"), 2500);
	assert_int_equal(server_count(&server, "get"), 0);
	assert_int_equal(server_count(&server, "head"), 0);
	assert_same("src/", "into", "dst/");
}

static void test_copy_of_nothing(void **state)
{
	struct job_options options = options_for("none/", "into", "dst/", 0);
	assert_int_equal(run(JOB_COPY, &options, NULL), 0);
	options.source_bucket = STR("missing");
	assert_int_equal(run(JOB_COPY, &options, NULL), -ENOENT);
}

static void test_copy_under_faults(void **state)
{
	struct job_options options = options_for("src/", "into", "dst/", 0);
	server_fault(&server, "op=copy,share=0.05,seed=1,action=503:SlowDown\n"
			      "op=copy,share=0.02,seed=2,action=500\n"
			      "op=copy,share=0.01,seed=3,action=reset\n"
			      "op=copy,share=0.01,seed=4,action=reset-after\n"
			      "op=copy,share=0.01,seed=5,action=error200:InternalError\n"
			      "op=copy,share=0.01,seed=6,action=truncate\n"
			      "op=list,nth=2,action=truncate\n"
			      "op=list,nth=3,action=503:SlowDown");
	assert_int_equal(run(JOB_COPY, &options, NULL), 0);
	server_clear(&server);
	assert_same("src/", "into", "dst/");
}

static void test_keep_going(void **state)
{
	struct job_progress progress;
	struct job_options options = options_for("src/", "into", "dst/", JOB_KEEP_GOING);
	server_fault(&server, "op=copy,key=*file000077*,action=403:AccessDenied");
	assert_int_equal(run(JOB_COPY, &options, &progress), -EACCES);
	assert_int_equal(progress.copied, 2499);
	assert_int_equal(progress.failed, 1);
	assert_int_equal(told.errors[JOB_COPIED], 1);
	assert_non_null(strstr(told.failed_key, "file000077"));
	assert_int_equal(server_key_count(&server, "into", "dst/"), 2499);
}

static void test_first_error_ends(void **state)
{
	struct job *job = NULL;
	struct job_error error;
	struct job_options options = options_for("src/", "into", "dst/", 0);
	server_fault(&server, "op=copy,from=50,action=403:AccessDenied");
	assert_int_equal(job_start(JOB_COPY, &options, &job), 0);
	assert_int_equal(job_wait(job), -EACCES);
	job_first_error(job, &error);
	assert_string_equal(error.code, "AccessDenied");
	assert_string_equal(error.what, "copy");
	assert_non_null(strstr(error.key, "src/"));
	assert_true(error.request_id[0] != '\0');
	job_unref(job);
	assert_true(server_key_count(&server, "into", "dst/") < 200);
}

static void test_long_key(void **state)
{
	char key[1024], prefix[64];
	memset(key, 'k', sizeof(key));
	memcpy(key, "long/", 5);
	memset(prefix, 'p', sizeof(prefix));
	prefix[63] = '\0';
	server_put(&server, "from", key, sizeof(key), "x");
	server_put(&server, "from", "long/short", 10, "x");
	struct job_options options = options_for("long/", "into", prefix, JOB_KEEP_GOING);
	assert_int_equal(run(JOB_COPY, &options, NULL), -ENAMETOOLONG);
	assert_int_equal(server_key_count(&server, "into", ""), 1);
}

static void test_overlap(void **state)
{
	struct job_options options = options_for("src/", "from", "src/", 0);
	assert_int_equal(run(JOB_COPY, &options, NULL), -EINVAL);
	options = options_for("src/", "from", "src/in/", 0);
	assert_int_equal(run(JOB_COPY, &options, NULL), -EINVAL);
	assert_int_equal(run(JOB_MOVE, &options, NULL), -EINVAL);
	options.exclude_prefix = STR("src/in/");
	struct job_progress progress;
	assert_int_equal(run(JOB_COPY, &options, &progress), 0);
	assert_int_equal(progress.copied, 2500);
	assert_int_equal(run(JOB_COPY, &options, &progress), 0);
	assert_int_equal(progress.copied, 2500);
}

static void test_dry_run(void **state)
{
	struct job_options options = options_for("src/", "into", "dst/", JOB_DRY_RUN);
	server_reset(&server);
	assert_int_equal(run(JOB_MOVE, &options, NULL), 0);
	assert_int_equal(run(JOB_REMOVE, &options, NULL), 0);
	assert_int_equal(told.steps[JOB_FOUND], 5000);
	assert_int_equal(server_count(&server, "copy") + server_count(&server, "deletes"), 0);
}

static bool want_some(void *user, const struct page_entry *entry)
{
	return entry->key.data[entry->key.len - 5] == '7';
}

static void test_want(void **state)
{
	struct job_progress progress;
	struct job_options options = options_for("src/", "into", "dst/", 0);
	options.want = want_some;
	assert_int_equal(run(JOB_MOVE, &options, &progress), 0);
	assert_int_equal(progress.copied, 250);
	assert_int_equal(progress.deleted, 250);
	assert_int_equal(progress.skipped, 2250);
	assert_int_equal(server_key_count(&server, "from", "src/"), 2250);
}

/* ---- move ---- */

static const char *odd_keys[] = {
	"src/a\rb", "src/a\nb", "src/\x01", "src/&<>", "src/\xff\xfe", "src/ ", "src//", "src/+%"};

static void put_odd_keys(const char *bucket)
{
	for (unsigned i = 0; i < sizeof(odd_keys) / sizeof(odd_keys[0]); i++)
		server_put(&server, bucket, odd_keys[i], strlen(odd_keys[i]), "odd");
}

static void check_move(void)
{
	struct job_progress progress;
	put_odd_keys("from");
	struct job_options options = options_for("src/", "into", "keep/", 0);
	assert_int_equal(run(JOB_COPY, &options, NULL), 0);
	char *before = server_keys(&server, "into", "keep/");
	options = options_for("src/", "into", "dest/", JOB_CREATE_ONLY | JOB_UNDO);
	server_reset(&server);
	assert_int_equal(run(JOB_MOVE, &options, &progress), 0);
	assert_int_equal(progress.copied, 2508);
	assert_int_equal(progress.deleted, 2508);
	assert_int_equal(server_key_count(&server, "from", "src/"), 0);
	for (char *at = before; (at = strstr(at, "keep/")) != NULL;)
		memcpy(at, "dest/", 5);
	char *after = server_keys(&server, "into", "dest/");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void test_move(void **state)
{
	check_move();
	assert_true(server_count(&server, "copy") <= 2508 + 2);
	assert_int_equal(account_trait(account, TRAIT_COPY_IF_MATCH), TRAIT_YES);
	assert_int_equal(account_trait(account, TRAIT_DELETE_IF_MATCH), TRAIT_YES);
	assert_int_equal(account_trait(account, TRAIT_COPY_CREATE), TRAIT_YES);
}

static void test_move_unconditional(void **state)
{
	server_post(&server, "set?conditional-copy=0&conditional-delete=0&conditional-put=0");
	check_move();
	assert_int_equal(account_trait(account, TRAIT_COPY_IF_MATCH), TRAIT_NO);
	assert_int_equal(account_trait(account, TRAIT_DELETE_IF_MATCH), TRAIT_NO);
	assert_int_equal(account_trait(account, TRAIT_COPY_CREATE), TRAIT_NO);
}

static void test_move_under_faults(void **state)
{
	server_fault(&server, "op=copy,share=0.05,seed=1,action=503:SlowDown\n"
			      "op=copy,share=0.02,seed=2,action=reset\n"
			      "op=copy,share=0.02,seed=3,action=reset-after\n"
			      "op=copy,share=0.02,seed=4,action=truncate\n"
			      "op=deletes,nth=1,action=reset-after\n"
			      "op=deletes,nth=3,action=truncate\n"
			      "op=list,nth=2,action=truncate");
	check_move();
}

/* Overwritten after its copy and before its delete: it stays, and the call says so. */
static void check_overwritten(const char *when)
{
	struct job_progress progress;
	char *first = server_keys(&server, "from", "src/"), spec[512];
	*strchr(first, '\t') = '\0';
	snprintf(spec, sizeof(spec), "when=%s,at=before,do=put,bucket=from,key=%s,text=newer", when, first);
	server_hook(&server, spec);
	struct job_options options = options_for("src/", "into", "dst/", 0);
	assert_int_equal(run(JOB_MOVE, &options, &progress), -EBUSY);
	assert_int_equal(progress.copied, 2500);
	assert_int_equal(progress.deleted, 2499);
	assert_string_equal(told.failed_key, first);
	assert_int_equal(server_key_count(&server, "from", "src/"), 1);
	assert_int_equal(server_key_count(&server, "into", "dst/"), 2500);
	free(first);
}

static void test_overwritten(void **state)
{
	check_overwritten("deletes,nth=1");
}

static void test_overwritten_unconditional(void **state)
{
	server_post(&server, "set?conditional-copy=0&conditional-delete=0");
	check_overwritten("copy,nth=2400");
}

static void test_added_meanwhile(void **state)
{
	server_hook(&server, "when=deletes,nth=2,do=put,bucket=from,key=src/zzz,text=new");
	struct job_options options = options_for("src/", "into", "dst/", 0);
	assert_int_equal(run(JOB_MOVE, &options, NULL), -EBUSY);
	assert_string_equal(told.failed_key, "src/zzz");
	assert_int_equal(server_key_count(&server, "from", "src/"), 1);
}

static void check_undo(const char *fault, int expected)
{
	struct job_progress progress;
	char *before = server_keys(&server, "from", "src/");
	server_fault(&server, fault);
	struct job_options options = options_for("src/", "into", "dst/", JOB_CREATE_ONLY | JOB_UNDO);
	assert_int_equal(run(JOB_MOVE, &options, &progress), expected);
	assert_int_equal(progress.deleted, 0);
	assert_true(told.steps[JOB_UNDONE] > 0);
	assert_int_equal(told.errors[JOB_UNDONE], 0);
	assert_int_equal(server_key_count(&server, "into", "dst/"), 0);
	char *after = server_keys(&server, "from", "src/");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void test_undo(void **state)
{
	check_undo("op=copy,key=*file002100*,action=403:AccessDenied", -EACCES);
}

static void test_undo_unconditional(void **state)
{
	server_post(&server, "set?conditional-copy=0&conditional-delete=0&conditional-put=0");
	check_undo("op=copy,key=*file002100*,action=403:AccessDenied", -EACCES);
}

static void test_undo_versioned(void **state)
{
	server_post(&server, "set?versioning=1");
	check_undo("op=copy,key=*file002100*,action=403:AccessDenied", -EACCES);
}

/* A source that went meanwhile means somebody else is at work: nothing is undone. */
static void test_no_undo_without_source(void **state)
{
	char *first = server_keys(&server, "from", "src/"), spec[512];
	*strchr(first, '\t') = '\0';
	snprintf(spec, sizeof(spec), "when=copy,nth=700,do=delete,bucket=from,key=%s", first);
	server_hook(&server, spec);
	server_fault(&server, "op=copy,from=1500,action=403:AccessDenied");
	struct job_options options = options_for("src/", "into", "dst/", JOB_CREATE_ONLY | JOB_UNDO);
	assert_int_equal(run(JOB_MOVE, &options, NULL), -EACCES);
	assert_int_equal(told.steps[JOB_UNDONE], 0);
	assert_true(server_key_count(&server, "into", "dst/") > 1000);
	free(first);
}

/* Somebody else's object at the destination is neither overwritten nor undone. */
static void test_create_only(void **state)
{
	char *first = server_keys(&server, "from", "src/"), key[512];
	*strchr(first, '\t') = '\0';
	snprintf(key, sizeof(key), "dst/%s", first + 4);
	server_put(&server, "into", key, strlen(key), "mine");
	struct job_options options = options_for("src/", "into", "dst/", JOB_CREATE_ONLY | JOB_UNDO);
	assert_int_equal(run(JOB_MOVE, &options, NULL), -EEXIST);
	assert_int_equal(server_key_count(&server, "into", "dst/"), 1);
	assert_int_equal(server_key_count(&server, "from", "src/"), 2500);
	free(first);
}

static void test_cancel(void **state)
{
	struct job *job = NULL;
	struct job_options options = options_for("src/", "into", "dst/", JOB_CREATE_ONLY | JOB_UNDO);
	server_post(&server, "set?latency.copy=5");
	pthread_mutex_lock(&told.lock);
	told.cancel_at = 100;
	assert_int_equal(job_start(JOB_MOVE, &options, &job), 0);
	told.cancel = job;
	pthread_mutex_unlock(&told.lock);
	assert_int_equal(job_wait(job), -ECANCELED);
	job_unref(job);
	assert_int_equal(server_key_count(&server, "into", "dst/"), 0);
	assert_int_equal(server_key_count(&server, "from", "src/"), 2500);
}

/* What was not begun when it was stopped is neither done nor failed. */
static void test_cancel_counts(void **state)
{
	struct job *job = NULL;
	struct job_progress progress;
	struct job_options options = options_for("src/", "into", "dst/", JOB_KEEP_GOING);
	server_post(&server, "set?latency.copy=5");
	pthread_mutex_lock(&told.lock);
	told.cancel_at = 100;
	assert_int_equal(job_start(JOB_COPY, &options, &job), 0);
	told.cancel = job;
	pthread_mutex_unlock(&told.lock);
	assert_int_equal(job_wait(job), -ECANCELED);
	job_progress(job, &progress);
	job_unref(job);
	assert_int_equal(progress.failed, 0);
	assert_int_equal(told.errors[JOB_COPIED], 0);
	assert_int_equal(told.steps[JOB_COPIED], progress.copied);
	assert_in_range(progress.copied, 100, 2499);
	assert_int_equal(server_key_count(&server, "into", "dst/"), progress.copied);
}

/* Past the point of no return nothing stops it. */
static void test_delete_refused(void **state)
{
	struct job_progress progress;
	struct job_options options = options_for("src/", "into", "dst/", JOB_CREATE_ONLY | JOB_UNDO);
	server_fault(&server, "op=deletes-key,key=*file000500*,action=403:AccessDenied");
	assert_int_equal(run(JOB_MOVE, &options, &progress), -EACCES);
	assert_int_equal(progress.deleted, 2499);
	assert_int_equal(server_key_count(&server, "into", "dst/"), 2500);
	assert_int_equal(server_key_count(&server, "from", "src/"), 1);
}

/* ---- remove ---- */

static void test_remove(void **state)
{
	struct job_progress progress;
	put_odd_keys("from");
	server_put(&server, "from", "src/dir/", 8, "");
	server_put(&server, "from", "srcs", 4, "stays");
	struct job_options options = options_for("src/", "into", "", 0);
	assert_int_equal(run(JOB_REMOVE, &options, &progress), 0);
	assert_int_equal(progress.deleted, 2509);
	assert_int_equal(server_key_count(&server, "from", ""), 1);
}

static void test_remove_refused(void **state)
{
	struct job_progress progress;
	server_fault(&server, "op=deletes-key,key=*file000500*,action=403:AccessDenied\n"
			      "op=deletes-key,key=*file000501*,count=1,action=500:InternalError");
	struct job_options options = options_for("src/", "into", "", JOB_KEEP_GOING);
	assert_int_equal(run(JOB_REMOVE, &options, &progress), -EACCES);
	assert_int_equal(progress.deleted, 2499);
	assert_int_equal(progress.failed, 1);
	assert_int_equal(server_key_count(&server, "from", "src/"), 1);
}

static void test_remove_under_faults(void **state)
{
	server_fault(&server, "op=deletes,share=0.3,seed=7,count=4,action=503:SlowDown\n"
			      "op=deletes,nth=2,action=reset-after\n"
			      "op=list,nth=1,action=reset\n"
			      "op=list,nth=2,action=truncate");
	struct job_options options = options_for("src/", "into", "", 0);
	assert_int_equal(run(JOB_REMOVE, &options, NULL), 0);
	assert_int_equal(server_key_count(&server, "from", "src/"), 0);
}

/* ---- large objects among others, and an end in the middle ---- */

static void test_large_among_small(void **state)
{
	struct copy_settings settings = {.part_threshold = 100 << 20, .part_size = 50 << 20};
	for (unsigned i = 0; i < 10; i++)
		server_post(&server, "sparse?bucket=from&key=src/big%u&size=%u", i, 300u << 20);
	struct job_options options = options_for("src/", "into", "dst/", JOB_CREATE_ONLY | JOB_UNDO);
	options.copy = &settings;
	server_reset(&server);
	assert_int_equal(run(JOB_MOVE, &options, NULL), 0);
	assert_int_equal(server_count(&server, "copy-part"), 60);
	assert_int_equal(server_key_count(&server, "into", "dst/"), 2510);
	assert_int_equal(server_key_count(&server, "from", "src/"), 0);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

static void test_engine_ends_first(void **state)
{
	struct job *job = NULL;
	struct job_options options = options_for("src/", "into", "dst/", 0);
	server_post(&server, "set?latency.copy=20");
	assert_int_equal(job_start(JOB_COPY, &options, &job), 0);
	engine_free(engine);
	assert_int_equal(job_wait(job), -ECANCELED);
	job_unref(job);
	engine = NULL;
	account_unref(account);
	engine_begin(1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_copy),
		TEST(test_copy_of_nothing),
		TEST(test_copy_under_faults),
		TEST(test_keep_going),
		TEST(test_first_error_ends),
		TEST(test_long_key),
		TEST(test_overlap),
		TEST(test_dry_run),
		TEST(test_want),
		TEST(test_move),
		TEST(test_move_unconditional),
		TEST(test_move_under_faults),
		TEST(test_overwritten),
		TEST(test_overwritten_unconditional),
		TEST(test_added_meanwhile),
		TEST(test_undo),
		TEST(test_undo_unconditional),
		TEST(test_undo_versioned),
		TEST(test_no_undo_without_source),
		TEST(test_create_only),
		TEST(test_cancel),
		TEST(test_cancel_counts),
		TEST(test_delete_refused),
		TEST(test_remove),
		TEST(test_remove_refused),
		TEST(test_remove_under_faults),
		TEST(test_large_among_small),
		TEST(test_engine_ends_first),
	};
	argv0 = argv[0];
	char path[] = "/tmp/ferryfs-test-XXXXXX", why[JOURNAL_WHY_MAX];
	if (mkdtemp(path) == NULL || journal_dir_open(path, false, &journals, why) != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	journal_dir_free(journals);
	rmdir(path);
	return failed;
}
