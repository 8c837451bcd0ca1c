/* Reasons, and the bound on the failures that are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "fs/cmd/reason.h"
#include "fs/cmd/transfer_report.h"

static void is(const struct reason *reason, const char *wanted)
{
	struct buf text;

	buf_init(&text, 4096);
	assert_int_equal(reason_text(&text, reason), 0);
	assert_string_equal(buf_text(&text), wanted);
	buf_release(&text);
}

static void test_reason(void **state)
{
	struct buf text;

	buf_init(&text, 1024);
	is(&(struct reason){.error = -EACCES, .code = "AccessDenied", .request_id = "42"},
		"AccessDenied: access denied (request id 42)");
	is(&(struct reason){.error = -EIO,
		   .code = "InvalidRequest",
		   .message = "Server Side Encryption with KMS requires a header",
		   .request_id = "42"},
		"InvalidRequest: Server Side Encryption with KMS requires a header (request id 42)");
	/* our own condition failed: our words say which */
	is(&(struct reason){.error = -ESTALE, .code = "PreconditionFailed", .message = "At least one"},
		"PreconditionFailed: the source changed meanwhile");
	is(&(struct reason){.error = -ESTALE, .code = ""}, "the source changed meanwhile");
	reason_text(&text, &(struct reason){.error = -EIO, .code = "\x1b[2J", .message = "a\nb\x1b]0;x\a"});
	assert_null(strpbrk(buf_text(&text), "\x1b\n\a"));
	buf_release(&text);
}

static void test_transport(void **state)
{
	struct account *account;
	char why[ACCOUNT_WHY_MAX];

	assert_int_equal(account_open(&(struct account_options){.no_sign_request = true,
					      .endpoint_url = "https://host:9000"},
				 &account, why),
		0);
	is(&(struct reason){.error = -ECONNREFUSED,
		   .message = "Failed to connect to host port 9000 after 0 ms",
		   .account = account},
		"Connection refused: https://host:9000");
	is(&(struct reason){.error = -EHOSTUNREACH,
		   .message = "Could not resolve host: host",
		   .account = account},
		"could not resolve host: https://host:9000");
	is(&(struct reason){.error = -EIO, .message = "could not resolve host", .account = account},
		"could not resolve host: https://host:9000");
	is(&(struct reason){.error = -ECONNABORTED,
		   .message = "error:0A00010B:SSL routines::wrong version number",
		   .account = account},
		"what answers speaks no TLS: https://host:9000 (use http:// for a service without TLS)");
	is(&(struct reason){.error = -EPROTO,
		   .message = "SSL certificate problem: self-signed certificate",
		   .account = account},
		"TLS failed: SSL certificate problem: self-signed certificate: https://host:9000 (see "
		"--ca-bundle)");
	is(&(struct reason){.error = -ECONNABORTED,
		   .message = "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to host:9000",
		   .account = account},
		"TLS failed: OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to host:9000: "
		"https://host:9000 (use http:// if the service has no TLS)");
	is(&(struct reason){.error = -ETIMEDOUT, .message = "no answer for 60000 ms", .account = account},
		"no answer for 60000 ms: https://host:9000");
	is(&(struct reason){.error = -EBADMSG, .status = 200, .account = account},
		"the service's answer makes no sense (is there a portal or proxy before https://host:9000?)");
	is(&(struct reason){.error = -EACCES, .status = 403, .account = account},
		"access denied (HTTP 403 without an S3 error: https://host:9000)");
	is(&(struct reason){.error = -EACCES, .status = 403, .request_id = "7", .account = account},
		"access denied (request id 7)");
	account_unref(account);
}

static void test_bound(void **state)
{
	struct report report = {.kind = JOB_COPY, .bucket = STR("aaa"), .destination = STR("bbb")};
	struct job_event event = {
		.step = JOB_COPIED, .error = -EACCES, .source_key = STR("k"), .key = STR("k2")};

	report_init(&report);
	for (unsigned i = 0; i < REPORT_FAILURES_MAX + 5; i++)
		report_event(&report, &event);
	assert_int_equal(report.failed, REPORT_FAILURES_MAX + 5);
	assert_string_equal(
		report.failures[REPORT_FAILURES_MAX - 1], "copy: s3://aaa/k -> s3://bbb/k2: access denied");
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_reason), cmocka_unit_test(test_transport),
		cmocka_unit_test(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
