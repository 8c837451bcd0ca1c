/*
 * draft: the content of a file that this mount made and S3 does not have yet.
 *
 * A node has at most one draft, shared by all its open handles; it begins with create, O_TRUNC, truncate, a
 * first write or a first copy_file_range and ends when S3 acknowledged the content (or the last handle of an
 * unlinked node is closed). All fields under hub.lock; what needs I/O is done on copies of the descriptors
 * outside it.
 *
 * What it holds, and what is being done with it:
 *
 *   content   is                                         comes to S3 by
 *   EMPTY     nothing                                    PUT of nothing
 *   COPY      [0, size) of source object S with ETag E   CopyObject if size == S's; else it is loaded first:
 *                                                        DATA
 *   OBJECT    the node's own object, about to be edited  nothing: it is not dirty; exists while LOADING only
 *   DATA      the staging file                           upload
 *
 *   activity  means                                         ends by
 *   IDLE      readers and writers of the staging file go on (io counts them)
 *   LOADING   COPY or OBJECT is fetched into a staging file DATA, or as before and an error for who waits
 *   STORING   the content, which nobody changes meanwhile,  clean, or dirty as before with `error`
 *             is on its way to S3
 *
 * Whose object it replaces.  Plain writing (O_TRUNC, truncate to 0, a copy onto what is there) replaces what
 * is there: the last one wins.  But an object that was edited or appended to replaces only the version that
 * was edited, and a name that was new when it was opened for something else than overwriting (O_EXCL, or
 * without O_TRUNC) replaces nothing: else another client's object would go silently.  Where something else is
 * there by then, storing fails with ESTALE, or EEXIST for O_EXCL, each time; the object stays, and what was
 * written here is lost with the last close, as the log says.
 *
 * LOADING and STORING begin only when quiet (IDLE and no io).  Who finds it busy waits (draft_wait) and looks
 * anew when woken.  A clean draft stays only for writers' sake, as DATA that need not be fetched again; a
 * draft that has no handle has an activity, or is on its way out (draft_settle).
 */
#ifndef FERRYFS_FS_FILE_DRAFT_H
#define FERRYFS_FS_FILE_DRAFT_H

#include "fs/core/hub.h"

struct handle;

enum draft_activity { DRAFT_IDLE, DRAFT_LOADING, DRAFT_STORING };

/* ---- for everybody; hub.lock held ---- */

/* What stat shows. */
uint64_t draft_size(const struct draft *draft);
struct timespec draft_mtime(const struct draft *draft);

/* Of a node with a draft: mode, owner and times that its object will have, as far as is known (fs/file/draft_attrs.c). */
void draft_attrs(const struct node *node, struct attrs *ret);
/* These come to S3 with the content, which is dirty and not on its way.  -ENOMEM. */
int draft_set_attrs(struct draft *draft, const struct attrs *change);
/* It was just made by a name that nobody had, by this owner with this mode. */
int draft_made_by(struct draft *draft, const struct attrs *made);

/* Is there content that S3 has not acknowledged? */
bool draft_dirty(const struct draft *draft);

/* It was just made, by a name that nobody had: nothing is to be replaced by it.  exclusive: O_EXCL.
 * hub.lock held. */
void draft_create_only(struct draft *draft, bool exclusive);
/* A rename gave the version `old` this ETag by a copy of its own.  NULL draft: nothing.  hub.lock held. */
void draft_follow(struct draft *draft, const char *old, const char *new);

/* The node was unlinked or renamed over: nothing of it is stored any more. */
void draft_disown(struct hub *hub, struct node *node);

/* ---- storing ---- */

/*
 * Brings what a node's draft holds to S3: `done` is called exactly once, without a lock, on any thread,
 * perhaps before draft_flush returns.  0: what was there at the call is acknowledged (or there was nothing to
 * do).  The struct is the caller's until then.
 */
struct draft_wait {
	struct draft_wait *next;
	/* What has ended, and how; LOADING and STORING say 0 or -errno.  No lock held. */
	void (*run)(struct draft_wait *wait, enum draft_activity ended, int error);
	/* Its caller has its answer, or may have: a failed store is to be told by a later call. */
	bool answered;
	/* private: while it is about to be run */
	enum draft_activity ended;
	int error;
};

struct draft_flush {
	void (*done)(struct draft_flush *flush, int error);
	void *user;
	bool answered; /* as in draft_wait */
	/* Its caller tells the process that made the content: a failure that nobody was told of is its answer,
	 * and not sent again, however late that failure comes. */
	bool tells;
	/* private */
	struct hub *hub;
	struct node *node; /* referenced */
	struct draft_wait wait;
};

/* Any thread, no lock held; node is referenced by the caller for the time of the call. */
void draft_flush(struct hub *hub, struct node *node, struct draft_flush *flush);

/* Before a source object is removed or renamed: copies of it that were begun with copy_file_range and never
 * came to its end are fetched now, so that what was promised of them can be kept; their claims stand before
 * any taken later.  By name, as unlink and rename are asked.  On the reading thread, no lock held. */
void draft_save_copies(struct hub *hub, fuse_ino_t parent, const char *name);

/* An empty content becomes a copy of this empty object, whose metadata it then has.  -ENOMEM, -EOPNOTSUPP.
 * hub.lock held. */
int draft_copy_empty(struct hub *hub, struct node *node, struct handle *handle);
/* Is it a copy, or nothing, that a process may be promised?  hub.lock held; draft not NULL. */
bool draft_is_copy(const struct draft *draft);
bool draft_is_empty(const struct draft *draft);
/* It was made empty, or emptied, and S3 has not been asked to store that: a close that is not the last may
 * leave it so.  hub.lock held; NULL: no. */
bool draft_is_unwritten(const struct draft *draft);
/* That, of an object that S3 has: what it held would be replaced by nothing. */
bool draft_is_emptied(const struct draft *draft);
/* It is one of thousands: interactive requests go before it.  hub.lock held. */
void draft_set_bulk(struct draft *draft);

/* ---- changing; fs/op_*.c ---- */

/* How far a request can go at once. */
enum draft_step {
	DRAFT_GO, /* now */
	DRAFT_WAIT, /* once what is under way has ended */
	DRAFT_LOAD, /* after the content was fetched into a staging file */
	DRAFT_STORE, /* after it was stored */
};

/* The staging file is wanted, to be changed (or read, when `reading`).  hub.lock held; draft not NULL.  GO
 * while reading: it has a staging file, or is empty. */
enum draft_step draft_edit_step(const struct draft *draft);
enum draft_step draft_read_step(const struct draft *draft);

/* Waits in line; hub.lock held; the draft is not quiet. */
void draft_await(struct draft *draft, struct draft_wait *wait);
bool draft_quiet(const struct draft *draft);
/* LOADING or STORING? */
bool draft_busy(const struct draft *draft);
/* Its object, which is stored, was given this time. */
void draft_set_mtime(struct draft *draft, const struct timespec *mtime);

/* A new empty content: create, O_TRUNC, truncate to 0.  hub.lock held; the draft, if any, is quiet.
 * *ret_close: a descriptor to be closed once the lock is given back (that of a large file takes its time), or
 * -1.  -ENOMEM. */
int draft_make_empty(struct hub *hub, struct node *node, int *ret_close);

struct draft_edit {
	struct node *node;
	const struct handle *handle; /* whose version is edited; NULL: the node's attributes */
	uint64_t keep; /* only the first bytes are wanted (truncate); UINT64_MAX: all */
	struct draft_wait *wait; /* NULL: nobody waits */
};

/* Makes the staging file the content.  1: it is, *ret_fd is lent until draft_edit_end; 0: edit->wait is
 * called when it is worth another try; -errno.  No lock held. */
int draft_edit_begin(struct hub *hub, const struct draft_edit *edit, int *ret_fd);
/* size: the file is at least so long now; `cut`: exactly so long.  changed: false after a failure or a mere
 * read. */
struct draft_change {
	bool changed, cut;
	uint64_t size;
};
void draft_edit_end(struct hub *hub, struct node *node, const struct draft_change *change);

/* hub.lock held: the descriptor for reading until draft_edit_end, -1 when the content is empty; read step was
 * GO. */
int draft_read_begin(struct draft *draft);

/* What copy_file_range asks for.  hub.lock held.  The bytes that are promised; -EAGAIN: wait; -EOPNOTSUPP:
 * not a copy. *ret_whole: the copy has come to its source's end. */
struct draft_range {
	struct node *source;
	pid_t thread; /* for whom */
	struct str etag;
	struct str storage_class;
	uint64_t source_size;
	uint64_t from, to, len;
};
int64_t draft_copy(struct hub *hub, struct node *node, const struct draft_range *range, bool *ret_whole);

/* An error of a store that nobody waited for, or whose caller was answered before: told once.  hub.lock held.
 */
int draft_take_untold(struct draft *draft);

/* Begins to bring it to S3; nobody waits.  A failure is in the log.  No lock held. */
void draft_flush_alone(struct hub *hub, struct node *node);

/* Nobody may need it any more: called without a lock after a handle was closed or something ended.  The
 * caller holds a ref. */
void draft_settle(struct hub *hub, struct node *node);

#endif
