#include "fs/cmd/reason.h"
#include "fs/cmd/mount_point.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/wire/call.h"
#include "fs/control/client.h"
#include "fs/host/dead_mount.h"
#include "fs/host/mountinfo.h"
#include "fs/host/runtime_dir.h"
#include "s3/escape.h"

struct searching {
	const char *path;
	char *above; /* malloc'd */
};

static void see_dead(const char *point, void *user)
{
	struct searching *searching = user;

	if (!searching->above && preflight_is_below(searching->path, point))
		searching->above = strdup(point);
}

/* Some call for this directory said ENOTCONN: because of which mount?  malloc'd, or NULL. */
static char *dead_above(const char *directory)
{
	struct searching searching = {0};
	char *here = directory[0] == '/' ? NULL : getcwd(NULL, 0), *path = NULL;

	if (asprintf(&path, "%s%s%s", here ? here : "", here ? "/" : "", directory) >= 0) {
		searching.path = path;
		dead_mount_each(see_dead, &searching);
		free(path);
	}
	free(here);
	return searching.above;
}

static void explain_dead(const char *directory, char *why)
{
	char *above = dead_above(directory);

	if (above && strcmp(above, directory) != 0)
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.160s: the daemon of the mount on %.120s is gone; 'ferryfs umount %.120s' clears "
			"it",
			directory, above, above);
	else
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.200s: a mount whose daemon is gone is still there; 'ferryfs umount %.200s' clears "
			"it",
			directory, directory);
	free(above);
}

static int refuse_mountpoint(int error, const char *directory, char *why)
{
	switch (error) {
	case -ENOENT:
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: there is no such directory", directory);
		break;
	case -ENOTDIR:
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: not a directory", directory);
		break;
	case -ENOTCONN:
		explain_dead(directory, why);
		break;
	default:
		snprintf(why, ACCOUNT_WHY_MAX, "%.300s: %s", directory, strerror(-error));
	}
	return error;
}

static int refuse_mounted(const char *path, const char *directory, const struct mountinfo *info, char *why)
{
	bool is_view = strncmp(info->source, "s3://", 5) != 0;
	char *source = is_view ? control_source_of(path) : NULL;

	snprintf(why, ACCOUNT_WHY_MAX, "%.200s: %.200s is already mounted there", directory,
		source ? source : info->source);
	free(source);
	return -EBUSY;
}

static int check_directory(const char *path, const char *directory, char *why)
{
	struct mountinfo *info = malloc(sizeof(*info));
	char *above = dead_above(path);
	struct stat st;
	int error = 0;

	if (!info)
		error = refuse_mountpoint(-ENOMEM, directory, why);
	else if (above) /* the kernel may remember it for a while */
		error = refuse_mountpoint(-ENOTCONN, path, why);
	else if (stat(path, &st) < 0)
		error = refuse_mountpoint(-errno, directory, why);
	else if (!S_ISDIR(st.st_mode))
		error = refuse_mountpoint(-ENOTDIR, directory, why);
	else if (mountinfo_find(path, info) == 0 && info->ferryfs)
		error = refuse_mounted(path, directory, info, why);
	free(above);
	free(info);
	return error;
}

int preflight_mountpoint(const char *directory, char **ret, char *why)
{
	char *path = realpath(directory, NULL);
	bool own = false;
	int error = 0;

	if (!path)
		return refuse_mountpoint(-errno, directory, why);
	/* What is below it can be seen only once it is gone; the kernel says then whether it is a directory.
	 * Also where the dead one would still be a directory by what the kernel remembers of it. */
	if (!dead_mount_is(path, &own))
		error = check_directory(path, directory, why);
	else if (!own)
		error = refuse_mountpoint(-ENOTCONN, directory, why);
	if (error < 0) {
		free(path);
		return error;
	}
	*ret = path;
	return 0;
}

bool preflight_is_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	if (strcmp(directory, "/") == 0)
		return true;
	return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

struct mount_failure {
	const struct view *view;
	int error;
	const struct s3_answer *answer;
	const char *endpoint; /* "http://host:port" */
	const char *message; /* S3's, or the connection's; escaped */
};

/* S3 refused: which of the ways? */
static bool explain_refusal(const struct mount_failure *failure, char *why)
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

static void explain_connection(const struct mount_failure *failure, char *why)
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

static void explain(const struct view *view, int error, const struct s3_answer *answer, char *why)
{
	struct buf endpoint, message;
	struct mount_failure failure = {.view = view, .error = error, .answer = answer};

	buf_init(&endpoint, 4096);
	buf_init(&message, 8192);
	endpoint_url(account_endpoint(view->account), &endpoint);
	escape_text(&message, str_of(answer->error.message));
	failure.endpoint = buf_text(&endpoint);
	failure.message = message.len ? buf_text(&message) : strerror(-error);
	if (!explain_refusal(&failure, why))
		explain_connection(&failure, why);
	buf_release(&endpoint);
	buf_release(&message);
}

int preflight_service(struct engine *engine, const struct view *view, char *why)
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
		explain(view, error, answer, why);
	page_free(page);
	free(answer);
	return error;
}

unsigned preflight_request_timeout(void)
{
	FILE *file = fopen("/proc/sys/fs/fuse/max_request_timeout", "re");
	unsigned seconds = 0;

	if (file) {
		if (fscanf(file, "%u", &seconds) != 1)
			seconds = 0;
		fclose(file);
	}
	return seconds;
}
