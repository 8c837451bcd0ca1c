/* One object's copy against the embedded server: in one request and in parts, with what belongs to it, and
 * failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include "engine/object/copy.h"
#include "engine/wire/engine.h"
#include "engine/base/log.h"
#include "tests/unit/support/server.h"

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;
static struct copy_settings settings;

static struct job {
	struct task task, cancel;
	struct copy copy;
	bool done;
	char code[ANSWER_CODE_MAX + 1];
} job;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void on_done(struct copy *copy, const struct s3_answer *answer)
{
	pthread_mutex_lock(&lock);
	memcpy(job.code, answer->error.code, sizeof(job.code));
	job.done = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
}

static void run_start(struct task *task, struct worker *worker)
{
	copy_start(worker, &job.copy);
}

static void run_cancel(struct task *task, struct worker *worker)
{
	if (!job.done)
		copy_cancel(&job.copy);
}

static void prepare(const char *key, const char *to, uint64_t size)
{
	memset(&job, 0, sizeof(job));
	job.copy.settings = &settings;
	job.copy.source_account = job.copy.account = account;
	job.copy.source_bucket = STR("from");
	job.copy.source_key = str_of(key);
	job.copy.bucket = STR("into");
	job.copy.key = str_of(to);
	job.copy.size = size;
	job.copy.on_done = on_done;
	job.task.run = run_start;
	job.cancel.run = run_cancel;
}

static int finish(void)
{
	pthread_mutex_lock(&lock);
	while (!job.done)
		pthread_cond_wait(&ended, &lock);
	pthread_mutex_unlock(&lock);
	return job.copy.error;
}

static int run(void)
{
	worker_post(engine_worker(engine, 0), &job.task);
	return finish();
}

/* One field of what the server knows of an object, as text; "" when the object is not there. */
static char *field(const char *bucket, const char *key, const char *name, const char *inner)
{
	char path[256];
	char *keys = server_keys(&server, bucket, key);
	bool there = keys[0] != '\0';
	free(keys);
	if (!there)
		return strdup("");
	snprintf(path, sizeof(path), "object?bucket=%s&key=%s", bucket, key);
	char *text = server_ask(&server, "GET", path, NULL);
	json_t *json = json_loads(text, 0, NULL), *at = json_object_get(json, name);
	if (inner != NULL)
		at = json_object_get(at, inner);
	char *value = at == NULL	   ? strdup("")
		      : json_is_string(at) ? strdup(json_string_value(at))
					   : json_dumps(at, JSON_ENCODE_ANY);
	json_decref(json);
	free(text);
	return value;
}

static void assert_field(const char *key, const char *name, const char *inner, const char *expected)
{
	char *value = field("into", key, name, inner);
	assert_string_equal(value, expected);
	free(value);
}

static int setup(void **state)
{
	static const char *const args[] = {"--bucket=from", "--bucket=into", NULL};
	struct engine_options options = {.workers = 1, .inflight = 32, .retries = 1, .timeout_ms = 4000};
	struct account_options account_options = {.addressing = NULL};
	char why[ACCOUNT_WHY_MAX];
	memset(&settings, 0, sizeof(settings));
	server_start(&server, argv0, args);
	server_post(&server, "seed?bucket=from&prefix=p&count=1&size=100&meta=color:red&content-type=text/"
			     "x-odd&storage-class=STANDARD_IA");
	server_post(&server, "seed?bucket=from&prefix=big&count=1&size=104857600&meta=color:blue&content-"
			     "type=text/x-big&storage-class=STANDARD_IA");
	assert_int_equal(engine_new(&options, &engine), 0);
	assert_int_equal(account_open(&account_options, &account, why), 0);
	return 0;
}

static int teardown(void **state)
{
	engine_free(engine);
	account_unref(account);
	server_stop(&server);
	return 0;
}

#define SMALL "p/file000000.txt"
#define BIG "big/file000000.txt"
#define BIG_SIZE ((uint64_t)100 << 20)

static void set_parts(void)
{
	settings.part_threshold = 50 << 20;
	settings.part_size = 10 << 20;
}

static void test_small(void **state)
{
	prepare(SMALL, "to", 100);
	job.copy.storage_class = STR("STANDARD_IA");
	server_reset(&server);
	assert_int_equal(run(), 0);
	assert_int_equal(server_stat(&server, "total"), 1);
	assert_field("to", "headers", "x-amz-meta-color", "red");
	assert_field("to", "headers", "content-type", "text/x-odd");
	assert_field("to", "storage_class", NULL, "STANDARD_IA");
	char *etag = field("into", "to", "etag", NULL);
	assert_non_null(strstr(etag, job.copy.etag));
	free(etag);
	assert_true(job.copy.mtime > 0);
}

static void test_unknown_size(void **state)
{
	prepare(SMALL, "to", COPY_SIZE_UNKNOWN);
	server_reset(&server);
	assert_int_equal(run(), 0);
	assert_int_equal(server_count(&server, "head"), 1);
	assert_int_equal(job.copy.size, 100);
	assert_field("to", "storage_class", NULL, "STANDARD_IA");
}

static void test_settings_win(void **state)
{
	struct headers headers;
	headers_init(&headers);
	headers_add(&headers, STR("x-amz-storage-class"), STR("GLACIER_IR"));
	settings.headers = &headers;
	prepare(SMALL, "to", 100);
	job.copy.storage_class = STR("STANDARD_IA");
	assert_int_equal(run(), 0);
	assert_field("to", "storage_class", NULL, "GLACIER_IR");
	set_parts();
	prepare(BIG, "parts", BIG_SIZE);
	job.copy.storage_class = STR("STANDARD_IA");
	assert_int_equal(run(), 0);
	assert_field("parts", "storage_class", NULL, "GLACIER_IR");
	headers_release(&headers);
}

static void test_refusals(void **state)
{
	prepare("none", "to", 5);
	assert_int_equal(run(), -ENOENT);
	assert_string_equal(job.code, "NoSuchKey");
	prepare(SMALL, "to", 100);
	job.copy.source_etag = STR("0123456789abcdef0123456789abcdef");
	assert_int_equal(run(), -ESTALE);
	assert_int_equal(server_key_count(&server, "into", ""), 0);
}

static void test_create_only(void **state)
{
	prepare(SMALL, "to", 100);
	job.copy.create_only = true;
	assert_int_equal(run(), 0);
	prepare(SMALL, "to", 100);
	job.copy.create_only = true;
	assert_int_equal(run(), -EEXIST);
	set_parts();
	prepare(BIG, "to", BIG_SIZE);
	job.copy.create_only = true;
	assert_int_equal(run(), -EEXIST);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

static int run_looking(const char *key, const char *to, uint64_t size)
{
	prepare(key, to, size);
	job.copy.create_only = job.copy.look_first = true;
	return run();
}

/* A service that answers 501 to If-None-Match, and ignores it after that. */
static void test_look_first(void **state)
{
	server_post(&server, "set?conditional-put=0");
	server_fault(&server, "op=copy,nth=1,action=501:NotImplemented");
	assert_int_equal(run_looking(SMALL, "to", 100), 0);
	assert_int_equal(account_trait(account, TRAIT_COPY_CREATE), TRAIT_NO);
	server_reset(&server);
	assert_int_equal(run_looking(SMALL, "to", 100), -EEXIST);
	assert_int_equal(server_count(&server, "head"), 1);
	assert_int_equal(server_count(&server, "copy"), 0);
	/* Who may not list is told 403 of what is missing. */
	server_fault(&server, "op=head,nth=1,action=403:AccessDenied");
	assert_int_equal(run_looking(SMALL, "free", 100), 0);
	server_fault(&server, "op=head,action=500");
	assert_int_equal(run_looking(SMALL, "unclear", 100), -EIO);
	server_clear(&server);
	assert_field("unclear", "size", NULL, "");
	set_parts();
	assert_int_equal(run_looking(BIG, "to", BIG_SIZE), -EEXIST);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
	assert_field("to", "size", NULL, "100");
}

/* The first attempt created it and its answer was lost: the 412 of the second is our own doing. */
static void test_ambiguous_create(void **state)
{
	char *etag = field("from", SMALL, "etag", NULL);
	size_t quoted = etag[0] == '"';
	prepare(SMALL, "to", 100);
	job.copy.create_only = true;
	job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
	server_fault(&server, "op=copy,nth=1,action=reset-after");
	assert_int_equal(run(), 0);
	assert_true(job.copy.etag[0] != '\0');
	free(etag);
}

static void test_foreign_create(void **state)
{
	char *etag = field("from", SMALL, "etag", NULL);
	size_t quoted = etag[0] == '"';
	prepare(SMALL, "to", 100);
	job.copy.create_only = true;
	job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
	server_fault(&server, "op=copy,nth=1,action=reset");
	server_hook(&server, "when=copy,nth=1,do=put,bucket=into,key=to,text=theirs");
	assert_int_equal(run(), -EEXIST);
	assert_field("to", "size", NULL, "6");
	free(etag);
}

static void test_late_error(void **state)
{
	prepare(SMALL, "to", 100);
	server_fault(&server, "op=copy,count=1,action=error200:InternalError");
	assert_int_equal(run(), 0);
	server_clear(&server);
	server_fault(&server, "op=copy,action=error200:AccessDenied");
	prepare(SMALL, "to2", 100);
	assert_int_equal(run(), -EACCES);
}

static void test_parts(void **state)
{
	set_parts();
	server_reset(&server);
	prepare(BIG, "to", BIG_SIZE);
	assert_int_equal(run(), 0);
	assert_int_equal(server_count(&server, "copy-part"), 10);
	assert_int_equal(server_count(&server, "get-tagging"), 1);
	assert_int_equal(server_count(&server, "copy"), 0);
	assert_field("to", "size", NULL, "104857600");
	assert_field("to", "headers", "x-amz-meta-color", "blue");
	assert_field("to", "headers", "content-type", "text/x-big");
	assert_field("to", "storage_class", NULL, "STANDARD_IA");
	assert_true(strstr(job.copy.etag, "-10") != NULL);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

static void test_parts_under_faults(void **state)
{
	set_parts();
	prepare(BIG, "to", BIG_SIZE);
	server_fault(&server, "op=copy-part,share=0.3,seed=3,count=6,action=503:SlowDown\n"
			      "op=copy-part,nth=4,action=reset-after\n"
			      "op=complete,nth=1,action=reset-after\n"
			      "op=create-upload,nth=1,action=reset-after\n"
			      "op=head,nth=1,action=reset");
	assert_int_equal(run(), 0);
	assert_field("to", "size", NULL, "104857600");
	/* Of the create whose answer was lost: nothing proves that it is ours. */
	assert_int_equal(server_stat(&server, "open_uploads"), 1);
}

/* Whatever step fails, no upload stays behind. */
static void test_parts_fail(void **state)
{
	static const struct {
		const char *fault;
		int error;
	} cases[] = {
		{"op=head,action=403", -EACCES},
		{"op=get-tagging,action=403:ExpiredToken", -EACCES},
		{"op=create-upload,action=403:AccessDenied", -EACCES},
		{"op=copy-part,nth=1,action=403:AccessDenied", -EACCES},
		{"op=copy-part,nth=9,action=403:AccessDenied", -EACCES},
		{"op=copy-part,nth=3,action=403:AccessDenied\nop=abort,count=5,action=500", -EACCES},
		{"op=complete,action=403:AccessDenied", -EACCES},
		{"op=complete,action=error200:InternalError", -EIO},
	};
	set_parts();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prepare(BIG, "to", BIG_SIZE);
		server_fault(&server, cases[i].fault);
		assert_int_equal(run(), cases[i].error);
		server_clear(&server);
		assert_int_equal(server_stat(&server, "open_uploads"), 0);
		assert_int_equal(server_key_count(&server, "into", ""), 0);
	}
}

static void test_parts_changed(void **state)
{
	char *etag = field("from", BIG, "etag", NULL);
	size_t quoted = etag[0] == '"';
	set_parts();
	prepare(BIG, "to", BIG_SIZE);
	job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
	server_hook(&server, "when=copy-part,nth=5,do=put,bucket=from,key=" BIG ",text=other");
	assert_int_equal(run(), -ESTALE);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
	free(etag);
}

/* Who asked for no version gets the new one. */
static void test_parts_begun_anew(void **state)
{
	set_parts();
	prepare(BIG, "to", BIG_SIZE);
	server_hook(&server, "when=copy-part,nth=5,do=put,bucket=from,key=" BIG ",text=other");
	assert_int_equal(run(), 0);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
	assert_field("to", "size", NULL, "5");
}

/* A service that ignores the condition on a part's source: what was there stays. */
static void test_parts_mixed(void **state)
{
	char *etag = field("from", BIG, "etag", NULL);
	size_t quoted = etag[0] == '"';
	set_parts();
	server_post(&server, "set?conditional-copy=0");
	server_post(&server, "overwrite?bucket=into&key=to&text=old");
	prepare(BIG, "to", BIG_SIZE);
	job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
	server_hook(&server, "when=copy-part,nth=10,at=after,do=put,bucket=from,key=" BIG ",text=other");
	assert_int_equal(run(), -ESTALE);
	assert_false(job.copy.ambiguous);
	assert_field("to", "size", NULL, "3");
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
	free(etag);
}

/* The copy of what was uploaded in parts has another ETag: size and time tell that it is ours. */
static void test_ambiguous_create_of_parts(void **state)
{
	char *etag;
	set_parts();
	prepare(BIG, "parts", BIG_SIZE);
	assert_int_equal(run(), 0);
	settings.part_threshold = settings.part_size = 0;
	etag = field("into", "parts", "etag", NULL);
	size_t quoted = etag[0] == '"';
	for (int ahead = -30; ahead <= 30; ahead += 30) {
		char key[16], set[32];
		snprintf(set, sizeof(set), "set?clock-ahead=%d", ahead);
		server_post(&server, "%s", set);
		snprintf(key, sizeof(key), "to%d", ahead + 30);
		prepare("parts", key, BIG_SIZE);
		job.copy.source_bucket = STR("into");
		job.copy.create_only = true;
		job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
		server_fault(&server, "op=copy,nth=1,action=reset-after");
		assert_int_equal(run(), 0);
		server_clear(&server);
		/* Somebody else's, of another size. */
		snprintf(key, sizeof(key), "not%d", ahead + 30);
		prepare("parts", key, BIG_SIZE);
		job.copy.source_bucket = STR("into");
		job.copy.create_only = true;
		job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
		server_fault(&server, "op=copy,nth=1,action=reset");
		char hook[96];
		snprintf(hook, sizeof(hook), "when=copy,nth=1,do=put,bucket=into,key=%s,text=theirs", key);
		server_hook(&server, hook);
		assert_int_equal(run(), -EEXIST);
		server_clear(&server);
	}
	server_post(&server, "set?clock-ahead=0");
	free(etag);
}

/* Two MD5s that differ are two contents, whatever the size and the time. */
static void test_foreign_create_of_the_size(void **state)
{
	char *etag = field("from", SMALL, "etag", NULL);
	size_t quoted = etag[0] == '"';
	char hook[200] = "when=copy,nth=1,do=put,bucket=into,key=to,text=";
	size_t at = strlen(hook);
	memset(hook + at, 'x', 100);
	prepare(SMALL, "to", 100);
	job.copy.create_only = true;
	job.copy.source_etag = str_n(etag + quoted, strlen(etag) - 2 * quoted);
	server_fault(&server, "op=copy,nth=1,action=reset");
	server_hook(&server, hook);
	assert_int_equal(run(), -EEXIST);
	assert_true(job.copy.etag[0] == '\0');
	free(etag);
}

static void test_tags(void **state)
{
	set_parts();
	server_post(&server, "set?tagging=0");
	prepare(BIG, "to", BIG_SIZE);
	assert_int_equal(run(), 0);
	assert_int_equal(account_trait(account, TRAIT_TAGGING), TRAIT_NO);
	server_reset(&server);
	prepare(BIG, "to2", BIG_SIZE);
	assert_int_equal(run(), 0);
	assert_int_equal(server_count(&server, "get-tagging"), 0);
	settings.tags = COPY_TAGS_REQUIRED;
	prepare(BIG, "to3", BIG_SIZE);
	assert_int_equal(run(), -EOPNOTSUPP);
}

static void test_tags_denied(void **state)
{
	set_parts();
	server_fault(&server, "op=get-tagging,action=403:AccessDenied");
	prepare(BIG, "to", BIG_SIZE);
	assert_int_equal(run(), 0);
	assert_int_equal(account_trait(account, TRAIT_TAGGING), TRAIT_UNKNOWN);
	settings.tags = COPY_TAGS_REQUIRED;
	prepare(BIG, "to2", BIG_SIZE);
	assert_int_equal(run(), -EACCES);
}

static void test_cancel_parts(void **state)
{
	set_parts();
	settings.parts_at_once = 2;
	server_post(&server, "set?latency.copy-part=50");
	prepare(BIG, "to", BIG_SIZE);
	server_reset(&server);
	worker_post(engine_worker(engine, 0), &job.task);
	while (server_count(&server, "copy-part") == 0)
		;
	worker_post(engine_worker(engine, 0), &job.cancel);
	assert_int_equal(finish(), -ECANCELED);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
	assert_int_equal(server_key_count(&server, "into", ""), 0);
	assert_true(server_count(&server, "copy-part") < 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_small),
		TEST(test_unknown_size),
		TEST(test_settings_win),
		TEST(test_refusals),
		TEST(test_create_only),
		TEST(test_look_first),
		TEST(test_ambiguous_create),
		TEST(test_foreign_create),
		TEST(test_late_error),
		TEST(test_parts),
		TEST(test_parts_under_faults),
		TEST(test_parts_fail),
		TEST(test_parts_changed),
		TEST(test_parts_begun_anew),
		TEST(test_parts_mixed),
		TEST(test_ambiguous_create_of_parts),
		TEST(test_foreign_create_of_the_size),
		TEST(test_tags),
		TEST(test_tags_denied),
		TEST(test_cancel_parts),
	};
	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
