/*
 * draft: the content of a file that this mount made and S3 does not have yet.
 *
 * A node has at most one draft, shared by all its open handles; it begins with create, O_TRUNC, truncate, a
 * first write or a first copy_file_range and ends when S3 acknowledged the content (or the last handle of an
 * unlinked node is closed).  All fields under hub.lock; I/O is done outside the lock, on copies of the
 * descriptors.
 *
 * Its content, and its activity:
 *
 *   content   is                                         comes to S3 by
 *   EMPTY     no bytes                                   PUT of an empty object
 *   COPY      [0, size) of source object S with ETag E   CopyObject if size is the size of S; else the bytes
 *                                                        are loaded first: DATA
 *   OBJECT    the node's own object, about to be edited  no request: it is not dirty; exists while LOADING
 *                                                        only
 *   DATA      the staging file                           upload
 *
 *   activity  meaning                                        then
 *   IDLE      readers and writers of the staging file go on
 *             (io counts them)
 *   LOADING   COPY or OBJECT is fetched into a staging file  DATA, or as before, and the waiting callers get
 *                                                            an error
 *   STORING   the content is on its way to S3; no caller     clean, or dirty as before with `error`
 *             changes it meanwhile
 *
 * The object that a draft replaces.  Plain writing (O_TRUNC, truncate to 0, a copy onto an existing object)
 * replaces any object at the key: the last writer wins.  But an edited or appended object replaces only the
 * version that was edited.  And a name that was new when it was opened, not for overwriting (O_EXCL, or
 * without O_TRUNC), replaces no object: else another client's object would be lost silently.  If another
 * object is at the key by then, storing fails each time, with ESTALE, or with EEXIST for O_EXCL.  That object
 * stays, and the content written here is lost with the last close, as the log says.
 *
 * LOADING and STORING begin only when the draft is quiet (IDLE and no io).  A caller that finds it busy waits
 * (draft_wait) and looks again when it is woken.  A clean draft stays only for writers, as DATA that need not
 * be fetched again.  A draft without a handle has an activity, or is about to be freed (draft_settle).
 */
#ifndef FERRYFS_FS_FILE_DRAFT_H
#define FERRYFS_FS_FILE_DRAFT_H

#include "fs/core/hub.h"

struct handle;

enum draft_activity { DRAFT_IDLE, DRAFT_LOADING, DRAFT_STORING };

/* ---- for all callers; hub.lock held ---- */

/* The size and the time that stat shows. */
uint64_t draft_size(const struct draft *draft);
struct timespec draft_mtime(const struct draft *draft);

/* For a node with a draft: the mode, owner and times that its object will have, as far as they are known
 * (fs/file/draft_attrs.c). */
void draft_attrs(const struct node *node, struct attrs *ret);
/* The attributes come to S3 with the content; the content is dirty and not on its way.  -ENOMEM. */
int draft_set_attrs(struct draft *draft, const struct attrs *change);
/* The file was just made under a new name, by this owner with this mode. */
int draft_made_by(struct draft *draft, const struct attrs *made);

/* Is there content that S3 has not acknowledged? */
bool draft_dirty(const struct draft *draft);

/* The file was just made, under a new name: the draft must not replace any object.  exclusive: O_EXCL.
 * hub.lock held. */
void draft_create_only(struct draft *draft, bool exclusive);
/* A rename copied the version `old`, and the copy has the ETag `new`.  NULL draft: does nothing.  hub.lock
 * held. */
void draft_follow(struct draft *draft, const char *old, const char *new);

/* The node was unlinked or renamed over: its content is not stored any more. */
void draft_disown(struct hub *hub, struct node *node);

/* ---- storing ---- */

/*
 * Brings the content of a node's draft to S3: `done` is called exactly once, without a lock, on any thread,
 * perhaps before draft_flush returns.  0: S3 has acknowledged the content that the draft had at the call (or
 * there was nothing to do).  The struct is the caller's until then.
 */
struct draft_wait {
	struct draft_wait *next;
	/* `ended` is the activity that has ended; LOADING and STORING give 0 or -errno.  No lock held. */
	void (*run)(struct draft_wait *wait, enum draft_activity ended, int error);
	/* The caller has its answer, or may have it: a later call must report a failed store. */
	bool answered;
	/* private: while the wait is about to be run */
	enum draft_activity ended;
	int error;
};

struct draft_flush {
	void (*done)(struct draft_flush *flush, int error);
	void *user;
	bool answered; /* as in draft_wait */
	/* The caller reports to the process that made the content.  A failure that was not yet reported is
	 * its answer, and then the content is not sent again, however late the failure comes. */
	bool tells;
	/* private */
	struct hub *hub;
	struct node *node; /* referenced */
	struct draft_wait wait;
};

/* Any thread, no lock held; the caller holds a ref on node during the call. */
void draft_flush(struct hub *hub, struct node *node, struct draft_flush *flush);

/* Before a source object is removed or renamed: fetches the copies that copy_file_range began and that did
 * not reach the source's end, so that the bytes already answered are kept.  Their claims stand before any
 * claim taken later.  Takes the name, like unlink and rename.  On the reading thread, no lock held. */
void draft_save_copies(struct hub *hub, fuse_ino_t parent, const char *name);

/* An empty content becomes a copy of this empty object, with the metadata of that object.  -ENOMEM,
 * -EOPNOTSUPP. hub.lock held. */
int draft_copy_empty(struct hub *hub, struct node *node, struct handle *handle);
/* Is the content a copy, or empty, so that the operation may be answered early?  hub.lock held; draft not
 * NULL. */
bool draft_is_copy(const struct draft *draft);
bool draft_is_empty(const struct draft *draft);
/* Was the content made empty, or emptied, without a request to S3 to store that?  A close that is not the
 * last may leave it so.  hub.lock held; NULL: no. */
bool draft_is_unwritten(const struct draft *draft);
/* The same, and S3 has an object: storing would replace its content by an empty one. */
bool draft_is_emptied(const struct draft *draft);
/* The draft is one of thousands: interactive requests go before it.  hub.lock held. */
void draft_set_bulk(struct draft *draft);

/* ---- changing; fs/op_*.c ---- */

/* How far a request can go at once. */
enum draft_step {
	DRAFT_GO, /* now */
	DRAFT_WAIT, /* once the current activity has ended */
	DRAFT_LOAD, /* after the content is fetched into a staging file */
	DRAFT_STORE, /* after the content is stored */
};

/* The caller needs the staging file, to change it (edit) or to read it (read).  hub.lock held; draft not
 * NULL.  GO for a read: the draft has a staging file, or is empty. */
enum draft_step draft_edit_step(const struct draft *draft);
enum draft_step draft_read_step(const struct draft *draft);

/* Puts the wait in line; hub.lock held; the draft is not quiet. */
void draft_await(struct draft *draft, struct draft_wait *wait);
bool draft_quiet(const struct draft *draft);
/* LOADING or STORING? */
bool draft_busy(const struct draft *draft);
/* The stored object got this time. */
void draft_set_mtime(struct draft *draft, const struct timespec *mtime);

/* A new empty content: create, O_TRUNC, truncate to 0.  hub.lock held; the draft, if any, is quiet.
 * *ret_close: a descriptor that the caller closes after it has released the lock (to close a large file
 * takes time), or -1.  -ENOMEM. */
int draft_make_empty(struct hub *hub, struct node *node, int *ret_close);

struct draft_edit {
	struct node *node;
	const struct handle *handle; /* its version is edited; NULL: the version of the node's attributes */
	uint64_t keep; /* only the first `keep` bytes are needed (truncate); UINT64_MAX: all */
	struct draft_wait *wait; /* NULL: no caller waits */
};

/* Makes the staging file the content.  1: done, *ret_fd is lent until draft_edit_end; 0: edit->wait is
 * called when the caller should try again; -errno.  No lock held. */
int draft_edit_begin(struct hub *hub, const struct draft_edit *edit, int *ret_fd);
/* size: the file has at least this length now; with `cut`: exactly this length.  changed: false after a
 * failure or a mere read. */
struct draft_change {
	bool changed, cut;
	uint64_t size;
};
void draft_edit_end(struct hub *hub, struct node *node, const struct draft_change *change);

/* hub.lock held: returns the descriptor for reading until draft_edit_end, -1 when the content is empty.
 * The read step was GO. */
int draft_read_begin(struct draft *draft);

/* The range of a copy_file_range.  hub.lock held.  draft_copy returns the number of bytes that may be
 * answered; -EAGAIN: wait; -EOPNOTSUPP: not a copy.  *ret_whole: the copy has reached the end of its
 * source. */
struct draft_range {
	struct node *source;
	pid_t thread; /* the calling thread */
	struct str etag;
	struct str storage_class;
	uint64_t source_size;
	uint64_t from, to, len;
};
int64_t draft_copy(struct hub *hub, struct node *node, const struct draft_range *range, bool *ret_whole);

/* Takes the error of a store that no caller waited for, or that ended after its caller was answered: it is
 * reported once.  hub.lock held. */
int draft_take_untold(struct draft *draft);

/* Begins to bring the content to S3; no caller waits.  A failure is in the log.  No lock held. */
void draft_flush_alone(struct hub *hub, struct node *node);

/* The draft may not be needed any more: called without a lock after a handle was closed or an activity
 * ended.  The caller holds a ref on the node. */
void draft_settle(struct hub *hub, struct node *node);

#endif
