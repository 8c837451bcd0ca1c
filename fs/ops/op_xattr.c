/*
 * Read-only extended attributes: the properties of an object in S3 beside its size and time.
 *
 *   user.s3.etag           without quotes
 *   user.s3.storage-class  STANDARD where S3 says nothing
 *   user.s3.content-type
 *   user.s3.version-id     in a versioned bucket
 *   user.s3.meta.NAME      user metadata, x-amz-meta-NAME
 *
 * Names outside user.s3. are answered without asking S3: the kernel asks security.capability with every
 * create and copy, cp and ls ask for system.posix_acl_access.  (ENOSYS, the cheapest answer, would turn all
 * of them off.)
 *
 * Every other question is answered from the answer of one HEAD, which fs/file/xattr_cache.h keeps for
 * XATTR_CACHE_MS, or until this mount learns something new of the object.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/wire/call.h"
#include "engine/base/log.h"
#include "fs/core/place.h"
#include "fs/early/early.h"
#include "fs/file/handle.h"
#include "fs/file/xattr_cache.h"
#include "fs/ops/ops.h"
#include "fs/request/parked.h"
#include "fs/request/reply.h"

#define XATTR_PREFIX "user.s3."
#define XATTR_META "user.s3.meta."

/* A question: the value of name, or, name empty, all names. */
struct ask {
	struct parked parked; /* begun only for a question that goes to S3 */
	struct hub *hub;
	uint64_t ino, stamp; /* stamp: of the node when S3 was asked */
	size_t size; /* of the caller's buffer; 0: asks for the length */
	char name[256]; /* Linux, XATTR_NAME_MAX */
	struct place place;
	struct headers headers; /* of the HEAD */
	struct call call;
};

/* As getxattr(2) wants it: the length for size 0, ERANGE when it does not fit. */
static void reply_bytes(fuse_req_t req, struct str bytes, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, bytes.len);
	else if (bytes.len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, bytes.data, bytes.len);
}

static void reply_names(fuse_req_t req, const struct headers *values, size_t size)
{
	struct buf names;
	struct str name, value;
	size_t at = 0;
	int error = 0;

	buf_init(&names, HEADERS_BYTES_MAX);
	while (error == 0 && headers_next(values, &at, &name, &value)) {
		error = buf_add_str(&names, name);
		if (error == 0)
			error = buf_add_char(&names, '\0');
	}
	if (error < 0)
		hub_reply_err(req, error);
	else
		reply_bytes(req, buf_str(&names), size);
	buf_release(&names);
}

static void reply_from(fuse_req_t req, const struct headers *values, const char *wanted, size_t size)
{
	if (!wanted[0]) {
		reply_names(req, values, size);
		return;
	}
	struct str value = headers_get(values, str_of(wanted));

	if (value.data)
		reply_bytes(req, value, size);
	else
		fuse_reply_err(req, ENODATA);
}

static int add_header(
	struct headers *values, const struct headers *from, const char *header, const char *name)
{
	struct str value = headers_get(from, str_of(header));

	return value.data ? headers_add(values, str_of(name), value) : 0;
}

static int add_meta(struct headers *values, const struct headers *from)
{
	const struct str meta = STR("x-amz-meta-");
	struct str name, value;
	size_t at = 0;
	int error = 0;

	while (error == 0 && headers_next(from, &at, &name, &value)) {
		char full[256];

		if (!str_has_prefix(name, meta))
			continue;
		name = str_skip(name, meta.len);
		/* A name that no xattr can have stays in S3 only. */
		if (name.len == 0 || strlen(XATTR_META) + name.len >= sizeof(full))
			continue;
		memcpy(full, XATTR_META, strlen(XATTR_META));
		memcpy(full + strlen(XATTR_META), name.data, name.len);
		error = headers_add(values, str_n(full, strlen(XATTR_META) + name.len), value);
	}
	return error;
}

/* headers_add takes tokens in lower case only, which names of xattrs here are. */
static int xattr_fill(struct headers *values, const struct headers *from, const struct s3_answer *answer)
{
	headers_clear(values);
	int error = answer->etag[0] ? headers_add(values, STR("user.s3.etag"), str_of(answer->etag)) : 0;

	if (error == 0)
		error = headers_add(values, STR("user.s3.storage-class"),
			answer->storage_class[0] ? str_of(answer->storage_class) : STR("STANDARD"));
	if (error == 0)
		error = add_header(values, from, "content-type", "user.s3.content-type");
	if (error == 0 && answer->version_id[0])
		error = headers_add(values, STR("user.s3.version-id"), str_of(answer->version_id));
	if (error == 0)
		error = add_meta(values, from);
	return error;
}

/* Answers from the cache if the cached answer is about this inode and young enough. */
static bool reply_cached(fuse_req_t req, struct ask *ask)
{
	struct headers values;

	headers_init(&values);
	int error = xattr_cache_get(ask->hub->xattrs, ask->ino, ask->stamp, &values);

	if (error == 0)
		reply_from(req, &values, ask->name, ask->size);
	headers_release(&values);
	return error == 0;
}

static void ask_free(struct parked *parked)
{
	struct ask *ask = (struct ask *)parked;

	headers_release(&ask->headers);
	free(ask);
}

static void ask_done(struct call *call, const struct s3_answer *answer)
{
	struct ask *ask = call->user;
	struct headers values;
	int error = call->error;

	headers_init(&values);
	if (error == 0)
		error = xattr_fill(&values, &ask->headers, answer);
	if (error == 0) {
		xattr_cache_put(ask->hub->xattrs, ask->ino, ask->stamp, &values);
		if (parked_take(&ask->parked))
			reply_from(ask->parked.req, &values, ask->name, ask->size);
	} else {
		if (error != -ENOENT)
			log_call(LOG_LEVEL_ERROR, &(struct log_call){.what = "getxattr",
							  .bucket = place_bucket(&ask->place),
							  .key = place_key(&ask->place),
							  .error = error,
							  .answer = answer});
		if (parked_take(&ask->parked))
			hub_reply_err(ask->parked.req, error);
	}
	headers_release(&values);
	parked_drop(&ask->parked);
}

/* The place of the object; -ENODATA for a node without one. */
static int ask_place(struct ask *ask)
{
	hub_lock(ask->hub);
	const struct node *node = nodes_find(ask->hub->nodes, ask->ino);
	int error = 0;

	if (!node)
		error = -ESTALE;
	else if (node_is_dir(node) || node->gone || node->draft)
		error = -ENODATA;
	else
		error = node_place(node, &ask->place);
	if (error == 0)
		ask->stamp = node_stamp(node);
	hub_unlock(ask->hub);
	return error;
}

static void ask_start(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	ask->hub = hub_of(req);
	ask->ino = ino;
	ask->size = size;
	headers_init(&ask->headers);
	memcpy(ask->name, name, strlen(name));
	int error = ask_place(ask);

	if (error < 0) {
		/* Nothing to list is an empty list. */
		if (error == -ENODATA && !name[0])
			reply_bytes(req, STR(""), size);
		else
			hub_reply_err(req, error);
		free(ask);
		return;
	}
	if (reply_cached(req, ask)) {
		free(ask);
		return;
	}
	call_init(&ask->call);
	ask->call.request.op = S3_HEAD_OBJECT;
	ask->call.request.bucket = place_bucket(&ask->place);
	ask->call.request.key = place_key(&ask->place);
	ask->call.account = ask->place.account;
	ask->call.sinks.headers = &ask->headers;
	ask->call.on_done = ask_done;
	ask->call.user = ask;
	parked_init(&ask->parked, req, ask_free);
	call_post(engine_pick(ask->hub->engine), &ask->call);
}

static bool is_acl(const char *name)
{
	return strncmp(name, "system.posix_acl_", strlen("system.posix_acl_")) == 0;
}

static bool xattr_is_ours(const char *name)
{
	return strncmp(name, XATTR_PREFIX, strlen(XATTR_PREFIX)) == 0 &&
	       strlen(name) < sizeof(((struct ask *)0)->name);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	if (is_acl(name))
		fuse_reply_err(req, EOPNOTSUPP);
	else if (!xattr_is_ours(name))
		fuse_reply_err(req, ENODATA);
	else
		ask_start(req, ino, name, size);
}

/* Is this process about to make a file of ours, as a copy of this one? */
static bool copies_here(struct hub *hub, fuse_ino_t ino, pid_t thread)
{
	hub_lock(hub);
	bool copies = handle_copies(hub, ino, thread);

	hub_unlock(hub);
	return copies;
}

/* cp -a and mv list them to copy them, which the server's copy does by itself: for a copy to a place of ours
 * the list is empty and costs no request.  A copy to elsewhere takes them along. */
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct hub *hub = hub_of(req);
	struct batch *batch = early_batch(hub, req);

	if (batch && copies_here(hub, ino, fuse_req_ctx(req)->pid))
		reply_bytes(req, STR(""), size);
	else
		ask_start(req, ino, "", size);
	batch_unref(batch);
}

/* cp -a and mv pass over ENOTSUP in silence; they would complain about EPERM for every file. */
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	fuse_reply_err(req, ENOTSUP);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	if (xattr_is_ours(name))
		fuse_reply_err(req, EPERM);
	else
		fuse_reply_err(req, is_acl(name) ? EOPNOTSUPP : ENODATA);
}
