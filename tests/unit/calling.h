/*
 * calling: an engine, an account and a scripted server, for tests of calls.  Included by a test program, not
 * linked.
 */
#ifndef FERRYFS_TESTS_UNIT_CALLING_H
#define FERRYFS_TESTS_UNIT_CALLING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "engine/wire/call.h"
#include "engine/base/log.h"
#include "engine/wire/stats.h"
#include "tests/unit/scripted.h"

struct fixture {
	struct server server;
	struct account *account;
	struct engine *engine;
};

static struct fixture *begin_with(
	const struct engine_options *options, unsigned count, const char *const *steps)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct server *server = &fixture->server;
	char why[ACCOUNT_WHY_MAX];

	assert_int_equal(server_start(server, count, steps), 0);
	assert_int_equal(
		account_open(&(struct account_options){.endpoint_url = server->url}, &fixture->account, why),
		0);
	assert_int_equal(engine_new(options, &fixture->engine), 0);
	return fixture;
}

#define BEGIN(...)                                                                                           \
	begin_with(&(struct engine_options){.retries = UINT_MAX, .workers = 1},                              \
		sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static void end(struct fixture *fixture)
{
	engine_free(fixture->engine);
	account_unref(fixture->account);
	server_stop(&fixture->server);
	free(fixture);
}

static unsigned asked(struct fixture *fixture)
{
	unsigned requests;

	pthread_mutex_lock(&fixture->server.lock);
	requests = fixture->server.requests;
	pthread_mutex_unlock(&fixture->server.lock);
	return requests;
}

#define HEAD_OK "HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nContent-Length: 5\r\n\r\n"
#define EMPTY(status) "HTTP/1.1 " status "\r\nx-amz-request-id: R1\r\nContent-Length: 0\r\n\r\n"
#define FOREIGN(status) "HTTP/1.1 " status "\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
#define COPY_BODY                                                                                            \
	"<CopyObjectResult><ETag>\"e2\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></"       \
	"CopyObjectResult>"
#define CHUNKED(status, body_hex_length, body)                                                               \
	"HTTP/1.1 " status "\r\nTransfer-Encoding: chunked\r\n\r\n" body_hex_length "\r\n" body              \
	"\r\n0\r\n\r\n"
#define COPY_OK CHUNKED("200 OK", "6b", COPY_BODY)
#define ERROR_BODY(code) "<Error><Code>" code "</Code></Error>"
#define SLOW_DOWN CHUNKED("503 Slow Down", "24", ERROR_BODY("SlowDown"))

static void head(struct fixture *fixture, struct call *call)
{
	call_init(call);
	call->account = fixture->account;
	call->request = (struct s3_request){.op = S3_HEAD_OBJECT, .bucket = STR("bucket"), .key = STR("key")};
}

static void clean_environment(void)
{
	setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	unsetenv("AWS_PROFILE");
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
}

#endif
