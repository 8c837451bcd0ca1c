/*
 * handle: an open file.
 *
 * A handle reads one version of its object, the one that was there when it was opened (its ETag), unless the
 * node has a draft: then everybody reads that.  When a draft is acknowledged, the handles that saw it go on
 * with the version S3 made of it.
 *
 * Life: from open or create to RELEASE (handle_close), and as long after as operations hold it, which a
 * killed caller may have left behind.  All fields under hub.lock.  What the handles of a hub share is struct
 * files.
 */
#ifndef FERRYFS_FS_FILE_HANDLE_H
#define FERRYFS_FS_FILE_HANDLE_H

#include "fs/core/hub.h"
#include "fs/file/readahead.h"
#include "s3/request.h"

enum {
	HANDLE_SLOTS = 1024,
	HANDLE_CACHED = 4096,
	/* S3's largest object; AWS, "Amazon S3 multipart upload limits". */
	HANDLE_OBJECT_MAX_TIB = 5,
	/* Bytes of parked writes over the hub. */
	HANDLE_PARKED_MAX = 256 << 20,
};

#define HANDLE_OBJECT_MAX ((uint64_t)HANDLE_OBJECT_MAX_TIB << 40)

struct read_op;
struct draft;
struct draft_keep;
struct served;

struct handle {
	struct node *node; /* referenced */
	int flags; /* of open(2) */
	bool writes, counted; /* it may write; likewise, in files.writers */
	bool closed;
	unsigned refs;
	char etag[ETAG_MAX + 1]; /* "": whatever the node has */
	uint64_t size; /* of that version */
	pid_t thread; /* who opened it */
	uint64_t source, source_parent; /* what it was last marked as a copy of, and the directory of that:
					   inode numbers; 0: nothing */
	struct handle *next, *prev; /* in its slot */
	struct readahead ahead;
	struct served
		*served; /* fs/file/recognise.h: what came of it so far; NULL: nothing is summed up; owned */
	struct read_op *reads; /* that wait for chunks */
};

struct files {
	struct handle *slots[HANDLE_SLOTS]; /* open handles, by inode number */
	struct {
		uint64_t ino, version;
	} cached[HANDLE_CACHED]; /* what the kernel's page cache may hold: hash of the ETag at the last open
				  */
	struct chunks chunks;
	struct draft *copies; /* drafts of content COPY; fs/file/draft_copy.c */
	unsigned partial; /* how many of them have not come to their source's end */
	uint64_t parked_bytes; /* of parked writes */
	struct draft_keep *keeps; /* fs/file/draft_keep.h: of operations under way */
	uint64_t kept_bytes; /* of drafts that are kept for readers */
	unsigned writers; /* open handles that may write */
};

int files_new(struct files **ret);
/* With every handle that is left; the engine is gone. */
void files_free(struct hub *hub);

/* hub.lock held.  -ENOMEM.  The handle refs node; its version is the node's, or none while that has a draft.
 */
int handle_open(struct hub *hub, struct node *node, int flags, struct handle **ret);
/* It may write whatever its flags say: it has made the file.  hub.lock held. */
void handle_will_write(struct hub *hub, struct handle *handle);
/* hub.lock held.  Gives back the ref of open. */
void handle_close(struct hub *hub, struct handle *handle);
struct handle *handle_ref(struct handle *handle);
void handle_unref(struct hub *hub, struct handle *handle); /* hub.lock held */

/* Takes the node's version where it has none yet (it was opened on a draft).  hub.lock held; no draft. */
void handle_version(struct handle *handle);

static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

/* The one file that this thread has open for reading, or NULL: none, or several.  hub.lock held. */
struct handle *handle_only_read(struct hub *hub, pid_t thread);
/* Has this thread a file open for writing that is a copy of that one, or nothing yet?  hub.lock held. */
bool handle_copies(struct hub *hub, uint64_t source, pid_t thread);
/* Open handles of a node, and how many of them may write.  hub.lock held. */
unsigned handle_count(struct hub *hub, const struct node *node, unsigned *ret_writers);
/* Does everybody who may write it only append?  False where nobody writes.  hub.lock held. */
bool handle_only_appends(struct hub *hub, const struct node *node);
/* The nodes with open handles whose content S3 does not have, each once and with a ref, in an array that the
 * caller frees.  hub.lock held.  -ENOMEM, and nothing is held. */
int handle_dirty_nodes(struct hub *hub, struct node ***ret, size_t *ret_count);
/* They go on with the version of the node's attributes: all of them, when S3 acknowledged the draft that they
 * saw (NULL), or those that read this version, when a rename gave its copy another ETag.  hub.lock held. */
void handle_follow(struct hub *hub, struct node *node, const char *etag);
/* Is what it reads another version than the one the node shows by now?  What is read must not end where that
 * one does: with such a handle attributes are ESTALE, and the kernel is told to ask each time.  hub.lock
 * held. */
bool handle_outdated(const struct handle *handle);
bool handle_any_outdated(struct hub *hub, const struct node *node);
/* Is a handle open by which it was made?  hub.lock held. */
bool handle_any_made(struct hub *hub, const struct node *node);
/* May the kernel keep its pages at this open?  Remembers the version.  hub.lock held. */
bool handle_keeps_cache(struct hub *hub, const struct node *node);
/* May this open(2) write, or change by truncating? */
bool handle_flags_write(int flags);

#endif
