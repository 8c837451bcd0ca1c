#include "fs/cmd/mount_overlap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/control/client.h"
#include "fs/host/json_text.h"
#include "fs/control/control.h"
#include "fs/host/mountinfo.h"
#include "fs/host/runtime_dir.h"

struct asking {
	const struct endpoint *endpoint;
	const struct s3_url *url;
	char *why;
	int error;
};

static bool same_service(const struct endpoint *endpoint, const char *text)
{
	struct endpoint other;

	return endpoint_parse(text, &other) == 0 &&
	       (endpoint_same(endpoint, &other) || (endpoint->aws && other.aws));
}

/* source: as findmnt shows it, the prefix without its last slash. */
static bool mount_overlap_overlaps(const struct s3_url *url, const char *source)
{
	struct s3_url other;
	char text[KEY_MAX + BUCKET_MAX + 16];
	size_t len = strlen(source);

	if (len + 2 > sizeof(text))
		return false;
	memcpy(text, source, len + 1);
	if (strchr(source + strlen("s3://"), '/') && source[len - 1] != '/')
		memcpy(text + len, "/", 2);
	if (s3_url_parse(text, &other) < 0)
		return false;
	if (!other.bucket[0] || !url->bucket[0])
		return true;
	return strcmp(other.bucket, url->bucket) == 0 &&
	       (str_has_prefix(s3_url_key(&other), s3_url_key(url)) ||
		       str_has_prefix(s3_url_key(url), s3_url_key(&other)));
}

static void mount_overlap_compare(
	struct asking *asking, const char *endpoint, const char *source, const char *point)
{
	if (asking->error || strncmp(source, "s3://", 5) != 0 || !same_service(asking->endpoint, endpoint) ||
		!mount_overlap_overlaps(asking->url, source))
		return;
	asking->error = -EBUSY;
	snprintf(asking->why, ACCOUNT_WHY_MAX,
		"%.160s is mounted on %.160s in a file system of its own, and a key can be only one file",
		source, point);
}

static bool mount_overlap_visit(const struct mountinfo_line *line, void *user)
{
	struct asking *asking = user;
	char note[1024];

	if (line->ferryfs && runtime_claimed(line->dev) && runtime_note(line->dev, note, sizeof(note)) == 0)
		mount_overlap_compare(asking, note, line->source, line->point);
	return asking->error != 0;
}

int overlap_alone(const struct account *account, const struct s3_url *url, char *why)
{
	struct asking asking = {.endpoint = account_endpoint(account), .url = url, .why = why};

	mountinfo_each(mount_overlap_visit, &asking);
	return asking.error;
}

static void compare_view(struct asking *asking, const json_t *view)
{
	char *source = NULL, *point = NULL;
	const char *endpoint = json_string_value(json_object_get(view, "endpoint"));

	if (endpoint && json_text_get(json_object_get(view, "source"), &source) == 0 &&
		json_text_get(json_object_get(view, "point"), &point) == 0)
		mount_overlap_compare(asking, endpoint, source, point);
	free(source);
	free(point);
}

int overlap_views(const struct account *account, const struct s3_url *url, char *why)
{
	const struct control_request request = {.op = CONTROL_STATUS};
	struct asking asking = {.endpoint = account_endpoint(account), .url = url, .why = why};
	int fd, directory = runtime_dir_open(false, NULL);
	json_t *reply = NULL;
	const json_t *view;
	char unused[ACCOUNT_WHY_MAX];
	size_t i;

	if (directory < 0)
		return 0;
	if (control_connect(directory, runtime_namespace(), &fd) == 0) {
		if (control_ask(fd, &request, CONTROL_CLIENT_MS, &reply, unused) < 0)
			reply = NULL;
		close(fd);
	}
	close(directory);
	json_array_foreach(json_object_get(reply, "views"), i, view) compare_view(&asking, view);
	json_decref(reply);
	return asking.error;
}
