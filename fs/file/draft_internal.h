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

/* What COPY and OBJECT stand for. */
struct draft_source {
	struct node *node; /* COPY: referenced; OBJECT: NULL, the node itself */
	pid_t thread; /* COPY: who asked for it */
	uint64_t size; /* of the whole object */
	char etag[ETAG_MAX + 1];
	char storage_class[STORAGE_CLASS_MAX + 1];
};

/* Where metadata keeps mode, owner and times. */
struct draft_attrs {
	struct attrs made; /* by who made it; a copy has its source's instead */
	struct attrs set; /* by chmod and its like, since S3 last acknowledged the content */
};

struct draft {
	enum draft_content content;
	enum draft_activity activity;
	bool dirty;
	bool existed; /* S3 has an object of this name already: a failure leaves that */
	bool disowned;
	bool bulk; /* one of thousands: interactive requests go before it */
	bool untold; /* `error` was told to nobody */
	int error; /* of the last store, or load for one, while nothing changed since */
	int fd; /* DATA: the staging file; else -1 */
	unsigned io; /* who reads or writes fd just now */
	uint64_t size;
	/* DATA that began as an object, which keeps its metadata, content headers, tags and storage class */
	bool keeps;
	struct headers kept;
	/* What may be there when it is stored; see draft.h, "Whose object it replaces". */
	bool create_only; /* nothing */
	bool exclusive; /* with that: O_EXCL was asked for */
	char base[ETAG_MAX + 1]; /* this version, of which DATA was made; "": whatever is there */
	bool overwrites; /* OBJECT: the one that this open file has emptied, so that it replaces any */
	bool conflict; /* the last store found something else */
	struct timespec mtime;
	struct draft_attrs *attrs; /* owned; NULL: none, as where metadata does not keep them */
	/* What stays open for long: fs/file/upkeep.h.  Times are hub_now_ms. */
	uint64_t dirty_ms, changed_ms; /* since when S3 lacks something of it; its last change */
	uint64_t tried_ms, took_ms; /* the end of the last store of upkeep, and how long that took */
	unsigned rounds; /* such stores so far */
	bool upkeep; /* one is under way */
	bool ours; /* what S3 has of this name was stored from here */
	uint64_t kept_bytes; /* it is kept for who has the file open: fs/file/draft_keep.h */
	struct staged *staged; /* its record; lent by upkeep, until staged_drop */
	struct draft_source source;
	struct draft_wait *first, **last;
	/* COPY: of all such drafts of the hub */
	struct node *node; /* lent: whose draft it is */
	struct draft *next, *prev;
};

/* ---- pure transitions (draft.c) ---- */
struct draft *draft_new(enum draft_content content, bool existed); /* NULL: no memory */
void draft_check(const struct draft *draft); /* the table of draft.h, by assert */
void draft_changed(struct draft *draft); /* dirty, as of now */
enum draft_step draft_flush_step(const struct draft *draft);
/* keep bytes of COPY or OBJECT lie in fd, which is taken; or the load failed. */
void draft_loaded(struct draft *draft, int error, int fd, uint64_t size);
/* DATA was made of this version of the node's own object; "": of an empty one that is gone by now. */
void draft_based(struct draft *draft, const char *etag);
void draft_stored(struct draft *draft, int error);
/* Is this failure of a store that of the condition on what is there? */
bool draft_is_conflict(const struct draft *draft, int error);
bool draft_copy_whole(const struct draft *draft);
/* The staging file is not what is left to be stored any more: its record is not needed. */
void draft_unstage(struct draft *draft);
/* An object's content is being edited: takes what it keeps. */
/* It could not be brought to S3, or not even begun to be: tried again when asked for, not by itself. */
void draft_failed(struct draft *draft, int error);
void draft_keep(struct draft *draft, struct headers *headers);
void draft_keep_nothing(struct draft *draft);
/* All who wait, oldest first; they are no longer in line. */
struct draft_wait *draft_take_waits(struct draft *draft);
/* Calls them, one after another however deep this is nested.  No lock. */
void draft_run_waits(struct draft_wait *first, enum draft_activity ended, int error);

/* Takes it off its node; freed by draft_trash once the lock is given back (closing a large file takes its
 * time). */
struct draft *draft_detach(struct hub *hub, struct node *node);
void draft_trash(struct draft *draft); /* no lock; NULL is fine */

/* ---- draft_edit.c ---- */
/* The node's object, as a draft that is to be loaded; handle NULL: the version of its attributes.  -ENOMEM.
 * hub.lock held; it has none. */
int draft_of_object(struct node *node, const struct handle *handle);

/* ---- draft_copy.c ---- */
/* The content is no copy of anything any more. */
void draft_source_drop(struct hub *hub, struct draft *draft);
/* A quiet draft that is a copy of the first bytes of this object, or of one below this directory; NULL: there
 * is none (any more). */
struct draft *draft_partial_copy(struct hub *hub, const struct node *source);

/* ---- draft_attrs.c; hub.lock held ---- */
/* What one store brings to S3. */
struct store_attrs {
	struct attrs all; /* what the object will have, if `known` */
	struct attrs set; /* what was set */
	bool known;
	bool replace; /* a copy that has to have other metadata than its source */
};
/* The content was changed: a time that was set before is over. */
void draft_written(struct draft *draft);
/* *ret: owned; NULL where metadata keeps nothing.  -ENOMEM. */
int draft_store_attrs(const struct node *node, struct store_attrs **ret);
/* S3 has them.  attrs NULL: nothing. */
void draft_attrs_stored(struct node *node, const struct store_attrs *attrs);

/* ---- draft_headers.c ---- */
struct place;
/* What a new object has.  -errno of headers. */
int draft_new_headers(struct headers *headers, const struct place *place);
/* Completes what an upload to this place carries.  headers: with those that its object keeps, if it `keeps` any.
 * attrs may be NULL.  -errno of headers. */
int draft_upload_headers(
	struct headers *headers, const struct place *place, bool keeps, const struct store_attrs *attrs);
/* What an object keeps when its content is edited, from its own headers: those that tell of the old content
 * go; the storage class is added.  -errno of headers. */
int draft_kept_headers(struct headers *headers, const char *storage_class);

/* ---- draft_load.c, draft_store.c ---- */
/* Begins; the draft is quiet.  Takes fd, an empty staging file, unless it fails.  1: it was done at once. */
int draft_load(struct hub *hub, struct node *node, uint64_t keep, int fd);
int draft_store(struct hub *hub, struct node *node);

#endif
