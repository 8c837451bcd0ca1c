/*
 * handle: an open file.
 *
 * A handle reads one version of its object, the current one when it was opened (by its ETag).  If the node
 * has a draft, all handles read that.  When S3 acknowledges a draft, the handles that read it continue with
 * the version that S3 made of it.
 *
 * Life: from open or create to RELEASE (handle_close), and longer if operations still hold it: a killed
 * caller may have left some behind.  All fields under hub.lock.  struct files is the state shared by the
 * handles of a hub.
 */
#ifndef FERRYFS_FS_FILE_HANDLE_H
#define FERRYFS_FS_FILE_HANDLE_H

#include "fs/core/hub.h"
#include "fs/file/chunk.h"
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

struct read_wait;
struct draft;
struct draft_keep;
struct served;

struct handle {
	struct node *node; /* referenced */
	int flags; /* of open(2) */
	bool writes, counted; /* it may write; it is counted in files.writers */
	bool closed;
	unsigned refs;
	char etag[ETAG_MAX + 1]; /* "": the version of the node */
	uint64_t size; /* the size of that version */
	pid_t thread; /* the thread that opened it */
	/* inode numbers of the file that it was last marked as a copy of, and of that file's directory; 0:
	 * none */
	uint64_t source, source_parent;
	struct handle *next, *prev; /* in its slot */
	struct readahead ahead;
	/* fs/file/recognise.h: the bytes served so far; NULL: they are not hashed; owned */
	struct served *served;
	struct read_wait *reads; /* reads that wait for chunks */
};

struct files {
	struct handle *slots[HANDLE_SLOTS]; /* open handles, by inode number */
	struct {
		uint64_t ino, version;
	} cached[HANDLE_CACHED]; /* the version of the kernel's pages: hash of the last open's ETag */
	struct chunks chunks;
	struct draft *copies; /* drafts of content COPY; fs/file/draft_copy.c */
	unsigned partial; /* the number of them that have not reached their source's end */
	uint64_t parked_bytes; /* the bytes of parked writes */
	struct draft_keep *keeps; /* fs/file/draft_keep.h: those of operations under way */
	uint64_t kept_bytes; /* the bytes of drafts that are kept for readers */
	unsigned writers; /* open handles that may write */
	/* The first of them was opened.  hub.lock held.  NULL: nothing; set by fs/file/upkeep.h. */
	void (*on_writer)(struct hub *hub);
};

int files_new(struct files **ret);
/* Frees also every remaining handle; the engine has ended before. */
void files_free(struct hub *hub);

/* hub.lock held.  -ENOMEM.  The handle refs node; its version is the node's, or none while the node has a
 * draft. */
int handle_open(struct hub *hub, struct node *node, int flags, struct handle **ret);
/* The handle may write regardless of its flags, as it has made the file.  hub.lock held. */
void handle_will_write(struct hub *hub, struct handle *handle);
/* hub.lock held.  Gives back the ref of open. */
void handle_close(struct hub *hub, struct handle *handle);
struct handle *handle_ref(struct handle *handle);
void handle_unref(struct hub *hub, struct handle *handle); /* hub.lock held */

/* Takes the node's version if the handle has none yet (it was opened on a draft).  hub.lock held; the node
 * has no draft. */
void handle_version(struct handle *handle);

static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

/* The one file that this thread has open for reading, or NULL: none, or several.  hub.lock held. */
struct handle *handle_only_read(struct hub *hub, pid_t thread);
/* Has this thread a file open for writing that is a copy of `source`, or of no file yet?  hub.lock held. */
bool handle_copies(struct hub *hub, uint64_t source, pid_t thread);
/* The number of open handles of a node, and of those that may write.  hub.lock held. */
unsigned handle_count(struct hub *hub, const struct node *node, unsigned *ret_writers);
/* Do all handles that may write only append?  False if no handle may write.  hub.lock held. */
bool handle_only_appends(struct hub *hub, const struct node *node);
/* The nodes with open handles and with content that S3 does not have, each once and with a ref, in an
 * array that the caller frees.  hub.lock held.  -ENOMEM: no ref is held. */
int handle_dirty_nodes(struct hub *hub, struct node ***ret, size_t *ret_count);
/* The node's handles continue with the version of its attributes.  etag NULL: all handles, as S3
 * acknowledged the draft that they read; else the handles that read this version, as a rename gave its
 * copy another ETag.  hub.lock held. */
void handle_follow(struct hub *hub, struct node *node, const char *etag);
/* Does the handle read another version than the node shows by now?  Reads of the handle must not end at
 * the size of the shown version: for such a handle attributes are ESTALE, and the kernel is told to ask
 * each time.  hub.lock held. */
bool handle_outdated(const struct handle *handle);
bool handle_any_outdated(struct hub *hub, const struct node *node);
/* Is the handle still open that made the file?  hub.lock held. */
bool handle_any_made(struct hub *hub, const struct node *node);
/* May the kernel keep its pages at this open?  Remembers the version.  hub.lock held. */
bool handle_keeps_cache(struct hub *hub, const struct node *node);
/* May this open(2) write, or change by truncating? */
bool handle_flags_write(int flags);

#endif
