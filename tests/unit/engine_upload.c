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
#include "engine/engine.h"
#include "engine/upload.h"
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

static void assert_stored(uint64_t size)
{
	char *text = server_ask(&server, "GET", "object?bucket=into&key=key", NULL);
	json_t *json = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "size")), size);
	assert_string_equal(json_string_value(json_object_get(json, "md5")), md5);
	json_t *type = json_object_get(json_object_get(json, "headers"), "content-type");
	assert_string_equal(json_string_value(type), "text/x-test");
	json_decref(json);
	free(text);
	assert_int_equal(server_stat(&server, "open_uploads"), 0);
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
	assert_stored(BIG);
	fclose(file);
	make_file(1000);
	prepare(1000);
	assert_int_equal(run(), 0);
	assert_stored(1000);
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
	free(server_ask(&server, "DELETE", "object?bucket=into&key=key", NULL));
	make_file(BIG);
	prepare(BIG);
	upload.create_only = true;
	server_fault(&server, "op=complete,nth=1,action=reset-after");
	assert_int_equal(run(), 0);
	assert_stored(BIG);
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
	};
	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
