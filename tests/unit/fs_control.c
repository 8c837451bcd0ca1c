#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fs/control/control.h"
#include "fs/host/json_text.h"

static char why[ACCOUNT_WHY_MAX];

static int parsed(const char *line, struct control_request *ret)
{
	return control_parse(line, strlen(line), ret, why);
}

static void refused(const char *line, int error)
{
	struct control_request request;

	why[0] = '\0';
	assert_int_equal(parsed(line, &request), error);
	assert_string_not_equal(why, "");
	control_request_release(&request);
}

static void test_bytes(void **state)
{
	static const char *const texts[] = {
		"", "plain/ path", "100%", "\x01\x1f\x7f\x80\xff", "\xc3\xa9", "a\nb\\\"c"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *value = json_text_new(texts[i]);
		char *back = NULL;

		assert_non_null(value);
		assert_int_equal(json_text_get(value, &back), 0);
		assert_string_equal(back, texts[i]);
		free(back);
		json_decref(value);
	}
}

static void test_bad_bytes(void **state)
{
	static const char *const texts[] = {"%", "%4", "%4g", "%00", "%aa", "abc%"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *value = json_string(texts[i]);
		char *back = NULL;

		assert_int_equal(json_text_get(value, &back), -EINVAL);
		assert_null(back);
		json_decref(value);
	}
}

static void test_simple(void **state)
{
	struct control_request request;

	assert_int_equal(parsed("{\"ferryfs\":1,\"op\":\"hello\"}", &request), 0);
	assert_int_equal(request.op, CONTROL_HELLO);
	assert_null(request.point);
	control_request_release(&request);
	assert_int_equal(parsed("{\"ferryfs\":1,\"op\":\"settle\",\"point\":\"/mnt/%C3%A9\"}", &request), 0);
	assert_int_equal(request.op, CONTROL_SETTLE);
	assert_string_equal(request.point, "/mnt/\xc3\xa9");
	control_request_release(&request);
	assert_int_equal(parsed("{\"ferryfs\":1,\"op\":\"status\"}", &request), 0);
	assert_null(request.point);
	control_request_release(&request);
}

static void test_refused(void **state)
{
	refused("", -EINVAL);
	refused("[]", -EINVAL);
	refused("{", -EINVAL);
	refused("{}", -EPROTONOSUPPORT);
	refused("{\"ferryfs\":2,\"op\":\"hello\"}", -EPROTONOSUPPORT);
	refused("{\"ferryfs\":1}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":7}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":\"unmount\"}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":\"settle\"}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":\"settle\",\"point\":\"mnt\"}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":\"settle\",\"point\":\"/a/../b\"}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":\"settle\",\"point\":[\"/a\"]}", -EINVAL);
	refused("{\"ferryfs\":2,\"op\":\"add\",\"point\":\"/a\"}", -EINVAL);
	refused("{\"ferryfs\":1,\"op\":\"add\",\"point\":\"/a\"}", -EPROTONOSUPPORT);
	refused("{\"ferryfs\":1,\"op\":\"hello\",\"op\":\"status\"}", -EINVAL);
}

static void test_long(void **state)
{
	char *line = malloc(CONTROL_LINE_MAX + 1);
	struct control_request request;

	memset(line, ' ', CONTROL_LINE_MAX);
	memcpy(line, "{\"ferryfs\":1,\"op\":\"hello\"}", 26);
	assert_int_equal(control_parse(line, CONTROL_LINE_MAX - 1, &request, why), 0);
	control_request_release(&request);
	assert_int_equal(control_parse(line, CONTROL_LINE_MAX, &request, why), -EINVAL);
	control_request_release(&request);
	free(line);
}

/* A request of everything. */
static void fill(struct control_request *request)
{
	*request = (struct control_request){
		.op = CONTROL_ADD, .point = strdup("/mnt/a b%"), .namespace = 4026531840u};
	assert_int_equal(view_new(&request->view), 0);
	assert_int_equal(s3_url_parse("s3://bucket/pre\xff/x/", &request->view->url), 0);
	request->view->uid = 4;
	request->view->gid = 5;
	request->view->file_mode = 0640;
	request->view->dir_mode = 0750;
	request->view->ro = request->view->allow_other = request->view->attrs_meta = true;
	request->view->cache_ttl_ms = 1234;
	request->view->flush_after_ms = 5678;
	request->view->keep_open = 4096;
	request->view->copy_ack = COPY_ACK_CLOSE;
	request->view->tags = COPY_TAGS_REQUIRED;
	request->view->storage_class = strdup("STANDARD_IA");
	assert_int_equal(headers_set(&request->view->headers, STR("x-amz-acl"), STR("private")), 0);
	assert_int_equal(headers_set(&request->view->headers,
				 STR("x-amz-server-side-encryption-aws-kms-key-id"), STR("alias/k%")),
		0);
	request->view->part_size = 5 << 20;
	request->view->part_threshold = 1ull << 32;
	request->no_verify_tls = true;
	strcpy(request->bucket_region, "eu-west-1");
	struct account_resolved *account = &request->account;

	assert_int_equal(endpoint_parse("https://[::1]:9000/base", &account->endpoint), 0);
	account->endpoint.addressing = ADDRESSING_PATH;
	account->endpoint.variants = ENDPOINT_FIPS;
	account->by_region = account->request_payer = account->profile_named = true;
	strcpy(account->region, "us-east-1");
	strcpy(account->profile, "p\xc3\xa9");
	account->config_path = strdup("/home/x/.aws/config");
	assert_int_equal(
		credentials_set(&account->credentials, STR("key"), STR("sec/ret+"), STR("tok\\\"en")), 0);
}

static void test_add(void **state)
{
	struct control_request request, back;
	struct buf line;

	fill(&request);
	buf_init(&line, CONTROL_LINE_MAX);
	assert_int_equal(control_format(&request, &line), 0);
	assert_int_equal(line.data[line.len - 1], '\n');
	assert_null(memchr(line.data, '\n', line.len - 1));
	if (control_parse(line.data, line.len - 1, &back, why) != 0)
		fail_msg("%s", why);
	assert_string_equal(back.point, request.point);
	assert_int_equal(back.namespace, request.namespace);
	assert_true(back.no_verify_tls);
	assert_string_equal(back.bucket_region, "eu-west-1");
	assert_string_equal(back.view->source, "s3://bucket/pre\xff/x");
	assert_memory_equal(&back.view->url, &request.view->url, sizeof(back.view->url));
	assert_int_equal(back.view->uid, 4);
	assert_int_equal(back.view->gid, 5);
	assert_int_equal(back.view->file_mode, 0640);
	assert_int_equal(back.view->dir_mode, 0750);
	assert_true(back.view->ro && back.view->allow_other && back.view->attrs_meta);
	assert_int_equal(back.view->cache_ttl_ms, 1234);
	assert_int_equal(back.view->flush_after_ms, 5678);
	assert_int_equal(back.view->keep_open, 4096);
	assert_int_equal(back.view->copy_ack, COPY_ACK_CLOSE);
	assert_int_equal(back.view->tags, COPY_TAGS_REQUIRED);
	assert_string_equal(back.view->storage_class, "STANDARD_IA");
	assert_true(headers_equal(&back.view->headers, &request.view->headers));
	assert_int_equal(back.view->headers.count, 2);
	assert_int_equal(back.view->part_size, 5 << 20);
	assert_int_equal(back.view->part_threshold, 1ull << 32);
	assert_true(endpoint_same(&back.account.endpoint, &request.account.endpoint));
	assert_int_equal(back.account.endpoint.addressing, ADDRESSING_PATH);
	assert_int_equal(back.account.endpoint.variants, ENDPOINT_FIPS);
	assert_true(back.account.by_region && back.account.request_payer && back.account.profile_named);
	assert_false(back.account.from_environment || back.account.no_sign_request);
	assert_string_equal(back.account.profile, "p\xc3\xa9");
	assert_string_equal(back.account.config_path, "/home/x/.aws/config");
	assert_null(back.account.credentials_path);
	assert_string_equal(back.account.credentials.secret, "sec/ret+");
	assert_string_equal(back.account.credentials.token, "tok\\\"en");
	control_request_release(&request);
	control_request_release(&back);
	buf_release(&line);
}

/* A view with an option of a later version would be shown without it; and so does no hub of an earlier one show ours. */
static void test_unknown_option(void **state)
{
	static const char *const places[] = {"\"view\": {", "\"account\": {", "{"};
	struct control_request request, back;
	struct buf line;

	fill(&request);
	buf_init(&line, CONTROL_LINE_MAX);
	assert_int_equal(control_format(&request, &line), 0);
	json_t *object = json_loadb(line.data, line.len, 0, NULL);

	assert_int_equal(json_integer_value(json_object_get(object, "ferryfs")), CONTROL_ADD_VERSION);
	assert_true(CONTROL_ADD_VERSION > 1);
	char *good = json_dumps(object, 0);

	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const char *at = strstr(good, places[i]);

		assert_non_null(at);
		at += strlen(places[i]);
		buf_clear(&line);
		assert_int_equal(buf_addf(&line, "%.*s\"later\": true, %s", (int)(at - good), good, at), 0);
		assert_int_equal(control_parse(line.data, line.len, &back, why), -EPROTONOSUPPORT);
		assert_int_equal(strncmp(why, CONTROL_OTHER_VERSION, strlen(CONTROL_OTHER_VERSION)), 0);
		control_request_release(&back);
	}
	free(good);
	json_decref(object);
	control_request_release(&request);
	buf_release(&line);
}

/* Every cut and every damaged byte of a good line is refused or understood, and nothing leaks. */
static void test_damaged(void **state)
{
	struct control_request request, back;
	struct buf line;

	fill(&request);
	buf_init(&line, CONTROL_LINE_MAX);
	assert_int_equal(control_format(&request, &line), 0);
	for (size_t i = 0; i + 1 < line.len; i++) {
		char kept = line.data[i];

		assert_true(control_parse(line.data, i, &back, why) < 0);
		control_request_release(&back);
		line.data[i] = kept == '1' ? '"' : '1';
		control_parse(line.data, line.len - 1, &back, why);
		control_request_release(&back);
		line.data[i] = kept;
	}
	control_request_release(&request);
	buf_release(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_unknown_option),
		cmocka_unit_test(test_damaged),
	};

	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
