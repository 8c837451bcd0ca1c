/*
 * view: an account, bucket and prefix with its mount options, shown at one mount point.
 *
 * Made from `ferryfs mount -o OPTS s3://BUCKET/PREFIX DIR` by view_parse; constant afterwards, so any thread
 * may read it.  Reference-counted with its account.
 */
#ifndef FERRYFS_FS_CORE_VIEW_H
#define FERRYFS_FS_CORE_VIEW_H

#include <stdatomic.h>
#include <sys/types.h>
#include "engine/account/account.h"
#include "engine/object/copy.h"
#include "fs/core/odd_name.h"
#include "s3/headers.h"
#include "s3/url.h"

enum copy_ack { COPY_ACK_EARLY, COPY_ACK_CLOSE };

struct view {
	struct account *account; /* one reference; set by whoever opened it */
	struct s3_url url; /* key: "" or a prefix that ends in "/" */
	char *source; /* "s3://bucket/prefix", as findmnt shows it; owned */
	bool ro, allow_other, noatime;
	bool closed; /* in a hub, without allow_other: its root is its owner's alone (0700) */
	bool hidden; /* in a hub, an account's own: above the views, listed by nobody */
	uid_t uid;
	gid_t gid;
	mode_t file_mode, dir_mode; /* permission bits, umask applied, or as file_mode and dir_mode say */
	unsigned cache_ttl_ms; /* default 5,000 */
	int64_t since; /* seconds since 1970, when the daemon made its first view: the time of what has none */
	enum copy_ack copy_ack; /* -o copy_ack=close: no early answers */
	enum odd_keys odd_keys; /* -o odd_keys=error|escape|hide */
	bool attrs_meta; /* -o attrs=meta */
	bool attrs_eperm; /* -o attrs_fail=eperm: what is not kept is refused */
	enum copy_tags tags; /* -o tags=no */
	bool recognise; /* -o recognise=no: what is written is always uploaded */
	struct headers headers; /* -o sse, sse_kms_key_id, acl: go with whatever makes an object here */
	unsigned flush_after_ms; /* -o flush_after: open files are stored after so long; 0: never */
	uint64_t keep_open; /* -o keep_open: files up to this size stay readable to who has them open */
	char *storage_class; /* of new objects; NULL: the service's default; owned */
	uint64_t part_size, part_threshold; /* of uploads and copies; 0: the engine's defaults */
	char *staging_dir; /* NULL: $TMPDIR, else /var/tmp; owned */
	char *journal_dir; /* NULL: fs/host/journal_place.h; owned */
	atomic_uint refs;
};

/* One reference, the caller's, who fills it in: defaults (the effective uid and gid, modes 0644 and 0755), no
 * account. */
int view_new(struct view **ret);
struct view *view_ref(struct view *view);
void view_unref(struct view *view);

/* Adds the view's own headers to those that an object is made with.  headers_set's errors. */
int view_add_headers(const struct view *view, struct headers *headers);

/* How copies to it are made; the view's headers are lent. */
static inline struct copy_settings view_copy_settings(const struct view *view)
{
	return (struct copy_settings){
		.part_threshold = view->part_threshold,
		.part_size = view->part_size,
		.tags = view->tags,
		.headers = view->headers.count ? &view->headers : NULL,
	};
}

#endif
