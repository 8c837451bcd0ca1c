/* Files uploaded to the embedded server, by one PUT and in parts, whole and failing. */
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
#include <openssl/evp.h>
#include <pthread.h>
#include <unistd.h>
#include "engine/wire/engine.h"
#include "engine/object/upload.h"
#include "tests/unit/support/server.h"

enum { BIG = 23 << 20, PART = 5 << 20 };

static const char *argv0;
static struct server server;
static struct engine *engine;
static struct account *account;
static struct headers headers;
static struct upload upload;
static FILE *file;
static char md5[33];
static bool done;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void on_done(struct upload *u, const struct s3_answer *answer)
{
	pthread_mutex_lock(&lock);
	done = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
}

/* A file of so many bytes, its MD5 kept. */
static void make_file(size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	char *data = malloc(size + 1);
	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 + i / 4096);
	file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(EVP_Digest(data, size, digest, &len, EVP_md5(), NULL), 1);
	for (unsigned i = 0; i < 16; i++)
		snprintf(md5 + 2 * i, 3, "%02x", digest[i]);
	free(data);
}

static void prepare(uint64_t size)
{
	memset(&upload, 0, sizeof(upload));
	upload.account = account;
	upload.bucket = STR("into");
	upload.key = STR("key");
	upload.fd = fileno(file);
	upload.size = size;
	upload.headers = &headers;
	upload.part_threshold = PART;
	upload.part_size = PART;
	upload.on_done = on_done;
	done = false;
}

static int run(void)
{
	upload_post(engine_worker(engine, 0), &upload);
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&ended, &lock);
	pthread_mutex_unlock(&lock);
	return upload.error;
}

static void assert_object(uint64_t size)
{
	char *text = server_ask(&server, "GET", "object?bucket=into&key=key", NULL);
	json_t *json = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "size")), size);
	assert_string_equal(json_string_value(json_object_get(json, "md5")), md5);
	json_t *type = json_object_get(json_object_get(json, "headers"), "content-type");
	assert_string_equal(json_string_value(type), "text/x-test");
	json_decref(json);
	free(text);
}

static void assert_stored(uint64_t size)
{
	assert_object(size);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

/* What somebody else has put there is still there. */
static void assert_theirs(void)
{
	char *text = server_ask(&server, "GET", "object?bucket=into&key=key", NULL);
	json_t *json = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "size")), strlen("theirs"));
	json_decref(json);
	free(text);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

static void remove_object(void)
{
	free(server_ask(&server, "DELETE", "object?bucket=into&key=key", NULL));
}

static char *object_etag(void)
{
	char *text = server_ask(&server, "GET", "object?bucket=into&key=key", NULL);
	json_t *json = json_loads(text, 0, NULL);
	const char *etag = json_string_value(json_object_get(json, "etag"));
	size_t quoted = etag[0] == '"';
	char *copy = strndup(etag + quoted, strlen(etag) - 2 * quoted);
	assert_non_null(copy);
	json_decref(json);
	free(text);
	return copy;
}

/* Of which nothing was learnt. */
static void account_anew(void)
{
	struct account_options options = {.addressing = NULL};
	char why[ACCOUNT_WHY_MAX];
	account_unref(account);
	assert_int_equal(account_open(&options, &account, why), 0);
}

static int setup(void **state)
{
	static const char *const args[] = {"--bucket=into", NULL};
	struct engine_options options = {.workers = 1, .inflight = 8, .retries = 3, .timeout_ms = 5000};
	struct account_options account_options = {.addressing = NULL};
	char why[ACCOUNT_WHY_MAX];
	file = NULL;
	headers_init(&headers);
	headers_add(&headers, STR("content-type"), STR("text/x-test"));
	server_start(&server, argv0, args);
	assert_int_equal(engine_new(&options, &engine), 0);
	assert_int_equal(account_open(&account_options, &account, why), 0);
	return 0;
}

static int teardown(void **state)
{
	engine_free(engine);
	account_unref(account);
	headers_release(&headers);
	server_stop(&server);
	if (file != NULL)
		fclose(file);
	return 0;
}

static void test_put(void **state)
{
	make_file(100000);
	prepare(100000);
	assert_int_equal(run(), 0);
	assert_stored(100000);
	assert_string_equal(upload.etag, md5);
	assert_int_equal(server_count(&server, "put"), 1);
}

static void test_empty(void **state)
{
	make_file(0);
	prepare(0);
	assert_int_equal(run(), 0);
	assert_stored(0);
}

static void test_parts(void **state)
{
	make_file(BIG);
	prepare(BIG);
	assert_int_equal(run(), 0);
	assert_stored(BIG);
	assert_int_equal(server_count(&server, "upload-part"), 5);
	assert_int_equal(server_count(&server, "put"), 0);
}

static void test_faults(void **state)
{
	make_file(BIG);
	prepare(BIG);
	server_fault(&server, "op=upload-part,nth=1,action=503:SlowDown\n"
			      "op=upload-part,nth=2,action=reset\n"
			      "op=upload-part,nth=4,action=reset-after\n"
			      "op=create-upload,nth=1,action=reset-after\n"
			      "op=complete,nth=1,action=reset-after\n"
			      "op=put,nth=1,action=500");
	assert_int_equal(run(), 0);
	assert_object(BIG);
	assert_int_equal(server_stat(&server, "open_uploads"), 1); /* nothing proves that it is ours */
	fclose(file);
	make_file(1000);
	prepare(1000);
	assert_int_equal(run(), 0);
	assert_object(1000);
}

static void test_failures(void **state)
{
	static const char *const faults[] = {
		"op=create-upload,action=403:AccessDenied",
		"op=upload-part,nth=3,action=403:AccessDenied",
		"op=complete,action=403:AccessDenied",
	};
	make_file(BIG);
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		prepare(BIG);
		server_fault(&server, faults[i]);
		assert_int_equal(run(), -EACCES);
		server_clear(&server);
		assert_int_equal(server_stat(&server, "open_uploads"), 0);
		assert_int_equal(server_key_count(&server, "into", ""), 0);
	}
}

static void test_short_file(void **state)
{
	make_file(1000);
	prepare(2000);
	assert_int_equal(run(), -EIO);
	prepare(BIG);
	assert_int_equal(run(), -EIO);
	assert_int_equal(server_key_count(&server, "into", ""), 0);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

static void test_conditions(void **state)
{
	make_file(1000);
	server_put(&server, "into", "key", 3, "theirs");
	prepare(1000);
	upload.create_only = true;
	assert_int_equal(run(), -EEXIST);
	prepare(1000);
	upload.if_match = STR("0123456789abcdef0123456789abcdef");
	assert_int_equal(run(), -ESTALE);
	fclose(file);
	make_file(BIG);
	prepare(BIG);
	upload.create_only = true;
	assert_int_equal(run(), -EEXIST);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
}

/* Stored by an attempt whose answer was lost. */
static void test_ambiguous(void **state)
{
	make_file(1000);
	prepare(1000);
	upload.create_only = true;
	server_fault(&server, "op=put,nth=1,action=reset-after");
	assert_int_equal(run(), 0);
	assert_stored(1000);
	fclose(file);
	remove_object();
	make_file(BIG);
	prepare(BIG);
	upload.create_only = true;
	server_fault(&server, "op=complete,nth=1,action=reset-after");
	assert_int_equal(run(), 0);
	assert_stored(BIG);
}

/* An upload of the same key that another client begins in the moment of ours is not ours to abort. */
static void test_foreign_upload(void **state)
{
	struct call call;
	struct s3_answer answer;
	call_init(&call);
	call.request.op = S3_CREATE_UPLOAD;
	call.request.bucket = STR("into");
	call.request.key = STR("key");
	call.account = account;
	assert_int_equal(call_wait(engine, &call, &answer), 0);
	make_file(BIG);
	prepare(BIG);
	server_fault(&server, "op=create-upload,nth=1,action=reset");
	assert_int_equal(run(), 0);
	assert_object(BIG);
	assert_int_equal(server_stat(&server, "open_uploads"), 1);
}

static void set_enforced(bool enforced)
{
	server_post(&server, "set?conditional-put=%d", enforced);
}

/* Whether conditions hold is learnt on what had to be sent anyway, and not asked for again. */
static void test_learns(void **state)
{
	for (int enforced = 0; enforced < 2; enforced++) {
		enum account_answer learnt = enforced ? TRAIT_YES : TRAIT_NO;
		set_enforced(enforced);
		account_anew();
		make_file(1000);
		for (unsigned i = 0; i < 2; i++) {
			prepare(1000);
			upload.create_only = true;
			server_reset(&server);
			assert_int_equal(run(), 0);
			assert_stored(1000);
			assert_string_equal(upload.etag, md5);
			assert_int_equal(account_trait(account, TRAIT_PUT_CREATE), learnt);
			assert_int_equal(server_count(&server, "put"), i == 0 ? 2 : 1);
			assert_int_equal(server_count(&server, "head"), i == 0 || !enforced);
			remove_object();
		}
		server_put(&server, "into", "key", 3, "theirs");
		for (unsigned i = 0; i < 2; i++) {
			char *etag = object_etag();
			prepare(1000);
			upload.if_match = str_of(etag);
			server_reset(&server);
			assert_int_equal(run(), 0);
			assert_stored(1000);
			assert_int_equal(account_trait(account, TRAIT_PUT_MATCH), learnt);
			assert_int_equal(server_count(&server, "put"), i == 0 && enforced ? 2 : 1);
			assert_int_equal(server_count(&server, "head"), i == 0 || !enforced);
			free(etag);
		}
		remove_object();
		fclose(file);
		file = NULL;
	}
}

/* Somebody else's object stays, whether the service sees to that or not. */
static void test_keeps_theirs(void **state)
{
	static const size_t sizes[] = {1000, BIG};
	for (unsigned i = 0; i < 8; i++) {
		set_enforced(i & 1);
		make_file(sizes[i / 4]);
		server_put(&server, "into", "key", 3, "theirs");
		for (unsigned again = 0; again < 2; again++) {
			prepare(sizes[i / 4]);
			if (i & 2)
				upload.create_only = true;
			else
				upload.if_match = STR("0123456789abcdef0123456789abcdef");
			assert_int_equal(run(), i & 2 ? -EEXIST : -ESTALE);
			assert_theirs();
		}
		fclose(file);
		file = NULL;
	}
}

/* It comes between the look and the write: where the service enforces the condition. */
static void test_comes_in_between(void **state)
{
	static const char *const when[] = {"put", "complete"};
	for (unsigned i = 0; i < 4; i++) {
		char hook[128];
		char *etag = NULL;
		size_t size = i & 1 ? BIG : 1000;
		make_file(size);
		prepare(size);
		if (i & 2) {
			server_put(&server, "into", "key", 3, "mine");
			etag = object_etag();
			upload.if_match = str_of(etag);
		} else {
			upload.create_only = true;
		}
		snprintf(hook, sizeof(hook), "when=%s,nth=1,do=put,bucket=into,key=key,text=theirs",
			when[i & 1]);
		server_hook(&server, hook);
		assert_int_equal(run(), i & 2 ? -ESTALE : -EEXIST);
		assert_theirs();
		server_clear(&server);
		remove_object();
		free(etag);
		fclose(file);
		file = NULL;
	}
}

/* What was to be replaced is gone. */
static void test_gone(void **state)
{
	static const size_t sizes[] = {1000, BIG};
	for (unsigned i = 0; i < 4; i++) {
		set_enforced(i & 1);
		make_file(sizes[i / 2]);
		for (unsigned again = 0; again < 2; again++) {
			prepare(sizes[i / 2]);
			upload.if_match = STR("0123456789abcdef0123456789abcdef");
			assert_int_equal(run(), -ESTALE);
			assert_int_equal(server_key_count(&server, "into", ""), 0);
			assert_int_equal(server_stat(&server, "open_uploads"), 0);
		}
		fclose(file);
		file = NULL;
	}
}

/* Replaced by an attempt whose answer was lost. */
static void test_ambiguous_match(void **state)
{
	static const size_t sizes[] = {1000, BIG};
	for (unsigned i = 0; i < 2; i++) {
		server_put(&server, "into", "key", 3, "mine");
		char *etag = object_etag();
		account_learn(account, TRAIT_PUT_MATCH, true);
		make_file(sizes[i]);
		prepare(sizes[i]);
		upload.if_match = str_of(etag);
		server_fault(
			&server, "op=put,nth=1,action=reset-after\nop=complete,nth=1,action=reset-after");
		assert_int_equal(run(), 0);
		assert_stored(sizes[i]);
		server_clear(&server);
		free(etag);
		fclose(file);
		file = NULL;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_put),
		TEST(test_empty),
		TEST(test_parts),
		TEST(test_faults),
		TEST(test_failures),
		TEST(test_short_file),
		TEST(test_conditions),
		TEST(test_ambiguous),
		TEST(test_foreign_upload),
		TEST(test_learns),
		TEST(test_keeps_theirs),
		TEST(test_comes_in_between),
		TEST(test_gone),
		TEST(test_ambiguous_match),
	};
	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
