/*
 * Before a mount: is what it will show shown already, by another mount of this machine, under another name?
 *
 * Two inodes for one key are a trap (fs/cmd/mount_overlap.h): mv between them removes its destination, the same object,
 * before it reads its source.  fs/cmd/mount_overlap.c and fs/serve/views.c know what is mounted by the same address; here it is
 * about one service by two addresses (http and https, an IP address and a name, AWS's several endpoints), a
 * bucket and its alias, and mounts whose address is not known at all (other users' daemons, those without a
 * runtime directory).  No text decides that, so the objects do:
 *
 *   1. list a page of what is to be mounted
 *   2. look for the same keys through every other ferryfs mount, as any program would: a child process does
 *      that, so that a mount that hangs holds nobody up for longer than LOOK_MS
 *   3. one that has a key with the same size, time and ETag shows the same objects; where its address is known
 *      (a mount of this user's), engine/object/twins.h asks the service, and may find that they are two after all
 *
 * What this user cannot look into, no process of this user's can move from.  An empty bucket shows nothing; where
 * the service can't be asked either, fs/ops/alias_guard.h looks again inside a hub when something is removed, and between
 * two daemons nobody does (ferryfs.7 says so).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/object/twins.h"
#include "fs/cmd/mount_internal.h"
#include "fs/control/client.h"
#include "fs/host/json_text.h"
#include "fs/control/control.h"
#include "fs/host/mountinfo.h"
#include "fs/host/runtime_dir.h"

enum {
	OTHERS_MAX = 64, /* mounts looked into */
	KEYS_MAX = 4, /* looked for in each */
	BUCKETS_MAX = 3, /* looked into where both show all */
	PAGE_KEYS = 20, /* listed: markers and odd keys are passed over */
	LOOK_MS = 10000,
};

struct other {
	char *point, *bucket, *prefix; /* owned; bucket "": it shows all; prefix: with its last slash */
	char *endpoint; /* owned; NULL: not known */
	dev_t dev;
	bool view; /* of a hub: source does not say what it shows */
};

struct looking {
	const struct mount *mount;
	struct engine *engine;
	const struct view *view;
	bool hub; /* it is to be a view of the hub */
	struct other others[OTHERS_MAX];
	unsigned count;
	json_t *status; /* of this namespace's hub; NULL: none */
	struct page *page;
	char *why;
};

/* ---- which mounts there are ---- */

static void other_free(struct other *other)
{
	free(other->point);
	free(other->bucket);
	free(other->prefix);
	free(other->endpoint);
}

/* "bucket/pre/fix" in two; false: no memory. */
static bool set_address(struct other *other, const char *text)
{
	size_t bucket = strcspn(text, "/");
	const char *prefix = text[bucket] ? text + bucket + 1 : "";
	bool slash = prefix[0] && prefix[strlen(prefix) - 1] != '/';

	other->bucket = strndup(text, bucket);
	return other->bucket && asprintf(&other->prefix, "%s%s", prefix, slash ? "/" : "") >= 0;
}

/* A hub's mounts: the directory that is bound is /ACCOUNT/BUCKET/PREFIX, the hub's own mount "/". */
static bool read_address(struct other *other, const struct mountinfo_line *line)
{
	if (strncmp(line->source, "s3://", 5) == 0)
		return set_address(other, line->source + 5);
	const char *account = line->root[0] == '/' && line->root[1] ? line->root + 1 : NULL;

	other->view = true;
	if (!account)
		return false;
	return set_address(other, account + strcspn(account, "/") + (strchr(account, '/') != NULL));
}

static bool mount_twins_visit(const struct mountinfo_line *line, void *user)
{
	struct looking *looking = user;
	struct other *other = &looking->others[looking->count];

	if (!line->ferryfs || looking->count == OTHERS_MAX)
		return false;
	*other = (struct other){.point = strdup(line->point), .dev = line->dev};
	if (other->point && read_address(other, line))
		looking->count++;
	else
		other_free(other);
	return false;
}

static json_t *ask_status(void)
{
	const struct control_request request = {.op = CONTROL_STATUS};
	int fd, directory = runtime_dir_open(false, NULL);
	json_t *reply = NULL;
	char unused[ACCOUNT_WHY_MAX];

	if (directory < 0)
		return NULL;
	if (control_connect(directory, runtime_namespace(), &fd) == 0) {
		if (control_ask(fd, &request, CONTROL_CLIENT_MS, &reply, unused) < 0)
			reply = NULL;
		close(fd);
	}
	close(directory);
	return reply;
}

/* Of mounts of this user's. */
static void find_endpoint(const struct looking *looking, struct other *other)
{
	const json_t *view;
	char note[1024];
	size_t i;

	if (!other->view && runtime_claimed(other->dev) && runtime_note(other->dev, note, sizeof(note)) == 0)
		other->endpoint = strdup(note);
	json_array_foreach(json_object_get(looking->status, "views"), i, view)
	{
		const char *endpoint = json_string_value(json_object_get(view, "endpoint"));
		char *point = NULL;

		if (other->view && !other->endpoint && endpoint &&
			json_text_get(json_object_get(view, "point"), &point) == 0 &&
			strcmp(point, other->point) == 0)
			other->endpoint = strdup(endpoint);
		free(point);
	}
}

/* Is it seen to elsewhere: what is mounted by the same address?  Two bucket names in one hub are fs/ops/alias_guard.h's. */
static bool is_same_address(const struct looking *looking, const struct other *other)
{
	const char *bucket = looking->view->url.bucket;
	struct endpoint theirs;

	if (!other->endpoint || endpoint_parse(other->endpoint, &theirs) < 0 ||
		!endpoint_same(account_endpoint(looking->view->account), &theirs))
		return false;
	return (other->view && looking->hub) || !bucket[0] || !other->bucket[0] ||
	       strcmp(bucket, other->bucket) == 0;
}

/* ---- the mount to be made ---- */

static int mount_twins_list_buckets(struct looking *looking)
{
	struct call call;

	page_clear(looking->page);
	call_init(&call);
	call.account = looking->view->account;
	call.sinks.page = looking->page;
	call.request.op = S3_LIST_BUCKETS;
	return call_wait(looking->engine, &call, NULL);
}

/* A page of our bucket; error: nothing can be told. */
static int mount_twins_list(struct looking *looking, struct str bucket, struct str prefix)
{
	struct call call;

	page_clear(looking->page);
	call_init(&call);
	call.account = looking->view->account;
	call.sinks.page = looking->page;
	call.request.op = S3_LIST_OBJECTS;
	call.request.bucket = bucket;
	call.request.prefix = prefix;
	call.request.max_keys = PAGE_KEYS;
	return call_wait(looking->engine, &call, NULL);
}

/* Where the two may show the same, as far as their names say; false: they don't. */
static bool common(const struct looking *looking, const struct other *other, struct str *ret_bucket,
	struct str *ret_prefix)
{
	const struct s3_url *url = &looking->view->url;
	struct str ours = s3_url_key(url), theirs = str_of(other->prefix);

	*ret_bucket = url->bucket[0] ? str_of(url->bucket) : str_of(other->bucket);
	*ret_prefix = ours;
	if (!url->bucket[0]) {
		*ret_prefix = theirs;
		return true;
	}
	if (!other->bucket[0])
		return true;
	if (str_has_prefix(theirs, ours))
		*ret_prefix = theirs;
	return str_has_prefix(theirs, ours) || str_has_prefix(ours, theirs);
}

/* ---- looking through another mount, in a child ---- */

struct sought {
	char *path; /* NULL: none */
	dev_t dev; /* of the mount that was listed: another one may have taken its place, as that of a dead one */
	uint64_t size;
	int64_t mtime;
	char etag[ETAG_MAX + 1];
};

static bool mount_twins_is_there(const struct sought *sought)
{
	char etag[ETAG_MAX + 3];
	struct stat st;
	ssize_t len;

	if (lstat(sought->path, &st) < 0 || st.st_dev != sought->dev || !S_ISREG(st.st_mode) ||
		(uint64_t)st.st_size != sought->size ||
		(st.st_mtim.tv_sec != sought->mtime && st.st_ctim.tv_sec != sought->mtime))
		return false;
	len = lgetxattr(sought->path, "user.s3.etag", etag, sizeof(etag) - 1);
	if (len < 0)
		return false;
	etag[len] = '\0';
	return strcmp(etag, sought->etag) == 0;
}

/* Is any of them there?  Gives a mount that does not answer up. */
static bool mount_twins_look(const struct sought *sought)
{
	int ends[2], status = 0;
	pid_t child;

	if (pipe(ends) < 0)
		return false;
	child = fork();
	if (child == 0) {
		bool there = false;

		signal(SIGTERM, SIG_DFL);
		for (unsigned i = 0; i < KEYS_MAX && !there; i++)
			there = sought[i].path && mount_twins_is_there(&sought[i]);
		_exit(there ? 1 : 0);
	}
	close(ends[1]);
	struct pollfd ended = {.fd = ends[0], .events = POLLIN};

	if (child > 0) {
		if (poll(&ended, 1, LOOK_MS) == 0)
			kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	close(ends[0]);
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void seek(const struct looking *looking, const struct other *other, struct str bucket,
	struct sought sought[KEYS_MAX])
{
	struct str theirs = str_of(other->prefix);
	unsigned count = 0;

	for (unsigned i = 0; i < looking->page->count && count < KEYS_MAX; i++) {
		const struct page_entry *entry = &looking->page->entries[i];
		struct str rest = str_skip(entry->key, theirs.len);

		if (!str_has_prefix(entry->key, theirs) || rest.len == 0 || rest.data[rest.len - 1] == '/' ||
			entry->etag.len == 0 || entry->etag.len > ETAG_MAX ||
			memchr(rest.data, '\0', rest.len))
			continue;
		struct sought *at = &sought[count];

		*at = (struct sought){.dev = other->dev, .size = entry->size, .mtime = entry->mtime};
		snprintf(at->etag, sizeof(at->etag), "%.*s", (int)entry->etag.len, entry->etag.data);
		if (asprintf(&at->path, "%s/%.*s%s%.*s", other->point, other->bucket[0] ? 0 : (int)bucket.len,
			    bucket.data, other->bucket[0] ? "" : "/", (int)rest.len, rest.data) < 0)
			at->path = NULL;
		count += at->path != NULL;
	}
}

/* ---- the other mounts' answers ---- */

/* The service is asked, by the other's address, where that is known.  A mount that only reads asks nothing. */
static enum twins_verdict ask_service(
	const struct looking *looking, const struct other *other, struct str bucket, struct str prefix)
{
	struct account_options options = looking->mount->options.connect.account;
	enum twins_verdict verdict = TWINS_UNKNOWN;
	struct account *theirs = NULL;
	struct twins *twins;
	char why[ACCOUNT_WHY_MAX];

	options.endpoint_url = other->endpoint;
	if (!other->endpoint || looking->view->ro || account_open(&options, &theirs, why) < 0)
		return TWINS_UNKNOWN;
	twins = calloc(1, sizeof(*twins));
	if (twins) {
		twins->a = (struct twins_name){theirs, other->bucket[0] ? str_of(other->bucket) : bucket};
		twins->b = (struct twins_name){looking->view->account, bucket};
		twins->prefix = prefix;
		verdict = twins_wait(looking->engine, twins);
		/* One service would know these credentials under each of its names. */
		if (strcmp(twins->answer.error.code, "InvalidAccessKeyId") == 0)
			verdict = TWINS_NO;
		free(twins);
	}
	account_unref(theirs);
	return verdict;
}

/* Are they one?  An empty bucket shows nothing, but the service may tell. */
static bool are_one(
	const struct looking *looking, const struct other *other, struct str bucket, struct str prefix)
{
	struct sought sought[KEYS_MAX] = {{0}};
	bool one;

	seek(looking, other, bucket, sought);
	if (sought[0].path)
		one = mount_twins_look(sought) && ask_service(looking, other, bucket, prefix) != TWINS_NO;
	else
		one = looking->page->count == 0 &&
		      (!other->bucket[0] || str_eq(str_of(other->bucket), bucket)) &&
		      ask_service(looking, other, bucket, prefix) == TWINS_YES;
	for (unsigned i = 0; i < KEYS_MAX; i++)
		free(sought[i].path);
	return one;
}

/* -EBUSY */
static int compare_below(
	struct looking *looking, const struct other *other, struct str bucket, struct str prefix)
{
	if (mount_twins_list(looking, bucket, prefix) < 0 || !are_one(looking, other, bucket, prefix))
		return 0;
	snprintf(looking->why, ACCOUNT_WHY_MAX,
		"%.120s shows the same objects as the mount on %.160s, by another name of the service or "
		"bucket, and a key can be only one file: mount both by one name",
		looking->view->source, other->point);
	return -EBUSY;
}

/* Both show all buckets: the first few tell. */
static int compare_all(struct looking *looking, const struct other *other)
{
	char names[BUCKETS_MAX][BUCKET_MAX + 1];
	unsigned count = 0;
	int error = 0;

	if (mount_twins_list_buckets(looking) < 0)
		return 0;
	for (unsigned i = 0; i < looking->page->count && count < BUCKETS_MAX; i++) {
		struct str name = looking->page->entries[i].key;

		if (name.len <= BUCKET_MAX)
			snprintf(names[count++], sizeof(names[0]), "%.*s", (int)name.len, name.data);
	}
	for (unsigned i = 0; i < count && error == 0; i++)
		error = compare_below(looking, other, str_of(names[i]), STR(""));
	return error;
}

static int mount_twins_compare(struct looking *looking, struct other *other)
{
	struct str bucket, prefix;

	find_endpoint(looking, other);
	if (is_same_address(looking, other))
		return 0;
	if (!looking->view->url.bucket[0] && !other->bucket[0])
		return compare_all(looking, other);
	return common(looking, other, &bucket, &prefix) ? compare_below(looking, other, bucket, prefix) : 0;
}

int mount_twins(const struct mount *mount, struct engine *engine, bool view, char *why)
{
	struct looking *looking = calloc(1, sizeof(*looking));
	int error = 0;

	if (!looking || page_new(&looking->page) < 0) {
		free(looking);
		snprintf(why, ACCOUNT_WHY_MAX, "memory is short");
		return -ENOMEM;
	}
	looking->mount = mount;
	looking->engine = engine;
	looking->view = mount->options.view;
	looking->hub = view;
	looking->why = why;
	mountinfo_each(mount_twins_visit, looking);
	if (looking->count > 0)
		looking->status = ask_status();
	for (unsigned i = 0; i < looking->count && error == 0; i++)
		error = mount_twins_compare(looking, &looking->others[i]);
	for (unsigned i = 0; i < looking->count; i++)
		other_free(&looking->others[i]);
	json_decref(looking->status);
	page_free(looking->page);
	free(looking);
	return error;
}
