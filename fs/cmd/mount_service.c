#include "fs/cmd/mount_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wire/call.h"
#include "fs/cmd/reason.h"
#include "s3/escape.h"

struct service_failure {
	const struct view *view;
	int error;
	const struct s3_answer *answer;
	const char *endpoint; /* "http://host:port" */
	const char *message; /* S3's, or the connection's; escaped */
};

/* S3 refused: which of the ways? */
static bool service_explain_refusal(const struct service_failure *failure, char *why)
{
	const char *code = failure->answer->error.code;
	const char *source = failure->view->source;
	/* An answer that is not S3's says nothing of the bucket or the credentials. */
	int status = s3_answer_is_foreign(failure->answer) ? 0 : failure->answer->status;

	if (strcmp(code, "NoSuchBucket") == 0)
		snprintf(why, ACCOUNT_WHY_MAX, "there is no bucket '%.255s' at %.160s",
			failure->view->url.bucket, failure->endpoint);
	else if (strcmp(code, "InvalidAccessKeyId") == 0)
		snprintf(why, ACCOUNT_WHY_MAX, "%.160s does not know this access key id (InvalidAccessKeyId)",
			failure->endpoint);
	else if (strcmp(code, "SignatureDoesNotMatch") == 0)
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.160s refused the signature: the secret access key is wrong "
			"(SignatureDoesNotMatch)",
			failure->endpoint);
	else if (strcmp(code, "ExpiredToken") == 0 || strcmp(code, "InvalidToken") == 0)
		snprintf(why, ACCOUNT_WHY_MAX, "the session token is no longer, or not, valid (%s)", code);
	else if (strcmp(code, "RequestTimeTooSkewed") == 0)
		snprintf(why, ACCOUNT_WHY_MAX, "this machine's clock is too far from %.160s's (%s)",
			failure->endpoint, code);
	else if (status == 403)
		snprintf(why, ACCOUNT_WHY_MAX, "these credentials may not list %.200s (%s)", source,
			code[0] ? code : "403");
	else if (status == 401)
		snprintf(why, ACCOUNT_WHY_MAX, "%.160s wants other credentials (%s)", failure->endpoint,
			code[0] ? code : "401");
	else if (status == 404 && failure->view->url.bucket[0])
		snprintf(why, ACCOUNT_WHY_MAX, "there is no bucket '%.255s' at %.160s (404)",
			failure->view->url.bucket, failure->endpoint);
	else
		return false;
	return true;
}

static void service_explain_connection(const struct service_failure *failure, char *why)
{
	const char *endpoint = failure->endpoint, *message = failure->message;

	switch (failure->answer->status == 0 && failure->error == -EIO ? -EHOSTUNREACH : failure->error) {
	case -ECONNREFUSED:
		snprintf(why, ACCOUNT_WHY_MAX, "cannot reach %.160s: the connection was refused", endpoint);
		break;
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		snprintf(why, ACCOUNT_WHY_MAX, "cannot reach %.160s: %.200s", endpoint, message);
		break;
	case -ETIMEDOUT:
		snprintf(why, ACCOUNT_WHY_MAX, "cannot reach %.160s: no answer in time", endpoint);
		break;
	case -EPROTO:
	case -ECONNABORTED:
		if (reason_is_no_tls(message)) {
			snprintf(why, ACCOUNT_WHY_MAX,
				"cannot reach %.160s: TLS failed, as what answers there speaks none: use "
				"http:// for "
				"a service without TLS",
				endpoint);
			break;
		}
		snprintf(why, ACCOUNT_WHY_MAX, "cannot reach %.160s: TLS failed: %.200s%s", endpoint, message,
			reason_is_broken_handshake(message) ? " (use http:// if the service has no TLS)"
							    : "");
		break;
	case -ECONNRESET:
		snprintf(why, ACCOUNT_WHY_MAX, "%.160s cut the connection: %.200s", endpoint, message);
		break;
	case -EBADMSG:
		snprintf(why, ACCOUNT_WHY_MAX, "what answers at %.160s is no S3 service: %.200s", endpoint,
			message);
		break;
	default:
		snprintf(why, ACCOUNT_WHY_MAX, "%.160s answered %d %.64s: %.160s", endpoint,
			failure->answer->status,
			failure->answer->error.code[0] ? failure->answer->error.code
						       : strerror(-failure->error),
			message);
	}
}

static void service_explain(const struct view *view, int error, const struct s3_answer *answer, char *why)
{
	struct buf endpoint, message;
	struct service_failure failure = {.view = view, .error = error, .answer = answer};

	buf_init(&endpoint, 4096);
	buf_init(&message, 8192);
	endpoint_url(account_endpoint(view->account), &endpoint);
	escape_text(&message, str_of(answer->error.message));
	failure.endpoint = buf_text(&endpoint);
	failure.message = message.len ? buf_text(&message) : strerror(-error);
	if (!service_explain_refusal(&failure, why))
		service_explain_connection(&failure, why);
	buf_release(&endpoint);
	buf_release(&message);
}

int mount_service_check(struct engine *engine, const struct view *view, char *why)
{
	struct s3_answer *answer = calloc(1, sizeof(*answer));
	struct page *page = NULL;
	struct call call;
	int error = answer ? page_new(&page) : -ENOMEM;

	if (error < 0) {
		free(answer);
		snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
		return error;
	}
	call_init(&call);
	call.account = view->account;
	call.sinks.page = page;
	if (view->url.bucket[0]) {
		/* A listing, not HeadBucket: some credentials may list no more than a prefix, and a HEAD's
		 * refusal has no body that says why. */
		call.request.op = S3_LIST_OBJECTS;
		call.request.bucket = str_of(view->url.bucket);
		call.request.prefix = s3_url_key(&view->url);
		call.request.max_keys = 1;
	} else {
		call.request.op = S3_LIST_BUCKETS;
	}
	error = call_wait(engine, &call, answer);
	if (error < 0)
		service_explain(view, error, answer, why);
	page_free(page);
	free(answer);
	return error;
}
