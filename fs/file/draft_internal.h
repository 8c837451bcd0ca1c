/*
 * draft_inside: the fields of a draft and its transitions, for draft*.c and their test.  hub.lock held
 * throughout.
 */
#ifndef FERRYFS_FS_FILE_DRAFT_INTERNAL_H
#define FERRYFS_FS_FILE_DRAFT_INTERNAL_H

#include "fs/file/draft.h"
#include "fs/host/staged.h"
#include "s3/answer.h"

enum draft_content { DRAFT_EMPTY, DRAFT_COPY, DRAFT_OBJECT, DRAFT_DATA };

/* The object that COPY and OBJECT stand for. */
struct draft_source {
	struct node *node; /* COPY: referenced; OBJECT: NULL, the node itself */
	pid_t thread; /* COPY: the thread that asked for the copy */
	uint64_t size; /* of the whole object */
	char etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
};

/* Attributes, for views that keep mode, owner and times as metadata. */
struct draft_attrs {
	struct attrs made; /* given by the process that made the file; a copy has its source's instead */
	struct attrs set; /* set by chmod and similar calls since S3 last acknowledged the content */
};

struct draft {
	enum draft_content content;
	enum draft_activity activity;
	bool dirty;
	bool existed; /* S3 has an object of this name already: a failed store leaves it */
	bool disowned;
	bool bulk; /* one of thousands: interactive requests go before it */
	bool untold; /* `error` was not reported yet */
	int error; /* of the last store, or of a load for a store, until the next change */
	int fd; /* DATA: the staging file; else -1 */
	unsigned io; /* the number of current readers and writers of fd */
	uint64_t size;
	/* DATA that was made of an object: it keeps the object's metadata, content headers, tags and
	 * storage class */
	bool keeps;
	struct headers kept;
	/* The object that may be at the key when the draft is stored; see draft.h, "The object that a
	 * draft replaces". */
	bool create_only; /* no object */
	bool exclusive; /* with create_only: O_EXCL was asked for */
	char base[ETAG_MAX + 1]; /* only this version, of which DATA was made; "": any object */
	bool overwrites; /* OBJECT: the open file had emptied it, so the draft replaces any object */
	bool conflict; /* the last store found another object */
	struct timespec mtime;
	struct draft_attrs *attrs; /* owned; NULL: none, also where metadata keeps no attributes */
	/* For files that stay open for long: fs/file/upkeep.h.  Times are clock_ms. */
	uint64_t dirty_ms, changed_ms; /* the first change that S3 lacks; the last change */
	uint64_t tried_ms, took_ms; /* the end of the last store by upkeep, and its duration */
	unsigned rounds; /* the number of such stores so far */
	bool upkeep; /* such a store is under way */
	bool ours; /* this mount stored the object that S3 has */
	uint64_t kept_bytes; /* bytes that are kept for the open handles: fs/file/draft_keep.h */
	struct staged *staged; /* the record of the staging file; lent by upkeep, until staged_drop */
	struct draft_source source;
	struct draft_wait *first, **last;
	/* COPY: the list of all such drafts of the hub */
	struct node *node; /* lent: the node that has this draft */
	struct draft *next, *prev;
};

/* ---- pure transitions (draft.c) ---- */
struct draft *draft_new(enum draft_content content, bool existed); /* NULL: no memory */
void draft_check(const struct draft *draft); /* asserts the table of draft.h */
void draft_changed(struct draft *draft); /* dirty from now on */
enum draft_step draft_flush_step(const struct draft *draft);
/* The first `size` bytes of COPY or OBJECT lie in fd, and the draft takes fd; or the load failed. */
void draft_loaded(struct draft *draft, int error, int fd, uint64_t size);
/* DATA was made of this version of the node's own object; "": of an empty object that is gone by now. */
void draft_based(struct draft *draft, const char *etag);
void draft_stored(struct draft *draft, int error);
/* Did the store fail by its condition on the object at the key? */
bool draft_is_conflict(const struct draft *draft, int error);
bool draft_copy_whole(const struct draft *draft);
/* The staging file need not be stored any more: drops its record. */
void draft_unstage(struct draft *draft);
/* The content could not be brought to S3, or the store could not even begin: it is tried again only when a
 * caller asks for it. */
void draft_failed(struct draft *draft, int error);
/* An object's content is being edited: takes the headers that the object keeps. */
void draft_keep(struct draft *draft, struct headers *headers);
void draft_keep_nothing(struct draft *draft);
/* Takes all waits out of the line, oldest first. */
struct draft_wait *draft_take_waits(struct draft *draft);
/* Calls the waits one after another, never one inside another, even when calls of this function nest.  No
 * lock. */
void draft_run_waits(struct draft_wait *first, enum draft_activity ended, int error);

/* The content is no copy any more. */
void draft_source_drop(struct hub *hub, struct draft *draft);
/* Takes the draft off its node.  The caller frees it by draft_trash after it has released the lock (to
 * close a large file takes time). */
struct draft *draft_detach(struct hub *hub, struct node *node);
void draft_trash(struct draft *draft); /* no lock; NULL is fine */

/* ---- draft_edit.c ---- */
/* Makes the node's object a draft that is to be loaded; handle NULL: the version of the node's attributes.
 * -ENOMEM.  hub.lock held; the node has no draft yet. */
int draft_of_object(struct node *node, const struct handle *handle);

/* ---- draft_copy.c ---- */
/* Returns a quiet draft that is a copy of the first bytes of this object, or of an object below this
 * directory; NULL: there is none (any more). */
struct draft *draft_partial_copy(struct hub *hub, const struct node *source);

/* ---- draft_attrs.c; hub.lock held ---- */
/* The attributes that one store brings to S3. */
struct store_attrs {
	struct attrs all; /* the attributes of the object, if `known` */
	struct attrs set; /* the attributes that were set */
	bool known;
	bool replace; /* the copy must have other metadata than its source */
};
/* The content was changed: a time that was set before is no longer valid. */
void draft_written(struct draft *draft);
/* *ret: owned; NULL where metadata keeps no attributes.  -ENOMEM. */
int draft_store_attrs(const struct node *node, struct store_attrs **ret);
/* S3 has these attributes.  attrs NULL: does nothing. */
void draft_attrs_stored(struct node *node, const struct store_attrs *attrs);

/* ---- draft_headers.c ---- */
struct place;
/* The headers of a new object.  -errno of headers. */
int draft_new_headers(struct headers *headers, const struct place *place);
/* Completes the headers of an upload to this place.  headers: contains those that the object keeps, if it
 * `keeps` any.  attrs may be NULL.  -errno of headers. */
int draft_upload_headers(
	struct headers *headers, const struct place *place, bool keeps, const struct store_attrs *attrs);
/* Reduces an object's own headers to those that it keeps when its content is edited: removes the headers
 * about the old content and adds the storage class.  -errno of headers. */
int draft_kept_headers(struct headers *headers, const char *storage_class);

/* ---- draft_load.c, draft_store.c ---- */
/* Begin; the draft is quiet.  draft_load takes fd, an empty staging file, unless it fails.  1: done at
 * once.  0: `ended` will be called, once the waits of the draft have run and without a lock: draft_settle. */
int draft_load(struct hub *hub, struct node *node, uint64_t keep, int fd,
	void (*ended)(struct hub *hub, struct node *node));
int draft_store(struct hub *hub, struct node *node, void (*ended)(struct hub *hub, struct node *node));

#endif
