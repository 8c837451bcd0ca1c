/*
 * staged: content that was written and that S3 does not have, on record so that it survives its daemon.
 *
 * A staging file has no name: the end of its daemon takes it along.  One that lives for longer gets a name in
 * the staging directory (staged-STEM), and a record beside the journals (STEM.staged, JSON) that says what it
 * is to become and of which version of the object it was made: no secrets, its owner's alone.  The daemon
 * holds a lock on the record for as long as it lives.  A file can be given a name only once (linkat(2)), so
 * name and record stay while it is open; once S3 has its content the record says that.  A record without a lock is of a daemon that was killed,
 * or that ended before it could store the content: `ferryfs recover` stores or discards that, and a mount of
 * the service names it in its log.
 *
 * The record's directory is a journal_dir: the rules of ownership are those of journals.
 */
#ifndef FERRYFS_FS_HOST_STAGED_H
#define FERRYFS_FS_HOST_STAGED_H

#include "engine/account/account.h"
#include "engine/journal/journal_dir.h"
#include "s3/answer.h"

/* The content of a record; all lent. */
struct staged_what {
	const char *service; /* account_service_name */
	const char *bucket, *key;
	const char *base; /* the version (ETag) that it may replace, as it was made of that; "": none */
	bool fresh; /* there was nothing of that name */
	bool stored; /* S3 has it */
	const struct headers *headers; /* of its upload */
	uint64_t part_size, part_threshold; /* likewise */
};

/* ---- the daemon that writes it; one thread but for staged_drop ---- */

struct staged;

/* Names the staging file fd and makes the record.  -errno: ENOENT where the file system cannot give it a name;
 * nothing is left then. */
int staged_new(struct journal_dir *dir, const char *staging_dir, int fd, const struct staged_what *what,
	struct staged **ret);
/* Makes the record say so, where it does not; on failure the record stays as it was. */
int staged_change(struct journal_dir *dir, struct staged *staged, const struct staged_what *what);
/* S3 has its content, or no longer: any thread, also under a lock.  The record follows: staged_follow. */
void staged_rest(struct staged *staged, bool stored);
void staged_follow(struct journal_dir *dir, struct staged *staged);
/* It is not needed any more: any thread, also under a lock; its files go with staged_remove. */
void staged_drop(struct staged *staged);
bool staged_dropped(const struct staged *staged);
/* Removes name and record, and frees it. */
void staged_remove(struct journal_dir *dir, struct staged *staged);
/* Frees it; name and record stay, and with them the written content. */
void staged_leave(struct staged *staged);

/* ---- for the process that finds it ---- */

#define STAGED_SUFFIX ".staged"

struct staged_left {
	char name[JOURNAL_NAME_MAX + 1]; /* of the record */
	int lock, fd; /* of the record; of the content: -1 when that is gone */
	uint64_t size;
	int64_t written; /* the last time, seconds since 1970; 0: the content is gone */
	char *machine, *service, *bucket, *key, *base, *path;
	bool fresh;
	bool stored; /* S3 has it: nothing is left to do but to remove it */
	uint64_t part_size, part_threshold;
	struct headers headers;
};

/* The record of this name, locked.  -EBUSY: its daemon lives; -EINVAL: it can't be read; -EPERM: it is not
 * ours alone; -ENOENT. */
int staged_open(struct journal_dir *dir, const char *name, struct staged_left **ret);
void staged_close(struct staged_left *left); /* NULL is fine */
/* Is it of this machine, and stored already: of no use to anybody? */
bool staged_is_stored(const struct staged_left *left);
/* Is it of this machine and this service? */
bool staged_is_ours(const struct staged_left *left, const struct account *account);
/* Removes both; -errno. */
int staged_discard(struct journal_dir *dir, const struct staged_left *left);
/* Logs the records that wait for a recovery of this account's service. */
void staged_tell(struct journal_dir *dir, const struct account *account);

#endif
