#include "s3/answer.h"

#include <errno.h>
#include <stdlib.h>

/* AWS, "Error responses", and the codes that MinIO and Ceph add.  Sorted by byte order for bsearch; the unit
 * test checks it. */
struct code {
	const char *name;
	int error; /* positive */
	enum s3_retry retry;
};

static const struct code codes[] = {
	{"AccessDenied", EACCES, S3_RETRY_NO},
	{"AccountProblem", EACCES, S3_RETRY_NO},
	{"AllAccessDisabled", EACCES, S3_RETRY_NO},
	{"AuthorizationHeaderMalformed", EACCES, S3_RETRY_REGION},
	{"BadDigest", EIO, S3_RETRY_YES}, /* damaged on the way */
	{"BandwidthLimitExceeded", EAGAIN, S3_RETRY_SLOWER},
	{"BucketAlreadyExists", EEXIST, S3_RETRY_NO},
	{"BucketAlreadyOwnedByYou", EEXIST, S3_RETRY_NO},
	{"BucketNotEmpty", ENOTEMPTY, S3_RETRY_NO},
	{"ConditionalRequestConflict", EBUSY, S3_RETRY_YES},
	{"EntityTooLarge", EFBIG, S3_RETRY_NO},
	{"ExpiredToken", EACCES, S3_RETRY_RENEW},
	{"IllegalLocationConstraintException", EIO, S3_RETRY_REGION},
	{"IncompleteBody", EIO, S3_RETRY_YES},
	{"InternalError", EIO, S3_RETRY_YES},
	{"InvalidAccessKeyId", EACCES, S3_RETRY_RENEW},
	{"InvalidBucketName", ENOENT, S3_RETRY_NO},
	{"InvalidObjectState", EREMOTE, S3_RETRY_NO},
	{"InvalidRange", EINVAL, S3_RETRY_NO},
	{"InvalidSecurity", EACCES, S3_RETRY_NO},
	{"InvalidToken", EACCES, S3_RETRY_RENEW},
	{"KeyTooLongError", ENAMETOOLONG, S3_RETRY_NO},
	{"LimitExceededException", EAGAIN, S3_RETRY_SLOWER},
	{"MethodNotAllowed", EOPNOTSUPP, S3_RETRY_NO},
	{"NoSuchBucket", ENOENT, S3_RETRY_NO},
	{"NoSuchKey", ENOENT, S3_RETRY_NO},
	{"NoSuchUpload", ENOENT, S3_RETRY_NO},
	{"NoSuchVersion", ENOENT, S3_RETRY_NO},
	{"NotImplemented", EOPNOTSUPP, S3_RETRY_NO},
	{"NotSignedUp", EACCES, S3_RETRY_NO},
	{"ObjectNotInActiveTierError", EREMOTE, S3_RETRY_NO},
	{"OperationAborted", EBUSY, S3_RETRY_YES},
	{"PermanentRedirect", EIO, S3_RETRY_REGION},
	{"PreconditionFailed", ESTALE, S3_RETRY_NO},
	{"PriorRequestNotComplete", EAGAIN, S3_RETRY_SLOWER},
	{"ProvisionedThroughputExceededException", EAGAIN, S3_RETRY_SLOWER},
	{"QuotaExceeded", EDQUOT, S3_RETRY_NO},
	{"RequestLimitExceeded", EAGAIN, S3_RETRY_SLOWER},
	{"RequestTimeTooSkewed", EACCES, S3_RETRY_CLOCK},
	{"RequestTimeout", ETIMEDOUT, S3_RETRY_YES},
	{"ServerBusy", EAGAIN, S3_RETRY_SLOWER},
	{"ServiceUnavailable", EAGAIN, S3_RETRY_SLOWER},
	{"SignatureDoesNotMatch", EACCES, S3_RETRY_NO},
	{"SlowDown", EAGAIN, S3_RETRY_SLOWER},
	{"SlowDownRead", EAGAIN, S3_RETRY_SLOWER},
	{"SlowDownWrite", EAGAIN, S3_RETRY_SLOWER},
	{"TemporaryRedirect", EIO, S3_RETRY_REGION},
	{"TokenRefreshRequired", EACCES, S3_RETRY_RENEW},
	{"TooManyRequests", EAGAIN, S3_RETRY_SLOWER},
	{"TooManyRequestsException", EAGAIN, S3_RETRY_SLOWER},
	{"TransactionInProgressException", EAGAIN, S3_RETRY_SLOWER},
	{"XAmzContentChecksumMismatch", EIO, S3_RETRY_YES},
	{"XAmzContentSHA256Mismatch", EIO, S3_RETRY_YES},
	{"XMinioStorageFull", ENOSPC, S3_RETRY_NO},
};

static const struct {
	int status;
	int error;
	enum s3_retry retry;
	bool anybody; /* it means the same from any server: it is about the request's way, not the object */
} statuses[] = {
	{301, EIO, S3_RETRY_REGION, false},
	{307, EIO, S3_RETRY_REGION, false},
	{308, EIO, S3_RETRY_REGION, false},
	{401, EACCES, S3_RETRY_NO, false},
	{403, EACCES, S3_RETRY_NO, false},
	{404, ENOENT, S3_RETRY_NO, false},
	{405, EOPNOTSUPP, S3_RETRY_NO, false},
	{408, ETIMEDOUT, S3_RETRY_YES, true},
	{409, EBUSY, S3_RETRY_NO, false},
	{412, ESTALE, S3_RETRY_NO, false},
	{413, EFBIG, S3_RETRY_NO, true},
	{414, ENAMETOOLONG, S3_RETRY_NO, true},
	{416, EINVAL, S3_RETRY_NO, false},
	{429, EAGAIN, S3_RETRY_SLOWER, true},
	{500, EIO, S3_RETRY_YES, true},
	{501, EOPNOTSUPP, S3_RETRY_NO, false},
	{502, EIO, S3_RETRY_YES, true},
	{503, EAGAIN, S3_RETRY_SLOWER, true},
	{504, ETIMEDOUT, S3_RETRY_YES, true},
	{507, ENOSPC, S3_RETRY_NO, true},
	{509, EAGAIN, S3_RETRY_SLOWER, true}, /* bandwidth limit exceeded: hosting panels */
	{520, EIO, S3_RETRY_YES, true}, /* Cloudflare's, for faults between it and the server */
	{521, EIO, S3_RETRY_YES, true},
	{522, ETIMEDOUT, S3_RETRY_YES, true},
	{523, EIO, S3_RETRY_YES, true},
	{524, ETIMEDOUT, S3_RETRY_YES, true},
	{527, EIO, S3_RETRY_YES, true},
	{529, EAGAIN, S3_RETRY_SLOWER, true}, /* overloaded */
	{530, EIO, S3_RETRY_YES, true},
};

static int compare_code(const void *key, const void *member)
{
	const struct str *code = key;
	const struct code *entry = member;
	return str_cmp(*code, str_of(entry->name));
}

/* Throttling, ThrottlingException, RequestThrottled, KMS.ThrottlingException, ...: each AWS service that S3
 * asks has its own, and all have this in common. */
static const struct code throttling = {"Throttl", EAGAIN, S3_RETRY_SLOWER};

static const struct code *find_code(struct str code)
{
	const struct code *found;
	if (!code.data)
		return NULL;
	found = bsearch(&code, codes, sizeof(codes) / sizeof(codes[0]), sizeof(codes[0]), compare_code);
	if (!found && memmem(code.data, code.len, throttling.name, strlen(throttling.name)))
		found = &throttling;
	return found;
}

enum s3_retry s3_code_retry(struct str code)
{
	const struct code *known = find_code(code);
	return known ? known->retry : S3_RETRY_NO;
}

static bool is_success(int status)
{
	return status >= 200 && status <= 299;
}

static bool means_the_same(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].status == status)
			return statuses[i].anybody;
	}
	return false;
}

bool s3_answer_is_foreign(const struct s3_answer *answer)
{
	return answer->status != 0 && !answer->of_s3 && answer->error.code[0] == '\0' &&
	       !is_success(answer->status) && !means_the_same(answer->status);
}

bool s3_answer_says_gone(const struct s3_answer *answer)
{
	const char *code = answer->error.code;
	return strcmp(code, "NoSuchKey") == 0 || strcmp(code, "NoSuchVersion") == 0;
}

int s3_code_errno(struct str code, int status)
{
	const struct code *known = find_code(code);
	if (known)
		return -known->error;
	if (is_success(status) && code.len == 0)
		return 0;
	/* Codes that services of other kinds have. */
	if (status == 404 && code.len > 0 && !str_has_prefix(code, STR("NoSuch")))
		return -EIO;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return -statuses[i].error;
	return -EIO;
}

int s3_answer_errno(const struct s3_answer *answer)
{
	if (s3_answer_is_foreign(answer))
		return -EBADMSG;
	return s3_code_errno(str_of(answer->error.code), answer->status);
}

static enum s3_retry status_retry(const struct s3_answer *answer)
{
	/* A HEAD of a bucket elsewhere: 400 with the region and no body to say why (AWS, HeadBucket). */
	if (answer->status == 400 && answer->error.code[0] == '\0')
		return S3_RETRY_REGION;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == answer->status)
			return statuses[i].retry;
	return S3_RETRY_NO;
}

enum s3_retry s3_answer_retry(const struct s3_answer *answer)
{
	const struct code *known = find_code(str_of(answer->error.code));
	if (s3_answer_is_foreign(answer))
		return answer->status >= 400 ? S3_RETRY_YES : S3_RETRY_NO;
	enum s3_retry retry = known ? known->retry : status_retry(answer);
	/* A redirect that does not say where to is a failure like any other. */
	if (retry == S3_RETRY_REGION && answer->region[0] == '\0')
		return S3_RETRY_NO;
	return retry;
}
