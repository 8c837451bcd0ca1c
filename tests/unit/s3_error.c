#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "s3/answer.h"

static int code_errno(const char *code, int status)
{
	return s3_code_errno(str_of(code), status);
}

static enum s3_retry retry(const char *code, int status, const char *region)
{
	struct s3_answer answer = {.status = status, .of_s3 = true};
	strcpy(answer.error.code, code);
	strcpy(answer.region, region);
	return s3_answer_retry(&answer);
}

static void names_the_errno_of_codes(void **state)
{
	static const struct {
		const char *code;
		int error;
	} samples[] = {{"AccessDenied", EACCES}, {"AccountProblem", EACCES}, {"AllAccessDisabled", EACCES},
		{"AuthorizationHeaderMalformed", EACCES}, {"BandwidthLimitExceeded", EAGAIN},
		{"BucketAlreadyExists", EEXIST}, {"BucketAlreadyOwnedByYou", EEXIST},
		{"BucketNotEmpty", ENOTEMPTY}, {"ConditionalRequestConflict", EBUSY},
		{"EntityTooLarge", EFBIG}, {"ExpiredToken", EACCES}, {"IncompleteBody", EIO},
		{"InternalError", EIO}, {"InvalidAccessKeyId", EACCES}, {"InvalidBucketName", ENOENT},
		{"InvalidObjectState", EREMOTE}, {"InvalidRange", EINVAL}, {"InvalidSecurity", EACCES},
		{"InvalidToken", EACCES}, {"KeyTooLongError", ENAMETOOLONG}, {"MethodNotAllowed", EOPNOTSUPP},
		{"NoSuchBucket", ENOENT}, {"NoSuchKey", ENOENT}, {"NoSuchUpload", ENOENT},
		{"NoSuchVersion", ENOENT}, {"NotImplemented", EOPNOTSUPP}, {"NotSignedUp", EACCES},
		{"ObjectNotInActiveTierError", EREMOTE}, {"OperationAborted", EBUSY},
		{"PreconditionFailed", ESTALE}, {"QuotaExceeded", EDQUOT}, {"RequestLimitExceeded", EAGAIN},
		{"RequestTimeTooSkewed", EACCES}, {"RequestTimeout", ETIMEDOUT},
		{"ServiceUnavailable", EAGAIN}, {"SignatureDoesNotMatch", EACCES}, {"SlowDown", EAGAIN},
		{"SlowDownRead", EAGAIN}, {"SlowDownWrite", EAGAIN}, {"Throttling", EAGAIN},
		{"ThrottlingException", EAGAIN}, {"RequestThrottled", EAGAIN},
		{"RequestThrottledException", EAGAIN}, {"KMS.ThrottlingException", EAGAIN},
		{"EC2ThrottledException", EAGAIN}, {"PriorRequestNotComplete", EAGAIN},
		{"LimitExceededException", EAGAIN}, {"ProvisionedThroughputExceededException", EAGAIN},
		{"ServerBusy", EAGAIN}, {"TransactionInProgressException", EAGAIN},
		{"TooManyRequestsException", EAGAIN}, {"TokenRefreshRequired", EACCES},
		{"TooManyRequests", EAGAIN}, {"XMinioStorageFull", ENOSPC}};
	/* The status would say something else: a code is found or it is not. */
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		assert_int_equal(
			code_errno(samples[i].code, samples[i].error == EIO ? 404 : 299), -samples[i].error);
}

static void falls_back_to_the_status(void **state)
{
	static const int samples[][2] = {{404, ENOENT}, {401, EACCES}, {403, EACCES}, {412, ESTALE},
		{409, EBUSY}, {416, EINVAL}, {429, EAGAIN}, {503, EAGAIN}, {405, EOPNOTSUPP},
		{501, EOPNOTSUPP}, {408, ETIMEDOUT}, {504, ETIMEDOUT}, {413, EFBIG}, {414, ENAMETOOLONG},
		{507, ENOSPC}, {301, EIO}, {400, EIO}, {500, EIO}, {502, EIO}, {0, EIO}, {100, EIO},
		{304, EIO}};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		assert_int_equal(code_errno("", samples[i][0]), -samples[i][1]);
		assert_int_equal(code_errno("NoSuchThingHere", samples[i][0]), -samples[i][1]);
	}
	assert_int_equal(s3_code_errno(STR_NONE, 404), -ENOENT);
	assert_int_equal(code_errno("NeverHeardOf", 404), -EIO);
	assert_int_equal(code_errno("NeverHeardOf", 405), -EOPNOTSUPP);
}

static void only_a_success_without_error_is_one(void **state)
{
	assert_int_equal(code_errno("", 200), 0);
	assert_int_equal(code_errno("", 204), 0);
	assert_int_equal(code_errno("", 206), 0);
	assert_int_equal(code_errno("InternalError", 200), -EIO);
	assert_int_equal(code_errno("NeverHeardOf", 200), -EIO);
	assert_int_equal(code_errno("NoSuchKey\0x", 200), -ENOENT);
	struct s3_answer answer = {.status = 200, .error.code = "SlowDown"};
	assert_int_equal(s3_answer_errno(&answer), -EAGAIN);
}

static void says_what_to_do_again(void **state)
{
	assert_int_equal(retry("", 200, ""), S3_RETRY_NO);
	assert_int_equal(retry("", 0, ""), S3_RETRY_NO);
	assert_int_equal(retry("", 404, "eu-west-1"), S3_RETRY_NO);
	assert_int_equal(retry("NoSuchKey", 500, ""), S3_RETRY_NO);
	assert_int_equal(retry("", 500, ""), S3_RETRY_YES);
	assert_int_equal(retry("", 502, ""), S3_RETRY_YES);
	assert_int_equal(retry("", 504, ""), S3_RETRY_YES);
	assert_int_equal(retry("InternalError", 200, ""), S3_RETRY_YES);
	assert_int_equal(retry("RequestTimeout", 400, ""), S3_RETRY_YES);
	assert_int_equal(retry("OperationAborted", 409, ""), S3_RETRY_YES);
	assert_int_equal(retry("ConditionalRequestConflict", 409, ""), S3_RETRY_YES);
	assert_int_equal(retry("", 409, ""), S3_RETRY_NO);
	assert_int_equal(retry("", 503, ""), S3_RETRY_SLOWER);
	assert_int_equal(retry("", 429, ""), S3_RETRY_SLOWER);
	assert_int_equal(retry("", 509, ""), S3_RETRY_SLOWER);
	assert_int_equal(retry("", 521, ""), S3_RETRY_YES);
	assert_int_equal(retry("SlowDown", 200, ""), S3_RETRY_SLOWER);
	assert_int_equal(retry("KMS.ThrottlingException", 400, ""), S3_RETRY_SLOWER);
	assert_int_equal(retry("PriorRequestNotComplete", 400, ""), S3_RETRY_SLOWER);
	assert_int_equal(s3_code_retry(STR("SlowDown")), S3_RETRY_SLOWER);
	assert_int_equal(s3_code_retry(STR("InternalError")), S3_RETRY_YES);
	assert_int_equal(s3_code_retry(STR("AccessDenied")), S3_RETRY_NO);
	assert_int_equal(s3_code_retry(STR("")), S3_RETRY_NO);
	assert_int_equal(retry("NotImplemented", 501, ""), S3_RETRY_NO);
	assert_int_equal(retry("ExpiredToken", 400, "us-east-1"), S3_RETRY_RENEW);
	assert_int_equal(retry("InvalidAccessKeyId", 403, ""), S3_RETRY_RENEW);
	assert_int_equal(retry("InvalidToken", 400, ""), S3_RETRY_RENEW);
	assert_int_equal(retry("SignatureDoesNotMatch", 403, ""), S3_RETRY_NO);
	assert_int_equal(retry("RequestTimeTooSkewed", 403, ""), S3_RETRY_CLOCK);
	assert_int_equal(retry("PreconditionFailed", 412, ""), S3_RETRY_NO);
}

static void a_redirect_needs_a_region(void **state)
{
	static const struct {
		const char *code;
		int status;
	} samples[] = {{"", 301}, {"", 307}, {"PermanentRedirect", 301}, {"TemporaryRedirect", 307},
		{"AuthorizationHeaderMalformed", 400}, {"IllegalLocationConstraintException", 400},
		{"", 400}};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		assert_int_equal(retry(samples[i].code, samples[i].status, "eu-west-1"), S3_RETRY_REGION);
		assert_int_equal(retry(samples[i].code, samples[i].status, ""), S3_RETRY_NO);
	}
	assert_int_equal(retry("InvalidArgument", 400, "eu-west-1"), S3_RETRY_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_errno_of_codes),
		cmocka_unit_test(falls_back_to_the_status),
		cmocka_unit_test(only_a_success_without_error_is_one),
		cmocka_unit_test(says_what_to_do_again),
		cmocka_unit_test(a_redirect_needs_a_region),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
